"""Sequences shuffled so that their dinucleotides stay: negatives of equal composition.

A sequence is a walk over its letters, and each of its dinucleotides an edge. Another
walk over the same edges from the same first letter is a sequence with the same
dinucleotide counts (Altschul and Erickson, Mol Biol Evol 1985). All such sequences are
drawn with equal chance: a random tree of last exits towards the last letter, found by
Wilson's loop-erased walk, which rejects nothing, and the other exits in random order.

An N is no letter: runs of N stay where they are, and each stretch between them is
shuffled for itself, so that counts of dinucleotides with N stay as well.

Each sequence has random numbers of its own. What comes out depends on its seed alone,
never on threads, order or the other sequences.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["shuffle_dinucleotides"]

Codes = NDArray[np.uint8]

_LETTERS = 4
# Constants of splitmix64 (Steele et al. 2014), which makes any seeds good ones.
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_A, _B, _C, _TOP = np.uint64(13), np.uint64(7), np.uint64(17), np.uint64(33)


def shuffle_dinucleotides(codes: Codes, seeds: NDArray[np.uint64]) -> Codes:
    """Shuffle each sequence, keeping its counts of dinucleotides.

    Parameters
    ----------
    codes : uint8 array, shape (n, L), values 0..4
    seeds : uint64 array, shape (n,)
        One for each sequence; any values.

    Returns
    -------
    uint8 array, shape (n, L)
        Equal counts of each two letters in a row, N among them; N where N was; each
        stretch without N begins and ends as before. Every sequence of these counts is
        equally likely, the given one among them.

    Raises
    ------
    ValueError
        There is not one seed for each sequence.
    """
    if seeds.shape != codes.shape[:1]:
        raise ValueError(f"{seeds.size} seeds for {len(codes)} sequences")
    shuffled = codes.copy()
    _shuffle_all(shuffled, _mixed(seeds.astype(np.uint64)))
    return shuffled


def _mixed(seeds: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread the seeds over 64 bits, none of them zero."""
    x = seeds + _GAMMA
    x = (x ^ (x >> np.uint64(30))) * _MIX1
    x = (x ^ (x >> np.uint64(27))) * _MIX2
    x = x ^ (x >> np.uint64(31))
    return np.where(x == 0, _GAMMA, x)


@njit(nogil=True, cache=True)
def _draw(state, n):  # type: ignore[no-untyped-def]
    """Give a random number below n, which is small beside 2 ** 31."""
    x = state[0]
    x ^= x << _A
    x ^= x >> _B
    x ^= x << _C
    state[0] = x
    return np.int64(x >> _TOP) % n


@njit(nogil=True, cache=True)
def _shuffle_all(codes, seeds):  # type: ignore[no-untyped-def]
    n, length = codes.shape
    state = np.empty(1, dtype=np.uint64)
    exits = np.empty((_LETTERS, max(length, 1)), dtype=np.uint8)
    for row in range(n):
        state[0] = seeds[row]
        first = 0
        while first < length:
            if codes[row, first] >= _LETTERS:
                first += 1
                continue
            last = first
            while last < length and codes[row, last] < _LETTERS:
                last += 1
            # Three letters have one order only.
            if last - first > 3:
                _shuffle_stretch(codes[row, first:last], exits, state)
            first = last


@njit(nogil=True, cache=True)
def _shuffle_stretch(letters, exits, state):  # type: ignore[no-untyped-def]
    n_exits = np.zeros(_LETTERS, dtype=np.int64)
    for i in range(letters.size - 1):
        letter = letters[i]
        exits[letter, n_exits[letter]] = letters[i + 1]
        n_exits[letter] += 1
    end = letters[letters.size - 1]
    last_exit = _draw_tree(exits, n_exits, end, state)
    for letter in range(_LETTERS):
        n = n_exits[letter]
        if letter != end and n > 0:
            # The tree's exit is the last one: which of its equals does not matter.
            for i in range(n):
                if exits[letter, i] == last_exit[letter]:
                    exits[letter, i] = exits[letter, n - 1]
                    exits[letter, n - 1] = last_exit[letter]
                    break
            n -= 1
        for i in range(n - 1, 0, -1):
            j = _draw(state, i + 1)
            exits[letter, i], exits[letter, j] = exits[letter, j], exits[letter, i]
    used = np.zeros(_LETTERS, dtype=np.int64)
    for i in range(letters.size - 1):
        letter = letters[i]
        letters[i + 1] = exits[letter, used[letter]]
        used[letter] += 1


@njit(nogil=True, cache=True)
def _draw_tree(exits, n_exits, end, state):  # type: ignore[no-untyped-def]
    """Draw the last exit of each letter, so that all of them lead to the end."""
    last_exit = np.zeros(_LETTERS, dtype=np.int64)
    in_tree = np.zeros(_LETTERS, dtype=np.bool_)
    in_tree[end] = True
    for start in range(_LETTERS):
        if n_exits[start] == 0:
            continue
        letter = start
        while not in_tree[letter]:
            # Leaving by another exit later overwrites this one: that erases loops.
            last_exit[letter] = exits[letter, _draw(state, n_exits[letter])]
            letter = last_exit[letter]
        letter = start
        while not in_tree[letter]:
            in_tree[letter] = True
            letter = last_exit[letter]
    return last_exit
