"""Predictors by the names that a user types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

from tfimpute_tracks.comparison.predictors.average_activity import AverageActivity
from tfimpute_tracks.comparison.predictors.deepbind import DeepBind
from tfimpute_tracks.comparison.predictors.deepsea import DeepSea
from tfimpute_tracks.comparison.predictors.external import External, ScoreTable
from tfimpute_tracks.comparison.predictors.gkm_svm import GkmSvm
from tfimpute_tracks.comparison.predictors.motif import MotifPredictor
from tfimpute_tracks.comparison.predictors.predictor import Predictor
from tfimpute_tracks.comparison.predictors.retrained_tfimpute import RetrainedTFImpute
from tfimpute_tracks.comparison.predictors.task import Task
from tfimpute_tracks.comparison.predictors.tfimpute import (
    TFImputePredictor,
    TfMeanPredictor,
)
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.models import Model

__all__ = ["PREDICTORS", "choose_predictors", "reference_name"]

_WITHOUT_MODEL: dict[str, Callable[[], Predictor]] = {
    "tfimpute": RetrainedTFImpute,
    "average-activity": AverageActivity,
    "motif": MotifPredictor,
    "gkm-svm": GkmSvm,
    "gkm-svm-pair": lambda: GkmSvm(per_pair=True),
    "deepbind": DeepBind,
}
PREDICTORS = ("model", "tf-mean", *_WITHOUT_MODEL, "deepsea", "deepsea-mean")
"""Names of the predictors that come with the package."""


def choose_predictors(
    names: Sequence[str], models: Sequence[Model], tables: Sequence[ScoreTable] = ()
) -> list[Predictor]:
    """Make the predictors that were asked for.

    Parameters
    ----------
    names : sequence of str
        Of :data:`PREDICTORS`.
    models : sequence of Model
        For `model`, one line each; `tf-mean` is of the first.
    tables : sequence of ScoreTable
        Scores from outside, two lines each.

    Returns
    -------
    list of Predictor
        In the order asked for, tables last.

    Raises
    ------
    UsageError
        A name is unknown or stands twice, or a package that one needs is not installed.
    """
    chosen: list[Predictor] = []
    networks: dict[Task, Any] = {}
    for name in names:
        if name == "model" and len(models) > 1:
            chosen += [TFImputePredictor(m, f"model-{m.name}") for m in models]
        elif name == "model":
            chosen.append(TFImputePredictor(models[0]))
        elif name == "tf-mean":
            chosen.append(TfMeanPredictor(models[0]))
        elif name in ("deepsea", "deepsea-mean"):
            chosen.append(DeepSea(name == "deepsea-mean", networks))
        elif name in _WITHOUT_MODEL:
            chosen.append(_WITHOUT_MODEL[name]())
        else:
            raise UsageError(
                f"unknown predictor {name!r}; give some of {', '.join(PREDICTORS)}, or "
                "--external NAME=TABLE.tsv for scores in files"
            )
    for table in tables:
        chosen += [External(table), External(table, covered=True)]
    seen = [predictor.name for predictor in chosen]
    twice = sorted({name for name in seen if seen.count(name) > 1})
    if twice:
        raise UsageError(
            f"predictors repeat: {', '.join(twice)}; name each once, and externals "
            "unlike the others"
        )
    if not chosen:
        raise UsageError(
            f"no predictor; give --predictors with some of {', '.join(PREDICTORS)}"
        )
    for predictor in chosen:
        missing = [name for name in predictor.needs if find_spec(name) is None]
        if missing:
            raise UsageError(
                f"the predictor {predictor.name} needs {', '.join(missing)}, not "
                "installed; pip install 'tfimpute-tracks[compare]', or leave it out"
            )
    return chosen


def reference_name(predictors: Sequence[Predictor]) -> str | None:
    """Name what the others are set beside: the first of our models.

    Parameters
    ----------
    predictors : sequence of Predictor

    Returns
    -------
    str or None
    """
    ours = [p.name for p in predictors if isinstance(p, TFImputePredictor)]
    return ours[0] if ours else None
