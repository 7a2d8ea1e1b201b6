"""What became of pairs, as a table or as JSON: the same for every verb of tracks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tfimpute_tracks.commands.console import log, print_result, show_json, show_table
from tfimpute_tracks.errors import RunError, listed

if TYPE_CHECKING:
    from tfimpute_tracks.tracks.track_folder import TrackFolder
    from tfimpute_tracks.tracks.writer import PairResult
    from tfimpute_tracks.vocabulary import Pair

__all__ = ["report_errors", "show_results"]

_SHOWN = 200  # pairs in the table; all are in the JSON and in the folder
_COLUMNS = ("pair", "status", "peaks", "threshold", "state")


def show_results(
    results: Sequence[PairResult],
    status: Callable[[Pair], str],
    as_json: bool,
    hint: str = "",
) -> None:
    """Write a line per pair, and the files last.

    Parameters
    ----------
    results : sequence of PairResult
    status : callable
        Gives `trained` or `imputed` of a pair.
    as_json : bool
    hint : str
        What to do with the files: a line before them.
    """
    rows = [
        [
            str(result.pair),
            status(result.pair),
            result.n_peaks,
            result.threshold,
            "kept from an earlier run" if result.reused else "written",
        ]
        for result in results
    ]
    files = [str(file) for result in results for file in result.files]
    if as_json:
        table = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        show_json({"pairs": table, "files": files})
        return
    empty = [result for result in results if not result.n_peaks]
    if empty:
        log(
            f"no peak reaches the threshold of {listed(r.pair for r in empty)}: no bigBed"
            " is written for them, because browsers refuse an empty one"
        )
    show_table("", list(_COLUMNS), rows[:_SHOWN])
    if len(rows) > _SHOWN:
        print_result(f"and {len(rows) - _SHOWN:,} pairs more")
    if hint:
        print_result(hint)
    print_result(" ".join(files))


def report_errors(shelf: TrackFolder, what: str) -> None:
    """Name the files that were left out, and fail if there is one.

    Parameters
    ----------
    shelf : Shelf
    what : str
        That holds all the others.

    Raises
    ------
    RunError
        A file was left out.
    """
    for fault in shelf.faults:
        log(fault, warning=True)
    if shelf.faults:
        raise RunError(
            f"{len(shelf.faults)} file(s) of {shelf.folder} were left out, named "
            f"above; {what} holds the other tracks"
        )
