"""The way in which sites are kept from training, as commands, states and cards tell it.

``splits`` parts the sites; here a way has a name, the values it needs, and a record
from which the same parts are made again. A model's card holds that record, so that a
judge finds the sites that trained the model and not those that it would have chosen.
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
    split_by_chance,
    split_by_fold,
    split_rows,
)
from tfimpute_tracks.errors import UsageError

__all__ = [
    "CHANCE_TEST",
    "CHANCE_VALID",
    "HoldOut",
    "TrainedSites",
    "Way",
    "hold_out_options",
    "trained_sites",
]

Way = Literal["chromosomes", "chance", "fold"]
"""Names of the ways; see :class:`HoldOut`."""

CHANCE_TEST = 0.1
"""Share of the places that chance tests on (TestSet1 of the paper)."""
CHANCE_VALID = 0.05
"""Share of the places that chance validates on (ValidSet1), also within a fold."""

Rows = NDArray[np.int64]

_SILENT = "its card does not tell which sites trained it"


@dataclass(frozen=True)
class HoldOut:
    """A way to keep sites from training.

    Parameters
    ----------
    way : {"chromosomes", "chance", "fold"}
        Whole chromosomes; :data:`CHANCE_TEST` and :data:`CHANCE_VALID` of the places,
        so that the loci of test and training lie side by side, as in the paper; or the
        folds of `prepare --alternate`, where :data:`CHANCE_VALID` of the training
        places validate.
    test_chroms, valid_chroms : tuple of str
        Of the first way only.
    seed : int
        Of the other two.

    Raises
    ------
    UsageError
        Chromosomes are named that the way makes no use of.
    """

    way: Way = "chromosomes"
    test_chroms: tuple[str, ...] = TEST_CHROMS
    valid_chroms: tuple[str, ...] = VALID_CHROMS
    seed: int = 0

    def __post_init__(self) -> None:
        named = (self.test_chroms, self.valid_chroms)
        if self.way != "chromosomes" and named != (TEST_CHROMS, VALID_CHROMS):
            raise UsageError(
                f"--test-chroms and --valid-chroms say nothing with --hold-out "
                f"{self.way}; leave them out, or take --hold-out chromosomes"
            )

    def split(self, dataset: Dataset) -> Split:
        """Part the sites of a data set.

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
            The data set cannot be split so, or a part would be empty.
        """
        if self.way == "chromosomes":
            return split_rows(dataset, self.test_chroms, self.valid_chroms)
        if self.way == "chance":
            split = split_by_chance(dataset, CHANCE_TEST, CHANCE_VALID, self.seed)
        else:
            split = split_by_fold(dataset, CHANCE_VALID, self.seed)
        empty = [name for name, rows in split._asdict().items() if not len(rows)]
        if empty:
            raise UsageError(
                f"--hold-out {self.way} leaves no site of {dataset.n_sites:,} for "
                f"{' and '.join(empty)}; give a larger data set, or another --hold-out"
            )
        return split

    def record(self) -> dict[str, Any]:
        """Give what makes the same parts again.

        Returns
        -------
        dict
            JSON values: `way`, and what it makes use of.
        """
        if self.way == "chromosomes":
            named = {"test": list(self.test_chroms), "valid": list(self.valid_chroms)}
            return {"way": self.way, **named}
        shares = {"valid_share": CHANCE_VALID, "seed": self.seed}
        if self.way == "chance":
            shares = {"test_share": CHANCE_TEST, **shares}
        return {"way": self.way, **shares}

    def part(self, name: str) -> str:
        """Say what a part is, as in "sites of ...".

        Parameters
        ----------
        name : {"train", "valid", "test"}

        Returns
        -------
        str
        """
        if self.way == "chromosomes":
            return f"the {name} chromosomes"
        if self.way == "fold":
            return f"the {name} fold"
        shares = f"{CHANCE_TEST:.0%} test and {CHANCE_VALID:.0%} validate"
        return f"the {name} part by chance ({shares}, seed {self.seed})"


def hold_out_options(record: Mapping[str, Any]) -> dict[str, str]:
    """Give the options of commands that keep sites in a recorded way.

    Parameters
    ----------
    record : mapping
        From :meth:`HoldOut.record`.

    Returns
    -------
    dict of str to str
        Name, without the dashes, to value.
    """
    if record["way"] != "chromosomes":
        return {"hold-out": record["way"], "seed": str(record["seed"])}
    return {
        "hold-out": record["way"],
        "test-chroms": ",".join(record["test"]),
        "valid-chroms": ",".join(record["valid"]),
    }


class TrainedSites(NamedTuple):
    """The sites of a data set that a model learned from.

    Parameters
    ----------
    rows : int64 array, shape (n,)
        Ascending.
    doubt : str
        Why it may have been others, a sentence; empty where its card tells.
    """

    rows: Rows
    doubt: str

    def count(self, rows: Rows) -> int:
        """Count the sites of some that the model learned from.

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
    """Find the sites that a model was trained on, by its card.

    Parameters
    ----------
    card : mapping
        Of the model; may be empty.
    dataset : Dataset
        The sites to be judged on, not always those of the model's training.
    chosen : HoldOut
        How they are split to be judged: where the card tells nothing, by chromosomes
        its training sites are taken for those of the model.

    Returns
    -------
    TrainedSites

    Raises
    ------
    UsageError, RegionError
        As the functions of :mod:`~tfimpute_tracks.dataset.splits`.
    """
    told = card.get("hold_out")
    if told is None and chosen.way == "chromosomes":
        doubt = "all that this split leaves to train on are taken for them"
        return TrainedSites(chosen.split(dataset).train, f"{_SILENT}: {doubt}")
    if told is None:
        # Before cards told, there were chromosomes only.
        named = ", ".join(TEST_CHROMS + VALID_CHROMS)
        doubt = f"all but those of {named} are taken for them"
        rows = _rows_off(dataset, TEST_CHROMS + VALID_CHROMS)
        return TrainedSites(rows, f"{_SILENT}: {doubt}")
    if told["way"] == "chromosomes":
        return TrainedSites(_rows_off(dataset, (*told["test"], *told["valid"])), "")
    learned = (card["data"]["sources"], card["data"]["parameters"])
    if learned != (dataset.sources, dataset.parameters):
        return TrainedSites(
            np.arange(dataset.n_sites),
            f"it was trained with --hold-out {told['way']} on another data set, and "
            "which of these places it saw is not known: all are taken for them",
        )
    if told["way"] == "chance":
        shares = told["test_share"], told["valid_share"]
        return TrainedSites(split_by_chance(dataset, *shares, told["seed"]).train, "")
    split = split_by_fold(dataset, told["valid_share"], told["seed"])
    return TrainedSites(split.train, "")


def _rows_off(dataset: Dataset, chroms: Sequence[str]) -> Rows:
    """Give the sites on other chromosomes; a name may be one without sites."""
    bare = [name.removeprefix("chr") for name in chroms]
    kept = np.array([name.removeprefix("chr") in bare for name in dataset.chroms])
    return np.flatnonzero(~kept[dataset.chrom_id])
