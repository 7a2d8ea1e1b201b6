"""`evidence build` and `evidence info`: measured peaks that predictions use."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from tfimpute_tracks.commands import downloads, options
from tfimpute_tracks.commands.console import (
    log,
    print_result,
    progress_bar,
    show_json,
    show_table,
)
from tfimpute_tracks.commands.results import describe_file
from tfimpute_tracks.errors import UsageError, listed

if TYPE_CHECKING:
    from tfimpute_tracks.evidence import BuildReport, PeakFile
    from tfimpute_tracks.genome import Region
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
    from tfimpute_tracks.evidence import PeakFile, read_accessibility
    from tfimpute_tracks.genome import name_assembly, resolve_regions
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
    files = [] if pairs_table is None else _peak_files(pairs_table, roles)
    files += read_accessibility(accessibility) if accessibility else []
    loaded = load_model(model)
    sizes = _chrom_sizes(fasta, chrom_sizes, loaded, cache_dir)
    where = resolve_regions(regions, [], sizes, log) if regions else None
    genome = _Genome(
        sizes, where, name_assembly(assembly, sizes, loaded.checkpoint.genome)
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


class _Genome(NamedTuple):
    """What peaks are on, and where they are kept."""

    sizes: dict[str, int]
    regions: list[Region] | None
    build: str


def _collect(
    files: list[PeakFile],
    out: Path,
    model: Model,
    genome: _Genome,
    left_out: Mapping[str, int],
    start: float,
) -> dict[str, Any]:
    """Build and write the evidence; return its summary."""
    from tfimpute_tracks.evidence import (
        build_evidence,
        summarize_build,
        write_evidence,
    )

    with progress_bar("peaks", len(files), "files") as advance:
        database, report = build_evidence(
            files, model.vocabulary, genome.sizes, genome.regions, genome.build, advance
        )
    digest = write_evidence(out, database)
    _warn(report, model.name)
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


def _peak_files(path: Path, roles: str | None) -> list[PeakFile]:
    """Read the rows of a pairs table that have the wanted roles."""
    from tfimpute_tracks.dataset import ROLES, read_pairs_table
    from tfimpute_tracks.evidence import PeakFile

    table = read_pairs_table(path)
    wanted = ROLES if roles is None else tuple(r.strip() for r in roles.split(","))
    unknown = [role for role in wanted if role not in ROLES]
    if unknown:
        raise UsageError(
            f"--roles {roles!r}: unknown role {unknown[0]!r}; use some of "
            f"{', '.join(ROLES)}, comma-separated"
        )
    replicates = table.replicates or ("",) * len(table.pairs)
    rows = zip(table.pairs, replicates, table.beds, table.roles, strict=True)
    found = [PeakFile(pair, name, bed) for pair, name, bed, r in rows if r in wanted]
    if not found:
        raise UsageError(
            f"{path} has no pair of the roles {roles}; it has "
            f"{', '.join(sorted(set(table.roles)))}"
        )
    return found


def _chrom_sizes(
    fasta: Path | None, table: Path | None, model: Model, cache_dir: Path | None
) -> dict[str, int]:
    """Find the chromosome sizes of the genome that the peaks are of."""
    from tfimpute_tracks.genome import open_genome, read_chrom_sizes

    if fasta is not None and table is not None:
        raise UsageError("use --fasta or --chrom-sizes, not both")
    if table is not None:
        return read_chrom_sizes(table)
    if fasta is not None:
        with open_genome(fasta, cache_dir, log) as genome:
            return dict(genome.chrom_sizes)
    trained_on = model.checkpoint.genome
    sizes = trained_on.get("chrom_sizes")
    if not sizes:
        raise UsageError(
            f"the model {model.name} has no chromosome sizes; use --fasta or "
            "--chrom-sizes"
        )
    log(
        "no --fasta or --chrom-sizes: using the chromosomes of "
        f"{trained_on.get('build') or 'the genome'}, which {model.name} was trained on"
    )
    return dict(sizes)


def _warn(report: BuildReport, model: str) -> None:
    """Warn of everything that was left out."""
    for reason in report.unknown:
        log(f"left out, unknown to the model {model}: {reason}", warning=True)
    if report.empty:
        log(f"left out, without peaks: {', '.join(report.empty)}", warning=True)
    if report.elsewhere:
        log(f"left out: {listed(report.elsewhere, 2, '; ')}", warning=True)
    for text in report.renamed:
        log(text, warning=True)
    if report.unknown_chromosomes:
        n_peaks = sum(report.unknown_chromosomes.values())
        log(
            f"left out: {n_peaks:,} peaks on chromosomes that the genome lacks "
            f"({listed(report.unknown_chromosomes)})",
            warning=True,
        )


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
