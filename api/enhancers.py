"""Elements, their predicted binding and their activity: inputs, and one call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tfimpute_tracks.api.evidence_choice import say_sequence_only
from tfimpute_tracks.api.inputs import choose_genome
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.progress import ProgressBar, no_progress
from tfimpute_tracks.api.threads import limit_threads
from tfimpute_tracks.api.values import (
    as_path,
    check_choice,
    check_model,
    check_text,
    check_wholes,
    join_texts,
    optional_path,
)
from tfimpute_tracks.errors import UsageError, counted
from tfimpute_tracks.interpret.activities import Activities, read_activities
from tfimpute_tracks.interpret.elements import (
    Elements,
    Skipped,
    is_fasta,
    read_fasta,
    read_intervals,
)
from tfimpute_tracks.interpret.enhancer_files import (
    N_SHOWN,
    cell_ranks,
    cell_table,
    write_results,
    write_skipped,
)
from tfimpute_tracks.interpret.enhancers import (
    ElementScores,
    EnhancerJob,
    EnhancerResult,
    analyze_elements,
    check_input,
    score_elements,
)
from tfimpute_tracks.models import Model, load_model
from tfimpute_tracks.storage import check_output_dir

__all__ = ["ComparedElements", "compare_elements"]


class ComparedElements(NamedTuple):
    """Elements with their scores, and how they go with activities.

    Attributes
    ----------
    summary : dict
        Numbers of elements; with activities, `cells` is a list of a dict per cell line.
    n_tfs : int
        Of the model.
    shown : list of int
        Cell lines of the summary that represent all of them; none without activities.
    files : list of Path
    """

    summary: dict[str, Any]
    n_tfs: int
    shown: list[int]
    files: list[Path]


def compare_elements(
    source: str | Path,
    out_dir: str | Path,
    *,
    cell: str | None = None,
    activities: str | Path | None = None,
    control_cells: str | Iterable[str] | None = None,
    fasta: str | Path | None = None,
    model: str | Path = "default",
    components: int = 10,
    n_extremes: int = 100,
    pca_input: Literal["log-odds", "probability"] = "log-odds",
    mask_flanks: bool = False,
    table_format: Literal["tsv", "parquet"] = "tsv",
    seed: int = 0,
    threads: int | str = "max",
    cache_dir: str | Path | None = None,
    progress: ProgressBar = no_progress,
) -> ComparedElements:
    """Summarize predicted binding of elements, and compare it with their activity.

    Parameters
    ----------
    source : str or Path
        A BED of regions, or a FASTA of sequences.
    out_dir : str or Path
    cell : str
        Cell line of the elements, or of the assay.
    activities : str or Path, optional
        Tab-separated table with the columns name and activity.
    control_cells : str or iterable of str, optional
        Cell lines to compare with, or `none`; with activities all others by default.
    fasta : str or Path, optional
        The genome of a BED; None: the bundled example region.
    model : str or Path
    components : int
        Maximum number of principal components.
    n_extremes : int
        Most active, and least active, elements that are compared; 3 or more.
    pca_input : {"log-odds", "probability"}
    mask_flanks : bool
        Treat the sequence around an element as unknown.
    table_format : {"tsv", "parquet"}
    seed : int
    threads : int or "max"
    cache_dir : str or Path, optional
    progress : ProgressBar

    Returns
    -------
    ComparedElements

    Raises
    ------
    UsageError, UnknownNameError, InputFileError, RunError
        A value, name or file is wrong, or there are too few elements.
    OutputError, WriteError
        A file cannot be written.

    Examples
    --------
    >>> from tfimpute_tracks.api.enhancers import compare_elements
    >>> done = compare_elements("elements.bed", "compared", cell="K562")
    >>> done.summary["scored"], [path.name for path in done.files][0]
    (4, 'elements.scores.tsv')
    """
    path, folder = as_path(source, "source"), as_path(out_dir, "out_dir")
    fasta, cache_dir = (
        optional_path(fasta, "fasta"),
        optional_path(cache_dir, "cache_dir"),
    )
    table = optional_path(activities, "activities")
    check_model(model)
    check_text(cell, "cell")
    check_choice(pca_input, "pca_input", ("log-odds", "probability"))
    check_choice(table_format, "table_format", ("tsv", "parquet"))
    check_wholes(0, seed=seed)
    check_wholes(1, components=components)
    check_wholes(3, n_extremes=n_extremes)
    controls = None
    if control_cells is not None:
        controls = join_texts(control_cells, "control_cells")
    loaded = load_model(model)
    cells = _choose_cells(loaded, cell, controls, table is not None)
    with limit_threads(threads) as n_threads:
        elements = _read_elements(path, fasta, loaded, cache_dir)
        measured = read_activities(table, elements) if table else None
        job = EnhancerJob(
            *(loaded, cells, pca_input, mask_flanks),
            *(components, n_extremes, seed, n_threads),
        )
        check_output_dir(folder)
        stem = folder / Path(path.name.removesuffix(".gz")).stem
        return _analyze(job, (elements, measured), stem, table_format, progress)


def _analyze(
    job: EnhancerJob,
    inputs: tuple[Elements, Activities | None],
    stem: Path,
    table_format: Literal["tsv", "parquet"],
    progress: ProgressBar,
) -> ComparedElements:
    """Score, compare and write."""
    elements, measured = inputs
    not_compared = measured.skipped if measured else []
    write_skipped(stem, elements.skipped + not_compared)  # also if the check fails
    check_input(job, elements, measured)
    n = len(elements.found)
    log(
        f"{counted(n, 'element')}, {counted(len(job.cells), 'cell line')}, "
        f"model {job.model.name}"
    )
    say_sequence_only(job.model, "scoring elements")
    with progress("scores", n, "elements") as advance:
        scored = score_elements(job, elements, advance)
    skipped = scored.skipped + not_compared
    skipped_file = write_skipped(stem, skipped)
    with progress("activity", len(job.cells), "cell lines") as advance:
        result = analyze_elements(job, scored, measured, advance)
    files = [*write_results(job, scored, result, stem, table_format), skipped_file]
    summary = _summarize(job, scored, result, skipped)
    shown = [0, *result.spread_controls(N_SHOWN)] if result.comparisons else []
    return ComparedElements(summary, len(job.model.tfs), shown, files)


def _read_elements(
    source: Path, fasta: Path | None, model: Model, cache_dir: Path | None
) -> Elements:

    if not is_fasta(source):
        genome = choose_genome(fasta, model, cache_dir)
        return read_intervals(source, genome, partial(log, warning=True))
    if fasta is not None:
        raise UsageError(
            f"{source} contains sequences, and --fasta {fasta} is for a BED; use one of "
            "the two"
        )
    return read_fasta(source)


def _choose_cells(
    model: Model, cell: str | None, controls: str | None, have_activities: bool
) -> tuple[str, ...]:
    """List the cell line of the elements, then those to compare it with."""
    names = model.vocabulary
    if not cell:
        raise UsageError(
            "--cell is missing; use the cell line of the elements, or of the assay; "
            "`tfimpute-tracks info cells` lists the names"
        )
    own = names.cell(cell)
    if controls is not None and not have_activities:
        raise UsageError("--control-cells compares activities; use --activities, too")
    if controls is None:
        others = list(names.cells) if have_activities else []
    elif controls.strip().lower() == "none":
        others = []
    else:
        others = [names.cell(name) for name in controls.split(",") if name.strip()]
    return tuple(dict.fromkeys([own, *others]))


def _summarize(
    job: EnhancerJob,
    scored: ElementScores,
    result: EnhancerResult,
    skipped: list[Skipped],
) -> dict[str, Any]:
    """Return the printed summary as JSON values."""
    counts: dict[str, Counter[str]] = {"element": Counter(), "activity": Counter()}
    for one in skipped:
        counts[one.what][one.reason] += 1
    summary = {
        "scored": len(scored.elements),
        "skipped": dict(counts["element"]),
        "cell": job.cells[0],
        "pca_input": job.pca_input,
        "variance_explained": result.signature.variance.round(6).tolist(),
    }
    if not result.comparisons:
        return summary
    records = cell_table(job, result).to_dict(orient="records")
    return {
        **summary,
        "not_compared": dict(counts["activity"]),
        "extremes": len(result.top),
        "cells": [
            {key: None if value != value else value for key, value in record.items()}
            for record in records
        ],
        "ranks": cell_ranks(result.comparisons),
    }
