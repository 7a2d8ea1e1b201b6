"""Shuffled sequences: what stays, what moves, and that nothing else decides it."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tfimpute_tracks.kernels.encode import decode, encode
from tfimpute_tracks.kernels.shuffles import shuffle_dinucleotides

SEQUENCES = arrays(
    np.uint8,
    st.tuples(st.integers(0, 4), st.integers(0, 60)),
    elements=st.sampled_from([0, 0, 0, 1, 2, 3, 3, 4]),
)


def dinucleotides(text):
    return Counter(pairwise(text))


def naive_shuffles(text):
    """Every sequence with the same dinucleotides and the same first letter."""
    rest = ("".join((text[0], *order)) for order in set(permutations(text[1:])))
    return {other for other in rest if dinucleotides(other) == dinucleotides(text)}


def shuffled(text, n, first_seed=0):
    codes = np.tile(encode(text), (n, 1))
    seeds = np.arange(first_seed, first_seed + n, dtype=np.uint64)
    return [decode(row) for row in shuffle_dinucleotides(codes, seeds)]


@given(codes=SEQUENCES, seed=st.integers(0, 2**64 - 5))
def test_dinucleotides_ends_and_ns_stay(codes, seed):
    before = codes.copy()
    seeds = np.arange(len(codes), dtype=np.uint64) + np.uint64(seed)
    after = shuffle_dinucleotides(codes, seeds)
    np.testing.assert_array_equal(codes, before)
    assert after.dtype == np.uint8
    np.testing.assert_array_equal(after == 4, codes == 4)
    for one, other in zip(map(decode, codes), map(decode, after), strict=True):
        assert dinucleotides(one) == dinucleotides(other)
        for stretch, moved in zip(one.split("N"), other.split("N"), strict=True):
            assert Counter(stretch) == Counter(moved)
            assert (stretch[:1], stretch[-1:]) == (moved[:1], moved[-1:])


# The first two end where they began and elsewhere; the third has loops only on the way
# and letters that must be left by one exit at last.
@pytest.mark.parametrize("text", ["ACAGACTA", "AACGAGCT", "AAACCGCGT", "TTTTTTTT"])
def test_every_sequence_comes_up_and_equally_often(text):
    n_each = 60
    expected = naive_shuffles(text)
    found = Counter(shuffled(text, n_each * len(expected)))
    assert set(found) == expected
    # The sum of squared deviations is that of a fair die: its mean is the number of
    # free faces, its spread the root of twice that.
    free = len(expected) - 1
    chi_squared = sum((n - n_each) ** 2 / n_each for n in found.values())
    assert chi_squared <= free + 5 * (2 * free) ** 0.5


def test_regions_between_ns_are_shuffled_each_by_itself():
    found = set(shuffled("ACAGATANACAGATA", 2000))
    one = naive_shuffles("ACAGATA")
    assert found == {f"{a}N{b}" for a in one for b in one}


def test_a_sequence_depends_on_its_seed_alone(rng):
    codes = rng.integers(0, 4, (400, 50)).astype(np.uint8)
    seeds = rng.integers(0, 2**63, 400).astype(np.uint64)
    whole = shuffle_dinucleotides(codes, seeds)
    order = rng.permutation(400)
    np.testing.assert_array_equal(
        shuffle_dinucleotides(codes[order], seeds[order]), whole[order]
    )
    with ThreadPoolExecutor(4) as pool:
        parts = pool.map(
            shuffle_dinucleotides, np.split(codes, 20), np.split(seeds, 20)
        )
        np.testing.assert_array_equal(np.concatenate(list(parts)), whole)
    others = shuffle_dinucleotides(codes, seeds + np.uint64(1))
    assert (others != whole).any(axis=1).mean() > 0.99


def test_most_of_a_long_sequence_moves(rng):
    codes = rng.integers(0, 4, (50, 200)).astype(np.uint8)
    moved = shuffle_dinucleotides(codes, np.arange(50, dtype=np.uint64)) != codes
    assert 0.6 < moved.mean() < 0.9


def test_each_sequence_needs_a_seed():
    with pytest.raises(ValueError, match="1 seeds for 2 sequences"):
        shuffle_dinucleotides(np.zeros((2, 5), np.uint8), np.zeros(1, np.uint64))
