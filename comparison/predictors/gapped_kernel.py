"""The gapped k-mer kernel of sequences: their words compared, all with all.

The kernel of two sequences adds up h(m) over every word of the one and every word of
the other, on both strands, with m mismatches between the words (Ghandi et al. 2014; Lee
2016). What costs is counting mismatches, 72,000 times for two sites of 200 bp. A word
is one integer of two bits a letter, so a comparison is a few instructions that the
compiler does for eight words at once; only counts of 0, 1, 2 and 3 mismatches are kept.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_MISMATCHES", "kernel_matrix", "self_kernels", "turn_words"]

MOST_MISMATCHES = 3
"""Words with more mismatches count nothing."""

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

_LONGEST = 12  # letters of a word: 24 bits


def turn_words(numbers: Ints, length: int) -> Ints:
    """Give the words of the other strand.

    Parameters
    ----------
    numbers : int64 array, any shape
        Words as digits of base 4, the first letter the highest; none below zero.
    length : int
        Letters of a word.

    Returns
    -------
    int64 array, same shape
        Reversed and complemented.
    """
    rest, turned = numbers.copy(), np.zeros_like(numbers)
    for _ in range(length):
        turned = turned * 4 + (3 - rest % 4)
        rest //= 4
    return turned


def kernel_matrix(numbers: Ints, table: Doubles, length: int) -> Doubles:
    """Compare all sequences with each other.

    Parameters
    ----------
    numbers : int64 array, shape (n, n_words)
        Words of each sequence, none below zero.
    table : float64 array, shape (d + 1,)
        h(m) for m mismatches, d at most :data:`MOST_MISMATCHES`.
    length : int
        Letters of a word, 12 at most.

    Returns
    -------
    float64 array, shape (n, n)
        Not normalized; symmetric.
    """
    words, both, full = _prepared(numbers, table, length)
    matrix = np.empty((len(words), len(words)))
    _compare_all(words, both, full, matrix)
    return matrix


def self_kernels(numbers: Ints, table: Doubles, length: int) -> Doubles:
    """Compare each sequence with itself.

    Parameters
    ----------
    numbers : int64 array, shape (n, n_words)
        As of :func:`kernel_matrix`.
    table : float64 array, shape (d + 1,)
    length : int

    Returns
    -------
    float64 array, shape (n,)
        The diagonal of :func:`kernel_matrix`.
    """
    words, both, full = _prepared(numbers, table, length)
    found = np.empty(len(words))
    _compare_selves(words, both, full, found)
    return found


def _prepared(
    numbers: Ints, table: Doubles, length: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], Doubles]:
    """Give words, words of both strands, and a table of four."""
    if length > _LONGEST or len(table) > MOST_MISMATCHES + 1:
        raise ValueError(f"words of {length} letters, {len(table) - 1} mismatches")
    if numbers.size and numbers.min() < 0:
        raise ValueError("a word with an unknown letter cannot be compared")
    both = np.concatenate([numbers, turn_words(numbers, length)], axis=1)
    full = np.zeros(MOST_MISMATCHES + 1)
    full[: len(table)] = table
    return numbers.astype(np.uint32), both.astype(np.uint32), full


@numba.njit(cache=True, nogil=True)
def _compare(a, b, table):  # type: ignore[no-untyped-def]
    """Add up h over all words of a and b, uint32 each."""
    # Every step is cast: numba would widen it, and halve the words done at once.
    u = np.uint32
    n0, n1, n2, n3 = u(0), u(0), u(0), u(0)
    for i in range(a.shape[0]):
        x = a[i]
        for j in range(b.shape[0]):
            y = u(x ^ b[j])
            # One bit per letter that differs, at the even places; then their number.
            y = u((y | u(y >> u(1))) & u(0x555555))
            y = u((y & u(0x333333)) + u(u(y >> u(2)) & u(0x333333)))
            y = u(u(y + u(y >> u(4))) & u(0x0F0F0F))
            y = u(u(y + u(y >> u(8)) + u(y >> u(16))) & u(31))
            n0 = u(n0 + u(y == u(0)))
            n1 = u(n1 + u(y == u(1)))
            n2 = u(n2 + u(y == u(2)))
            n3 = u(n3 + u(y == u(3)))
    return n0 * table[0] + n1 * table[1] + n2 * table[2] + n3 * table[3]


@numba.njit(cache=True, nogil=True)
def _compare_all(words, both, table, matrix):  # type: ignore[no-untyped-def]
    for i in range(words.shape[0]):
        for j in range(i, words.shape[0]):
            matrix[i, j] = _compare(words[i], both[j], table)
            matrix[j, i] = matrix[i, j]


@numba.njit(cache=True, nogil=True)
def _compare_selves(words, both, table, found):  # type: ignore[no-untyped-def]
    for i in range(words.shape[0]):
        found[i] = _compare(words[i], both[i], table)
