"""Bulk imputation: every pair at once relative to one by one, its bound, its store."""

from __future__ import annotations

import re
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import torch
from bench_scan import Whole
from child import run_child, tfimpute
from numpy.typing import NDArray
from timing import Figure, alternate, figure, ratios, seconds, thread_count

from tfimpute_tracks.engines.cpu_engine import LookupEngine
from tfimpute_tracks.engines.head import pair_gates
from tfimpute_tracks.engines.tile_grid import tile_grid
from tfimpute_tracks.genome import Region, Sequences
from tfimpute_tracks.impute.export import ExportJob, run_export
from tfimpute_tracks.impute.query import rank_pairs
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.kernels.codes import decode_codes
from tfimpute_tracks.kernels.leading_units import gate_panels, leading_logits
from tfimpute_tracks.kernels.sparse import gather_windows
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.tracks.record import TrackOptions
from tfimpute_tracks.vocabulary import Pair

__all__ = ["bulk", "dask", "store"]

_GENOME = 3_095.693983  # Mb of hg19, chromosomes 1 to 22, X and Y, N included
_REAL = 2_858.0  # of them, Mb that are not N
_MARGINS = (
    0.0,
    1.0,
    2.0,
    3.0,
)  # log-odds below the peak-calling threshold that --sparse keeps
_TILES = 1024  # of the products
_MEASURED_PAIRS = 20


class _Part:
    """5 Mb of chr20, or 1 Mb of what ships: options of a command, and their size."""

    def __init__(self, quick: bool) -> None:
        self.whole = Whole(quick)
        start = 47_200_000 if quick or not self.whole.options else 30_000_000
        self.megabases = 1.0 if quick or not self.whole.options else 5.0
        end = start + int(self.megabases * 1e6)
        genome = self.whole.options[:2]  # -g FASTA, or nothing
        self.region = Region("chr20", start, end)
        self.options = [*genome, "-r", str(self.region)]


def _impute(out: Path, *options: object) -> tuple[float, float, str]:
    """Run the command: its seconds, the Mb x pairs per second it reports, its output."""
    child = run_child(tfimpute("impute", "-o", out, "--yes", *options))
    reported = re.search(
        r"([\d,]+) Mb x pairs/s\n", child.output.rpartition("written")[2]
    )
    return (
        child.seconds,
        float((reported or ["", "nan"])[1].replace(",", "")),
        child.output,
    )


def bulk(quick: bool) -> list[Figure]:
    """All pairs at once, against a scan per pair and against the bare products.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    list of Figure
    """
    part, model = _Part(quick), load_model("default")
    n_pairs = len(model.vocabulary.all_pairs())
    runs = 1 if quick else 3
    taken, rates, singles, peaks = [], [], [], []
    for turn in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            with _Memory() as memory:
                spent, rate, _ = _impute(Path(folder, "s"), "--all", *part.options)
            taken.append(spent)
            rates.append(rate)
            peaks.append(memory.peak / 1e9)
            # Pairs of other TFs and cell lines each turn, one command each.
            n_single = 2 if quick else _MEASURED_PAIRS
            step = n_pairs // n_single
            chosen = model.vocabulary.all_pairs()[turn + 7 :: step][:n_single]
            singles.append(_one_by_one(Path(folder), part, chosen))
    dense, sparse = _products(part, model, runs)
    work = part.megabases * n_pairs
    detail = f"{n_pairs:,} pairs x {part.megabases:g} Mb"
    return [
        figure(
            "bulk",
            "all pairs: the whole command, plan and store included",
            taken,
            unit="s",
            better="less",
            detail=detail,
        ),
        figure(
            "bulk",
            "all pairs: rate while shards are made",
            rates,
            unit="Mb x pairs/s",
            detail=f"{thread_count()} processes, as the command reports",
        ),
        figure(
            "bulk",
            "relative to `scan` once per pair, whole commands",
            [n_pairs * one / all_ for one, all_ in zip(singles, taken, strict=True)],
            asked="at least 200",
            detail=f"extrapolated from {len(chosen)} pairs a turn, "
            f"{statistics.median(singles):.2f} s each",
        ),
        figure(
            "bulk",
            "fraction of the dense matrix product's rate (float32, PyTorch)",
            ratios(rates, dense),
            asked="at least 0.5",
            detail=f"{statistics.median(dense):,.0f} Mb x pairs/s if it were all",
        ),
        figure(
            "bulk",
            "fraction of the sparse product's rate (our kernel alone)",
            ratios(rates, sparse),
            asked="at least 0.5",
            detail=f"{statistics.median(sparse):,.0f} Mb x pairs/s if it were all",
        ),
        figure(
            "bulk",
            "the whole command, if all were one rate, for hg19 and all pairs",
            [_REAL * n_pairs / (work / t) / 3600 for t in taken],
            unit="hours",
            better="less",
            detail=f"on {thread_count()} cores",
        ),
        figure(
            "bulk",
            "peak memory of all processes together",
            peaks,
            unit="GB",
            better="less",
            asked="below 4",
            detail=detail,
        ),
    ]


def _one_by_one(folder: Path, part: _Part, pairs: list[Pair]) -> float:
    """Give the mean seconds of a scan of one pair."""
    spent = [
        run_child(
            tfimpute(
                *("scan", "--tf", tf, "--cell", cell, "-o", folder / "one"),
                *("--no-cache", *part.options),
            )
        ).seconds
        for tf, cell in pairs
    ]
    return statistics.fmean(spent)


def _products(part: _Part, model: Model, runs: int) -> tuple[list[float], list[float]]:
    """Time the products of all pairs alone: dense in PyTorch, sparse in our kernel.

    Returns
    -------
    dense, sparse : list of float
        Mb x pairs per second.
    """
    config, pairs = model.config, model.vocabulary.all_pairs()
    grid = tile_grid(config, config.pool)
    engine = LookupEngine(model, pairs, grid.base)
    genome, _ = part.whole.sequence()
    windows = [
        gather_windows(
            engine.trunk.features(codes, _TILES), grid.base, _TILES, config.n_filters
        )
        for codes in _pieces(genome, part, config.seq_len, config.pool)
    ]
    weights = model.checkpoint.weights
    unit, bias = weights["unit_weight"], weights["unit_bias"]
    gates = pair_gates(model, pairs)
    panels = gate_panels(gates)
    n_units = unit.shape[1]
    mixed = torch.rand(2 * _TILES * n_units, config.n_filters)
    columns = torch.from_numpy(gates.T.copy())
    torch.set_num_threads(thread_count())
    # As a network runs it: a product for each unit's rows, then the largest unit.
    rows = mixed.reshape(2 * _TILES, n_units, -1)[: _TILES // 4].reshape(
        -1, len(columns)
    )

    def dense() -> None:
        torch.mm(rows, columns)

    def sparse() -> None:
        with ThreadPoolExecutor(thread_count()) as pool:
            list(
                pool.map(
                    lambda some: leading_logits(some, unit, bias, panels, len(pairs)),
                    windows,
                )
            )

    times = alternate({"dense": dense, "sparse": sparse}, runs)
    dense_work = _TILES // 8 * config.pool / 1e6 * len(pairs)  # both strands of each
    sparse_work = len(windows) * _TILES * config.pool / 1e6 * len(pairs)
    return (
        [dense_work / t for t in times["dense"]],
        [sparse_work / t for t in times["sparse"]],
    )


def _pieces(
    genome: Sequences, part: _Part, seq_len: int, stride: int
) -> list[NDArray[np.uint8]]:
    length = (_TILES - 1) * stride + seq_len
    starts = [part.region.start + i * int(part.megabases * 1e6) // 8 for i in range(8)]
    return [genome.codes("chr20", start, start + length) for start in starts]


def store(quick: bool) -> list[Figure]:
    """Measure a store on disk, what sparse ones lose, how soon one is read.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    list of Figure
    """
    part, model = _Part(quick), load_model("default")
    n_pairs = len(model.vocabulary.all_pairs())
    figures = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _impute(folder / "dense", "--all", *part.options)
        dense = Store(folder / "dense")
        figures += _sizes("dense", dense, n_pairs, "below 300")
        for margin in _MARGINS:
            out = folder / f"sparse-{margin:g}"
            wanted = ["--sparse", "--keep-below-threshold", margin]
            _impute(out, "--all", *wanted, *part.options)
            asked = "below 60" if margin == 2 else ""
            sparse = Store(out)
            lost = _losses(dense, sparse)
            name = f"sparse, {margin:g} below the threshold"
            figures += _sizes(name, sparse, n_pairs, asked, lost)
    figures += _reading(quick)
    return figures


def _sizes(
    what: str, held: Store, n_pairs: int, asked: str, more: str = ""
) -> list[Figure]:
    files = (held.folder / "shards").iterdir()
    n_bytes = sum(path.stat().st_size for path in files)
    per = n_bytes / (held.plan.megabases(held.plan.n_tiles) * n_pairs)
    return [
        figure(
            "store",
            f"{what}: hg19 and all pairs",
            [per * _GENOME * n_pairs / 1e9],
            unit="GB",
            better="less",
            asked=asked,
            detail=f"{per:,.0f} bytes per Mb and pair, assuming no N{more}",
        )
    ]


def _losses(dense: Store, sparse: Store) -> str:
    """Report which peaks a sparse store lost, at thresholds other than the pairs' own."""
    pairs = dense.plan.pairs[:: len(dense.plan.pairs) // 60]
    parts = []
    scores = {pair: [_logits(held, pair) for held in (dense, sparse)] for pair in pairs}
    for lower in (0.0, 1.0, 2.0, 3.0):
        full = some = 0
        for pair, (one, other) in scores.items():
            line = dense.plan.scale.thresholds[dense.index(pair)] - lower
            full += int((one >= line).sum())
            some += int((other >= line).sum())
        parts.append(f"{100 * (1 - some / max(full, 1)):.0f} % at {lower:g}")
    return f"; tiles lost to a threshold lowered by 0 to 3 log-odds: {', '.join(parts)}"


def _logits(held: Store, pair: Pair) -> NDArray[np.float32]:
    """Log-odds of a pair, all tiles of the store."""
    index = held.index(pair)
    scale = held.plan.scale.of(index, 1)
    return np.concatenate(
        [decode_codes(rows.codes, scale)[0] for rows in held.rows([index])]
    )


def _export(job: ExportJob) -> None:
    for _ in run_export(job):
        pass


def _reading(quick: bool) -> list[Figure]:
    """Export a pair over a chromosome, and ask for a place."""
    whole = Whole(quick)
    runs = 1 if quick else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _, rate, _ = _impute(folder / "s", "--all", *whole.options)
        held = Store(folder / "s")
        middle = held.plan.blocks[len(held.plan.blocks) // 2].ranges[0].first
        region = Region("chr20", middle + 50_000, middle + 51_000)
        pairs = held.plan.pairs[:: len(held.plan.pairs) // runs][:runs]
        options = TrackOptions(formats=("bigwig",))
        export, query, command = [], [], []
        rank_pairs(held, region, {})
        for pair in pairs:
            job = ExportJob(held, [pair], folder / "e", options, overwrite=True)
            export.append(seconds(partial(_export, job)))
            query.append(seconds(lambda: rank_pairs(Store(folder / "s"), region, {})))
            asked = tfimpute("query", folder / "s", region)
            command.append(run_child(asked).seconds)
        files = (folder / "s" / "shards").iterdir()
        size = sum(path.stat().st_size for path in files) / 1e9
    detail = f"{whole.name}, {len(held.plan.pairs):,} pairs, a store of {size:.2f} GB"
    return [
        figure(
            "store",
            "all pairs over a longer region: rate while shards are made",
            [rate],
            unit="Mb x pairs/s",
            detail=detail,
        ),
        figure(
            "store",
            "export of a pair as bigWig, read back",
            export,
            unit="s",
            better="less",
            asked="below 1",
            detail=detail,
        ),
        figure(
            "store",
            "query of all pairs at a locus, opening the store",
            query,
            unit="s",
            better="less",
            asked="below 0.3",
            detail=detail,
        ),
        figure(
            "store",
            "the same as a command, with the start of Python",
            command,
            unit="s",
            better="less",
            detail=detail,
        ),
    ]


def dask(quick: bool) -> list[Figure]:
    """Run the same by a local Dask cluster and by processes of our own.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    list of Figure
    """
    part = _Part(quick)
    times: dict[str, list[float]] = {"local": [], "dask": []}
    for _ in range(1 if quick else 3):
        for engine, taken in times.items():
            with tempfile.TemporaryDirectory() as folder:
                options = ["--all", "--engine", engine, "--workers", thread_count()]
                taken.append(_impute(Path(folder, "s"), *options, *part.options)[0])
    return [
        figure(
            "dask",
            "a local Dask cluster relative to local processes, whole commands",
            ratios(times["dask"], times["local"]),
            better="less",
            detail=f"{part.megabases:g} Mb, {thread_count()} workers; "
            f"{statistics.median(times['local']):.1f} s and "
            f"{statistics.median(times['dask']):.1f} s",
        )
    ]


class _Memory:
    """The largest sum of what all processes under this one hold, while it is open."""

    def __init__(self) -> None:
        self.peak = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Memory:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        own = psutil.Process()
        while not self._is_over.is_set():
            total = 0
            for child in own.children(recursive=True):
                try:
                    total += child.memory_info().rss
                except psutil.Error:  # it ended meanwhile
                    continue
            self.peak = max(self.peak, total)
            time.sleep(0.05)
