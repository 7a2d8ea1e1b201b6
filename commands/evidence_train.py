"""`evidence train`: weights that condition a model on measured tracks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, progress_bar, show_json

__all__ = ["train"]


def train(
    data: options.Data,
    out_dir: options.OutDir,
    evidence: Annotated[
        str,
        typer.Option(
            help="Evidence file that `tfimpute-tracks evidence build` wrote, or "
            "`encode-hg19`, which comes with the package."
        ),
    ],
    model: options.ModelName = "default",
    epochs: Annotated[
        int, typer.Option(min=1, help="Passes over the held-out sites.")
    ] = 40,
    seed: options.Seed = 0,
    reference_card: Annotated[
        str | None,
        typer.Option(
            help="Model of the same kind that was trained without the held-out pairs, "
            "with evidence weights. Its card has the FDR thresholds and expected AUROCs "
            "of unmeasured pairs."
        ),
    ] = None,
    summary: Annotated[
        str | None,
        typer.Option(
            help="Model with evidence weights of the same tracks: their summary of "
            "tracks is used, not trained again."
        ),
    ] = None,
    expression: Annotated[
        list[Path] | None,
        typer.Option(
            help="Table of RNA: a column `tf`, and a column per cell line (TPM). May be "
            "given twice. What to expect of a pair depends on it."
        ),
    ] = None,
    recalibrate: Annotated[
        bool,
        typer.Option(
            "--recalibrate",
            help="Evaluate and calibrate the evidence weights in -o again; no training.",
        ),
    ] = False,
    test_chroms: options.TestChroms = "chr20",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if it exists.")
    ] = False,
    threads: options.Threads = "max",
    as_json: options.Json = False,
) -> None:
    """Train weights that condition a model's predictions on measured peaks."""
    from tfimpute_tracks.api.evidence_training import train_evidence

    done = train_evidence(
        data,
        out_dir,
        evidence,
        model=model,
        epochs=epochs,
        seed=seed,
        reference_card=reference_card,
        summary=summary,
        expression=expression or (),
        recalibrate=recalibrate,
        test_chroms=test_chroms,
        overwrite=overwrite,
        threads=threads,
        progress=progress_bar,
    )
    _show(done.card, as_json, done.files)


def _show(card: dict[str, Any], as_json: bool, files: list[Path]) -> None:
    if as_json:
        show_json({"metrics": card["metrics"], "files": list(map(str, files))})
        return
    for role, means in card["metrics"].items():
        auroc, precision = (
            "-" if means[name] is None else f"{means[name]:.4f}"
            for name in ("auroc", "average_precision")
        )
        print_result(
            f"{role}: AUROC {auroc}, average precision {precision}, "
            f"{means['pairs']} pairs, own tracks hidden"
        )
    print_result(" ".join(map(str, files)))
