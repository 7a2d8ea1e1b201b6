"""`--from PATH`: tracks of `evidence build` and `prepare` from downloaded files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands.console import print_result, show_json
from tfimpute_tracks.commands.tables import show_table
from tfimpute_tracks.errors import counted

if TYPE_CHECKING:
    from tfimpute_tracks.api.downloads import DownloadListing
    from tfimpute_tracks.downloads import Download, DownloadedTrack, Source

__all__ = ["DryRun", "From", "KeepPeaks", "SignalThreshold", "show_download"]

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


def show_download(listing: DownloadListing, as_json: bool) -> None:
    """Print what was taken for what, and where its peaks are.

    Parameters
    ----------
    listing : DownloadListing
    as_json : bool
    """
    from tfimpute_tracks.api.downloads import new_names

    found, kept = listing
    if as_json:
        show_json(_record(found) | ({"pairs_table": str(kept)} if kept else {}))
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
    tfs, cells = new_names(found)
    print_result(
        f"{counted(len(found.tracks), 'track')}: {len(found.known):,} of known names, "
        f"{counted(len(found.candidates), 'candidate')} for `extend` "
        f"({counted(len(tfs), 'new TF')}, {counted(len(cells), 'new cell line')})"
    )
    if kept:
        print_result(str(kept))


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
