"""Coverage of intervals by the peaks of tracks, as sparse rows.

Each peak finds the intervals that it overlaps by binary search, so the work grows with
the number of overlaps. Peaks are visited track by track: tracks are therefore in
ascending order within a row, and two peaks of a track that overlap the same interval
follow each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError, listed

__all__ = ["Coverage", "window_coverage"]

Ints = NDArray[np.int64]
Tracks = NDArray[np.uint16]


class Coverage(NamedTuple):
    """Coverage of intervals by tracks: one sparse row per interval (CSR).

    Attributes
    ----------
    indptr : int64 array, shape (n + 1,)
        Interval i has the entries indptr[i] to indptr[i + 1].
    track : uint16 array, shape (m,)
        Index of the track; ascending and unique within an interval.
    fraction : float32 array, shape (m,) or (m, n_windows)
        Fraction of the interval under peaks of the track, above 0 and up to 1; or of
        several intervals around the same center, of which the last is above 0.
    """

    indptr: Ints
    track: Tracks
    fraction: NDArray[np.float32]

    def of(self, kept: NDArray[np.bool_]) -> Coverage:
        """Remove the entries of some tracks.

        Parameters
        ----------
        kept : bool array, shape (n_tracks,)

        Returns
        -------
        Coverage
            Indices of the tracks are unchanged.
        """
        return self.take(kept[self.track])

    def rows(self, part: slice) -> Coverage:
        """Take consecutive intervals.

        Parameters
        ----------
        part : slice

        Returns
        -------
        Coverage
        """
        first = min(part.start, len(self.indptr) - 1)
        indptr = self.indptr[first : part.stop + 1]
        entries = slice(indptr[0], indptr[-1])
        return Coverage(indptr - indptr[0], self.track[entries], self.fraction[entries])

    def take(self, taken: NDArray[np.bool_]) -> Coverage:
        """Remove some entries.

        Parameters
        ----------
        taken : bool array, shape (m,)
            The others.

        Returns
        -------
        Coverage
        """
        before = np.concatenate([[0], np.cumsum(taken)])
        return Coverage(before[self.indptr], self.track[taken], self.fraction[taken])

    def narrowest(self) -> Coverage:
        """Keep the first of several windows: the entries that have a peak in it.

        Returns
        -------
        Coverage
            Fractions of shape (m,).
        """
        from tfimpute_tracks.kernels.overlaps import keep_narrowest

        shape = len(self.track)
        indptr, track = np.empty_like(self.indptr), np.empty(shape, np.uint16)
        fraction = np.empty(shape, np.float32)
        n = keep_narrowest(*self, indptr, track, fraction)
        return Coverage(indptr, track[:n], fraction[:n])


def window_coverage(
    starts: Ints,
    ends: Ints,
    tracks: Tracks,
    longest: int,
    centers: Ints,
    widths: Sequence[int],
) -> Coverage:
    """Compute the coverage of windows around the same centers by peaks.

    Parameters
    ----------
    starts, ends : int64 array, shape (n_peaks,)
        Peaks, 0-based half-open, by ascending start; peaks of one track are disjoint.
    tracks : uint16 array, shape (n_peaks,)
        Track of each peak.
    longest : int
        At least the length of the longest peak in bp: a peak that overlaps a window
        starts at most so far before it.
    centers : int64 array, shape (n,)
        Ascending; a window of an even width has as many bases before its center as
        from it on, one of an odd width has one less before.
    widths : sequence of int
        In bp, ascending.

    Returns
    -------
    Coverage
        Entries of the tracks with a peak in the widest window; fractions of shape
        (m, n_widths).

    Raises
    ------
    UsageError
        The peak arrays differ in length, the centers or widths are not sorted, or a
        width is below 1.
    """
    if not starts.shape == ends.shape == tracks.shape:
        raise UsageError(
            f"peaks with {starts.shape} starts, {ends.shape} ends and {tracks.shape} "
            "tracks: use one of each per peak"
        )
    sizes = np.array(widths, dtype=np.int64)
    is_sorted = (np.diff(sizes) >= 0).all() and not np.any(centers[1:] < centers[:-1])
    if sizes[0] < 1 or not is_sorted:
        raise UsageError(
            f"intervals of {listed(widths)} bp: use a width of at least 1 bp, and sort by start"
        )
    # Numba takes a third of a second to import: only where tracks are computed.
    from tfimpute_tracks.kernels.overlaps import (
        count_entries,
        fill_entries,
        fractions,
    )

    before = sizes // 2
    indptr = np.zeros(len(centers) + 1, dtype=np.int64)
    if len(centers):
        # Of the widest windows.
        begins = centers - before[-1]
        bounds = [begins[0] - longest, begins[-1] + sizes[-1]]
        near = slice(*np.searchsorted(starts, bounds))
        starts, ends, tracks = starts[near], ends[near], tracks[near]
        # Searched in the order of the starts, which takes a third of the time.
        first = np.searchsorted(begins, starts - sizes[-1], side="right")
        last = np.searchsorted(begins, ends, side="left")
        order = np.argsort(tracks, kind="stable")
        starts, ends, tracks = starts[order], ends[order], tracks[order]
        first, last = first[order], last[order]
        count_entries(tracks, first, last, np.full(len(centers), -1, np.int32), indptr)
        np.cumsum(indptr, out=indptr)
    track = np.empty(indptr[-1], dtype=np.uint16)
    covered = np.zeros((indptr[-1], len(sizes)), dtype=np.int32)
    if len(track):
        where = first, last, centers - before[:, None], sizes
        fill_entries(
            starts, ends, tracks, *where, indptr, indptr[:-1].copy(), track, covered
        )
    fraction = np.empty(covered.shape, dtype=np.float32)
    fractions(covered, sizes, fraction)
    return Coverage(indptr, track, fraction)
