"""The scan's features against loops over letters: both strands, screened or not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from tfimpute_tracks.kernels.encode import reverse_complement
from tfimpute_tracks.kernels.motif_tables import build_motif_tables
from tfimpute_tracks.kernels.motifs import segment_maxima
from tfimpute_tracks.kernels.segments import segment_grid
from tfimpute_tracks.kernels.sparse import compact, gather_windows
from tfimpute_tracks.kernels.tables import reverse_filters, word_rows


def _case(seed, n_letters, n_filters, length, shift=0.0):
    """Filters of which a part hardly ever fires, and letters of which some are N."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, n_letters).astype(np.uint8)
    codes[rng.random(n_letters) < 0.05] = 4
    if seed % 2:
        gap = rng.integers(0, n_letters, 2)
        codes[gap.min() : gap.max()] = 4
    filters = rng.normal(size=(n_filters, length, 4)).astype(np.float32)
    bias = rng.normal(size=n_filters).astype(np.float32) + np.float32(shift)
    reach = np.maximum(filters.max(axis=2), 0).sum(axis=1)
    rare = rng.random(n_filters) < 0.5
    bias[rare] = 0.97 * reach[rare]
    return codes, filters, bias


def _dense(codes, filters, bias, starts, ends, **how):
    motifs = build_motif_tables(filters, bias, **how)
    rows = word_rows(codes, motifs.n_words)
    maxima = segment_maxima(rows, motifs, starts, ends)
    sparse = compact(maxima, motifs)
    assert (sparse.values > 0).all()
    return sparse.dense(len(bias)).reshape(len(starts), 2, len(bias)), motifs


def _expected(codes, filters, bias, starts, ends):
    strands = [
        naive.span_maxima(codes, some, starts, ends)
        for some in (filters, reverse_filters(filters))
    ]
    return np.maximum(np.stack(strands, axis=1) - bias, 0)


@settings(max_examples=20)
@given(
    st.integers(0, 10**6),
    st.integers(1, 70),
    st.sampled_from([1, 5, 8, 20, 21, 33]),
    st.booleans(),
)
def test_features_are_those_of_the_convolution(seed, n_filters, length, fast):
    codes, filters, bias = _case(seed, length + 60, n_filters, length)
    edges = np.sort(np.random.default_rng(seed).integers(0, 62, (5, 2)), axis=1)
    starts, ends = edges[:, 0].copy(), edges[:, 1].copy()
    values, _ = _dense(codes, filters, bias, starts, ends, fast=fast)
    expected = _expected(codes, filters, bias, starts, ends)
    # No more than this can the words of a filter add up to, however it is cut.
    reach = np.maximum(filters.max(axis=2), 0).sum(axis=1) + np.maximum(-bias, 0)
    tolerance = 1e-4 + (0.55 * max(4, -(-length // 5)) / 32_000 * reach if fast else 0)
    assert (np.abs(values - expected) <= tolerance).all()


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("n_filters", [90, 700])
def test_screening_changes_no_bit_and_is_used(fast, n_filters):
    codes, filters, bias = _case(7, 3000, n_filters, 20)
    # Words that the rare filters are after, so that they fire somewhere.
    for place, k in enumerate(np.argsort(np.maximum(filters.max(2), 0).sum(1) - bias)):
        if place * 25 + 20 < codes.size:
            codes[place * 25 : place * 25 + 20] = filters[k].argmax(axis=1)
    starts = np.arange(0, 2900, 50)
    with_screen, motifs = _dense(codes, filters, bias, starts, starts + 50, fast=fast)
    without, plain = _dense(
        codes, filters, bias, starts, starts + 50, fast=fast, screen=False
    )
    np.testing.assert_array_equal(with_screen, without)
    assert 0 < motifs.n_dense < len(motifs.strands)
    assert plain.n_dense == len(plain.strands)
    in_rare = motifs.filters[motifs.n_dense :]
    assert with_screen[:, 0, in_rare[in_rare >= 0]].any()
    some = slice(None, None, n_filters // 30)  # loops over letters take their time
    expected = _expected(
        codes[:220], filters[some], bias[some], starts[:4], starts[1:5]
    )
    np.testing.assert_allclose(without[:4, :, some], expected, atol=1e-2)


def test_a_filter_that_cannot_fire_never_does():
    filters = np.full((1, 20, 4), -1, np.float32)
    codes = np.zeros(60, np.uint8)
    values, motifs = _dense(
        codes, filters, np.array([0.5], np.float32), np.array([0]), np.array([41])
    )
    assert not values.any()
    assert motifs.n_dense == 0


def test_unknown_bases_alone_give_what_the_bias_leaves():
    filters = np.ones((2, 20, 4), np.float32)
    codes = np.full(40, 4, np.uint8)
    bias = np.array([-0.5, 0.5], np.float32)
    values, _ = _dense(codes, filters, bias, np.array([0]), np.array([21]))
    np.testing.assert_array_equal(values, [[[0.5, 0], [0.5, 0]]])


@given(
    st.integers(0, 10**6), st.integers(0, 130), st.integers(0, 130), st.integers(1, 33)
)
def test_a_segment_in_unknown_sequence_is_the_highest_of_its_positions(
    seed, one, other, length
):
    codes, filters, bias = _case(2 * seed, 170, 9, length, shift=-2)
    first, last = sorted((one, other))
    codes[:first], codes[last:] = 4, 4  # as around a short contig
    edges = np.sort(np.random.default_rng(seed).integers(0, 130, (6, 2)), axis=1)
    starts, ends = edges[:, 0].copy(), edges[:, 1].copy()
    values, _ = _dense(codes, filters, bias, starts, ends)
    places = np.arange(130)
    single, _ = _dense(codes, filters, bias, places, places + 1)
    for value, start, end in zip(values, starts, ends, strict=True):
        expected = single[start:end].max(axis=0, initial=0)
        np.testing.assert_array_equal(value, expected)


@settings(max_examples=30)
@given(
    st.integers(0, 10**6),
    st.sampled_from([(60, 8, 20), (60, 8, 100), (35, 5, 7), (20, 20, 3)]),
    st.integers(1, 90),
    st.integers(1, 5),
)
def test_windows_of_tiles_are_those_of_the_tile_alone(seed, sizes, stride, n_tiles):
    seq_len, length, pool = sizes
    n_letters = (n_tiles - 1) * stride + seq_len
    codes, filters, bias = _case(seed, n_letters, 6, length)
    grid = segment_grid(seq_len, length, pool, stride)
    starts, ends = grid.spans(n_tiles)
    motifs = build_motif_tables(filters, bias)
    features = compact(
        segment_maxima(word_rows(codes, motifs.n_words), motifs, starts, ends), motifs
    )
    windows = gather_windows(features, grid, n_tiles, 6)
    for row in range(2 * n_tiles):
        columns = windows.columns[windows.offsets[row] : windows.offsets[row + 1]]
        assert len(set(columns.tolist())) == columns.size
    n_windows = len(grid.forward)
    result = windows.dense(n_windows * 6).reshape(n_tiles, 2, n_windows, 6)
    for tile in range(n_tiles):
        alone = codes[tile * stride :][:seq_len]
        for strand, read in enumerate((alone, reverse_complement(alone))):
            expected = np.maximum(naive.windows(read, filters, pool) - bias, 0)
            np.testing.assert_allclose(result[tile, strand], expected, atol=1e-4)


def test_too_few_segments_are_refused():
    codes, filters, bias = _case(0, 300, 3, 20)
    grid = segment_grid(300, 20, 100, 100)
    motifs = build_motif_tables(filters, bias)
    starts, ends = grid.spans(1)
    rows = word_rows(codes, 4)
    features = compact(segment_maxima(rows, motifs, starts, ends), motifs)
    with pytest.raises(IndexError, match="too few for 3 tiles"):
        gather_windows(features, grid, 3, 3)
    with pytest.raises(IndexError, match="0 to 300"):
        segment_maxima(rows, motifs, starts, ends + 200)


@settings(max_examples=8)
@given(st.integers(0, 10**6), st.sampled_from([15, 20, 26]), st.booleans())
def test_screening_at_the_ends_of_short_contigs_changes_no_bit(seed, length, fast):
    rng = np.random.default_rng(seed)
    filters = rng.normal(size=(160, length, 4)).astype(np.float32)
    filters[:48, length // 2 :] = 0  # they fire next to unknown sequence
    reach = np.maximum(filters.max(axis=2), 0).sum(axis=1)
    bias = (0.97 * reach).astype(np.float32)
    codes = np.full(1500, 4, np.uint8)
    for first in range(0, 1440, 60):
        codes[first : first + 25] = rng.integers(0, 4, 25)
    for place, k in enumerate(rng.permutation(160)[:24]):
        word = filters[k].argmax(axis=1)[:25]
        at = 60 * place + int(rng.integers(0, 26 - len(word)))
        codes[at : at + len(word)] = word
    starts = np.arange(0, 1400, 20)
    with_screen, motifs = _dense(codes, filters, bias, starts, starts + 20, fast=fast)
    without, _ = _dense(
        codes, filters, bias, starts, starts + 20, fast=fast, screen=False
    )
    np.testing.assert_array_equal(with_screen, without)
    assert motifs.n_dense < len(motifs.strands)
    assert with_screen.any()


@pytest.mark.parametrize("scale", [1, 1e6])
def test_a_word_alone_that_is_active_by_rounding_is_not_left_out(scale):
    rng = np.random.default_rng(0)
    filters = np.full((160, 20, 4), -scale, np.float32)  # rare but next to N
    filters[:, 15:] = scale * rng.random((160, 5, 4))
    bias = filters[:, 15:].max(axis=2).sum(axis=1)  # of the best last word: Y = b
    codes = np.full(60 * 160, 4, np.uint8)
    for k in range(160):
        codes[60 * k + 30 : 60 * k + 35] = filters[k, 15:].argmax(axis=1)
    starts = np.arange(0, 60 * 159, 20)
    with_screen, motifs = _dense(codes, filters, bias, starts, starts + 20)
    without, _ = _dense(codes, filters, bias, starts, starts + 20, screen=False)
    np.testing.assert_array_equal(with_screen, without)
    assert motifs.n_dense < len(motifs.strands)
    assert without.any()  # by rounding only
