"""Tracks from downloaded files, for `build_evidence` and data sets.

What is recognized is a :class:`~tfimpute_tracks.downloads.Download`; its peaks are written
for as long as they are needed, or kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.progress import ProgressBar
from tfimpute_tracks.api.values import as_path, is_finite
from tfimpute_tracks.dataset import PairsTable, format_pairs_table
from tfimpute_tracks.downloads import (
    Download,
    DownloadedTrack,
    TrackFile,
    read_download,
    write_tracks,
)
from tfimpute_tracks.errors import InputFileError, UsageError, counted, listed, shown
from tfimpute_tracks.genome.track_files import check_track_files
from tfimpute_tracks.storage import check_output_dir, write_text
from tfimpute_tracks.vocabulary import Vocabulary

__all__ = [
    "DownloadListing",
    "Downloads",
    "as_paths",
    "check_output",
    "find_tracks",
    "list_download",
    "log_candidates",
    "new_names",
    "one_input",
    "track_files",
]

Downloads = str | Path | Sequence[str | Path]
"""Files and folders as they were downloaded."""


class DownloadListing(NamedTuple):
    """What a download has, and nothing was made of it.

    Attributes
    ----------
    download : Download
    pairs_table : Path, optional
        Of the peaks that were kept.
    """

    download: Download
    pairs_table: Path | None


def as_paths(downloads: Downloads | None) -> list[Path]:
    """List the paths of downloads.

    Parameters
    ----------
    downloads : str, Path, sequence of these, or None

    Returns
    -------
    list of Path

    Raises
    ------
    UsageError
        One is no path.
    """
    if downloads is None:
        return []
    given: object = downloads  # whatever a caller without a type checker passes
    several = given if isinstance(given, list | tuple) else [given]
    return [as_path(path, "downloads") for path in several]


def one_input(
    pairs_table: Path | None, paths: list[Path], others: Mapping[str, object]
) -> None:
    """Require a pairs table or --from, and no option of the other.

    Parameters
    ----------
    pairs_table : Path or None
    paths : list of Path
    others : mapping of str to object
        Options that need --from, and their values.

    Raises
    ------
    UsageError
        There are both or neither, or an option of the other.
    """
    if bool(pairs_table) == bool(paths):
        raise UsageError(
            "use --pairs-table FILE or --from PATH, "
            + ("not both" if paths else "for the peaks of each TF and cell line")
        )
    threshold = others.get("--signal-threshold")
    if threshold is not None and not is_finite(threshold):
        raise UsageError(
            f"--signal-threshold {shown(threshold)} is not a finite number"
        )
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
    found = read_download(paths, vocabulary, assembly)
    notes = [note for source in found.sources for note in source.notes]
    if notes:
        log(f"not read: {listed(notes, 3, '; ')}", warning=True)
    return found


def list_download(
    found: Download, keep: Path | None, threshold: float | None, progress: ProgressBar
) -> DownloadListing:
    """Keep the peaks of a download if there is a folder for them.

    Parameters
    ----------
    found : Download
    keep : Path or None
    threshold : float or None
        Of signals.
    progress : ProgressBar

    Returns
    -------
    DownloadListing

    Raises
    ------
    InputFileError, WriteError
        A file cannot be read or written.
    """
    if keep is None:
        return DownloadListing(found, None)
    with track_files(found.tracks, threshold, keep, progress) as (files, table):
        check_track_files((str(file.pair), file.path) for file in files)
        return DownloadListing(found, table)


def log_candidates(found: Download) -> None:
    """Log the names that the model lacks: `extend` can add them.

    Parameters
    ----------
    found : Download
    """
    tfs, cells = new_names(found)
    for what, names in (("TF", tfs), ("cell line", cells)):
        if names:
            log(
                f"{counted(len(names), what)} that the model lacks, to add by `extend`: "
                f"{listed(names, 8)}"
            )


def new_names(found: Download) -> tuple[list[str], list[str]]:
    """List TFs and cell lines that the model lacks.

    Parameters
    ----------
    found : Download

    Returns
    -------
    tfs, cells : list of str
    """
    return (
        sorted({track.pair.tf for track in found.tracks if not track.has_tf}),
        sorted({track.pair.cell for track in found.tracks if not track.has_cell}),
    )


@contextmanager
def track_files(
    tracks: tuple[DownloadedTrack, ...],
    threshold: float | None,
    keep: Path | None,
    progress: ProgressBar,
) -> Iterator[tuple[list[TrackFile], Path]]:
    """Write the peaks of tracks, and a pairs table of them, for as long as needed.

    Parameters
    ----------
    tracks : tuple of DownloadedTrack
    threshold : float or None
        Of signals.
    keep : Path or None
        Where they stay; None removes them afterwards.
    progress : ProgressBar

    Yields
    ------
    files : list of TrackFile
        In the order of the tracks.
    table : Path
        The pairs table of them.
    """
    with TemporaryDirectory(prefix="tfimpute-tracks-") as temporary:
        folder = keep or Path(temporary)
        with progress("peaks", len(tracks), "tracks") as advance:
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
