"""The best JASPAR matrix of a TF, by its strongest hit in the site.

The usual method without training: the larger of both strands' maximal log-odds. A TF with
several matrices uses the one that ranks its training sites best; nothing else is fitted.
All cell lines of a TF get the same scores.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.comparison.predictors.predictor import (
    Fitted,
    Floats,
    Predictor,
    no_scores,
)
from tfimpute_tracks.comparison.predictors.task import Ints, Task
from tfimpute_tracks.evaluation import pair_aurocs
from tfimpute_tracks.interpret.jaspar import (
    RELEASE,
    Matrix,
    find_matrices,
    load_matrices,
)
from tfimpute_tracks.kernels.encode import decode

__all__ = ["MotifPredictor", "log_odds", "strongest_hits"]

_PSEUDOCOUNT = 0.8  # per position, divided among the bases
_FORBIDDEN = -1e4  # an N, or the gap between two sites


def log_odds(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert counts into log-odds against a uniform background.

    Parameters
    ----------
    counts : float64 array, shape (length, 4)

    Returns
    -------
    float64 array, shape (length, 4)
        In bits; columns A C G T.
    """
    smooth = counts + _PSEUDOCOUNT / 4
    odds: NDArray[np.float64] = np.log2(4 * smooth / smooth.sum(axis=1, keepdims=True))
    return odds


def strongest_hits(codes: NDArray[np.uint8], weights: NDArray[np.float64]) -> Floats:
    """Compute the best hit of a matrix in each site, on either strand.

    Parameters
    ----------
    codes : uint8 array, shape (n_sites, L), values 0..4
    weights : float64 array, shape (length, 4)
        Log-odds.

    Returns
    -------
    float32 array, shape (n_sites,)
        NaN where every window contains an N, or the matrix is longer than the site.
    """
    from lightmotif.lib import ScoringMatrix, stripe

    n_sites, seq_len = codes.shape
    length = len(weights)
    if length > seq_len or not n_sites:
        return np.full(n_sites, np.nan, dtype=np.float32)
    # The sites are concatenated; windows that span two of them are skipped.
    striped = stripe(decode(codes.reshape(-1)))
    best = np.full(n_sites, _FORBIDDEN, dtype=np.float32)
    for strand in (weights, weights[::-1, ::-1]):
        values = {base: strand[:, i].tolist() for i, base in enumerate("ACGT")}
        matrix = ScoringMatrix(values | {"N": [_FORBIDDEN] * length})
        scores = matrix.calculate(striped)
        # A lane contains neighboring positions, and the view has a lane per row.
        flat = np.asarray(memoryview(scores)).reshape(-1)[: len(scores)]
        padded = np.full(n_sites * seq_len, _FORBIDDEN, dtype=np.float32)
        padded[: len(flat)] = flat
        windows = padded.reshape(n_sites, seq_len)[:, : seq_len - length + 1]
        np.maximum(best, windows.max(axis=1), out=best)
    best[best < _FORBIDDEN / 2] = np.nan
    return best


class MotifPredictor(Predictor):
    """The JASPAR matrix of a TF that ranks its training sites best."""

    name = "motif"
    needs = ("lightmotif", "pyjaspar")
    summary = (
        f"strongest hit, on either strand, of the TF's {RELEASE} matrix that ranks its "
        "training sequences best"
    )

    def settings(self) -> dict[str, Any]:
        """See :meth:`Predictor.settings`."""
        return {"release": RELEASE, "pseudocount": _PSEUDOCOUNT}

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        matrices = load_matrices()
        chosen: dict[str, Matrix] = {}
        unscored: dict[int, str] = {}
        used: list[Ints] = []
        for column in map(int, task.scored):
            tf = task.pair(column).tf
            if tf in chosen:
                continue
            of_tf = find_matrices(tf, matrices)
            if not of_tf:
                unscored[column] = "JASPAR has no matrix of its TF"
                continue
            chosen[tf] = of_tf[0]
            sample = task.sample(task.cells_of(tf), tf)
            if len(of_tf) > 1 and len(sample.rows):
                used.append(sample.rows)
                chosen[tf] = _best(task, sample.rows, sample.bound, of_tf)
        names = ", ".join(
            f"{tf} {matrix.name}" for tf, matrix in sorted(chosen.items())
        )
        return Fitted(
            {tf: log_odds(matrix.counts) for tf, matrix in chosen.items()},
            n_sequences=len(np.unique(np.concatenate(used))) if used else 0,
            max_per_group=max(map(len, used), default=0),
            unscored=unscored,
            notes=(f"matrices: {names or 'none'}",),
        )

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        codes = task.dataset.codes[rows]
        scores = no_scores(rows, columns)
        tfs = [task.pair(int(c)).tf for c in columns]
        for tf in dict.fromkeys(tfs):
            if tf in fitted.state:
                own = [i for i, other in enumerate(tfs) if other == tf]
                hits = strongest_hits(codes, fitted.state[tf])
                scores[:, own] = hits[:, None]
        return scores


def _best(
    task: Task, rows: Ints, bound: NDArray[np.bool_], matrices: list[Matrix]
) -> Matrix:
    codes = task.dataset.codes[rows]
    labels = bound.astype(np.int8)[:, None]
    aurocs = []
    for matrix in matrices:
        hits = strongest_hits(codes, log_odds(matrix.counts))
        # A site without a hit ranks last.
        filled = np.nan_to_num(hits, nan=_FORBIDDEN)[:, None]
        aurocs.append(float(pair_aurocs(filled, labels)[0]))
    return matrices[int(np.argmax(aurocs))]
