"""Weights of words against counting mismatches, and against the library itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfimpute_tracks.comparison.predictors import gkm_svm
from tfimpute_tracks.comparison.predictors.gapped_kernel import (
    kernel_matrix,
    self_kernels,
)
from tfimpute_tracks.comparison.predictors.gapped_words import (
    count_words,
    sum_words,
    word_numbers,
    word_weights,
)

SEQUENCES = st.lists(
    st.lists(st.integers(0, 4), min_size=7, max_size=7), min_size=1, max_size=4
)


def _words(row, length):
    return [row[i : i + length] for i in range(len(row) - length + 1)]


def _naive(support, weights, kernel, codes, length):
    """Compare every word of a sequence with every one of the support, both strands."""
    total = 0.0
    for word in _words(codes, length):
        if 4 in word:
            continue
        for row, weight in zip(support, weights, strict=True):
            for other in _words(row, length):
                if 4 in other:
                    continue
                turned = [3 - letter for letter in reversed(other)]
                for strand in (other, turned):
                    m = sum(a != b for a, b in zip(word, strand, strict=True))
                    total += weight * (kernel[m] if m < len(kernel) else 0.0)
    return total


@settings(max_examples=25)
@given(SEQUENCES, SEQUENCES, st.integers(0, 99))
def test_looking_up_is_comparing_all_words(support, codes, seed):
    length, rng = 4, np.random.default_rng(seed)
    weights, kernel = rng.normal(size=len(support)), rng.normal(size=3)
    counts = count_words(
        word_numbers(np.array(support, dtype=np.uint8), length), weights, length
    )
    table = word_weights(counts, kernel, length)
    found = sum_words(word_numbers(np.array(codes, dtype=np.uint8), length), table)
    expected = [_naive(support, weights, kernel, row, length) for row in codes]
    np.testing.assert_allclose(found, expected, atol=1e-4)


@settings(max_examples=25)
@given(st.integers(1, 4), st.integers(2, 9), st.integers(1, 6), st.integers(0, 99))
def test_the_kernel_compares_all_words(n, n_words, length, seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (n, n_words + length - 1)).astype(np.uint8)
    table = rng.normal(size=4)
    numbers = word_numbers(codes, length)
    expected = [
        [_naive([other], [1.0], table, row, length) for other in codes.tolist()]
        for row in codes.tolist()
    ]
    found = kernel_matrix(numbers, table, length)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    selves = self_kernels(numbers, table, length)
    np.testing.assert_allclose(selves, np.diag(expected), atol=1e-9)


def test_unknown_letters_and_long_words_are_not_compared():
    with pytest.raises(ValueError, match="unknown letter"):
        kernel_matrix(np.array([[-1]]), np.ones(2), 4)
    with pytest.raises(ValueError, match="words of 13 letters"):
        kernel_matrix(np.array([[1]]), np.ones(2), 13)


def test_scores_are_the_library_s(rng):
    codes = rng.integers(0, 4, (24, 50)).astype(np.uint8)
    codes[:12, 20:32] = [0, 1, 2, 3, 0, 0, 1, 1, 2, 2, 3, 0]
    bound = np.arange(24) < 12
    machine = gkm_svm.train_machine(codes, bound)
    import gkmsvm

    letters = np.eye(4, dtype=np.float32)
    one_hot = letters[codes].transpose(0, 2, 1)
    model = gkmsvm.train_gkmsvm(one_hot[bound], one_hot[~bound], device="cpu")
    new = rng.integers(0, 4, (9, 50)).astype(np.uint8)
    found = gkm_svm.score_machine(
        machine, word_numbers(new, 11), gkm_svm.sequence_norms(word_numbers(new, 11))
    )
    expected = np.asarray(model(letters[new].transpose(0, 2, 1))).reshape(-1)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.ptp(found) > 1e-3


def test_a_word_with_an_unknown_letter_has_no_number():
    numbers = word_numbers(np.array([[0, 1, 2, 4, 3, 3, 3]], dtype=np.uint8), 3)
    assert numbers.tolist() == [[6, -1, -1, -1, 63]]


@pytest.mark.parametrize("length", [2, 3])
def test_a_letter_further_is_a_mismatch_more(length):
    counts = np.zeros(4**length)
    counts[0] = 1.0
    table = word_weights(counts, np.array([1.0, 10.0]), length)
    assert table[0] == 1
    assert sorted(table)[-3 * length :] == [10.0] * (3 * length)
    assert (table != 0).sum() == 1 + 3 * length
