"""Tracks out of a store: the same files that `scan` writes, and tables.

The scores of a store are log-odds, rounded. Its specificity is told against the cell
lines it has of a TF; those it lacks are not computed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome import Region
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.storage import check_writable_dir, digest_json, write_receipt
from tfimpute_tracks.tracks.formats import choose_formats
from tfimpute_tracks.tracks.rendering import Scores, TrackOptions
from tfimpute_tracks.tracks.signals import logits_to_signal
from tfimpute_tracks.tracks.writer import (
    PairResult,
    PeakThreshold,
    describe,
    earlier_result,
    write_pair,
)
from tfimpute_tracks.vocabulary import Pair

__all__ = ["ExportJob", "run_export"]


@dataclass(frozen=True)
class ExportJob:
    """What to take out of a store.

    Parameters
    ----------
    store : Store
    pairs : list of Pair
    out_dir : Path
    formats : tuple of str
        From :func:`tfimpute_tracks.tracks.formats.choose_formats`.
    regions : list of Region, optional
        By default all the store has.
    threshold : float, optional
        Score that calls a peak; by default each pair's own.
    overwrite : bool
        Write again what is already there.
    threads : int
        Pairs at a time.
    rendering : Drawing
        What the signal is, and how it is drawn.
    calibrate : callable, optional
        Gives slope and offset of a pair, where calibrated scores are to be drawn: a
        store does not hold them.
    """

    store: Store
    pairs: list[Pair]
    out_dir: Path
    formats: Collection[str]
    regions: list[Region] | None = None
    threshold: float | None = None
    overwrite: bool = False
    threads: int = 1
    rendering: TrackOptions = field(default_factory=TrackOptions)
    calibrate: Callable[[Pair], tuple[float, float]] | None = None


def run_export(job: ExportJob) -> Iterator[PairResult]:
    """Write the files of each pair, its receipt last.

    Parameters
    ----------
    job : ExportJob

    Yields
    ------
    PairResult
        In the order of `job.pairs`.

    Raises
    ------
    OutputError, WriteError, ValidationError
        A file cannot be written, or does not read back as written.
    InputFileError
        A shard is missing or damaged.
    UnknownNameError, RegionError
        A pair or a region is not in the store.
    UsageError
        The drawing does not go with the store, or with a format.
    """
    _check_drawing(job)
    check_writable_dir(job.out_dir)
    for pair in job.pairs:
        job.store.place(pair)  # all of them, before any is written
    yield from ordered_map(lambda pair: _export(job, pair), job.pairs, job.threads)


def _check_drawing(job: ExportJob) -> None:
    signal = job.rendering.signal
    job.rendering.tiles_per_bin(job.store.plan.stride)
    choose_formats(job.formats, signal)
    if signal != "probability" and job.store.plan.is_sparse:
        raise UsageError(
            f"--signal {signal} from {job.store.folder}, which is sparse: it has no "
            "scores below its floor; take a store made without --sparse, or `scan "
            f"--signal {signal}`"
        )


def _export(job: ExportJob, pair: Pair) -> PairResult:
    plan = job.store.plan
    place = job.store.place(pair)
    threshold = job.threshold
    if threshold is None:
        threshold = plan.thresholds[place]
    parameters = {
        "pair": str(pair),
        "status": plan.status[place],
        "regions": [str(region) for region in job.regions or []] or plan.regions,
        "formats": sorted(job.formats),
        "threshold": threshold,
        **job.rendering.about(plan.stride),
        **({"calibration": list(job.calibrate(pair))} if job.calibrate else {}),
    }
    inputs = {"store": plan.digest, "parameters": digest_json(parameters)}
    receipt = job.out_dir / f"{job.rendering.kind.stem(pair)}.receipt.json"
    if not job.overwrite:
        there = earlier_result(receipt, pair, inputs)
        if there:
            return there
    began = time.monotonic()
    n_tiles = 0

    def scores() -> Iterator[Scores]:
        nonlocal n_tiles
        for block in _scores(job, pair):
            n_tiles += block.tiles.n_tiles
            yield block

    known = plan.status[place], plan.aurocs[place]
    about = describe(pair, *known, basis=plan.basis)
    files, n_peaks = write_pair(
        job.out_dir,
        pair,
        job.store.layout,
        PeakThreshold(threshold, about),
        scores(),
        job.rendering,
        job.formats,
    )
    write_receipt(
        receipt,
        inputs,
        files,
        megabases=plan.megabases(n_tiles),
        seconds=time.monotonic() - began,
        parameters=parameters | {"peaks": n_peaks} | _told(job, pair),
    )
    return PairResult(pair, [*files, receipt], n_peaks, threshold, reused=False)


def _scores(job: ExportJob, pair: Pair) -> Iterator[Scores]:
    """Give a pair's probabilities, and the signal where it is another one."""
    store, signal = job.store, job.rendering.signal
    if signal == "probability":
        yield from store.scores(pair, job.regions)
        return
    line = job.calibrate(pair) if job.calibrate else None
    means = store.mean_probabilities(pair.tf, job.regions)
    for tiles, logits in store.log_odds(pair, job.regions):
        mean = next(means) if signal == "specificity" else None
        drawn = logits_to_signal(signal, logits, mean, line)
        yield Scores(tiles, sigmoid(logits), drawn)


def _told(job: ExportJob, pair: Pair) -> dict[str, Any]:
    """Tell what describes a track but does not change it: no part of its inputs."""
    plan = job.store.plan
    about: dict[str, Any] = {
        "model": plan.model,
        "weights": plan.weights,
        **plan.evidence,
        "basis": plan.basis,
        "expected_auroc": plan.aurocs[job.store.place(pair)],
        "genome": plan.genome,
        "stride": plan.stride,
    }
    if job.rendering.signal == "specificity":
        about["mean_over_cells"] = job.store.n_cells(pair.tf)
    return about
