"""A scan whose tracks stay in memory: values and peaks now, files later or never.

The same blocks of tiles, values and writers as :func:`tfimpute_tracks.tracks.job.run_scan`,
without a checkpoint: the files that :meth:`ScannedTracks.write` makes are those of a scan.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.kernels.peaks import PeakCaller
from tfimpute_tracks.storage import check_output_dir
from tfimpute_tracks.tracks.columns import Columns
from tfimpute_tracks.tracks.formats import PeakSet
from tfimpute_tracks.tracks.job import ScanJob, sequence_digest
from tfimpute_tracks.tracks.record import RunRecord, TrackRecord
from tfimpute_tracks.tracks.scan import TileBlock, scan_blocks
from tfimpute_tracks.tracks.writer import (
    PairResult,
    Scores,
    finish_pair,
    lay_out,
    write_pair,
)

__all__ = ["ScannedTracks", "scan_to_memory"]


@dataclass(frozen=True)
class ScannedTracks:
    """The tracks of a job; :func:`scan_to_memory` makes them.

    Attributes
    ----------
    job : ScanJob
    run : RunRecord
    chrom_sizes : dict of str to int
        Of the genome, in its order.
    columns : Columns
        How values are made of what was kept.
    blocks : list of TileBlock
        In the order of the genome.
    seconds : float
        Wall time of the scan.
    """

    job: ScanJob
    run: RunRecord
    chrom_sizes: dict[str, int]
    columns: Columns
    blocks: list[TileBlock]
    seconds: float

    def record(self, index: int, formats: Iterable[str] = ()) -> TrackRecord:
        """Make the record of a pair's track.

        Parameters
        ----------
        index : int
            Of the pair.
        formats : iterable of str
            To be written; empty for the default ones.

        Returns
        -------
        TrackRecord

        Raises
        ------
        UsageError
            As :meth:`tfimpute_tracks.tracks.record.TrackRecord.of_pair`.
        """
        job = self.job
        options = replace(job.options, formats=tuple(formats))
        pair, threshold = job.pairs[index], job.threshold
        return TrackRecord.of_pair(
            self.run, job.model, pair, job.regions, options, threshold
        )

    def scores(self, index: int) -> Iterator[Scores]:
        """Yield a pair's scores, block by block.

        Parameters
        ----------
        index : int
            Of the pair.

        Yields
        ------
        Scores
        """
        for ranges, _, kept in self.blocks:
            assert kept is not None
            own = [kept[:, column] for column in self.columns.columns_for(index)]
            probability, drawn = self.columns.scores(index, own)
            yield lay_out(self.run, ranges, probability, drawn)

    def peaks(self, index: int, threshold: float | None = None) -> PeakSet:
        """Call a pair's peaks, on the probability.

        Parameters
        ----------
        index : int
            Of the pair.
        threshold : float, optional
            By default that of the job, or else the model's own for the pair.

        Returns
        -------
        PeakSet
            As the scan's files hold them.
        """
        record = self.record(index)
        caller = PeakCaller(record.threshold if threshold is None else threshold)
        for probability, _ in self.scores(index):
            caller.add_pack(*probability.packed())
        return PeakSet.collect(
            record.stem, caller.peaks(), self.chrom_sizes, record.title()
        )

    def write(self, out_dir: Path, formats: Iterable[str] = ()) -> list[PairResult]:
        """Write the files of a scan.

        Parameters
        ----------
        out_dir : Path
            Created if missing. Files of the same names are replaced.
        formats : iterable of str
            Empty for the default ones.

        Returns
        -------
        list of PairResult
            In the order of the pairs.

        Raises
        ------
        OutputError, WriteError, ValidationError
            A file cannot be written, or does not read back as written.
        UsageError
            As :meth:`record`.
        """
        records = [self.record(index, formats) for index in range(len(self.job.pairs))]
        check_output_dir(out_dir)
        digest = sequence_digest([(b.ranges, b.digest) for b in self.blocks])
        n_tiles = sum(block.n_tiles for block in self.blocks)
        megabases = n_tiles * self.job.stride / 1e6
        results = []
        for index, record in enumerate(records):
            scores = self.scores(index)
            written, files = write_pair(out_dir, record, self.chrom_sizes, scores)
            written = replace(written, sequence=digest)
            results.append(
                finish_pair(out_dir, written, files, megabases, self.seconds)
            )
        return results


def scan_to_memory(
    job: ScanJob, genome: Sequences, progress: Callable[[int], None]
) -> ScannedTracks:
    """Scan without writing.

    Parameters
    ----------
    job : ScanJob
        Its `out_dir` and `overwrite` are not used.
    genome : Sequences
    progress : callable
        As for :func:`tfimpute_tracks.tracks.job.run_scan`.

    Returns
    -------
    ScannedTracks

    Raises
    ------
    RegionError, UsageError, InputFileError
        As for :func:`tfimpute_tracks.tracks.job.run_scan`.
    """
    job.model.check_genome(genome)
    job.options.resolved(job.stride)
    began = time.monotonic()
    columns = Columns(
        job.model, job.pairs, list(map(str, job.pairs)), job.options.signal
    )
    scorer = Scorer(
        job.model,
        columns.required_pairs,
        job.stride,
        job.device,
        job.fast,
        job.cache,
    )
    blocks = []
    for block in scan_blocks(
        scorer,
        genome,
        job.ranges(genome),
        job.threads,
        reduce=columns.reduce,
        block_size=job.block_size,
    ):
        blocks.append(block)
        progress(block.n_tiles * job.stride)
    return ScannedTracks(
        job,
        job.run_record(genome),
        dict(genome.chrom_sizes),
        columns,
        blocks,
        time.monotonic() - began,
    )
