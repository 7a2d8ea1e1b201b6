"""How well a model ranks bound sites above unbound ones: inputs, and one call."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tfimpute_tracks.api.context_report import check_sequence_length
from tfimpute_tracks.api.evidence_choice import choose_evidence
from tfimpute_tracks.api.inputs import choose_genome
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.threads import limit_threads
from tfimpute_tracks.comparison.chromosome import parse_widths
from tfimpute_tracks.comparison.evaluation import (
    Evaluation,
    EvaluationJob,
    GenomeBins,
    run_evaluation,
)
from tfimpute_tracks.dataset import HoldOut, HoldOutScheme, open_dataset
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.evaluation.result import EvaluationSettings
from tfimpute_tracks.models import load_model
from tfimpute_tracks.storage import check_output_dir

__all__ = ["run_evaluate"]


def run_evaluate(
    data: Path,
    *,
    out_dir: Path,
    model: str | Path = "default",
    evidence: str | Path = "none",
    pair_set: str = "base,valid2,test3",
    site_set: str = "test",
    max_sites: int = 0,
    hold_out: HoldOutScheme = "chromosomes",
    test_chroms: str = "chr20",
    valid_chroms: str = "chr22",
    genome_bins: str | None = None,
    fasta: Path | None = None,
    pairs_table: Path | None = None,
    bootstrap: int = 500,
    permutations: int = 5,
    seed: int = 0,
    threads: int | str = "max",
) -> Evaluation:
    """Evaluate a model at labeled sites, and write the report.

    Parameters
    ----------
    data : Path
        That `tfimpute-tracks prepare` wrote.
    out_dir : Path
    model : str or Path
    evidence : str or Path
        `none`, `auto`, or a file.
    pair_set : str
        Roles of the pairs, comma-separated.
    site_set : {"test", "valid", "train"}
    max_sites : int
        Sites at most, drawn at random; 0 for all.
    hold_out : {"chromosomes", "random", "alternating-peaks"}
    test_chroms, valid_chroms : str
        Comma-separated.
    genome_bins : str, optional
        Widths in bp, comma-separated: bins along the test chromosomes as well.
    fasta, pairs_table : Path, optional
        The genome and the peaks of these bins.
    bootstrap, permutations : int
        Numbers of samples; 0 for none.
    seed : int
    threads : int or "max"

    Returns
    -------
    Evaluation

    Raises
    ------
    UsageError, InputFileError
        A value is invalid, or the data set cannot be read.
    """
    with limit_threads(threads) as n_threads:
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
        check_output_dir(out_dir)
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
        return run_evaluation(job, out_dir, log, partial(log, warning=True))
