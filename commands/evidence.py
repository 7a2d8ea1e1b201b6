"""`evidence`: measured tracks to go by; build a store of them, look into it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import (
    log,
    print_result,
    progress_bar,
    show_json,
    show_table,
)
from tfimpute_tracks.errors import InputFileError, UnknownNameError, UsageError, listed

if TYPE_CHECKING:
    from tfimpute_tracks.evidence import BuildReport, EvidenceStore, PeakFile, Track
    from tfimpute_tracks.models.model import Model

__all__ = ["build", "info"]

_SHOWN = 5  # of what a warning or a table lists
_BUNDLED = "bundled"


def build(
    pairs_table: Annotated[
        Path,
        typer.Option(
            help="Tab-separated table with the columns tf, cell and bed (peak file, relative "
            "to the table), and optionally role and replicate."
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="HDF5 file to write.")],
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
    cache_dir: options.CacheDir = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if it exists.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Collect the peaks of measured pairs in one indexed file."""
    from tfimpute_tracks.evidence import build_evidence, write_evidence
    from tfimpute_tracks.evidence import read_accessibility as read_open
    from tfimpute_tracks.genome import known_build, resolve_regions
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_writable_dir

    if out.exists() and not overwrite:
        raise UsageError(f"{out} exists; give another -o, or --overwrite to replace it")
    check_writable_dir(out.parent)
    began = time.perf_counter()
    files = _peak_files(pairs_table, roles)
    files += read_open(accessibility) if accessibility else []
    loaded = load_model(model)
    sizes = _sizes(fasta, chrom_sizes, loaded, cache_dir)
    where = resolve_regions(regions, [], sizes, log) if regions else None
    build_name = known_build(sizes, loaded.checkpoint.genome) or ""
    with progress_bar("peaks", len(files), "files") as advance:
        contents, report = build_evidence(
            files,
            loaded.vocabulary,
            sizes,
            where,
            build_name,
            lambda n: advance(n, ""),
        )
    digest = write_evidence(out, contents)
    _tell(report, loaded.name)
    summary = {
        "tracks": len(contents.tracks),
        "peaks": sum(len(peaks.start) for peaks in contents.peaks.values()),
        "chromosomes": len({region.chrom for region in contents.regions}),
        "build": contents.build,
        "left_out": {
            "files_of_unknown_names": report.unknown,
            "files_without_peaks": report.empty,
            "peaks_on_unknown_chromosomes": report.unknown_chromosomes,
        },
        "renamed": report.renamed,
        "digest": digest,
        "seconds": round(time.perf_counter() - began, 1),
        "file_mb": round(out.stat().st_size / 1e6, 2),
        "file": str(out),
    }
    if as_json:
        show_json(summary)
        return
    show_table("Evidence", ["what", "value"], _rows(summary))
    print_result(str(out))


def info(
    file: Annotated[
        Path,
        typer.Argument(
            help="File that `evidence build` wrote, or `bundled` for that of the example "
            "region."
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
    from tfimpute_tracks.evidence import bundled_evidence, open_evidence

    is_bundled = str(file) == _BUNDLED and not file.exists()
    store = bundled_evidence() if is_bundled else open_evidence(file)
    if check and not store.check():
        raise InputFileError(
            f"{file}: its contents are not those that its digest was made of; make it "
            "again with `tfimpute-tracks evidence build`"
        )
    chosen = _choose(store, tf, cell)
    summary = _summary(store) | ({"checked": True} if check else {})
    if as_json:
        show_json(summary | {"tracks": [_record(track) for track in chosen]})
        return
    if tf is None and cell is None:
        show_table(store.name, ["what", "value"], _rows(summary))
        return
    show_table(
        "",
        ["tf", "cell", "replicate", "peaks"],
        [[*t.pair, t.replicate or "-", t.n_peaks] for t in chosen],
    )
    print_result(f"{len(chosen):,} of {len(store.tracks):,} tracks")


def _peak_files(path: Path, roles: str | None) -> list[PeakFile]:
    from tfimpute_tracks.dataset import ROLES, read_pairs_table
    from tfimpute_tracks.evidence import PeakFile

    table = read_pairs_table(path)
    wanted = ROLES if roles is None else tuple(r.strip() for r in roles.split(","))
    strange = [role for role in wanted if role not in ROLES]
    if strange:
        raise UsageError(
            f"--roles {roles!r}: unknown role {strange[0]!r}; give some of "
            f"{', '.join(ROLES)}, comma-separated"
        )
    replicates = table.replicates or ("",) * len(table.pairs)
    rows = zip(table.pairs, replicates, table.beds, table.roles, strict=True)
    found = [
        PeakFile(pair, name, bed) for pair, name, bed, role in rows if role in wanted
    ]
    if not found:
        raise UsageError(
            f"{path} has no pair of the roles {roles}; it has "
            f"{', '.join(sorted(set(table.roles)))}"
        )
    return found


def _sizes(
    fasta: Path | None, table: Path | None, model: Model, cache_dir: Path | None
) -> dict[str, int]:
    """Find the sizes of the chromosomes that the peaks lie on."""
    from tfimpute_tracks.genome import open_genome, read_chrom_sizes

    if fasta is not None and table is not None:
        raise UsageError("give --fasta or --chrom-sizes, not both")
    if table is not None:
        return read_chrom_sizes(table)
    if fasta is not None:
        with open_genome(fasta, cache_dir, log) as genome:
            return dict(genome.chrom_sizes)
    trained_on = model.checkpoint.genome
    sizes = trained_on.get("chrom_sizes")
    if not sizes:
        raise UsageError(
            f"the weights {model.name} tell no chromosome sizes; give --fasta or "
            "--chrom-sizes"
        )
    log(
        "neither --fasta nor --chrom-sizes: taking the chromosomes of "
        f"{trained_on.get('build') or 'the genome'} that {model.name} was trained on"
    )
    return dict(sizes)


def _tell(report: BuildReport, model: str) -> None:
    """Warn of what was left out, by name."""
    for reason in report.unknown:
        log(f"left out, unknown to the model {model}: {reason}", warning=True)
    if report.empty:
        log(f"left out, without a peak: {', '.join(report.empty)}", warning=True)
    for remark in report.renamed:
        log(remark, warning=True)
    if report.unknown_chromosomes:
        n_peaks = sum(report.unknown_chromosomes.values())
        log(
            f"left out: {n_peaks:,} peaks on chromosomes that the genome lacks "
            f"({listed(report.unknown_chromosomes, _SHOWN)})",
            warning=True,
        )


def _choose(store: EvidenceStore, tf: str | None, cell: str | None) -> list[Track]:
    """Give the tracks of a TF, of a cell line, of both or all."""
    from tfimpute_tracks.vocabulary import Vocabulary

    pairs = [track.pair for track in store.tracks]
    names = Vocabulary(
        sorted({pair.tf for pair in pairs}), sorted({pair.cell for pair in pairs})
    )
    try:
        own_tf = None if tf is None else names.tf(tf)
        own_cell = None if cell is None else names.cell(cell)
    except UnknownNameError as error:
        told = str(error).partition(" `tfimpute-tracks")[0]
        raise UnknownNameError(
            f"{store.name} has no such track: {told} `tfimpute-tracks evidence info "
            "FILE --json` lists all"
        ) from error
    return [
        track
        for track in store.tracks
        if own_tf in (None, track.pair.tf) and own_cell in (None, track.pair.cell)
    ]


def _record(track: Track) -> dict[str, Any]:
    return {
        "tf": track.pair.tf,
        "cell": track.pair.cell,
        "replicate": track.replicate,
        "peaks": track.n_peaks,
        "digest": track.digest,
    }


def _summary(store: EvidenceStore) -> dict[str, Any]:
    from tfimpute_tracks.evidence import ACCESSIBILITY

    pairs = [track.pair for track in store.tracks]
    sizes = store.chrom_sizes
    return {
        "tracks": len(pairs),
        "tfs": len({pair.tf for pair in pairs} - {ACCESSIBILITY}),
        "cell_lines": len({pair.cell for pair in pairs}),
        "accessibility": [pair.cell for pair in pairs if pair.tf == ACCESSIBILITY],
        "peaks": {
            chrom: len(store.peaks(chrom).start)
            for chrom in dict.fromkeys(region.chrom for region in store.regions)
        },
        "peaks_of_files": sum(track.n_peaks for track in store.tracks),
        "build": store.build,
        "regions": [
            region.chrom if region[1:] == (0, sizes[region.chrom]) else str(region)
            for region in store.regions
        ],
        "digest": store.digest,
        "file": store.name,
    }


def _rows(summary: dict[str, Any]) -> list[list[Any]]:
    """Give what a table shows: --json has all of it."""
    rows: list[list[Any]] = []
    for name, value in summary.items():
        shown: Any = value
        if isinstance(value, list):
            shown = listed(value, _SHOWN) or "-"
        elif isinstance(value, dict):
            numbers = [n if isinstance(n, int) else len(n) for n in value.values()]
            shown = sum(numbers)
        rows.append([name.replace("_", " "), "-" if shown == "" else shown])
    return [row for row in rows if row[0] != "file"]
