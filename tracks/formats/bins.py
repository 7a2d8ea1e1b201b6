"""From pieces of signal to bins with a value: what every file of signal is made of.

Signals are checked, cut to a handy length and gathered; what is missing falls out, and
what reaches beyond a chromosome is cut. How bins are written is each format's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import RegionError, RunError, UsageError
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.tracks.formats.zoom import BIN

__all__ = ["Batch", "gather_bins"]

_BINS_AT_ONCE = 1 << 16


class Batch(NamedTuple):
    """Bins of one chromosome.

    Attributes
    ----------
    chrom : str
    number : int
        Of the chromosome, in the order of the sizes.
    bins : array of BIN, shape (n,)
        Ascending, not overlapping, each with a value.
    """

    chrom: str
    number: int
    bins: NDArray[np.void]


def gather_bins(
    chrom_sizes: Mapping[str, int], signals: Iterable[Signal], decimals: int | None
) -> Iterator[Batch]:
    """Gather pieces into arrays of a handy size, without the missing bins.

    Parameters
    ----------
    chrom_sizes : mapping of str to int
        Chromosome -> bp, in the order of the file.
    signals : iterable of (chrom, start, width, values)
        Value i is that of [start + i * width, start + (i + 1) * width), 0-based, cut at
        the ends of its chromosome; NaN where there is none.
    decimals : int, optional
        To round to.

    Yields
    ------
    Batch
        Of one chromosome, never empty.

    Raises
    ------
    RegionError
        A chromosome has no size, or bins lie outside of it.
    UsageError
        Signals overlap or are out of order, or have no width.
    RunError
        A value is infinite.
    """
    numbers = {chrom: i for i, chrom in enumerate(chrom_sizes)}
    waiting: list[Signal] = []
    n_bins = 0
    for piece in chain(_checked(chrom_sizes, signals), [None]):
        is_full = n_bins >= _BINS_AT_ONCE
        if waiting and (piece is None or is_full or piece[0] != waiting[0][0]):
            chrom = waiting[0][0]
            bins = _known_bins(waiting, chrom_sizes[chrom], decimals)
            if len(bins):
                yield Batch(chrom, numbers[chrom], bins)
            waiting, n_bins = [], 0
        if piece is not None:
            waiting.append(piece)
            n_bins += len(piece[3])


def _checked(
    chrom_sizes: Mapping[str, int], signals: Iterable[Signal]
) -> Iterator[Signal]:
    """Yield the pieces, cut to a handy length, once they are known to be in order."""
    numbers = {chrom: i for i, chrom in enumerate(chrom_sizes)}
    last_number, last_end = 0, -(1 << 62)
    for chrom, first, step, values in signals:
        if chrom not in numbers:
            raise RegionError(
                f"chromosome {chrom} is not among the {len(numbers)} of the bigWig: "
                "give its size too"
            )
        if step < 1 or np.ndim(values) != 1:
            raise UsageError(
                f"signal of {chrom} with step {step} and values of shape "
                f"{np.shape(values)}: a step is at least 1 bp, values are in one row"
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
                f"signal of {chrom} from {first} comes after what it should come "
                "before: give chromosomes in the order of their sizes, and the pieces "
                "of one sorted by start, without overlap"
            )
        last_end = end
        for i in range(0, len(values), _BINS_AT_ONCE):
            # A copy: the caller may fill the same array again for the next piece.
            part = np.array(values[i : i + _BINS_AT_ONCE], dtype=np.float32)
            yield Signal(chrom, int(first) + i * int(step), int(step), part)


def _known_bins(
    pieces: list[Signal], size: int, decimals: int | None
) -> NDArray[np.void]:
    """Lay pieces of one chromosome out as an array of BIN, rounded."""
    values = np.concatenate([piece[3] for piece in pieces])
    if np.isinf(values).any():
        raise RunError(
            f"signal of {pieces[0][0]} holds an infinite value, which would poison the "
            "bigWig: scores must be finite, or NaN where there is none"
        )
    lengths = [len(piece[3]) for piece in pieces]
    steps = np.repeat([step for _, _, step, _ in pieces], lengths)
    starts = np.concatenate(
        [first + step * np.arange(len(part)) for _, first, step, part in pieces]
    )
    if decimals is not None:
        # Adding 0 turns -0 into 0.
        values = np.round(values.astype(np.float64), decimals).astype(np.float32) + 0
    bins = np.empty(len(values), dtype=BIN)
    bins["start"] = np.maximum(starts, 0)
    bins["end"] = np.minimum(starts + steps, size)
    bins["value"] = values
    known: NDArray[np.void] = bins[~np.isnan(values)]
    return known
