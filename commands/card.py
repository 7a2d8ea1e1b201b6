"""`card`: complete the card of a trained model, for every pair that it predicts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, show_json
from tfimpute_tracks.errors import UsageError

if TYPE_CHECKING:
    from tfimpute_tracks.models import Model

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
    from tfimpute_tracks.api.threads import set_threads
    from tfimpute_tracks.dataset import open_dataset
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_output_dir, write_json
    from tfimpute_tracks.training.card import (
        SECTIONS,
        CardInputs,
        complete_card,
        complete_evidence_card,
    )
    from tfimpute_tracks.training.expected_auroc import AuxiliarySettings
    from tfimpute_tracks.training.genome_fdr import open_measured

    if (fasta is None) != (pairs_table is None):
        raise UsageError("--fasta and --pairs-table are needed together")
    n_threads = set_threads(threads)
    loaded = load_model(model, evidence)
    reference = load_model(held_out_model, evidence) if held_out_model else loaded
    path = out or _card_path(model, bool(evidence))
    check_output_dir(path.parent)
    dataset = open_dataset(data)
    measured = None
    if fasta and pairs_table:
        pairs = [pair for m in (loaded, reference) for pair in m.measured_pairs]
        measured = open_measured(fasta, pairs_table, chrom, pairs)
    chroms = tuple((auxiliary_chroms or "").split(",")) if auxiliary_chroms else ()
    folder = work_dir or path.with_suffix(".auxiliary")
    auxiliary = AuxiliarySettings(folder, seeds, epochs, chroms=chroms)
    inputs = CardInputs(loaded, reference, dataset, measured, auxiliary, n_threads)
    if evidence:
        completed = complete_evidence_card(inputs, log)
    else:
        default = [name for name in SECTIONS if name != "genome" or measured]
        wanted = sections.split(",") if sections else default
        completed = complete_card(inputs, wanted, log)
    write_json(path, completed)
    _show(loaded, completed, path, as_json)


def _card_path(model: str, is_evidence: bool) -> Path:
    from tfimpute_tracks.models import weights_path
    from tfimpute_tracks.models.evidence_weights import evidence_path

    weights = weights_path(model)
    return (evidence_path(weights) if is_evidence else weights).with_suffix(".json")


def _show(model: Model, card: dict[str, Any], path: Path, as_json: bool) -> None:
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
