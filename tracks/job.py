"""A scan job: regions and pairs in, a set of files per pair out.

Tiles lie on one grid per chromosome, multiples of the stride, so the track of a region
is a slice of the track of its chromosome. A tile's score is drawn over the `stride` bp
at its centre. Files of a pair are written when all its regions are scanned, each whole
or not at all, and its receipt last; a pair whose receipt already tells the same inputs
and intact files is not computed again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, RegionError
from tfimpute_tracks.genome import Region, Sequences
from tfimpute_tracks.kernels.peaks import Peaks, call_peaks
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage import (
    check_writable_dir,
    digest_json,
    matches,
    read_receipt,
    write_receipt,
)
from tfimpute_tracks.tracks.bigbed import write_bigbed
from tfimpute_tracks.tracks.bigwig import write_bigwig
from tfimpute_tracks.tracks.narrowpeak import PeakSet, write_narrowpeak
from tfimpute_tracks.tracks.scan import Scanner, open_scanner
from tfimpute_tracks.vocabulary import Pair

__all__ = ["PairResult", "ScanJob", "TileRange", "plan_tiles", "run_scan"]

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
        From :func:`tfimpute_tracks.models.engine.pick_device`.
    fast : bool
        Give up the last digits of a probability for speed.
    overwrite : bool
        Compute again what is already there.
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


class TileRange(NamedTuple):
    """Neighbouring tiles of a chromosome: the first start, and how many."""

    chrom: str
    first: int
    n_tiles: int


@dataclass(frozen=True)
class PairResult:
    """What became of a pair.

    Attributes
    ----------
    pair : Pair
    files : list of Path
        In the order written, the receipt last.
    n_peaks : int
    threshold : float
        The score that called them.
    reused : bool
        True where an earlier run had already done it.
    """

    pair: Pair
    files: list[Path]
    n_peaks: int
    threshold: float
    reused: bool


def plan_tiles(
    regions: list[Region], chrom_sizes: dict[str, int], seq_len: int, stride: int
) -> list[TileRange]:
    """Find the tiles whose drawn bins meet the regions.

    Parameters
    ----------
    regions : list of Region
        Sorted, not overlapping.
    chrom_sizes : dict of name to bp
    seq_len, stride : int
        In bp.

    Returns
    -------
    list of TileRange
        No tile twice; tiles lie wholly inside their chromosome.

    Raises
    ------
    RegionError
        No tile meets any region.
    """
    offset = (seq_len - stride) // 2
    ranges: list[TileRange] = []
    next_free: dict[str, int] = {}
    for chrom, start, end in regions:
        first = max(-(-(start - offset - stride + 1) // stride), 0)
        first = max(first, next_free.get(chrom, 0))
        last = min(
            (end - 1 - offset) // stride, (chrom_sizes[chrom] - seq_len) // stride
        )
        if last >= first:
            ranges.append(TileRange(chrom, first * stride, last - first + 1))
            next_free[chrom] = last + 1
    if not ranges:
        raise RegionError(
            f"no tile of {seq_len} bp fits {regions[0]}"
            f"{' and the other regions' if len(regions) > 1 else ''}; the ends of a "
            f"chromosome have no score: give a region further in, or a longer sequence"
        )
    return ranges


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
        :func:`plan_tiles`' ranges of n_tiles * stride.

    Yields
    ------
    PairResult
        In the order of `job.pairs`.

    Raises
    ------
    OutputError, WriteError, ValidationError
        A file cannot be written, or does not read back as written.
    RegionError
        No tile lies in the regions.
    """
    check_writable_dir(job.out_dir)
    sizes = dict(genome.chrom_sizes)
    ranges = plan_tiles(job.regions, sizes, job.model.config.seq_len, job.stride)
    sequence = _sequence_digest(genome, ranges, job)
    inputs = {pair: _inputs(job, pair, sequence) for pair in job.pairs}
    earlier = {
        pair: result
        for pair in job.pairs
        if not job.overwrite and (result := _earlier(job, pair, inputs[pair]))
    }
    todo = [pair for pair in job.pairs if pair not in earlier]
    began = time.monotonic()
    scores: list[Floats] = []
    if todo:
        scanner = open_scanner(job.model, todo, job.stride, job.device, job.fast)
        scores = _scan(scanner, genome, ranges, progress)
    seconds = time.monotonic() - began
    for pair in job.pairs:
        if pair in earlier:
            yield earlier[pair]
        else:
            column = todo.index(pair)
            track = _Track(job, pair, ranges, [block[:, column] for block in scores])
            yield track.write(sizes, inputs[pair], seconds)


def _scan(
    scanner: Scanner,
    genome: Sequences,
    ranges: list[TileRange],
    progress: Callable[[int], None],
) -> list[Floats]:
    scores = []
    for chrom, first, n_tiles in ranges:
        values = np.empty((n_tiles, len(scanner.pairs)), dtype=np.float32)
        done = 0
        for block in scanner.blocks(genome, chrom, first, n_tiles):
            n = len(block.starts)
            values[done : done + n] = block.probabilities
            done += n
            progress(n * scanner.stride)
        scores.append(values)
    return scores


@dataclass(frozen=True)
class _Track:
    """Scores of one pair, on their way to files."""

    job: ScanJob
    pair: Pair
    ranges: list[TileRange]
    scores: list[Floats]

    @property
    def threshold(self) -> float:
        if self.job.threshold is not None:
            return self.job.threshold
        return self.job.model.threshold(self.pair)

    def bins(self) -> Iterator[tuple[str, int, int, Floats]]:
        """Give (chrom, start, width, values) of where scores are drawn."""
        stride = self.job.stride
        offset = (self.job.model.config.seq_len - stride) // 2
        for (chrom, first, _), values in zip(self.ranges, self.scores, strict=True):
            start = first + offset
            if start < 0:  # a stride longer than the tile: its bin is cut at the end
                yield chrom, 0, start + stride, values[:1]
                start, values = start + stride, values[1:]
            if len(values):
                yield chrom, start, stride, values

    def peaks(self) -> list[tuple[str, Peaks]]:
        """Call peaks per stretch; runs apart by less than a tile are one."""
        return [
            (
                chrom,
                call_peaks(
                    start + width * np.arange(len(values), dtype=np.int64),
                    values,
                    span=width,
                    threshold=self.threshold,
                    max_gap=self.job.stride,
                ),
            )
            for chrom, start, width, values in self.bins()
        ]

    def write(
        self, sizes: dict[str, int], inputs: dict[str, str], seconds: float
    ) -> PairResult:
        """Write the files of the pair, its receipt last."""
        stem = f"{self.pair.tf}.{self.pair.cell}"
        folder = self.job.out_dir
        files = [folder / f"{stem}.bw", folder / f"{stem}.narrowPeak"]
        write_bigwig(files[0], sizes, self.bins())
        peaks = PeakSet.collect(stem, self.peaks(), sizes)
        write_narrowpeak(files[1], peaks)
        if write_bigbed(folder / f"{stem}.bb", sizes, peaks):
            files.append(folder / f"{stem}.bb")
        receipt = folder / f"{stem}.receipt.json"
        megabases = sum(r.n_tiles for r in self.ranges) * self.job.stride / 1e6
        write_receipt(
            receipt,
            inputs,
            files,
            megabases=megabases,
            seconds=seconds,
            parameters={
                **_parameters(self.job, self.pair),
                "peaks": len(peaks),
                "threshold": self.threshold,
            },
        )
        return PairResult(
            self.pair, [*files, receipt], len(peaks), self.threshold, reused=False
        )


def _parameters(job: ScanJob, pair: Pair) -> dict[str, Any]:
    return {
        "model": job.model.name,
        "pair": str(pair),
        "reliability": job.model.reliability(pair),
        "regions": [str(region) for region in job.regions],
        "stride": job.stride,
        "threshold": job.threshold,
        "device": job.device,
        "precision": "fast" if job.fast else "exact",
    }


def _inputs(job: ScanJob, pair: Pair, sequence: str) -> dict[str, str]:
    return {
        "weights": job.model.checkpoint.digest,
        "sequence": sequence,
        "parameters": digest_json(_parameters(job, pair)),
    }


def _sequence_digest(genome: Sequences, ranges: list[TileRange], job: ScanJob) -> str:
    seq_len = job.model.config.seq_len
    return digest_json(
        [
            [
                chrom,
                first,
                n,
                genome.digest(chrom, first, first + (n - 1) * job.stride + seq_len),
            ]
            for chrom, first, n in ranges
        ]
    )


def _earlier(job: ScanJob, pair: Pair, inputs: dict[str, str]) -> PairResult | None:
    """Give what an earlier run left for the same inputs, if it is intact."""
    path = job.out_dir / f"{pair.tf}.{pair.cell}.receipt.json"
    if not path.exists():
        return None
    try:
        receipt = read_receipt(path)
    except InputFileError:
        return None  # of another version, or damaged: it vouches for nothing
    if not matches(receipt, inputs, job.out_dir):
        return None
    files = [job.out_dir / output.name for output in receipt.outputs]
    return PairResult(
        pair,
        [*files, path],
        int(str(receipt.parameters["peaks"])),
        float(str(receipt.parameters["threshold"])),
        reused=True,
    )
