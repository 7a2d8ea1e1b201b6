"""A scan: regions and pairs in, a set of files per pair out.

The first pair's signal is written during the scan, everything else at its end;
every file atomically, and a pair's receipt last. A pair whose receipt has the same
content and intact files is not computed again, and an interrupted scan is resumed from
its checkpoint.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.feature_cache import FeatureCache
from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.engines.packs import count_tiles, group_blocks, read_pack
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tile_grid import tile_grid
from tfimpute_tracks.engines.tiles import (
    TileRange,
    cut_blocks,
    no_known_tile,
    plan_tiles,
)
from tfimpute_tracks.errors import RegionError, RunError
from tfimpute_tracks.genome import Region, Sequences
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage import check_output_dir, digest_arrays, digest_json
from tfimpute_tracks.tracks.checkpoint import BlockKey, ScanCheckpoint
from tfimpute_tracks.tracks.columns import Columns
from tfimpute_tracks.tracks.record import RunRecord, TrackOptions, TrackRecord
from tfimpute_tracks.tracks.scan import scan_blocks, tiles_per_block
from tfimpute_tracks.tracks.writer import (
    PairResult,
    Scores,
    clear_leftovers,
    finish_pair,
    lay_out,
    receipt_path,
    reusable,
    write_pair,
)
from tfimpute_tracks.vocabulary import Pair

__all__ = ["ScanJob", "run_scan", "sequence_digest"]

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ScanJob:
    """What to scan and where to put it.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    regions : list of Region
        Sorted, not overlapping, within the genome's chromosomes.
    out_dir : Path
    stride : int
        bp between tile starts, and the width a score is drawn over.
    threshold : float, optional
        Score that calls a peak; by default the model's own for each pair.
    device : str
        From :func:`tfimpute_tracks.engines.engine.pick_device`.
    fast : bool
        Compute faster, with scores that are off by up to 0.002.
    overwrite : bool
        Compute again what is already there.
    threads : int
        Blocks of tiles that are computed at a time.
    cache : FeatureCache, optional
        Keeps motif features for the next scan.
    options : TrackOptions
        Signal, bins and formats.
    block_size : int, optional
        Tiles of a block; by default as the device likes.
    assembly : str, optional
        Name of the genome's assembly; by default recognized by its chromosomes.
    """

    model: Model
    pairs: list[Pair]
    regions: list[Region]
    out_dir: Path
    stride: int
    threshold: float | None = None
    device: str = "cpu"
    fast: bool = False
    overwrite: bool = False
    threads: int = 1
    cache: FeatureCache | None = None
    options: TrackOptions = field(default_factory=TrackOptions)
    block_size: int | None = None
    assembly: str | None = None

    def ranges(self, genome: Sequences) -> list[TileRange]:
        """Find the tiles to score.

        Parameters
        ----------
        genome : Sequences

        Returns
        -------
        list of TileRange

        Raises
        ------
        RegionError
            No tile lies in the regions.
        """
        sizes, seq_len = dict(genome.chrom_sizes), self.model.config.seq_len
        return plan_tiles(self.regions, sizes, seq_len, self.stride)

    def run_record(self, genome: Sequences) -> RunRecord:
        """Make the record of the run.

        Parameters
        ----------
        genome : Sequences

        Returns
        -------
        RunRecord
        """
        return RunRecord.of_run(
            self.model, genome, self.stride, self.device, self.fast, self.assembly
        )


def run_scan(
    job: ScanJob, genome: Sequences, progress: Callable[[int], None]
) -> Iterator[PairResult]:
    """Scan and write, pair by pair.

    Parameters
    ----------
    job : ScanJob
    genome : Sequences
    progress : callable
        Called with the bp done in each block of tiles, of the sum over
        :meth:`ScanJob.ranges` of n_tiles * stride.

    Yields
    ------
    PairResult
        In the order of `job.pairs`.

    Raises
    ------
    OutputError, WriteError, ValidationError
        A file cannot be written, or does not read back as written.
    UsageError
        As :meth:`tfimpute_tracks.tracks.record.TrackRecord.of_pair`.
    RegionError
        No tile lies in the regions, or none with known sequence.
    InputFileError
        The model's evidence is of another genome.
    """
    job.model.check_genome(genome)
    run = job.run_record(genome)
    records = [
        TrackRecord.of_pair(
            run, job.model, pair, job.regions, job.options, job.threshold
        )
        for pair in job.pairs
    ]
    check_output_dir(job.out_dir)
    kept = _kept_tracks(job, genome, records)
    todo = [record for record in records if record.pair not in kept]
    clear_leftovers(job.out_dir, todo)
    results = _Run(job, genome, todo, progress).results() if todo else iter(())
    for pair in job.pairs:
        yield kept[pair] if pair in kept else next(results)


class _Run:
    """The part of a job that has to be computed."""

    def __init__(
        self,
        job: ScanJob,
        genome: Sequences,
        records: list[TrackRecord],
        progress: Callable[[int], None],
    ) -> None:
        self._job, self._genome = job, genome
        self._records, self._progress = records, progress
        pairs = [record.pair for record in records]
        names = [str(job.pairs.index(pair)) for pair in pairs]
        self._columns = Columns(job.model, pairs, names, job.options.signal)
        self._scorer = Scorer(
            job.model,
            self._columns.required_pairs,
            job.stride,
            job.device,
            job.fast,
            job.cache,
        )
        about = {
            **job.run_record(genome).content(),
            # Those written already as well: their scores may be in the checkpoint.
            "pairs": [str(pair) for pair in job.pairs],
            "signal": job.options.signal,
        }
        folder = job.out_dir / f".unfinished-{digest_json(about)[7:19]}"
        self._checkpoint = ScanCheckpoint(folder, about, self._columns.names)
        self._keys: list[BlockKey] = []
        self._began = time.monotonic()
        self._seconds = 0.0

    def results(self) -> Iterator[PairResult]:
        """Scan, write the first pair on the way and the others after it."""
        n_done = 0
        try:
            for result in self._written():
                n_done += 1
                if n_done == len(self._records):
                    self._checkpoint.remove()
                yield result
        except RegionError:  # there is nothing to resume
            self._checkpoint.remove()
            raise
        finally:
            # An error, Ctrl-C, or a caller that stops early.
            if n_done < len(self._records):
                with suppress(RunError):  # a full disk: the first error is reported
                    self._checkpoint.flush()

    def _written(self) -> Iterator[PairResult]:
        yield self._write(0, self._scan())
        yield from ordered_map(
            lambda i: self._write(i, self._scores(i, self._keys)),
            range(1, len(self._records)),
            self._job.threads,
        )

    def _scan(self) -> Iterator[Scores]:
        """Scan, and yield the first pair's scores as they come."""
        is_known = False
        blocks = scan_blocks(
            self._scorer,
            self._genome,
            self._job.ranges(self._genome),
            self._job.threads,
            self._checkpoint,
            self._columns.reduce,
            self._job.block_size,
        )
        for block in blocks:
            key = block.ranges, block.digest
            if block.scores is not None:
                self._checkpoint.add(key, block.scores)
            self._keys.append(key)
            self._progress(block.n_tiles * self._job.stride)
            for probability, drawn in self._values(0, [key]):
                is_known = is_known or not np.isnan(probability).all()
                yield lay_out(self._records[0], block.ranges, probability, drawn)
        if not is_known:
            raise no_known_tile(self._job.regions)
        self._seconds = time.monotonic() - self._began

    def _scores(self, index: int, keys: list[BlockKey]) -> Iterator[Scores]:
        """Yield a pair's scores of blocks that were scanned."""
        values = self._values(index, keys)
        for (ranges, _), (probability, drawn) in zip(keys, values, strict=True):
            yield lay_out(self._records[index], ranges, probability, drawn)

    def _values(
        self, index: int, keys: list[BlockKey]
    ) -> Iterator[tuple[Floats, Floats]]:
        """Yield a pair's probabilities and signal in each block."""
        columns = [
            self._checkpoint.scores(keys, column)
            for column in self._columns.columns_for(index)
        ]
        for kept in zip(*columns, strict=True):
            yield self._columns.scores(index, kept)

    def _write(self, index: int, scores: Iterator[Scores]) -> PairResult:
        job = self._job
        record, files = write_pair(
            job.out_dir, self._records[index], self._genome.chrom_sizes, scores
        )
        record = replace(record, sequence=sequence_digest(self._keys))
        n_tiles = sum(count_tiles(ranges) for ranges, _ in self._keys)
        megabases = n_tiles * job.stride / 1e6
        return finish_pair(job.out_dir, record, files, megabases, self._seconds)


def sequence_digest(keys: list[BlockKey]) -> str:
    """Digest the sequence that a track depends on.

    Parameters
    ----------
    keys : list of BlockKey
        In the order of the genome.

    Returns
    -------
    str
    """
    return digest_json([[ranges, digest] for ranges, digest in keys])


def _kept_tracks(
    job: ScanJob, genome: Sequences, records: list[TrackRecord]
) -> dict[Pair, PairResult]:
    """Find the tracks that are there already, intact and with the same content."""
    there = [r for r in records if receipt_path(job.out_dir, r).exists()]
    if job.overwrite or not there:
        return {}  # and the sequence need not be read twice
    grid = tile_grid(job.model.config, job.stride)

    def digest(ranges: tuple[TileRange, ...]) -> BlockKey:
        codes, _ = read_pack(genome, ranges, grid)
        return ranges, digest_arrays(codes)

    size = job.block_size or tiles_per_block(job.device)
    blocks = cut_blocks(job.ranges(genome), job.stride, size)
    groups = group_blocks(blocks, grid, size)
    sequence = sequence_digest(list(ordered_map(digest, groups, job.threads)))
    found = {
        record.pair: reusable(job.out_dir, replace(record, sequence=sequence))
        for record in there
    }
    return {pair: result for pair, result in found.items() if result}
