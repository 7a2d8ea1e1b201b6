"""What every predictor of a comparison is given: the same sites to learn and to score.

A predictor that learns from few sequences draws them here, by the seed and the name of
what it learns. So two predictors that learn the same TF learn it from the same sites.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import Dataset, PairLists
from tfimpute_tracks.vocabulary import Pair

__all__ = ["Sample", "Task", "sample_rows"]

Ints = NDArray[np.int64]


class Sample(NamedTuple):
    """Training sites of one unit, a TF or a pair.

    Parameters
    ----------
    rows : int64 array, shape (n,)
        Sites, the bound ones first.
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
        Sites that may teach; ascending.
    test_rows : int64 array
        Sites that are judged; ascending.
    trained : int64 array
        Columns of the data set whose labels may teach.
    judged : int64 array
        Columns that are judged.
    seed : int
    n_sequences : int
        Most training sequences of a unit: half bound, half not.
    device : str
        A torch device, for the networks.
    """

    dataset: Dataset
    train_rows: Ints
    test_rows: Ints
    trained: Ints
    judged: Ints
    seed: int = 0
    n_sequences: int = 2000
    device: str = "cpu"

    def pair(self, column: int) -> Pair:
        """Give a pair by its column.

        Parameters
        ----------
        column : int

        Returns
        -------
        Pair
        """
        return self.dataset.pairs[column]

    def cells_of(self, tf: str) -> Ints:
        """Give the trained pairs of a TF.

        Parameters
        ----------
        tf : str

        Returns
        -------
        int64 array
            Columns of the data set, ascending.
        """
        mine = [int(i) for i in self.trained if self.pair(i).tf == tf]
        return np.array(mine, dtype=np.int64)

    def random(self, name: str) -> np.random.Generator:
        """Give random numbers that the seed and a name fix.

        Parameters
        ----------
        name : str

        Returns
        -------
        numpy Generator
        """
        return np.random.default_rng((self.seed, zlib.crc32(name.encode())))

    def sample(self, columns: Ints, name: str) -> Sample:
        """Draw the training sequences of a unit.

        Of several cell lines, a site is bound if it is in one of them, unbound if it is
        in all; other sites teach nothing.

        Parameters
        ----------
        columns : int64 array
            Pairs whose labels are pooled.
        name : str
            What is learned, a TF or a pair; it and the seed fix what is drawn.

        Returns
        -------
        Sample
            As many bound as unbound sites, `n_sequences` at most; both uniformly drawn.
            Empty where a class has no site.
        """
        n = len(self.train_rows)
        bound, unbound = np.zeros(n, dtype=bool), np.ones(n, dtype=bool)
        for column in columns:
            bound[self._positive.of(column)] = True
            known = self._speaks.copy()
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
    def _positive(self) -> _ByPair:
        return _by_pair(self.dataset.positive, self.train_rows)

    @cached_property
    def _speaks(self) -> NDArray[np.bool_]:
        """Tell the training sites that are unbound where no list names the pair."""
        if self.dataset.default_label is None:
            return np.ones(len(self.train_rows), dtype=np.bool_)
        speaks: NDArray[np.bool_] = self.dataset.default_label[self.train_rows] == 0
        return speaks

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
    """The lists of pairs per site, turned into lists of sites per pair."""

    pairs: NDArray[np.uint16]
    places: Ints

    def of(self, column: int) -> Ints:
        first, last = np.searchsorted(self.pairs, [column, column + 1])
        return self.places[first:last]


def _by_pair(lists: PairLists, rows: Ints) -> _ByPair:
    places, pairs = lists.entries(rows)
    order = np.argsort(pairs, kind="stable")
    return _ByPair(pairs[order], places[order])


def sample_rows(rows: Ints, n_sites: int, seed: int) -> Ints:
    """Draw sites to judge on, uniformly, whatever is bound there.

    Parameters
    ----------
    rows : int64 array
    n_sites : int
        Most sites; 0 for all.
    seed : int

    Returns
    -------
    int64 array
        Ascending.
    """
    if not n_sites or n_sites >= len(rows):
        return rows
    random = np.random.default_rng((seed, zlib.crc32(b"judged sites")))
    return np.sort(random.choice(rows, n_sites, replace=False))
