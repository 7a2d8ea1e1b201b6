"""A model from a prepared data set: settings, training, and the files of a run."""

from __future__ import annotations

import math
import shlex
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

from tfimpute_tracks.api.context_report import check_sequence_length
from tfimpute_tracks.api.evidence_choice import AUTO
from tfimpute_tracks.api.initial_weights import load_initial, start_from
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.progress import ProgressBar, no_progress
from tfimpute_tracks.api.teacher import ask_teacher, with_teacher
from tfimpute_tracks.api.threads import limit_threads
from tfimpute_tracks.dataset import (
    Dataset,
    HoldOut,
    HoldOutScheme,
    hold_out_options,
    open_dataset,
)
from tfimpute_tracks.engines.engine import pick_device
from tfimpute_tracks.errors import UsageError, WriteError
from tfimpute_tracks.genome import name_assembly
from tfimpute_tracks.models import Model, presets
from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.models.registry import find_preset
from tfimpute_tracks.storage import check_output_dir, remove_leftovers
from tfimpute_tracks.training import (
    Progress,
    Recipe,
    TrainingJob,
    TrainingRun,
    draw_curves,
    export_run,
    train_model,
    write_log,
)
from tfimpute_tracks.training.teacher import remove_labels

__all__ = ["Trained", "run_training"]

_FILES = (
    *("state.safetensors", "model.safetensors", "model.json"),
    *("log.jsonl", "curves.png", "curves.svg"),
)
_OWN = ("epochs", "batch_size", "learning_rate", "seed")  # of a recipe, as options
_PAPER_RATE = 240  # instances/s: 10 epochs of 6.8 M instances in 80 h on a GTX 970


class Trained(NamedTuple):
    """A finished run.

    Attributes
    ----------
    metrics : dict
        By role of the pairs, as the card has them.
    sites : str
        What they were measured on.
    files : list of Path
        The weights first.
    """

    metrics: dict[str, Any]
    sites: str
    files: list[Path]


def run_training(
    data: Path,
    out_dir: Path,
    *,
    preset: str | None = None,
    roles: str = "base",
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    network: str | None = None,
    recipe: str | None = None,
    init_from: str | None = None,
    freeze_trunk: bool = False,
    keep_vocabulary: bool = False,
    teacher: str | None = None,
    evidence: str | Path = AUTO,
    seed: int = 0,
    hold_out: HoldOutScheme = "chromosomes",
    test_chroms: str = "chr20",
    valid_chroms: str = "chr22",
    assembly: str | None = None,
    resume: bool = False,
    threads: int | str = "max",
    device: str = "auto",
    progress: ProgressBar = no_progress,
) -> Trained:
    """Train a model, and write its weights, card, log and curves.

    Parameters
    ----------
    data : Path
        That `tfimpute-tracks prepare` wrote.
    out_dir : Path
    preset : str, optional
        Network and training recipe: default, deep, gru, paper, paper-random. With
        `init_from` the network of that model, if not given.
    roles : str
        Roles of the training pairs, comma-separated.
    epochs, batch_size, learning_rate : optional
        By default as in the recipe.
    network, recipe : str, optional
        Sizes and hyperparameters to change, "name=number,name=number".
    init_from : str, optional
        Model whose weights are the initial ones.
    freeze_trunk, keep_vocabulary : bool
        As the switches of `tfimpute-tracks train`.
    teacher : str, optional
        Model with evidence weights, whose probabilities are learned with the labels.
    evidence : str or Path
        That the teacher reads.
    seed : int
    hold_out : {"chromosomes", "random", "alternating-peaks"}
    test_chroms, valid_chroms : str
        Comma-separated.
    assembly : str, optional
    resume : bool
        Resume an interrupted run.
    threads : int or "max"
    device : str
    progress : ProgressBar

    Returns
    -------
    Trained

    Raises
    ------
    UsageError, InputFileError, WriteError
        A value is invalid, the data set cannot be read, or a file cannot be written.
    """
    with limit_threads(threads):
        own = dict(zip(_OWN, (epochs, batch_size, learning_rate, seed), strict=True))
        initial = load_initial(init_from, freeze_trunk, keep_vocabulary)
        name, config, changed = _settings(preset, initial, network, recipe, own)
        _check_teacher(teacher, evidence, changed)
        device = pick_device(device)
        check_output_dir(out_dir)
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
        remove_leftovers(out_dir, _FILES)  # of a run that was killed
        log(f"{name}: {config}, {changed}, device {device}")
        dataset, start = start_from(initial, dataset, job, changed, keep_vocabulary)
        job = with_teacher(job, teacher, evidence, dataset, changed)
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
            "teacher": teacher,
            "evidence": evidence if teacher and evidence != AUTO else None,
        }
        facts = {
            "name": name,
            "build": build,
            "recipe": changed.to_dict(),
            "roles": list(job.roles),
            "hold_out": held_out.to_dict(),
            "reproduce": _command(given, changed, held_out),
            **start,
            **({"teacher": job.teacher.to_dict()} if job.teacher else {}),
        }
        job = ask_teacher(dataset, config, changed, job, progress)
        run = _train(dataset, config, changed, job, progress)
        metrics, files = _export(out_dir, run, dataset, facts, progress)
        remove_labels(out_dir)
        return Trained(metrics, held_out.describe("test"), files)


def _open(data: Path, assembly: str | None) -> tuple[Dataset, str]:
    """Open a data set, and name the assembly of its sites."""
    dataset = open_dataset(data)
    sizes = dict(zip(dataset.chroms, dataset.chrom_sizes, strict=True))
    return dataset, name_assembly(assembly, sizes, {}) or "unknown"


def _check_teacher(teacher: str | None, evidence: str | Path, recipe: Recipe) -> None:
    """Refuse what would be ignored."""
    if teacher is None and evidence != AUTO:
        raise UsageError(
            f"--evidence {evidence} is what a teacher reads; add --teacher, or leave it out"
        )
    if teacher and not recipe.epochs:
        raise UsageError(
            "0 epochs learn nothing from a teacher; train for 1 epoch or more, or leave "
            "out --teacher"
        )


def _check_not_started(job: TrainingJob) -> None:
    """Refuse the folder of an earlier run, unless that is resumed."""
    weights = job.out_dir / "model.safetensors"
    if not job.resume and (job.state_path.exists() or weights.exists()):
        raise UsageError(
            f"{job.out_dir} contains an earlier run; add --resume to continue it, or "
            "use another --out-dir"
        )


def _train(
    dataset: Dataset,
    config: NetworkConfig,
    recipe: Recipe,
    job: TrainingJob,
    progress_bar: ProgressBar,
) -> TrainingRun:
    """Train with a progress bar; log the gain from neighboring tiles, where measured."""
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
    out_dir: Path,
    run: TrainingRun,
    dataset: Dataset,
    facts: dict[str, Any],
    progress_bar: ProgressBar,
) -> tuple[dict[str, Any], list[Path]]:
    """Write weights, card, log and curves; return the card's metrics and the files."""
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
