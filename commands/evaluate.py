"""`evaluate`: how well a model ranks sites, and what its figures rest on."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, show_json, show_table
from tfimpute_tracks.errors import UsageError

if TYPE_CHECKING:
    from tfimpute_tracks.comparison.chromosome import BinnedPair
    from tfimpute_tracks.comparison.evaluation_page import BinsTold
    from tfimpute_tracks.dataset import Dataset, HoldOut
    from tfimpute_tracks.evaluation.calibration_check import CalibrationCheck
    from tfimpute_tracks.evaluation.result import EvaluationResult
    from tfimpute_tracks.models import Model

__all__ = ["evaluate"]


def evaluate(
    data: options.Data,
    model: options.ModelName = "default",
    evidence: options.Evidence = None,
    split: Annotated[
        str,
        typer.Option(help="Roles of the pairs to judge: base, valid2, test3, test2."),
    ] = "base,valid2,test3",
    sites: Annotated[
        str, typer.Option(help="Sites to judge on: test, valid or train.")
    ] = "test",
    max_sites: Annotated[
        int,
        typer.Option(min=0, help="Judge on so many, drawn uniformly. 0: all."),
    ] = 0,
    hold_out: options.HoldOutScheme = "chromosomes",
    test_chroms: options.TestChroms = "chr20",
    valid_chroms: options.ValidChroms = "chr22",
    bins: Annotated[
        str | None,
        typer.Option(
            help="Judge the test chromosomes in bins of so many bp, too: 300,1000. "
            "Needs --fasta and --pairs-table."
        ),
    ] = None,
    fasta: options.Fasta = None,
    pairs_table: Annotated[
        Path | None,
        typer.Option("--pairs-table", help="Where the peaks of --bins come from."),
    ] = None,
    bootstrap: Annotated[
        int, typer.Option(min=0, help="Draws of 1-Mb blocks for intervals; 0: none.")
    ] = 500,
    shuffles: Annotated[
        int, typer.Option(min=0, help="Draws of wrong names for controls; 0: none.")
    ] = 5,
    seed: options.Seed = 0,
    out_dir: options.OutDir = Path("evaluation-out"),
    threads: options.Threads = "max",
    as_json: options.Json = False,
) -> None:
    """Judge a model on labelled sites: figures, intervals, controls, and a page."""
    from tfimpute_tracks.commands.context_report import check_sequence_length
    from tfimpute_tracks.commands.inputs import set_threads
    from tfimpute_tracks.comparison.calibration_page import calibration_section
    from tfimpute_tracks.comparison.chromosome import read_widths
    from tfimpute_tracks.comparison.evaluation_page import evaluation_sections
    from tfimpute_tracks.comparison.predictors.task import sample_rows
    from tfimpute_tracks.comparison.report import write_report
    from tfimpute_tracks.dataset import HoldOut, open_dataset
    from tfimpute_tracks.engines.scorer import site_scorer
    from tfimpute_tracks.evaluation.calibration_check import check_calibration
    from tfimpute_tracks.evaluation.result import Checks, assess
    from tfimpute_tracks.evaluation.scored_pairs import score_pairs
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_writable_dir

    n_threads = set_threads(threads)
    chroms = test_chroms.split(",")
    kept = HoldOut(hold_out, tuple(chroms), tuple(valid_chroms.split(",")), seed)
    widths = read_widths(bins) if bins is not None else []
    if widths and kept.scheme != "chromosomes":
        raise UsageError(
            f"--bins judges whole chromosomes, and --hold-out {kept.scheme} keeps none; "
            "leave one of the two out"
        )
    loaded = load_model(model, evidence)
    check_writable_dir(out_dir)
    dataset = open_dataset(data)
    check_sequence_length(loaded.name, loaded.config, dataset)
    parts = kept.split(dataset)._asdict()
    if sites not in parts:
        raise UsageError(f"--sites {sites!r}; give one of {', '.join(parts)}")
    rows = sample_rows(parts[sites], max_sites, seed)
    columns, trained = _columns(dataset, loaded, split)
    loaded = _by_trained(loaded, dataset, (trained, columns), sites)
    binned = _binned_pairs(dataset, columns, pairs_table, fasta) if widths else []
    run = _bin_run(loaded, fasta, chroms, n_threads) if widths else None
    score = site_scorer(loaded, dataset, rows)
    judged = score_pairs(score, loaded.vocabulary, dataset, rows, columns, trained)
    checks = Checks(bootstrap, shuffles, seed=seed)
    n_names = len(loaded.tfs), len(loaded.cells)
    result = assess(judged, score, n_names, checks)
    promises = check_calibration(judged, loaded.calibration)
    told = [run(pairs=binned, width=width) for width in widths] if run else []
    metrics = {
        "model": loaded.name,
        **loaded.digests,
        "basis": loaded.basis,
        "data": dataset.sources,
        "hold_out": kept.to_dict(),
        "sites": {"part": sites, "number": len(rows), "of": len(parts[sites])},
        "checks": asdict(checks),
        "leaks": _leaks(loaded, dataset, kept, rows, (trained, columns)),
        "means": result.roles,
        "calibration_error": promises.errors,
        "bins": [{**bin_.told, "means": bin_.roles} for bin_ in told],
    }
    drawn = len(rows) < len(parts[sites])
    some = f" drawn of {len(parts[sites]):,}" if drawn else ""
    title = f"{loaded.name} on {len(rows):,} sites{some} of {kept.describe(sites)}"
    lead = (
        f"{len(columns)} TF-cell pairs, by {loaded.basis}; weights "
        f"{loaded.checkpoint.digest}."
    )
    files = _write(out_dir, metrics, result, promises, told)
    known = {dataset.pairs[i] for i in trained.tolist()}
    seen = [pair in known for pair in judged.pairs]
    page = [*evaluation_sections(result, seen, told), calibration_section(promises)]
    files.insert(0, write_report(out_dir / "report.html", title, lead, page))
    _tell_left_out(result, told)
    if as_json:
        show_json(metrics)
        return
    _show(title, result, told)
    print_result(" ".join(map(str, files)))


def _write(
    out_dir: Path,
    metrics: dict[str, Any],
    result: EvaluationResult,
    promises: CalibrationCheck,
    told: list[BinsTold],
) -> list[Path]:
    """Write the figures, and tell the files."""
    from tfimpute_tracks.storage import write_json, write_text

    write_json(out_dir / "metrics.json", metrics)
    tables = {"per_pair.tsv": result.pairs, "per_tf.tsv": result.by_tf()}
    tables["score_table.tsv"] = promises.scores
    tables |= {f"bins_{bins.width}.tsv": bins.pairs for bins in told}
    for name, table in tables.items():
        text = table.to_csv(sep="\t", index=False, float_format="%.6g")
        write_text(out_dir / name, text)
    return [out_dir / name for name in ("metrics.json", *tables)]


def _columns(dataset: Dataset, model: Model, split: str) -> tuple[Any, Any]:
    """Give the pairs to judge, and those the model was trained on."""
    import numpy as np

    from tfimpute_tracks.dataset import pair_columns
    from tfimpute_tracks.dataset.pairs_table import REPLICATE

    roles = dict.fromkeys(role.strip() for role in split.split(","))
    columns = np.concatenate([pair_columns(dataset, role) for role in roles])
    if not len(columns):
        raise UsageError(
            f"no pair of the data set has the role {split}; choose another --split"
        )
    # A replicate is judged by the model that saw the pair, and was not trained on.
    seen = [
        model.status(pair) == "trained" and role != REPLICATE
        for pair, role in zip(dataset.pairs, dataset.roles, strict=True)
    ]
    if not any(seen):
        log(
            f"the card of {model.name} does not say which pairs it was trained on: the "
            "base pairs are taken for them",
            warning=True,
        )
        return columns, pair_columns(dataset, "base")
    return columns, np.flatnonzero(seen)


def _by_trained(
    model: Model, dataset: Dataset, chosen: tuple[Any, Any], part: str
) -> Model:
    """Let a model go by the tracks of pairs that it was trained on, and by no other."""
    from dataclasses import replace

    if model.evidence is None:
        return model
    trained, judged = chosen
    known = model.evidence.of(dataset.pairs[i] for i in trained.tolist())
    n_left = len(model.evidence.store.tracks) - len(known.store.tracks)
    less = f", without those of {n_left} pairs that are kept" if n_left else ""
    log(
        f"going by {len(known.store.tracks):,} tracks of {known.store.name}{less}; a "
        "pair's own never counts for it"
    )
    measured = {track.pair for track in known.store.tracks}
    roles = {dataset.roles[i] for i in judged if dataset.pairs[i] in measured}
    if part != "test":
        log(
            f"sites of {part} may have trained what reads the tracks; --sites test did "
            "not",
            warning=True,
        )
    if roles:
        log(
            f"{', '.join(sorted(roles))}: such pairs are measured, and the TF mean and "
            "shuffled names have their tracks in sight"
        )
    return replace(model, evidence=known)


def _leaks(
    model: Model, dataset: Dataset, kept: HoldOut, rows: Any, columns: tuple[Any, Any]
) -> dict[str, Any]:
    """Tell what the judged sites and pairs share with those trained on."""
    from tfimpute_tracks.dataset import Split, find_leaks, trained_sites

    found = trained_sites(model.card, dataset, kept)
    if found.caveat:
        log(f"{model.name}: {found.caveat}", warning=True)
    leaks = find_leaks(dataset, Split(found.rows, rows[:0], rows), *columns)
    told, ours = model.card.get("hold_out"), kept.to_dict()
    n_trained = found.count(rows)
    if n_trained and told not in (None, ours):
        log(
            f"{n_trained:,} of {len(rows):,} judged sites trained {model.name}; for "
            f"sites that did not, give {_written(told)}",
            warning=True,
        )
    for remark in leaks.messages():
        log(f"test and training: {remark}")
    more = {"n_trained_on": n_trained, "caveat": found.caveat or None}
    return leaks.to_dict() | more


def _written(record: dict[str, Any]) -> str:
    from tfimpute_tracks.dataset import hold_out_options

    return " ".join(f"--{k} {v}" for k, v in hold_out_options(record).items())


def _binned_pairs(
    dataset: Dataset, columns: Any, pairs_table: Path | None, fasta: Path | None
) -> list[BinnedPair]:
    """Find the peaks of the judged pairs."""
    from tfimpute_tracks.comparison.chromosome import BinnedPair
    from tfimpute_tracks.dataset.pairs_table import read_pairs_table

    if pairs_table is None or fasta is None:
        missing = "--fasta" if fasta is None else "--pairs-table"
        raise UsageError(
            f"--bins needs {missing}: bins lie along whole chromosomes of a FASTA, and "
            "their peaks are those of the pairs table"
        )
    table = read_pairs_table(pairs_table)
    alone = ("",) * len(table.pairs)
    names = zip(table.pairs, table.replicates or alone, strict=True)
    beds = dict(zip(names, table.beds, strict=True))
    replicates = dataset.replicates or ("",) * len(dataset.pairs)
    judged = [(dataset.pairs[i], replicates[i]) for i in columns.tolist()]
    absent = [str(pair) for pair, name in judged if (pair, name) not in beds]
    if absent:
        raise UsageError(
            f"{pairs_table} lacks {len(absent)} of the judged pairs, such as "
            f"{absent[0]}; give the table that the data set was made with, or another "
            "--split"
        )
    return [
        BinnedPair(key[0], dataset.roles[i], beds[key])
        for i, key in zip(columns.tolist(), judged, strict=True)
    ]


def _bin_run(
    model: Model, fasta: Path | None, chroms: list[str], n_threads: int
) -> Any:
    """Open the FASTA, and check that it holds the chromosomes, before any work."""
    from tfimpute_tracks.commands.inputs import choose_genome
    from tfimpute_tracks.comparison.chromosome import judge_bins
    from tfimpute_tracks.genome import match_chroms

    genome = choose_genome(fasta, model, None)
    names = list(match_chroms(chroms, genome.chrom_sizes).values())
    return partial(judge_bins, model, genome, names, n_threads=n_threads)


def _tell_left_out(result: EvaluationResult, told: list[BinsTold]) -> None:
    for role, figures in result.roles.items():
        for reason, names in figures["left_out_reasons"].items():
            log(
                f"{role}: {reason}, in no mean: {', '.join(names)}",
                warning=True,
            )
    for bins in told:
        for role, figures in bins.roles.items():
            if figures["left_out"]:
                names = ", ".join(figures["left_out"])
                log(
                    f"bins of {bins.width} bp, {role}: no positive bin, in no mean: "
                    f"{names}",
                    warning=True,
                )


def _show(title: str, result: EvaluationResult, told: list[BinsTold]) -> None:
    from tfimpute_tracks.comparison.evaluation_page import (
        BIN_COLUMNS,
        ROLE_COLUMNS,
        bin_rows,
        role_rows,
    )

    show_table(
        f"{title}, means over pairs", list(ROLE_COLUMNS), role_rows(result.roles)
    )
    for bins in told:
        left = ", ".join(f"{n:,} {why}" for why, n in bins.told["left_out"].items())
        show_table(
            f"{bins.told['bins']:,} bins of {bins.width:,} bp of "
            f"{', '.join(bins.told['chroms'])}; left out: {left}",
            list(BIN_COLUMNS),
            bin_rows(bins.roles),
        )
