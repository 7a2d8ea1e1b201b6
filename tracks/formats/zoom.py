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

__all__ = ["BIN", "RECORD", "RECORDS_PER_BLOCK", "ZoomLevel", "ZoomLevels"]

BIN = np.dtype([("start", "<u4"), ("end", "<u4"), ("value", "<f4")])
"""A bin: 0-based, half-open, in bp, and its value."""

RECORDS_PER_BLOCK = 512
"""The most records in a block of a zoom level."""

_CAPACITY = 8 * RECORDS_PER_BLOCK  # of a level, in records
_WHOLE = 1 << 32  # bp: more than the longest chromosome

_PLACE = [("chrom", "<u4"), ("start", "<u4"), ("end", "<u4"), ("bases", "<u4")]
_RANGE = [("low", "<f4"), ("high", "<f4")]
RECORD = np.dtype([*_PLACE, *_RANGE, ("total", "<f8"), ("squares", "<f8")])
"""What is known of some bins: place, bases covered, range, sum and sum of squares."""

# Sums are added up in double precision and stored, as the format wants it, in single.
_STORED = np.dtype([*_PLACE, *_RANGE, ("total", "<f4"), ("squares", "<f4")])

Records = NDArray[np.void]


class ZoomLevel:
    """One zoom level in the making.

    Parameters
    ----------
    width : int
        Of its cells, in bp.
    spool : binary file
        An empty file for the level's blocks, to be copied into place later.
    fan_out : int
        The most children of a node of the index.
    """

    def __init__(self, width: int, spool: IO[bytes], fan_out: int) -> None:
        self.width = width
        self.spool = spool
        self.blocks = Blocks(spool, fan_out)
        self.n_records = 0

    def store(self, records: Records) -> None:
        """Store records, behind all that came before.

        Parameters
        ----------
        records : array of RECORD, shape (n,)
            They fill blocks, apart from the last records of all.
        """
        self.n_records += len(records)
        firsts = np.arange(0, len(records), RECORDS_PER_BLOCK)
        lasts = np.append(firsts[1:], len(records)) - 1
        columns = (
            ("chrom", firsts),
            ("start", firsts),
            ("chrom", lasts),
            ("end", lasts),
        )
        places = np.stack([records[name][rows] for name, rows in columns], axis=1)
        packed, size = _in_single(records).tobytes(), _STORED.itemsize
        parts = zip(firsts.tolist(), (lasts + 1).tolist(), strict=True)
        self.blocks.add(places, [packed[i * size : j * size] for i, j in parts])


class ZoomLevels:
    """All zoom levels of a file in the making, and the sums of its chromosomes.

    Parameters
    ----------
    levels : list of ZoomLevel
        From fine to coarse.
    """

    def __init__(self, levels: list[ZoomLevel]) -> None:
        self.levels = levels
        self._sums: list[Records] = []
        widths = [*(level.width for level in levels), _WHOLE]
        n = len(widths)
        # As the kernels take them: the last level is of whole chromosomes.
        self._arrays = (
            np.array(widths, dtype=np.int64),
            _CAPACITY * np.arange(n + 1, dtype=np.int64),
            np.zeros(n, dtype=np.int64),
            np.zeros(n, dtype=np.int64),
            np.empty(_CAPACITY * n, dtype=RECORD),
        )

    def add(self, chroms: NDArray[np.uint32], bins: NDArray[np.void]) -> None:
        """Add bins, behind all that came before.

        Parameters
        ----------
        chroms : uint32 array, shape (n,), ascending
            Number of the chromosome of each bin.
        bins : array of BIN, shape (n,)
        """
        from tfimpute_tracks.kernels.bins import sum_bins

        n_done = 0
        while n_done < len(bins):
            n_done = sum_bins(chroms, bins, n_done, *self._arrays)
            self._store()

    def finish(self) -> Records:
        """Store what is left.

        Returns
        -------
        array of RECORD, shape (n,)
            The sum of each chromosome that has a bin.
        """
        from tfimpute_tracks.kernels.bins import end_sums

        end_sums(*self._arrays)
        self._store(is_last=True)
        return np.concatenate([np.empty(0, dtype=RECORD), *self._sums])

    def _store(self, is_last: bool = False) -> None:
        """Store the records that are whole, in full blocks."""
        _, firsts, counts, _, records = self._arrays
        stores = [*(level.store for level in self.levels), self._sums.append]
        for i, store in enumerate(stores):
            own = records[firsts[i] : firsts[i] + counts[i]]
            n_full = max(len(own) - 1, 0) // RECORDS_PER_BLOCK * RECORDS_PER_BLOCK
            n = len(own) if is_last else n_full
            if n:
                store(own[:n].copy())
                own[: len(own) - n] = own[n:].copy()
                counts[i] -= n


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
