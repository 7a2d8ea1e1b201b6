"""What is left of a figure when the name of the TF, or of the cell line, is wrong.

A pair's labels stay; its sites are scored under another name. If the right name
matters, the figure drops: to what any TF's scores are worth for the sites of this one,
or to what the wrong cell line is worth for the right TF. The other name is drawn from
all that the model knows, so it may be a TF of the same family, or a cell line much
alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.evaluation.metrics import pair_aurocs

__all__ = ["KINDS", "aurocs_under", "derangement", "shuffled_names"]

Indices = Sequence[tuple[int, int]]
Kind = Literal["tf", "cell"]
KINDS: tuple[Kind, Kind] = ("tf", "cell")
"""What can be exchanged, in the order of a pair."""
Score = Callable[[list[tuple[int, int]]], NDArray[np.float32]]

_AT_ONCE = 1024  # pairs that are scored together; the sites are convolved once for them


def derangement(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw an order of n names in which none keeps its place.

    Parameters
    ----------
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    int64 array, shape (n,)
        Each of 0 to n - 1 once; every such order is as likely as another.

    Raises
    ------
    UsageError
        There are fewer than two names.
    """
    if n < 2:
        raise UsageError(f"{n} name(s) cannot be shuffled; it takes two at least")
    while True:  # one order in e is one, so three tries do as a rule
        order = rng.permutation(n)
        if not np.any(order == np.arange(n)):
            return order.astype(np.int64)


def shuffled_names(
    indices: Indices, kind: Kind, n_names: int, draws: int, seed: int
) -> NDArray[np.int64]:
    """Give pairs another TF, or another cell line.

    Parameters
    ----------
    indices : sequence of (TF row, cell-line row)
    kind : {"tf", "cell"}
        Which of the two names is exchanged: by a derangement of all names of its kind,
        another for each draw.
    n_names : int
        How many of the kind the model knows.
    draws, seed : int

    Returns
    -------
    int64 array, shape (draws, n_pairs, 2)
        TF row and cell-line row.

    Raises
    ------
    UsageError
        The model knows one name only.
    """
    side = KINDS.index(kind)
    rng = np.random.default_rng((seed, side))
    own = np.asarray(indices, dtype=np.int64).reshape(-1, 2)
    shuffled = np.repeat(own[None], draws, axis=0)
    for draw in shuffled:
        draw[:, side] = derangement(n_names, rng)[own[:, side]]
    return shuffled


def aurocs_under(
    score: Score, labels: NDArray[np.int8], names: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Give the AUROC of pairs that are scored under other names.

    Parameters
    ----------
    score : callable
        Gives the scores of (TF row, cell-line row) pairs at the judged sites, float32
        of shape (n_sites, n_pairs).
    labels : int8 array, shape (n_sites, n_pairs)
        1 positive, 0 negative, -1 ignored; those of the pairs themselves.
    names : int64 array, shape (draws, n_pairs, 2)
        From :func:`shuffled_names`.

    Returns
    -------
    float64 array, shape (draws, n_pairs)
        NaN where a pair has sites of one class only.
    """
    # Draws meet the same pair again; it is scored once.
    unique, place = np.unique(names.reshape(-1, 2), axis=0, return_inverse=True)
    place = place.reshape(names.shape[:2])
    result = np.full(place.shape, np.nan)
    for first in range(0, len(unique), _AT_ONCE):
        some = unique[first : first + _AT_ONCE]
        scores = score([(int(tf), int(cell)) for tf, cell in some])
        inside = (place >= first) & (place < first + len(some))
        for draw, pair in np.argwhere(inside):
            column = place[draw, pair] - first
            result[draw, pair] = pair_aurocs(scores[:, [column]], labels[:, [pair]])[0]
    return result
