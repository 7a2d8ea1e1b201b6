"""`extend`: add TFs and cell lines to a model, from a few tracks of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import (
    log,
    print_result,
    progress_bar,
    show_json,
    show_table,
)
from tfimpute_tracks.errors import UsageError, counted, listed

if TYPE_CHECKING:
    from tfimpute_tracks.evidence import PeakFile
    from tfimpute_tracks.models import Model
    from tfimpute_tracks.training.extend_run import Extended

__all__ = ["default_test_chroms", "extend", "show_similar"]


def extend(
    fasta: Annotated[
        Path, typer.Option("-g", "--fasta", help="FASTA file: plain, bgzip or gzip.")
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Weights to write, .safetensors.")
    ],
    pairs_table: Annotated[
        Path | None,
        typer.Option(
            help="Tab-separated table of your tracks: tf, cell, bed (peak file, relative "
            "to the table). New TFs and cell lines are added to the model."
        ),
    ] = None,
    accessibility: Annotated[
        Path | None,
        typer.Option(
            help="Tab-separated table of ATAC-seq or DNase-seq peaks of new cell lines: "
            "cell, bed."
        ),
    ] = None,
    candidate_sites: Annotated[
        Path | None,
        typer.Option(
            help="BED of open chromatin, the background of the peaks. Default: the sites "
            "that the evidence or --accessibility says are open."
        ),
    ] = None,
    model: options.ModelName = "default",
    evidence: options.Evidence = "auto",
    test_chroms: Annotated[
        str | None,
        typer.Option(
            help="Chromosomes to evaluate at, comma-separated; nothing is fitted to "
            "them. Default: those of the model; where the FASTA has no other, the last "
            "quarter of each chromosome."
        ),
    ] = None,
    cache_dir: options.CacheDir = None,
    seed: options.Seed = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the weights if they exist.")
    ] = False,
    threads: options.Threads = "max",
    as_json: options.Json = False,
) -> None:
    """Add your TFs and cell lines to a model, from one or a few tracks, in minutes."""
    import torch

    from tfimpute_tracks.api.evidence_choice import choose_evidence
    from tfimpute_tracks.api.threads import set_threads
    from tfimpute_tracks.evidence import read_accessibility
    from tfimpute_tracks.genome import open_genome
    from tfimpute_tracks.genome.chrom_choice import choose_chroms
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.models.loading import has_evidence_weights, read_weights
    from tfimpute_tracks.storage import check_writable_dir
    from tfimpute_tracks.training.extend_fit import ExtendRecipe
    from tfimpute_tracks.training.extend_inputs import read_new_tracks
    from tfimpute_tracks.training.extend_run import ExtendJob, run_extend

    if pairs_table is None and accessibility is None:
        raise UsageError("nothing to add; use --pairs-table, --accessibility, or both")
    if out.suffix != ".safetensors":
        raise UsageError(f"-o {out} does not end in .safetensors; a model's name does")
    if out.exists() and not overwrite:
        raise UsageError(f"{out} exists; use another -o, or --overwrite to replace it")
    check_writable_dir(out.parent)
    torch.set_num_threads(set_threads(threads))
    recipe = ExtendRecipe(seed=seed)
    loaded = load_model(model)
    files = _pairs(pairs_table) if pairs_table else []
    opened = read_accessibility(accessibility) if accessibility else []
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
        with progress_bar("extend", 2 * recipe.steps, "steps") as advance:
            found = run_extend(job, genome, recipe, advance, log)
    _show(found, as_json)


def _pairs(path: Path) -> list[PeakFile]:
    from tfimpute_tracks.dataset import read_pairs_table
    from tfimpute_tracks.evidence import PeakFile

    table = read_pairs_table(path, with_roles=False)
    replicates = table.replicates or ("",) * len(table.pairs)
    rows = zip(table.pairs, replicates, table.beds, strict=True)
    return [PeakFile(pair, name, bed) for pair, name, bed in rows]


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


def show_similar(found: Extended) -> None:
    """Log which known cell lines new ones are most like.

    Parameters
    ----------
    found : Extended
    """
    for row in found.record["similar"]:
        near = row["nearest"].items()
        names = ", ".join(f"{name} ({value:.2f})" for name, value in near)
        log(f"the open chromatin of {row['cell']} is most like that of {names}")


def _show(found: Extended, as_json: bool) -> None:
    if as_json:
        show_json(found.record | {"files": list(map(str, found.files))})
        return
    show_similar(found)
    show_table(
        "New pairs: measured ones on test sites, others as expected",
        ["pairs", "number", "AUROC", "average precision"],
        [_table_row(row) for row in found.record["accuracy"]],
    )
    print_result(" ".join(map(str, found.files)))


def _table_row(row: dict[str, Any]) -> list[Any]:
    means = (
        "-" if row[k] is None else f"{row[k]:.3f}"
        for k in ("auroc", "average_precision")
    )
    return [row["pairs"], row["number"], *means]
