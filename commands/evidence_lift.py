"""`evidence lift`: measured peaks of one assembly, for another one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, progress_bar, show_json
from tfimpute_tracks.commands.tables import show_table

__all__ = ["lift"]


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
    from tfimpute_tracks.api.evidence_lift import lift_evidence_file

    done = lift_evidence_file(
        evidence,
        chain,
        out,
        fasta=fasta,
        chrom_sizes=chrom_sizes,
        assembly=assembly,
        cache_dir=cache_dir,
        overwrite=overwrite,
        progress=progress_bar,
    )
    if as_json:
        show_json(done.summary)
        return
    show_table(
        f"{done.name} on {done.target}",
        ["", "intervals", "peaks of all tracks"],
        _rows(done.summary),
    )
    print_result(str(out))


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
