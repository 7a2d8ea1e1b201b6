"""Dinucleotide shuffling: random sequences with unchanged dinucleotide counts.

A sequence is a walk on a graph whose nodes are the four nucleotides and whose edges are
its dinucleotides. Another walk over the same edges from the same first nucleotide is a
sequence with the same counts (Altschul and Erickson, Mol Biol Evol 1985). All such
sequences are drawn with equal probability: the last exits from the nodes form a random
spanning tree towards the last nucleotide, drawn by Wilson's loop-erased random walk,
which rejects nothing, and the other exits are in random order.

Runs of N keep their positions, and each segment between them is shuffled separately, so
that counts of dinucleotides with N do not change either.

Each sequence has its own random numbers: the result depends on its seed alone, not on
threads, order or other sequences.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit

__all__ = ["shuffle_dinucleotides"]

Codes = NDArray[np.uint8]

_BASES = 4
# Constants of splitmix64 (Steele et al. 2014), which makes any seeds independent.
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_A, _B, _C, _TOP = np.uint64(13), np.uint64(7), np.uint64(17), np.uint64(33)


def shuffle_dinucleotides(codes: Codes, seeds: NDArray[np.uint64]) -> Codes:
    """Shuffle each sequence, keeping its dinucleotide counts.

    Parameters
    ----------
    codes : uint8 array, shape (n, L), values 0..4
    seeds : uint64 array, shape (n,)
        One per sequence; any values.

    Returns
    -------
    uint8 array, shape (n, L)
        With equal counts of all dinucleotides, those with N included, and N at the same
        positions. Each segment between N keeps its first and last base. Every such
        sequence, including the given one, is equally likely.

    Raises
    ------
    ValueError
        The number of seeds is not that of sequences.
    """
    if seeds.shape != codes.shape[:1]:
        raise ValueError(f"{seeds.size} seeds for {len(codes)} sequences")
    shuffled = codes.copy()
    _shuffle_all(shuffled, _mixed(seeds.astype(np.uint64)))
    return shuffled


def _mixed(seeds: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits of seeds; none of the results is zero."""
    x = seeds + _GAMMA
    x = (x ^ (x >> np.uint64(30))) * _MIX1
    x = (x ^ (x >> np.uint64(27))) * _MIX2
    x = x ^ (x >> np.uint64(31))
    return np.where(x == 0, _GAMMA, x)


@njit(nogil=True, cache=True)
def _draw(state, n):  # type: ignore[no-untyped-def]
    """Draw a random integer below n, which is small compared with 2 ** 31."""
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
    exits = np.empty((_BASES, max(length, 1)), dtype=np.uint8)
    for row in range(n):
        state[0] = seeds[row]
        first = 0
        while first < length:
            if codes[row, first] >= _BASES:
                first += 1
                continue
            last = first
            while last < length and codes[row, last] < _BASES:
                last += 1
            # Up to three bases have only one order.
            if last - first > 3:
                _shuffle_segment(codes[row, first:last], exits, state)
            first = last


@njit(nogil=True, cache=True)
def _shuffle_segment(codes, exits, state):  # type: ignore[no-untyped-def]
    n_exits = np.zeros(_BASES, dtype=np.int64)
    for i in range(codes.size - 1):
        base = codes[i]
        exits[base, n_exits[base]] = codes[i + 1]
        n_exits[base] += 1
    end = codes[codes.size - 1]
    last_exit = _draw_tree(exits, n_exits, end, state)
    for base in range(_BASES):
        n = n_exits[base]
        if base != end and n > 0:
            # Move an exit of the tree to the end; equal ones are interchangeable.
            for i in range(n):
                if exits[base, i] == last_exit[base]:
                    exits[base, i] = exits[base, n - 1]
                    exits[base, n - 1] = last_exit[base]
                    break
            n -= 1
        for i in range(n - 1, 0, -1):
            j = _draw(state, i + 1)
            exits[base, i], exits[base, j] = exits[base, j], exits[base, i]
    used = np.zeros(_BASES, dtype=np.int64)
    for i in range(codes.size - 1):
        base = codes[i]
        codes[i + 1] = exits[base, used[base]]
        used[base] += 1


@njit(nogil=True, cache=True)
def _draw_tree(exits, n_exits, end, state):  # type: ignore[no-untyped-def]
    """Draw the last exit of each base, so that all of them lead to the end."""
    last_exit = np.zeros(_BASES, dtype=np.int64)
    in_tree = np.zeros(_BASES, dtype=np.bool_)
    in_tree[end] = True
    for start in range(_BASES):
        if n_exits[start] == 0:
            continue
        base = start
        while not in_tree[base]:
            # A later exit overwrites an earlier one, which erases loops.
            last_exit[base] = exits[base, _draw(state, n_exits[base])]
            base = last_exit[base]
        base = start
        while not in_tree[base]:
            in_tree[base] = True
            base = last_exit[base]
    return last_exit
