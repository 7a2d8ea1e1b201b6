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

from tfimpute_tracks.interpret.jaspar import Matrix, find_matrices
from tfimpute_tracks.interpret.tf_families import BINDS_NO_SEQUENCE, OTHER, family_of

__all__ = [
    "Enrichment",
    "cosines",
    "family_enrichment",
    "jaspar_classes",
    "motif_families",
    "nearest",
    "project_2d",
]

Doubles = NDArray[np.float64]


class Enrichment(NamedTuple):
    """How often neighbors are of one family.

    Attributes
    ----------
    share : float
        Of the pairs of a TF and one of its nearest.
    by_chance : float
        The mean over permutations of the families.
    p : float
        Share of permutations with as many, counting this one.
    n_tfs, n_neighbors, n_permutations : int
    """

    share: float
    by_chance: float
    p: float
    n_tfs: int
    n_neighbors: int
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
        Neighbors of each; fewer where there are not so many.

    Returns
    -------
    DataFrame
        Columns name, rank (from 1), neighbor, cosine.
    """
    cosine = cosines(embedding)
    order = _order(cosine, n)
    return pd.DataFrame(
        [
            (name, rank, names[other], cosine[row, other])
            for row, name in enumerate(names)
            for rank, other in enumerate(order[row].tolist(), 1)
        ],
        columns=["name", "rank", "neighbor", "cosine"],
    )


def family_enrichment(
    families: Sequence[str | None],
    embedding: NDArray[np.floating],
    n: int,
    n_permutations: int,
    seed: int,
) -> Enrichment | None:
    """Test whether the nearest of a TF are of its family more often than by chance.

    Parameters
    ----------
    families : sequence of str or None
        Of each TF; one of None takes no part.
    embedding : float array, shape (n_tfs, size)
    n : int
        Nearest of each.
    n_permutations : int
    seed : int

    Returns
    -------
    Enrichment or None
        Of the TFs that have another one of their family here. None where fewer than
        three are left.
    """
    counts = Counter(families)
    kept = [i for i, own in enumerate(families) if own is not None and counts[own] > 1]
    if len(kept) < 3:
        return None
    numbers = np.unique([str(families[i]) for i in kept], return_inverse=True)[1]
    order = _order(cosines(embedding[kept]), n)

    def share(of: NDArray[np.int64]) -> float:
        return float((of[order] == of[:, None]).mean())

    rng = np.random.default_rng(seed)
    observed = share(numbers)
    drawn = np.array([share(rng.permutation(numbers)) for _ in range(n_permutations)])
    p = (1 + int((drawn >= observed).sum())) / (1 + n_permutations)
    sizes = len(kept), order.shape[1], n_permutations
    return Enrichment(observed, float(drawn.mean()), p, *sizes)


def motif_families(tfs: Sequence[str]) -> list[str | None]:
    """Give the families of the TFs that bind sequence by themselves.

    Parameters
    ----------
    tfs : sequence of str

    Returns
    -------
    list of str or None
        None for other TFs.
    """
    left_out = BINDS_NO_SEQUENCE | {OTHER}
    families = map(family_of, tfs)
    return [None if family in left_out else family for family in families]


def jaspar_classes(tfs: Sequence[str], matrices: list[Matrix]) -> list[str | None]:
    """Give the classes of TFs by the first of their matrices.

    Parameters
    ----------
    tfs : sequence of str
    matrices : list of Matrix

    Returns
    -------
    list of str or None
        None for TFs without a matrix.
    """
    firsts = [next(iter(find_matrices(tf, matrices)), None) for tf in tfs]
    return [own.classes[0] if own and own.classes else None for own in firsts]


def project_2d(embedding: NDArray[np.floating], seed: int) -> Doubles:
    """Lay names out so that near ones stay near: t-SNE of their cosines.

    Parameters
    ----------
    embedding : float array, shape (n_names, size)
    seed : int

    Returns
    -------
    float64 array, shape (n_names, 2)
        Distances across the plane mean little. Zeros for fewer than four names.
    """
    from sklearn.manifold import TSNE

    n = len(embedding)
    if n < 4:
        return np.zeros((n, 2))
    apart = np.clip(1 - cosines(embedding), 0, None)
    np.fill_diagonal(apart, 0)
    perplexity = min(15.0, (n - 1) / 3)
    layout = TSNE(
        metric="precomputed", init="random", perplexity=perplexity, random_state=seed
    )
    found: Doubles = layout.fit_transform(apart).astype(np.float64)
    return found


def _order(cosine: Doubles, n: int) -> NDArray[np.int64]:
    """Give the n largest of each row but its own, the largest first."""
    others = cosine.copy()
    np.fill_diagonal(others, -np.inf)
    n = min(n, len(others) - 1)
    order: NDArray[np.int64] = np.argsort(-others, axis=1, kind="stable")[:, :n]
    return order
