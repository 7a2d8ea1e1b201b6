"""Weights that a run starts from: those of a trained model, matched by name.

A data set may have other TFs and cell lines than the model, and lists them in its own
order. A parameter with a row for each TF has a name that starts with `tf_`, one with a
row for each cell line a name that starts with `cell_`: their rows go to the same names.
A name that the model does not know starts from the mean of all its rows. Everything else
is copied where the shapes agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError, listed
from tfimpute_tracks.models.checkpoint import Checkpoint
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.training.names import match_names
from tfimpute_tracks.training.state import TrainingState
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = [
    "check_taken",
    "freeze_trunk",
    "hold_rows",
    "init_from",
]

Floats = NDArray[np.float32]

_TRUNK = ("filters", "dense")  # groups of parameters that do not depend on the pair


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
        warn(
            "not in the initial weights, or of another size there, so these start at "
            f"random: {listed(missing)}"
        )


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
