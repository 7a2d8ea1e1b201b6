"""`compare`: several predictors on the same sites and pairs, in one table."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, show_json, show_table
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
    from tfimpute_tracks.api.context_report import check_sequence_length
    from tfimpute_tracks.api.evidence_choice import choose_evidence
    from tfimpute_tracks.api.threads import set_threads
    from tfimpute_tracks.comparison.comparison import ComparisonJob, run_comparison
    from tfimpute_tracks.comparison.predictors.external import (
        parse_external,
        read_score_table,
    )
    from tfimpute_tracks.comparison.predictors.registry import choose_predictors
    from tfimpute_tracks.dataset import HoldOut, open_dataset
    from tfimpute_tracks.engines.engine import pick_device
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_output_dir

    set_threads(threads)
    chroms = tuple(test_chroms.split(",")), tuple(valid_chroms.split(","))
    split = HoldOut(hold_out, *chroms, seed)
    tables = [parse_external(text) for text in external or []]
    names = [name.strip() for name in predictors.split(",") if name.strip()]
    sources = models or ["held-out"]
    loaded = [load_model(source) for source in sources]
    if names or not tables:  # a wrong name is an error before the data set is read
        choose_predictors(names, loaded)
    place = pick_device(device)
    check_output_dir(out_dir / "scores")
    dataset = open_dataset(data)
    sizes = dict(zip(dataset.chroms, dataset.chrom_sizes, strict=True))
    loaded = [
        choose_evidence(model, source, evidence, sizes, str(data))
        for model, source in zip(loaded, sources, strict=True)
    ]
    used = loaded if names else []
    for model in used:
        check_sequence_length(model.name, model.config, dataset)
    scores = [read_score_table(name, path, dataset.vocabulary) for name, path in tables]
    job = ComparisonJob(
        dataset,
        split,
        choose_predictors(names, loaded, scores),
        used,
        pair_set,
        roles,
        training_sequences,
        max_sites,
        seed,
        place,
    )
    done = run_comparison(job, out_dir, log, partial(log, warning=True))
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
