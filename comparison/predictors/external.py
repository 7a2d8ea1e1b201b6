"""External scores: tracks and calls of other tools, in a table of tf, cell and file.

For methods that this package does not run, such as PIQ, maxATAC or Leopard, and for a
lab's own calls. Their files may have no value at a site. As in the TFImpute paper this is
counted in two ways, as two predictors: as no binding (the lowest score), and excluded
(metrics over the sites with a value).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfimpute_tracks.comparison.predictors.external_files import Sites, site_scores
from tfimpute_tracks.comparison.predictors.predictor import (
    Fitted,
    Floats,
    Predictor,
    no_scores,
)
from tfimpute_tracks.comparison.predictors.task import Ints, Task
from tfimpute_tracks.errors import InputFileError, TracksError, UsageError, listed
from tfimpute_tracks.storage import digest_arrays, digest_file
from tfimpute_tracks.storage.table import read_table
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = ["External", "ScoreTable", "parse_external", "read_score_table"]

_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")
_COLUMNS = ("tf", "cell", "file")


@dataclass(frozen=True)
class ScoreTable:
    """Files of scores by pair.

    Parameters
    ----------
    name : str
        The name of the predictor.
    path : Path
        Of the table.
    files : dict of Pair to Path
    """

    name: str
    path: Path
    files: dict[Pair, Path]


def parse_external(text: str) -> tuple[str, Path]:
    """Parse NAME=TABLE.

    Parameters
    ----------
    text : str

    Returns
    -------
    name : str
    path : Path

    Raises
    ------
    UsageError
        The text is not of this form, or the name cannot be a file name.
    """
    name, equals, path = text.partition("=")
    if not (equals and path and _NAME.fullmatch(name)):
        raise UsageError(
            f"--external {text!r}; write NAME=TABLE.tsv, with a name of alphanumeric "
            "characters, dots and hyphens, and a table with the columns tf, cell, file"
        )
    return name, Path(path)


def read_score_table(name: str, path: Path, vocabulary: Vocabulary) -> ScoreTable:
    """Read a table of files of scores, and check that the files exist.

    Parameters
    ----------
    name : str
    path : Path
        Tab-separated, with the columns tf, cell and file. Relative paths are relative
        to the table's folder.
    vocabulary : Vocabulary
        Of the data set.

    Returns
    -------
    ScoreTable

    Raises
    ------
    InputFileError
        The table or a file of it is missing, a line is invalid, or a pair is duplicate.
    UnknownNameError
        A TF or cell line that the data set does not know.
    """
    files: dict[Pair, Path] = {}
    for row in read_table(path, f"table of --external {name}", _COLUMNS).rows:
        try:
            pair = vocabulary.pair((row.fields["tf"], row.fields["cell"]))
        except TracksError as error:
            raise type(error)(f"{row.place}: {error}") from error
        if pair in files:
            raise InputFileError(
                f"{row.place}: duplicate pair {pair}; keep one line for each pair"
            )
        files[pair] = row.file("file")
    if not files:
        raise InputFileError(f"{path}: lists no file; add a line per pair")
    return ScoreTable(name, path, files)


class External(Predictor):
    """Scores from files, with missing values counted in one of two ways.

    Parameters
    ----------
    table : ScoreTable
    covered : bool
        Exclude sites without a value. Otherwise they rank below all others.
    """

    def __init__(self, table: ScoreTable, covered: bool = False) -> None:
        self.name = f"{table.name}-covered" if covered else table.name
        missing = "excluded" if covered else "counted as no binding"
        self.summary = (
            f"the largest value in the site, from the files of {table.path.name}; sites "
            f"without a value are {missing}"
        )
        self._table = table
        self._covered = covered

    def settings(self) -> dict[str, Any]:
        """See :meth:`Predictor.settings`."""
        digests = {str(p): digest_file(f) for p, f in self._table.files.items()}
        return {"files": digests, "covered": self._covered}

    def check(self, task: Task) -> None:
        """See :meth:`Predictor.check`."""
        scored = {task.pair(int(c)) for c in task.scored}
        if not scored & set(self._table.files):
            raise InputFileError(
                f"{self._table.path}: none of its pairs is scored "
                f"({listed(self._table.files, 3)}); use pairs of --pair-set"
            )
        for pair in scored & set(self._table.files):
            self._read(task, task.test_rows, pair)

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        files, path = self._table.files, self._table.path
        scored = {task.pair(int(c)): int(c) for c in task.scored}
        unscored = {
            column: f"no file of it in {path.name}"
            for pair, column in scored.items()
            if pair not in files
        }
        notes = ["its files were read before, so its seconds are not comparable"]
        unused = [str(pair) for pair in files if pair not in scored]
        if unused:
            notes.append(f"not scored, so not read: {', '.join(unused)}")
        return Fitted(None, None, unscored=unscored, notes=tuple(notes))

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        scores = no_scores(rows, columns)
        for i, column in enumerate(columns):
            pair = task.pair(int(column))
            if pair not in self._table.files:
                continue
            values = self._read(task, rows, pair)
            if not self._covered:
                known = ~np.isnan(values)
                lowest = values[known].min() if known.any() else np.float32(0)
                # The next number below, so that no site with a value ties with it.
                below = np.nextafter(lowest, np.float32(-np.inf))
                values = np.where(known, values, below)
            scores[:, i] = values
        return scores

    def _read(self, task: Task, rows: Ints, pair: Pair) -> Floats:
        """Read a file once for both ways of counting missing values."""
        path = self._table.files[pair]
        key = f"external {path} {digest_arrays(rows)}"
        if key not in task.shared:
            task.shared[key] = site_scores(path, _sites(task, rows))
        values: Floats = task.shared[key]
        return values


def _sites(task: Task, rows: Ints) -> Sites:
    """Locate the sites that are labeled; a sequence may be longer or shorter."""
    data = task.dataset
    length = int(data.parameters.get("rule", {}).get("site", data.seq_len))
    first = data.start[rows] + data.seq_len // 2 - length // 2
    return Sites(data.chroms, data.chrom_sizes, data.chrom_id[rows], first, length)
