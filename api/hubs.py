"""A track hub and sessions of a folder of tracks: inputs, and one call."""

from __future__ import annotations

import shlex
from pathlib import Path

from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.pair_choice import Pairs, choose_pairs
from tfimpute_tracks.api.progress import ProgressBar, no_progress
from tfimpute_tracks.api.reporting import COLORS, TrackView
from tfimpute_tracks.api.threads import limit_threads
from tfimpute_tracks.api.values import (
    as_path,
    check_choice,
    check_model,
    check_texts,
    optional_path,
)
from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.impute.export import ExportJob, run_export
from tfimpute_tracks.impute.plan_file import read_plan
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.impute.stored_tracks import expected_tracks
from tfimpute_tracks.models.loading import load_modes
from tfimpute_tracks.storage import check_output_dir, is_store
from tfimpute_tracks.tracks.track_folder import TrackFolder, find_tracks
from tfimpute_tracks.views.hubs.assembly import find_assembly
from tfimpute_tracks.views.hubs.card_lookup import CardLookup
from tfimpute_tracks.views.hubs.hub import HubSettings, write_hub
from tfimpute_tracks.views.hubs.sessions import write_sessions

__all__ = ["make_hub"]

_Named = tuple[str | None, str | None, Pairs | None]  # tf, cell, pairs


def make_hub(
    folder: str | Path,
    *,
    tf: str | None = None,
    cell: str | None = None,
    pairs: Pairs | None = None,
    out_dir: str | Path | None = None,
    no_export: bool = False,
    assembly: str | None = None,
    fasta_url: str | None = None,
    email: str = "nobody@example.org",
    color_by: str = "family",
    model: str | Path = "default",
    threads: int | str = "max",
    progress: ProgressBar = no_progress,
) -> TrackView:
    """Write a UCSC track hub and IGV sessions for a folder of tracks.

    Parameters
    ----------
    folder : str or Path
        Tracks that `scan` or `export` wrote, or a bulk store.
    tf, cell, pairs : optional
        Of a store: one pair, or several, as for :meth:`tfimpute_tracks.Model.scan`; by
        default all.
    out_dir : str or Path, optional
        Of a store: the folder of the hub, into which tracks are exported.
    no_export : bool
        Of a store: write the hub of tracks that are exported later.
    assembly : str, optional
        UCSC name; by default from the receipts or the chromosome lengths.
    fasta_url : str, optional
        FASTA file of the IGV sessions, relative to the folder of the hub.
    email : str
        Contact address shown in the hub.
    color_by : {"family", "tf", "cell"}
    model : str or Path
        Whose card describes the pairs.
    threads : int or "max"
    progress : ProgressBar

    Returns
    -------
    TrackView

    Raises
    ------
    UsageError, UnknownNameError, InputFileError
        A value, name or file is wrong.
    OutputError, WriteError
        A file cannot be written.

    Examples
    --------
    >>> from tfimpute_tracks.api.hubs import make_hub
    >>> view = make_hub("tracks")
    >>> len(view.tracks.tracks), view.files[0].name
    (2, 'hub.txt')
    """
    source, dest = as_path(folder, "folder"), optional_path(out_dir, "out_dir")
    check_model(model)
    check_texts(tf=tf, cell=cell, assembly=assembly, fasta_url=fasta_url, email=email)
    check_choice(color_by, "color_by", COLORS)
    card = CardLookup(load_modes(model))
    HubSettings(assembly or "hg19", email, color_by)  # checked before a long export
    hub_dir, named = dest or source, (tf, cell, pairs)
    if fasta_url and not (hub_dir / fasta_url).exists():
        raise InputFileError(
            f"--fasta-url {fasta_url}: no such file in {hub_dir}; use the path of a "
            "FASTA file relative to that folder"
        )
    sizes = None
    if is_store(source):
        tracks = _store_tracks(source, dest, named, no_export, threads, progress)
        sizes = read_plan(source).chrom_sizes
    elif tf or cell or pairs is not None or dest or no_export or threads != "max":
        raise UsageError(
            f"{source} is not a bulk store: --tf, --cell, --pairs, --out-dir, "
            "--no-export and --threads do not apply to a folder of tracks"
        )
    else:
        tracks = find_tracks(source)
        check_output_dir(source)
    known = card.models[0].checkpoint.genome
    build = find_assembly(tracks, known, sizes, assembly)
    files = write_hub(tracks, HubSettings(build, email, color_by, card))
    files += write_sessions(tracks, build, color_by, fasta_url)
    return TrackView(tracks, files)


def _store_tracks(
    store_dir: Path,
    out_dir: Path | None,
    named: _Named,
    no_export: bool,
    threads: int | str,
    progress: ProgressBar,
) -> TrackFolder:
    """Export the named pairs of a store, by default all, or list what export will write."""
    if out_dir is None:
        raise UsageError(f"{store_dir} is a bulk store: use --out-dir for its hub")
    store = Store(store_dir)
    chosen = store.plan.pairs
    if any(name is not None for name in named):
        chosen = choose_pairs(store.vocabulary, *named)
    if no_export:
        check_output_dir(out_dir)
        tf, cell, pairs = named
        if not isinstance(pairs, str | None):
            pairs = ";".join(map(str, chosen))
        flags = (("--tf", tf), ("--cell", cell), ("--pairs", pairs))
        which = " ".join(f"{flag} {shlex.quote(n)}" for flag, n in flags if n)
        log(
            "to write the tracks: tfimpute-tracks export "
            f"{store_dir} {which or '--all'} -o {out_dir}"
        )
        return expected_tracks(store, out_dir, chosen)
    with limit_threads(threads) as n_threads:
        job = ExportJob(store, chosen, out_dir, threads=n_threads)
        with progress("export", len(chosen), "pairs") as advance:
            for result in run_export(job):
                advance(1, str(result.pair))
    return find_tracks(out_dir)
