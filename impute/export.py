"""Tracks out of a store: the same files that `scan` writes, and tables."""

from __future__ import annotations

import time
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.genome import Region
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.storage import (
    check_writable_dir,
    digest_json,
    matches,
    read_receipt,
    write_receipt,
)
from tfimpute_tracks.tracks.pair_files import write_pair
from tfimpute_tracks.tracks.threads import in_turn
from tfimpute_tracks.vocabulary import Pair

__all__ = ["ExportJob", "Exported", "run_export"]


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


@dataclass(frozen=True)
class Exported:
    """What became of a pair.

    Attributes
    ----------
    pair : Pair
    files : list of Path
        The receipt last.
    n_peaks : int
    threshold : float
    reused : bool
        True where an earlier export had already done it.
    """

    pair: Pair
    files: list[Path]
    n_peaks: int
    threshold: float
    reused: bool


def run_export(job: ExportJob) -> Iterator[Exported]:
    """Write the files of each pair, its receipt last.

    Parameters
    ----------
    job : ExportJob

    Yields
    ------
    Exported
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


def _export(job: ExportJob, pair: Pair) -> Exported:
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
        there = _earlier(receipt, inputs, pair, threshold)
        if there:
            return there
    began = time.monotonic()
    stem = f"{pair.tf}.{pair.cell}"
    scores = store.scores(pair, job.regions)
    files, n_peaks = write_pair(
        job.out_dir, stem, store.layout, threshold, scores, job.formats
    )
    write_receipt(
        receipt,
        inputs,
        files,
        megabases=plan.n_tiles * plan.stride / 1e6,
        seconds=time.monotonic() - began,
        parameters=parameters
        | {"peaks": n_peaks, "model": plan.model, "weights": plan.weights},
    )
    return Exported(pair, [*files, receipt], n_peaks, threshold, reused=False)


def _earlier(
    path: Path, inputs: dict[str, str], pair: Pair, threshold: float
) -> Exported | None:
    try:
        receipt = read_receipt(path)
    except InputFileError:
        return None
    if not matches(receipt, inputs, path.parent):
        return None
    files = [path.parent / output.name for output in receipt.outputs]
    n_peaks = int(str(receipt.parameters["peaks"]))
    return Exported(pair, [*files, path], n_peaks, threshold, reused=True)
