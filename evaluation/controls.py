"""Label-permutation controls: the AUROC when the TF or cell line of a pair is wrong.

The labels of a pair stay; its sites are scored as another TF, or another cell line, that
is drawn from all that the model knows. If the name matters, the AUROC drops: to what
scores of any TF reach on the sites of this one, or what another cell line reaches for
the same TF. The other name may be a TF of the same family, or a similar cell line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError, counted
from tfimpute_tracks.evaluation.metrics import pair_aurocs

__all__ = ["KINDS", "derangement", "permuted_aurocs", "permuted_indices"]

Indices = Sequence[tuple[int, int]]
Kind = Literal["tf", "cell"]
KINDS: tuple[Kind, Kind] = ("tf", "cell")
"""What can be permuted, in the order of a pair."""
Score = Callable[[list[tuple[int, int]]], NDArray[np.float32]]


def derangement(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw a permutation without fixed points.

    Parameters
    ----------
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    int64 array, shape (n,)
        Each of 0 to n - 1 once; all derangements are equally likely.

    Raises
    ------
    UsageError
        n is less than two.
    """
    if n < 2:
        raise UsageError(
            f"cannot permute {counted(n, 'name')}; a permutation needs two or more"
        )
    while True:  # a fraction 1/e of all permutations has no fixed point
        order = rng.permutation(n)
        if not np.any(order == np.arange(n)):
            return order.astype(np.int64)


def permuted_indices(
    indices: Indices, kind: Kind, n_names: int, permutations: int, seed: int
) -> NDArray[np.int64]:
    """Replace the TF, or the cell line, of pairs by another one.

    Parameters
    ----------
    indices : sequence of (TF row, cell-line row)
    kind : {"tf", "cell"}
        Which of the two is permuted: by a new derangement of all names of the kind in
        each permutation.
    n_names : int
        How many names of the kind the model knows.
    permutations, seed : int

    Returns
    -------
    int64 array, shape (permutations, n_pairs, 2)
        TF row and cell-line row.

    Raises
    ------
    UsageError
        The model knows one name only.
    """
    side = KINDS.index(kind)
    rng = np.random.default_rng((seed, side))
    own = np.asarray(indices, dtype=np.int64).reshape(-1, 2)
    permuted = np.repeat(own[None], permutations, axis=0)
    for one in permuted:
        one[:, side] = derangement(n_names, rng)[own[:, side]]
    return permuted


def permuted_aurocs(
    score: Score,
    labels: NDArray[np.int8],
    indices: NDArray[np.int64],
    batch_size: int = 1024,
) -> NDArray[np.float64]:
    """Compute the AUROC of pairs that are scored as other pairs.

    Parameters
    ----------
    score : callable
        Computes the scores of (TF row, cell-line row) pairs at the labeled sites,
        float32 of shape (n_sites, n_pairs).
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored; those of the pairs themselves.
    indices : int64 array, shape (permutations, n_pairs, 2)
        From :func:`permuted_indices`.
    batch_size : int
        Pairs scored together; a network reads the sites once for all of them.

    Returns
    -------
    float64 array, shape (permutations, n_pairs)
        NaN where a pair has sites of one class only.
    """
    # Permutations share pairs; each is scored once.
    unique, number = np.unique(indices.reshape(-1, 2), axis=0, return_inverse=True)
    number = number.reshape(indices.shape[:2])
    aurocs = np.full(number.shape, np.nan)
    for first in range(0, len(unique), batch_size):
        some = unique[first : first + batch_size]
        scores = score([(int(tf), int(cell)) for tf, cell in some])
        in_batch = (number >= first) & (number < first + len(some))
        for row, pair in np.argwhere(in_batch):
            column = number[row, pair] - first
            aurocs[row, pair] = pair_aurocs(scores[:, [column]], labels[:, [pair]])[0]
    return aurocs
