"""What every file of signal is made of: bins that have a value.

Signals are checked and gathered into arrays of handy size; missing values fall out, and
bins that reach beyond a chromosome are cut. Each format writes the bins in its own way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import RegionError, RunError, UsageError
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.tracks.formats.zoom import BIN

__all__ = ["Batch", "SignalStyle", "gather_bins"]

_BINS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class SignalStyle:
    """How a signal is written.

    Attributes
    ----------
    decimals : int, optional
        Values are rounded to so many: the fewer, the smaller the file. None leaves
        them as they are. Parquet files are never rounded.
    max_zooms : int
        Maximum number of zoom levels of a bigWig; of a long track ten take a third of
        the file.
    column : str
        Name of the values in a table.
    """

    decimals: int | None = 4
    max_zooms: int = 10
    column: str = "probability"


class Batch(NamedTuple):
    """Bins of a chromosome, or of several short ones.

    Attributes
    ----------
    names : sequence of str
        All chromosomes of the file, in its order.
    chroms : uint32 array, shape (n,)
        Number of the chromosome of each bin among the names, ascending.
    bins : array of BIN, shape (n,)
        Those of a chromosome are ascending, do not overlap, and have a value each.
    """

    names: Sequence[str]
    chroms: NDArray[np.uint32]
    bins: NDArray[np.void]

    def by_chrom(self) -> Iterator[tuple[str, NDArray[np.void]]]:
        """Part the bins by chromosome.

        Yields
        ------
        chrom : str
        bins : array of BIN
        """
        cuts = np.flatnonzero(self.chroms[1:] != self.chroms[:-1]) + 1
        numbers = self.chroms[np.append(0, cuts)].tolist() if len(self.chroms) else []
        ends = [0, *cuts.tolist(), len(self.chroms)]
        for number, span in zip(numbers, pairwise(ends), strict=False):
            yield self.names[number], self.bins[slice(*span)]


def gather_bins(
    chrom_sizes: Mapping[str, int], signals: Iterable[Signal], decimals: int | None
) -> Iterator[Batch]:
    """Gather signals into arrays of handy size, without the missing bins.

    Parameters
    ----------
    chrom_sizes : mapping of str to int
        Chromosome -> bp, in the order of the file.
    signals : iterable of Signal
        Chromosomes in the order of `chrom_sizes`, those of one in ascending order.
        Read one at a time, so a generator keeps memory flat.
    decimals : int, optional
        Round values to so many.

    Yields
    ------
    Batch
        Never empty. Bins are cut at the ends of their chromosomes.

    Raises
    ------
    RegionError
        A chromosome has no size, or bins lie outside of it.
    UsageError
        Signals overlap or are out of order, a step is below 1, or values are not
        one-dimensional.
    RunError
        A value is infinite.
    """
    names = [*chrom_sizes]
    numbers = {chrom: i for i, chrom in enumerate(names)}
    waiting: list[Signal] = []
    n_bins = 0

    def known() -> Iterator[Batch]:
        chroms, bins = _known_bins(waiting, numbers, chrom_sizes, decimals)
        if len(bins):
            yield Batch(names, chroms, bins)

    for signal in _checked(numbers, chrom_sizes, signals):
        waiting.append(signal)
        n_bins += len(signal.values)
        if n_bins >= _BINS_AT_ONCE:
            yield from known()
            waiting, n_bins = [], 0
    if waiting:
        yield from known()


def _checked(
    numbers: Mapping[str, int],
    chrom_sizes: Mapping[str, int],
    signals: Iterable[Signal],
) -> Iterator[Signal]:
    """Yield signals, cut to a handy length, once they are known to be in order."""
    last_number, last_end = 0, -(1 << 62)
    for chrom, first, step, values in signals:
        if chrom not in numbers:
            raise RegionError(
                f"chromosome {chrom} is not among the {len(numbers)} of the file: "
                "add its size"
            )
        if step < 1 or np.ndim(values) != 1:
            raise UsageError(
                f"signal of {chrom} with step {step} and values of shape "
                f"{np.shape(values)}: a step is 1 bp or more, values are "
                "one-dimensional"
            )
        end = first + step * len(values)
        if len(values) and (first <= -step or end - step >= chrom_sizes[chrom]):
            raise RegionError(
                f"bins of {chrom} from {first} to {end} lie outside of its "
                f"{chrom_sizes[chrom]} bp: check the chromosome sizes"
            )
        if numbers[chrom] > last_number:
            last_number, last_end = numbers[chrom], -(1 << 62)
        if numbers[chrom] < last_number or first < last_end:
            raise UsageError(
                f"signal of {chrom} from {first} is out of order: sort chromosomes as "
                "their sizes are, and signals of one by start, without overlap"
            )
        last_end = end
        for i in range(0, len(values), _BINS_AT_ONCE):
            # A copy: the caller may fill the same array again for the next signal.
            part = np.array(values[i : i + _BINS_AT_ONCE], dtype=np.float32)
            yield Signal(chrom, int(first) + i * int(step), int(step), part)


def _follows(signal: Signal, later: Signal) -> bool:
    """Whether the bins of a signal go on in those of another."""
    end = signal.start + signal.step * len(signal.values)
    return (signal.chrom, end, signal.step) == (later.chrom, later.start, later.step)


def _known_bins(
    signals: list[Signal],
    numbers: Mapping[str, int],
    chrom_sizes: Mapping[str, int],
    decimals: int | None,
) -> tuple[NDArray[np.uint32], NDArray[np.void]]:
    """Round values, cut bins at the ends of chromosomes, drop missing ones."""
    values = np.concatenate([signal.values for signal in signals])
    lengths = [len(signal.values) for signal in signals]
    firsts = np.cumsum([0, *lengths[:-1]])
    if np.isinf(values).any():
        which = np.searchsorted(firsts, np.flatnonzero(np.isinf(values))[0], "right")
        raise RunError(
            f"signal of {signals[which - 1].chrom} contains an infinite value, which "
            "readers of bigWig files cannot sum: scores must be finite, or NaN where "
            "missing"
        )
    columns = np.array(
        [(s.start, s.step, chrom_sizes[s.chrom], numbers[s.chrom]) for s in signals]
    ).T
    places = np.arange(len(values))
    if not all(starmap(_follows, pairwise(signals))):
        start, step, size, chrom = np.repeat(columns, lengths, axis=1)
        places -= np.repeat(firsts, lengths)
    else:  # parts of a long chromosome, all that matters for speed
        start, step, size, chrom = columns[:, 0]
    starts = start + step * places
    if decimals is not None:
        # Adding 0 turns -0 into 0.
        values = np.round(values.astype(np.float64), decimals).astype(np.float32) + 0
    chroms = np.empty(len(values), dtype=np.uint32)
    bins = np.empty(len(values), dtype=BIN)
    chroms[:] = chrom
    bins["start"] = np.maximum(starts, 0)
    bins["end"] = np.minimum(starts + step, size)
    bins["value"] = values
    is_known = ~np.isnan(values)
    if is_known.all():
        return chroms, bins
    return chroms[is_known], bins[is_known]
