"""Split sites into training, validation and test, and iterate over training batches.

Sites are split by chromosome, randomly (the paper's ValidSet1 and TestSet1) or by the
folds that they were made with; pairs are split by role. A fair test of imputation is a
held-out pair on a held-out chromosome: with the same loci in training and test, a model
can score by remembering the overall occupancy of a site. ``leakage`` finds what the
parts of a split share.
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
"""Default test chromosomes."""
VALID_CHROMS = ("chr22",)
"""Default validation chromosomes, which choose the epoch."""

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
        Names with or without `chr`; all others are for training.

    Returns
    -------
    Split

    Raises
    ------
    RegionError
        A chromosome has no site in the data set.
    UsageError
        A chromosome is in both lists, or none is left to train on.
    """
    test = _rows_on(dataset, test_chroms)
    valid = _rows_on(dataset, valid_chroms)
    if np.any(test & valid):
        raise UsageError(
            f"test chromosomes {', '.join(test_chroms)} and validation chromosomes "
            f"{', '.join(valid_chroms)} overlap; put each into one of the two"
        )
    train = ~(test | valid)
    if not train.any():
        raise UsageError(
            f"no site is left to train on: all are on the test chromosomes "
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
        Fractions of the positions, in [0, 1); their sum is below 1.
    seed : int
        Not negative.

    Returns
    -------
    Split
        All sites of a position are in the same part: a sequence and its shuffled copy
        are never separated.

    Raises
    ------
    UsageError
        A value is out of range, or no site is left to train on.
    """
    if not (min(test, valid, seed) >= 0 and test + valid < 1):
        raise UsageError(
            f"fractions {test:g} to test on and {valid:g} to validate on, seed {seed}: "
            f"use fractions of 0 or more with a sum below 1, and a seed of 0 or more"
        )
    position = _position_ids(dataset)
    n = int(position.max()) + 1
    rank = np.random.default_rng(seed).permutation(n)[position]
    n_test, n_valid = (round(fraction * n) for fraction in (test, valid))
    if n_test + n_valid >= n:
        raise UsageError(
            f"no site of {n} is left to train on: {n_test} are for testing and "
            f"{n_valid} for validation; hold out fewer"
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
        Fraction of the training positions that validate where the data set has no
        validation fold, as with alternating peaks; in [0, 1).
    seed : int
        Chooses them; not negative.

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
            "--top 1000 --alternate`, or use another --hold-out"
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
    """Return the columns of the pairs of one role.

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
        raise UsageError(f"unknown role {role!r}; use one of {', '.join(ROLES)}")
    return np.flatnonzero(np.array(dataset.roles) == role)


def iterate_batches(
    rows: Rows, batch_size: int, seed: int, epoch: int
) -> Iterator[Rows]:
    """Iterate once over the rows, in an order set by the seed and the epoch.

    A run that was stopped within an epoch resumes exactly: it calls this with the same
    seed and epoch again, and skips the batches that are done.

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
            f"batch size {batch_size}, seed {seed}, epoch {epoch}: use a positive batch "
            f"size, and a seed and an epoch of 0 or more"
        )
    order = np.random.default_rng((seed, epoch)).permutation(rows)
    for first in range(0, len(order), batch_size):
        yield order[first : first + batch_size]


def _position_ids(dataset: Dataset) -> Rows:
    """Return the rank of each site's position in genome order, from 0."""
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
                f"no site of the data set is on {chrom}; "
                f"its sites are on {', '.join(names[:30])}"
            )
        chosen[bare.index(known)] = True
    return chosen[dataset.chrom_id]
