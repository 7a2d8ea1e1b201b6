"""Figures of speed and error of the GPU engine, in one go on a CUDA machine.

Usage: python benchmarks/gpu.py [-o docs/benchmarks/gpu.md]

Prints a Markdown table, and with `-o` writes it to a file as well. Times are medians of
runs between CUDA events, sequence on the device beforehand. Without a CUDA device it
says so and ends with exit code 2.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tfimpute_tracks.engines.gpu_engine import TorchEngine
from tfimpute_tracks.engines.tile_grid import tile_grid
from tfimpute_tracks.genome import bundled_region, open_bundled
from tfimpute_tracks.kernels.encode import one_hot_tensor
from tfimpute_tracks.kernels.fused import (
    HAS_TRITON,
    PRECISIONS,
    fuse_filters,
    fused_maxima,
)
from tfimpute_tracks.kernels.segments import SegmentGrid, segment_grid
from tfimpute_tracks.kernels.tables import reverse_filters
from tfimpute_tracks.models import load_model, presets
from tfimpute_tracks.models.config import GatedConfig

_RUNS = 7
_STRIDE = 100
_DEVICE = "cuda:0"
_CHECKED_TILES = 2_000
_CHECKED_PAIRS = 1_000
# Dense multiply-adds, in TFLOP/s, as NVIDIA states them: half precision on tensor
# cores. TF32 has half of it.
_PEAKS = {
    "H100 PCIe": 756,
    "H100": 989,
    "H200": 989,
    "A100": 312,
    "A10": 125,
    "L4": 121,
}


def _seconds(work: Callable[[], object]) -> float:
    """Time work on the device: warmed up, then the median of `_RUNS`."""
    for _ in range(2):
        work()
    times: list[float] = []
    for _ in range(_RUNS):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        work()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) / 1000)
    return statistics.median(times)


def _peak(precision: str) -> float | None:
    """Give the peak of the device for a precision, in TFLOP/s, if it is known."""
    name = torch.cuda.get_device_name(_DEVICE)
    peak = next((value for part, value in _PEAKS.items() if part in name), None)
    if peak is None or precision in ("ieee", "plain"):
        return None
    return peak / 2 if precision == "tf32" else peak


def _plain(codes: Tensor, filters: Tensor, grid: SegmentGrid) -> Tensor:
    """Do as plain PyTorch would: conv1d of whole stride periods, then maxima."""
    x = one_hot_tensor(codes).t()[None]
    periods = functional.conv1d(x, filters)[0].unflatten(1, (-1, grid.stride))
    edges = [*grid.borders.tolist(), grid.stride]
    return torch.stack(
        [periods[:, :, first:end].amax(dim=2) for first, end in pairwise(edges)], dim=2
    )


def trunk_rows() -> Iterator[tuple[str, str]]:
    """Sequence to segment maxima, the paper's sizes, both strands."""
    size = presets()["paper"].config
    grid = segment_grid(size.seq_len, size.filter_length, size.pool, _STRIDE)
    rng = np.random.default_rng(0)
    own = rng.normal(size=(size.n_filters, size.filter_length, 4)).astype(np.float32)
    filters = torch.tensor(np.concatenate([own, reverse_filters(own)]), device=_DEVICE)
    bias = torch.zeros(len(filters), device=_DEVICE)

    def region(n_periods: int) -> Tensor:
        n = n_periods * _STRIDE + size.filter_length - 1
        return torch.tensor(rng.integers(0, 4, n).astype(np.uint8), device=_DEVICE)

    def row(name: str, precision: str, bp: int, seconds: float) -> tuple[str, str]:
        # Depth is 4 F and a multiply-add is two operations; parts and padding are the
        # kernel's own affair and count as time.
        tera = 2 * 4 * size.filter_length * len(filters) * bp / seconds / 1e12
        peak = _peak(precision)
        share = f", {tera / peak:.0%} of the tensor cores' peak" if peak else ""
        value = f"{bp / seconds / 1e6:,.1f} Mb/s = {tera:,.1f} TFLOP/s{share}"
        return f"trunk, {name}", value

    codes = region(10_000)
    bp = 10_000 * _STRIDE
    for precision in PRECISIONS if HAS_TRITON else ():
        laid_out = fuse_filters(filters, bias, precision)
        n_segments = 10_000 * grid.borders.size
        seconds = _seconds(
            lambda: fused_maxima(codes, laid_out, grid, n_segments)  # noqa: B023
        )
        yield row(f"Triton, {precision}", precision, bp, seconds)
    # Its result is 16 kB per bp, so a tenth of the sequence is enough.
    codes = region(1_000)
    turned = filters.transpose(1, 2).contiguous()
    for tf32 in (False, True):
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=tf32):
            seconds = _seconds(lambda: _plain(codes, turned, grid))
        name = "plain PyTorch, " + ("tf32" if tf32 else "float32")
        yield row(name, "tf32" if tf32 else "plain", bp // 10, seconds)


def engine_rows() -> Iterator[tuple[str, str]]:
    """Sequence to logits of every pair, default weights, from host to host."""
    model = load_model("default")
    size = model.config
    every = model.vocabulary.all_pairs()
    grid = tile_grid(size, _STRIDE)
    region, n_tiles = bundled_region(), 5_000
    bp = n_tiles * _STRIDE
    end = region.start + bp - _STRIDE + size.seq_len
    codes = open_bundled().codes(region.chrom, region.start, end)
    for name, pairs in (("one pair", every[:1]), (f"{len(every):,} pairs", every)):
        for fast in (False, True):
            engine = TorchEngine(model, pairs, grid.base, _DEVICE, fast)
            seconds = _seconds(lambda: engine.logits(codes, n_tiles))  # noqa: B023
            value = f"{bp / seconds / 1e6:,.1f} Mb/s"
            value += f" = {bp / seconds / 1e6 * len(pairs):,.0f} Mb x pairs/s"
            yield f"codes to logits, {name}, {'fast' if fast else 'exact'}", value


def head_row() -> tuple[str, str]:
    """Time the products of the head for all pairs, which bound it."""
    size = presets()["default"].config
    assert isinstance(size, GatedConfig)  # others have no units
    n_pairs, n_tiles = len(load_model("default").vocabulary.all_pairs()), 1_000
    u = torch.rand(2 * n_tiles * size.n_units, size.n_filters, device=_DEVICE)
    gates = torch.rand(n_pairs, size.n_filters, device=_DEVICE)

    def work() -> None:
        for part in u.split(len(u) // 8):
            z = part @ gates.t()
            z.view(-1, size.n_units, n_pairs).amax(dim=1)

    seconds = _seconds(work)
    rate = n_tiles * _STRIDE / seconds / 1e6
    tera = 2 * u.numel() * n_pairs / seconds / 1e12
    value = f"{rate * n_pairs:,.0f} Mb x pairs/s = {tera:,.1f} TFLOP/s"
    return f"head on the device, {n_pairs:,} pairs, float32", value


def error_rows() -> Iterator[tuple[str, str]]:
    """Compare probabilities with those of the plain network on the CPU."""
    model = load_model("default")
    size, region = model.config, bundled_region()
    rng = np.random.default_rng(0)
    every = model.vocabulary.all_pairs()
    chosen = rng.choice(len(every), _CHECKED_PAIRS, replace=False)
    pairs = [every[i] for i in chosen]
    n = (_CHECKED_TILES - 1) * _STRIDE + size.seq_len
    codes = open_bundled().codes(region.chrom, region.start, region.start + n)
    tiles = np.lib.stride_tricks.sliding_window_view(codes, size.seq_len)[::_STRIDE]
    expected = model.predict(np.ascontiguousarray(tiles), pairs, calibrated=False)
    grid = tile_grid(size, _STRIDE)
    engine = TorchEngine(model, pairs, grid.base, _DEVICE)

    def row(name: str) -> tuple[str, str]:
        logits = torch.from_numpy(engine.logits(codes, _CHECKED_TILES))
        off = np.abs(logits.sigmoid().numpy() - expected)
        value = f"{off.max():.1e} at most, {off.mean():.1e} on average"
        return f"difference in probability, {name}", value

    yield row("as the engine runs")
    own = model.checkpoint.weights["filters"]
    filters = torch.tensor(np.concatenate([own, reverse_filters(own)]), device=_DEVICE)
    bias = torch.tensor(model.checkpoint.weights["bias"], device=_DEVICE).repeat(2)
    for precision in PRECISIONS if HAS_TRITON else ():
        laid_out = fuse_filters(filters, bias, precision)
        engine._trunk = lambda x, n: fused_maxima(x, laid_out, grid.base, n)  # noqa: B023
        yield row(precision)


def main() -> int:
    """Measure everything and print it; give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, help="also write the table here")
    output: Path | None = parser.parse_args().output
    if not torch.cuda.is_available():
        sys.stderr.write(f"no CUDA device: PyTorch {torch.__version__} sees none\n")
        return 2
    triton = sys.modules["triton"].__version__ if HAS_TRITON else "none"
    versions = f"PyTorch {torch.__version__}, Triton {triton}"
    rows = [
        ("device", torch.cuda.get_device_name(_DEVICE)),
        ("versions", f"{versions}, Python {platform.python_version()}"),
        *trunk_rows(),
        head_row(),
        *engine_rows(),
        *error_rows(),
    ]
    lines = ["| figure | value |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)]
    table = "\n".join(lines) + "\n"
    sys.stdout.write(table)
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(f"# The GPU engine, measured\n\n{table}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
