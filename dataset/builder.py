"""Sites of single pairs combined into the sites of a data set.

A window around a summit of one pair has no label for another pair, unless that pair
names the same position. So the default label of such a site is unknown, and lists hold
the pairs that it is positive and negative for. Candidate sites stay negative for all
pairs that they do not name.
"""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset.dataset import UNKNOWN, PairLists
from tfimpute_tracks.dataset.sites import Sites
from tfimpute_tracks.dataset.summits import PairSites
from tfimpute_tracks.kernels.shuffles import shuffle_dinucleotides

__all__ = ["LabeledSites", "NegativeSites", "combine_sites", "shuffle_copies"]

Ints = NDArray[np.int64]

# A site is identified by one number: chromosome, center, whether shuffled, fold.
_CHROM, _CENTER, _SHUFFLED = 40, 3, 4


class NegativeSites(NamedTuple):
    """Sites that are negative for every pair that they do not name.

    Parameters
    ----------
    sites : Sites
    fold : int64 array, shape (n,)
    named : PairLists
        The pairs a site is not negative for.
    """

    sites: Sites
    fold: Ints
    named: PairLists


class LabeledSites(NamedTuple):
    """Sites in the order of the file, with their labels.

    Parameters
    ----------
    sites : Sites
        A position may occur several times: shuffled or not, and once per fold.
    shuffled : bool array, shape (n,)
    fold : uint8 array, shape (n,)
    default_label : int8 array, shape (n,)
    positive, negative, ignored : PairLists
    """

    sites: Sites
    shuffled: NDArray[np.bool_]
    fold: NDArray[np.uint8]
    default_label: NDArray[np.int8]
    positive: PairLists
    negative: PairLists
    ignored: PairLists

    def keep(self, chosen: NDArray[np.bool_]) -> LabeledSites:
        """Select some of the sites.

        Parameters
        ----------
        chosen : bool array, shape (n,)

        Returns
        -------
        LabeledSites
        """
        rows = np.flatnonzero(chosen)
        lists = (self.positive, self.negative, self.ignored)
        return LabeledSites(
            self.sites.keep(chosen),
            self.shuffled[chosen],
            self.fold[chosen],
            self.default_label[chosen],
            *(x.subset(rows) for x in lists),
        )


def combine_sites(
    positive: PairSites,
    negative: PairSites | None,
    shuffled: bool,
    background: NegativeSites | None,
) -> LabeledSites:
    """Combine the sites of all pairs: every position once, with all its labels.

    Parameters
    ----------
    positive : PairSites
    negative : PairSites or None
        Where a pair names a position as positive and negative, it is positive.
    shuffled : bool
        Give each positive site a shuffled copy that is negative for the same pairs.
    background : NegativeSites or None

    Returns
    -------
    LabeledSites
    """
    of_positive = _keys(positive.chrom_id, positive.center, positive.fold)
    of_negative = np.empty(0, dtype=np.int64)
    of_background = np.empty(0, dtype=np.int64)
    negative_pair = of_negative
    if shuffled:
        of_negative, negative_pair = of_positive | _SHUFFLED, positive.pair
    elif negative is not None:
        of_negative = _keys(negative.chrom_id, negative.center, negative.fold)
        negative_pair = negative.pair
    if background is not None:
        of_background = _keys(*background.sites, background.fold)
    keys = np.unique(np.concatenate([of_positive, of_negative, of_background]))
    n = len(keys)
    default_label = np.full(n, UNKNOWN, dtype=np.int8)
    default_label[np.searchsorted(keys, of_background)] = 0

    bound = _entries(keys, of_positive, positive.pair)
    unbound = np.setdiff1d(_entries(keys, of_negative, negative_pair), bound)
    ignored = np.empty(0, dtype=np.int64)
    if background is not None:
        index, pairs = background.named.entries(np.arange(len(of_background)))
        near = _entries(keys, of_background[index], pairs)
        ignored = np.setdiff1d(near, bound)
    labels = (bound, unbound, ignored)
    return LabeledSites(
        Sites(
            (keys >> _CHROM).astype(np.int32),
            (keys >> _CENTER) & ((1 << (_CHROM - _CENTER)) - 1),
        ),
        (keys & _SHUFFLED) > 0,
        (keys & (_SHUFFLED - 1)).astype(np.uint8),
        default_label,
        *(PairLists.from_entries(x >> 16, x & 0xFFFF, n) for x in labels),
    )


def shuffle_copies(
    labeled: LabeledSites,
    codes: NDArray[np.uint8],
    chroms: tuple[str, ...],
    seed: int,
) -> NDArray[np.bool_]:
    """Shuffle the sequences of shuffled copies, in place.

    Parameters
    ----------
    labeled : LabeledSites
    codes : uint8 array, shape (n, L), values 0..4
        The sequence at each site's position; those of shuffled copies are replaced.
    chroms : tuple of str
        Names of the chromosomes: a copy depends on the seed, its position and its
        sequence, and on nothing else in the data set.
    seed : int

    Returns
    -------
    bool array, shape (n,)
        The copies that are equal to their original, which are no negatives.
    """
    copies = np.flatnonzero(labeled.shuffled)
    names = np.array([zlib.crc32(name.encode()) for name in chroms], dtype=np.uint64)
    seeds = names[labeled.sites.chrom_id[copies]] << np.uint64(32)
    seeds ^= labeled.sites.center[copies].astype(np.uint64)
    seeds += np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    shuffled = shuffle_dinucleotides(codes[copies], seeds)
    unchanged = np.zeros(len(codes), dtype=np.bool_)
    unchanged[copies] = (shuffled == codes[copies]).all(axis=1)
    codes[copies] = shuffled
    return unchanged


def _keys(chrom_id: NDArray[Any], center: Ints, fold: NDArray[Any]) -> Ints:
    positions = (chrom_id.astype(np.int64) << _CHROM) | (center << _CENTER)
    return positions | fold.astype(np.int64)


def _entries(keys: Ints, wanted: Ints, pair: NDArray[Any]) -> Ints:
    rows = np.searchsorted(keys, wanted)
    return np.unique((rows << 16) | pair.astype(np.int64))
