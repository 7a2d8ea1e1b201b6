"""Tracks out of a store: the same files that `scan` writes, and tables.

A store holds the log-odds of probabilities, rounded. Its specificity is relative to the cell lines
that it has of a TF.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from threading import Lock

import numpy as np

from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.engines.ordered_processes import ordered_processes
from tfimpute_tracks.engines.tiles import no_known_tile
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.signal import SignalPack
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.impute.stored_codes import Rows
from tfimpute_tracks.impute.stored_tracks import stored_track
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.storage import check_output_dir
from tfimpute_tracks.tracks.record import TrackOptions, TrackRecord
from tfimpute_tracks.tracks.signals import logits_to_signal
from tfimpute_tracks.tracks.writer import (
    PairResult,
    Scores,
    clear_leftovers,
    finish_pair,
    reusable,
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
    options : TrackOptions
        Signal, bins and formats.
    regions : list of Region, optional
        By default all the store has.
    threshold : float, optional
        Score that makes a peak; by default each pair's own.
    overwrite : bool
        Write again what is already there.
    threads : int
        Pairs at a time.
    has_processes : bool
        Work in so many processes and not threads, which is sooner for more than some
        fifty pairs. They import the program's main module, which must not start it.
    """

    store: Store
    pairs: list[Pair]
    out_dir: Path
    options: TrackOptions = field(default_factory=TrackOptions)
    regions: list[Region] | None = None
    threshold: float | None = None
    overwrite: bool = False
    threads: int = 1
    has_processes: bool = False

    def record(self, pair: Pair) -> TrackRecord:
        """Make the record of a pair's track.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        TrackRecord
        """
        return stored_track(
            self.store,
            pair,
            self.options,
            self.regions or (),
            self.threshold,
        )


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
        A pair or a region is not in the store, or the regions have no score.
    UsageError
        As :func:`tfimpute_tracks.impute.stored_tracks.stored_track`; or the store is
        sparse and lacks scores that the signal needs; or the folder lies in a store.
    """
    signal = job.options.signal
    if signal != "probability" and job.store.plan.is_sparse:
        raise UsageError(
            f"--signal {signal} from {job.store.folder}, which is sparse and has only "
            "scores near peaks; use a store made without --sparse, or `scan --signal "
            f"{signal}`"
        )
    records = [job.record(pair) for pair in job.pairs]  # all, before any is written
    check_output_dir(job.out_dir)
    clear_leftovers(job.out_dir, records)
    groups = _grouped(job, records)
    if job.has_processes:
        yield from ordered_processes(_open_export, job, groups, job.threads)
        return
    items = (
        (record, rows) for group in groups for record, rows in _with_rows(job, group)
    )
    yield from ordered_map(lambda item: _export(job, *item), items, job.threads)


def _open_export(job: ExportJob) -> Callable[[list[TrackRecord]], Iterator[PairResult]]:
    """Prepare a process for groups of pairs."""

    def export(group: list[TrackRecord]) -> Iterator[PairResult]:
        for record, rows in _with_rows(job, group):
            yield _export(job, record, rows)

    return export


class _Group:
    """Pairs whose codes are read together, when the first of them is needed."""

    def __init__(self, job: ExportJob, indexes: list[int]) -> None:
        self._job = job
        self._numbers = {pair: i for i, pair in enumerate(dict.fromkeys(indexes))}
        self._lock, self._rows = Lock(), list[Rows]()

    def log_odds(self, pair: int) -> Iterator[SignalPack]:
        """Yield the log-odds of a pair of the group."""
        store, regions = self._job.store, self._job.regions
        with self._lock:
            if not self._rows:
                self._rows = list(store.rows(list(self._numbers), regions))
        scale = store.plan.scale.of(pair, 1)
        for rows in self._rows:
            values = rows.log_odds(self._numbers[pair], scale)
            yield store.plan.signals_of(rows.ranges, values)


def _grouped(job: ExportJob, records: list[TrackRecord]) -> Iterator[list[TrackRecord]]:
    """Yield the records of pairs whose codes are read together."""
    waiting = iter(records)
    indexes = [job.store.index(record.pair) for record in records]
    for group in job.store.groups(indexes, job.regions):
        yield list(islice(waiting, len(group)))


def _with_rows(
    job: ExportJob, group: list[TrackRecord]
) -> Iterator[tuple[TrackRecord, _Group]]:
    """Yield each record of a group with what reads its codes."""
    shared = _Group(job, [job.store.index(record.pair) for record in group])
    for record in group:
        yield record, shared


def _export(job: ExportJob, record: TrackRecord, group: _Group) -> PairResult:
    plan = job.store.plan
    kept = None if job.overwrite else reusable(job.out_dir, record)
    if kept:
        return kept
    began = time.monotonic()
    n_tiles = n_known = 0

    def scores() -> Iterator[Scores]:
        nonlocal n_tiles, n_known
        for some in _scores(job, record, group):
            values = some.probability.values
            n_tiles += len(values)
            n_known += len(values) - int(np.count_nonzero(np.isnan(values)))
            yield some
        if job.regions and not n_known and not plan.is_sparse:
            raise no_known_tile(job.regions)

    record, files = write_pair(job.out_dir, record, plan.chrom_sizes, scores())
    seconds = time.monotonic() - began
    return finish_pair(job.out_dir, record, files, plan.megabases(n_tiles), seconds)


def _scores(job: ExportJob, record: TrackRecord, group: _Group) -> Iterator[Scores]:
    """Read a pair's probabilities, and compute another signal of its log-odds."""
    store, name, pair = job.store, record.signal, record.pair
    means = store.mean_probabilities(pair.tf, job.regions)
    for signal in group.log_odds(store.index(pair)):
        logits = signal.values
        probability = signal._replace(values=sigmoid(logits))
        if name == "probability":
            yield Scores(probability, probability)
            continue
        mean = next(means) if name == "specificity" else None
        drawn = logits_to_signal(name, logits, mean, record.calibration)
        yield Scores(probability, signal._replace(values=drawn))
