"""What is learned one by one: a TF over its training cell lines, or a pair.

A pair that was kept from training has no labels of its own to learn from, so what
stands for it is its TF.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tfimpute_tracks.comparison.predictors.task import Ints, Task

__all__ = ["TrainingGroup", "pair_units", "pairs_or_tfs", "tf_units"]

_UNTRAINED = "its TF was trained in no cell line"
_HELD_OUT = "held out: it has no labels of its own to learn from"


class TrainingGroup(NamedTuple):
    """Something that is learned by itself.

    Parameters
    ----------
    name : str
        The TF, or the pair.
    columns : int64 array
        Pairs whose labels teach it.
    judged : tuple of int
        Columns that it gives scores to.
    """

    name: str
    columns: Ints
    judged: tuple[int, ...]


def tf_units(task: Task) -> tuple[list[TrainingGroup], dict[int, str]]:
    """Give a unit per TF of the judged pairs.

    Parameters
    ----------
    task : Task

    Returns
    -------
    units : list of Unit
    silent : dict of int to str
        Columns that nothing can be learned for, and why.
    """
    by_tf: dict[str, list[int]] = {}
    for column in map(int, task.judged):
        by_tf.setdefault(task.pair(column).tf, []).append(column)
    units: list[TrainingGroup] = []
    silent: dict[int, str] = {}
    for tf, judged in by_tf.items():
        columns = task.cells_of(tf)
        if len(columns):
            units.append(TrainingGroup(tf, columns, tuple(judged)))
        else:
            silent |= dict.fromkeys(judged, _UNTRAINED)
    return units, silent


def pair_units(task: Task) -> tuple[list[TrainingGroup], dict[int, str]]:
    """Give a unit per judged pair that was trained.

    Parameters
    ----------
    task : Task

    Returns
    -------
    units : list of Unit
    silent : dict of int to str
        As of :func:`tf_units`: the held-out pairs.
    """
    trained = set(task.trained.tolist())
    units = [
        TrainingGroup(str(task.pair(c)), np.array([c], dtype=np.int64), (c,))
        for c in map(int, task.judged)
        if c in trained
    ]
    silent = {int(c): _HELD_OUT for c in task.judged if int(c) not in trained}
    return units, silent


def pairs_or_tfs(task: Task) -> tuple[list[TrainingGroup], dict[int, str]]:
    """Give a unit per trained pair, and for the held-out ones a unit per TF.

    Parameters
    ----------
    task : Task

    Returns
    -------
    units : list of Unit
    silent : dict of int to str
        As of :func:`tf_units`.
    """
    own, held_out = pair_units(task)
    pooled, silent = tf_units(task)
    kept = [
        unit._replace(judged=tuple(c for c in unit.judged if c in held_out))
        for unit in pooled
    ]
    return own + [u for u in kept if u.judged], silent
