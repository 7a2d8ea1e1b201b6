"""Scores from outside: other tools' tracks and calls, by a table of tf, cell and file.

This is how tools enter that cannot be run here: PIQ, maxATAC, Leopard, a lab's own
calls. Their files may say nothing of a site, and the paper counts that in two ways,
which become two lines of a comparison: as no binding (the lowest score), and left out
(figures over the sites that have a value).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tfimpute_tracks.comparison.predictors.external_files import Sites, site_scores
from tfimpute_tracks.comparison.predictors.predictor import Fitted, Floats
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
        What tables call it.
    path : Path
        Of the table.
    files : dict of Pair to Path
    read : dict
        What was read of them, by pair and digest of the sites: two lines of a
        comparison share it.
    """

    name: str
    path: Path
    files: dict[Pair, Path]
    read: dict[tuple[Pair, str], Floats] = field(default_factory=dict)


def parse_external(text: str) -> tuple[str, Path]:
    """Read NAME=TABLE.

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
        Not of this form, or a name that is no file name.
    """
    name, equals, path = text.partition("=")
    if not (equals and path and _NAME.fullmatch(name)):
        raise UsageError(
            f"--external {text!r}; write NAME=TABLE.tsv, with a name of letters, "
            "digits, dots and hyphens, and a table with the columns tf, cell, file"
        )
    return name, Path(path)


def read_score_table(name: str, path: Path, vocabulary: Vocabulary) -> ScoreTable:
    """Read a table of files of scores, and check that they are there.

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
        raise InputFileError(f"{path}: names no file; add a line per pair")
    return ScoreTable(name, path, files)


class External:
    """Scores that files hold, with what is missing counted in one of two ways.

    Parameters
    ----------
    table : ScoreTable
    covered : bool
        Leave out sites without a value. If not, they rank below all others.

    Attributes
    ----------
    name : str
    needs : tuple of str
    summary : str
    """

    needs: tuple[str, ...] = ()

    def __init__(self, table: ScoreTable, covered: bool = False) -> None:
        self.name = f"{table.name}-covered" if covered else table.name
        missing = "left out" if covered else "counted as no binding"
        self.summary = (
            f"the largest value in the site, of the files of {table.path.name}; sites "
            f"without one are {missing}"
        )
        self._table = table
        self._covered = covered

    def settings(self) -> dict[str, Any]:
        """See :meth:`Predictor.settings`."""
        digests = {str(p): digest_file(f) for p, f in self._table.files.items()}
        return {"files": digests, "covered": self._covered}

    def check(self, task: Task) -> None:
        """Read all that will be asked for: what is wrong is said before any work.

        Parameters
        ----------
        task : Task

        Raises
        ------
        InputFileError
            As :func:`site_scores`; or no file is of a judged pair.
        """
        judged = {task.pair(int(c)) for c in task.judged}
        mine = [pair for pair in self._table.files if pair in judged]
        if not mine:
            raise InputFileError(
                f"{self._table.path}: none of its pairs is judged "
                f"({listed(self._table.files, 3)}); name "
                "pairs of the --split"
            )
        self._read(task, task.test_rows, mine)

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        judged = {task.pair(int(c)): int(c) for c in task.judged}
        silent = {
            column: f"no file of it in {self._table.path.name}"
            for pair, column in judged.items()
            if pair not in self._table.files
        }
        idle = [str(pair) for pair in self._table.files if pair not in judged]
        notes = ["read beforehand, so its seconds tell nothing"]
        if idle:
            notes.append(f"not judged, so not read: {', '.join(idle)}")
        return Fitted(None, None, silent=silent, notes=tuple(notes))

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        pairs = [task.pair(int(c)) for c in columns]
        mine = [pair for pair in pairs if pair in self._table.files]
        read = self._read(task, rows, mine)
        scores = np.full((len(rows), len(columns)), np.nan, dtype=np.float32)
        for place, pair in enumerate(pairs):
            if pair not in read:
                continue
            values = read[pair]
            known = ~np.isnan(values)
            if not self._covered:
                lowest = values[known].min() if known.any() else np.float32(0)
                # The next number below, so that no site with a value ties with it.
                below = np.nextafter(lowest, np.float32(-np.inf))
                values = np.where(known, values, below)
            scores[:, place] = values
        return scores

    def _read(self, task: Task, rows: Ints, pairs: list[Pair]) -> dict[Pair, Floats]:
        sites = _places(task, rows)
        kept, which = self._table.read, digest_arrays(rows)
        for pair in pairs:
            if (pair, which) not in kept:
                kept[pair, which] = site_scores(self._table.files[pair], sites)
        return {pair: kept[pair, which] for pair in pairs}


def _places(task: Task, rows: Ints) -> Sites:
    """Give the sites that labels are of; a sequence may be longer or shorter."""
    data = task.dataset
    length = int(data.parameters.get("rule", {}).get("site", data.seq_len))
    first = data.start[rows] + data.seq_len // 2 - length // 2
    return Sites(data.chroms, data.chrom_sizes, data.chrom_id[rows], first, length)
