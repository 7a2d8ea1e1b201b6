"""Which tracks overlap which intervals: the loops of :mod:`tfimpute_tracks.kernels.coverage`."""

from __future__ import annotations

import numpy as np

from tfimpute_tracks.kernels.jit import njit

__all__ = ["count_entries", "fill_entries", "fractions", "keep_narrowest"]


@njit(nogil=True, cache=True)
def count_entries(tracks, first, last, latest, counts):  # type: ignore[no-untyped-def]
    """Count the tracks with a peak in each interval.

    Parameters
    ----------
    tracks : uint16 array, shape (n_peaks,), ascending
    first, last : int64 array, shape (n_peaks,)
        Half-open ranges of the intervals that each peak overlaps.
    latest : int32 array, shape (n,)
        -1 at first.
    counts : int64 array, shape (n + 1,)
        Of interval i at i + 1; zeros at first.
    """
    for peak in range(tracks.size):
        track = np.int32(tracks[peak])
        for i in range(first[peak], last[peak]):
            if latest[i] != track:
                latest[i] = track
                counts[i + 1] += 1


@njit(nogil=True, cache=True)
def fill_entries(  # type: ignore[no-untyped-def]
    starts, ends, tracks, first, last, begins, sizes, indptr, next_, track, covered
):
    """Fill in the tracks of each interval, and the bases of its windows under peaks.

    Parameters
    ----------
    starts, ends, tracks, first, last : array, shape (n_peaks,)
        Peaks by track, as for :func:`count_entries`.
    begins : int64 array, shape (n_windows, n)
        Of the windows of each interval.
    sizes : int64 array, shape (n_windows,)
    indptr : int64 array, shape (n + 1,)
    next_ : int64 array, shape (n,)
        A copy of the first n items of `indptr`.
    track : uint16 array, shape (m,)
    covered : int32 array, shape (m, n_windows)
        Zeros at first.
    """
    for peak in range(tracks.size):
        for i in range(first[peak], last[peak]):
            entry = next_[i]
            if entry > indptr[i] and track[entry - 1] == tracks[peak]:
                entry -= 1
            else:
                track[entry] = tracks[peak]
                next_[i] += 1
            for window in range(sizes.size):
                begin = begins[window, i]
                low = max(starts[peak], begin)
                covered[entry, window] += max(
                    min(ends[peak], begin + sizes[window]) - low, 0
                )


@njit(nogil=True, cache=True)
def fractions(covered, sizes, out):  # type: ignore[no-untyped-def]
    """Divide the covered bases of windows by their sizes.

    Parameters
    ----------
    covered : int32 array, shape (m, n_windows)
    sizes : int64 array, shape (n_windows,)
    out : float32 array, shape (m, n_windows)
    """
    for window in range(sizes.size):
        size = np.float64(sizes[window])
        for entry in range(covered.shape[0]):
            out[entry, window] = np.float32(covered[entry, window] / size)


@njit(nogil=True, cache=True)
def keep_narrowest(indptr, track, fraction, new_indptr, new_track, new_fraction):  # type: ignore[no-untyped-def]
    """Keep the entries with a peak in the first window.

    Parameters
    ----------
    indptr, track, fraction
        Of :class:`~tfimpute_tracks.kernels.coverage.Coverage`, of several windows.
    new_indptr : int64 array, shape (n + 1,)
    new_track : uint16 array, shape (m,)
    new_fraction : float32 array, shape (m,)
        The first entries are filled in.

    Returns
    -------
    int
        Number of entries that are left.
    """
    count = 0
    new_indptr[0] = 0
    for i in range(indptr.size - 1):
        for entry in range(indptr[i], indptr[i + 1]):
            if fraction[entry, 0] > 0:
                new_track[count] = track[entry]
                new_fraction[count] = fraction[entry, 0]
                count += 1
        new_indptr[i + 1] = count
    return count
