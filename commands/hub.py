"""`hub`: a UCSC track hub and IGV sessions of a folder of tracks."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, progress_bar
from tfimpute_tracks.commands.results import show_view
from tfimpute_tracks.errors import InputFileError, UsageError, counted

if TYPE_CHECKING:
    from tfimpute_tracks.tracks.track_folder import TrackFolder

__all__ = ["hub"]


def hub(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder of tracks that `scan` or `export` wrote, or a bulk store. "
            "Tracks of a store are first exported into --out-dir."
        ),
    ],
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    out_dir: Annotated[
        Path | None,
        typer.Option("-o", "--out-dir", help="Hub folder; for a bulk store only."),
    ] = None,
    no_export: Annotated[
        bool,
        typer.Option(
            "--no-export",
            help="For a bulk store: write the hub without exporting the tracks.",
        ),
    ] = False,
    assembly: Annotated[
        str | None,
        typer.Option(
            "--assembly",
            help="UCSC name of the assembly, such as hg38. Default: from the receipts "
            "or the chromosome lengths.",
        ),
    ] = None,
    fasta_url: Annotated[
        str | None,
        typer.Option(
            "--fasta-url",
            help="FASTA file of the IGV sessions, relative to the hub folder. Default: "
            "the viewer's own copy of the assembly.",
        ),
    ] = None,
    email: Annotated[
        str, typer.Option("--email", help="Contact address shown in the hub.")
    ] = "nobody@example.org",
    color_by: options.ColorBy = "family",
    model: options.ModelName = "default",
    threads: options.Threads = "max",
    as_json: options.Json = False,
) -> None:
    """Write a UCSC track hub and IGV sessions for a folder of tracks."""
    from tfimpute_tracks.impute.plan_file import read_plan
    from tfimpute_tracks.models.loading import load_modes
    from tfimpute_tracks.storage import check_output_dir, is_store
    from tfimpute_tracks.tracks.track_folder import find_tracks
    from tfimpute_tracks.views.hubs.assembly import find_assembly
    from tfimpute_tracks.views.hubs.card_lookup import CardLookup
    from tfimpute_tracks.views.hubs.hub import HubSettings, write_hub
    from tfimpute_tracks.views.hubs.sessions import write_sessions

    card = CardLookup(load_modes(model))
    HubSettings(assembly or "hg19", email, color_by)  # checked before a long export
    hub_dir, named = out_dir or folder, (tf, cell, pairs)
    if fasta_url and not (hub_dir / fasta_url).exists():
        raise InputFileError(
            f"--fasta-url {fasta_url}: no such file in {hub_dir}; use the path of a "
            "FASTA file relative to that folder"
        )
    sizes = None
    if is_store(folder):
        tracks = _store_tracks(folder, out_dir, named, no_export, threads)
        sizes = read_plan(folder).chrom_sizes
    elif any(named) or out_dir or no_export or threads != "max":
        raise UsageError(
            f"{folder} is not a bulk store: --tf, --cell, --pairs, --out-dir, "
            "--no-export and --threads do not apply to a folder of tracks"
        )
    else:
        tracks = find_tracks(folder)
        check_output_dir(folder)
    known = card.models[0].checkpoint.genome
    build = find_assembly(tracks, known, sizes, assembly)
    files = write_hub(tracks, HubSettings(build, email, color_by, card))
    files += write_sessions(tracks, build, color_by, fasta_url)
    show_view(
        tracks,
        files,
        f"{counted(len(tracks.tracks), 'pair')}. UCSC: copy {tracks.path} to a web server "
        "that answers range requests and paste the URL of hub.txt into My Data > Track Hubs. "
        "IGV: File > Open Session > igv.session.xml",
        as_json,
    )


def _store_tracks(
    store_dir: Path,
    out_dir: Path | None,
    named: tuple[str | None, str | None, str | None],
    no_export: bool,
    threads: str,
) -> TrackFolder:
    """Export the named pairs of a store, by default all, or list what export will write."""
    from tfimpute_tracks.api.pair_choice import choose_pairs
    from tfimpute_tracks.api.threads import set_threads
    from tfimpute_tracks.impute.export import ExportJob, run_export
    from tfimpute_tracks.impute.store import Store
    from tfimpute_tracks.impute.stored_tracks import expected_tracks
    from tfimpute_tracks.storage import check_output_dir
    from tfimpute_tracks.tracks.track_folder import find_tracks

    if out_dir is None:
        raise UsageError(f"{store_dir} is a bulk store: use --out-dir for its hub")
    store = Store(store_dir)
    chosen = store.plan.pairs
    if any(named):
        chosen = choose_pairs(store.vocabulary, *named)
    if no_export:
        check_output_dir(out_dir)
        flags = zip(("--tf", "--cell", "--pairs"), named, strict=True)
        which = " ".join(f"{flag} {shlex.quote(n)}" for flag, n in flags if n)
        log(
            "to write the tracks: tfimpute-tracks export "
            f"{store_dir} {which or '--all'} -o {out_dir}"
        )
        return expected_tracks(store, out_dir, chosen)
    n_threads = set_threads(threads)
    job = ExportJob(store, chosen, out_dir, threads=n_threads)
    with progress_bar("export", len(chosen), "pairs") as advance:
        for result in run_export(job):
            advance(1, str(result.pair))
    return find_tracks(out_dir)
