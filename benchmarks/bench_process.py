"""What shows only in whole processes: the tile cache on disk, and peak memory."""

from __future__ import annotations

import re
import statistics
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from bench_scan import PAIR, Whole, scan_options
from child import Child, run_child, tfimpute
from timing import (
    Figure,
    Unavailable,
    alternate,
    figure,
    print_result,
    ratios,
    seconds,
    thread_count,
)

from tfimpute_tracks.engines.feature_cache import FeatureCache
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.models import load_model
from tfimpute_tracks.tracks import ScanJob, plan_tiles, run_scan
from tfimpute_tracks.tracks.scan import scan_blocks
from tfimpute_tracks.vocabulary import Pair

__all__ = ["cache", "memory", "writing"]

_SECOND_PAIR = "MAX:HepG2"
_LINE = 60  # bases of a line of FASTA
_GAP = 0.05  # of a random chromosome is N


def _scan(folder: str, pair: str, *options: object) -> Child:
    tf, cell = pair.split(":")
    return run_child(
        tfimpute(
            *("scan", "--tf", tf, "--cell", cell, "-o", f"{folder}/{tf}.{cell}"),
            *("--threads", thread_count(), "--device", "cpu", "--overwrite"),
            *options,
        )
    )


def _own_seconds(child: Child) -> float:
    """Give the seconds that a scan reports of itself: without the start of Python."""
    reported = re.search(r"([\d.]+) s, [\d.]+ Mb/s", child.output)
    return float(reported.group(1)) if reported else float("nan")


def cache(quick: bool) -> list[Figure]:
    """One pair with an empty tile cache, then another pair with what it left.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    list of Figure

    Raises
    ------
    Unavailable
        The command line has no tile cache.
    """
    if "--no-cache" not in scan_options():
        raise Unavailable("`scan` has no --no-cache, so no tile cache yet")
    whole = Whole(quick)
    turns, sizes = [], []
    for _ in range(1 if quick else 3):
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder, "cache")
            options = [*whole.options, "--cache-dir", store]
            # Without a cache first: its time, and the sequence is then in memory.
            plain = _scan(folder, PAIR, *whole.options, "--no-cache")
            cold = _scan(folder, PAIR, *options)
            warm = _scan(folder, _SECOND_PAIR, *options)
            turns.append((plain, cold, warm))
            files = [f for f in (store / "features").rglob("*") if f.is_file()]
            if not files:
                raise Unavailable("the first scan left nothing under CACHE/features")
            sizes.append(sum(f.stat().st_size for f in files) / whole.megabases / 1e6)
    taken = [statistics.median(c.seconds for c in way) for way in zip(*turns)]  # noqa: B905
    detail = (
        f"{whole.name}; without a cache {taken[0]:.2f} s, cold {taken[1]:.2f} s, "
        f"warm {taken[2]:.2f} s"
    )
    return [
        *_in_one_process(whole, quick),
        figure(
            "cache",
            "another pair from the tile cache relative to the first, whole commands",
            [warm.seconds / cold.seconds for _, cold, warm in turns],
            better="less",
            detail=detail,
        ),
        figure(
            "cache",
            "the same, without the start of Python",
            [_own_seconds(warm) / _own_seconds(cold) for _, cold, warm in turns],
            better="less",
            detail="as each command reports",
        ),
        figure(
            "cache",
            "the first pair, filling the tile cache, relative to a scan without one",
            [cold.seconds / plain.seconds for plain, cold, _ in turns],
            better="less",
            detail=detail,
        ),
        figure(
            "cache",
            "tile cache on disk for a Gb of sequence",
            sizes,
            unit="GB",
            better="less",
            detail=f"{whole.megabases:.1f} Mb of {whole.name}",
        ),
    ]


def _in_one_process(whole: Whole, quick: bool) -> list[Figure]:
    """Scan in this process, which has started and compiled, with and without files."""
    model = load_model("default")
    genome, region = whole.sequence()
    times: dict[str, list[float]] = {}

    def scores(pair: Pair, store: FeatureCache) -> None:
        scorer = Scorer(model, [pair], cache=store)
        sizes = dict(genome.chrom_sizes)
        ranges = plan_tiles([region], sizes, model.config.seq_len, scorer.stride)
        for _ in scan_blocks(scorer, genome, ranges, thread_count()):
            pass

    def files(pair: Pair, store: FeatureCache) -> None:
        job = ScanJob(
            model,
            [pair],
            [region],
            store.folder.parent / "out",
            model.config.pool,
            threads=thread_count(),
            cache=store,
        )
        list(run_scan(job, genome, _nothing))

    for turn in range(2 if quick else 4):
        for name, work in (("scores only", scores), ("with files", files)):
            with tempfile.TemporaryDirectory() as folder:
                store = FeatureCache(Path(folder, "cache"), 10**12)
                for way, text in (("cold", PAIR), ("warm", _SECOND_PAIR)):
                    call = partial(work, model.vocabulary.pair(text), store)
                    taken = seconds(call)
                    if turn:  # the first one compiles
                        times.setdefault(f"{way} {name}", []).append(taken)
    return [
        figure(
            "cache",
            f"another pair from the tile cache relative to the first, one process, {name}",
            ratios(times[f"warm {name}"], times[f"cold {name}"]),
            better="less",
            asked="at most 0.25",
            detail=f"{whole.name}, {statistics.median(times[f'warm {name}']):.2f} s / "
            f"{statistics.median(times[f'cold {name}']):.2f} s",
        )
        for name in ("scores only", "with files")
    ]


def _nothing(_: int) -> None:
    """Take progress and show none."""


def writing(quick: bool) -> list[Figure]:
    """Report what bigWig, peaks and their validation cost next to the scores.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    list of Figure
    """
    whole = Whole(quick)
    model = load_model("default")
    genome, region = whole.sequence()
    pair = model.vocabulary.pair(PAIR)
    sizes = dict(genome.chrom_sizes)

    def scores() -> None:
        scorer = Scorer(model, [pair])
        ranges = plan_tiles([region], sizes, model.config.seq_len, scorer.stride)
        for _ in scan_blocks(scorer, genome, ranges, thread_count()):
            pass

    def tracks() -> None:
        with tempfile.TemporaryDirectory() as folder:
            job = ScanJob(
                model,
                [pair],
                [region],
                Path(folder),
                model.config.pool,
                threads=thread_count(),
            )
            list(run_scan(job, genome, _nothing))

    times = alternate({"tracks": tracks, "scores": scores}, 2 if quick else 5)
    return [
        figure(
            "writing",
            "time of a scan with its files relative to scores only",
            ratios(times["tracks"], times["scores"]),
            better="less",
            asked="at most 1.11",
            detail=f"{whole.name}, {statistics.median(times['tracks']):.2f} s / "
            f"{statistics.median(times['scores']):.2f} s: files take at most a tenth",
        )
    ]


def _write_random(path: Path, megabases: int) -> None:
    """Write a random chromosome with gaps of N, long and short."""
    rng = np.random.default_rng(megabases)
    n = megabases * 1_000_000 // _LINE * _LINE
    bases = np.frombuffer(b"ACGT", np.uint8)[rng.integers(0, 4, n, dtype=np.uint8)]
    gap = int(n * _GAP / 11)
    bases[n // 2 : n // 2 + 10 * gap] = ord("N")  # a centromere
    for start in rng.integers(0, n, 20):
        bases[start : start + gap // 20] = ord("N")
    lines = np.full((n // _LINE, _LINE + 1), ord("\n"), dtype=np.uint8)
    lines[:, :_LINE] = bases.reshape(-1, _LINE)
    with path.open("wb") as file:
        file.write(b">chr1\n")
        file.write(lines.tobytes())


def memory(quick: bool) -> list[Figure]:
    """Wall time and peak memory of scans of chromosomes of several lengths.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    list of Figure
    """
    sizes = (1, 2, 5) if quick else (10, 50, 250)
    uncached = ["--no-cache"] if "--no-cache" in scan_options() else []
    children: dict[int, list[Child]] = {size: [] for size in sizes}
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            _write_random(Path(folder, f"{size}.fa"), size)
        for _ in range(1 if quick else 3):
            for size in sizes:
                fasta = Path(folder, f"{size}.fa")
                children[size].append(_scan(folder, PAIR, "-g", fasta, *uncached))
    made = []
    for size in sizes:
        peaks = [child.peak_mb for child in children[size]]
        taken = statistics.median(child.seconds for child in children[size])
        print_result(f"    memory  {size} Mb: {taken:.2f} s")
        made.append(
            figure(
                "memory",
                f"peak memory of `scan`, a random chromosome of {size} Mb",
                peaks,
                unit="MB",
                better="less",
                asked="below 2000",
                detail=f"{taken:.2f} s, {size / taken:.2f} Mb/s, the whole command",
            )
        )
    middle, largest = sizes[1], sizes[2]
    made.append(
        figure(
            "memory",
            f"peak memory for {largest} Mb relative to {middle} Mb",
            [
                a.peak_mb / b.peak_mb
                for a, b in zip(children[largest], children[middle], strict=True)
            ],
            better="less",
            asked="at most 1.3",
            detail=f"{largest // middle} times the sequence",
        )
    )
    return made
