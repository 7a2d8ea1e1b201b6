"""TFs and cell lines of a data set and of the weights that a run starts from, by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.aliases import Kind
from tfimpute_tracks.dataset import REPLICATE, Dataset
from tfimpute_tracks.errors import counted, listed
from tfimpute_tracks.models.checkpoint import Checkpoint
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = [
    "NameMatch",
    "held_out_but_trained",
    "keep_names",
    "kept_names",
    "known_priors",
    "match_names",
]


@dataclass(frozen=True)
class NameMatch:
    """TFs or cell lines of a data set, and those of a model with the same names.

    Attributes
    ----------
    kind : {"TF", "cell line"}
    found : dict of str to str
        The model's name of each name that it knows, such as an alias.
    new : tuple of str
        Names that it does not know.
    left_out : tuple of str
        Names of the model that the data set lacks.
    """

    kind: str
    found: dict[str, str]
    new: tuple[str, ...]
    left_out: tuple[str, ...]

    def describe(self, keep: bool = False) -> str:
        """Count the names, and list those without a match.

        Parameters
        ----------
        keep : bool
            The names that the data set lacks are kept.

        Returns
        -------
        str
            ``2 of 3 TFs found, 1 new (SIX5), 163 left out (ARID3A, ...)``.
        """
        n = len(self.found) + len(self.new)
        parts = [f"{len(self.found):,} of {counted(n, self.kind)} found"]
        others = [f"{x} as {y}" for x, y in self.found.items() if x != y]
        parts[0] += f" ({listed(others)})" if others else ""
        missing = "kept" if keep else "left out"
        for names, what in ((self.new, "new"), (self.left_out, missing)):
            if names:
                parts.append(f"{len(names):,} {what} ({listed(names)})")
        return ", ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return what a card says.

        Returns
        -------
        dict
            `found` (a count), `new` and `left_out` (names).
        """
        return {
            "found": len(self.found),
            "new": list(self.new),
            "left_out": list(self.left_out),
        }


def match_names(ours: Vocabulary, theirs: Vocabulary) -> tuple[NameMatch, NameMatch]:
    """Find the TFs and cell lines of a data set among those of a model.

    Parameters
    ----------
    ours : Vocabulary
        Of the data set.
    theirs : Vocabulary
        Of the model. Other names of the same TF or cell line are found as well.

    Returns
    -------
    tfs, cells : NameMatch
    """
    return (
        _match("TF", (ours, ours.tfs), (theirs, theirs.tfs)),
        _match("cell line", (ours, ours.cells), (theirs, theirs.cells)),
    )


def keep_names(dataset: Dataset, theirs: Vocabulary) -> Dataset:
    """Add a model's names that a data set lacks, which has no pairs of them.

    Parameters
    ----------
    dataset : Dataset
    theirs : Vocabulary
        Of the model.

    Returns
    -------
    Dataset
        Its vocabulary is sorted. The same one where it lacks none.
    """
    tfs, cells = match_names(dataset.vocabulary, theirs)
    if not (tfs.left_out or cells.left_out):
        return dataset
    vocabulary = Vocabulary(
        sorted({*dataset.vocabulary.tfs, *tfs.left_out}),
        sorted({*dataset.vocabulary.cells, *cells.left_out}),
    )
    return replace(dataset, vocabulary=vocabulary)


def kept_names(dataset: Dataset) -> list[str]:
    """List the TFs and cell lines that no pair of a data set has.

    Parameters
    ----------
    dataset : Dataset
        From :func:`keep_names`.

    Returns
    -------
    list of str
    """
    tfs = {pair.tf for pair in dataset.pairs}
    cells = {pair.cell for pair in dataset.pairs}
    kept = [name for name in dataset.vocabulary.tfs if name not in tfs]
    return kept + [name for name in dataset.vocabulary.cells if name not in cells]


def known_priors(
    dataset: Dataset, columns: NDArray[np.int64], trained: Checkpoint
) -> dict[str, float]:
    """Read from a card how many sites TFs without a training pair bind.

    Parameters
    ----------
    dataset : Dataset
    columns : int64 array
        Training pairs.
    trained : Checkpoint

    Returns
    -------
    dict of str to float
        By the data set's names of the TFs; without those that the card lacks.
    """
    priors = trained.card.get("calibration", {}).get("priors", {})
    used = {dataset.pairs[i].tf for i in columns}
    tfs, _ = match_names(dataset.vocabulary, trained.vocabulary)
    return {
        ours: float(priors[theirs])
        for ours, theirs in tfs.found.items()
        if ours not in used and theirs in priors
    }


def held_out_but_trained(
    dataset: Dataset, roles: Iterable[str], trained: Checkpoint
) -> list[Pair]:
    """List the pairs that are held out now and trained the initial weights.

    Parameters
    ----------
    dataset : Dataset
    roles : iterable of str
        Of the training pairs.
    trained : Checkpoint

    Returns
    -------
    list of Pair
        As far as the card of the weights lists its pairs.
    """
    tfs, cells = match_names(dataset.vocabulary, trained.vocabulary)
    entries = trained.card.get("pairs", [])
    known = {(e["tf"], e["cell"]) for e in entries if e.get("trained")}
    used = {*roles, REPLICATE}
    return [
        pair
        for pair, role in zip(dataset.pairs, dataset.roles, strict=True)
        if role not in used
        and (tfs.found.get(pair.tf, ""), cells.found.get(pair.cell, "")) in known
    ]


def _match(
    kind: Kind,
    ours: tuple[Vocabulary, Sequence[str]],
    theirs: tuple[Vocabulary, Sequence[str]],
) -> NameMatch:
    own, names = ours
    other, known_names = theirs
    found = {n: known for n in names if (known := other.find_alias(n, kind))}
    used = set(found.values())
    for known in known_names:
        # An alias of one vocabulary may be the name in the other, either way.
        name = None if known in used else own.find_alias(known, kind)
        if name and name not in found:
            found[name] = known
    used = set(found.values())
    return NameMatch(
        kind,
        {name: found[name] for name in names if name in found},
        tuple(name for name in names if name not in found),
        tuple(name for name in known_names if name not in used),
    )
