"""The comparison of predictors at labeled sites, from a data set to report files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfimpute_tracks.comparison.predictors.predictor import Predictor
from tfimpute_tracks.comparison.predictors.registry import reference_name
from tfimpute_tracks.comparison.predictors.task import Task, sample_rows
from tfimpute_tracks.comparison.report import ReportTable, write_sections
from tfimpute_tracks.comparison.run import run_predictors
from tfimpute_tracks.comparison.tables import (
    FDR_LEVELS,
    PredictorResult,
    evaluate_predictors,
    report_sections,
    unscored_pairs,
)
from tfimpute_tracks.dataset import Dataset, HoldOut, pair_columns, trained_sites
from tfimpute_tracks.errors import RunError, UsageError, counted, listed
from tfimpute_tracks.evaluation.calibration import calibration_error
from tfimpute_tracks.evaluation.metrics import recall_columns
from tfimpute_tracks.models import Model
from tfimpute_tracks.storage import write_json, write_text

__all__ = ["Comparison", "ComparisonJob", "run_comparison"]

Log = Callable[[str], None]

_SHOWN = (
    *("predictor", "pairs", "auroc", "average_precision", *recall_columns(FDR_LEVELS)),
    "calibration_error",
    *("model_auroc", "median_difference", "p"),
    *("training_sequences", "seconds_to_train", "seconds_to_score"),
)


@dataclass(frozen=True)
class ComparisonJob:
    """What to compare.

    Parameters
    ----------
    dataset : Dataset
    hold_out : HoldOut
        The split of sites into training, validation and test.
    predictors : sequence of Predictor
    models : sequence of Model
        The models among the predictors: a warning lists test sites that they were
        trained on.
    pair_set : str
        Roles of the pairs to score, comma-separated.
    training_roles : str
        Roles of the pairs to train on, comma-separated.
    n_sequences : int
        Training sequences of a TF or pair at most.
    max_sites : int
        Sites to score at most, drawn at random; 0 for all.
    seed : int
    device : str
    """

    dataset: Dataset
    hold_out: HoldOut
    predictors: Sequence[Predictor]
    models: Sequence[Model] = ()
    pair_set: str = "test3"
    training_roles: str = "base"
    n_sequences: int = 2000
    max_sites: int = 0
    seed: int = 0
    device: str = "cpu"


class Comparison(NamedTuple):
    """A finished comparison.

    Parameters
    ----------
    title : str
    metrics : dict
        What metrics.json contains.
    table : ReportTable
        Means by predictor.
    files : list of Path
    errors : str
        Of predictors that failed; empty where all finished.
    """

    title: str
    metrics: dict[str, Any]
    table: ReportTable
    files: list[Path]
    errors: str


def run_comparison(
    job: ComparisonJob, out_dir: Path, log: Log, warn: Log
) -> Comparison:
    """Train, score and compare predictors, and write the report.

    Parameters
    ----------
    job : ComparisonJob
    out_dir : Path
        A folder with a folder `scores`; scores that an earlier run saved there are used.
    log, warn : callable
        Receive lines about the run.

    Returns
    -------
    Comparison

    Raises
    ------
    UsageError, RegionError, InputFileError
        The request does not fit the data set.
    RunError
        Every predictor failed.
    WriteError
        A file cannot be written.
    """
    sets = job.hold_out.split(job.dataset)
    columns, trained = (
        _columns(job.dataset, roles) for roles in (job.pair_set, job.training_roles)
    )
    if not len(columns):
        raise UsageError(
            f"the data set has no pair of the role {job.pair_set}; use another "
            "--pair-set"
        )
    task = Task(
        job.dataset,
        sets.train,
        sample_rows(sets.test, job.max_sites, job.seed),
        trained,
        columns,
        job.seed,
        job.n_sequences,
        job.device,
    )
    for model in job.models:
        _warn_trained(model, task, job.hold_out, warn)
    runs = run_predictors(task, job.predictors, out_dir / "scores", log)
    errors = "; ".join(f"{name} failed: {why}" for name, why in runs.errors.items())
    if not runs.scored:
        raise RunError(f"all predictors failed: {errors}")
    results = evaluate_predictors(task, runs, reference_name(job.predictors))
    _add_calibration(job, task, results)
    drawn = ", drawn at random" if len(task.test_rows) < len(sets.test) else ""
    where = job.hold_out.describe("test")
    if job.hold_out.scheme == "chromosomes":
        where = ",".join(job.hold_out.test_chroms)
    title = (
        f"{counted(len(task.test_rows), 'site')} of {where}{drawn}, "
        f"{counted(len(columns), 'pair')} ({job.pair_set})"
    )
    metrics = _metrics(job, task, results, runs.errors)
    write_json(out_dir / "metrics.json", metrics)
    table = pd.concat([result.pairs for result in results], ignore_index=True)
    text = table.to_csv(sep="\t", index=False, float_format="%.6g")
    write_text(out_dir / "per_pair.tsv", text)
    sections = report_sections(results, runs.errors)
    write_sections(out_dir / "report.html", "Comparison of predictors", title, sections)
    for name, reasons in unscored_pairs(results).items():
        for why, pairs in reasons.items():
            log(f"{name}: no metrics of {listed(pairs)}: {why}")
    names = ("metrics.json", "per_pair.tsv", "report.html")
    rows = [[_text(name, r.summary.get(name)) for name in _SHOWN] for r in results]
    return Comparison(
        f"{title}, means over pairs",
        metrics,
        ReportTable([name.replace("_", " ") for name in _SHOWN], rows),
        [out_dir / name for name in names],
        errors,
    )


def _add_calibration(
    job: ComparisonJob, task: Task, results: Sequence[PredictorResult]
) -> None:
    """Add the expected calibration error of those that predict probabilities."""
    columns = np.asarray(task.scored)
    labels = task.dataset.labels(task.test_rows, columns)
    by_name = {predictor.name: predictor for predictor in job.predictors}
    for scores, _, summary in results:
        found = by_name[scores.name].probabilities(task, columns, scores.scores)
        error = None if found is None else round(calibration_error(found, labels), 5)
        summary["calibration_error"] = error


def _columns(dataset: Dataset, roles: str) -> NDArray[np.int64]:
    found = [pair_columns(dataset, role.strip()) for role in roles.split(",")]
    return np.unique(np.concatenate(found))


def _warn_trained(model: Model, task: Task, hold_out: HoldOut, warn: Log) -> None:
    """Warn where a model was trained on test sites."""
    trained = trained_sites(model.card, task.dataset, hold_out)
    n_trained = trained.count(task.test_rows)
    if n_trained:
        why = f" ({trained.caveat})" if trained.caveat else ""
        warn(
            f"{model.name} was trained on {n_trained:,} of {len(task.test_rows):,} "
            f"scored sites{why}; use the --hold-out it was trained with"
        )


def _metrics(
    job: ComparisonJob,
    task: Task,
    results: Sequence[PredictorResult],
    errors: dict[str, str],
) -> dict[str, Any]:
    predictors = [
        summary | {"summary": scores.summary, "notes": list(scores.notes)}
        for scores, _, summary in results
    ]
    return {
        "data": job.dataset.sources,
        "hold_out": job.hold_out.to_dict(),
        "sites": len(task.test_rows),
        "training_sites": len(task.train_rows),
        "training_sequences": task.n_sequences,
        "seed": task.seed,
        "predictors": predictors,
        "unscored": unscored_pairs(results),
        "failed": errors,
    }


def _text(name: str, value: Any) -> Any:
    if value is None:
        return "-"
    # Four decimals would show a small p as 0.
    return f"{value:.2g}" if name == "p" else value
