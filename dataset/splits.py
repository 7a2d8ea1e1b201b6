"""Who trains, who validates, who tests, and in which order a training run reads sites.

Sites are split by chromosome, by chance (the paper's ValidSet1 and TestSet1) or by the
folds that they were made with, and pairs by role. A fair figure for imputation is a
held-out pair on a held-out chromosome: with the same loci in train and test, a model
scores by remembering how busy a site is. ``leakage`` tells what a split lets through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset.dataset import FOLDS, Dataset
from tfimpute_tracks.dataset.pairs_table import ROLES
from tfimpute_tracks.errors import RegionError, UsageError

__all__ = [
    "TEST_CHROMS",
    "VALID_CHROMS",
    "Split",
    "iterate_batches",
    "pair_columns",
    "split_by_chromosome",
    "split_by_fold",
    "split_randomly",
]

TEST_CHROMS = ("chr20",)
"""Chromosomes whose sites are tested on."""
VALID_CHROMS = ("chr22",)
"""Chromosomes whose sites choose the model."""

Rows = NDArray[np.int64]


class Split(NamedTuple):
    """Rows of the sites to train on, to validate on and to test on; ascending."""

    train: Rows
    valid: Rows
    test: Rows


def split_by_chromosome(
    dataset: Dataset,
    test_chroms: Sequence[str] = TEST_CHROMS,
    valid_chroms: Sequence[str] = VALID_CHROMS,
) -> Split:
    """Split the sites by chromosome.

    Parameters
    ----------
    dataset : Dataset
    test_chroms, valid_chroms : sequence of str
        Names with or without `chr`; everything else is trained on.

    Returns
    -------
    Split

    Raises
    ------
    RegionError
        A chromosome holds no site of the data set.
    UsageError
        A chromosome is to be tested and validated on, or none is left to train on.
    """
    test = _rows_on(dataset, test_chroms)
    valid = _rows_on(dataset, valid_chroms)
    if np.any(test & valid):
        raise UsageError(
            f"test chromosomes {', '.join(test_chroms)} and validation chromosomes "
            f"{', '.join(valid_chroms)} share some; give each to one of the two"
        )
    train = ~(test | valid)
    if not train.any():
        raise UsageError(
            f"no site is left to train on beside the test chromosomes "
            f"{', '.join(test_chroms)} and the validation chromosomes "
            f"{', '.join(valid_chroms)}; hold out fewer"
        )
    return Split(np.flatnonzero(train), np.flatnonzero(valid), np.flatnonzero(test))


def split_randomly(
    dataset: Dataset, test: float = 0.1, valid: float = 0.1, seed: int = 0
) -> Split:
    """Split the sites at random: the paper's TestSet1, ValidSet1 and training set.

    Parameters
    ----------
    dataset : Dataset
    test, valid : float
        Fractions of the places, in [0, 1); less than 1 together.
    seed : int
        Not negative.

    Returns
    -------
    Split
        A place goes with everything that stands there: a sequence and its shuffled
        twin are never parted.

    Raises
    ------
    UsageError
        A value is out of range, or no site is left to train on.
    """
    if not (min(test, valid, seed) >= 0 and test + valid < 1):
        raise UsageError(
            f"fractions {test:g} to test on and {valid:g} to validate on, seed {seed}: "
            f"give fractions of 0 or more, below 1 together, and a seed of 0 or more"
        )
    place = _places(dataset)
    n_places = int(place.max()) + 1
    rank = np.random.default_rng(seed).permutation(n_places)[place]
    n_test, n_valid = (round(fraction * n_places) for fraction in (test, valid))
    if n_test + n_valid >= n_places:
        raise UsageError(
            f"no site of {n_places} is left to train on beside {n_test} to test and "
            f"{n_valid} to validate on; hold out fewer"
        )
    return Split(
        np.flatnonzero(rank >= n_test + n_valid),
        np.flatnonzero((rank >= n_test) & (rank < n_test + n_valid)),
        np.flatnonzero(rank < n_test),
    )


def split_by_fold(dataset: Dataset, valid: float = 0.0, seed: int = 0) -> Split:
    """Split the sites by the folds that they were made with (`prepare --alternate`).

    Parameters
    ----------
    dataset : Dataset
    valid : float
        Where no site was made to validate on, as with alternate peaks: so many of the
        places of the training fold are drawn to, in [0, 1).
    seed : int
        Of that draw; not negative.

    Returns
    -------
    Split
        Parts may be empty.

    Raises
    ------
    UsageError
        The data set has no folds, a value is out of range, or no site is left to train
        on.
    """
    if dataset.fold is None:
        raise UsageError(
            "the data set has no folds; make one with `tfimpute-tracks prepare "
            "--top 1000 --alternate`, or split by chromosome"
        )
    split = Split(*(np.flatnonzero(dataset.fold == i) for i in range(len(FOLDS))))
    if len(split.valid) or not valid:
        return split
    drawn = split_randomly(dataset, 0.0, valid, seed)
    return Split(
        np.setdiff1d(split.train, drawn.valid),
        np.intersect1d(split.train, drawn.valid),
        split.test,
    )


def pair_columns(dataset: Dataset, role: str) -> Rows:
    """Give the columns of the pairs of one role.

    Parameters
    ----------
    dataset : Dataset
    role : {"base", "valid2", "test3", "test2"}

    Returns
    -------
    int64 array
        Ascending indices into `dataset.pairs`; empty where no pair has the role.

    Raises
    ------
    UsageError
        There is no such role.
    """
    if role not in ROLES:
        raise UsageError(f"unknown role {role!r}; give one of {', '.join(ROLES)}")
    return np.flatnonzero(np.array(dataset.roles) == role)


def iterate_batches(
    rows: Rows, batch_size: int, seed: int, epoch: int
) -> Iterator[Rows]:
    """Go once through the rows in an order that the seed and the epoch fix.

    A run that stopped inside an epoch resumes exactly: it calls again with the same
    seed and epoch and passes over the batches it has seen.

    Parameters
    ----------
    rows : int64 array, shape (n,)
    batch_size : int
        At least 1.
    seed, epoch : int
        Not negative.

    Yields
    ------
    int64 array, shape (batch_size,)
        The last batch may be shorter.

    Raises
    ------
    UsageError
        The batch size, the seed or the epoch is out of range.
    """
    if batch_size < 1 or seed < 0 or epoch < 0:
        raise UsageError(
            f"batch size {batch_size}, seed {seed}, epoch {epoch}: "
            f"the first must be positive, the others not negative"
        )
    order = np.random.default_rng((seed, epoch)).permutation(rows)
    for first in range(0, len(order), batch_size):
        yield order[first : first + batch_size]


def _places(dataset: Dataset) -> Rows:
    """Give each site the number of its place; places are numbered in their order."""
    first = int(dataset.start.min(initial=0))
    keys = (dataset.chrom_id.astype(np.int64) << 40) | (dataset.start - first)
    number: Rows = np.unique(keys, return_inverse=True)[1]
    return number


def _rows_on(dataset: Dataset, chroms: Sequence[str]) -> NDArray[np.bool_]:
    bare = [name.removeprefix("chr") for name in dataset.chroms]
    present = np.zeros(len(bare), dtype=np.bool_)
    present[np.unique(dataset.chrom_id)] = True
    chosen = np.zeros(len(bare), dtype=np.bool_)
    for chrom in chroms:
        known = chrom.removeprefix("chr")
        if known not in bare or not present[bare.index(known)]:
            names = [dataset.chroms[i] for i in np.flatnonzero(present)]
            raise RegionError(
                f"no site of the data set lies on {chrom}; "
                f"its sites lie on {', '.join(names[:30])}"
            )
        chosen[bare.index(known)] = True
    return chosen[dataset.chrom_id]
