"""The slow twin of kernels/coverage.py: each stretch, each track, base by base."""

from __future__ import annotations


def cover(peaks, stretches, width):
    """Give per stretch the list of (track, share); peaks are (start, end, track)."""
    tracks = sorted({track for _, _, track in peaks})
    rows = []
    for low in stretches:
        row = []
        for track in tracks:
            own = [(start, end) for start, end, named in peaks if named == track]
            bases = range(low, low + width)
            n = sum(any(start <= base < end for start, end in own) for base in bases)
            if n:
                row.append((track, n / width))
        rows.append(row)
    return rows
