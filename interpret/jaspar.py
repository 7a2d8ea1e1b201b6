"""JASPAR matrices of TFs, found by the names that data sets use.

Matrices are base counts per position, the latest version of each in the CORE collection of
vertebrates; a mouse protein represents the human one of the same symbol. A heterodimer
counts for both proteins. ``interpret/data/jaspar-names.tsv`` lists the few TFs with another
name in JASPAR. Cofactors, histone-modifying enzymes and similar proteins have no matrix:
that of a binding partner would be a guess.
"""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import UnknownNameError
from tfimpute_tracks.storage.table import read_table
from tfimpute_tracks.vocabulary import Vocabulary

__all__ = ["RELEASE", "Matrix", "find_matrices", "load_matrices"]

RELEASE = "JASPAR2026"
_ORGANISMS = {"9606", "10090"}  # human and mouse


class Matrix(NamedTuple):
    """A matrix of JASPAR.

    Parameters
    ----------
    name : str
        ID with version, such as MA0139.2.
    symbols : tuple of str
        The proteins, in upper case; two of a heterodimer.
    counts : float64 array, shape (length, 4)
        Columns A C G T.
    classes, families : tuple of str
        Of the DNA-binding domains, by TFClass, one for each protein; empty if JASPAR has
        none.
    """

    name: str
    symbols: tuple[str, ...]
    counts: NDArray[np.float64]
    classes: tuple[str, ...] = ()
    families: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The family that shares the motif, or the protein if it has its own.

        Zinc fingers of one family bind quite different motifs.
        """
        if not self.families or "zinc finger" in " ".join(self.classes).lower():
            return self.symbols[0]
        return self.families[0]


@lru_cache(maxsize=1)
def load_matrices(release: str = RELEASE) -> list[Matrix]:
    """Read the matrices that come with pyjaspar.

    Parameters
    ----------
    release : str

    Returns
    -------
    list of Matrix
        Sorted by ID.
    """
    from pyjaspar import jaspardb

    database = jaspardb(release=release)
    file = database.conn
    # The file has no index, and thousands of queries would take ten times as long.
    database.conn = _indexed_copy(file)
    try:
        motifs = database.fetch_motifs(
            collection=["CORE"], tax_group=["Vertebrates"], all_versions=False
        )
    finally:
        database.conn.close()
        file.close()
    found = [
        Matrix(
            motif.matrix_id,
            tuple(symbol.strip().upper() for symbol in motif.name.split("::")),
            np.array([motif.counts[letter] for letter in "ACGT"], dtype=float).T,
            tuple(motif.tf_class or ()),
            tuple(motif.tf_family or ()),
        )
        for motif in motifs
        # TBP's matrix is of many species and lists none.
        if _ORGANISMS & set(motif.species) or not any(motif.species)
    ]
    return sorted(found, key=lambda matrix: matrix.name)


def find_matrices(tf: str, matrices: list[Matrix]) -> list[Matrix]:
    """Find the matrices of a TF.

    Parameters
    ----------
    tf : str
        As a data set names it: any case, or a common alias.
    matrices : list of Matrix

    Returns
    -------
    list of Matrix
        Its own first, then those of its heterodimers; empty if there is none.
    """
    symbol, without = _special_names().get(tf.upper(), (tf, ""))
    known = dict.fromkeys(s for matrix in matrices for s in matrix.symbols)
    try:
        symbol = Vocabulary(tuple(known), ()).tf(symbol)
    except UnknownNameError:
        return []
    mine = [
        matrix
        for matrix in matrices
        if symbol in matrix.symbols
        if not without or not matrix.name.startswith(without)
    ]
    return sorted(mine, key=lambda matrix: len(matrix.symbols))


def _indexed_copy(file: sqlite3.Connection) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:")
    file.backup(copy)
    tables = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    for (name,) in tables.fetchall():
        columns = [row[1] for row in copy.execute(f'PRAGMA table_info("{name}")')]
        if "ID" in columns:
            copy.execute(f'CREATE INDEX "by_id_{name}" ON "{name}" (ID)')
    return copy


def _special_names() -> dict[str, tuple[str, str]]:
    """Read {TF: (symbol in JASPAR, a matrix that is not its own)}."""
    folder = resources.files("tfimpute_tracks") / "interpret" / "data"
    table = read_table(
        Path(str(folder / "jaspar-names.tsv")), "table of names", ("tf",)
    )
    rows = (row.fields for row in table.rows)
    return {row["tf"]: (row["symbol"], row["without"]) for row in rows}
