"""Means of neighboring tiles, in bins that lie on the chromosome's own grid.

A bin of the track of a region is that of the track of its chromosome, unless an end of
the region cuts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.genome.signal import Signal

__all__ = ["mean_bins"]

Floats = NDArray[np.float32]


def mean_bins(
    signals: Iterable[Signal], tiles_per_bin: int, origin: int
) -> Iterator[Signal]:
    """Average the tiles of each bin, however they come in blocks.

    Parameters
    ----------
    signals : iterable of Signal
        A bin per tile, all of the same step, in the order of the genome. Signals that
        touch are one run.
    tiles_per_bin : int
    origin : int
        Where the first tile of a chromosome is drawn: bin j holds the tiles from number
        j * tiles_per_bin on.

    Yields
    ------
    Signal
        A value is the mean of the tiles that have one, NaN where none has. At the ends
        of a run bins are cut, and hold the tiles there are.
    """
    waiting: Signal | None = None
    for signal in signals:
        if waiting is not None and _touch(waiting, signal):
            values = np.concatenate([waiting.values, signal.values])
            waiting = waiting._replace(values=values)
        else:
            yield from _bins(waiting, tiles_per_bin, origin)
            waiting = signal
        # What is left begins a bin, so only the first bin of a run can be cut here.
        last = (waiting.end - origin) // waiting.step
        n_whole = max(len(waiting.values) - last % tiles_per_bin, 0)
        yield from _bins(_part(waiting, 0, n_whole), tiles_per_bin, origin)
        waiting = _part(waiting, n_whole, len(waiting.values))
    yield from _bins(waiting, tiles_per_bin, origin)


def _touch(one: Signal, other: Signal) -> bool:
    return (one.chrom, one.end, one.step) == (other.chrom, other.start, other.step)


def _part(signal: Signal, first: int, last: int) -> Signal:
    start = signal.start + first * signal.step
    return signal._replace(start=start, values=signal.values[first:last])


def _bins(signal: Signal | None, tiles_per_bin: int, origin: int) -> Iterator[Signal]:
    """Average the tiles of a cut bin, of whole ones, and of another cut one."""
    if signal is None:
        return
    first = (signal.start - origin) // signal.step
    last = first + len(signal.values)
    whole = min(-(-first // tiles_per_bin) * tiles_per_bin, last)
    rest = max(last - last % tiles_per_bin, whole)
    for begin, end, n_tiles in (
        (first, whole, whole - first),
        (whole, rest, tiles_per_bin),
        (rest, last, last - rest),
    ):
        if end > begin:
            part = _part(signal, begin - first, end - first)
            means = _row_means(part.values.reshape(-1, n_tiles))
            yield Signal(part.chrom, part.start, n_tiles * part.step, means)


def _row_means(rows: Floats) -> Floats:
    """Average the values of each row, in double precision; NaN where there is none."""
    known = ~np.isnan(rows)
    sums = np.where(known, rows, 0).astype(np.float64).sum(axis=1)
    with np.errstate(invalid="ignore"):
        means: Floats = (sums / known.sum(axis=1)).astype(np.float32)
    return means
