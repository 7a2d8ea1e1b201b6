"""How much of each stretch the peaks of each track cover, as sparse rows.

Each peak looks up the run of stretches that it meets, so the work is that of the
overlaps. Peaks are taken track by track: so a row's tracks come out in their order, and
two peaks of a track that meet one stretch come one after the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError

__all__ = ["Coverage", "cover_stretches"]

Ints = NDArray[np.int64]
Tracks = NDArray[np.uint16]


class Coverage(NamedTuple):
    """What tracks cover of stretches: one sparse row per stretch.

    Attributes
    ----------
    indptr : int64 array, shape (n + 1,)
        The entries of stretch i are those from indptr[i] to indptr[i + 1].
    track : uint16 array, shape (m,)
        Ascending within a stretch, none twice.
    share : float32 array, shape (m,)
        Part of the stretch that peaks of the track cover, above 0 up to 1.
    """

    indptr: Ints
    track: Tracks
    share: NDArray[np.float32]

    def of(self, kept: NDArray[np.bool_]) -> Coverage:
        """Leave out the entries of some tracks.

        Parameters
        ----------
        kept : bool array, shape (n_tracks,)

        Returns
        -------
        Coverage
            Tracks keep their numbers.
        """
        taken = kept[self.track]
        before = np.concatenate([[0], np.cumsum(taken)])
        return Coverage(before[self.indptr], self.track[taken], self.share[taken])


def cover_stretches(
    starts: Ints,
    ends: Ints,
    tracks: Tracks,
    longest: int,
    stretches: Ints,
    width: int,
) -> Coverage:
    """Find what peaks cover of stretches of one length.

    Parameters
    ----------
    starts, ends : int64 array, shape (n_peaks,)
        Peaks, 0-based half-open, by ascending start; those of a track are disjoint.
    tracks : uint16 array, shape (n_peaks,)
        Track of each peak.
    longest : int
        Length of the longest peak in bp, or more: how far before a stretch a peak that
        meets it may start.
    stretches : int64 array, shape (n,)
        Where the stretches start, ascending; they may overlap, and reach past the ends
        of a chromosome.
    width : int
        Of a stretch, in bp.

    Returns
    -------
    Coverage

    Raises
    ------
    UsageError
        The arrays of peaks differ in length, stretches do not ascend, or the width is
        below 1.
    """
    if not starts.shape == ends.shape == tracks.shape:
        raise UsageError(
            f"peaks of {starts.shape} starts, {ends.shape} ends and {tracks.shape} "
            "tracks: give one of each per peak"
        )
    if width < 1 or np.any(stretches[1:] < stretches[:-1]):
        raise UsageError(
            f"stretches of {width} bp: they are at least 1 bp long and sorted by start"
        )
    indptr = np.zeros(len(stretches) + 1, dtype=np.int64)
    if len(stretches):
        reach = [stretches[0] - longest, stretches[-1] + width]
        near = slice(*np.searchsorted(starts, reach))
        order = np.argsort(tracks[near], kind="stable")
        starts, ends = starts[near][order], ends[near][order]
        tracks = tracks[near][order]
        first = np.searchsorted(stretches, starts - width, side="right")
        last = np.searchsorted(stretches, ends, side="left")
        _count(tracks, first, last, np.full(len(stretches), -1, np.int32), indptr)
        np.cumsum(indptr, out=indptr)
    track = np.empty(indptr[-1], dtype=np.uint16)
    covered = np.zeros(indptr[-1], dtype=np.int64)
    if len(track):
        places = first, last, stretches, width
        _fill(starts, ends, tracks, *places, indptr, indptr[:-1].copy(), track, covered)
    return Coverage(indptr, track, (covered / width).astype(np.float32))


@njit(nogil=True, cache=True)
def _count(tracks, first, last, latest, counts):  # type: ignore[no-untyped-def]
    for peak in range(tracks.size):
        track = np.int32(tracks[peak])
        for i in range(first[peak], last[peak]):
            if latest[i] != track:
                latest[i] = track
                counts[i + 1] += 1


@njit(nogil=True, cache=True)
def _fill(  # type: ignore[no-untyped-def]
    starts, ends, tracks, first, last, stretches, width, begins, next_, track, covered
):
    for peak in range(tracks.size):
        for i in range(first[peak], last[peak]):
            entry = next_[i]
            if entry > begins[i] and track[entry - 1] == tracks[peak]:
                entry -= 1
            else:
                track[entry] = tracks[peak]
                next_[i] += 1
            low = max(starts[peak], stretches[i])
            covered[entry] += min(ends[peak], stretches[i] + width) - low
