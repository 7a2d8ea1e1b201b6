"""The look-up scan against loops over letters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from tfimpute_tracks.kernels.encode import reverse_complement
from tfimpute_tracks.kernels.gradient import filter_gradient
from tfimpute_tracks.kernels.lookup import span_maxima
from tfimpute_tracks.kernels.tables import (
    build_tables,
    reverse_filters,
    word_rows,
)


def _case(seed, n_letters, n_filters, length, n_spans=6):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 5, n_letters).astype(np.uint8)
    filters = rng.normal(size=(n_filters, length, 4)).astype(np.float32)
    edges = np.sort(rng.integers(0, n_letters - length + 2, (n_spans, 2)), axis=1)
    return codes, filters, edges[:, 0].copy(), edges[:, 1].copy()


@settings(max_examples=25)
@given(
    st.integers(0, 10**6),
    st.integers(0, 60),
    st.integers(1, 70),
    st.sampled_from([1, 4, 5, 6, 13, 20, 21, 33, 41]),
)
def test_maxima_and_places_are_those_of_the_convolution(seed, more, n_filters, length):
    codes, filters, starts, ends = _case(seed, length + more, n_filters, length)
    tables = build_tables(filters)
    rows = word_rows(codes, tables.tables.shape[1])
    expected = naive.span_maxima(codes, filters, starts, ends)

    maxima, places = span_maxima(rows, tables, starts, ends)

    np.testing.assert_allclose(maxima, expected, atol=1e-4)
    y = naive.convolution(codes, filters)
    for span in np.flatnonzero(ends > starts):
        at_place = y[places[span], np.arange(n_filters)]
        np.testing.assert_allclose(at_place, expected[span], atol=1e-4)
        assert (places[span] >= starts[span]).all()
        assert (places[span] < ends[span]).all()


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(1, 70), st.sampled_from([4, 13, 20, 33]))
def test_rounded_sums_are_near_above_zero_and_below_it_below(seed, n_filters, length):
    codes, filters, _, _ = _case(seed, length + 40, n_filters, length)
    tables = build_tables(filters, fast=True)
    rows = word_rows(codes, tables.n_words)
    y = naive.convolution(codes, filters)
    block, lane = np.divmod(np.arange(n_filters), tables.tables.shape[3])
    for p in range(len(y)):
        total = tables.tables[block, 0, rows[p], lane].astype(np.int64)
        for word in range(1, tables.n_words):
            entry = tables.tables[block, word, rows[p + 5 * word], lane]
            total = np.clip(total + entry, -(2**15), 2**15 - 1)
        off = total / tables.scale - y[p]
        allowed = 0.51 * tables.n_words / tables.scale + 1e-5
        assert (np.abs(off)[y[p] > 0] <= allowed[y[p] > 0]).all()
        assert (total / tables.scale <= allowed)[y[p] <= 0].all()


def test_an_empty_span_has_no_maximum():
    codes, filters, _, _ = _case(0, 40, 3, 20)
    tables = build_tables(filters)
    rows = word_rows(codes, 4)
    maxima, places = span_maxima(rows, tables, np.array([7]), np.array([7]))
    assert (maxima == -np.inf).all()
    assert (places == 7).all()


def test_a_span_past_the_sequence_is_refused():
    codes, filters, _, _ = _case(0, 40, 3, 20)
    tables = build_tables(filters)
    with pytest.raises(IndexError, match="0 to 41"):
        span_maxima(word_rows(codes, 4), tables, np.array([0]), np.array([41]))


def test_a_filter_of_n_only_bases_gives_zero():
    tables = build_tables(np.ones((1, 20, 4), np.float32))
    codes = np.full(25, 4, np.uint8)
    rows = word_rows(codes, 4)
    maxima, _ = span_maxima(rows, tables, np.array([0]), np.array([6]))
    assert maxima == 0


@pytest.mark.parametrize("length", [4, 20, 23])
def test_reversed_filters_read_the_other_strand(length):
    codes, filters, _, _ = _case(3, 60, 5, length)
    forward = naive.convolution(reverse_complement(codes), filters)
    np.testing.assert_allclose(
        naive.convolution(codes, reverse_filters(filters))[::-1], forward, atol=1e-5
    )


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 40), st.sampled_from([1, 5, 20, 33]))
def test_the_gradient_is_the_sum_of_weighted_regions(seed, n_filters, length):
    codes, _, _, _ = _case(seed, length + 30, n_filters, length)
    rng = np.random.default_rng(seed)
    places = rng.integers(0, 31, (8, n_filters)).astype(np.int32)
    grads = rng.normal(size=(8, n_filters)).astype(np.float32)
    grads[rng.random(grads.shape) < 0.3] = 0
    expected = naive.filter_gradient(codes, places, grads, length)
    result = filter_gradient(codes, places, grads, length)
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_a_place_past_the_sequence_is_refused():
    with pytest.raises(IndexError, match="do not fit 30 bases"):
        filter_gradient(
            np.zeros(30, np.uint8),
            np.array([[11]], np.int32),
            np.ones((1, 1), np.float32),
            20,
        )
