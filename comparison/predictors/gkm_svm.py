"""gkm-SVM: support vector machines over gapped k-mers, with the kernel of gkmsvm-lite.

One machine per TF, on its training cell lines together, or one per trained pair. The
settings are those of LS-GKM: words of 11 letters of which 7 count, 3 mismatches at
most, C = 1. Scores are those of the library, in a fraction of its time: the kernel's
values come from it, words are compared by
:mod:`~tfimpute_tracks.comparison.predictors.gapped_kernel`, and a trained machine is summed up in
weights of words (:mod:`~tfimpute_tracks.comparison.predictors.gapped_words`), for which scoring is
looking up. Training compares every two sequences, which sets how many there can be.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.comparison.predictors.gapped_kernel import (
    Doubles,
    kernel_matrix,
    self_kernels,
)
from tfimpute_tracks.comparison.predictors.gapped_words import (
    count_words,
    sum_words,
    word_numbers,
    word_weights,
)
from tfimpute_tracks.comparison.predictors.predictor import Fitted, Floats
from tfimpute_tracks.comparison.predictors.task import Ints, Sample, Task
from tfimpute_tracks.comparison.predictors.training_groups import pair_units, tf_units
from tfimpute_tracks.kernels.encode import one_hot

__all__ = [
    "GkmSvm",
    "Machine",
    "kernel_table",
    "score_machine",
    "sequence_norms",
    "train_machine",
]

_WORD, _COUNTED, _MISMATCHES, _COST = 11, 7, 3, 1.0
_LEAST = 20  # training sequences; with fewer there is nothing to learn


class Machine(NamedTuple):
    """A trained machine as weights of words.

    Parameters
    ----------
    weights : float32 array, shape (4**11,)
    bias : float
    """

    weights: NDArray[np.float32]
    bias: float


def train_machine(codes: NDArray[np.uint8], bound: NDArray[np.bool_]) -> Machine:
    """Train a machine.

    Parameters
    ----------
    codes : uint8 array, shape (n, L), values 0..3
    bound : bool array, shape (n,)

    Returns
    -------
    Machine
    """
    from sklearn.svm import SVC

    table = kernel_table()
    numbers = word_numbers(codes, _WORD)
    matrix = kernel_matrix(numbers, table, _WORD)
    norms = np.sqrt(np.diag(matrix))
    svm = SVC(C=_COST, kernel="precomputed")
    svm.fit(matrix / (norms[:, None] * norms), np.where(bound, 1, -1))
    support = svm.support_
    counts = count_words(numbers[support], svm.dual_coef_[0] / norms[support], _WORD)
    return Machine(word_weights(counts, table, _WORD), float(svm.intercept_[0]))


def score_machine(machine: Machine, numbers: Ints, norms: Doubles) -> Floats:
    """Give the decision values of a machine.

    Parameters
    ----------
    machine : Machine
    numbers : int64 array, shape (n, n_words)
        Words of the sequences.
    norms : float64 array, shape (n,)
        From :func:`sequence_norms`.

    Returns
    -------
    float32 array, shape (n,)
    """
    values = sum_words(numbers, machine.weights) / norms + machine.bias
    return values.astype(np.float32)


def sequence_norms(numbers: Ints) -> Doubles:
    """Give the root of the kernel of each sequence with itself.

    Parameters
    ----------
    numbers : int64 array, shape (n, n_words)
        Words of the sequences.

    Returns
    -------
    float64 array, shape (n,)
    """
    norms: Doubles = np.sqrt(self_kernels(numbers, kernel_table(), _WORD))
    return norms


@lru_cache(maxsize=1)
def kernel_table() -> Doubles:
    """Give h(m): what the library's kernel says of two words with m mismatches.

    Returns
    -------
    float64 array, shape (4,)
    """
    with warnings.catch_warnings():
        # It asks for its own way of running threads, which is chosen already.
        warnings.simplefilter("ignore")
        from gkmsvm.kernels.esttrunc import EstTruncGkmKernel

    kernel = EstTruncGkmKernel(
        _WORD, _COUNTED, d=_MISMATCHES, normalize=False, include_rc=False
    )
    words = np.zeros((_MISMATCHES + 1, _WORD), dtype=np.uint8)
    for m in range(_MISMATCHES + 1):
        words[m, :m] = 1
    x = np.ascontiguousarray(one_hot(words).transpose(0, 2, 1), dtype=np.float64)
    return np.asarray(kernel.pairwise(x[:1], x)[0], dtype=np.float64)


class GkmSvm:
    """One machine per TF, or per trained pair.

    Parameters
    ----------
    per_pair : bool
        A held-out pair then gets no value.

    Attributes
    ----------
    name : str
    needs : tuple of str
    summary : str
    """

    needs: tuple[str, ...] = ("gkmsvm",)

    def __init__(self, per_pair: bool = False) -> None:
        self.name = "gkm-svm-pair" if per_pair else "gkm-svm"
        own = "the trained pair itself" if per_pair else "the TF, its cell lines pooled"
        self.summary = f"gapped k-mer SVM of {own} (l 11, k 7, d 3, C 1)"
        self._units = pair_units if per_pair else tf_units

    def settings(self) -> dict[str, Any]:
        """See :meth:`Predictor.settings`."""
        return {"l": _WORD, "k": _COUNTED, "d": _MISMATCHES, "C": _COST}

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        units, silent = self._units(task)
        machines: dict[int, Machine] = {}
        read: list[Ints] = []
        for unit in units:
            rows, bound = _known_letters(task, task.sample(unit.columns, unit.name))
            if len(rows) < _LEAST or not bound.any() or bound.all():
                silent |= dict.fromkeys(unit.judged, "too few training sequences")
                continue
            machine = train_machine(task.dataset.codes[rows], bound)
            machines |= dict.fromkeys(unit.judged, machine)
            read.append(rows)
        return Fitted(
            machines,
            n_sequences=len(np.unique(np.concatenate(read))) if read else 0,
            per_unit=max(map(len, read), default=0),
            silent=silent,
        )

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        scores = np.full((len(rows), len(columns)), np.nan, dtype=np.float32)
        codes = task.dataset.codes[rows]
        # The library knows no N: such a site has no value.
        known = (codes < 4).all(axis=1)
        numbers = word_numbers(codes[known], _WORD)
        norms = sequence_norms(numbers)
        for place, column in enumerate(map(int, columns)):
            if column in fitted.state:
                machine = fitted.state[column]
                scores[known, place] = score_machine(machine, numbers, norms)
        return scores


def _known_letters(task: Task, sample: Sample) -> Sample:
    known = (task.dataset.codes[sample.rows] < 4).all(axis=1)
    return Sample(sample.rows[known], sample.bound[known])
