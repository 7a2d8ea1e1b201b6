"""`train`: weights and their card from a prepared data set."""

from __future__ import annotations

import math
import shlex
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, progress_bar, show_json
from tfimpute_tracks.errors import UsageError

if TYPE_CHECKING:
    from tfimpute_tracks.dataset import HoldOut

__all__ = ["train"]

_PAPER_RATE = 240  # instances/s: 10 epochs of 6.8 M instances in 80 h on a GTX 970


def train(
    data: options.Data,
    out_dir: options.OutDir,
    preset: Annotated[
        str,
        typer.Option(
            help="Network and recipe: default, deep, gru, paper, paper-random."
        ),
    ] = "default",
    roles: Annotated[
        str, typer.Option(help="Roles of the pairs to learn from, comma-separated.")
    ] = "base",
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the data.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Sequences per step.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(min=0, help="Of all but the filters.")
    ] = None,
    network: Annotated[
        str | None, typer.Option(help='Sizes to change: "n_filters=256,pool=50".')
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help='Other numbers of the recipe to change: "dropout=0.2,masked_bases=30".'
        ),
    ] = None,
    init_from: Annotated[
        str | None,
        typer.Option(
            help="Model, by name or file, whose weights to start from; those of "
            "another shape start at random."
        ),
    ] = None,
    seed: options.Seed = 0,
    hold_out: options.HoldOutScheme = "chromosomes",
    test_chroms: options.TestChroms = "chr20",
    valid_chroms: options.ValidChroms = "chr22",
    build: Annotated[str, typer.Option(help="Name of the genome build.")] = "hg19",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a killed run stopped.")
    ] = False,
    threads: options.Threads = "max",
    device: options.Device = "auto",
    as_json: options.Json = False,
) -> None:
    """Fit a model: each sequence is read once and teaches all its labelled pairs."""
    from tfimpute_tracks.commands.context_report import check_sequence_length
    from tfimpute_tracks.commands.inputs import set_threads
    from tfimpute_tracks.dataset import open_dataset
    from tfimpute_tracks.engines.engine import pick_device
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_writable_dir
    from tfimpute_tracks.training import (
        TrainingJob,
        draw_curves,
        export_run,
        train_model,
        write_log,
    )

    own = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
    }
    config, taught = _settings(preset, network, recipe, own)
    place = pick_device(device)
    set_threads(threads)
    check_writable_dir(out_dir)
    first = load_model(init_from).checkpoint if init_from else None
    dataset = open_dataset(data)
    check_sequence_length(preset, config, dataset)
    job = TrainingJob(
        out_dir,
        tuple(roles.split(",")),
        place,
        resume,
        tuple(test_chroms.split(",")),
        tuple(valid_chroms.split(",")),
        hold_out=hold_out,
        init_from=first,
    )
    weights = out_dir / "model.safetensors"
    if not resume and (job.state_path.exists() or weights.exists()):
        raise UsageError(
            f"{out_dir} holds an earlier run; add --resume to go on with it, or give "
            "another --out-dir"
        )
    log(f"{preset}: {config}, {taught}, device {place}")
    kept = job.held_out(taught.seed)
    split = kept.split(dataset)
    n_steps = taught.epochs * -(-len(split.train) // taught.batch_size)
    with progress_bar("train", n_steps, "steps") as advance:
        done = 0

        def report(progress: Any) -> None:
            nonlocal done
            rate = progress.instances_per_second
            note = (
                f"epoch {progress.epoch} loss {progress.loss:.3f} {rate:,.0f} "
                "instances/s"
            )
            advance(progress.step - done, note)
            done = progress.step

        run = train_model(dataset, config, taught, job, report, _log_epoch)
    if run.context:
        log(
            f"context: AUROC {run.context.auroc:.4f} with neighboring tiles, "
            f"{run.context.auroc_single_tile:.4f} without; {run.context.n_pairs} pairs "
            f"on {run.context.n_sites:,} {run.context.part} sites"
        )
    again = {
        "data": data.name,
        "out-dir": out_dir.name,
        "preset": preset,
        "roles": roles,
        "epochs": taught.epochs,
        "batch-size": taught.batch_size,
        "learning-rate": taught.learning_rate,
        "seed": seed,
        **_kept_options(kept),
        **({"network": network} if network else {}),
        **({"recipe": recipe} if recipe else {}),
        **({"init-from": init_from} if init_from else {}),
    }
    n_cells = len(dataset.vocabulary.cells)
    with progress_bar("thresholds", n_cells, "cell lines") as advance:
        facts = {
            "name": preset,
            "build": build,
            "recipe": taught.to_dict(),
            "roles": list(job.roles),
            "hold_out": kept.to_dict(),
            "reproduce": "tfimpute-tracks train "
            + " ".join(f"--{n} {shlex.quote(str(v))}" for n, v in again.items()),
        }
        card = export_run(weights, run, dataset, facts, lambda n: advance(n, ""))
    write_log(out_dir / "log.jsonl", run.history)
    curves = draw_curves(out_dir / "curves", run.history)
    if as_json:
        show_json({"metrics": card["metrics"], "weights": str(weights)})
        return
    for role, figures in card["metrics"].items():
        ours, mean = (
            "-" if figures[name] is None else f"{figures[name]:.4f}"
            for name in ("auroc", "tf_mean_auroc")
        )
        print_result(
            f"{role}: AUROC {ours}, mean of the TF {mean}, {figures['pairs']} pairs, "
            f"sites of {kept.describe('test')}"
        )
    files = [weights, weights.with_suffix(".json"), out_dir / "log.jsonl", *curves]
    print_result(" ".join(map(str, files)))


def _kept_options(kept: HoldOut) -> dict[str, str]:
    """Give the options of a way to keep sites, none where it is the default."""
    from tfimpute_tracks.dataset import HoldOut, hold_out_options

    if kept.to_dict() == HoldOut().to_dict():
        return {}
    return hold_out_options(kept.to_dict())


def _settings(
    preset: str, network: str | None, recipe: str | None, own: dict[str, Any]
) -> tuple[Any, Any]:
    from tfimpute_tracks.models.registry import find_preset
    from tfimpute_tracks.training import Recipe

    found = find_preset(preset)
    sizes = _changes("--network", network, asdict(found.config))
    numbers = asdict(Recipe(**found.recipe))
    numbers |= {name: value for name, value in own.items() if value is not None}
    # What has an option of its own, or is a word, is not changed here.
    free = {
        name: value
        for name, value in numbers.items()
        if name not in own and type(value) in (int, float)
    }
    numbers |= _changes("--recipe", recipe, free)
    return replace(found.config, **sizes), Recipe(**numbers)


def _changes(option: str, text: str | None, before: dict[str, Any]) -> dict[str, Any]:
    """Read "name=number,name=number"; each number is of the kind it was before."""
    changes: dict[str, Any] = {}
    for change in filter(None, (text or "").split(",")):
        name, _, value = (part.strip() for part in change.partition("="))
        try:
            number = type(before[name])(value)
        except (KeyError, ValueError):
            number = None
        if number is None or not 0 <= number < math.inf:
            raise UsageError(
                f"{option} {change!r}; write name=number with a name of "
                f"{', '.join(before)}"
            )
        changes[name] = number
    return changes


def _log_epoch(figures: dict[str, Any]) -> None:
    names = {"auroc_trained": "trained pairs", "auroc_valid2": "held-out pairs"}
    aurocs = [
        f"{name} {figures[key]:.4f}" for key, name in names.items() if key in figures
    ]
    log(
        f"epoch {figures['epoch']}: loss {figures['loss']:.4f}, AUROC on validation "
        f"sites: {', '.join(aurocs) or 'none'}; {figures['rate']:,.0f} instances/s, "
        f"{figures['rate'] / _PAPER_RATE:,.0f} x the paper's"
    )
