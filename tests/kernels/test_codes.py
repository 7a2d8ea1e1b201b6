"""Codes of scores: the rounding, its error, the differences, the count of peaks."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.kernels.codes import (
    LOWEST_CODE,
    PEAK_CODE,
    STEPS_PER_UNIT,
    column_codes,
    count_peaks,
    decode_codes,
    difference,
    join_counts,
    quantise,
    row_codes,
)
from tfimpute_tracks.kernels.peaks import call_peaks


def _case(seed, n_tiles, n_pairs):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 6, (n_tiles, n_pairs)).astype(np.float32)
    centres = rng.uniform(-2, 6, n_pairs).astype(np.float32)
    return logits, centres


@given(st.integers(0, 10**6), st.integers(1, 150), st.integers(1, 140))
def test_codes_are_the_rounded_scores_and_keep_the_side_of_the_line(seed, tiles, pairs):
    logits, centres = _case(seed, tiles, pairs)
    codes = quantise(logits, centres)
    assert codes.shape == (pairs, tiles)
    np.testing.assert_array_equal(codes >= PEAK_CODE, (logits >= centres).T)
    exact = PEAK_CODE + np.floor(STEPS_PER_UNIT * (logits - centres).T.astype(float))
    exact = np.clip(exact, LOWEST_CODE, 255)
    assert np.abs(codes - exact).max() <= 1  # float32 may round a border over
    for pair in range(pairs):
        decoded = decode_codes(codes[pair], float(centres[pair]))
        inside = (codes[pair] > LOWEST_CODE) & (codes[pair] < 255)
        error = np.abs(decoded - logits[:, pair])[inside]
        assert not error.size or error.max() <= 0.5 / STEPS_PER_UNIT + 1e-4


def test_a_score_beside_the_line_stays_on_its_side():
    centres = np.array([0.1, 3.7, 11.99], dtype=np.float32)
    lines = np.stack(
        [np.nextafter(centres, np.float32(-99)), centres], dtype=np.float32
    )
    codes = quantise(lines, centres)
    assert (codes[:, 0] == PEAK_CODE - 1).all()
    assert (codes[:, 1] == PEAK_CODE).all()


def test_what_is_below_the_floor_is_not_kept():
    logits = np.array([[-3.0], [-1.1], [-0.9], [1.0]], dtype=np.float32)
    floor = PEAK_CODE - STEPS_PER_UNIT
    codes = quantise(logits, np.zeros(1, np.float32), floor)
    assert codes[0].tolist() == [0, 0, 161, 192]
    decoded = decode_codes(codes[0], 0.0)
    assert np.isneginf(decoded[:2]).all()
    assert abs(decoded[3] - 1.0) <= 1 / 32


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


def _slow_count(codes, missing):
    values = np.where(missing, np.nan, codes.astype(np.float32)).astype(np.float32)
    starts = np.arange(len(codes), dtype=np.int64)
    return len(call_peaks(starts, values, 1, PEAK_CODE, 1).start)


@given(
    st.lists(st.sampled_from([0, 100, 176, 200, None]), min_size=2, max_size=40),
    st.data(),
)
def test_peaks_are_counted_as_they_are_called_and_stretches_join(values, data):
    missing = np.array([value is None for value in values])
    codes = np.array([value or 0 for value in values], dtype=np.uint8)[None]
    assert count_peaks(codes, missing)[0][0] == _slow_count(codes[0], missing)
    cuts = [0, len(values)]
    if len(values) >= 4:
        cut = data.draw(st.integers(1, len(values) - 2))
        cuts = [0, cut, len(values)]
    whole = None
    for first, last in pairwise(cuts):
        part = count_peaks(codes[:, first:last], missing[first:last])
        whole = part if whole is None else join_counts(whole, part)
    assert whole[0][0] == _slow_count(codes[0], missing)
    expected = count_peaks(codes, missing)[1]
    if cuts[-2] > 1:
        np.testing.assert_array_equal(whole[1], expected)
