"""`evidence build` and `evidence info`: measured peaks that predictions use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tfimpute_tracks.commands import downloads, options
from tfimpute_tracks.commands.console import print_result, progress_bar, show_json
from tfimpute_tracks.commands.tables import show_table
from tfimpute_tracks.errors import listed

__all__ = ["build", "info"]


def build(
    pairs_table: Annotated[
        Path | None,
        typer.Option(
            help="Tab-separated table with the columns tf, cell and bed (peak file, relative "
            "to the table), and optionally role and replicate."
        ),
    ] = None,
    from_: downloads.From = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="HDF5 file to write.")
    ] = None,
    fasta: Annotated[
        Path | None,
        typer.Option(
            "-g",
            "--fasta",
            help="FASTA of the genome of the peaks, for its chromosome sizes. Default: the "
            "genome of the model's training data.",
        ),
    ] = None,
    chrom_sizes: Annotated[
        Path | None,
        typer.Option(help="Table of chromosome names and sizes, in place of a FASTA."),
    ] = None,
    assembly: options.Assembly = None,
    accessibility: Annotated[
        Path | None,
        typer.Option(
            help="Tab-separated table with the columns cell and bed (DNase or ATAC peaks)."
        ),
    ] = None,
    model: options.ModelName = "default",
    regions: options.Regions = None,
    roles: Annotated[
        str | None,
        typer.Option(help="Use pairs of these roles only, comma-separated."),
    ] = None,
    signal_threshold: downloads.SignalThreshold = None,
    keep_peaks: downloads.KeepPeaks = None,
    dry_run: downloads.DryRun = False,
    cache_dir: options.CacheDir = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if it exists.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Collect the peaks of measured pairs in one indexed file."""
    from tfimpute_tracks.api.evidence_files import collect_evidence

    done = collect_evidence(
        out,
        pairs_table=pairs_table,
        downloads=from_,
        accessibility=accessibility,
        fasta=fasta,
        chrom_sizes=chrom_sizes,
        assembly=assembly,
        model=model,
        regions=regions or None,
        roles=roles,
        signal_threshold=signal_threshold,
        keep_peaks=keep_peaks,
        dry_run=dry_run,
        cache_dir=cache_dir,
        overwrite=overwrite,
        progress=progress_bar,
    )
    if not isinstance(done, dict):
        downloads.show_download(done, as_json)
        return
    if as_json:
        show_json(done)
        return
    show_table("Evidence", ["item", "value"], _rows(done))
    print_result(str(out))


def info(
    file: Annotated[
        Path,
        typer.Argument(
            help="File that `evidence build` wrote; by default the evidence that comes "
            "with the package."
        ),
    ] = Path("encode-hg19"),
    tf: options.Tf = None,
    cell: options.Cell = None,
    check: Annotated[
        bool, typer.Option("--check", help="Read the whole file and verify its digest.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Summarize an evidence file, or list the tracks of a TF or cell line."""
    from tfimpute_tracks.api.evidence_info import describe_evidence

    store, tracks, summary = describe_evidence(file, tf=tf, cell=cell, check=check)
    columns = ["tf", "cell", "replicate", "peaks"]
    rows = [[*track.pair, track.replicate, track.n_peaks] for track in tracks]
    if as_json:
        records = [
            {**dict(zip(columns, row, strict=True)), "digest": track.digest}
            for row, track in zip(rows, tracks, strict=True)
        ]
        show_json(summary | {"tracks": records})
    elif tf is None and cell is None:
        show_table(store.name, ["item", "value"], _rows(summary))
    else:
        show_table("", columns, [[cell or "-" for cell in row] for row in rows])
        print_result(f"{len(tracks):,} of {len(store.tracks):,} tracks")


def _rows(summary: dict[str, Any]) -> list[list[Any]]:
    """Shorten a summary to the rows of a table; --json has all of it."""
    rows: list[list[Any]] = []
    for name, value in summary.items():
        shown = value
        if isinstance(value, list):
            shown = listed(value)
        elif isinstance(value, dict):
            shown = sum(n if isinstance(n, int) else len(n) for n in value.values())
        rows.append([name.replace("_", " "), "-" if shown == "" else shown])
    return [row for row in rows if row[0] != "file"]
