"""Zoom levels: the same signal in ever fewer records.

A browser that draws a whole chromosome reads a zoom level instead of the data. A
record of it sums up the bins that start in one cell of a regular grid: how many bases
they cover, their lowest and highest value, the sum of the values and of their squares
over those bases. No bin is cut, so the sums of a level are those of the data.

Records are made while the data passes by and wait in temporary files: memory holds a
few thousand of them, however long the genome.

Source of the format: Kent et al. 2010, Bioinformatics 26:2204, supplement.
"""

from __future__ import annotations

from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.tracks.formats.blocks import Blocks

__all__ = [
    "BIN",
    "RECORD",
    "RECORDS_PER_BLOCK",
    "ZoomLevel",
    "as_records",
    "merge",
]

BIN = np.dtype([("start", "<u4"), ("end", "<u4"), ("value", "<f4")])
"""A bin: 0-based, half-open, in bp, and its value."""

RECORDS_PER_BLOCK = 512
"""The most records in a block of a zoom level."""

_PLACE = [("chrom", "<u4"), ("start", "<u4"), ("end", "<u4"), ("bases", "<u4")]
_RANGE = [("low", "<f4"), ("high", "<f4")]
RECORD = np.dtype([*_PLACE, *_RANGE, ("total", "<f8"), ("squares", "<f8")])
"""What is known of some bins: place, bases covered, range, sum and sum of squares."""

# Sums are added up in double precision and stored, as the format wants it, in single.
_STORED = np.dtype([*_PLACE, *_RANGE, ("total", "<f4"), ("squares", "<f4")])

Records = NDArray[np.void]


def as_records(
    chrom: NDArray[np.uint32], bins: NDArray[np.void], reduction: int
) -> Records:
    """Turn bins into records of those that start in the same cell.

    Parameters
    ----------
    chrom : uint32 array, shape (n,)
        Number of the chromosome of each bin, ascending.
    bins : array of BIN, shape (n,)
        Ascending, not overlapping.
    reduction : int
        Width of a cell in bp.

    Returns
    -------
    array of RECORD, shape (n_cells,)
        What :func:`merge` would make of a record for each bin.
    """
    from tfimpute_tracks.kernels.bins import sum_bins

    records = np.empty(len(bins), dtype=RECORD)
    return records[: sum_bins(chrom, bins, reduction, records)]


def merge(records: Records, reduction: int) -> Records:
    """Merge the records whose starts lie in the same cell of a grid.

    Parameters
    ----------
    records : array of RECORD, shape (n,)
        In the order of the genome.
    reduction : int
        Width of a cell in bp; 2**32 makes one record of each chromosome.

    Returns
    -------
    array of RECORD, shape (n_cells,)
    """
    from tfimpute_tracks.kernels.bins import sum_records

    merged = np.empty(len(records), dtype=RECORD)
    return merged[: sum_records(records, reduction, merged)]


class ZoomLevel:
    """One zoom level in the making.

    Parameters
    ----------
    reduction : int
        Width of its cells in bp.
    spool : binary file
        An empty file for the level's blocks, to be copied into place later.
    fan_out : int
        The most children of a node of the index.
    """

    def __init__(self, reduction: int, spool: IO[bytes], fan_out: int) -> None:
        self.reduction = reduction
        self.spool = spool
        self.blocks = Blocks(spool, fan_out)
        self.n_records = 0
        nothing = np.empty(0, dtype=RECORD)
        self._growing = nothing  # the last record: more bins may start in its cell
        self._whole = nothing  # records that do not fill a block yet

    def add(self, records: Records, is_last: bool = False) -> Records:
        """Add records of the next finer level.

        Parameters
        ----------
        records : array of RECORD, shape (n,)
            In the order of the genome, behind all that came before.
        is_last : bool
            Nothing will follow.

        Returns
        -------
        array of RECORD, shape (n_done,)
            The records of this level that are whole now; the next coarser level is
            made of them.
        """
        merged = merge(np.concatenate([self._growing, records]), self.reduction)
        n_done = len(merged) if is_last else max(len(merged) - 1, 0)
        done, self._growing = merged[:n_done], merged[n_done:]
        self.n_records += n_done
        self._store(done, is_last)
        return done

    def _store(self, done: Records, is_last: bool) -> None:
        whole = np.concatenate([self._whole, done])
        n_full = len(whole) - (0 if is_last else len(whole) % RECORDS_PER_BLOCK)
        for first in range(0, n_full, RECORDS_PER_BLOCK):
            block = whole[first : first + RECORDS_PER_BLOCK]
            self.blocks.add(_place(block), [_in_single(block).tobytes()])
        self._whole = whole[n_full:]


def _in_single(records: Records) -> NDArray[Any]:
    """Store sums in single precision, and no variance below 0: readers take its root.

    Where all values are equal, rounding could leave squares too small for their sum.
    """
    stored: NDArray[Any] = records.astype(_STORED)
    totals = stored["total"].astype(np.float64)
    least = totals * totals / stored["bases"]
    low = stored["squares"] < least
    above = np.nextafter(least[low].astype(np.float32), np.float32(np.inf))
    stored["squares"][low] = above
    return stored


def _place(records: Records) -> NDArray[np.uint32]:
    """Return what a block of records covers, for its index."""
    ends = records[[0, -1]]
    return np.stack([ends["chrom"], [ends["start"][0], ends["end"][1]]], 1).reshape(
        1, 4
    )
