"""Figures of speed, as ratios of medians measured in turn in one process.

Usage: python benchmarks/run.py [kernel] [scan] [pairs]     (default: all)

kernel  the look-up scan against conv1d + max_pool1d, the paper's sizes, both strands
scan    a scan of the bundled stretch against the plain network over explicit windows
pairs   what more pairs cost in the same scan
"""

from __future__ import annotations

import platform
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from tfimpute_tracks.genome import bundled_region, open_bundled
from tfimpute_tracks.kernels.lookup import (
    LookupTables,
    build_tables,
    reverse_filters,
    span_maxima,
    word_rows,
)
from tfimpute_tracks.kernels.segments import segment_grid, tile_windows
from tfimpute_tracks.models import load_model
from tfimpute_tracks.tracks.scan import open_scanner

_RUNS = 5


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compare(
    name: str, ours: Callable[[], object], theirs: Callable[[], object]
) -> None:
    """Run two ways in turn, once to warm up and then `_RUNS` times; print the ratio."""
    _seconds(ours), _seconds(theirs)
    pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(_RUNS)]
    ratios = sorted(b / a for a, b in pairs)
    a, b = (statistics.median(times) for times in zip(*pairs, strict=True))
    _say(
        f"{name}: {b:.3f} s / {a:.3f} s, ratio {statistics.median(ratios):.1f} "
        f"({ratios[0]:.1f} to {ratios[-1]:.1f})"
    )


def kernel() -> None:
    """Find the windows' maxima of every tile: the paper's sizes, both strands."""
    rng = np.random.default_rng(0)
    seq_len, length, pool, n_filters, n_tiles = 300, 20, 100, 2000, 400
    filters = rng.normal(size=(n_filters, length, 4)).astype(np.float32)
    codes = rng.integers(0, 4, (n_tiles - 1) * pool + seq_len).astype(np.uint8)
    grid = segment_grid(seq_len, length, pool, pool)
    starts, ends = grid.spans(n_tiles)
    strands = (filters, reverse_filters(filters))
    weight = torch.from_numpy(np.concatenate(strands)).transpose(1, 2).contiguous()
    tiles = np.lib.stride_tricks.sliding_window_view(codes, seq_len)[::pool]
    windows = torch.from_numpy(np.ascontiguousarray(tiles))

    def look_up(tables: list[LookupTables]) -> None:
        rows = word_rows(codes, 4)
        for strand, ranges in zip(tables, (grid.forward, grid.reverse), strict=True):
            maxima = span_maxima(rows, strand, starts, ends)
            tile_windows(maxima, ranges, grid.borders.size, n_tiles)

    def convolve(batch: torch.Tensor) -> None:
        x = torch.eye(5, 4)[batch.long()].transpose(1, 2)
        with torch.inference_mode():
            y = torch.nn.functional.conv1d(x, weight)
            torch.nn.functional.max_pool1d(y, pool, ceil_mode=True)

    def convolve_tiles() -> None:
        for batch in windows.split(50):  # what fits the memory of most machines
            convolve(batch)

    def convolve_once() -> None:
        for part in torch.from_numpy(codes).split(5000):
            convolve(part[None])

    for fast in (False, True):
        tables = [build_tables(strand, fast) for strand in strands]
        run = partial(look_up, tables)
        name = f"kernel {'fast' if fast else 'exact'}, K=2000, {len(codes)} bp"
        compare(
            f"{name}: conv1d + max_pool1d over the tiles / look-up", run, convolve_tiles
        )
        compare(
            f"{name}: conv1d once, windows not the tiles' / look-up", run, convolve_once
        )
        seconds = statistics.median(_seconds(run) for _ in range(_RUNS))
        _say(f"  look-up scan: {len(codes) / seconds / 1e6:.2f} Mb/s, both strands")


def scan() -> None:
    """Scan with the default weights, and run the network over explicit windows."""
    model = load_model("default")
    genome, region = open_bundled(), bundled_region()
    scanner = open_scanner(model, ["CTCF:K562"])
    n_tiles = 500
    seq_len = model.config.seq_len
    span = (n_tiles - 1) * scanner.stride + seq_len
    codes = genome.codes(region.chrom, region.start, region.start + span)
    windows = np.lib.stride_tricks.sliding_window_view(codes, seq_len)
    windows = np.ascontiguousarray(windows[:: scanner.stride])
    compare(
        f"scan, default weights, {span} bp: plain network over windows / scan",
        lambda: scanner.score(codes, n_tiles),
        lambda: model.predict(windows, ["CTCF:K562"]),
    )
    difference = np.abs(
        scanner.score(codes, n_tiles) - model.predict(windows, ["CTCF:K562"])
    )
    _say(f"  largest probability difference {np.nanmax(difference):.1e}")


def pairs() -> None:
    """1, 2, 10, 100 and all pairs over the same 200 kb."""
    model = load_model("default")
    genome, region = open_bundled(), bundled_region()
    every = model.vocabulary.all_pairs()
    span = 200_000
    codes = genome.codes(region.chrom, region.start, region.start + span)
    first = 0.0
    for n_pairs in (1, 2, 10, 100, len(every)):
        scanner = open_scanner(model, every[:n_pairs])
        n_tiles = (span - model.config.seq_len) // scanner.stride + 1
        runs = _RUNS if n_pairs <= 100 else 1
        scanner.score(codes, n_tiles)
        seconds = statistics.median(
            _seconds(lambda: scanner.score(codes, n_tiles))  # noqa: B023
            for _ in range(runs)
        )
        first = first or seconds
        _say(
            f"pairs: {n_pairs:6d}: {span / seconds / 1e6:8.2f} Mb/s, "
            f"{span * n_pairs / seconds / 1e6:10.1f} Mb x pairs/s, "
            f"{seconds / first:6.2f} x one pair"
        )


def main() -> None:
    """Run the benchmarks named on the command line."""
    known = {"kernel": kernel, "scan": scan, "pairs": pairs}
    chosen = sys.argv[1:] or list(known)
    _say(
        f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} "
        f"threads, Python {platform.python_version()}, torch {torch.__version__}; "
        f"medians of {_RUNS} runs in turn"
    )
    for name in chosen:
        known[name]()


if __name__ == "__main__":
    main()
