"""Instances of single pairs brought together into sites.

A window about a summit of one pair says nothing of another pair, unless that one names
the same place. So sites made here have the default label unknown, and lists that say
for which pairs they are positive and negative; sites of a background stay negative for
all pairs that they do not name.
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

__all__ = ["BackgroundSites", "LabeledSites", "assemble", "fill_shuffled"]

Ints = NDArray[np.int64]

# A site is known by one number: chromosome, center, whether shuffled, fold.
_CHROM, _CENTER, _SHUFFLED = 40, 3, 4


class BackgroundSites(NamedTuple):
    """Sites that say something of every pair, and their labels.

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
        A place may stand several times: shuffled or not, and once per fold.
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

    def take(self, rows: Ints) -> LabeledSites:
        """Give some of the sites.

        Parameters
        ----------
        rows : int64 array, shape (m,), ascending

        Returns
        -------
        Assembled
        """
        lists = (self.positive, self.negative, self.ignored)
        return LabeledSites(
            Sites(self.sites.chrom_id[rows], self.sites.center[rows]),
            self.shuffled[rows],
            self.fold[rows],
            self.default_label[rows],
            *(x.take(rows) for x in lists),
        )


def assemble(
    positive: PairSites,
    negative: PairSites | None,
    twins: bool,
    background: BackgroundSites | None,
) -> LabeledSites:
    """Bring instances together: every place once, with all that is said of it.

    Parameters
    ----------
    positive : Instances
    negative : Instances or None
        A pair that names a place positive and negative finds it positive.
    twins : bool
        Give each positive site a shuffled twin that is negative for the same pairs.
    background : LabelledSites or None

    Returns
    -------
    Assembled
    """
    of_positive = _keys(positive.chrom_id, positive.center, positive.fold)
    of_negative = np.empty(0, dtype=np.int64)
    of_background = np.empty(0, dtype=np.int64)
    negative_pair = of_negative
    if twins:
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
        places, pairs = background.named.entries(np.arange(len(of_background)))
        near = _entries(keys, of_background[places], pairs)
        ignored = np.setdiff1d(near, bound)
    return LabeledSites(
        Sites(
            (keys >> _CHROM).astype(np.int32),
            (keys >> _CENTER) & ((1 << (_CHROM - _CENTER)) - 1),
        ),
        (keys & _SHUFFLED) > 0,
        (keys & (_SHUFFLED - 1)).astype(np.uint8),
        default_label,
        *(PairLists.of(x >> 16, x & 0xFFFF, n) for x in (bound, unbound, ignored)),
    )


def fill_shuffled(
    assembled: LabeledSites,
    codes: NDArray[np.uint8],
    chroms: tuple[str, ...],
    seed: int,
) -> NDArray[np.bool_]:
    """Shuffle the sequences of twins, in place.

    Parameters
    ----------
    assembled : Assembled
    codes : uint8 array, shape (n, L), values 0..4
        The sequence of each site's place; that of a twin is replaced.
    chroms : tuple of str
        Names of the chromosomes: a twin depends on the seed, its place and its
        sequence, and on nothing else that is in the data set.
    seed : int

    Returns
    -------
    bool array, shape (n,)
        The twins that came out as they went in, which are no negatives.
    """
    twins = np.flatnonzero(assembled.shuffled)
    names = np.array([zlib.crc32(name.encode()) for name in chroms], dtype=np.uint64)
    seeds = names[assembled.sites.chrom_id[twins]] << np.uint64(32)
    seeds ^= assembled.sites.center[twins].astype(np.uint64)
    seeds += np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    shuffled = shuffle_dinucleotides(codes[twins], seeds)
    unchanged = np.zeros(len(codes), dtype=np.bool_)
    unchanged[twins] = (shuffled == codes[twins]).all(axis=1)
    codes[twins] = shuffled
    return unchanged


def _keys(chrom_id: NDArray[Any], center: Ints, fold: NDArray[Any]) -> Ints:
    places = (chrom_id.astype(np.int64) << _CHROM) | (center << _CENTER)
    return places | fold.astype(np.int64)


def _entries(keys: Ints, wanted: Ints, pair: NDArray[Any]) -> Ints:
    rows = np.searchsorted(keys, wanted)
    return np.unique((rows << 16) | pair.astype(np.int64))
