"""gkm-SVM: support vector machines over gapped k-mers, by the package gkmsvm-lite.

One machine per TF, its training cell lines pooled, or one per trained pair, with the
settings of LS-GKM: words of 11 bases of which 7 count, at most 3 mismatches, C = 1.
Training compares every two sequences and scoring every site with every support sequence,
about a second per 10,000 comparisons of 200 bp on one CPU, so the number of both is
limited.
"""

from __future__ import annotations

import warnings
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
from tfimpute_tracks.comparison.predictors.training_groups import (
    fit_groups,
    pair_groups,
    tf_groups,
)
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.kernels.encode import one_hot

__all__ = ["GkmSvm"]

_KERNEL = {"l": 11, "k": 7, "d": 3, "C": 1.0}
_BATCH = 500  # sites scored together


class GkmSvm(Predictor):
    """One machine per TF, or per trained pair.

    Parameters
    ----------
    per_pair : bool
        A held-out pair then gets no scores.
    max_sequences, max_sites : int
        Training sequences per machine, and sites to score, at most.
    """

    needs = ("gkmsvm",)

    def __init__(
        self,
        per_pair: bool = False,
        max_sequences: int = 4000,
        max_sites: int = 20_000,
    ) -> None:
        self.name = "gkm-svm-pair" if per_pair else "gkm-svm"
        own = "the trained pair itself" if per_pair else "the TF, its cell lines pooled"
        self.summary = f"gapped k-mer SVM of {own} (l 11, k 7, d 3, C 1)"
        self._groups = pair_groups if per_pair else tf_groups
        self._max_sequences, self._max_sites = max_sequences, max_sites

    @classmethod
    def of_pairs(cls) -> GkmSvm:
        """Make the variant with one machine per trained pair.

        Returns
        -------
        GkmSvm
        """
        return cls(per_pair=True)

    def settings(self) -> dict[str, Any]:
        """See :meth:`Predictor.settings`."""
        return dict(_KERNEL)

    def check(self, task: Task) -> None:
        """See :meth:`Predictor.check`."""
        for n, limit, what, option in (
            (len(task.test_rows), self._max_sites, "sites", "--max-sites"),
            (
                task.n_sequences,
                self._max_sequences,
                "training sequences",
                "--training-sequences",
            ),
        ):
            if n > limit:
                raise UsageError(
                    f"{self.name} compares every site with every training sequence and "
                    f"takes at most {limit:,} {what}, not {n:,}; use {option} {limit}, "
                    "or leave it out"
                )

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        # The library has no code for N: such sequences are left out.
        return fit_groups(task, self._groups(task), _train, known_only=True)

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        scores = no_scores(rows, columns)
        codes = task.dataset.codes[rows]
        known = np.flatnonzero((codes < 4).all(axis=1))
        # Pairs of a TF share a machine, which runs once.
        machines = {id(m): m for m in fitted.state.values()}
        values = {key: _score(m, codes[known]) for key, m in machines.items()}
        for i, column in enumerate(map(int, columns)):
            if column in fitted.state:
                scores[known, i] = values[id(fitted.state[column])]
        return scores


def _train(_: str, codes: NDArray[np.uint8], bound: NDArray[np.bool_]) -> Any:
    with warnings.catch_warnings():
        # It warns of numba's threading layer, which this package has chosen already.
        warnings.simplefilter("ignore")
        from gkmsvm import train_gkmsvm

    x = _encode(codes)
    return train_gkmsvm(x[bound], x[~bound], solver="libsvm", device="cpu", **_KERNEL)


def _score(machine: Any, codes: NDArray[np.uint8]) -> Floats:
    """Compute decision values, float32 (n_sites,)."""
    parts = [
        machine(_encode(codes[first : first + _BATCH]))[:, 0]
        for first in range(0, len(codes), _BATCH)
    ]
    return np.concatenate([np.empty(0), *parts]).astype(np.float32)


def _encode(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """One-hot encode sequences, float64 (n, 4, L); kernel values have its precision."""
    return np.ascontiguousarray(one_hot(codes).transpose(0, 2, 1), dtype=np.float64)
