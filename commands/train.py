"""`train`: train a model on a prepared data set."""

from __future__ import annotations

import math
import shlex
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, progress_bar, show_json
from tfimpute_tracks.errors import UsageError, WriteError

if TYPE_CHECKING:
    from pathlib import Path

    from tfimpute_tracks.dataset import Dataset, HoldOut
    from tfimpute_tracks.models import Model
    from tfimpute_tracks.models.config import NetworkConfig
    from tfimpute_tracks.training import Progress, Recipe, TrainingJob, TrainingRun

__all__ = ["train"]

_OWN = ("epochs", "batch_size", "learning_rate", "seed")  # of a recipe, as options
_PAPER_RATE = 240  # instances/s: 10 epochs of 6.8 M instances in 80 h on a GTX 970


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
    from tfimpute_tracks.api.threads import set_threads
    from tfimpute_tracks.commands.context_report import check_sequence_length
    from tfimpute_tracks.commands.initial_weights import load_initial, start_from
    from tfimpute_tracks.engines.engine import pick_device
    from tfimpute_tracks.storage import check_writable_dir
    from tfimpute_tracks.training import TrainingJob

    own = dict(zip(_OWN, (epochs, batch_size, learning_rate, seed), strict=True))
    initial = load_initial(init_from, freeze_trunk, keep_vocabulary)
    name, config, changed = _settings(preset, initial, network, recipe, own)
    device = pick_device(device)
    set_threads(threads)
    check_writable_dir(out_dir)
    dataset, build = _open(data, assembly)
    check_sequence_length(name, config, dataset)
    job = TrainingJob(
        out_dir,
        tuple(roles.split(",")),
        device,
        resume,
        tuple(test_chroms.split(",")),
        tuple(valid_chroms.split(",")),
        hold_out=hold_out,
        init_from=initial.checkpoint if initial else None,
        freeze_trunk=freeze_trunk,
        warn=lambda line: log(line, warning=True),
    )
    _check_not_started(job)
    log(f"{name}: {config}, {changed}, device {device}")
    dataset, start = start_from(initial, dataset, job, changed, keep_vocabulary)
    run = _train(dataset, config, changed, job)
    held_out = job.held_out(changed.seed)
    given = {
        "data": data.name,
        "out-dir": out_dir.name,
        "preset": None if initial and not preset else name,
        "roles": roles,
        "network": network,
        "recipe": recipe,
        "init-from": init_from,
        "assembly": assembly,
        "freeze-trunk": freeze_trunk,
        "keep-vocabulary": keep_vocabulary,
    }
    facts = {
        "name": name,
        "build": build,
        "recipe": changed.to_dict(),
        "roles": list(job.roles),
        "hold_out": held_out.to_dict(),
        "reproduce": _command(given, changed, held_out),
    }
    metrics, files = _export(out_dir, run, dataset, {**facts, **start})
    if as_json:
        show_json({"metrics": metrics, "weights": str(files[0])})
    else:
        _show(metrics, held_out.describe("test"), files)


def _open(data: Path, assembly: str | None) -> tuple[Dataset, str]:
    """Open a data set, and name the assembly of its sites."""
    from tfimpute_tracks.dataset import open_dataset
    from tfimpute_tracks.genome import name_assembly

    dataset = open_dataset(data)
    sizes = dict(zip(dataset.chroms, dataset.chrom_sizes, strict=True))
    return dataset, name_assembly(assembly, sizes, {}) or "unknown"


def _check_not_started(job: TrainingJob) -> None:
    """Refuse the folder of an earlier run, unless that is resumed."""
    weights = job.out_dir / "model.safetensors"
    if not job.resume and (job.state_path.exists() or weights.exists()):
        raise UsageError(
            f"{job.out_dir} contains an earlier run; add --resume to continue it, or "
            "use another --out-dir"
        )


def _train(
    dataset: Dataset, config: NetworkConfig, recipe: Recipe, job: TrainingJob
) -> TrainingRun:
    """Train with a progress bar; log the gain from neighboring tiles, where measured."""
    from tfimpute_tracks.training import train_model

    split = job.held_out(recipe.seed).split(dataset)
    n_steps = recipe.epochs * -(-len(split.train) // recipe.batch_size)
    with progress_bar("train", n_steps, "steps") as advance:
        done = 0

        def report(progress: Progress) -> None:
            nonlocal done
            rate = progress.instances_per_second
            note = (
                f"epoch {progress.epoch} loss {progress.loss:.3f} {rate:,.0f} "
                "instances/s"
            )
            advance(progress.step - done, note)
            done = progress.step

        run = train_model(dataset, config, recipe, job, report, _log_epoch)
    if run.context:
        log(
            f"context: AUROC {run.context.auroc:.4f} with neighboring tiles, "
            f"{run.context.auroc_single_tile:.4f} without; {run.context.n_pairs} pairs "
            f"on {run.context.n_sites:,} {run.context.part} sites"
        )
    return run


def _export(
    out_dir: Path, run: TrainingRun, dataset: Dataset, facts: dict[str, Any]
) -> tuple[dict[str, Any], list[Path]]:
    """Write weights, card, log and curves; return the card's metrics and the files."""
    from tfimpute_tracks.training import draw_curves, export_run, write_log

    weights = out_dir / "model.safetensors"
    n_cells = len(dataset.vocabulary.cells)
    with progress_bar("thresholds", n_cells, "cell lines") as advance:
        card = export_run(weights, run, dataset, facts, lambda n: advance(n, ""))
    files = [weights, weights.with_suffix(".json")]
    try:
        write_log(out_dir / "log.jsonl", run.history)
        files += [out_dir / "log.jsonl"]
        files += draw_curves(out_dir / "curves", run.history)
    except WriteError as error:  # the weights are what was asked for
        log(f"log and curves are incomplete: {error}", warning=True)
    return card["metrics"], files


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


def _command(given: dict[str, Any], recipe: Recipe, held_out: HoldOut) -> str:
    """Return the command that makes the same model again."""
    values = {
        **{name: value for name, value in given.items() if value},
        **{name.replace("_", "-"): getattr(recipe, name) for name in _OWN},
        **_hold_out_options(held_out),
    }
    return "tfimpute-tracks train " + " ".join(
        f"--{name}" + ("" if value is True else f" {shlex.quote(str(value))}")
        for name, value in values.items()
    )


def _hold_out_options(held_out: HoldOut) -> dict[str, str]:
    """Return the options that choose a hold-out scheme; none for the default."""
    from tfimpute_tracks.dataset import HoldOut, hold_out_options

    if held_out.to_dict() == HoldOut().to_dict():
        return {}
    return hold_out_options(held_out.to_dict())


def _settings(
    preset: str | None,
    initial: Model | None,
    network: str | None,
    recipe: str | None,
    own: dict[str, Any],
) -> tuple[str, NetworkConfig, Recipe]:
    """Return the preset, its network and its recipe, with the changes asked for."""
    from tfimpute_tracks.models.registry import find_preset
    from tfimpute_tracks.training import Recipe

    name = preset or (_preset_of(initial.config) if initial else "default")
    found = find_preset(name)
    config = initial.config if initial and not preset else found.config
    sizes = _changes("--network", network, asdict(config))
    numbers = asdict(Recipe(**found.recipe))
    numbers |= {name: value for name, value in own.items() if value is not None}
    # Excluded: parameters with an option of their own, and those that are not numbers.
    free = {
        name: value
        for name, value in numbers.items()
        if name not in own and type(value) in (int, float)
    }
    numbers |= _changes("--recipe", recipe, free)
    return name, replace(config, **sizes), Recipe(**numbers)


def _preset_of(config: NetworkConfig) -> str:
    """Find the preset of a network, or the first one of its family."""
    from tfimpute_tracks.models import presets

    found = presets()
    same = [name for name, preset in found.items() if preset.config == config]
    family = [
        name for name, preset in found.items() if preset.config.family == config.family
    ]
    return (same + family + ["default"])[0]


def _changes(option: str, text: str | None, before: dict[str, Any]) -> dict[str, Any]:
    """Parse "name=number,name=number"; a number keeps the type of the default."""
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


def _log_epoch(metrics: dict[str, Any]) -> None:
    names = {"auroc_trained": "trained pairs", "auroc_valid2": "held-out pairs"}
    aurocs = [
        f"{name} {metrics[key]:.4f}" for key, name in names.items() if key in metrics
    ]
    log(
        f"epoch {metrics['epoch']}: loss {metrics['loss']:.4f}, AUROC on validation "
        f"sites: {', '.join(aurocs) or 'none'}; {metrics['rate']:,.0f} instances/s, "
        f"{metrics['rate'] / _PAPER_RATE:,.0f} x the paper's"
    )
