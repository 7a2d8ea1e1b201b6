"""What is trained one by one: a TF with its training cell lines, or a pair.

A held-out pair has no labels of its own, so its scores come from the model of its TF.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.comparison.predictors.predictor import Fitted
from tfimpute_tracks.comparison.predictors.task import Ints, Sample, Task

__all__ = [
    "TrainingGroup",
    "fit_groups",
    "pair_groups",
    "pair_or_tf_groups",
    "pooled_sample",
    "tf_groups",
]

_UNTRAINED = "its TF was trained in no cell line"
_HELD_OUT = "held out: it has no labels of its own to train on"
_TOO_FEW = "too few training sequences"
_MIN_SEQUENCES = 20


class TrainingGroup(NamedTuple):
    """Pairs whose labels train one model.

    Parameters
    ----------
    name : str
        The TF, or the pair.
    columns : int64 array
        Pairs whose labels are pooled.
    scored : tuple of int
        Columns that the model scores.
    """

    name: str
    columns: Ints
    scored: tuple[int, ...]


Groups = tuple[list[TrainingGroup], dict[int, str]]


def tf_groups(task: Task) -> Groups:
    """Make a group per TF of the pairs to score.

    Parameters
    ----------
    task : Task

    Returns
    -------
    groups : list of TrainingGroup
    unscored : dict of int to str
        Columns that nothing can be trained for, and why.
    """
    by_tf: dict[str, list[int]] = {}
    for column in map(int, task.scored):
        by_tf.setdefault(task.pair(column).tf, []).append(column)
    groups: list[TrainingGroup] = []
    unscored: dict[int, str] = {}
    for tf, scored in by_tf.items():
        columns = task.cells_of(tf)
        if len(columns):
            groups.append(TrainingGroup(tf, columns, tuple(scored)))
        else:
            unscored |= dict.fromkeys(scored, _UNTRAINED)
    return groups, unscored


def pair_groups(task: Task) -> Groups:
    """Make a group per pair to score that has training labels.

    Parameters
    ----------
    task : Task

    Returns
    -------
    groups : list of TrainingGroup
    unscored : dict of int to str
        The held-out pairs, and why.
    """
    trained = set(task.trained.tolist())
    groups = [
        TrainingGroup(str(task.pair(c)), np.array([c], dtype=np.int64), (c,))
        for c in map(int, task.scored)
        if c in trained
    ]
    unscored = {int(c): _HELD_OUT for c in task.scored if int(c) not in trained}
    return groups, unscored


def pair_or_tf_groups(task: Task) -> Groups:
    """Make a group per trained pair, and a group per TF for the held-out pairs.

    Parameters
    ----------
    task : Task

    Returns
    -------
    groups : list of TrainingGroup
    unscored : dict of int to str
        As of :func:`tf_groups`.
    """
    own, held_out = pair_groups(task)
    pooled, unscored = tf_groups(task)
    remaining = [
        group._replace(scored=tuple(c for c in group.scored if c in held_out))
        for group in pooled
    ]
    return own + [group for group in remaining if group.scored], unscored


def fit_groups(
    task: Task,
    groups: Groups,
    train: Callable[[str, NDArray[np.uint8], NDArray[np.bool_]], Any],
    known_only: bool = False,
) -> Fitted:
    """Train one model per group.

    Parameters
    ----------
    task : Task
    groups : (list of TrainingGroup, dict of int to str)
        From a function of this module.
    train : callable
        Maps a group's name, codes (n, L) and whether each site is bound to a model.
    known_only : bool
        Leave out sequences with an N.

    Returns
    -------
    Fitted
        Its state is a dict of column to model. Groups with fewer than 20 sequences, or
        with sites of one class only, are not trained.
    """
    models: dict[int, Any] = {}
    used: list[Ints] = []
    unscored = dict(groups[1])
    for group in groups[0]:
        rows, bound = task.sample(group.columns, group.name)
        if known_only:
            known = (task.dataset.codes[rows] < 4).all(axis=1)
            rows, bound = rows[known], bound[known]
        if len(rows) < _MIN_SEQUENCES or not bound.any() or bound.all():
            unscored |= dict.fromkeys(group.scored, _TOO_FEW)
            continue
        model = train(group.name, task.dataset.codes[rows], bound)
        models |= dict.fromkeys(group.scored, model)
        used.append(rows)
    n_sequences = len(np.unique(np.concatenate(used))) if used else 0
    return Fitted(models, n_sequences, max(map(len, used), default=0), unscored)


def pooled_sample(task: Task) -> tuple[Ints, Fitted]:
    """Pool the training sequences of all TFs, for one model of all trained pairs.

    Parameters
    ----------
    task : Task

    Returns
    -------
    rows : int64 array
        The sequences that the other predictors use for these TFs, ascending; empty
        where there are fewer than 20.
    fitted : Fitted
        How many these are, and the columns that cannot be scored; its state is None.
    """
    groups, unscored = tf_groups(task)
    samples: Sequence[Sample] = [task.sample(g.columns, g.name) for g in groups]
    rows = np.unique(
        np.concatenate([np.empty(0, np.int64), *(s.rows for s in samples)])
    )
    if len(rows) < _MIN_SEQUENCES:
        unscored = {int(c): _TOO_FEW for c in task.scored}
        return rows[:0], Fitted(None, unscored=unscored)
    max_per_group = max(len(sample.rows) for sample in samples)
    return rows, Fitted(None, len(rows), max_per_group, unscored)
