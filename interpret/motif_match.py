"""Which known motifs filters are like, and how surely.

Tomtom (Gupta et al., Genome Biol 2007) gives the chance that a matrix of the data base
is as like a filter's in any alignment. It takes two flat stretches for alike, too; so
the letters that stand out must be the same as well, which a cosine says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from memelite import tomtom
from numpy.typing import NDArray

from tfimpute_tracks.interpret.filters import (
    FilterMotif,
    information,
    is_telling,
)
from tfimpute_tracks.interpret.jaspar import Matrix

__all__ = ["MAX_E_VALUE", "Match", "match_motifs"]

MAX_E_VALUE = 0.01
"""E-value up to which a match counts."""

_ALIKE = 0.6
_PSEUDO = 0.25

Doubles = NDArray[np.float64]


class Match(NamedTuple):
    """A known motif that a filter is like.

    Attributes
    ----------
    matrix : Matrix
    e_value : float
        Matrices of the data base that would be as like by chance.
    cosine : float
        Of the heights of letters in the two logos, in the best alignment.
    """

    matrix: Matrix
    e_value: float
    cosine: float


def match_motifs(
    motifs: Sequence[FilterMotif], matrices: Sequence[Matrix], threads: int = 1
) -> list[Match | None]:
    """Find the known motif that each filter is most like.

    Parameters
    ----------
    motifs : sequence of FilterMotif
    matrices : sequence of Matrix
        A whole data base: E-values are of all of it.
    threads : int

    Returns
    -------
    list of Match or None
        One for each filter: of least E-value among those of an E-value of 0.01 at most
        and a cosine of 0.6 or more; None without one.
    """
    telling = [i for i, motif in enumerate(motifs) if is_telling(motif)]
    found: list[Match | None] = [None] * len(motifs)
    if not telling:
        return found
    cores = [motifs[i].counts[slice(*motifs[i].core)] for i in telling]
    chances, *_ = tomtom(
        [_shares(core) for core in cores],
        [_shares(matrix.counts) for matrix in matrices],
        n_jobs=threads,
    )
    for i, core, row in zip(telling, cores, chances * len(matrices), strict=True):
        order = np.argsort(row, kind="stable")
        for j in order[row[order] <= MAX_E_VALUE].tolist():
            cosine = _cosine(information(core), information(matrices[j].counts))
            if cosine >= _ALIKE:
                found[i] = Match(matrices[j], float(row[j]), cosine)
                break
    return found


def _shares(counts: NDArray[np.floating] | NDArray[np.integer]) -> Doubles:
    """Give letters' shares as Tomtom takes them, (4, length)."""
    smooth = counts + _PSEUDO
    return np.ascontiguousarray((smooth / smooth.sum(axis=1, keepdims=True)).T)


def _cosine(a: Doubles, b: Doubles) -> float:
    """Give the cosine of two logos in the best alignment, either strand."""
    best = max(
        np.convolve(a.reshape(-1), other[::-1, ::-1].reshape(-1))[3::4].max()
        for other in (b, b[::-1, ::-1])
    )
    return float(best / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12))
