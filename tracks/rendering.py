"""How scores are drawn: where, which signal, in which bins, with how many zoom levels.

Bins of several tiles lie on the chromosome's own grid, as tiles do: a bin of the track
of a region is that of the track of its chromosome, unless the region's end cuts it.
What is written of them is decided in ``pair_files``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.tracks.signals import SIGNALS, SignalKind, SignalName

__all__ = ["MAX_ZOOMS", "Scores", "TrackLayout", "TrackOptions", "mean_bins"]

MAX_ZOOMS = 10
"""The most zoom levels of a bigWig."""

Floats = NDArray[np.float32]


class Scores(NamedTuple):
    """One pair's scores of neighboring tiles, NaN where unknown.

    Attributes
    ----------
    tiles : TileRange
    values : float32 array, shape (n_tiles,)
        Probabilities: peaks are called on them.
    drawn : float32 array, shape (n_tiles,), optional
        The signal, where it is another one.
    """

    tiles: TileRange
    values: Floats
    drawn: Floats | None = None


@dataclass(frozen=True)
class TrackLayout:
    """Where a tile's score is drawn: over the `stride` bp at its center.

    Parameters
    ----------
    stride, seq_len : int
        In bp.
    chrom_sizes : dict of str to int
    """

    stride: int
    seq_len: int
    chrom_sizes: dict[str, int]

    @property
    def offset(self) -> int:
        """From a tile's start to where it is drawn, bp; below 0 for long strides."""
        return (self.seq_len - self.stride) // 2

    def signal(self, tiles: TileRange, values: Floats) -> Signal:
        """Lay out the scores of neighboring tiles.

        Parameters
        ----------
        tiles : TileRange
        values : float32 array, shape (n_tiles,)

        Returns
        -------
        Signal
            Where the stride is longer than the tile, the first bin of a chromosome
            begins before it.
        """
        return Signal(tiles.chrom, tiles.first + self.offset, self.stride, values)


@dataclass(frozen=True)
class TrackOptions:
    """How a pair's signal is drawn.

    Parameters
    ----------
    signal : str
        Of :data:`tfimpute_tracks.tracks.signals.SIGNALS`.
    bin_size : int, optional
        bp of a bin: the mean of the tiles in it. None: a tile each.
    max_zooms : int
        The most zoom levels of a bigWig, 0 to ``MAX_ZOOMS``.
    """

    signal: SignalName = "probability"
    bin_size: int | None = None
    max_zooms: int = MAX_ZOOMS

    @property
    def kind(self) -> SignalKind:
        """What is known of the signal."""
        return SIGNALS[self.signal]

    def tiles_per_bin(self, stride: int) -> int:
        """Give the tiles of a bin.

        Parameters
        ----------
        stride : int
            bp between tile starts.

        Returns
        -------
        int

        Raises
        ------
        UsageError
            The bin size is no multiple of the stride.
        """
        size = stride if self.bin_size is None else self.bin_size
        if size < 1 or size % stride:
            low = max(size // stride, 1) * stride
            raise UsageError(
                f"--bin-size {size}: a bin holds whole tiles, which start every "
                f"{stride} bp; give {low} or {low + stride}"
            )
        return size // stride

    def about(self, stride: int) -> dict[str, object]:
        """Tell what the content of files depends on, for receipts.

        Parameters
        ----------
        stride : int
            bp between tile starts.

        Returns
        -------
        dict of str to JSON values
        """
        return {
            "signal": self.signal,
            "bin_size": self.bin_size or stride,
            "max_zooms": self.max_zooms,
        }


def mean_bins(
    layout: TrackLayout, per_bin: int, blocks: Iterable[tuple[TileRange, Floats]]
) -> Iterator[Signal]:
    """Average the tiles of each bin, however they come in blocks.

    Parameters
    ----------
    layout : TrackLayout
    per_bin : int
        Tiles of a bin; bin j holds the chromosome's tiles from j * per_bin on.
    blocks : iterable of (TileRange, values)
        In the order of the genome; values float32, shape (n_tiles,), NaN where there
        is none. Blocks that follow on each other are one stretch.

    Yields
    ------
    Signal
        A value is the mean of the tiles that have one, NaN where none has. At the ends
        of a stretch bins are cut, and hold the tiles there are.
    """
    chrom, first, waiting = "", 0, np.empty(0, dtype=np.float32)
    for tiles, values in blocks:
        index = tiles.first // layout.stride
        if (tiles.chrom, index) != (chrom, first + len(waiting)):
            yield from _bins(layout, per_bin, chrom, first, waiting)
            chrom, first, waiting = tiles.chrom, index, values
        else:
            waiting = np.concatenate([waiting, values])
        # What is left begins a bin, so only a stretch's first bin can be cut here.
        n_whole = max(len(waiting) - (first + len(waiting)) % per_bin, 0)
        yield from _bins(layout, per_bin, chrom, first, waiting[:n_whole])
        first, waiting = first + n_whole, waiting[n_whole:]
    yield from _bins(layout, per_bin, chrom, first, waiting)


def _bins(
    layout: TrackLayout, per_bin: int, chrom: str, first: int, values: Floats
) -> Iterator[Signal]:
    """Average a stretch of tiles: a bin that is cut, whole ones, one that is cut."""
    last = first + len(values)
    whole = min(-(-first // per_bin) * per_bin, last)
    rest = max(last - last % per_bin, whole)
    for begin, end, step in (
        (first, whole, whole - first),
        (whole, rest, per_bin),
        (rest, last, last - rest),
    ):
        if end > begin:
            rows = values[begin - first : end - first].reshape(-1, step)
            start = begin * layout.stride + layout.offset
            yield Signal(chrom, start, step * layout.stride, _row_means(rows))


def _row_means(rows: Floats) -> Floats:
    """Average what is known of each row, in double precision; NaN where nothing is."""
    known = ~np.isnan(rows)
    sums = np.where(known, rows, 0).astype(np.float64).sum(axis=1)
    with np.errstate(invalid="ignore"):
        means: Floats = (sums / known.sum(axis=1)).astype(np.float32)
    return means
