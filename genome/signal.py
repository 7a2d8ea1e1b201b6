"""Signals along chromosomes: the types between scores, files, browsers and plots."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bins", "Signal", "SignalPack", "equal_runs"]

Positions = NDArray[np.int64]
Values = NDArray[np.float32]


class Signal(NamedTuple):
    """Values of neighboring bins of equal width.

    Attributes
    ----------
    chrom : str
    start : int
        Value i covers ``[start + i * step, start + (i + 1) * step)``: 0-based,
        half-open, in bp. The first bin may begin before its chromosome, and the last
        one end behind it: who writes or draws them cuts them there.
    step : int
        bp of a bin.
    values : float32 array, shape (n,)
        NaN where there is no value.
    """

    chrom: str
    start: int
    step: int
    values: Values

    @property
    def end(self) -> int:
        """Where the last bin ends: 0-based, bp."""
        return self.start + self.step * len(self.values)

    @property
    def starts(self) -> Positions:
        """Where each bin starts: int64 array, shape (n,), 0-based, bp."""
        return self.start + self.step * np.arange(len(self.values), dtype=np.int64)

    def bins(self) -> Bins:
        """Yield the bins one by one.

        Returns
        -------
        Bins
        """
        starts = self.starts
        return Bins(starts, starts + self.step, self.values)

    def packed(self) -> SignalPack:
        """Return the signal as a pack of one.

        Returns
        -------
        SignalPack
        """
        start, length = np.array([self.start]), np.array([len(self.values)])
        return SignalPack((self.chrom,), start, self.step, length, self.values)


class SignalPack(NamedTuple):
    """Signals of the same step, laid end to end: those of many short contigs.

    Attributes
    ----------
    chroms : tuple of str
        Of each signal.
    starts : int64 array, shape (n_signals,)
        Where its first bin starts: 0-based, bp.
    step : int
        bp of a bin.
    lengths : int64 array, shape (n_signals,)
        Bins of each.
    values : float32 array, shape (n,)
        The bins of one signal after the other.
    """

    chroms: tuple[str, ...]
    starts: Positions
    step: int
    lengths: Positions
    values: Values

    def packed(self) -> SignalPack:
        """Return the pack itself.

        Returns
        -------
        SignalPack
        """
        return self

    def signals(self) -> Iterator[Signal]:
        """Yield the signals one by one.

        Yields
        ------
        Signal
        """
        parts = np.split(self.values, np.cumsum(self.lengths)[:-1])
        rows = zip(self.chroms, self.starts.tolist(), parts, strict=True)
        for chrom, start, values in rows:
            yield Signal(chrom, start, self.step, values)


class Bins(NamedTuple):
    """Bins of any widths on one chromosome.

    Attributes
    ----------
    starts, ends : int64 array, shape (n,)
        0-based, half-open, in bp; ascending, not overlapping.
    values : float32 array, shape (n,)
        NaN where there is none. What no bin covers has no value either.
    """

    starts: Positions
    ends: Positions
    values: Values

    @property
    def is_empty(self) -> bool:
        """Whether no bin has a value."""
        return bool(np.isnan(self.values).all())

    def signals(self, chrom: str) -> Iterator[Signal]:
        """Yield runs of equally wide bins that touch.

        Parameters
        ----------
        chrom : str

        Yields
        ------
        Signal
        """
        cuts = equal_runs(self.starts, self.ends)
        for first, last in pairwise(cuts.tolist()):
            start, end = int(self.starts[first]), int(self.ends[first])
            yield Signal(chrom, start, end - start, self.values[first:last])


def equal_runs(
    starts: NDArray[Any], ends: NDArray[Any], is_new: NDArray[np.bool_] | None = None
) -> Positions:
    """Find where runs of equally wide bins that touch begin.

    Parameters
    ----------
    starts, ends : integer array, shape (n,)
        Ascending, not overlapping.
    is_new : bool array, shape (n - 1,), optional
        Whether bin i + 1 is on another chromosome than bin i.

    Returns
    -------
    int64 array, shape (n_runs + 1,)
        The index of each run's first bin, and n; empty where there is no bin.
    """
    widths = ends - starts
    is_cut = (starts[1:] != ends[:-1]) | (widths[1:] != widths[:-1])
    if is_new is not None:
        is_cut |= is_new
    inner = np.flatnonzero(is_cut) + 1
    return np.concatenate([[0], inner, [len(starts)]])[: None if len(starts) else 0]
