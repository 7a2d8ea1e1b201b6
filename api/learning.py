"""Learning in Python: train, extend and evaluate models, and what they have learned."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from tfimpute_tracks.api.evidence_choice import AUTO, NONE, check_evidence
from tfimpute_tracks.api.loaded import LoadedModel
from tfimpute_tracks.api.model import Model
from tfimpute_tracks.api.values import (
    MAX_SEED,
    as_path,
    check_choice,
    check_model,
    check_number,
    check_text,
    check_whole,
    join_texts,
    optional_path,
)
from tfimpute_tracks.errors import TRAINING, UsageError, check_packages, shown

if TYPE_CHECKING:
    import pandas as pd

    from tfimpute_tracks.dataset import HoldOutScheme

__all__ = ["embeddings", "evaluate", "extend", "train"]


def train(
    data: str | Path,
    out_dir: str | Path,
    *,
    preset: str | None = None,
    init_from: str | Path | None = None,
    roles: str | Iterable[str] = "base",
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    network: Mapping[str, float] | None = None,
    recipe: Mapping[str, float] | None = None,
    freeze_trunk: bool = False,
    keep_vocabulary: bool = False,
    teacher: str | Path | None = None,
    evidence: str | Path = AUTO,
    hold_out: HoldOutScheme = "chromosomes",
    test_chroms: str | Iterable[str] = "chr20",
    valid_chroms: str | Iterable[str] = "chr22",
    seed: int = 0,
    resume: bool = False,
    threads: int | str = "max",
    device: str = "auto",
) -> Model:
    """Train a model on a prepared data set.

    Parameters
    ----------
    data : str or Path
        Data set that `tfimpute-tracks prepare` wrote.
    out_dir : str or Path
        Receives the weights, the card, the log and the curves.
    preset : str, optional
        Network and training recipe: default, deep, gru, paper, paper-random. With
        `init_from` the network of that model, if not given.
    init_from : str or Path, optional
        A model whose weights are the initial ones.
    roles : str or iterable of str
        Of the training pairs.
    epochs, batch_size, learning_rate : optional
        By default as in the recipe.
    network, recipe : mapping of str to number, optional
        Sizes and hyperparameters to change.
    freeze_trunk : bool
        Keep filters and dense layers of `init_from` as they are.
    keep_vocabulary : bool
        Keep the TFs and cell lines of `init_from` that the data set lacks.
    teacher : str or Path, optional
        A model with evidence weights, whose probabilities are learned with the labels.
    evidence : str or Path
        That the teacher reads.
    hold_out : {"chromosomes", "random", "alternating-peaks"}
    test_chroms, valid_chroms : str or iterable of str
    seed : int
    resume : bool
        Resume an interrupted run.
    threads : int or "max"
    device : str

    Returns
    -------
    Model
        The trained model; ``card["metrics"]`` has its AUROCs.

    Raises
    ------
    UsageError, InputFileError, WriteError
        A value is invalid, the data set cannot be read, or a file cannot be written.

    Examples
    --------
    >>> from tfimpute_tracks import train
    >>> sizes = {"seq_len": 60, "n_filters": 16, "filter_length": 8, "n_units": 2}
    >>> model = train("data.h5", "run", epochs=1, network=sizes)
    >>> sorted(model.card["metrics"])
    ['base', 'test3', 'valid2']
    """
    check_packages("`train`", *TRAINING)
    from tfimpute_tracks.api.training import run_training

    check_text(preset, "preset")
    for size, name, lowest in ((epochs, "epochs", 0), (batch_size, "batch_size", 1)):
        if size is not None:
            check_whole(size, name, lowest)
    if learning_rate is not None:
        check_number(learning_rate, "learning_rate")
    done = run_training(
        as_path(data, "data"),
        as_path(out_dir, "out_dir"),
        preset=preset,
        init_from=None if init_from is None else str(as_path(init_from, "init_from")),
        roles=join_texts(roles, "roles"),
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        network=_changes(network),
        recipe=_changes(recipe),
        freeze_trunk=freeze_trunk,
        keep_vocabulary=keep_vocabulary,
        teacher=None if teacher is None else str(as_path(teacher, "teacher")),
        evidence=evidence
        if evidence in (AUTO, NONE)
        else as_path(evidence, "evidence"),
        resume=resume,
        threads=threads,
        device=str(device),
        **_held_out(hold_out, test_chroms, valid_chroms, seed),
    )
    return Model(done.files[0])


def extend(
    fasta: str | Path,
    out: str | Path,
    *,
    pairs_table: str | Path | None = None,
    accessibility: str | Path | None = None,
    candidate_sites: str | Path | None = None,
    model: str | Path = "default",
    evidence: str | Path = "auto",
    test_chroms: str | Iterable[str] | None = None,
    seed: int = 0,
    overwrite: bool = False,
    threads: int | str = "max",
) -> Model:
    """Add TFs and cell lines of one's own to a model, from one or a few tracks.

    Parameters
    ----------
    fasta : str or Path
    out : str or Path
        Weights to write, `.safetensors`.
    pairs_table : str or Path, optional
        Tab-separated table of tracks: tf, cell, bed (peak file, relative to the table).
    accessibility : str or Path, optional
        The same of ATAC-seq or DNase-seq peaks of new cell lines: cell, bed.
    candidate_sites : str or Path, optional
        BED of open chromatin, the background of the peaks. By default the sites that
        the evidence or `accessibility` says are open.
    model : str or Path
    evidence : str or Path
        `auto`, `none`, or a file.
    test_chroms : str or iterable of str, optional
        To evaluate at; by default those of the model.
    seed : int
    overwrite : bool
        Replace the weights if they exist.
    threads : int or "max"

    Returns
    -------
    Model
        That also knows the new names; ``card["extended"]`` describes them.

    Raises
    ------
    UsageError, InputFileError, OutputError
        A value is invalid, a file cannot be read, or the weights exist.

    Examples
    --------
    >>> from tfimpute_tracks import extend
    >>> model = extend(
    ...     "g.fa",
    ...     "mine.safetensors",
    ...     pairs_table="mine.tsv",
    ...     accessibility="open.tsv",
    ...     model="toy.safetensors",
    ...     evidence="e.h5",
    ... )
    >>> model.tfs[-1], model.cells[-1]
    ('MYTF', 'MYCELL')
    """
    check_packages("`extend`", *TRAINING)
    from tfimpute_tracks.api.extending import run_extension

    check_model(model)
    check_evidence(evidence)
    check_whole(seed, "seed", 0, MAX_SEED)
    chroms = None if test_chroms is None else join_texts(test_chroms, "test_chroms")
    weights = as_path(out, "out")
    run_extension(
        as_path(fasta, "fasta"),
        weights,
        pairs_table=optional_path(pairs_table, "pairs_table"),
        accessibility=optional_path(accessibility, "accessibility"),
        candidate_sites=optional_path(candidate_sites, "candidate_sites"),
        model=model,
        evidence=evidence,
        test_chroms=chroms,
        seed=seed,
        overwrite=overwrite,
        threads=threads,
    )
    return Model(weights)


def evaluate(
    data: str | Path,
    model: str | Path = "default",
    *,
    evidence: str | Path = "none",
    out_dir: str | Path | None = None,
    roles: str | Iterable[str] = "base,valid2,test3",
    sites: str = "test",
    max_sites: int = 0,
    hold_out: HoldOutScheme = "chromosomes",
    test_chroms: str | Iterable[str] = "chr20",
    valid_chroms: str | Iterable[str] = "chr22",
    bootstrap: int = 500,
    permutations: int = 5,
    seed: int = 0,
    threads: int | str = "max",
) -> dict[str, Any]:
    """Evaluate a model at labeled sites.

    Parameters
    ----------
    data : str or Path
        Data set that `tfimpute-tracks prepare` wrote.
    model : str or Path
    evidence : str or Path
        `none`, `auto`, or a file.
    out_dir : str or Path, optional
        Receives the report and its tables; without it they are not kept.
    roles : str or iterable of str
        Of the pairs.
    sites : {"test", "valid", "train"}
    max_sites : int
        Sites at most, drawn at random; 0 for all.
    hold_out : {"chromosomes", "random", "alternating-peaks"}
    test_chroms, valid_chroms : str or iterable of str
    bootstrap, permutations : int
        Numbers of samples; 0 for none.
    seed : int
    threads : int or "max"

    Returns
    -------
    dict
        What the report's metrics.json contains.

    Raises
    ------
    UsageError, InputFileError
        A value is invalid, or the data set cannot be read.

    Examples
    --------
    >>> from tfimpute_tracks import evaluate
    >>> metrics = evaluate("data.h5", "toy.safetensors", bootstrap=0)
    >>> sorted(metrics["means"])
    ['base', 'test3', 'valid2']
    """
    check_packages("`evaluate`", "scipy", "sklearn")
    from tfimpute_tracks.api.evaluating import run_evaluate

    check_model(model)
    check_evidence(evidence)
    check_choice(sites, "sites", ("test", "valid", "train"))
    numbers: dict[str, Any] = {"max_sites": max_sites, "bootstrap": bootstrap}
    numbers["permutations"] = permutations
    for name, number in numbers.items():
        check_whole(number, name)
    with ExitStack() as stack:
        if out_dir is None:
            out_dir = stack.enter_context(tempfile.TemporaryDirectory())
        done = run_evaluate(
            as_path(data, "data"),
            out_dir=as_path(out_dir, "out_dir"),
            model=model,
            evidence=evidence,
            pair_set=join_texts(roles, "roles"),
            site_set=sites,
            threads=threads,
            **numbers,
            **_held_out(hold_out, test_chroms, valid_chroms, seed),
        )
    return done.metrics


def embeddings(model: LoadedModel | str | Path = "default") -> pd.DataFrame:
    """Return the vectors of TFs and cell lines that a model has learned.

    Parameters
    ----------
    model : Model, str or Path

    Returns
    -------
    DataFrame
        A row per TF and per cell line: kind (`TF` or `cell line`), name, and the numbers
        e0, e1 and on; as `embeddings.tsv` of `tfimpute-tracks embeddings`.

    Raises
    ------
    UsageError
        The network has no such vectors.

    Examples
    --------
    >>> from tfimpute_tracks import embeddings
    >>> table = embeddings("default")
    >>> table.groupby("kind").size().to_dict()
    {'TF': 165, 'cell line': 91}
    """
    from tfimpute_tracks.interpret.embeddings import embedding_table

    loaded = model if isinstance(model, LoadedModel) else LoadedModel(model)
    return embedding_table(loaded.core)


def _held_out(
    hold_out: HoldOutScheme,
    test_chroms: str | Iterable[str],
    valid_chroms: str | Iterable[str],
    seed: int,
) -> dict[str, Any]:
    """Check what chooses the sites that are held out."""
    from tfimpute_tracks.dataset import HoldOutScheme as Scheme

    check_choice(hold_out, "hold_out", get_args(Scheme))
    check_whole(seed, "seed", 0, MAX_SEED)
    return {
        "hold_out": hold_out,
        "test_chroms": join_texts(test_chroms, "test_chroms"),
        "valid_chroms": join_texts(valid_chroms, "valid_chroms"),
        "seed": seed,
    }


def _changes(numbers: Mapping[str, float] | None) -> str | None:
    """Write changes of sizes as the command line takes them."""
    if numbers is None:
        return None
    if not isinstance(numbers, Mapping):
        raise UsageError(
            f"changes {shown(numbers)}; write a dictionary such as {{'n_filters': 256}}"
        )
    return ",".join(f"{name}={value}" for name, value in numbers.items())
