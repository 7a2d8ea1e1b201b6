"""RNA of TFs in cell lines: a TF that a cell does not make does not bind there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, UnknownNameError
from tfimpute_tracks.storage.table import Row, read_table
from tfimpute_tracks.vocabulary import Vocabulary

__all__ = ["read_expression"]

Doubles = NDArray[np.float64]


def read_expression(paths: Iterable[Path], vocabulary: Vocabulary) -> Doubles:
    """Read how much RNA of each TF there is in each cell line.

    Parameters
    ----------
    paths : iterable of Path
        Tab-separated tables with a column `tf` and a column per cell line, of
        transcripts per million or of another normalized amount. Names are found as in
        the vocabulary; other rows and columns are ignored.
    vocabulary : Vocabulary

    Returns
    -------
    float64 array, shape (n_tfs, n_cells)
        log2(1 + amount), the mean over tables; NaN where none has it.

    Raises
    ------
    InputFileError
        A table is missing, has none of the TFs in any of the cell lines, or has a value
        that is not a number from 0 on.
    """
    shape = len(vocabulary.tfs), len(vocabulary.cells)
    total, count = np.zeros(shape), np.zeros(shape)
    for path in paths:
        table = read_table(path, "expression table", ("tf",))
        cells = {name: _find(vocabulary, "cell", name) for name in table.header[1:]}
        columns = {name: cell for name, cell in cells.items() if cell is not None}
        rows = [(row, _find(vocabulary, "tf", row.fields["tf"])) for row in table.rows]
        known = [(row, tf) for row, tf in rows if tf is not None]
        if not (columns and known):
            raise InputFileError(
                f"{path}: has none of the TFs in any of the cell lines; name them as "
                "the model does (see `info tfs`, `info cells`)"
            )
        for row, tf in known:
            for name, cell in columns.items():
                amount = _amount(row, name)
                if amount is not None:
                    total[tf, cell] += np.log2(1 + amount)
                    count[tf, cell] += 1
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _find(vocabulary: Vocabulary, kind: str, name: str) -> int | None:
    try:
        if kind == "tf":
            return vocabulary.tfs.index(vocabulary.tf(name))
        return vocabulary.cells.index(vocabulary.cell(name))
    except UnknownNameError:
        return None


def _amount(row: Row, column: str) -> float | None:
    text = row.fields[column]
    if text in ("", "NA", "nan", "-"):
        return None
    try:
        amount = float(text)
    except ValueError:
        amount = -1.0
    if not 0 <= amount < np.inf:
        raise InputFileError(
            f"{row.place}: {text!r} of {column} is not an amount of RNA; use a number "
            "from 0 on, or NA"
        )
    return amount
