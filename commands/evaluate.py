"""`evaluate`: how well a model ranks bound sites above unbound ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, show_json
from tfimpute_tracks.commands.tables import show_table

__all__ = ["evaluate"]


def evaluate(
    data: options.Data,
    model: options.ModelName = "default",
    evidence: options.Evidence = "none",
    pair_set: Annotated[
        str,
        typer.Option(help="Roles of the pairs: base, valid2, test3, test2."),
    ] = "base,valid2,test3",
    site_set: Annotated[
        str, typer.Option(help="Sites: test, valid or train.")
    ] = "test",
    max_sites: Annotated[
        int,
        typer.Option(min=0, help="Maximum number of sites, drawn at random. 0: all."),
    ] = 0,
    hold_out: options.HoldOutScheme = "chromosomes",
    test_chroms: options.TestChroms = "chr20",
    valid_chroms: options.ValidChroms = "chr22",
    genome_bins: Annotated[
        str | None,
        typer.Option(
            help="Also evaluate whole test chromosomes in bins of these widths in bp, "
            "such as 300,1000. Needs --fasta and --pairs-table."
        ),
    ] = None,
    fasta: options.Fasta = None,
    pairs_table: Annotated[
        Path | None,
        typer.Option(
            "--pairs-table", help="Pairs table with the peaks for --genome-bins."
        ),
    ] = None,
    bootstrap: Annotated[
        int,
        typer.Option(
            min=0,
            help="Number of bootstrap samples of 1-Mb blocks, for confidence "
            "intervals; 0: none.",
        ),
    ] = 500,
    permutations: Annotated[
        int,
        typer.Option(
            min=0,
            help="Number of label permutations, for the negative control; 0: none.",
        ),
    ] = 5,
    seed: options.Seed = 0,
    out_dir: options.OutDir = Path("evaluation-out"),
    threads: options.Threads = "max",
    as_json: options.Json = False,
) -> None:
    """Evaluate a model at labeled sites: metrics, intervals, controls, a report."""
    from tfimpute_tracks.api.evaluating import run_evaluate

    done = run_evaluate(
        data,
        model=model,
        evidence=evidence,
        pair_set=pair_set,
        site_set=site_set,
        max_sites=max_sites,
        hold_out=hold_out,
        test_chroms=test_chroms,
        valid_chroms=valid_chroms,
        genome_bins=genome_bins,
        fasta=fasta,
        pairs_table=pairs_table,
        bootstrap=bootstrap,
        permutations=permutations,
        seed=seed,
        out_dir=out_dir,
        threads=threads,
    )
    if as_json:
        show_json(done.metrics)
        return
    for title, table in done.tables:
        show_table(title, list(table.columns), [list(row) for row in table.rows])
    print_result(" ".join(map(str, done.files)))
