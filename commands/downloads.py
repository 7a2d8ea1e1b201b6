"""`--from PATH`: tracks of `evidence build` and `prepare` from downloaded files."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands.console import (
    log,
    print_result,
    progress_bar,
    show_json,
    show_table,
)
from tfimpute_tracks.errors import InputFileError, UsageError, counted, listed

if TYPE_CHECKING:
    from tfimpute_tracks.downloads import Download, DownloadedTrack, Source, TrackFile
    from tfimpute_tracks.vocabulary import Vocabulary

__all__ = [
    "DryRun",
    "From",
    "KeepPeaks",
    "SignalThreshold",
    "check_output",
    "find_tracks",
    "log_candidates",
    "one_input",
    "show_download",
    "track_files",
]

From = Annotated[
    list[Path] | None,
    typer.Option(
        "--from",
        help="In place of a pairs table: a file or folder as downloaded from ENCODE, "
        "ReMap, ChIP-Atlas, UniBind, Cistrome or UCSC, or a folder of files named "
        "TF.CELL.bed. Recognized by content. Repeatable.",
    ),
]
SignalThreshold = Annotated[
    float | None,
    typer.Option(help="With --from: lowest value of a bigWig in a peak."),
]
KeepPeaks = Annotated[
    Path | None,
    typer.Option(
        help="With --from: new folder for a pairs table of every pair, also of names that "
        "the model lacks, and for peaks that had to be merged or converted; other rows "
        "refer to the downloaded files. Without -o, only this."
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="With --from: list which TF and cell line each file is matched to, and write "
        "nothing.",
    ),
]


def one_input(
    pairs_table: Path | None, paths: list[Path] | None, others: Mapping[str, object]
) -> None:
    """Require a pairs table or --from, and no option of the other.

    Parameters
    ----------
    pairs_table : Path or None
    paths : list of Path or None
    others : mapping of str to object
        Options that need --from, and their values.

    Raises
    ------
    UsageError
    """
    if bool(pairs_table) == bool(paths):
        raise UsageError(
            "use --pairs-table FILE or --from PATH, "
            + ("not both" if paths else "for the peaks of each TF and cell line")
        )
    threshold = others.get("--signal-threshold")
    if isinstance(threshold, float) and not math.isfinite(threshold):
        raise UsageError(f"--signal-threshold {threshold} is not a finite number")
    for name, value in others.items():
        if not paths and value not in (None, False):
            raise UsageError(f"{name} needs --from; omit it, or name a download")


def check_output(
    out: Path | None, overwrite: bool, keep: Path | None, dry_run: bool
) -> Path | None:
    """Require something to write, before any work.

    Parameters
    ----------
    out : Path or None
    overwrite : bool
    keep : Path or None
        Folder to keep peaks in.
    dry_run : bool

    Returns
    -------
    Path or None
        The file to write; None if there is none.

    Raises
    ------
    UsageError
        There is nothing to write, the file exists, or the folder is not empty.
    OutputError
        The folder of the file cannot be written.
    """
    from tfimpute_tracks.storage import check_output_dir

    if dry_run:
        return None
    if keep is not None and keep.exists() and (keep.is_file() or any(keep.iterdir())):
        raise UsageError(f"--keep-peaks {keep} is not an empty folder; use a new one")
    if out is None:
        if keep is None:
            raise UsageError(
                "use -o FILE to write, or --from PATH --dry-run to list tracks"
            )
        return None
    if out.exists() and not overwrite:
        raise UsageError(f"{out} exists; use another -o, or --overwrite to replace it")
    check_output_dir(out.parent)
    return out


def find_tracks(paths: list[Path], vocabulary: Vocabulary, assembly: str) -> Download:
    """Recognize downloads, and log what cannot be read.

    Parameters
    ----------
    paths : list of Path
    vocabulary : Vocabulary
    assembly : str
        UCSC name; empty if unknown.

    Returns
    -------
    Download
    """
    from tfimpute_tracks.downloads import read_download

    found = read_download(paths, vocabulary, assembly)
    notes = [note for source in found.sources for note in source.notes]
    if notes:
        log(f"not read: {listed(notes, 3, '; ')}", warning=True)
    return found


def show_download(
    found: Download, as_json: bool, keep: Path | None, threshold: float | None
) -> None:
    """Print what was taken for what, and keep the peaks if there is a folder for them.

    Parameters
    ----------
    found : Download
    as_json : bool
    keep : Path or None
    threshold : float or None
        Of signals.
    """
    from tfimpute_tracks.genome.track_files import check_track_files

    kept = ""
    if keep is not None:
        with track_files(found.tracks, threshold, keep) as (files, table):
            check_track_files((str(file.pair), file.path) for file in files)
            kept = str(table)
    if as_json:
        show_json(_record(found) | ({"pairs_table": kept} if kept else {}))
        return
    columns = ["path", "recognized as", "entries"]
    show_table("Sources", columns, [list(row.values()) for row in _sources(found)])
    columns = [
        "tf",
        "cell",
        "status",
        "names in the source",
        "from",
        "entries",
        "peaks",
    ]
    show_table("Tracks", columns, [_row(track) for track in found.tracks])
    if found.left_out:
        reasons = [[reason, n] for reason, n in found.left_out.most_common()]
        show_table("Left out", ["reason", "number"], reasons)
    tfs, cells = _new_names(found)
    print_result(
        f"{counted(len(found.tracks), 'track')}: {len(found.known):,} of known names, "
        f"{counted(len(found.candidates), 'candidate')} for `extend` "
        f"({counted(len(tfs), 'new TF')}, {counted(len(cells), 'new cell line')})"
    )
    if kept:
        print_result(kept)


def _sources(found: Download) -> list[dict[str, Any]]:
    """Summarize sources; files of one track in a folder are one line."""
    counts: dict[tuple[str, str], int] = {}
    singles = [source for source in found.sources if _is_single(source)]
    folders = Counter((source.path.parent, source.kind) for source in singles)
    for source in found.sources:
        path = source.path
        if _is_single(source) and folders[path.parent, source.kind] > 1:
            path = path.parent
        if source.entries:
            key = str(path), source.kind
            counts[key] = counts.get(key, 0) + len(source.entries)
    return [
        {"path": path, "recognized_as": kind, "entries": n}
        for (path, kind), n in counts.items()
    ]


def _is_single(source: Source) -> bool:
    """Check whether a whole file is one track."""
    return len(source.entries) == 1 and source.entries[0].key is None


def _row(track: DownloadedTrack) -> list[Any]:
    peaks = [entry.n_peaks for entry in track.entries]
    total = "-" if None in peaks else sum(n for n in peaks if n is not None)
    new = [("TF", track.has_tf), ("cell line", track.has_cell)]
    lacking = [what for what, is_known in new if not is_known]
    status = f"new {' and '.join(lacking)}" if lacking else "known"
    kinds = ", ".join(track.kinds)
    return [*track.pair, status, track.read_as, kinds, len(track.entries), total]


def _new_names(found: Download) -> tuple[list[str], list[str]]:
    """List TFs and cell lines that the model lacks."""
    return (
        sorted({track.pair.tf for track in found.tracks if not track.has_tf}),
        sorted({track.pair.cell for track in found.tracks if not track.has_cell}),
    )


def _record(found: Download) -> dict[str, Any]:
    tracks = [
        {
            "tf": track.pair.tf,
            "cell": track.pair.cell,
            "known": track.is_known,
            "read_as": track.read_as,
            "from": track.kinds,
            "files": sorted({str(e.path) for e in track.entries if e.path}),
            "entries": len(track.entries),
        }
        for track in found.tracks
    ]
    return {
        "sources": _sources(found),
        "tracks": tracks,
        "left_out": dict(found.left_out),
    }


def log_candidates(found: Download) -> None:
    """Log the names that the model lacks: `extend` can add them.

    Parameters
    ----------
    found : Download
    """
    tfs, cells = _new_names(found)
    for what, names in (("TF", tfs), ("cell line", cells)):
        if names:
            log(
                f"{counted(len(names), what)} that the model lacks, to add by `extend`: "
                f"{listed(names, 8)}"
            )


@contextmanager
def track_files(
    tracks: tuple[DownloadedTrack, ...], threshold: float | None, keep: Path | None
) -> Iterator[tuple[list[TrackFile], Path]]:
    """Write the peaks of tracks, and a pairs table of them, for as long as needed.

    Parameters
    ----------
    tracks : tuple of DownloadedTrack
    threshold : float or None
        Of signals.
    keep : Path or None
        Where they stay; None removes them afterwards.

    Yields
    ------
    files : list of TrackFile
        In the order of the tracks.
    table : Path
        The pairs table of them.
    """
    from tfimpute_tracks.dataset import PairsTable, format_pairs_table
    from tfimpute_tracks.downloads import write_tracks
    from tfimpute_tracks.storage import write_text

    with TemporaryDirectory(prefix="tfimpute-tracks-") as temporary:
        folder = keep or Path(temporary)
        with progress_bar("peaks", len(tracks), "tracks") as advance:
            files = write_tracks(tracks, folder, threshold, advance)
        table = PairsTable(
            tuple(file.pair for file in files),
            ("base",) * len(files),
            tuple(file.path.absolute() for file in files),
        )
        path = folder / "pairs.tsv"
        write_text(path, format_pairs_table(table, folder.absolute()))
        try:
            yield files, path
        except InputFileError as error:
            # Who reads the message has no such folder any more.
            text = str(error).replace(f"{temporary}/", "the peaks of ")
            raise InputFileError(text) from error
