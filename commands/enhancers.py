"""`enhancers`: what binds elements, in a few numbers, and if activity goes with it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import (
    log,
    print_result,
    progress_bar,
    show_json,
    show_table,
)
from tfimpute_tracks.errors import UsageError

if TYPE_CHECKING:
    from tfimpute_tracks.interpret.elements import Elements, Skipped
    from tfimpute_tracks.interpret.enhancers import EnhancerJob, Judged, Scored
    from tfimpute_tracks.models.model import Model

__all__ = ["enhancers"]

_DRAWN = 5  # controls, besides the table of all
_PRINTED = (
    *(("t", ".2f"), ("t_p", ".1e"), ("auc", ".3f"), ("u_p", ".1e")),
    *(("spearman", ".3f"), ("spearman_p", ".1e"), ("cv_r2", ".3f")),
)


def enhancers(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="ELEMENTS",
            help="BED of a genome (-g), or a FASTA of the elements themselves.",
        ),
    ],
    cell: options.Cell = None,
    activities: Annotated[
        Path | None,
        typer.Option(
            help="What was measured: a tab-separated table with the columns name and "
            "activity. Names are those of the BED or FASTA, or chrom:start-end."
        ),
    ] = None,
    controls: Annotated[
        str | None,
        typer.Option(
            help="Cell lines to compare with, comma-separated, or none. Default: with "
            "--activities all others."
        ),
    ] = None,
    fasta: options.Fasta = None,
    model: options.ModelName = "default",
    components: Annotated[
        int, typer.Option(min=1, help="Principal components, at most.")
    ] = 10,
    extremes: Annotated[
        int,
        typer.Option(
            min=3,
            help="Most and least active elements that are compared, each; never more "
            "than a third of all.",
        ),
    ] = 100,
    values: Annotated[
        Literal["log-odds", "probability"],
        typer.Option(help="What principal components are taken of."),
    ] = "log-odds",
    alone: Annotated[
        bool,
        typer.Option(
            "--alone",
            help="Take the letters beside an element for unknown, as in a reporter; "
            "those of a FASTA always are.",
        ),
    ] = False,
    form: Annotated[
        Literal["tsv", "parquet"], typer.Option("--format", help="Of the scores.")
    ] = "tsv",
    seed: options.Seed = 0,
    out_dir: options.OutDir = Path("enhancers-out"),
    threads: options.Threads = "max",
    cache_dir: options.CacheDir = None,
    as_json: options.Json = False,
) -> None:
    """Sum up what binds elements, and hold it against their measured activity."""
    from tfimpute_tracks.commands import inputs
    from tfimpute_tracks.interpret.activities import read_activities
    from tfimpute_tracks.interpret.enhancers import (
        EnhancerJob,
        check_enough,
        judge_cells,
        score_elements,
    )
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_writable_dir

    loaded = load_model(model)
    cells = _cells(loaded, cell, controls, activities is not None)
    n_threads = inputs.set_threads(threads)
    elements = _elements(source, fasta, loaded, cache_dir)
    measured = read_activities(activities, elements) if activities else None
    job = EnhancerJob(
        *(loaded, cells, values, alone, components, extremes, seed, n_threads)
    )
    check_writable_dir(out_dir)
    stem = out_dir / _stem(source)
    skipped = elements.skipped + (measured.skipped if measured else [])
    _write_skipped(stem, skipped)  # also where it is the reason to stop
    check_enough(job, elements, measured)
    n = len(elements.found)
    log(f"{n:,} elements, {len(cells)} cell line(s), model {loaded.name}")
    with progress_bar("scores", n, "elements") as advance:
        scored = score_elements(job, elements, lambda done: advance(done, ""))
    skipped = scored.skipped + skipped[len(elements.skipped) :]
    _write_skipped(stem, skipped)
    with progress_bar("activity", len(cells), "cell lines") as advance:
        judged = judge_cells(job, scored, measured, lambda done: advance(done, ""))
    files = _write_tables(job, scored, judged, stem, form)
    if judged.cells:
        files += _draw(job, judged, stem)
    result = _result(job, scored, judged, skipped)
    if as_json:
        show_json({**result, "files": [str(file) for file in files]})
        return
    _tell(job, judged, result)
    print_result(" ".join(map(str, files)))


def _elements(
    source: Path, fasta: Path | None, model: Model, cache_dir: Path | None
) -> Elements:
    from tfimpute_tracks.commands import inputs
    from tfimpute_tracks.interpret.elements import is_fasta, read_fasta, read_intervals

    if not is_fasta(source):
        return read_intervals(source, inputs.choose_genome(fasta, model, cache_dir))
    if fasta is not None:
        raise UsageError(
            f"{source} holds sequences, and --fasta {fasta} is for a BED: give one of "
            "the two"
        )
    return read_fasta(source)


def _cells(
    model: Model, cell: str | None, controls: str | None, have_activities: bool
) -> tuple[str, ...]:
    """Give the cell line, and those to compare it with."""
    names = model.vocabulary
    if not cell:
        raise UsageError(
            "--cell is missing; give the cell line that the elements are of, or that "
            "they were measured in; `tfimpute-tracks info cells` lists the names"
        )
    own = names.cell(cell)
    if controls is not None and not have_activities:
        raise UsageError("--controls compare activities; give --activities as well")
    if controls is None:
        others = list(names.cells) if have_activities else []
    elif controls.strip().lower() == "none":
        others = []
    else:
        others = [names.cell(name) for name in controls.split(",") if name.strip()]
    return tuple(dict.fromkeys([own, *others]))


def _stem(source: Path) -> str:
    return Path(source.name.removesuffix(".gz")).stem


def _write_skipped(stem: Path, skipped: list[Skipped]) -> None:
    from tfimpute_tracks.interpret.signature_tables import skipped_table
    from tfimpute_tracks.storage.dataframe_io import write_frame

    write_frame(_named(stem, "skipped.tsv"), skipped_table(skipped))


def _named(stem: Path, ending: str) -> Path:
    return stem.with_name(f"{stem.name}.{ending}")


def _write_tables(
    job: EnhancerJob, scored: Scored, judged: Judged, stem: Path, form: str
) -> list[Path]:
    from tfimpute_tracks.interpret import signature_tables as tables
    from tfimpute_tracks.storage.dataframe_io import write_frame

    made = {
        f"scores.{form}": tables.score_table(job, scored),
        "signature.tsv": tables.signature_table(scored, judged),
        "loadings.tsv": tables.loading_table(job, judged),
        "components.tsv": tables.component_table(judged),
    }
    if judged.cells:
        made["cells.tsv"] = tables.cell_table(job, judged)
        made["regression.tsv"] = tables.regression_table(job, judged)
    for ending, table in made.items():
        write_frame(_named(stem, ending), table)
    return [_named(stem, ending) for ending in (*made, "skipped.tsv")]


def _draw(job: EnhancerJob, judged: Judged, stem: Path) -> list[Path]:
    import numpy as np

    from tfimpute_tracks.plots.enhancers import (
        Association,
        CellExtremes,
        association_figure,
        extremes_figure,
    )
    from tfimpute_tracks.plots.style import save_figure

    ends = [
        CellExtremes(
            job.cells[place],
            found.first[judged.bottom],
            found.first[judged.top],
            found.t_p,
            found.u_p,
        )
        for place in (0, *judged.spread_controls(_DRAWN))
        for found in [judged.cells[place]]
    ]
    known = judged.known
    going = Association(
        job.cells,
        np.array([found.rho for found in judged.cells]),
        np.array([found.r2 for found in judged.cells]),
        judged.cells[0].first[known],
        judged.activities[known],
    )
    title = f"{stem.name}, model {job.model.name}"
    files = []
    for ending, figure in (
        ("extremes.svg", extremes_figure(ends, title)),
        ("activity.svg", association_figure(going, title)),
    ):
        files.append(_named(stem, ending))
        save_figure(figure, files[-1], title)
    return files


def _result(
    job: EnhancerJob, scored: Scored, judged: Judged, skipped: list[Skipped]
) -> dict[str, Any]:
    """Give what is printed, as JSON has it."""
    from tfimpute_tracks.interpret.signature_tables import cell_table, places

    counts: dict[str, Counter[str]] = {"element": Counter(), "activity": Counter()}
    for one in skipped:
        counts[one.what][one.reason] += 1
    result = {
        "scored": len(scored.elements),
        "skipped": dict(counts["element"]),
        "cell": job.cells[0],
        "values": job.values,
        "variance_explained": judged.signature.variance.round(6).tolist(),
    }
    if not judged.cells:
        return result
    records = cell_table(job, judged).to_dict(orient="records")
    return {
        **result,
        "not_compared": dict(counts["activity"]),
        "extremes": len(judged.top),
        "cells": [
            {key: None if value != value else value for key, value in record.items()}
            for record in records
        ],
        "places": places(judged.cells),
    }


def _tell(job: EnhancerJob, judged: Judged, result: dict[str, Any]) -> None:
    for what in ("skipped", "not_compared"):
        done = "scored" if what == "skipped" else "compared"
        for reason, n in result.get(what, {}).items():
            log(f"{n:,} not {done}: {reason}", warning=True)
    share = result["variance_explained"][0]
    print_result(
        f"{result['scored']:,} elements scored, {sum(result['skipped'].values()):,} "
        f"not; the first component holds {share:.1%} of the variance of the "
        f"{job.values} of {len(job.model.tfs)} TFs in {job.cells[0]}"
    )
    if not judged.cells:
        return
    records = result["cells"]
    shown = [records[place] for place in (0, *judged.spread_controls(_DRAWN))]
    show_table(
        "",
        ["cell line", "t", "p", "AUC", "p", "rho", "p", "R2", "of components"],
        [
            [
                record["cell"],
                *(_number(record[name], form) for name, form in _PRINTED),
                record["components"],
            ]
            for record in shown
        ],
    )
    n = len(records)
    found = result["places"]
    print_result(
        f"of {n} cell lines {job.cells[0]} is number {found['t']} by t, {found['auc']} "
        f"by U, {found['spearman']} by Spearman's rho and {found['cv_r2']} by the "
        f"cross-validated R2; {result['extremes']} most and as many least active "
        "elements, p-values two-sided"
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
