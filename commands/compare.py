"""`compare`: several predictors on the same sites and pairs, in one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, show_json, show_table
from tfimpute_tracks.errors import RunError, UsageError, listed

if TYPE_CHECKING:
    from tfimpute_tracks.comparison.predictors.task import Task
    from tfimpute_tracks.comparison.run import Outcome
    from tfimpute_tracks.comparison.tables import Judged
    from tfimpute_tracks.dataset import HoldOut
    from tfimpute_tracks.models import Model

__all__ = ["compare"]

_SHOWN = (
    *("predictor", "pairs", "auroc", "average_precision", "recall_at_5_fdr"),
    *("recall_at_10_fdr", "recall_at_50_fdr", "model_auroc", "median_difference", "p"),
    *("training_sequences", "seconds_to_train", "seconds_to_score"),
)


def compare(
    data: options.Data,
    predictors: Annotated[
        str,
        typer.Option(
            help="Comma-separated: model, tf-mean, average-activity, motif, gkm-svm, "
            "gkm-svm-pair, deepbind, deepsea, deepsea-mean."
        ),
    ] = "model,tf-mean,average-activity,motif",
    models: Annotated[
        list[str] | None,
        typer.Option(
            "-m",
            "--model",
            help="Weights: a .safetensors file or a shipped name; the first is what "
            "the others are set beside. Repeatable. Default: held-out.",
        ),
    ] = None,
    evidence: options.Evidence = None,
    external: Annotated[
        list[str] | None,
        typer.Option(
            help="Scores in files: NAME=TABLE.tsv, a table of tf, cell, file (bigWig, "
            "BED, bedGraph, narrowPeak). Repeatable."
        ),
    ] = None,
    split: Annotated[
        str, typer.Option(help="Roles of the pairs to judge: base, valid2, test3.")
    ] = "test3",
    roles: Annotated[
        str, typer.Option(help="Roles of the pairs to learn from, comma-separated.")
    ] = "base",
    training_sequences: Annotated[
        int,
        typer.Option(min=2, help="Most per TF or pair, half of them bound, for each."),
    ] = 2000,
    sites: Annotated[
        int,
        typer.Option(min=0, help="Judge on so many, drawn uniformly. 0: all."),
    ] = 0,
    seed: options.Seed = 0,
    hold_out: options.HoldOutScheme = "chromosomes",
    test_chroms: options.TestChroms = "chr20",
    valid_chroms: options.ValidChroms = "chr22",
    out_dir: options.OutDir = Path("comparison-out"),
    threads: options.Threads = "max",
    device: options.Device = "cpu",
    as_json: options.Json = False,
) -> None:
    """Judge several predictors on the same sites: metrics.json, per_pair.tsv."""
    import numpy as np

    from tfimpute_tracks.commands.context_report import check_sequence_length
    from tfimpute_tracks.commands.inputs import set_threads
    from tfimpute_tracks.comparison.predictors.external import (
        parse_external,
        read_score_table,
    )
    from tfimpute_tracks.comparison.predictors.registry import (
        choose_predictors,
        reference_name,
    )
    from tfimpute_tracks.comparison.predictors.task import Task, sample_rows
    from tfimpute_tracks.comparison.run import run_predictors
    from tfimpute_tracks.comparison.tables import judge
    from tfimpute_tracks.dataset import HoldOut, open_dataset, pair_columns
    from tfimpute_tracks.engines.engine import pick_device
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_writable_dir

    set_threads(threads)
    kept = HoldOut(
        hold_out, tuple(test_chroms.split(",")), tuple(valid_chroms.split(",")), seed
    )
    tables = [parse_external(text) for text in external or []]
    names = [name.strip() for name in predictors.split(",") if name.strip()]
    loaded = [load_model(name, evidence) for name in models or ["held-out"]]
    if names:  # a wrong name is said before the data is read
        choose_predictors(names, loaded)
    place = pick_device(device)
    check_writable_dir(out_dir / "scores")
    dataset = open_dataset(data)
    for model in loaded if names else []:
        check_sequence_length(model.name, model.config, dataset)
    chosen = choose_predictors(
        names,
        loaded,
        [read_score_table(name, path, dataset.vocabulary) for name, path in tables],
    )
    rows = kept.split(dataset)
    columns, trained = (
        np.unique(
            np.concatenate([pair_columns(dataset, r.strip()) for r in text.split(",")])
        )
        for text in (split, roles)
    )
    if not len(columns):
        raise UsageError(f"no pair has a role of --split {split!r}; choose another")
    task = Task(
        dataset,
        rows.train,
        sample_rows(rows.test, sites, seed),
        trained,
        columns,
        seed,
        training_sequences,
        place,
    )
    for model in loaded if names else []:
        _tell_trained(model, task, kept)
    outcome = run_predictors(task, chosen, out_dir / "scores", log)
    if not outcome.scored:
        raise RunError(f"no predictor came to an end: {_faults(outcome)}")
    judged = judge(task, outcome, reference_name(chosen))
    drawn = "" if len(task.test_rows) == len(rows.test) else ", drawn uniformly"
    where = test_chroms if kept.scheme == "chromosomes" else kept.describe("test")
    title = (
        f"{len(task.test_rows):,} sites of {where}{drawn}, {len(columns)} pairs "
        f"({split})"
    )
    _write(out_dir, (title, kept), task, outcome, judged, as_json)
    if outcome.faults:
        raise RunError(
            f"{_faults(outcome)}; {out_dir} holds the others, and the same command "
            "goes on with those that failed"
        )


def _tell_trained(model: Model, task: Task, kept: HoldOut) -> None:
    """Warn where the judged sites trained a model."""
    from tfimpute_tracks.dataset import trained_sites

    found = trained_sites(model.card, task.dataset, kept)
    n_trained = found.count(task.test_rows)
    if n_trained:
        why = f" ({found.caveat})" if found.caveat else ""
        log(
            f"{n_trained:,} of {len(task.test_rows):,} judged sites trained "
            f"{model.name}{why}; give the --hold-out it was trained with",
            warning=True,
        )


def _write(
    out_dir: Path,
    about: tuple[str, HoldOut],
    task: Task,
    outcome: Outcome,
    judged: Judged,
    as_json: bool,
) -> None:
    """Write the files, and show the table."""
    from tfimpute_tracks.comparison.report import write_sections as write_report
    from tfimpute_tracks.comparison.tables import (
        left_out,
        pair_table,
        report_sections,
    )
    from tfimpute_tracks.storage import write_json, write_text

    title, kept = about
    named = left_out(task, judged)
    metrics: dict[str, Any] = {
        "data": task.dataset.sources,
        "hold_out": kept.to_dict(),
        "sites": len(task.test_rows),
        "training_sites": len(task.train_rows),
        "training_sequences": task.n_sequences,
        "seed": task.seed,
        "predictors": [
            row | {"summary": s.summary, "notes": list(s.notes)} for s, _, row in judged
        ],
        "left_out": named,
        "failed": outcome.faults,
    }
    write_json(out_dir / "metrics.json", metrics)
    write_text(out_dir / "per_pair.tsv", pair_table(task, judged))
    sections = report_sections(task, outcome, judged)
    write_report(out_dir / "report.html", "Predictors side by side", title, sections)
    for name, reasons in named.items():
        for why, pairs in reasons.items():
            log(f"{name}: no metric of {listed(pairs)}: {why}")
    if as_json:
        show_json(metrics)
        return
    show_table(
        f"{title}, means over pairs",
        [name.replace("_", " ") for name in _SHOWN],
        [[_shown(name, row.get(name)) for name in _SHOWN] for _, _, row in judged],
    )
    files = ("metrics.json", "per_pair.tsv", "report.html")
    print_result(" ".join(str(out_dir / name) for name in files))


def _shown(name: str, value: Any) -> Any:
    if value is None:
        return "-"
    # A p of many zeros is still told, and told from 0.
    return f"{value:.2g}" if name == "p" else value


def _faults(outcome: Outcome) -> str:
    return "; ".join(f"{name} failed: {why}" for name, why in outcome.faults.items())
