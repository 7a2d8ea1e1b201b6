"""Several predictors on the same sites and pairs: inputs, and one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import get_args

from tfimpute_tracks.api.context_report import check_sequence_length
from tfimpute_tracks.api.evidence_choice import check_evidence, choose_evidence
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.threads import limit_threads
from tfimpute_tracks.api.values import (
    MAX_SEED,
    as_path,
    check_choice,
    check_model,
    check_text,
    check_whole,
    join_texts,
)
from tfimpute_tracks.comparison.comparison import (
    Comparison,
    ComparisonJob,
    run_comparison,
)
from tfimpute_tracks.comparison.predictors.external import (
    parse_external,
    read_score_table,
)
from tfimpute_tracks.comparison.predictors.registry import choose_predictors
from tfimpute_tracks.dataset import HoldOut, HoldOutScheme, open_dataset
from tfimpute_tracks.engines.engine import pick_device
from tfimpute_tracks.models import load_model
from tfimpute_tracks.storage import check_output_dir

__all__ = ["compare_predictors"]


def compare_predictors(
    data: str | Path,
    out_dir: str | Path,
    *,
    predictors: str | Iterable[str] = "model,tf-mean,average-activity,motif",
    models: Sequence[str | Path] = ("held-out",),
    evidence: str | Path = "none",
    external: Sequence[str] = (),
    pair_set: str | Iterable[str] = "test3",
    roles: str | Iterable[str] = "base",
    training_sequences: int = 2000,
    max_sites: int = 0,
    seed: int = 0,
    hold_out: HoldOutScheme = "chromosomes",
    test_chroms: str | Iterable[str] = "chr20",
    valid_chroms: str | Iterable[str] = "chr22",
    threads: int | str = "max",
    device: str = "cpu",
) -> Comparison:
    """Compare predictors at labeled sites, and write metrics, tables and a report.

    Parameters
    ----------
    data : str or Path
        That `tfimpute-tracks prepare` wrote.
    out_dir : str or Path
        Scores that are there are used.
    predictors : str or iterable of str
    models : sequence of str or Path
        The others are compared with the first.
    evidence : str or Path
        `none`, `auto`, or a file.
    external : sequence of str
        Scores of other methods: "NAME=TABLE.tsv", a table with the columns tf, cell and
        file.
    pair_set, roles : str or iterable of str
        Roles of the pairs to score, and of those to train on.
    training_sequences : int
        Per TF or pair at most, 2 or more; half of them bound.
    max_sites : int
        Sites to score at most, drawn at random; 0 for all.
    seed : int
    hold_out : {"chromosomes", "random", "alternating-peaks"}
    test_chroms, valid_chroms : str or iterable of str
    threads : int or "max"
    device : str

    Returns
    -------
    Comparison
        Its `errors` say which predictors failed.

    Raises
    ------
    UsageError, InputFileError, DeviceError
        A value, file or device is wrong.
    OutputError, WriteError
        A file cannot be written.

    Examples
    --------
    >>> from tfimpute_tracks.api.comparing import compare_predictors
    >>> done = compare_predictors(
    ...     "data.h5", "compared", predictors="model,tf-mean", models=["toy.safetensors"]
    ... )
    >>> len(done.table.rows), done.errors
    (2, '')
    """
    source, folder = as_path(data, "data"), as_path(out_dir, "out_dir")
    check_evidence(evidence)
    check_text(device, "device")
    check_choice(hold_out, "hold_out", get_args(HoldOutScheme))
    check_whole(training_sequences, "training_sequences", 2)
    check_whole(max_sites, "max_sites")
    check_whole(seed, "seed", 0, MAX_SEED)
    for model in models:
        check_model(model)
    split = HoldOut(
        hold_out,
        tuple(join_texts(test_chroms, "test_chroms").split(",")),
        tuple(join_texts(valid_chroms, "valid_chroms").split(",")),
        seed,
    )
    tables = [parse_external(text) for text in external]
    given = join_texts(predictors, "predictors").split(",")
    names = [name.strip() for name in given if name.strip()]
    with limit_threads(threads):
        loaded = [load_model(model) for model in models]
        if names or not tables:  # a wrong name is an error before the data set is read
            choose_predictors(names, loaded)
        place = pick_device(device)
        check_output_dir(folder / "scores")
        dataset = open_dataset(source)
        sizes = dict(zip(dataset.chroms, dataset.chrom_sizes, strict=True))
        loaded = [
            choose_evidence(opened, model, evidence, sizes, str(source))
            for opened, model in zip(loaded, models, strict=True)
        ]
        used = loaded if names else []
        for opened in used:
            check_sequence_length(opened.name, opened.config, dataset)
        scores = [
            read_score_table(name, path, dataset.vocabulary) for name, path in tables
        ]
        chosen = choose_predictors(names, loaded, scores)
        job = ComparisonJob(
            dataset,
            split,
            chosen,
            used,
            join_texts(pair_set, "pair_set"),
            join_texts(roles, "roles"),
            training_sequences,
            max_sites,
            seed,
            place,
        )
        return run_comparison(job, folder, log, partial(log, warning=True))
