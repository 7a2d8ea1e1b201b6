"""All predictors of a comparison, one after the other, each saved when it is done.

If a predictor fails, its error is recorded and the next one runs. Scores are saved with a
digest of the task and of the predictor's settings: a run that is started again loads the
scores whose digest is the same, and computes the others.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfimpute_tracks.comparison.predictors.predictor import Floats, Predictor
from tfimpute_tracks.comparison.predictors.task import Task
from tfimpute_tracks.errors import RunError, WriteError
from tfimpute_tracks.storage import (
    digest_arrays,
    digest_json,
    read_arrays,
    write_arrays,
)

__all__ = ["PredictorRuns", "PredictorScores", "run_predictors"]

_VERSION = 2  # of the saved scores; raise it when a predictor or the file changes


@dataclass(frozen=True)
class PredictorScores:
    """Scores of a predictor, and what they cost.

    Parameters
    ----------
    name, summary : str
    scores : float32 array, shape (n_sites, n_pairs)
        Of the task's sites and pairs; NaN where there is none.
    n_sequences : int, optional
        Different training sequences in all; None where it is unknown.
    max_per_group : int
        The most training sequences of one TF or pair.
    seconds_to_train, seconds_to_score : float
        Wall clock.
    cpu_seconds : float
        Of both, over all threads: depends less on what else the machine does.
    unscored : dict of int to str
        Columns without scores, and why.
    notes : tuple of str
    """

    name: str
    summary: str
    scores: Floats
    n_sequences: int | None
    max_per_group: int
    seconds_to_train: float
    seconds_to_score: float
    cpu_seconds: float
    unscored: dict[int, str]
    notes: tuple[str, ...]


class PredictorRuns(NamedTuple):
    """Predictors that finished and predictors that failed.

    Parameters
    ----------
    scored : list of PredictorScores
        In the order of the predictors, without those that failed.
    errors : dict of str to str
        Error messages of those that failed.
    """

    scored: list[PredictorScores]
    errors: dict[str, str]


def run_predictors(
    task: Task,
    predictors: Sequence[Predictor],
    folder: Path,
    log: Callable[[str], None] = lambda _: None,
) -> PredictorRuns:
    """Train and score predictors, or load the scores of an earlier run.

    Parameters
    ----------
    task : Task
    predictors : sequence of Predictor
    folder : Path
        Where scores are saved, a file each; it must exist.
    log : callable
        Receives a line when a predictor starts, ends, or is loaded.

    Returns
    -------
    PredictorRuns

    Raises
    ------
    UsageError
        The task does not suit a predictor, or a file of external scores is invalid;
        nothing was run.
    WriteError
        The folder cannot be written to.
    """
    for predictor in predictors:
        predictor.check(task)
    scored: list[PredictorScores] = []
    errors: dict[str, str] = {}
    for predictor in predictors:
        path, name = folder / f"{predictor.name}.h5", predictor.name
        digest = _digest(task, predictor)
        loaded = _load(path, digest)
        if loaded is not None:
            log(f"{name}: scores of an earlier run")
            scored.append(loaded)
            continue
        log(f"{name}: {predictor.summary}")
        try:
            done = _run(task, predictor)
            _save(path, digest, done)
        except WriteError:
            raise
        except Exception as error:
            # Other libraries may raise anything; it ends this predictor only.
            errors[name] = " ".join(str(error).split()) or type(error).__name__
            log(f"{name} failed: {errors[name]}")
            continue
        log(
            f"{name}: trained in {done.seconds_to_train:,.1f} s, scored in "
            f"{done.seconds_to_score:,.1f} s"
        )
        scored.append(done)
    return PredictorRuns(scored, errors)


def _run(task: Task, predictor: Predictor) -> PredictorScores:
    start, cpu_start = time.perf_counter(), time.process_time()
    fitted = predictor.fit(task)
    trained = time.perf_counter()
    scores = predictor.score(task, fitted, task.test_rows, task.scored)
    end = time.perf_counter()
    shape = (len(task.test_rows), len(task.scored))
    if scores.shape != shape:
        raise RunError(f"its scores have the shape {scores.shape}, not {shape}")
    return PredictorScores(
        predictor.name,
        predictor.summary,
        scores.astype("float32", copy=False),
        fitted.n_sequences,
        fitted.max_per_group,
        trained - start,
        end - trained,
        time.process_time() - cpu_start,
        fitted.unscored,
        fitted.notes,
    )


def _digest(task: Task, predictor: Predictor) -> str:
    """Digest everything that scores depend on."""
    data = task.dataset
    return digest_json(
        {
            "version": _VERSION,
            "predictor": predictor.name,
            "settings": predictor.settings(),
            "sources": data.sources,
            "parameters": data.parameters,
            "peaks": list(data.peak_digests),
            "pairs": [str(pair) for pair in data.pairs],
            "rows": digest_arrays(task.train_rows, task.test_rows),
            "columns": digest_arrays(task.trained, task.scored),
            "seed": task.seed,
            "n_sequences": task.n_sequences,
        }
    )


def _save(path: Path, digest: str, done: PredictorScores) -> None:
    facts = asdict(done)
    arrays = {"scores": facts.pop("scores")}
    arrays["facts"] = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
    write_arrays(path, arrays, {"digest": digest})


def _load(path: Path, digest: str) -> PredictorScores | None:
    """Load saved scores; None where there is no complete file of this digest."""
    found = read_arrays(path, {"digest": digest}, ("scores", "facts"))
    if found is None:
        return None
    facts: dict[str, Any] = json.loads(found["facts"].tobytes())
    facts["unscored"] = {int(column): why for column, why in facts["unscored"].items()}
    facts["notes"] = tuple(facts["notes"])
    return PredictorScores(scores=found["scores"], **facts)
