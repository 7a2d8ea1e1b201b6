"""`card`: complete the card of a trained model, for every pair that it predicts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, show_json

__all__ = ["card"]


def card(
    model: Annotated[
        str, typer.Argument(help="Model: a bundled name or a .safetensors file.")
    ],
    data: options.Data,
    held_out_model: Annotated[
        str | None,
        typer.Option(
            help="Model of the same kind that was trained without some pairs. They show "
            "what to expect of unmeasured pairs. Default: the model itself."
        ),
    ] = None,
    fasta: Annotated[
        Path | None,
        typer.Option(
            "-g", "--fasta", help="FASTA or .2bit file, for the section genome."
        ),
    ] = None,
    pairs_table: Annotated[
        Path | None,
        typer.Option(help="Pairs table of the data set, for the section genome."),
    ] = None,
    chrom: Annotated[
        str, typer.Option(help="Chromosome to scan for the section genome.")
    ] = "chr20",
    evidence: Annotated[
        str | None,
        typer.Option(
            "-e",
            "--evidence",
            help="Complete the card of the model's evidence weights instead: the "
            "section genome, scanned with these tracks.",
        ),
    ] = None,
    sections: Annotated[
        str | None,
        typer.Option(
            help="Sections to compute, comma-separated: calibration, fdr (thresholds of "
            "unmeasured pairs), genome (FDR along --chrom), expected (AUROC of every "
            "pair). Default: calibration, fdr, expected, and genome with --fasta."
        ),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(
            min=2, help="Number of auxiliary models for the section expected."
        ),
    ] = 3,
    epochs: Annotated[
        int,
        typer.Option(
            min=1, help="Passes over the data when an auxiliary model is trained."
        ),
    ] = 4,
    auxiliary_chroms: Annotated[
        str | None,
        typer.Option(
            help="Chromosomes to train auxiliary models on, comma-separated; fewer take "
            "less time. Default: the training chromosomes of the model."
        ),
    ] = None,
    work_dir: Annotated[
        Path | None,
        typer.Option(
            help="Folder of auxiliary models, from which an interrupted run "
            "resumes. Default: a folder next to the card."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", help="Card to write. Default: replace that of the model."
        ),
    ] = None,
    threads: options.Threads = "max",
    as_json: options.Json = False,
) -> None:
    """Complete a model card: calibration, FDR and expected AUROC of unmeasured pairs."""
    from tfimpute_tracks.api.cards import complete_model_card

    done = complete_model_card(
        model,
        data,
        held_out_model=held_out_model,
        fasta=fasta,
        pairs_table=pairs_table,
        chrom=chrom,
        evidence=evidence,
        sections=sections,
        seeds=seeds,
        epochs=epochs,
        auxiliary_chroms=auxiliary_chroms,
        work_dir=work_dir,
        out=out,
        threads=threads,
    )
    _show(done.card, done.file, as_json)


def _show(card: dict[str, Any], path: Path, as_json: bool) -> None:
    """Print the metrics of unmeasured pairs."""
    expected, fdr = card.get("expected", {}), card.get("fdr", {})
    imputed = fdr.get("imputed", {})
    if as_json:
        kept = {
            metric: {k: v for k, v in section.items() if k != "rows"}
            for metric, section in expected.items()
        }
        shifts = {k: v for k, v in imputed.items() if k != "levels_reached"}
        calibration = {
            k: v for k, v in card.get("calibration", {}).items() if k != "priors"
        }
        summary = {"calibration": calibration, "imputed": shifts, "expected": kept}
        show_json(summary | {"genome": fdr.get("genome"), "file": str(path)})
        return
    for metric, section in expected.items():
        print_result(
            f"expected {metric.replace('_', ' ')}: fitted to {section['n_pairs']} pairs"
        )
        for kind, check in section["check"].items():
            print_result(
                f"  {kind}: {check['inside']:.0%} of {check['pairs']} pairs inside the "
                f"interval of {section['coverage']:.0%}"
            )
    for level, shift in imputed.get("shifts", {}).items():
        found = imputed["test"][level]["mean"]
        if shift is not None and found is not None:
            print_result(
                f"FDR {level}: unmeasured pairs score {shift:g} above their threshold; "
                f"FDR {found:.3f} at test sites"
            )
    for name, section in (("measured", fdr), ("unmeasured", imputed)):
        genome = section.get("genome", {})
        if genome and genome["peak_fdr"]["mean"] is not None:
            print_result(
                f"{genome['chrom']}, {name} pairs: peak FDR "
                f"{genome['peak_fdr']['mean']:.3f}, recall "
                f"{genome['peak_recall']['mean']:.3f}"
            )
    print_result(str(path))
