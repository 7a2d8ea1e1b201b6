"""What became of a predictor, and the file that keeps it for a run that goes on.

A file is taken up when it tells the same digest of task and settings as the run that
asks; else it is made anew. So a killed run resumes by being started again, and what
does not belong to it does no harm.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfimpute_tracks.comparison.predictors.predictor import Floats, Predictor
from tfimpute_tracks.comparison.predictors.task import Task
from tfimpute_tracks.storage import (
    digest_arrays,
    digest_json,
    read_arrays,
    write_arrays,
)

__all__ = ["Scored", "read_scored", "run_key", "write_scored"]

_VERSION = 1  # of what predictors do; a change of scores raises it


@dataclass(frozen=True)
class Scored:
    """Scores of a predictor, and what they took.

    Parameters
    ----------
    name, summary : str
    scores : float32 array, shape (n_sites, n_pairs)
        Of the task's sites and judged pairs; NaN where there is none.
    n_sequences : int, optional
        Training sequences in all; None where nobody knows.
    per_unit : int
        The most of a unit.
    seconds_to_train, seconds_to_score : float
        Wall clock, of the run that made them.
    cpu_seconds : float
        Of both, over all threads: what a busy machine does not change much.
    silent : dict of int to str
        Columns without a value, and why.
    notes : tuple of str
    """

    name: str
    summary: str
    scores: Floats
    n_sequences: int | None
    per_unit: int
    seconds_to_train: float
    seconds_to_score: float
    cpu_seconds: float
    silent: dict[int, str]
    notes: tuple[str, ...]


def run_key(task: Task, predictor: Predictor) -> str:
    """Digest all that scores depend on.

    Parameters
    ----------
    task : Task
    predictor : Predictor

    Returns
    -------
    str
    """
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
            "columns": digest_arrays(task.trained, task.judged),
            "seed": task.seed,
            "n_sequences": task.n_sequences,
        }
    )


def write_scored(path: Path, key: str, scored: Scored) -> None:
    """Keep the scores of a predictor.

    Parameters
    ----------
    path : Path
    key : str
        From :func:`run_key`.
    scored : Scored

    Raises
    ------
    WriteError
        The file cannot be written.
    """
    facts = {
        "name": scored.name,
        "summary": scored.summary,
        "n_sequences": scored.n_sequences,
        "per_unit": scored.per_unit,
        "seconds_to_train": scored.seconds_to_train,
        "seconds_to_score": scored.seconds_to_score,
        "cpu_seconds": scored.cpu_seconds,
        "silent": list(scored.silent.items()),
        "notes": list(scored.notes),
    }
    text = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
    write_arrays(path, {"scores": scored.scores, "facts": text}, {"key": key})


def read_scored(path: Path, key: str) -> Scored | None:
    """Take up what an earlier run kept.

    Parameters
    ----------
    path : Path
    key : str
        From :func:`run_key`.

    Returns
    -------
    Scored or None
        None where there is no whole file, or it is of another run.
    """
    found = read_arrays(path, {"key": key}, ("scores", "facts"))
    if found is None:
        return None
    facts: dict[str, Any] = json.loads(found["facts"].tobytes())
    facts["silent"] = {int(column): why for column, why in facts["silent"]}
    facts["notes"] = tuple(facts["notes"])
    return Scored(scores=found["scores"], **facts)
