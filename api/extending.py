"""One's own TFs and cell lines in a model: inputs, and one call."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from tfimpute_tracks.api.evidence import peak_files
from tfimpute_tracks.api.evidence_choice import choose_evidence
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.progress import ProgressBar, no_progress
from tfimpute_tracks.api.threads import limit_threads
from tfimpute_tracks.api.values import check_ending
from tfimpute_tracks.dataset import read_pairs_table
from tfimpute_tracks.errors import UsageError, counted, listed
from tfimpute_tracks.evidence import read_accessibility
from tfimpute_tracks.genome import open_genome
from tfimpute_tracks.genome.chrom_choice import choose_chroms
from tfimpute_tracks.models import Model, load_model
from tfimpute_tracks.models.loading import has_evidence_weights, read_weights
from tfimpute_tracks.storage import check_output_dir
from tfimpute_tracks.training.extend_fit import ExtendRecipe
from tfimpute_tracks.training.extend_inputs import merge_replicates, read_new_tracks
from tfimpute_tracks.training.extend_run import Extended, ExtendJob, run_extend

__all__ = ["default_test_chroms", "run_extension"]


def run_extension(
    fasta: Path,
    out: Path,
    *,
    pairs_table: Path | None = None,
    accessibility: Path | None = None,
    candidate_sites: Path | None = None,
    model: str | Path = "default",
    evidence: str | Path = "auto",
    test_chroms: str | None = None,
    cache_dir: Path | None = None,
    seed: int = 0,
    overwrite: bool = False,
    threads: int | str = "max",
    progress: ProgressBar = no_progress,
) -> Extended:
    """Add TFs and cell lines to a model, and write its weights.

    Parameters
    ----------
    fasta : Path
    out : Path
        A `.safetensors` file.
    pairs_table : Path, optional
        Tab-separated table of tracks: tf, cell, bed. Peaks of the rows of one pair, which
        a column `replicate` distinguishes, are merged.
    accessibility : Path, optional
        The same of open chromatin: cell, bed.
    candidate_sites : Path, optional
        BED of open chromatin, the background of the peaks.
    model : str or Path
    evidence : str or Path
        `auto`, `none`, or a file.
    test_chroms : str, optional
        Comma-separated; by default those of the model.
    cache_dir : Path, optional
    seed : int
    overwrite : bool
    threads : int or "max"
    progress : ProgressBar

    Returns
    -------
    Extended

    Raises
    ------
    UsageError, InputFileError, OutputError
        A value is invalid, a file cannot be read, or the weights exist.
    """
    import torch

    if pairs_table is None and accessibility is None:
        raise UsageError("nothing to add; use --pairs-table, --accessibility, or both")
    check_ending(out, ".safetensors")
    if out.exists() and not overwrite:
        raise UsageError(f"{out} exists; use another -o, or --overwrite to replace it")
    check_output_dir(out.parent)
    before = torch.get_num_threads()
    with (
        limit_threads(threads) as n_threads,
        TemporaryDirectory(prefix="tfimpute-tracks-") as merged,
    ):
        torch.set_num_threads(n_threads)
        try:
            recipe = ExtendRecipe(seed=seed)
            loaded = load_model(model)
            files = []
            if pairs_table:
                files = peak_files(read_pairs_table(pairs_table, with_roles=False))
            opened = read_accessibility(accessibility) if accessibility else []
            files, opened = (
                merge_replicates(some, Path(merged), log) for some in (files, opened)
            )
            new = read_new_tracks(loaded, files, opened)
            n_known = len(files) + len(opened) - len(new.files)
            if n_known:
                log(
                    f"left out {counted(n_known, 'track')} of names that {loaded.name} knows; "
                    "`tfimpute-tracks evidence build` makes evidence of them"
                )
            with open_genome(fasta, cache_dir, log) as genome:
                chosen = default_test_chroms(loaded)
                if test_chroms:
                    chosen = choose_chroms([test_chroms], genome.chrom_sizes)
                sizes, name = genome.chrom_sizes, str(fasta)
                job = ExtendJob(
                    choose_evidence(loaded, model, evidence, sizes, name),
                    read_weights(model) if has_evidence_weights(model) else None,
                    new,
                    candidate_sites,
                    tuple(chosen),
                    out,
                )
                log(f"adding {listed([*new.tfs, *new.cells])} to {loaded.name}")
                with progress("extend", 2 * recipe.steps, "steps") as advance:
                    return run_extend(job, genome, recipe, advance, log)
        finally:
            torch.set_num_threads(before)


def default_test_chroms(model: Model) -> list[str]:
    """Return the test chromosomes of a model.

    Parameters
    ----------
    model : Model

    Returns
    -------
    list of str
    """
    return list((model.card.get("hold_out") or {}).get("test", []))
