"""`evidence lift`: measured peaks of one assembly, for another one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import (
    log,
    print_result,
    progress_bar,
    show_json,
    show_table,
)
from tfimpute_tracks.commands.results import describe_file
from tfimpute_tracks.errors import UsageError, listed

__all__ = ["lift"]

_FEW = 0.9  # fraction of lifted peaks below which a warning is due


def lift(
    evidence: Annotated[
        str,
        typer.Argument(
            help="`encode-hg19`, which comes with the package, or an evidence file."
        ),
    ],
    chain: Annotated[
        Path,
        typer.Option(
            "--chain",
            help="Chain file from its assembly to the target, such as "
            "hg19ToHg38.over.chain.gz; plain or gzip.",
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="HDF5 file to write.")],
    fasta: Annotated[
        Path | None,
        typer.Option(
            "-g",
            "--fasta",
            help="FASTA of the target, for its chromosome lengths.",
        ),
    ] = None,
    chrom_sizes: Annotated[
        Path | None,
        typer.Option(help="Table of chromosome names and sizes, in place of a FASTA."),
    ] = None,
    assembly: options.Assembly = None,
    cache_dir: options.CacheDir = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if it exists.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Lift an evidence file to another assembly."""
    from tfimpute_tracks.evidence import open_named, write_evidence
    from tfimpute_tracks.evidence.lift import lift_evidence
    from tfimpute_tracks.genome import name_assembly
    from tfimpute_tracks.genome.chain import Chain
    from tfimpute_tracks.storage import check_output_dir

    if out.exists() and not overwrite:
        raise UsageError(f"{out} exists; use another -o, or --overwrite to replace it")
    check_output_dir(out.parent)
    start = time.perf_counter()
    store = open_named(evidence)
    sizes, target = _target(fasta, chrom_sizes, cache_dir)
    build = name_assembly(assembly, sizes, {})
    opened = Chain(chain, store.chrom_sizes, sizes, store.name, target)
    with progress_bar("lift", len(store.chrom_sizes), "chromosomes") as advance:
        database, report = lift_evidence(store, opened, sizes, build, advance)
    digest = write_evidence(out, database)
    lost = [region.chrom for region in store.regions if region.chrom in opened.missing]
    if lost:
        log(
            f"{chain} has no chain for {listed(dict.fromkeys(lost))}: their peaks are lost",
            warning=True,
        )
    if report.fraction_kept < _FEW:
        log(
            f"only {report.fraction_kept:.1%} of the peaks have a place in {target}: is it "
            "of another species, or a part of its assembly? How accurate predictions "
            "are with so few was not measured",
            warning=True,
        )
    summary = report.summary() | {
        "from": store.build,
        "build": build,
        **describe_file(out, digest, start),
    }
    if as_json:
        show_json(summary)
        return
    show_table(
        f"{store.name} on {build or target}",
        ["", "intervals", "peaks of all tracks"],
        _rows(summary),
    )
    print_result(str(out))


def _target(
    fasta: Path | None, table: Path | None, cache_dir: Path | None
) -> tuple[dict[str, int], str]:
    """Find the chromosome lengths of the target, and what messages call it."""
    from tfimpute_tracks.genome import open_genome, read_chrom_sizes

    if (fasta is None) == (table is None):
        raise UsageError(
            "the chromosome lengths of the target are needed: use --fasta or "
            "--chrom-sizes, one of the two"
        )
    if table is not None:
        return read_chrom_sizes(table), table.name
    assert fasta is not None
    with open_genome(fasta, cache_dir, log) as genome:
        return dict(genome.chrom_sizes), fasta.name


_MEANING = {
    "kept": "kept",
    "moved": "- on another chromosome",
    "reversed": "- on the other strand",
    "lost": "lost: an end has no counterpart",
    "split": "split: the ends lie apart",
    "resized": "length changed by more than 10 %",
    "absent": "on chromosomes that the target lacks",
    "dropped": "on chromosomes that the track has no data for",
}


def _rows(summary: dict[str, Any]) -> list[list[str]]:
    intervals, peaks = summary["intervals"], summary["peaks"]
    rows = [
        [text, f"{intervals[name]:,}" if name in intervals else "", f"{peaks[name]:,}"]
        for name, text in _MEANING.items()
    ]
    before, after = summary["regions_bp"], summary["lifted_regions_bp"]
    return [
        *rows,
        [
            "Mb with data, before and after",
            f"{before / 1e6:,.1f}",
            f"{after / 1e6:,.1f}",
        ],
    ]
