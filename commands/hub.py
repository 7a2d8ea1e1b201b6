"""`hub`: a UCSC track hub and sessions of IGV over a folder of tracks."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, progress_bar, show_json
from tfimpute_tracks.commands.results import report_errors
from tfimpute_tracks.errors import InputFileError, UsageError

if TYPE_CHECKING:
    from tfimpute_tracks.models.model import Model
    from tfimpute_tracks.tracks.track_folder import TrackFolder, TrackRecord

__all__ = ["hub"]


def hub(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder of tracks that `scan` or `export` wrote, or a bulk store, whose "
            "pairs are first exported into --out-dir."
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
    genome: Annotated[
        str | None,
        typer.Option(
            "--genome",
            help="UCSC name of the assembly, such as hg38. Default: from the run records "
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
    evidence: options.Evidence = None,
    threads: options.Threads = "max",
    as_json: options.Json = False,
) -> None:
    """Write a UCSC track hub and IGV sessions for a folder of tracks."""
    from tfimpute_tracks.impute.plan_file import PLAN_FILE, read_plan
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_writable_dir
    from tfimpute_tracks.tracks.track_folder import find_tracks
    from tfimpute_tracks.views.hubs.card_lookup import CardLookup
    from tfimpute_tracks.views.hubs.hub import HubSettings, write_hub
    from tfimpute_tracks.views.hubs.sessions import write_sessions

    loaded = load_model(model, evidence)
    knowledge = CardLookup(loaded)
    # Before anything is exported.
    HubSettings(genome or "hg19", email, color_by)
    if fasta_url and not ((out_dir or folder) / fasta_url).exists():
        raise InputFileError(
            f"--fasta-url {fasta_url} is not there, as seen from {out_dir or folder}; "
            "give a FASTA file by its path from that folder"
        )
    if (folder / PLAN_FILE).exists():
        shelf = _of_store(folder, out_dir, (tf, cell, pairs), no_export, threads)
        build = genome or _build(shelf, loaded, read_plan(folder).chrom_sizes)
    elif tf or cell or pairs or out_dir or no_export or threads != "max":
        raise UsageError(
            f"{folder} is no bulk store: its tracks are taken as they are, without "
            "--tf, --cell, --pairs, --out-dir, --no-export and --threads"
        )
    else:
        shelf = find_tracks(folder)
        check_writable_dir(folder)
        build = genome or _build(shelf, loaded)
    if any(t.evidence_weights and not knowledge.knows(t) for t in shelf.tracks):
        log(
            "some tracks go by measured tracks: give the same --evidence for the pages "
            "to tell what their scores are worth",
            warning=True,
        )
    written = write_hub(shelf, HubSettings(build, email, color_by, knowledge))
    written += write_sessions(shelf, build, color_by, fasta_url)
    if as_json:
        told = {"pairs": len(shelf.tracks), "left_out": shelf.faults}
        show_json({**told, "files": [str(file) for file in written]})
    else:
        print_result(
            f"{len(shelf.tracks):,} pairs; put {shelf.folder} on a web server that "
            "answers range requests, and paste the address of hub.txt into My Data > "
            "Track Hubs; in IGV, File > Open Session igv.session.xml"
        )
        print_result(" ".join(str(file) for file in written))
    report_errors(shelf, "the hub")


def _build(
    shelf: TrackFolder, model: Model, sizes: Mapping[str, int] | None = None
) -> str:
    """Give the assembly of tracks: as receipts tell, or as the lengths are.

    The lengths of chromosomes are those given, or of each track's own bigWig.
    """
    from tfimpute_tracks.genome import known_build
    from tfimpute_tracks.tracks.formats import signal_chroms

    def by_lengths(track: TrackRecord) -> str:
        files = track.signals.values()
        own = sizes or next((signal_chroms(shelf.folder / f) for f in files), {})
        return known_build(own, model.checkpoint.genome) or ""

    builds = {track.build or by_lengths(track) for track in shelf.tracks}
    if len(builds) > 1 and builds - {""}:
        named = ", ".join(sorted(build or "unknown" for build in builds))
        raise UsageError(f"tracks of several assemblies ({named}); give --genome")
    if builds == {""}:
        raise UsageError(
            "neither the receipts nor the lengths of chromosomes tell the assembly; "
            "give --genome, such as hg38"
        )
    return builds.pop()


def _of_store(
    folder: Path,
    out_dir: Path | None,
    named: tuple[str | None, str | None, str | None],
    no_export: bool,
    threads: str,
) -> TrackFolder:
    """Export pairs of a store, all where none is named, and give what is there then."""
    from tfimpute_tracks.commands import inputs
    from tfimpute_tracks.impute.expected_tracks import expected_tracks
    from tfimpute_tracks.impute.export import ExportJob, run_export
    from tfimpute_tracks.impute.store import Store
    from tfimpute_tracks.storage import check_writable_dir
    from tfimpute_tracks.tracks.rendering import TrackOptions
    from tfimpute_tracks.tracks.track_folder import find_tracks
    from tfimpute_tracks.tracks.writer import usual_formats

    if out_dir is None:
        raise UsageError(f"{folder} is a bulk store: give --out-dir for its hub")
    store = Store(folder)
    chosen = store.plan.pairs
    if any(named):
        chosen = inputs.choose_pairs(store.vocabulary, *named)
    if no_export:
        check_writable_dir(out_dir)
        flags = zip(("--tf", "--cell", "--pairs"), named, strict=True)
        which = " ".join(f"{flag} {shlex.quote(n)}" for flag, n in flags if n)
        log(
            "the tracks themselves: tfimpute-tracks export "
            f"{folder} {which or '--all'} -o {out_dir}"
        )
        return expected_tracks(store, out_dir, chosen)
    formats = usual_formats(TrackOptions())
    job = ExportJob(
        store, chosen, out_dir, formats, threads=inputs.set_threads(threads)
    )
    with progress_bar("export", len(chosen), "pairs") as advance:
        for result in run_export(job):
            advance(1, str(result.pair))
    return find_tracks(out_dir)
