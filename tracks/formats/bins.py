"""What every file of signal is made of: bins that have a value.

Signals are checked and gathered into arrays of handy size; missing values fall out, and
bins that reach beyond a chromosome are cut. Each format writes the bins in its own way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import RegionError, RunError, UsageError
from tfimpute_tracks.genome.signal import Signal, SignalPack
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
    chrom_sizes: Mapping[str, int],
    signals: Iterable[Signal | SignalPack],
    decimals: int | None,
) -> Iterator[Batch]:
    """Gather signals into arrays of handy size, without the missing bins.

    Parameters
    ----------
    chrom_sizes : mapping of str to int
        Chromosome -> bp, in the order of the file.
    signals : iterable of Signal or SignalPack
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
    sizes = _Sizes(chrom_sizes)
    waiting: list[_Pack] = []
    n_bins = 0
    for pack in _checked(sizes, signals):
        waiting.append(pack)
        n_bins += len(pack.values)
        if n_bins >= _BINS_AT_ONCE:
            yield from _known_bins(waiting, sizes, decimals)
            waiting, n_bins = [], 0
    if waiting:
        yield from _known_bins(waiting, sizes, decimals)


class _Sizes:
    """Chromosomes and their sizes as arrays."""

    def __init__(self, chrom_sizes: Mapping[str, int]) -> None:
        self.names = [*chrom_sizes]
        self.numbers = {chrom: i for i, chrom in enumerate(self.names)}
        self.bp = np.array([*chrom_sizes.values()], dtype=np.int64)


class _Pack(NamedTuple):
    """A pack of signals by the numbers of their chromosomes."""

    chroms: NDArray[np.int64]
    starts: NDArray[np.int64]
    step: int
    lengths: NDArray[np.int64]
    values: NDArray[np.float32]

    @property
    def ends(self) -> NDArray[np.int64]:
        return self.starts + self.step * self.lengths


def _checked(sizes: _Sizes, signals: Iterable[Signal | SignalPack]) -> Iterator[_Pack]:
    """Yield packs, a long signal in parts, once they are known to be in order."""
    last_chrom, last_end = 0, -(1 << 62)
    for names, starts, step, lengths, values in (item.packed() for item in signals):
        chroms = np.array([sizes.numbers.get(name, -1) for name in names])
        if chroms.min() < 0:
            raise RegionError(
                f"chromosome {names[chroms.argmin()]} is not among the "
                f"{len(sizes.names)} of the file: add its size"
            )
        if step < 1 or np.ndim(values) != 1:
            raise UsageError(
                f"signal of {names[0]} with step {step} and values of shape "
                f"{np.shape(values)}: a step is 1 bp or more, values are "
                "one-dimensional"
            )
        # A copy: the caller may fill the same array again for the next signal.
        copied = np.array(values, dtype=np.float32)
        pack = _Pack(chroms, starts, step, lengths, copied)
        ends, size = pack.ends, sizes.bp[chroms]
        outside = (lengths > 0) & ((starts <= -step) | (ends - step >= size))
        if outside.any():
            i = outside.argmax()
            raise RegionError(
                f"bins of {names[i]} from {starts[i]} to {ends[i]} lie outside of its "
                f"{size[i]} bp: check the chromosome sizes"
            )
        before = np.append(last_chrom, chroms[:-1])
        end_before = np.append(last_end, ends[:-1])
        late = (chroms < before) | ((chroms == before) & (starts < end_before))
        if late.any():
            i = late.argmax()
            raise UsageError(
                f"signal of {names[i]} from {starts[i]} is out of order: sort "
                "chromosomes as their sizes are, and signals of one by start, without "
                "overlap"
            )
        last_chrom, last_end = int(chroms[-1]), int(ends[-1])
        yield from _parts(pack)


def _parts(pack: _Pack) -> Iterator[_Pack]:
    """Cut a long signal."""
    if len(pack.chroms) > 1 or len(pack.values) <= _BINS_AT_ONCE:
        yield pack
        return
    for i in range(0, len(pack.values), _BINS_AT_ONCE):
        part = pack.values[i : i + _BINS_AT_ONCE]
        starts, length = pack.starts + i * pack.step, np.array([len(part)])
        yield pack._replace(starts=starts, lengths=length, values=part)


def _known_bins(
    packs: list[_Pack], sizes: _Sizes, decimals: int | None
) -> Iterator[Batch]:
    """Round values, cut bins at the ends of chromosomes, drop missing ones."""
    # Numba takes a third of a second to import: only where tracks are written.
    from tfimpute_tracks.kernels.bins import fill_bins

    values = np.concatenate([pack.values for pack in packs])
    lengths = np.concatenate([pack.lengths for pack in packs])
    chroms = np.concatenate([pack.chroms for pack in packs])
    starts = np.concatenate([pack.starts for pack in packs])
    steps = np.repeat([pack.step for pack in packs], [len(p.chroms) for p in packs])
    rows = np.stack([chroms, starts, steps, lengths, sizes.bp[chroms]])
    numbers = np.empty(len(values), dtype=np.uint32)
    bins = np.empty(len(values), dtype=BIN)
    scale = 0.0 if decimals is None else 10.0**decimals
    n = fill_bins(values, rows, scale, numbers, bins)
    if n < 0:
        raise RunError(
            f"signal of {sizes.names[chroms[-1 - n]]} contains an infinite value, "
            "which readers of bigWig files cannot sum: scores must be finite, or NaN "
            "where missing"
        )
    if n:
        yield Batch(sizes.names, numbers[:n], bins[:n])
