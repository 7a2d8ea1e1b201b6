"""Predictors by name: those of this package and those of other installed packages.

A package adds a predictor with an entry point of the group
:data:`GROUP`, in its pyproject.toml::

    [project.entry-points."tfimpute_tracks.predictors"]
    my-method = "my_package.module:MyPredictor"

The object is called without arguments and returns a
:class:`~tfimpute_tracks.comparison.predictors.predictor.Predictor`. This module imports
no predictor before it is chosen, so that the command line can list their names quickly.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from tfimpute_tracks.errors import UsageError, check_packages

if TYPE_CHECKING:
    from tfimpute_tracks.comparison.predictors.external import ScoreTable
    from tfimpute_tracks.comparison.predictors.predictor import Predictor
    from tfimpute_tracks.models import Model

__all__ = ["GROUP", "choose_predictors", "predictor_names", "reference_name"]

GROUP = "tfimpute_tracks.predictors"
"""Entry points of this group add predictors."""

_HERE = "tfimpute_tracks.comparison.predictors"
_OF_MODELS = ("model", "tf-mean")
_BUILT_IN = {
    "tfimpute": "retrained_tfimpute:RetrainedTFImpute",
    "average-activity": "average_activity:AverageActivity",
    "motif": "motif:MotifPredictor",
    "gkm-svm": "gkm_svm:GkmSvm",
    "gkm-svm-pair": "gkm_svm:GkmSvm.of_pairs",
    "deepbind": "deepbind:DeepBind",
    "deepsea": "deepsea:DeepSea",
    "deepsea-mean": "deepsea:DeepSea.of_mean",
}


def _entries() -> dict[str, EntryPoint]:
    """Find predictors by name; those of this package take precedence."""
    found = {
        name: EntryPoint(name, f"{_HERE}.{value}", GROUP)
        for name, value in _BUILT_IN.items()
    }
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, entry)
    return found


def predictor_names() -> list[str]:
    """List the predictors that can be chosen.

    Returns
    -------
    list of str
    """
    return [*_OF_MODELS, *_entries()]


def choose_predictors(
    names: Sequence[str], models: Sequence[Model], tables: Sequence[ScoreTable] = ()
) -> list[Predictor]:
    """Make the predictors of a comparison.

    Parameters
    ----------
    names : sequence of str
        Of :func:`predictor_names`.
    models : sequence of Model
        One predictor each for `model`; `tf-mean` is of the first.
    tables : sequence of ScoreTable
        Scores from files, two predictors each.

    Returns
    -------
    list of Predictor
        In the order of `names`, tables last.

    Raises
    ------
    UsageError
        A name is unknown or duplicate, or a predictor cannot be loaded.
    """
    from tfimpute_tracks.comparison.predictors.external import External
    from tfimpute_tracks.comparison.predictors.tfimpute import (
        TFImputePredictor,
        TfMeanPredictor,
    )

    chosen: list[Predictor] = []
    for name in names:
        if name == "model" and len(models) > 1:
            chosen += [TFImputePredictor(m, f"model-{m.name}") for m in models]
        elif name == "model":
            chosen.append(TFImputePredictor(models[0]))
        elif name == "tf-mean":
            chosen.append(TfMeanPredictor(models[0]))
        else:
            chosen.append(_load(name))
    for table in tables:
        chosen += [External(table), External(table, covered=True)]
    used = [predictor.name for predictor in chosen]
    duplicates = sorted({name for name in used if used.count(name) > 1})
    if duplicates:
        raise UsageError(
            f"duplicate predictors: {', '.join(duplicates)}; name each once, and use "
            "other names for --external tables"
        )
    if not chosen:
        raise UsageError(
            f"no predictor; use --predictors with some of {', '.join(predictor_names())}"
        )
    for predictor in chosen:
        check_packages(f"the predictor {predictor.name}", *predictor.needs)
    return chosen


def _load(name: str) -> Predictor:
    from tfimpute_tracks.comparison.predictors.predictor import Predictor

    entry = _entries().get(name)
    if entry is None:
        raise UsageError(
            f"unknown predictor {name!r}; use some of {', '.join(predictor_names())}, or "
            "--external NAME=TABLE.tsv for scores in files"
        )
    try:
        made = entry.load()()
    except Exception as error:
        # The code of another package may fail in any way.
        raise UsageError(
            f"the predictor {name} ({entry.value}) cannot be loaded: "
            f"{' '.join(str(error).split()) or type(error).__name__}; repair or uninstall "
            "its package, or leave it out"
        ) from error
    if not isinstance(made, Predictor):
        raise UsageError(
            f"the predictor {name} ({entry.value}) returns a {type(made).__name__}, not "
            f"a Predictor; see {_HERE}.predictor"
        )
    return made


def reference_name(predictors: Sequence[Predictor]) -> str | None:
    """Name the reference that the others are compared with: the first TFImpute model.

    Parameters
    ----------
    predictors : sequence of Predictor

    Returns
    -------
    str or None
    """
    from tfimpute_tracks.comparison.predictors.tfimpute import TFImputePredictor

    names = (p.name for p in predictors if isinstance(p, TFImputePredictor))
    return next(names, None)
