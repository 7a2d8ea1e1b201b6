"""Match the motifs of filters with known motifs.

Tomtom (Gupta et al., Genome Biol 2007) gives the probability that a matrix of the database
is as similar to a filter's motif, in any alignment, by chance. It also finds two flat
segments similar. So the bases that stand out must be the same, too, which is measured by a
cosine.
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
    is_informative,
)
from tfimpute_tracks.interpret.jaspar import Matrix

__all__ = ["MAX_E_VALUE", "Match", "match_motifs"]

MAX_E_VALUE = 0.01
"""Maximum E-value of a match."""

_MIN_COSINE = 0.6
_PSEUDOCOUNT = 0.25

Doubles = NDArray[np.float64]


class Match(NamedTuple):
    """A known motif that a filter matches.

    Attributes
    ----------
    matrix : Matrix
    e_value : float
        Expected number of matrices in the database that are as similar by chance.
    cosine : float
        Of the letter heights of the two logos, in the best alignment.
    """

    matrix: Matrix
    e_value: float
    cosine: float


def match_motifs(
    motifs: Sequence[FilterMotif], matrices: Sequence[Matrix], threads: int = 1
) -> list[Match | None]:
    """Find the known motif that each filter matches best.

    Parameters
    ----------
    motifs : sequence of FilterMotif
    matrices : sequence of Matrix
        A complete database, to which the E-values refer.
    threads : int

    Returns
    -------
    list of Match or None
        For each filter, the match with the smallest E-value among those with an E-value
        of at most 0.01 and a cosine of at least 0.6; None without one.
    """
    informative = [i for i, motif in enumerate(motifs) if is_informative(motif)]
    found: list[Match | None] = [None] * len(motifs)
    if not informative:
        return found
    cores = [motifs[i].counts[slice(*motifs[i].core)] for i in informative]
    p_values, *_ = tomtom(
        [_frequencies(core) for core in cores],
        [_frequencies(matrix.counts) for matrix in matrices],
        n_jobs=threads,
    )
    e_values = p_values * len(matrices)
    for i, core, row in zip(informative, cores, e_values, strict=True):
        order = np.argsort(row, kind="stable")
        for j in order[row[order] <= MAX_E_VALUE].tolist():
            cosine = _cosine(information(core), information(matrices[j].counts))
            if cosine >= _MIN_COSINE:
                found[i] = Match(matrices[j], float(row[j]), cosine)
                break
    return found


def _frequencies(counts: NDArray[np.floating] | NDArray[np.integer]) -> Doubles:
    """Compute base frequencies as Tomtom needs them, (4, length)."""
    smooth = counts + _PSEUDOCOUNT
    return np.ascontiguousarray((smooth / smooth.sum(axis=1, keepdims=True)).T)


def _cosine(a: Doubles, b: Doubles) -> float:
    """Compute the cosine of two logos in the best alignment, either strand."""
    best = max(
        np.convolve(a.reshape(-1), other[::-1, ::-1].reshape(-1))[3::4].max()
        for other in (b, b[::-1, ::-1])
    )
    return float(best / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12))
