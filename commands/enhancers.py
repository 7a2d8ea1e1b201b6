"""`enhancers`: summarize predicted binding of elements, and compare it with activity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import (
    log,
    print_files,
    print_result,
    progress_bar,
    show_json,
)
from tfimpute_tracks.commands.tables import show_table

if TYPE_CHECKING:
    from tfimpute_tracks.api.enhancers import ComparedElements

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
    from tfimpute_tracks.api.enhancers import compare_elements

    done = compare_elements(
        source,
        out_dir,
        cell=cell,
        activities=activities,
        control_cells=control_cells,
        fasta=fasta,
        model=model,
        components=components,
        n_extremes=n_extremes,
        pca_input=pca_input,
        mask_flanks=mask_flanks,
        table_format=table_format,
        seed=seed,
        threads=threads,
        cache_dir=cache_dir,
        progress=progress_bar,
    )
    if as_json:
        show_json({**done.summary, "files": done.files})
        return
    _report(done)
    print_files(done.files)


def _report(done: ComparedElements) -> None:
    summary = done.summary
    for what, verb in (("skipped", "scored"), ("not_compared", "compared")):
        for reason, n in summary.get(what, {}).items():
            log(f"{n:,} not {verb}: {reason}", warning=True)
    print_result(
        f"{summary['scored']:,} elements scored, {sum(summary['skipped'].values()):,} "
        f"skipped; the first component explains {summary['variance_explained'][0]:.1%} "
        f"of the variance of the {summary['pca_input']} of {done.n_tfs} TFs in "
        f"{summary['cell']}"
    )
    if not done.shown:
        return
    rows = []
    for i in done.shown:
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
        f"{summary['cell']} ranks {ranks['t']} by t, {ranks['auc']} by U, "
        f"{ranks['spearman']} by Spearman's rho and {ranks['cv_r2']} by cross-validated "
        f"R2, of {len(summary['cells'])} cell lines; {summary['extremes']} most active "
        "and as many least active elements, p-values two-sided"
    )
