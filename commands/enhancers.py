"""`enhancers`: summarize predicted binding of elements, and compare it with activity."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import (
    log,
    print_files,
    print_result,
    progress_bar,
    show_json,
    show_table,
)
from tfimpute_tracks.errors import UsageError, counted

if TYPE_CHECKING:
    from tfimpute_tracks.interpret.elements import Elements, Skipped
    from tfimpute_tracks.interpret.enhancers import (
        ElementScores,
        EnhancerJob,
        EnhancerResult,
    )
    from tfimpute_tracks.models.model import Model

__all__ = ["enhancers"]

_SHOWN = (
    *(("t", ".2f"), ("t_p", ".1e"), ("auc", ".3f"), ("u_p", ".1e")),
    *(("spearman", ".3f"), ("spearman_p", ".1e"), ("cv_r2", ".3f")),
)


def enhancers(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="ELEMENTS",
            help="Elements: a BED of regions (-g), or a FASTA of sequences.",
        ),
    ],
    cell: options.Cell = None,
    activities: Annotated[
        Path | None,
        typer.Option(
            help="Measured activities: a tab-separated table with the columns name and "
            "activity. Names are those of the BED or FASTA, or chrom:start-end."
        ),
    ] = None,
    control_cells: Annotated[
        str | None,
        typer.Option(
            help="Cell lines to compare with, comma-separated, or none. Default with "
            "--activities: all others."
        ),
    ] = None,
    fasta: options.Fasta = None,
    model: options.ModelName = "default",
    components: Annotated[
        int, typer.Option(min=1, help="Maximum number of principal components.")
    ] = 10,
    n_extremes: Annotated[
        int,
        typer.Option(
            min=3,
            help="Compare the N most active with the N least active elements; N is "
            "at most a third of all.",
        ),
    ] = 100,
    pca_input: Annotated[
        Literal["log-odds", "probability"],
        typer.Option(help="Values whose principal components are computed."),
    ] = "log-odds",
    mask_flanks: Annotated[
        bool,
        typer.Option(
            "--mask-flanks",
            help="Treat the sequence around an element as unknown, as in a reporter "
            "assay; always so for a FASTA.",
        ),
    ] = False,
    table_format: Annotated[
        Literal["tsv", "parquet"],
        typer.Option("--format", help="Format of the table of scores."),
    ] = "tsv",
    seed: options.Seed = 0,
    out_dir: options.OutDir = Path("enhancers-out"),
    threads: options.Threads = "max",
    cache_dir: options.CacheDir = None,
    as_json: options.Json = False,
) -> None:
    """Summarize predicted binding of elements, and compare it with their activity."""
    from tfimpute_tracks.api.evidence_choice import say_sequence_only
    from tfimpute_tracks.api.threads import set_threads
    from tfimpute_tracks.interpret import enhancers as library
    from tfimpute_tracks.interpret.activities import read_activities
    from tfimpute_tracks.interpret.enhancer_files import write_results, write_skipped
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_output_dir

    loaded = load_model(model)
    cells = _choose_cells(loaded, cell, control_cells, activities is not None)
    n_threads = set_threads(threads)
    elements = _read_elements(source, fasta, loaded, cache_dir)
    measured = read_activities(activities, elements) if activities else None
    job = library.EnhancerJob(
        *(loaded, cells, pca_input, mask_flanks),
        *(components, n_extremes, seed, n_threads),
    )
    check_output_dir(out_dir)
    stem = out_dir / Path(source.name.removesuffix(".gz")).stem
    not_compared = measured.skipped if measured else []
    write_skipped(stem, elements.skipped + not_compared)  # also if the check fails
    library.check_input(job, elements, measured)
    n = len(elements.found)
    log(
        f"{counted(n, 'element')}, {counted(len(cells), 'cell line')}, model {loaded.name}"
    )
    say_sequence_only(loaded, "scoring elements")
    with progress_bar("scores", n, "elements") as advance:
        scored = library.score_elements(job, elements, advance)
    skipped = scored.skipped + not_compared
    skipped_file = write_skipped(stem, skipped)
    with progress_bar("activity", len(cells), "cell lines") as advance:
        result = library.analyze_elements(job, scored, measured, advance)
    files = write_results(job, scored, result, stem, table_format)
    summary = _summarize(job, scored, result, skipped)
    if as_json:
        show_json({**summary, "files": [*files, skipped_file]})
        return
    _report(job, result, summary)
    print_files([*files, skipped_file])


def _read_elements(
    source: Path, fasta: Path | None, model: Model, cache_dir: Path | None
) -> Elements:
    from tfimpute_tracks.api import inputs
    from tfimpute_tracks.interpret.elements import is_fasta, read_fasta, read_intervals

    if not is_fasta(source):
        return read_intervals(source, inputs.choose_genome(fasta, model, cache_dir))
    if fasta is not None:
        raise UsageError(
            f"{source} contains sequences, and --fasta {fasta} is for a BED; use one of "
            "the two"
        )
    return read_fasta(source)


def _choose_cells(
    model: Model, cell: str | None, controls: str | None, have_activities: bool
) -> tuple[str, ...]:
    """List the cell line of the elements, then those to compare it with."""
    names = model.vocabulary
    if not cell:
        raise UsageError(
            "--cell is missing; use the cell line of the elements, or of the assay; "
            "`tfimpute-tracks info cells` lists the names"
        )
    own = names.cell(cell)
    if controls is not None and not have_activities:
        raise UsageError("--control-cells compares activities; use --activities, too")
    if controls is None:
        others = list(names.cells) if have_activities else []
    elif controls.strip().lower() == "none":
        others = []
    else:
        others = [names.cell(name) for name in controls.split(",") if name.strip()]
    return tuple(dict.fromkeys([own, *others]))


def _summarize(
    job: EnhancerJob,
    scored: ElementScores,
    result: EnhancerResult,
    skipped: list[Skipped],
) -> dict[str, Any]:
    """Return the printed summary as JSON values."""
    from tfimpute_tracks.interpret.enhancer_files import cell_ranks, cell_table

    counts: dict[str, Counter[str]] = {"element": Counter(), "activity": Counter()}
    for one in skipped:
        counts[one.what][one.reason] += 1
    summary = {
        "scored": len(scored.elements),
        "skipped": dict(counts["element"]),
        "cell": job.cells[0],
        "pca_input": job.pca_input,
        "variance_explained": result.signature.variance.round(6).tolist(),
    }
    if not result.comparisons:
        return summary
    records = cell_table(job, result).to_dict(orient="records")
    return {
        **summary,
        "not_compared": dict(counts["activity"]),
        "extremes": len(result.top),
        "cells": [
            {key: None if value != value else value for key, value in record.items()}
            for record in records
        ],
        "ranks": cell_ranks(result.comparisons),
    }


def _report(job: EnhancerJob, result: EnhancerResult, summary: dict[str, Any]) -> None:
    from tfimpute_tracks.interpret.enhancer_files import N_SHOWN

    for what, done in (("skipped", "scored"), ("not_compared", "compared")):
        for reason, n in summary.get(what, {}).items():
            log(f"{n:,} not {done}: {reason}", warning=True)
    print_result(
        f"{summary['scored']:,} elements scored, {sum(summary['skipped'].values()):,} "
        f"skipped; the first component explains {summary['variance_explained'][0]:.1%} "
        f"of the variance of the {job.pca_input} of {len(job.model.tfs)} TFs in "
        f"{job.cells[0]}"
    )
    if not result.comparisons:
        return
    rows = []
    for i in (0, *result.spread_controls(N_SHOWN)):
        record = summary["cells"][i]
        values = [
            "-" if record[name] is None else format(record[name], form)
            for name, form in _SHOWN
        ]
        rows.append([record["cell"], *values, record["components"]])
    header = ["cell line", "t", "p", "AUC", "p", "rho", "p", "R2", "components"]
    show_table("", header, rows)
    ranks = summary["ranks"]
    print_result(
        f"{job.cells[0]} ranks {ranks['t']} by t, {ranks['auc']} by U, "
        f"{ranks['spearman']} by Spearman's rho and {ranks['cv_r2']} by cross-validated "
        f"R2, of {len(summary['cells'])} cell lines; {summary['extremes']} most active "
        "and as many least active elements, p-values two-sided"
    )
