"""From peaks to labels: which sites are positive, negative or ignored for a pair.

A site is positive when peaks cover enough of its middle, negative when no peak is near,
and ignored in between: a peak at the edge of a site is evidence for neither. Arrays in,
arrays out, one chromosome at a time; no files here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError

__all__ = [
    "CENTRAL_BP",
    "MARGIN_BP",
    "MIN_COVERED",
    "SITE_BP",
    "LabelRule",
    "SiteLabels",
    "label_sites",
]

SITE_BP = 200
"""Length of a site in bp: that of the DNase hypersensitive candidate sites."""
CENTRAL_BP = 150
"""Length in bp of the middle that peaks must cover: one tile of the uniform peaks."""
MIN_COVERED = 0.5
"""Minimum fraction of the middle that peaks cover at a positive site."""
MARGIN_BP = 100
"""Minimum distance of a negative site to every peak, in bp."""

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class LabelRule:
    """When a site is positive, negative or ignored.

    The rule uses the center of a site only, so that data sets with other sequence
    lengths over the same candidate sites have the same labels and their metrics compare.

    Parameters
    ----------
    site : int
        Length of a site around its center in bp, whatever the length of its sequence.
    central : int
        Length of the middle that is compared with peaks, in bp.
    min_covered : float
        Minimum fraction of the middle under peaks at a positive site, in (0, 1].
    margin : int
        A peak that reaches within this many bp of the site rules out a negative.

    Raises
    ------
    UsageError
        The middle is longer than the site, or a value is out of range.
    """

    site: int = SITE_BP
    central: int = CENTRAL_BP
    min_covered: float = MIN_COVERED
    margin: int = MARGIN_BP

    def __post_init__(self) -> None:
        sizes_fit = 0 < self.central <= self.site and self.margin >= 0
        if not (sizes_fit and 0 < self.min_covered <= 1):
            raise UsageError(
                f"{self} is invalid; use 0 < central <= site, margin >= 0 and "
                f"0 < min_covered <= 1"
            )


class SiteLabels(NamedTuple):
    """Labels of the sites of one chromosome for one pair; all others are negative.

    Parameters
    ----------
    positive, ignored : int64 arrays
        Ascending indices into the sites; no index is in both.
    """

    positive: Positions
    ignored: Positions


def label_sites(
    centers: Positions, starts: Positions, ends: Positions, rule: LabelRule
) -> SiteLabels:
    """Label the sites of one chromosome by the peaks of one pair.

    Parameters
    ----------
    centers : int64 array, shape (n_sites,)
        Ascending. A window of `length` bp around a center is
        [center - length // 2, center - length // 2 + length).
    starts, ends : int64 arrays, shape (n_peaks,)
        Peaks: 0-based half-open, ascending and disjoint, as
        :func:`~tfimpute_tracks.genome.bed.merge_intervals` leaves them.
    rule : LabelRule

    Returns
    -------
    SiteLabels

    Notes
    -----
    There are far fewer peaks than sites, so each peak looks up the sites near it, not
    each site its peaks. Peaks are disjoint, so their overlaps with a middle add up.
    """
    near = centers - rule.site // 2 - rule.margin
    first = np.searchsorted(near + rule.site + 2 * rule.margin, starts, side="right")
    last = np.searchsorted(near, ends, side="left")
    n_near = last - first  # sites near each peak
    site = np.arange(n_near.sum()) + np.repeat(first - n_near.cumsum() + n_near, n_near)

    middle = centers[site] - rule.central // 2
    begin = np.maximum(middle, np.repeat(starts, n_near))
    end = np.minimum(middle + rule.central, np.repeat(ends, n_near))
    covered = np.bincount(
        site, weights=np.maximum(end - begin, 0), minlength=len(centers)
    )
    is_near = np.zeros(len(centers), dtype=np.bool_)
    is_near[site] = True
    is_positive = covered >= rule.min_covered * rule.central
    return SiteLabels(
        np.flatnonzero(is_positive), np.flatnonzero(is_near & ~is_positive)
    )
