"""What every predictor of a comparison is given: the same sites to train on and to score.

A predictor that is trained on few sequences draws them here, by the seed and the name of
the TF or pair. So two predictors of the same TF are trained on the same sites.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import Dataset, PairLists
from tfimpute_tracks.vocabulary import Pair

__all__ = ["Sample", "Task", "sample_rows"]

Ints = NDArray[np.int64]

_SITES_STREAM = 1287088817  # of random numbers that draw the sites to score


class Sample(NamedTuple):
    """Training sites of a TF or a pair.

    Parameters
    ----------
    rows : int64 array, shape (n,)
        Sites, bound ones first.
    bound : bool array, shape (n,)
    """

    rows: Ints
    bound: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Task:
    """Sites and pairs of a comparison.

    Parameters
    ----------
    dataset : Dataset
    train_rows : int64 array
        Sites to train on; ascending.
    test_rows : int64 array
        Sites to score; ascending.
    trained : int64 array
        Columns of the data set to train on.
    scored : int64 array
        Columns to score.
    seed : int
    n_sequences : int
        Training sequences of a TF or pair at most: half bound, half unbound.
    device : str
        A torch device, for the networks.
    """

    dataset: Dataset
    train_rows: Ints
    test_rows: Ints
    trained: Ints
    scored: Ints
    seed: int = 0
    n_sequences: int = 2000
    device: str = "cpu"

    def pair(self, column: int) -> Pair:
        """Look up the pair of a column.

        Parameters
        ----------
        column : int

        Returns
        -------
        Pair
        """
        return self.dataset.pairs[column]

    def cells_of(self, tf: str) -> Ints:
        """Find the trained pairs of a TF.

        Parameters
        ----------
        tf : str

        Returns
        -------
        int64 array
            Columns of the data set, ascending.
        """
        of_tf = [int(i) for i in self.trained if self.pair(i).tf == tf]
        return np.array(of_tf, dtype=np.int64)

    def random(self, name: str) -> np.random.Generator:
        """Make a random generator that depends on the seed and a name only.

        Parameters
        ----------
        name : str

        Returns
        -------
        numpy Generator
        """
        return np.random.default_rng((self.seed, zlib.crc32(name.encode())))

    def sample(self, columns: Ints, name: str) -> Sample:
        """Draw the training sequences of a TF or a pair.

        With several cell lines, a site is bound if it is in one of them, and unbound if
        it is in all; other sites are not used.

        Parameters
        ----------
        columns : int64 array
            Pairs whose labels are pooled.
        name : str
            The TF or the pair; it and the seed determine what is drawn.

        Returns
        -------
        Sample
            As many bound as unbound sites, `n_sequences` at most, drawn uniformly.
            Empty without bound or without unbound sites.
        """
        n = len(self.train_rows)
        bound, unbound = np.zeros(n, dtype=bool), np.ones(n, dtype=bool)
        for column in columns:
            bound[self._positive.of(column)] = True
            known = self._unbound_by_default.copy()
            known[self._ignored.of(column)] = False
            known[self._negative.of(column)] = True
            unbound &= known
        positive = np.flatnonzero(bound)
        negative = np.flatnonzero(unbound & ~bound)
        size = min(self.n_sequences // 2, len(positive), len(negative))
        random = self.random(name)
        chosen = np.concatenate(
            [
                np.sort(random.choice(c, size, replace=False))
                for c in (positive, negative)
            ]
        )
        return Sample(self.train_rows[chosen], np.arange(2 * size) < size)

    def n_bound(self, column: int) -> int:
        """Count the bound training sites of a pair.

        Parameters
        ----------
        column : int

        Returns
        -------
        int
        """
        return len(self._positive.of(column))

    @cached_property
    def shared(self) -> dict[str, Any]:
        """For predictors that share a network or a file within one comparison."""
        return {}

    @cached_property
    def _positive(self) -> _ByPair:
        return _by_pair(self.dataset.positive, self.train_rows)

    @cached_property
    def _unbound_by_default(self) -> NDArray[np.bool_]:
        """Training sites that are unbound in pairs that no list of the site contains."""
        if self.dataset.default_label is None:
            return np.ones(len(self.train_rows), dtype=np.bool_)
        unbound: NDArray[np.bool_] = self.dataset.default_label[self.train_rows] == 0
        return unbound

    @cached_property
    def _negative(self) -> _ByPair:
        if self.dataset.negative is None:
            nothing = np.empty(0, dtype=np.int64)
            return _ByPair(nothing.astype(np.uint16), nothing)
        return _by_pair(self.dataset.negative, self.train_rows)

    @cached_property
    def _ignored(self) -> _ByPair:
        return _by_pair(self.dataset.ignored, self.train_rows)


class _ByPair(NamedTuple):
    """Lists of sites per pair, made from lists of pairs per site."""

    pairs: NDArray[np.uint16]
    sites: Ints

    def of(self, column: int) -> Ints:
        first, last = np.searchsorted(self.pairs, [column, column + 1])
        return self.sites[first:last]


def _by_pair(lists: PairLists, rows: Ints) -> _ByPair:
    sites, pairs = lists.entries(rows)
    order = np.argsort(pairs, kind="stable")
    return _ByPair(pairs[order], sites[order])


def sample_rows(rows: Ints, n_sites: int, seed: int) -> Ints:
    """Draw sites to score, uniformly and independent of their labels.

    Parameters
    ----------
    rows : int64 array
    n_sites : int
        Sites at most; 0 for all.
    seed : int

    Returns
    -------
    int64 array
        Ascending.
    """
    if not n_sites or n_sites >= len(rows):
        return rows
    random = np.random.default_rng((seed, _SITES_STREAM))
    return np.sort(random.choice(rows, n_sites, replace=False))
