"""`compare`: several predictors on the same sites and pairs, in one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, show_json
from tfimpute_tracks.commands.tables import show_table
from tfimpute_tracks.comparison.predictors.registry import predictor_names
from tfimpute_tracks.errors import RunError

__all__ = ["compare"]


def compare(
    data: options.Data,
    predictors: Annotated[
        str,
        typer.Option(help=f"Comma-separated: {', '.join(predictor_names())}."),
    ] = "model,tf-mean,average-activity,motif",
    models: Annotated[
        list[str] | None,
        typer.Option(
            "-m",
            "--model",
            help="Model: a bundled name or a .safetensors file. Repeatable; the "
            "others are compared with the first. Default: held-out.",
        ),
    ] = None,
    evidence: options.Evidence = "none",
    external: Annotated[
        list[str] | None,
        typer.Option(
            help="Scores of another method: NAME=TABLE.tsv, a table with the "
            "columns tf, cell and file (bigWig, BED, bedGraph, narrowPeak). "
            "Repeatable."
        ),
    ] = None,
    pair_set: Annotated[
        str, typer.Option(help="Roles of the pairs to score: base, valid2, test3.")
    ] = "test3",
    roles: Annotated[
        str, typer.Option(help="Roles of the pairs to train on, comma-separated.")
    ] = "base",
    training_sequences: Annotated[
        int,
        typer.Option(
            min=2,
            help="Maximum number of training sequences per TF or pair, half of them "
            "bound.",
        ),
    ] = 2000,
    max_sites: Annotated[
        int,
        typer.Option(
            min=0, help="Maximum number of sites to score, drawn at random. 0: all."
        ),
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
    """Compare predictors at labeled sites: metrics.json, per_pair.tsv, a report."""
    from tfimpute_tracks.api.comparing import compare_predictors

    done = compare_predictors(
        data,
        out_dir,
        predictors=predictors,
        models=models or ["held-out"],
        evidence=evidence,
        external=external or (),
        pair_set=pair_set,
        roles=roles,
        training_sequences=training_sequences,
        max_sites=max_sites,
        seed=seed,
        hold_out=hold_out,
        test_chroms=test_chroms,
        valid_chroms=valid_chroms,
        threads=threads,
        device=device,
    )
    if as_json:
        show_json(done.metrics)
    else:
        show_table(
            done.title, list(done.table.columns), list(map(list, done.table.rows))
        )
        print_result(" ".join(map(str, done.files)))
    if done.errors:
        raise RunError(
            f"{done.errors}; {out_dir} has the results of the others; run the same "
            "command to retry the failed ones"
        )
