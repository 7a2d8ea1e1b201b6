"""What embeddings say: which TFs and which cell lines a model takes for alike.

TFs that bind alike motifs should stand near each other, though nobody told the model of
families. Whether they do is tested by giving the families to TFs at random.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfimpute_tracks.analysis.families import BINDS_NO_SEQUENCE, OTHER, family_of

__all__ = ["Enrichment", "cosines", "family_enrichment", "nearest"]

Doubles = NDArray[np.float64]


class Enrichment(NamedTuple):
    """How often neighbours are of one family.

    Attributes
    ----------
    share : float
        Of the pairs of a TF and one of its nearest.
    by_chance : float
        The mean over permutations of the families.
    p : float
        Share of permutations with as many, counting this one.
    n_tfs, n_neighbours, n_permutations : int
    """

    share: float
    by_chance: float
    p: float
    n_tfs: int
    n_neighbours: int
    n_permutations: int


def cosines(embedding: NDArray[np.floating]) -> Doubles:
    """Give the cosine of every two rows.

    Parameters
    ----------
    embedding : float array, shape (n_names, size)

    Returns
    -------
    float64 array, shape (n_names, n_names)
    """
    rows = embedding.astype(np.float64)
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    found: Doubles = unit @ unit.T
    return found


def nearest(
    names: Sequence[str], embedding: NDArray[np.floating], n: int
) -> pd.DataFrame:
    """List the nearest of each name.

    Parameters
    ----------
    names : sequence of str
    embedding : float array, shape (n_names, size)
    n : int
        Neighbours of each; fewer where there are not so many.

    Returns
    -------
    DataFrame
        Columns name, rank (from 1), neighbour, cosine.
    """
    cosine = cosines(embedding)
    order = _order(cosine, n)
    return pd.DataFrame(
        [
            (name, rank, names[other], cosine[row, other])
            for row, name in enumerate(names)
            for rank, other in enumerate(order[row].tolist(), 1)
        ],
        columns=["name", "rank", "neighbour", "cosine"],
    )


def family_enrichment(
    tfs: Sequence[str],
    embedding: NDArray[np.floating],
    n: int,
    n_permutations: int,
    seed: int,
) -> Enrichment | None:
    """Test whether the nearest of a TF are of its family more often than by chance.

    Parameters
    ----------
    tfs : sequence of str
    embedding : float array, shape (n_tfs, size)
    n : int
        Nearest of each.
    n_permutations : int
    seed : int

    Returns
    -------
    Enrichment or None
        Of the TFs that bind sequence by themselves and have another one of their family
        here. None where fewer than three are left.
    """
    families = np.array([family_of(tf) for tf in tfs])
    counts = Counter(families.tolist())
    left_out = BINDS_NO_SEQUENCE | {OTHER} | {f for f, k in counts.items() if k < 2}
    kept = np.flatnonzero(~np.isin(families, list(left_out)))
    if len(kept) < 3:
        return None
    numbers = np.unique(families[kept], return_inverse=True)[1]
    order = _order(cosines(embedding[kept]), n)

    def share(of: NDArray[np.int64]) -> float:
        return float((of[order] == of[:, None]).mean())

    rng = np.random.default_rng(seed)
    observed = share(numbers)
    drawn = np.array([share(rng.permutation(numbers)) for _ in range(n_permutations)])
    p = (1 + int((drawn >= observed).sum())) / (1 + n_permutations)
    sizes = len(kept), order.shape[1], n_permutations
    return Enrichment(observed, float(drawn.mean()), p, *sizes)


def _order(cosine: Doubles, n: int) -> NDArray[np.int64]:
    """Give the n largest of each row but its own, the largest first."""
    others = cosine.copy()
    np.fill_diagonal(others, -np.inf)
    n = min(n, len(others) - 1)
    order: NDArray[np.int64] = np.argsort(-others, axis=1, kind="stable")[:, :n]
    return order
