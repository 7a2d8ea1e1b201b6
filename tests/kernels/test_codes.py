"""Codes of scores: the rounding, its error, and the differences."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.kernels.codes import (
    code_scale,
    column_codes,
    decode_codes,
    difference,
    quantize,
    row_codes,
)
from tfimpute_tracks.kernels.products import sigmoid


def _case(seed, n_tiles, n_pairs):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 8, (n_tiles, n_pairs)).astype(np.float32)
    return logits, code_scale(rng.uniform(-17, 17, n_pairs).astype(np.float32))


def _all(scale):
    return scale.min_codes(None)


@given(st.integers(0, 10**6), st.integers(1, 150), st.integers(1, 140))
def test_codes_are_the_rounded_scores_and_keep_the_side_of_the_line(seed, tiles, pairs):
    logits, scale = _case(seed, tiles, pairs)
    lines, steps, threshold_codes = (field[:, None] for field in scale)
    codes = quantize(logits, scale, _all(scale))
    assert codes.shape == (pairs, tiles)
    np.testing.assert_array_equal(
        codes >= threshold_codes, (logits >= scale.thresholds).T
    )
    exact = threshold_codes + np.floor((logits.T.astype(float) - lines) / steps)
    assert np.abs(codes - np.clip(exact, 1, 255)).max() <= 1  # a border in float32
    decoded = decode_codes(codes, scale)
    inside = (codes > 1) & (codes < 255)
    errors = (np.abs(decoded - logits.T) - steps / 2)[inside]
    assert not errors.size or errors.max() <= 1e-4


@given(st.integers(0, 10**6), st.integers(1, 150), st.integers(1, 140))
def test_no_probability_is_far_off_whatever_the_line(seed, tiles, pairs):
    logits, scale = _case(seed, tiles, pairs)
    decoded = decode_codes(quantize(logits, scale, _all(scale)), scale)
    error = np.abs(sigmoid(decoded) - sigmoid(logits.T))
    assert (error <= scale.steps[:, None] / 8 + 1e-3).all()
    assert scale.steps.max() < 0.13


@given(st.integers(0, 10**6), st.integers(1, 150), st.integers(1, 1100))
def test_columns_in_another_order_give_the_same_rows(seed, tiles, pairs):
    logits, scale = _case(seed, tiles, pairs)
    codes = quantize(logits, scale, scale.min_codes(2.0))
    order = np.random.default_rng(seed).permutation(pairs)
    taken = scale.take(order)
    mixed = quantize(logits[:, order], taken, taken.min_codes(2.0), None, order)
    np.testing.assert_array_equal(mixed, codes)


def test_a_score_next_to_the_threshold_stays_on_its_side():
    lines = np.array([-17, -7, 0.1, 3.7, 11.99, 17], dtype=np.float32)
    scale = code_scale(lines)
    logits = np.stack([np.nextafter(lines, np.float32(-99)), lines], dtype=np.float32)
    codes = quantize(logits, scale, _all(scale))
    assert (codes[:, 0] == scale.threshold_codes - 1).all()
    assert (codes[:, 1] == scale.threshold_codes).all()


def test_what_is_below_the_floor_is_not_kept():
    logits = np.array([[-3.0], [-1.1], [-0.9], [1.0]], dtype=np.float32)
    scale = code_scale(np.zeros(1, np.float32))
    codes = quantize(logits, scale, scale.min_codes(1.0))
    assert (codes[0] > 0).tolist() == [False, False, True, True]
    decoded = decode_codes(codes, scale)[0]
    assert np.isneginf(decoded[:2]).all()
    assert np.abs(decoded[2:] - logits[2:, 0]).max() <= scale.steps[0] / 2


@given(
    st.integers(0, 10**6),
    st.integers(1, 40),
    st.integers(1, 30),
    st.integers(1, 12),
    st.data(),
)
def test_differences_give_rows_and_columns_back(seed, tiles, pairs, group, data):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 256, (pairs, tiles)).astype(np.uint8)
    stored = codes.copy()
    difference(stored, group)
    for pair in range(pairs):
        begin = pair - pair % group
        np.testing.assert_array_equal(row_codes(stored[begin : pair + 1]), codes[pair])
    first = data.draw(st.integers(0, tiles - 1))
    last = data.draw(st.integers(first + 1, tiles))
    for begin in range(0, pairs, group):
        some = column_codes(stored[begin : begin + group, :last], first)
        np.testing.assert_array_equal(some, codes[begin : begin + group, first:last])
