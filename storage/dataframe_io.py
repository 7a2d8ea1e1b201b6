"""Tables of results: TSV for people, Parquet for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tfimpute_tracks.errors import check_packages
from tfimpute_tracks.storage.atomic import atomic_file

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["write_frame"]


def write_frame(dest: Path, frame: pd.DataFrame, digits: int | None = 6) -> None:
    """Write a table atomically: as Parquet if the name ends in .parquet, else as TSV.

    Parameters
    ----------
    dest : Path
    frame : DataFrame
    digits : int, optional
        Significant digits of numbers in a TSV; None for all. Missing values are empty.

    Raises
    ------
    UsageError
        Parquet, and pyarrow is not installed.
    WriteError
        The disk is full, or the file cannot be written.
    """
    with atomic_file(dest) as temp:
        if dest.suffix != ".parquet":
            shown = None if digits is None else f"%.{digits}g"
            frame.to_csv(temp, sep="\t", index=False, float_format=shown)
            return
        check_packages("Parquet", "pyarrow")
        frame.to_parquet(temp, index=False, engine="pyarrow")
