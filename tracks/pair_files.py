"""The files of one pair: where its scores are drawn, and what is written of them.

Scores come block by block and are not kept: of all tiles only those at peaks, and their
neighbours, wait for the peaks to be called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.kernels.peaks import Peaks, call_peaks
from tfimpute_tracks.storage import matches, read_receipt
from tfimpute_tracks.tracks.formats import (
    PeakSet,
    write_bedgraph,
    write_bigbed,
    write_bigwig,
    write_narrowpeak,
    write_parquet,
)
from tfimpute_tracks.tracks.tiles import TileRange
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "FORMATS",
    "PairResult",
    "Scores",
    "TrackLayout",
    "earlier_result",
    "write_pair",
]

FORMATS = ("bigwig", "bed", "bigbed", "bedgraph", "parquet")
"""What a pair can be written as; `bed` is narrowPeak, `bed` and `bigbed` are peaks."""
_USUAL = frozenset({"bigwig", "bed", "bigbed"})

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Bins = tuple[str, int, int, Floats]


class Scores(NamedTuple):
    """One pair's scores of neighbouring tiles, shape (n_tiles,), NaN where unknown."""

    tiles: TileRange
    values: Floats


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


@dataclass(frozen=True)
class TrackLayout:
    """Where a tile's score is drawn: over the `stride` bp at its centre.

    Parameters
    ----------
    stride, seq_len : int
        In bp.
    chrom_sizes : dict of str to int
    """

    stride: int
    seq_len: int
    chrom_sizes: dict[str, int]

    def bins(self, scores: Scores) -> Iterator[Bins]:
        """Lay out the scores of a block.

        Parameters
        ----------
        scores : Scores

        Yields
        ------
        (chrom, start, width, values)
            Value i is drawn over [start + i * width, start + (i + 1) * width), 0-based.
        """
        (chrom, first, _), values = scores
        start = first + (self.seq_len - self.stride) // 2
        if start < 0:  # a stride longer than the tile: its bin is cut at the end
            yield chrom, 0, start + self.stride, values[:1]
            start, values = start + self.stride, values[1:]
        if len(values):
            yield chrom, start, self.stride, values


class _PeakTiles:
    """The tiles at peaks and beside them, collected block by block."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._kept: list[tuple[str, int, Ints, Floats]] = []
        self._last: tuple[str, int, int, float] | None = None  # the last bin seen

    def add(self, bins: Bins) -> None:
        """Keep the bins that reach the threshold, and the neighbours of such bins."""
        chrom, start, width, values = bins
        starts = start + width * np.arange(len(values), dtype=np.int64)
        if self._last is not None and self._last[:3] == (chrom, width, start - width):
            # The bin before this block may stand beside a peak that begins here.
            starts = np.append(start - width, starts)
            values = np.append(np.float32(self._last[3]), values)
        is_high = values >= self._threshold
        is_near = is_high.copy()
        is_near[1:] |= is_high[:-1]
        is_near[:-1] |= is_high[1:]
        if is_near.any():
            self._kept.append((chrom, width, starts[is_near], values[is_near]))
        self._last = chrom, width, int(starts[-1]), float(values[-1])

    def count(self, max_gap: int) -> int:
        """Count the peaks of :meth:`call`."""
        return sum(len(peaks.start) for _, peaks in self.call(max_gap))

    def call(self, max_gap: int) -> list[tuple[str, Peaks]]:
        """Call peaks; runs apart by at most `max_gap` bp of known tiles are one."""
        calls = []
        for (chrom, width), group in groupby(self._kept, key=lambda kept: kept[:2]):
            members = list(group)
            starts, first = np.unique(
                np.concatenate([member[2] for member in members]), return_index=True
            )
            values = np.concatenate([member[3] for member in members])[first]
            peaks = call_peaks(
                starts, values, span=width, threshold=self._threshold, max_gap=max_gap
            )
            calls.append((chrom, peaks))
        return calls


def write_pair(
    folder: Path,
    stem: str,
    layout: TrackLayout,
    threshold: float,
    scores: Iterable[Scores],
    formats: Set[str] = _USUAL,
) -> tuple[list[Path], int]:
    """Write a pair's signal and peaks; a bigBed only where there are peaks.

    Parameters
    ----------
    folder : Path
    stem : str
        Names of files before their ending, and of peaks.
    layout : TrackLayout
    threshold : float
        The lowest score of a tile that makes a peak.
    scores : iterable of Scores
        In the order of the genome; taken while the signal is written. What comes
        several times in different formats is gone through once and kept meanwhile.
    formats : set of str
        Of :data:`FORMATS`.

    Returns
    -------
    files : list of Path
    n_peaks : int

    Raises
    ------
    WriteError, ValidationError
        A file cannot be written, or does not read back as written.
    RunError
        No tile has a value.
    """
    at_peaks = _PeakTiles(threshold)

    def bins() -> Iterator[Bins]:
        for block in scores:
            for some in layout.bins(block):
                at_peaks.add(some)
                yield some

    files = []
    pieces: Iterable[Bins] = bins()
    signals = [name for name in _SIGNALS if name in formats]
    if len(signals) != 1:  # several files, or none: the scores are needed all the same
        pieces = list(pieces)
    for name in signals:
        ending, write = _SIGNALS[name]
        files.append(folder / f"{stem}.{ending}")
        write(files[-1], layout.chrom_sizes, pieces)
    if not formats & {"bed", "bigbed"}:
        return files, at_peaks.count(layout.stride)
    calls = at_peaks.call(layout.stride)
    peaks = PeakSet.collect(stem, calls, layout.chrom_sizes)
    if "bed" in formats:
        files.append(folder / f"{stem}.narrowPeak")
        write_narrowpeak(files[-1], peaks)
    path = folder / f"{stem}.bb"
    if "bigbed" in formats and write_bigbed(path, layout.chrom_sizes, peaks):
        files.append(path)
    return files, len(peaks)


_SIGNALS: dict[str, tuple[str, Callable[..., None]]] = {
    "bigwig": ("bw", write_bigwig),
    "bedgraph": ("bedGraph", write_bedgraph),
    "parquet": ("parquet", write_parquet),
}


def earlier_result(
    receipt: Path, pair: Pair, inputs: Mapping[str, str]
) -> PairResult | None:
    """Give what an earlier run left of a pair, where a new one would only repeat it.

    Parameters
    ----------
    receipt : Path
        Where the pair's receipt is, if there is one, beside its files.
    pair : Pair
    inputs : mapping of str to str
        Digests of the inputs of the run about to start.

    Returns
    -------
    PairResult or None
        None where the receipt tells other inputs or vouches for nothing, or a file is
        not as it tells.
    """
    try:
        told = read_receipt(receipt)
    except InputFileError:
        return None  # none, or of another version, or damaged
    if not matches(told, inputs, receipt.parent):
        return None
    files = [receipt.parent / output.name for output in told.outputs]
    return PairResult(
        pair,
        [*files, receipt],
        int(str(told.parameters["peaks"])),
        float(str(told.parameters["threshold"])),
        reused=True,
    )
