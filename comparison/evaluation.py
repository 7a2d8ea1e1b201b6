"""The evaluation of one model at labeled sites, from a data set to report files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.comparison.calibration_page import (
    calibration_errors,
    calibration_section,
)
from tfimpute_tracks.comparison.chromosome import PairPeaks, evaluate_bins
from tfimpute_tracks.comparison.evaluation_page import (
    bin_summary,
    evaluation_sections,
    role_summary,
)
from tfimpute_tracks.comparison.predictors.task import sample_rows
from tfimpute_tracks.comparison.report import ReportTable, write_sections
from tfimpute_tracks.dataset import (
    Dataset,
    HoldOut,
    Split,
    find_leaks,
    hold_out_options,
    pair_columns,
    trained_sites,
)
from tfimpute_tracks.dataset.pairs_table import REPLICATE, read_pairs_table
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.errors import UsageError, counted, listed
from tfimpute_tracks.evaluation.bins import BinMetrics
from tfimpute_tracks.evaluation.calibration_check import (
    CalibrationCheck,
    check_calibration,
)
from tfimpute_tracks.evaluation.metrics import tf_means
from tfimpute_tracks.evaluation.result import (
    EvaluationResult,
    EvaluationSettings,
    evaluate_pairs,
)
from tfimpute_tracks.evaluation.scored_pairs import score_pairs
from tfimpute_tracks.genome import Sequences, match_chroms
from tfimpute_tracks.models import Model
from tfimpute_tracks.storage import write_json, write_text

__all__ = ["Evaluation", "EvaluationJob", "GenomeBins", "run_evaluation"]

Ints = NDArray[np.int64]
Log = Callable[[str], None]


@dataclass(frozen=True)
class GenomeBins:
    """Bins along the test chromosomes, to be evaluated in addition to labeled sites.

    Parameters
    ----------
    widths : tuple of int
        In bp.
    genome : Sequences
    pairs_table : Path
        With the peak files of the pairs.
    """

    widths: tuple[int, ...]
    genome: Sequences
    pairs_table: Path


@dataclass(frozen=True)
class EvaluationJob:
    """What to evaluate.

    Parameters
    ----------
    model : Model
    dataset : Dataset
    hold_out : HoldOut
        The split of sites into training, validation and test.
    pair_set : str
        Roles of the pairs, comma-separated.
    site_set : str
        `test`, `valid` or `train`.
    max_sites : int
        Sites at most, drawn at random; 0 for all.
    settings : EvaluationSettings
    bins : GenomeBins, optional
    n_threads : int
    """

    model: Model
    dataset: Dataset
    hold_out: HoldOut
    pair_set: str = "base,valid2,test3"
    site_set: str = "test"
    max_sites: int = 0
    settings: EvaluationSettings = field(default_factory=EvaluationSettings)
    bins: GenomeBins | None = None
    n_threads: int = 1


class Evaluation(NamedTuple):
    """A finished evaluation.

    Parameters
    ----------
    title : str
    metrics : dict
        What metrics.json contains.
    tables : list of (str, ReportTable)
        Titles and summaries by role: labeled sites first, then bins.
    files : list of Path
        The report first.
    """

    title: str
    metrics: dict[str, Any]
    tables: list[tuple[str, ReportTable]]
    files: list[Path]


class _Selection(NamedTuple):
    """Sites and pairs of a data set: those evaluated and those trained on."""

    rows: Ints
    n_available: int
    columns: Ints
    trained: Ints

    @property
    def n_sites(self) -> str:
        """How many sites are evaluated, as text."""
        drawn = len(self.rows) < self.n_available
        of = f" drawn of {self.n_available:,}" if drawn else ""
        return f"{counted(len(self.rows), 'site')}{of}"


def run_evaluation(
    job: EvaluationJob, out_dir: Path, log: Log, warn: Log
) -> Evaluation:
    """Evaluate a model and write the report.

    Parameters
    ----------
    job : EvaluationJob
    out_dir : Path
        An existing folder.
    log, warn : callable
        Receive lines about the run.

    Returns
    -------
    Evaluation

    Raises
    ------
    UsageError, RegionError, InputFileError
        The request does not fit the data set, the genome or the pairs table.
    WriteError
        A file cannot be written.
    """
    chosen = _select(job, warn)
    model = _restrict_evidence(job, chosen, log, warn)
    peaks = _peak_files(job, chosen)
    score = site_scorer(model, job.dataset, chosen.rows)
    scored = score_pairs(
        score,
        model.vocabulary,
        job.dataset,
        chosen.rows,
        chosen.columns,
        chosen.trained,
    )
    n_names = len(model.tfs), len(model.cells)
    result = evaluate_pairs(scored, score, n_names, job.settings)
    calibration = check_calibration(scored, model.calibration)
    bins = _evaluate_bins(job, model, peaks)
    metrics = {
        "model": model.name,
        **model.digests,
        "basis": model.basis,
        "data": job.dataset.sources,
        "hold_out": job.hold_out.to_dict(),
        "sites": {
            "set": job.site_set,
            "evaluated": len(chosen.rows),
            "available": chosen.n_available,
        },
        "settings": asdict(job.settings),
        "leaks": _find_leaks(job, chosen, log, warn),
        "means": result.roles,
        "calibration_error": calibration.errors,
        "bins": [{**some.about, "means": some.roles} for some in bins],
    }
    title = f"{model.name} on {chosen.n_sites} of {job.hold_out.describe(job.site_set)}"
    lead = (
        f"{len(chosen.columns)} TF-cell pairs, scored from {model.basis}; weights "
        f"{model.checkpoint.digest}."
    )
    trained = {job.dataset.pairs[i] for i in chosen.trained.tolist()}
    is_trained = [pair in trained for pair in scored.pairs]
    sections = [
        *evaluation_sections(result, is_trained, bins),
        calibration_section(calibration),
    ]
    report = write_sections(out_dir / "report.html", title, lead, sections)
    files = [report, *_write_tables(out_dir, metrics, result, calibration, bins)]
    _warn_unscored(result, bins, warn)
    tables = [(f"{title}, means over pairs", role_summary(result.roles))]
    tables += [("expected calibration error", calibration_errors(calibration))]
    tables += [(some.title, bin_summary(some.roles)) for some in bins]
    return Evaluation(title, metrics, tables, files)


def _select(job: EvaluationJob, warn: Log) -> _Selection:
    dataset, model = job.dataset, job.model
    sets = job.hold_out.split(dataset)._asdict()
    if job.site_set not in sets:
        raise UsageError(f"--site-set {job.site_set!r}; use one of {', '.join(sets)}")
    available = sets[job.site_set]
    rows = sample_rows(available, job.max_sites, job.settings.seed)
    roles = dict.fromkeys(role.strip() for role in job.pair_set.split(","))
    columns = np.concatenate([pair_columns(dataset, role) for role in roles])
    if not len(columns):
        raise UsageError(
            f"the data set has no pair of the role {job.pair_set}; use another "
            "--pair-set"
        )
    # The model was trained on the pair of a replicate, but not on the replicate.
    is_trained = [
        model.is_trained(pair) and role != REPLICATE
        for pair, role in zip(dataset.pairs, dataset.roles, strict=True)
    ]
    trained = np.flatnonzero(is_trained)
    if not len(trained):
        warn(
            f"the card of {model.name} does not list the pairs it was trained on; the "
            "base pairs are used instead"
        )
        trained = pair_columns(dataset, "base")
    return _Selection(rows, len(available), columns, trained)


def _restrict_evidence(
    job: EvaluationJob, chosen: _Selection, log: Log, warn: Log
) -> Model:
    """Let a model use the measured tracks of the pairs it was trained on, only."""
    model, dataset = job.model, job.dataset
    if model.evidence is None:
        return model
    known = model.evidence.subset(dataset.pairs[i] for i in chosen.trained.tolist())
    n_other = len(model.evidence.store.tracks) - len(known.store.tracks)
    without = f", without those of {n_other} held-out pairs" if n_other else ""
    log(
        f"using {len(known.store.tracks):,} measured tracks of {known.store.name}"
        f"{without}; a pair is scored without its own tracks"
    )
    measured = {track.pair for track in known.store.tracks}
    roles = {dataset.roles[i] for i in chosen.columns if dataset.pairs[i] in measured}
    if job.site_set != "test":
        warn(
            f"the evidence network may have been trained on {job.site_set} sites; use "
            "--site-set test for sites it was not trained on"
        )
    if roles:
        log(
            f"{', '.join(sorted(roles))}: these pairs are measured, and their tracks are "
            "visible to the TF mean and to permuted names"
        )
    return replace(model, evidence=known)


def _peak_files(job: EvaluationJob, chosen: _Selection) -> list[PairPeaks]:
    """Find the peak files of the evaluated pairs; check the chromosomes."""
    if job.bins is None:
        return []
    match_chroms(job.hold_out.test_chroms, job.bins.genome.chrom_sizes)
    dataset, path = job.dataset, job.bins.pairs_table
    table = read_pairs_table(path)
    names = zip(table.pairs, table.replicate_names, strict=True)
    beds = dict(zip(names, table.beds, strict=True))
    replicates = dataset.replicates or ("",) * len(dataset.pairs)
    keys = [(dataset.pairs[i], replicates[i]) for i in chosen.columns.tolist()]
    absent = [pair for pair, replicate in keys if (pair, replicate) not in beds]
    if absent:
        raise UsageError(
            f"{path} lacks {len(absent)} of the evaluated pairs, such as {absent[0]}; "
            "use the table that the data set was made with, or another --pair-set"
        )
    return [
        PairPeaks(key[0], dataset.roles[i], beds[key])
        for i, key in zip(chosen.columns.tolist(), keys, strict=True)
    ]


def _evaluate_bins(
    job: EvaluationJob, model: Model, peaks: list[PairPeaks]
) -> list[BinMetrics]:
    if job.bins is None:
        return []
    genome, chroms = job.bins.genome, job.hold_out.test_chroms
    names = list(match_chroms(chroms, genome.chrom_sizes).values())
    return [
        evaluate_bins(model, genome, names, peaks, width, job.n_threads)
        for width in job.bins.widths
    ]


def _find_leaks(
    job: EvaluationJob, chosen: _Selection, log: Log, warn: Log
) -> dict[str, Any]:
    """Report what the evaluated sites and pairs share with the training data."""
    model, rows = job.model, chosen.rows
    trained = trained_sites(model.card, job.dataset, job.hold_out)
    if trained.caveat:
        warn(f"{model.name}: {trained.caveat}")
    leaks = find_leaks(
        job.dataset,
        Split(trained.rows, rows[:0], rows),
        chosen.trained,
        chosen.columns,
    )
    recorded = model.card.get("hold_out")
    n_trained = trained.count(rows)
    if n_trained and recorded not in (None, job.hold_out.to_dict()):
        options = hold_out_options(recorded).items()
        log_options = " ".join(f"--{name} {value}" for name, value in options)
        warn(
            f"{model.name} was trained on {n_trained:,} of {len(rows):,} evaluated "
            f"sites; for other sites use {log_options}"
        )
    for message in leaks.messages():
        log(f"test and training: {message}")
    return leaks.to_dict() | {
        "n_trained_on": n_trained,
        "caveat": trained.caveat or None,
    }


def _write_tables(
    out_dir: Path,
    metrics: dict[str, Any],
    result: EvaluationResult,
    calibration: CalibrationCheck,
    bins: list[BinMetrics],
) -> list[Path]:
    write_json(out_dir / "metrics.json", metrics)
    tables = {
        "per_pair.tsv": result.pairs,
        "per_tf.tsv": tf_means(result.pairs),
        "thresholds.tsv": calibration.thresholds,
        **{f"bins_{some.width}.tsv": some.pairs for some in bins},
    }
    for name, table in tables.items():
        text = table.to_csv(sep="\t", index=False, float_format="%.6g")
        write_text(out_dir / name, text)
    return [out_dir / name for name in ("metrics.json", *tables)]


def _warn_unscored(result: EvaluationResult, bins: list[BinMetrics], warn: Log) -> None:
    for role, means in result.roles.items():
        for reason, names in means["unscored_reasons"].items():
            warn(f"{role}: {reason}, in no mean: {listed(names, 20)}")
    for some in bins:
        for role, means in some.roles.items():
            if means["unscored"]:
                warn(
                    f"bins of {some.width} bp, {role}: no bound bin, in no mean: "
                    f"{listed(means['unscored'], 20)}"
                )
