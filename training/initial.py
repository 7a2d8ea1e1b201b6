"""Weights that a run starts from: those of a trained model, matched by name.

A data set may have other TFs and cell lines than the model, and lists them in its own
order. A parameter with a row for each TF has a name that starts with `tf_`, one with a
row for each cell line a name that starts with `cell_`: their rows go to the same names.
A name that the model does not know starts from the mean of all its rows. Everything else
is copied where the shapes agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.errors import UnknownNameError, UsageError, counted, listed
from tfimpute_tracks.models.checkpoint import Checkpoint
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.training.state import TrainingState
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = [
    "NameMatch",
    "check_taken",
    "freeze_trunk",
    "hold_rows",
    "init_from",
    "keep_names",
    "kept_names",
    "known_priors",
    "match_names",
]

Floats = NDArray[np.float32]
_Find = Callable[[str], "str | None"]

_TRUNK = ("filters", "dense")  # groups of parameters that do not depend on the pair


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
        Of the model. Other spellings and aliases of its names are found as well.

    Returns
    -------
    tfs, cells : NameMatch
    """
    return (
        _match("TF", ours.tfs, theirs.tfs, (_finder(ours.tf), _finder(theirs.tf))),
        _match(
            "cell line",
            ours.cells,
            theirs.cells,
            (_finder(ours.cell), _finder(theirs.cell)),
        ),
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


def init_from(
    state: TrainingState, trained: Checkpoint, vocabulary: Vocabulary
) -> list[str]:
    """Replace random weights by trained ones.

    Parameters
    ----------
    state : TrainingState
        From :func:`~tfimpute_tracks.training.state.initialize`; overwritten.
    trained : Checkpoint
        Its layers may have other sizes.
    vocabulary : Vocabulary
        Of the state's network.

    Returns
    -------
    list of str
        Names of the arrays that were taken: those of the same shape, those with rows of
        the same length, and shorter filters, padded with zeros at their ends. The others
        stay random.

    Raises
    ------
    UsageError
        The numbers of filters differ, or the filters are longer.
    """
    network = state.network
    n, length, _ = network.filters.shape
    theirs = trained.weights["filters"]
    if len(theirs) != n or theirs.shape[1] > length:
        raise UsageError(
            f"{len(theirs)} filters of {theirs.shape[1]} bp cannot initialize {n} of "
            f"{length} bp; use a network with as many filters, at least as long"
        )
    padding = ((0, 0), (0, length - theirs.shape[1]), (0, 0))
    arrays = dict(trained.weights) | {"filters": np.pad(theirs, padding)}
    rows_of = _rows_by_name(vocabulary, trained.vocabulary)
    taken = []
    for name, parameter in network.named_parameters():
        if name not in arrays:
            continue
        array = arrays[name]
        rows = rows_of.get(name.partition("_")[0])
        if rows is not None and array.shape[1:] == tuple(parameter.shape[1:]):
            array = _by_name(array, rows)
        if array.shape == tuple(parameter.shape):
            parameter.data.copy_(torch.from_numpy(array.copy()))
            state.average[name].copy_(parameter.data)
            taken.append(name)
    return taken


def freeze_trunk(network: MotifNetwork) -> list[str]:
    """Exclude what does not depend on the pair from training.

    Parameters
    ----------
    network : MotifNetwork
        Before its optimizer is made. Filters and dense layers stay as they are;
        embeddings, gates and units are fitted.

    Returns
    -------
    list of str
        Names of the frozen parameters.
    """
    groups = network.parameter_groups()
    for parameter in (p for name in _TRUNK for p in groups[name]):
        parameter.requires_grad = False
    return [name for name, p in network.named_parameters() if not p.requires_grad]


def check_taken(
    network: MotifNetwork,
    taken: Iterable[str],
    frozen: Iterable[str],
    warn: Callable[[str], None],
) -> None:
    """Say which layers start at random; refuse to freeze one of them.

    Parameters
    ----------
    network : MotifNetwork
    taken : iterable of str
        From :func:`init_from`.
    frozen : iterable of str
        From :func:`freeze_trunk`.
    warn : callable
        Called with a line where there are some.

    Raises
    ------
    UsageError
        A frozen layer starts at random.
    """
    have = set(taken)
    if missing := [name for name in frozen if name not in have]:
        raise UsageError(
            f"the trunk cannot be frozen: the initial weights have no {listed(missing)} "
            "of this size; use the preset and the sizes of the network they come from"
        )
    names = (name for name, _ in network.named_parameters())
    missing = [x for x in names if x not in have and not x.startswith("context.")]
    if missing:
        warn(f"of another size in the initial weights, so random: {listed(missing)}")


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


def hold_rows(
    state: TrainingState, vocabulary: Vocabulary, pairs: Iterable[Pair]
) -> None:
    """Keep the rows of names without a training pair as they are.

    They have no gradient, but the optimizer's weight decay would shrink them.

    Parameters
    ----------
    state : TrainingState
        From :func:`init_from`.
    vocabulary : Vocabulary
        Of its network.
    pairs : iterable of Pair
        Training pairs.
    """
    indices = np.array(vocabulary.pair_indices(pairs), dtype=np.int64).reshape(-1, 2)
    sizes = {"tf": len(vocabulary.tfs), "cell": len(vocabulary.cells)}
    held: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    for name, parameter in state.network.named_parameters():
        kind = name.partition("_")[0]
        if kind in sizes:
            used = indices[:, list(sizes).index(kind)]
            rows = torch.from_numpy(np.setdiff1d(np.arange(sizes[kind]), used))
            rows = rows.to(parameter.device)
            held.append((parameter, rows, parameter.detach()[rows].clone()))

    def put_back(*_: object) -> None:
        with torch.no_grad():
            for parameter, rows, values in held:
                parameter[rows] = values

    state.optimizer.register_step_post_hook(put_back)


def _match(
    kind: str, ours: Sequence[str], theirs: Sequence[str], find: tuple[_Find, _Find]
) -> NameMatch:
    find_ours, find_theirs = find
    found = {name: known for name in ours if (known := find_theirs(name))}
    for known in [x for x in theirs if x not in set(found.values())]:
        # An alias of one vocabulary may be the name in the other, either way.
        name = find_ours(known)
        if name and name not in found:
            found[name] = known
    used = set(found.values())
    return NameMatch(
        kind,
        {name: found[name] for name in ours if name in found},
        tuple(name for name in ours if name not in found),
        tuple(name for name in theirs if name not in used),
    )


def _finder(find: Callable[[str], str]) -> _Find:
    def found(name: str) -> str | None:
        try:
            return find(name)
        except UnknownNameError:
            return None

    return found


def _rows_by_name(
    ours: Vocabulary, theirs: Vocabulary
) -> Mapping[str, list[int | None]]:
    """Find the model's row of each TF and cell line of a data set; None where new."""
    tfs, cells = match_names(ours, theirs)
    known = ((tfs, ours.tfs, theirs.tfs), (cells, ours.cells, theirs.cells))
    rows = []
    for match, names, among in known:
        index = {name: i for i, name in enumerate(among)}
        rows.append([index.get(match.found.get(name, "")) for name in names])
    return dict(zip(("tf", "cell"), rows, strict=True))


def _by_name(array: Floats, rows: list[int | None]) -> Floats:
    """Take rows of an array, its mean row where there is none."""
    mean = array.mean(axis=0, dtype=np.float64).astype(np.float32)
    return np.stack([mean if row is None else array[row] for row in rows])
