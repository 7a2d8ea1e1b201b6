"""Results of pairs as a table or as JSON, the same for every verb that writes tracks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tfimpute_tracks.commands.console import log, print_files, print_result, show_json
from tfimpute_tracks.commands.tables import show_table
from tfimpute_tracks.errors import RunError, counted, listed

if TYPE_CHECKING:
    from pathlib import Path

    from tfimpute_tracks.tracks.track_folder import TrackFolder
    from tfimpute_tracks.tracks.writer import PairResult

__all__ = ["show_results", "show_view"]

_SHOWN = 200  # pairs in the table; all are in the JSON and in the folder
_COLUMNS = ("pair", "status", "peaks", "threshold", "state")


def show_results(results: Sequence[PairResult], as_json: bool, hint: str = "") -> None:
    """Write a line per pair, and the files last.

    Parameters
    ----------
    results : sequence of PairResult
    as_json : bool
    hint : str
        What to do with the files: a line before them.
    """
    rows = [
        [
            str(result.pair),
            result.record.status,
            result.record.n_peaks,
            result.record.threshold,
            "reused from an earlier run" if result.reused else "written",
        ]
        for result in results
    ]
    files = [str(file) for result in results for file in result.files]
    if as_json:
        table = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        show_json({"pairs": table, "files": files})
        return
    empty = [result for result in results if not result.record.n_peaks]
    if empty:
        log(
            f"no peak reaches the threshold of {listed(r.pair for r in empty)}: no bigBed"
            f" is written for {'it' if len(empty) == 1 else 'them'}, because browsers "
            "refuse an empty one"
        )
    show_table("", list(_COLUMNS), rows[:_SHOWN])
    if len(rows) > _SHOWN:
        print_result(f"and {len(rows) - _SHOWN:,} pairs more")
    if hint:
        print_result(hint)
    print_files(files)


def show_view(
    folder: TrackFolder, files: Sequence[Path], text: str, as_json: bool
) -> None:
    """Print what was made of a folder of tracks, and fail if a track was left out.

    Parameters
    ----------
    folder : TrackFolder
    files : sequence of Path
        Files written.
    text : str
        Printed before them, if not as JSON.
    as_json : bool

    Raises
    ------
    RunError
        A file of the folder was left out.
    """
    names = [str(file) for file in files]
    if as_json:
        n_pairs = len(folder.tracks)
        show_json({"pairs": n_pairs, "left_out": folder.errors, "files": names})
    else:
        print_result(text)
        print_files(names)
    for error in folder.errors:
        log(error, warning=True)
    if folder.errors:
        raise RunError(
            f"left out {counted(len(folder.errors), 'file')} of {folder.path}, see the "
            "warnings above; all other tracks were used"
        )
