"""A gapped k-mer SVM as one weight per word, so that scoring is looking up.

The kernel compares all words of l letters of two sequences and counts h(m) for m
mismatches, nothing for more than d (Ghandi et al. 2014; Lee 2016). So the sum over the
support sequences needs no sequence: each word u has a weight

    W[u] = sum_v a[v] h(mismatches(u, v))

with a[v] what the support sequences give to their words v. W is 4**l numbers and is
formed letter by letter: after the first i letters, S[m][u] is the sum of a over the
words with exactly m mismatches among those and none in the others.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["count_words", "sum_words", "word_numbers", "word_weights"]

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


def word_numbers(codes: NDArray[np.uint8], length: int) -> Ints:
    """Give the numbers of the words of sequences, letters as digits of base 4.

    Parameters
    ----------
    codes : uint8 array, shape (n, L), values 0..4
    length : int
        Letters of a word.

    Returns
    -------
    int64 array, shape (n, L - length + 1)
        The first letter is the highest digit; -1 where the word holds an N.
    """
    n_words = codes.shape[1] - length + 1
    numbers = np.zeros((len(codes), n_words), dtype=np.int64)
    broken = np.zeros((len(codes), n_words), dtype=bool)
    for i in range(length):
        letters = codes[:, i : i + n_words]
        numbers = numbers * 4 + letters
        broken |= letters > 3
    numbers[broken] = -1
    return numbers


def count_words(numbers: Ints, weights: Doubles, length: int) -> Doubles:
    """Add up what sequences give to their words, on both strands.

    Parameters
    ----------
    numbers : int64 array, shape (n, n_words)
        From :func:`word_numbers`.
    weights : float64 array, shape (n,)
        Of each sequence.
    length : int

    Returns
    -------
    float64 array, shape (4**length,)
    """
    whole = numbers >= 0
    given = np.broadcast_to(weights[:, None], numbers.shape)[whole]
    forward: Doubles = np.bincount(numbers[whole], given, minlength=4**length).astype(
        np.float64
    )
    # Reversed and complemented: the axes of the digits the other way, A <-> T.
    shape = (4,) * length
    backward = forward.reshape(shape)[(slice(None, None, -1),) * length].transpose()
    total: Doubles = forward + backward.reshape(-1)
    return total


def word_weights(counts: Doubles, kernel: Doubles, length: int) -> NDArray[np.float32]:
    """Spread what words were given over all words within reach.

    Parameters
    ----------
    counts : float64 array, shape (4**length,)
        From :func:`count_words`.
    kernel : float64 array, shape (d + 1,)
        h(m), for m mismatches.
    length : int

    Returns
    -------
    float32 array, shape (4**length,)
        W.
    """
    sums = [counts.copy()] + [np.zeros_like(counts) for _ in kernel[1:]]
    for i in range(length):
        shape = (4**i, 4, 4 ** (length - i - 1))
        for m in range(len(kernel) - 1, 0, -1):
            fewer = sums[m - 1].reshape(shape)
            sums[m].reshape(shape)[...] += fewer.sum(axis=1, keepdims=True) - fewer
    total = sum(h * s for h, s in zip(kernel, sums, strict=True))
    return np.asarray(total, dtype=np.float32)


def sum_words(numbers: Ints, weights: NDArray[np.float32]) -> Doubles:
    """Add up the weights of the words of sequences.

    Parameters
    ----------
    numbers : int64 array, shape (n, n_words)
        From :func:`word_numbers`.
    weights : float32 array, shape (4**length,)

    Returns
    -------
    float64 array, shape (n,)
        Words with an N count nothing.
    """
    sums = np.zeros(len(numbers))
    _sum_words(numbers, weights, sums)
    return sums


@numba.njit(cache=True, nogil=True)
def _sum_words(numbers, weights, sums):  # type: ignore[no-untyped-def]
    for i in range(numbers.shape[0]):
        total = 0.0
        for number in numbers[i]:
            if number >= 0:
                total += weights[number]
        sums[i] = total
