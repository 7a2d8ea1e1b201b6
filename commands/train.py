"""`train`: train a model on a prepared data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, progress_bar, show_json

if TYPE_CHECKING:
    from pathlib import Path


__all__ = ["train"]


def train(
    data: options.Data,
    out_dir: options.OutDir,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Network and training recipe: default, deep, gru, paper, paper-random. "
            "With --init-from the network of that model, if not given."
        ),
    ] = None,
    roles: Annotated[
        str, typer.Option(help="Roles of the training pairs, comma-separated.")
    ] = "base",
    epochs: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Passes over the data; 0 keeps the weights of --init-from, and fits "
            "context and card only. Default: as in the recipe.",
        ),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Sequences per training step.")
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            min=0, help="Peak learning rate, except for filters and dense layers."
        ),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(help='Network sizes to change, such as "n_filters=256,pool=50".'),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="Other hyperparameters of the recipe to change, such as "
            '"dropout=0.2,masked_bases=30".'
        ),
    ] = None,
    init_from: Annotated[
        str | None,
        typer.Option(
            help="Initialize from the weights of this model: a bundled name or a "
            ".safetensors file. TFs and cell lines are matched by name; new ones start "
            "from the mean of all. Layers of another size start at random."
        ),
    ] = None,
    freeze_trunk: Annotated[
        bool,
        typer.Option(
            "--freeze-trunk",
            help="Keep the motif filters and dense layers of --init-from as they are; fit "
            "only what depends on the TF or the cell line.",
        ),
    ] = False,
    keep_vocabulary: Annotated[
        bool,
        typer.Option(
            "--keep-vocabulary",
            help="Keep the TFs and cell lines of --init-from that the data set lacks.",
        ),
    ] = False,
    teacher: Annotated[
        str | None,
        typer.Option(
            help="Also learn the probabilities of this model, which reads --evidence: of "
            "the training pairs, and of pairs without data. A network that reads sequence "
            "learns more from them than from labels alone. Takes 2 bytes of disk per site "
            "and pair while it runs, 0.7 GB for the shipped data.",
        ),
    ] = None,
    evidence: Annotated[
        str,
        typer.Option(
            "-e",
            "--evidence",
            help="Measured peaks that the teacher reads. auto: those that come with the "
            "package, encode-hg19, if the data set is of its genome. Or a file from "
            "`tfimpute-tracks evidence build`.",
        ),
    ] = "auto",
    seed: options.Seed = 0,
    hold_out: options.HoldOutScheme = "chromosomes",
    test_chroms: options.TestChroms = "chr20",
    valid_chroms: options.ValidChroms = "chr22",
    assembly: options.Assembly = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume an interrupted run.")
    ] = False,
    threads: options.Threads = "max",
    device: options.Device = "auto",
    as_json: options.Json = False,
) -> None:
    """Train a model on a prepared data set."""
    from tfimpute_tracks.api.training import run_training

    done = run_training(
        data,
        out_dir,
        preset=preset,
        roles=roles,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        network=network,
        recipe=recipe,
        init_from=init_from,
        freeze_trunk=freeze_trunk,
        keep_vocabulary=keep_vocabulary,
        teacher=teacher,
        evidence=evidence,
        seed=seed,
        hold_out=hold_out,
        test_chroms=test_chroms,
        valid_chroms=valid_chroms,
        assembly=assembly,
        resume=resume,
        threads=threads,
        device=device,
        progress=progress_bar,
    )
    if as_json:
        show_json({"metrics": done.metrics, "weights": str(done.files[0])})
    else:
        _show(done.metrics, done.sites, done.files)


def _show(metrics: dict[str, Any], sites: str, files: list[Path]) -> None:
    for role, means in metrics.items():
        auroc, tf_mean = (
            "-" if means[name] is None else f"{means[name]:.4f}"
            for name in ("auroc", "tf_mean_auroc")
        )
        print_result(
            f"{role}: AUROC {auroc}, mean of the TF {tf_mean}, {means['pairs']} pairs, "
            f"sites of {sites}"
        )
    print_result(" ".join(map(str, files)))
