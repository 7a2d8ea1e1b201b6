"""All predictors of a comparison, one after the other, each kept when it is done.

What a predictor fails with is written down, and the next one has its turn: an hour of
one must not be lost to another's fault.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.comparison.predictors.external import External
from tfimpute_tracks.comparison.predictors.predictor import Predictor
from tfimpute_tracks.comparison.predictors.task import Task
from tfimpute_tracks.comparison.scored_sites import (
    Scored,
    read_scored,
    run_key,
    write_scored,
)
from tfimpute_tracks.errors import RunError, WriteError

__all__ = ["Outcome", "run_predictors"]


class Outcome(NamedTuple):
    """What became of a comparison.

    Parameters
    ----------
    scored : list of Scored
        In the order of the predictors; those that failed are not among them.
    faults : dict of str to str
        Predictors that failed, and with what.
    """

    scored: list[Scored]
    faults: dict[str, str]


def run_predictors(
    task: Task,
    predictors: Sequence[Predictor],
    folder: Path,
    tell: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Train and score predictors, or take up what an earlier run kept.

    Parameters
    ----------
    task : Task
    predictors : sequence of Predictor
    folder : Path
        Where scores are kept, a file each; it must exist.
    tell : callable
        Given a line when a predictor begins, ends, or is taken up.

    Returns
    -------
    Outcome

    Raises
    ------
    InputFileError
        A file of scores from outside cannot be used; nothing was run.
    WriteError
        The folder cannot be written to.
    """
    for predictor in predictors:
        if isinstance(predictor, External):
            predictor.check(task)
    scored: list[Scored] = []
    faults: dict[str, str] = {}
    for predictor in predictors:
        path = folder / f"{predictor.name}.h5"
        key = run_key(task, predictor)
        found = read_scored(path, key)
        if found is not None:
            tell(f"{predictor.name}: kept from an earlier run")
            scored.append(found)
            continue
        tell(f"{predictor.name}: {predictor.summary}")
        try:
            made = _run(task, predictor)
            write_scored(path, key, made)
        except WriteError:
            raise
        except Exception as error:
            # Whatever a foreign library raises is this predictor's failure, no other's.
            told = " ".join(str(error).split()) or type(error).__name__
            faults[predictor.name] = told
            tell(f"{predictor.name} failed: {told}")
            continue
        tell(
            f"{predictor.name}: trained in {made.seconds_to_train:,.1f} s, scored in "
            f"{made.seconds_to_score:,.1f} s"
        )
        scored.append(made)
    return Outcome(scored, faults)


def _run(task: Task, predictor: Predictor) -> Scored:
    began, used = time.perf_counter(), time.process_time()
    fitted = predictor.fit(task)
    trained = time.perf_counter()
    scores = predictor.score(task, fitted, task.test_rows, task.judged)
    ended = time.perf_counter()
    shape = (len(task.test_rows), len(task.judged))
    if scores.shape != shape:
        raise RunError(f"gave scores of shape {scores.shape} for {shape}")
    return Scored(
        predictor.name,
        predictor.summary,
        scores.astype("float32", copy=False),
        fitted.n_sequences,
        fitted.per_unit,
        trained - began,
        ended - trained,
        time.process_time() - used,
        fitted.silent,
        fitted.notes,
    )
