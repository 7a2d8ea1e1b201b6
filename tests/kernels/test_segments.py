"""Segments: every tile's windows, from maxima that are found once."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from tfimpute_tracks.kernels.encode import reverse_complement
from tfimpute_tracks.kernels.segments import pooling_windows, segment_grid
from tfimpute_tracks.kernels.tables import reverse_filters


def test_the_paper_size_has_two_segments_per_stride():
    grid = segment_grid(seq_len=300, filter_length=20, pool=100, stride=100)
    assert grid.borders.tolist() == [0, 81]
    assert grid.forward.tolist() == [[0, 2], [2, 4], [4, 5]]
    assert grid.reverse.tolist() == [[3, 5], [1, 3], [0, 1]]


def test_the_last_window_may_be_shorter():
    assert pooling_windows(200, 20, 100).tolist() == [[0, 100], [100, 181]]


@settings(max_examples=40)
@given(
    st.integers(0, 10**6),
    st.integers(1, 12),
    st.integers(0, 40),
    st.integers(1, 45),
    st.integers(1, 70),
    st.integers(1, 5),
)
def test_tiles_equal_the_windows_of_each_tile_alone(
    seed, length, more, pool, stride, n_tiles
):
    rng = np.random.default_rng(seed)
    seq_len = length + more
    codes = rng.integers(0, 5, (n_tiles - 1) * stride + seq_len).astype(np.uint8)
    filters = rng.normal(size=(3, length, 4)).astype(np.float32)
    grid = segment_grid(seq_len, length, pool, stride)
    starts, ends = grid.spans(n_tiles)
    assert ends[-1] == len(codes) - length + 1
    for ranges, strand_filters, strand in (
        (grid.forward, filters, lambda tile: tile),
        (grid.reverse, reverse_filters(filters), reverse_complement),
    ):
        maxima = naive.span_maxima(codes, strand_filters, starts, ends)
        for tile in range(n_tiles):
            segments = maxima[tile * grid.borders.size :]
            result = [segments[first:last].max(axis=0) for first, last in ranges]
            alone = strand(codes[tile * stride : tile * stride + seq_len])
            expected = naive.windows(alone, filters, pool)
            np.testing.assert_allclose(result, expected, atol=1e-4)


def test_no_tile_needs_no_segment():
    assert segment_grid(300, 20, 100, 100).n_segments(0) == 0
