"""Tracks out of a store: the same files that `scan` writes, and tables."""

from __future__ import annotations

import time
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from tfimpute_tracks.genome import Region
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.storage import check_writable_dir, digest_json, write_receipt
from tfimpute_tracks.tracks.pair_files import (
    PairResult,
    Scores,
    earlier_result,
    write_pair,
)
from tfimpute_tracks.tracks.threads import in_turn
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
    formats : set of str
        Of :data:`tfimpute_tracks.tracks.pair_files.FORMATS`.
    regions : list of Region, optional
        By default all the store has.
    threshold : float, optional
        Score that calls a peak; by default each pair's own.
    overwrite : bool
        Write again what is already there.
    threads : int
        Pairs at a time.
    """

    store: Store
    pairs: list[Pair]
    out_dir: Path
    formats: Set[str]
    regions: list[Region] | None = None
    threshold: float | None = None
    overwrite: bool = False
    threads: int = 1


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
    """
    check_writable_dir(job.out_dir)
    for pair in job.pairs:
        job.store.place(pair)  # all of them, before any is written
    yield from in_turn(lambda pair: _export(job, pair), job.pairs, job.threads)


def _export(job: ExportJob, pair: Pair) -> PairResult:
    store, plan = job.store, job.store.plan
    place = store.place(pair)
    threshold = job.threshold
    if threshold is None:
        threshold = plan.thresholds[place]
    parameters = {
        "pair": str(pair),
        "reliability": plan.reliability[place],
        "regions": [str(region) for region in job.regions or []] or plan.regions,
        "formats": sorted(job.formats),
        "threshold": threshold,
    }
    inputs = {"store": plan.digest, "parameters": digest_json(parameters)}
    receipt = job.out_dir / f"{pair.tf}.{pair.cell}.receipt.json"
    if not job.overwrite:
        there = earlier_result(receipt, pair, inputs)
        if there:
            return there
    began = time.monotonic()
    stem = f"{pair.tf}.{pair.cell}"
    n_tiles = 0

    def scores() -> Iterator[Scores]:
        nonlocal n_tiles
        for block in store.scores(pair, job.regions):
            n_tiles += block.tiles.n_tiles
            yield block

    files, n_peaks = write_pair(
        job.out_dir, stem, store.layout, threshold, scores(), job.formats
    )
    write_receipt(
        receipt,
        inputs,
        files,
        megabases=plan.megabases(n_tiles),
        seconds=time.monotonic() - began,
        parameters=parameters
        | {"peaks": n_peaks, "model": plan.model, "weights": plan.weights},
    )
    return PairResult(pair, [*files, receipt], n_peaks, threshold, reused=False)
