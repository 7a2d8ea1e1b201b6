"""A scan job: regions and pairs in, a set of files per pair out.

``tiles`` plans, ``scan`` scores, ``columns`` says what is kept of it, ``pair_files``
writes. The first pair's bigWig is written while the scan goes on, all else when it has
ended; each file whole or not at all, and a pair's receipt last. A pair whose receipt
already tells the same inputs and intact files is not computed again, and what an
interrupted scan had done is taken up (``spool``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfimpute_tracks import __version__
from tfimpute_tracks.engines.feature_cache import FeatureCache
from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tile_grid import tile_grid
from tfimpute_tracks.engines.tiles import (
    TileRange,
    cut_blocks,
    plan_tiles,
    read_codes,
)
from tfimpute_tracks.errors import RunError
from tfimpute_tracks.genome import Region, Sequences, known_build
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage import (
    check_writable_dir,
    digest_arrays,
    digest_json,
    write_receipt,
)
from tfimpute_tracks.tracks.checkpoint import ScanCheckpoint
from tfimpute_tracks.tracks.columns import Columns
from tfimpute_tracks.tracks.rendering import Scores, TrackLayout, TrackOptions
from tfimpute_tracks.tracks.scan import scan_blocks, tiles_per_block
from tfimpute_tracks.tracks.signals import calibration_line
from tfimpute_tracks.tracks.writer import (
    PairResult,
    PeakThreshold,
    describe,
    earlier_result,
    write_pair,
)
from tfimpute_tracks.vocabulary import Pair

__all__ = ["ScanJob", "run_scan"]

BlockKey = tuple[TileRange, str]  # the tiles, and the digest of their letters


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
        Give up the last digits of a probability for speed.
    overwrite : bool
        Compute again what is already there.
    threads : int
        Blocks of tiles that are worked on at a time.
    cache : FeatureCache, optional
        Keeps motif features for the next scan.
    rendering : Drawing
        What the signal is, and how it is drawn.
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
    rendering: TrackOptions = field(default_factory=TrackOptions)


def run_scan(
    job: ScanJob, genome: Sequences, progress: Callable[[int], None]
) -> Iterator[PairResult]:
    """Scan and write, pair by pair.

    Parameters
    ----------
    job : ScanJob
    genome : Sequences
    progress : callable
        Told the bp done with each block of tiles, of the sum over
        :func:`tfimpute_tracks.engines.tiles.plan_tiles`' ranges of n_tiles * stride.

    Yields
    ------
    PairResult
        In the order of `job.pairs`.

    Raises
    ------
    OutputError, WriteError, ValidationError
        A file cannot be written, or does not read back as written.
    UsageError
        The drawing's bins do not hold whole tiles.
    RegionError
        No tile lies in the regions.
    InputFileError
        The model's evidence is of another genome.
    """
    job.rendering.tiles_per_bin(job.stride)
    job.model.check_genome(genome)
    check_writable_dir(job.out_dir)
    earlier = _what_earlier_runs_left(job, genome)
    todo = [pair for pair in job.pairs if pair not in earlier]
    results = _Run(job, genome, todo, progress).results() if todo else iter(())
    for pair in job.pairs:
        yield earlier[pair] if pair in earlier else next(results)


class _Run:
    """The part of a job that has to be computed."""

    def __init__(
        self,
        job: ScanJob,
        genome: Sequences,
        pairs: list[Pair],
        progress: Callable[[int], None],
    ) -> None:
        self._job = job
        self._genome = genome
        self._pairs = pairs
        self._progress = progress
        self._sizes = dict(genome.chrom_sizes)
        names = [str(job.pairs.index(pair)) for pair in pairs]
        self._columns = Columns(job.model, pairs, names, job.rendering.signal)
        self._scorer = Scorer(
            job.model,
            self._columns.judged,
            job.stride,
            job.device,
            job.fast,
            job.cache,
        )
        about = {
            "tool_version": __version__,  # another one may score otherwise
            **job.model.digests,
            # Those written already as well: they must not hide what is there.
            "pairs": [str(pair) for pair in job.pairs],
            "signal": job.rendering.signal,
            "stride": job.stride,
            "device": job.device,
            "precision": _precision(job),
        }
        folder = job.out_dir / f".unfinished-{digest_json(about)[7:19]}"
        self._spool = ScanCheckpoint(folder, about, self._columns.names)
        self._keys: list[BlockKey] = []
        self._began = time.monotonic()
        self._seconds = 0.0

    def results(self) -> Iterator[PairResult]:
        """Scan, write the first pair on the way and the others behind it."""
        n_done = 0
        try:
            for result in self._written():
                n_done += 1
                if n_done == len(self._pairs):
                    self._spool.remove()
                yield result
        finally:
            # An error, Ctrl-C, or nobody asks any more.
            if n_done < len(self._pairs):
                with suppress(RunError):  # no room: the first error says it
                    self._spool.flush()

    def _written(self) -> Iterator[PairResult]:
        yield self._write(0, self._scan())
        yield from ordered_map(
            lambda i: self._write(i, self._scores(i, self._keys)),
            range(1, len(self._pairs)),
            self._job.threads,
        )

    def _scan(self) -> Iterator[Scores]:
        """Scan, and give the first pair's scores as they come."""
        blocks = scan_blocks(
            self._scorer,
            self._genome,
            _ranges(self._job, self._sizes),
            self._job.threads,
            self._spool,
            self._columns.keep,
        )
        for tiles, digest, scores in blocks:
            key = tiles, digest
            if scores is not None:
                self._spool.add(key, scores)
            self._keys.append(key)
            self._progress(tiles.n_tiles * self._job.stride)
            yield from self._scores(0, [key])
        self._seconds = time.monotonic() - self._began

    def _scores(self, pair: int, keys: list[BlockKey]) -> Iterator[Scores]:
        """Give a pair's scores of blocks that were scanned."""
        places = self._columns.of_pair(pair)
        columns = [self._spool.scores(keys, place) for place in places]
        for (tiles, _), *kept in zip(keys, *columns, strict=True):
            yield self._columns.scores(pair, tiles, kept)

    def _write(self, index: int, live: Iterator[Scores]) -> PairResult:
        """Write the files of a pair, its receipt last."""
        job, pair = self._job, self._pairs[index]
        threshold = job.threshold
        if threshold is None:
            threshold = job.model.threshold(pair)
        layout = TrackLayout(job.stride, job.model.config.seq_len, self._sizes)
        model = job.model
        about = describe(
            pair,
            model.status(pair),
            model.expected_auroc(pair),
            model.expected_interval(pair),
            model.basis,
        )
        line = PeakThreshold(threshold, about)
        files, n_peaks = write_pair(
            job.out_dir, pair, layout, line, live, job.rendering
        )
        receipt = _receipt_path(job, pair)
        n_tiles = sum(tiles.n_tiles for tiles, _ in self._keys)
        write_receipt(
            receipt,
            _inputs(job, pair, _sequence_digest(self._keys)),
            files,
            megabases=n_tiles * job.stride / 1e6,
            seconds=self._seconds,
            parameters={
                **_parameters(job, pair),
                "threshold": threshold,
                "peaks": n_peaks,
                **_told(job, pair, self._genome),
            },
        )
        return PairResult(pair, [*files, receipt], n_peaks, threshold, reused=False)


def _ranges(job: ScanJob, sizes: dict[str, int]) -> list[TileRange]:
    return plan_tiles(job.regions, sizes, job.model.config.seq_len, job.stride)


def _precision(job: ScanJob) -> str:
    return "fast" if job.fast else "exact"


def _parameters(job: ScanJob, pair: Pair) -> dict[str, Any]:
    about = job.rendering.about(job.stride)
    if job.rendering.signal == "calibrated":
        # It stands in the card: the weights' digest does not cover it.
        about["calibration"] = list(calibration_line(job.model, pair))
    return {
        "model": job.model.name,
        "pair": str(pair),
        "status": job.model.status(pair),
        "regions": [str(region) for region in job.regions],
        "stride": job.stride,
        "threshold": job.threshold,
        "device": job.device,
        "precision": _precision(job),
        **about,
    }


def _told(job: ScanJob, pair: Pair, genome: Sequences) -> dict[str, Any]:
    """Tell what describes a track but does not change it: no part of its inputs."""
    model = job.model
    about: dict[str, Any] = {
        **model.digests,
        "basis": model.basis,
        "expected_auroc": model.expected_auroc(pair),
        "genome": genome.name,
        "build": known_build(genome.chrom_sizes, model.checkpoint.genome),
    }
    interval = model.expected_interval(pair)
    if interval:
        about["expected_auroc_interval"] = list(interval)
    if model.evidence is not None:
        about["evidence_told"] = model.evidence.describe(pair, job.regions)
    if job.rendering.signal == "specificity":
        about["mean_over_cells"] = len(model.cells)
    return about


def _inputs(job: ScanJob, pair: Pair, sequence: str) -> dict[str, str]:
    return {
        **job.model.digests,
        "sequence": sequence,
        "parameters": digest_json(_parameters(job, pair)),
    }


def _sequence_digest(keys: list[tuple[TileRange, str]]) -> str:
    return digest_json([[*tiles, digest] for tiles, digest in keys])


def _what_earlier_runs_left(job: ScanJob, genome: Sequences) -> dict[Pair, PairResult]:
    """Give what is there already, whole and of the same inputs."""
    ranges = _ranges(job, dict(genome.chrom_sizes))
    with_receipt = [pair for pair in job.pairs if _receipt_path(job, pair).exists()]
    if job.overwrite or not with_receipt:
        return {}  # and the sequence need not be read twice
    grid = tile_grid(job.model.config, job.stride)

    def digest(tiles: TileRange) -> tuple[TileRange, str]:
        return tiles, digest_arrays(read_codes(genome, tiles, grid))

    blocks = cut_blocks(ranges, job.stride, tiles_per_block(job.device))
    sequence = _sequence_digest(list(ordered_map(digest, blocks, job.threads)))
    found = {
        pair: earlier_result(
            _receipt_path(job, pair), pair, _inputs(job, pair, sequence)
        )
        for pair in with_receipt
    }
    return {pair: result for pair, result in found.items() if result}


def _receipt_path(job: ScanJob, pair: Pair) -> Path:
    return job.out_dir / f"{job.rendering.kind.stem(pair)}.receipt.json"
