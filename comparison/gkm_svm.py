"""gkm-SVM: support vector machines over gapped k-mers, trained by gkmsvm-lite.

One machine per TF, on its training cell lines together, or one per trained pair. The
settings are those of LS-GKM: words of 11 letters of which 7 count, 3 mismatches at
most, C = 1. Training compares every two sequences and sets how many there can be;
scoring sums weights of words (:mod:`~tfimpute_tracks.comparison.gapped_words`), which
gives the same scores as the library's own pass over all support sequences.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.comparison.gapped_words import (
    Doubles,
    count_words,
    sum_words,
    word_numbers,
    word_weights,
)
from tfimpute_tracks.comparison.predictor import Fitted, Floats
from tfimpute_tracks.comparison.task import Ints, Sample, Task
from tfimpute_tracks.comparison.units import pair_units, tf_units

__all__ = ["GkmSvm", "Machine", "score_machine", "sequence_norms", "train_machine"]

_WORD, _COUNTED, _MISMATCHES, _COST = 11, 7, 3, 1.0
_LEAST = 20  # training sequences; with fewer there is nothing to learn
_TILE = 100  # sequences compared at once: the library halves the work tile by tile
_NORMS_AT_ONCE = 1000


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
    gkmsvm = _library()
    one_hot = _one_hot(codes)
    model = gkmsvm.train_gkmsvm(
        one_hot[bound],
        one_hot[~bound],
        l=_WORD,
        k=_COUNTED,
        d=_MISMATCHES,
        C=_COST,
        solver="libsvm",
        gram_chunk_size=_TILE,
        device="cpu",
    )
    support = np.asarray(model.support_sequences)
    letters = support.argmax(axis=1).astype(np.uint8)
    coefficients = np.asarray(model.coefficients, dtype=np.float64)
    counts = count_words(
        word_numbers(letters, _WORD), coefficients / sequence_norms(letters), _WORD
    )
    return Machine(word_weights(counts, _kernel_table(), _WORD), float(model.bias))


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


def sequence_norms(codes: NDArray[np.uint8]) -> Doubles:
    """Give the root of the kernel of each sequence with itself.

    Parameters
    ----------
    codes : uint8 array, shape (n, L), values 0..3

    Returns
    -------
    float64 array, shape (n,)
    """
    kernel = _kernel()
    parts = [
        np.asarray(kernel.diagonal(_one_hot(codes[i : i + _NORMS_AT_ONCE])))
        for i in range(0, len(codes), _NORMS_AT_ONCE)
    ]
    norms: Doubles = np.sqrt(np.concatenate([np.empty(0), *parts]))
    return norms


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
        norms = sequence_norms(codes[known])
        for place, column in enumerate(map(int, columns)):
            if column in fitted.state:
                machine = fitted.state[column]
                scores[known, place] = score_machine(machine, numbers, norms)
        return scores


def _known_letters(task: Task, sample: Sample) -> Sample:
    known = (task.dataset.codes[sample.rows] < 4).all(axis=1)
    return Sample(sample.rows[known], sample.bound[known])


def _library() -> Any:
    with warnings.catch_warnings():
        # It asks for its own way of running threads, which is chosen already.
        warnings.simplefilter("ignore")
        import gkmsvm
    return gkmsvm


def _kernel() -> Any:
    _library()
    from gkmsvm.kernels.esttrunc import EstTruncGkmKernel

    return EstTruncGkmKernel(_WORD, _COUNTED, d=_MISMATCHES, normalize=False)


def _kernel_table() -> Doubles:
    """Give h(m): what the library's kernel says of two words with m mismatches."""
    _library()
    from gkmsvm.kernels.esttrunc import EstTruncGkmKernel

    kernel = EstTruncGkmKernel(
        _WORD, _COUNTED, d=_MISMATCHES, normalize=False, include_rc=False
    )
    words = np.zeros((_MISMATCHES + 1, _WORD), dtype=np.uint8)
    for m in range(_MISMATCHES + 1):
        words[m, :m] = 1
    one_hot = _one_hot(words).astype(np.float64)
    return np.asarray(kernel.pairwise(one_hot[:1], one_hot)[0], dtype=np.float64)


def _one_hot(codes: NDArray[np.uint8]) -> Floats:
    """Give (n, 4, L)."""
    letters = np.eye(5, 4, dtype=np.float32)
    return np.ascontiguousarray(letters[codes].transpose(0, 2, 1))
