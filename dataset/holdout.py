"""Hold-out schemes: how sites are kept out of training, as options, states and cards name it.

``splits`` divides the sites. Here a scheme has a name, its settings and a record from
which the same split is made again. A model card contains that record, so that an
evaluation knows which sites trained the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset.dataset import Dataset
from tfimpute_tracks.dataset.splits import (
    TEST_CHROMS,
    VALID_CHROMS,
    Split,
    split_by_chromosome,
    split_by_fold,
    split_randomly,
)
from tfimpute_tracks.errors import UsageError

__all__ = [
    "RANDOM_TEST_FRACTION",
    "RANDOM_VALID_FRACTION",
    "HoldOut",
    "HoldOutScheme",
    "TrainedSites",
    "hold_out_options",
    "split_from_record",
    "trained_sites",
]

HoldOutScheme = Literal["chromosomes", "random", "alternating-peaks"]
"""Names of the schemes; see :class:`HoldOut`."""

RANDOM_TEST_FRACTION = 0.1
"""Fraction of the positions in the test part of a random split (the paper's TestSet1)."""
RANDOM_VALID_FRACTION = 0.05
"""Fraction in the validation part (ValidSet1), also of the training peaks of alternating peaks."""

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class HoldOut:
    """A scheme that holds sites out of training.

    Parameters
    ----------
    scheme : {"chromosomes", "random", "alternating-peaks"}
        Whole chromosomes; a random :data:`RANDOM_TEST_FRACTION` and
        :data:`RANDOM_VALID_FRACTION` of the positions, so that test and training sites
        are neighbors, as in the paper; or the folds of `prepare --alternate`, where
        :data:`RANDOM_VALID_FRACTION` of the training positions validate.
    test_chroms, valid_chroms : tuple of str
        For `chromosomes` only.
    seed : int
        For the other two.

    Raises
    ------
    UsageError
        Chromosomes are named and the scheme does not use them.
    """

    scheme: HoldOutScheme = "chromosomes"
    test_chroms: tuple[str, ...] = TEST_CHROMS
    valid_chroms: tuple[str, ...] = VALID_CHROMS
    seed: int = 0

    def __post_init__(self) -> None:
        named = (self.test_chroms, self.valid_chroms)
        if self.scheme != "chromosomes" and named != (TEST_CHROMS, VALID_CHROMS):
            raise UsageError(
                f"--test-chroms and --valid-chroms have no effect with --hold-out "
                f"{self.scheme}; leave them out, or use --hold-out chromosomes"
            )

    def split(self, dataset: Dataset) -> Split:
        """Split the sites of a data set.

        Parameters
        ----------
        dataset : Dataset

        Returns
        -------
        Split
            No part is empty.

        Raises
        ------
        UsageError, RegionError
            The data set cannot be split this way, or a part would be empty.
        """
        split = split_from_record(dataset, self.to_dict())
        empty = [name for name, rows in split._asdict().items() if not len(rows)]
        if empty:
            raise UsageError(
                f"--hold-out {self.scheme} leaves no site of {dataset.n_sites:,} for "
                f"{' and '.join(empty)}; use a larger data set, or another --hold-out"
            )
        return split

    def to_dict(self) -> dict[str, Any]:
        """Return what is needed to make the same split again.

        Returns
        -------
        dict
            JSON values: `scheme` and the settings it uses.
        """
        if self.scheme == "chromosomes":
            chroms = {"test": list(self.test_chroms), "valid": list(self.valid_chroms)}
            return {"scheme": self.scheme, **chroms}
        settings = {"valid_fraction": RANDOM_VALID_FRACTION, "seed": self.seed}
        if self.scheme == "random":
            settings = {"test_fraction": RANDOM_TEST_FRACTION, **settings}
        return {"scheme": self.scheme, **settings}

    def describe(self, part: str) -> str:
        """Describe a part of the split, as in "sites of ...".

        Parameters
        ----------
        part : {"train", "valid", "test"}

        Returns
        -------
        str
        """
        if self.scheme == "chromosomes":
            return f"the {part} chromosomes"
        if self.scheme == "alternating-peaks":
            return f"the {part} peaks"
        fractions = (
            f"{RANDOM_TEST_FRACTION:.0%} test, {RANDOM_VALID_FRACTION:.0%} validation"
        )
        return f"the {part} part of a random split ({fractions}, seed {self.seed})"


def split_from_record(dataset: Dataset, record: Mapping[str, Any]) -> Split:
    """Split the sites of a data set as a record describes.

    Parameters
    ----------
    dataset : Dataset
    record : mapping
        From :meth:`HoldOut.to_dict`; `hold_out` of a model card.

    Returns
    -------
    Split

    Raises
    ------
    UsageError, RegionError
        As the functions of :mod:`~tfimpute_tracks.dataset.splits`.
    """
    if record["scheme"] == "chromosomes":
        test, valid = tuple(record["test"]), tuple(record["valid"])
        return split_by_chromosome(dataset, test, valid)
    if record["scheme"] == "random":
        fractions = record["test_fraction"], record["valid_fraction"]
        return split_randomly(dataset, *fractions, record["seed"])
    return split_by_fold(dataset, record["valid_fraction"], record["seed"])


def hold_out_options(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the command-line options that make a recorded split.

    Parameters
    ----------
    record : mapping
        From :meth:`HoldOut.to_dict`.

    Returns
    -------
    dict of str to str
        Name, without the dashes, to value.
    """
    if record["scheme"] != "chromosomes":
        return {"hold-out": record["scheme"], "seed": str(record["seed"])}
    return {
        "hold-out": record["scheme"],
        "test-chroms": ",".join(record["test"]),
        "valid-chroms": ",".join(record["valid"]),
    }


class TrainedSites(NamedTuple):
    """The sites of a data set that a model was trained on.

    Parameters
    ----------
    rows : int64 array, shape (n,)
        Ascending.
    caveat : str
        Why other sites may have been used, a sentence; empty where the card lists them.
    """

    rows: Rows
    caveat: str

    def count(self, rows: Rows) -> int:
        """Count how many of the given sites trained the model.

        Parameters
        ----------
        rows : int64 array

        Returns
        -------
        int
        """
        return int(np.count_nonzero(np.isin(rows, self.rows)))


def trained_sites(
    card: Mapping[str, Any], dataset: Dataset, chosen: HoldOut
) -> TrainedSites:
    """Find the sites that a model was trained on, from its card.

    Parameters
    ----------
    card : mapping
        Of the model; may be empty.
    dataset : Dataset
        The sites of the evaluation, not always those of the model's training.
    chosen : HoldOut
        The split of the evaluation. Where the card has no `hold_out`, the model is
        assumed to be trained on its training chromosomes, or, with another scheme, on
        all sites.

    Returns
    -------
    TrainedSites

    Raises
    ------
    UsageError, RegionError
        As the functions of :mod:`~tfimpute_tracks.dataset.splits`.
    """
    record = card.get("hold_out")
    every = np.arange(dataset.n_sites)
    if record is None:
        is_by_chrom = chosen.scheme == "chromosomes"
        assumed = "the training chromosomes of this split" if is_by_chrom else "all"
        return TrainedSites(
            chosen.split(dataset).train if is_by_chrom else every,
            f"its card does not list its training sites: {assumed} are assumed",
        )
    if record["scheme"] == "chromosomes":
        return TrainedSites(_rows_off(dataset, (*record["test"], *record["valid"])), "")
    trained_on = (card["data"]["sources"], card["data"]["parameters"])
    if trained_on != (dataset.sources, dataset.parameters):
        return TrainedSites(
            every,
            f"it was trained with --hold-out {record['scheme']} on another data set, "
            "so its training sites are unknown here: all are assumed",
        )
    return TrainedSites(split_from_record(dataset, record).train, "")


def _rows_off(dataset: Dataset, chroms: Sequence[str]) -> Rows:
    """Find the sites on other chromosomes; a name may be one without sites."""
    bare = [name.removeprefix("chr") for name in chroms]
    is_named = np.array([name.removeprefix("chr") in bare for name in dataset.chroms])
    return np.flatnonzero(~is_named[dataset.chrom_id])
