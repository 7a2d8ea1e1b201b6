"""A table of all pairs of a bulk store, and their similarity: one call."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.values import as_path, check_wholes, optional_path
from tfimpute_tracks.errors import UsageError, check_packages, shown
from tfimpute_tracks.impute.catalogue import make_catalogue
from tfimpute_tracks.impute.similarity import draw_projection, project_pairs
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.storage import check_output_dir
from tfimpute_tracks.storage.dataframe_io import write_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Catalogue", "write_catalogue"]

_MANY = 5000  # pairs
_SLOW = ", which takes minutes; --no-projection leaves it out"


class Catalogue(NamedTuple):
    """The pairs of a store.

    Attributes
    ----------
    table : DataFrame
        A row per pair.
    files : list of Path
        The table, and the projection and its figure.
    """

    table: pd.DataFrame
    files: list[Path]


def write_catalogue(
    store: str | Path,
    out_dir: str | Path,
    *,
    tracks: str | Path | None = None,
    table_format: str = "tsv",
    projection: bool = True,
    seed: int = 0,
) -> Catalogue:
    """Write a table of all pairs of a store, and a projection by similarity.

    Parameters
    ----------
    store : str or Path
        That `tfimpute-tracks impute` wrote.
    out_dir : str or Path
    tracks : str or Path, optional
        Folder that `export` wrote, whose files the table lists.
    table_format : {"tsv", "parquet"}
    projection : bool
        Also project pairs to two dimensions by similarity, as a table and a figure.
    seed : int

    Returns
    -------
    Catalogue

    Raises
    ------
    UsageError, InputFileError, OutputError, WriteError
        A value is invalid, or a file cannot be read or written.

    Examples
    --------
    >>> from tfimpute_tracks.api.catalogue import write_catalogue
    >>> table, files = write_catalogue("store", "catalogue", projection=False)
    >>> len(table), [path.name for path in files]
    (165, ['catalogue.tsv'])
    """
    folder, dest = as_path(store, "store"), as_path(out_dir, "out_dir")
    listed = optional_path(tracks, "tracks")
    check_wholes(0, seed=seed)
    given: object = table_format  # whatever a caller without a type checker passes
    if not (isinstance(given, str) and given in ("tsv", "parquet")):
        raise UsageError(f"--format {shown(given)}; use tsv or parquet")
    if listed is not None and not listed.is_dir():
        raise UsageError(
            f"--tracks {listed} is not a folder; use one that `export` wrote"
        )
    if projection:
        needed = "the projection, which --no-projection leaves out,"
        check_packages(needed, "scipy", "sklearn")
    opened = Store(folder)
    check_output_dir(dest)
    table = make_catalogue(opened, listed)
    files = [dest / f"catalogue.{table_format}"]
    write_frame(files[0], table, None)
    if projection:
        log(f"projecting {len(table):,} pairs{_SLOW if len(table) > _MANY else ''}")
        layout = project_pairs(opened, seed)
        files += [dest / f"similarity.{table_format}", dest / "similarity.png"]
        write_frame(files[1], layout, None)
        draw_projection(files[2], layout)
    return Catalogue(table, files)
