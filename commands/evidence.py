"""`evidence build` and `evidence info`: measured peaks that predictions use."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import downloads, options
from tfimpute_tracks.commands.console import (
    print_result,
    progress_bar,
    show_json,
    show_table,
)
from tfimpute_tracks.commands.results import describe_file
from tfimpute_tracks.errors import UsageError, listed

if TYPE_CHECKING:
    from tfimpute_tracks.api.evidence import PeakGenome
    from tfimpute_tracks.evidence import PeakFile
    from tfimpute_tracks.models.model import Model

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
    from tfimpute_tracks.api.evidence import choose_peak_genome, read_peak_files
    from tfimpute_tracks.evidence import PeakFile, read_accessibility
    from tfimpute_tracks.models import load_model

    start = time.perf_counter()
    downloads.one_input(
        pairs_table,
        from_,
        {
            "--signal-threshold": signal_threshold,
            "--keep-peaks": keep_peaks,
            "--dry-run": dry_run,
        },
    )
    if from_ and roles:
        raise UsageError("--roles needs --pairs-table: a download has no roles")
    dest = downloads.check_output(out, overwrite, keep_peaks, dry_run)
    files = [] if pairs_table is None else read_peak_files(pairs_table, roles)
    files += read_accessibility(accessibility) if accessibility else []
    loaded = load_model(model)
    genome = choose_peak_genome(
        fasta, chrom_sizes, loaded, regions, assembly, cache_dir
    )
    left_out: Mapping[str, int] = {}
    with ExitStack() as stack:
        if from_:
            found = downloads.find_tracks(from_, loaded.vocabulary, genome.build)
            if dest is None:
                keep = None if dry_run else keep_peaks
                downloads.show_download(found, as_json, keep, signal_threshold)
                return
            downloads.log_candidates(found)
            tracks = found.tracks if keep_peaks else found.known
            written, _ = stack.enter_context(
                downloads.track_files(tracks, signal_threshold, keep_peaks)
            )
            files += [PeakFile(f.pair, "", f.path) for f in written if f.is_known]
            left_out = found.left_out
        if not files:
            raise UsageError(
                f"no track of a TF and a cell line that {loaded.name} has; --keep-peaks "
                "FOLDER without -o writes a pairs table of the others, for `extend`"
            )
        summary = _collect(files, Path(str(dest)), loaded, genome, left_out, start)
    if as_json:
        show_json(summary)
        return
    show_table("Evidence", ["item", "value"], _rows(summary))
    print_result(str(dest))


def _collect(
    files: list[PeakFile],
    out: Path,
    model: Model,
    genome: PeakGenome,
    left_out: Mapping[str, int],
    start: float,
) -> dict[str, Any]:
    """Build and write the evidence; return its summary."""
    from tfimpute_tracks.api.evidence import collect_peaks
    from tfimpute_tracks.evidence import summarize_build

    database, report, digest = collect_peaks(files, out, model, genome, progress_bar)
    return summarize_build(database) | {
        "left_out": {
            "files_of_unknown_names": report.unknown,
            "files_without_peaks": report.empty,
            "files_without_peaks_on_the_genome": report.elsewhere,
            "peaks_on_unknown_chromosomes": report.unknown_chromosomes,
        },
        **({"left_out_of_download": dict(left_out)} if left_out else {}),
        "renamed": report.renamed,
        **describe_file(out, digest, start),
    }


def info(
    file: Annotated[
        Path,
        typer.Argument(
            help="File that `evidence build` wrote, or `encode-hg19` for the evidence "
            "that comes with the package."
        ),
    ],
    tf: options.Tf = None,
    cell: options.Cell = None,
    check: Annotated[
        bool, typer.Option("--check", help="Read the whole file and verify its digest.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Summarize an evidence file, or list the tracks of a TF or cell line."""
    from tfimpute_tracks.evidence import (
        open_named,
        select_tracks,
        summarize_store,
    )

    store = open_named(file)
    if check:
        store.check()
    tracks = select_tracks(store, tf, cell)
    summary = summarize_store(store) | ({"checked": True} if check else {})
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
