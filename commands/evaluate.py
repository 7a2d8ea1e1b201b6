"""`evaluate`: how well a model ranks bound sites above unbound ones."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, show_json, show_table
from tfimpute_tracks.errors import UsageError

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
    from tfimpute_tracks.api.evidence_choice import choose_evidence
    from tfimpute_tracks.api.inputs import choose_genome
    from tfimpute_tracks.api.threads import set_threads
    from tfimpute_tracks.commands.context_report import check_sequence_length
    from tfimpute_tracks.comparison.chromosome import parse_widths
    from tfimpute_tracks.comparison.evaluation import (
        EvaluationJob,
        GenomeBins,
        run_evaluation,
    )
    from tfimpute_tracks.dataset import HoldOut, open_dataset
    from tfimpute_tracks.evaluation.result import EvaluationSettings
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_writable_dir

    n_threads = set_threads(threads)
    chroms = tuple(test_chroms.split(",")), tuple(valid_chroms.split(","))
    split = HoldOut(hold_out, *chroms, seed)
    widths = tuple(parse_widths(genome_bins)) if genome_bins is not None else ()
    if widths and hold_out != "chromosomes":
        raise UsageError(
            f"--genome-bins evaluates whole chromosomes, and --hold-out {hold_out} holds "
            "out none; use --hold-out chromosomes, or no --genome-bins"
        )
    if widths and (fasta is None or pairs_table is None):
        missing = "--fasta" if fasta is None else "--pairs-table"
        raise UsageError(
            f"--genome-bins needs {missing}: bins lie along the chromosomes of a FASTA "
            "file, and their labels are the peaks of a pairs table"
        )
    loaded = load_model(model)
    check_writable_dir(out_dir)
    dataset = open_dataset(data)
    sizes = dict(zip(dataset.chroms, dataset.chrom_sizes, strict=True))
    loaded = choose_evidence(loaded, model, evidence, sizes, str(data))
    check_sequence_length(loaded.name, loaded.config, dataset)
    bins = None
    if widths and pairs_table is not None:
        bins = GenomeBins(widths, choose_genome(fasta, loaded, None), pairs_table)
    settings = EvaluationSettings(bootstrap, permutations, seed=seed)
    job = EvaluationJob(
        loaded,
        dataset,
        split,
        pair_set,
        site_set,
        max_sites,
        settings,
        bins,
        n_threads,
    )
    done = run_evaluation(job, out_dir, log, partial(log, warning=True))
    if as_json:
        show_json(done.metrics)
        return
    for title, table in done.tables:
        show_table(title, list(table.columns), [list(row) for row in table.rows])
    print_result(" ".join(map(str, done.files)))
