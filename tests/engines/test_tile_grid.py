"""Core tiles, halo and the slices of both, whatever the distances of tiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.engines.tile_grid import join_segments, tile_grid
from tfimpute_tracks.kernels.encode import missing_tiles
from tfimpute_tracks.kernels.segments import segment_grid
from tfimpute_tracks.kernels.sparse import SparseRows
from tfimpute_tracks.models.config import GatedConfig, ResidualConfig


@st.composite
def layouts(draw, least_reach=0, most_reach=4):
    """Draw the sizes of a network, a stride, and their grid."""
    config = GatedConfig(
        seq_len=draw(st.integers(8, 70)),
        filter_length=draw(st.integers(1, 8)),
        n_filters=3,
        pool=draw(st.integers(1, 40)),
        context_tiles=draw(st.integers(least_reach, most_reach)),
    )
    stride = draw(st.integers(1, 60))
    return config, stride, tile_grid(config, stride)


tile_counts = st.integers(1, 12)


def _numbered(core, n_core):
    """Features of neighboring core tiles: each row has one, its own number."""
    numbers = np.arange(2 * core.n_segments(n_core), dtype=np.int32)
    offsets = np.arange(numbers.size + 1)
    return SparseRows(offsets, numbers, numbers.astype(np.float32))


@given(layouts(), tile_counts)
def test_core_tiles_fill_the_sequence(layout, n_tiles):
    config, stride, grid = layout
    assert (grid.stride, grid.seq_len) == (stride, config.seq_len)
    assert grid.flank == config.flank
    assert grid.n_codes(1) == config.receptive_field
    assert grid.n_codes(n_tiles) == (n_tiles - 1) * stride + config.receptive_field
    last = (grid.n_base(n_tiles) - 1) * grid.base.stride
    assert last + config.seq_len == grid.n_codes(n_tiles)
    assert grid.n_codes(0) == grid.n_base(0) == 0


@given(layouts(), tile_counts, st.data())
def test_some_tiles_are_a_slice_of_more(layout, n_tiles, data):
    _, stride, grid = layout
    first = data.draw(st.integers(0, n_tiles - 1))
    n = data.draw(st.integers(1, n_tiles - first))
    letters, cores = (cut(first, n) for cut in (grid.code_slice, grid.base_slice))
    assert letters.start == first * stride == cores.start * grid.base.stride
    assert letters.stop - letters.start == grid.n_codes(n)
    assert letters.stop <= grid.n_codes(n_tiles)
    assert cores.stop - cores.start == grid.n_base(n)
    assert cores.stop <= grid.n_base(n_tiles)
    # Two rows of features per segment: those of the part are the same segments.
    rows = grid.base.feature_rows(cores.start, grid.n_base(n))
    own = _numbered(grid.base, grid.n_base(n_tiles)).rows(rows.start, rows.stop).columns
    assert own[0] % 2 == 0
    assert own[-1] % 2 == 1
    segments = slice(own[0] // 2, own[-1] // 2 + 1)
    for whole, part in zip(
        grid.base.spans(grid.n_base(n_tiles)),
        grid.base.spans(grid.n_base(n)),
        strict=True,
    ):
        np.testing.assert_array_equal(whole[segments] - letters.start, part)


@given(layouts(least_reach=1), tile_counts)
def test_neighbors_lie_the_network_s_stride_apart(layout, n_tiles):
    """A core tile's logit is where it starts: the largest neighbor's is the last's."""
    config, stride, grid = layout
    starts = grid.base.stride * np.arange(grid.n_base(n_tiles), dtype=np.float32)
    own = grid.flank + stride * np.arange(n_tiles)
    unknown = np.zeros(starts.size, dtype=bool)
    for k, weight in enumerate(np.eye(config.context_tiles + 1, dtype=np.float32)):
        weights = {"context.weight": weight, "context.bias": 0 * weight}
        last, first = (
            sign * grid.mix(sign * starts[:, None], unknown, weights)[:, 0]
            for sign in (1, -1)
        )
        np.testing.assert_array_equal(last, own + k * config.stride)
        np.testing.assert_array_equal(first, own - k * config.stride)


@given(layouts(), tile_counts, st.integers(0, 2**32 - 1))
def test_the_tile_itself_is_picked(layout, n_tiles, seed):
    config, stride, grid = layout
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, grid.n_codes(n_tiles)).astype(np.uint8)
    codes[rng.random(codes.size) < 0.5] = 4
    unknown = grid.unknown(codes, n_tiles)
    assert unknown.shape == (grid.n_base(n_tiles),)
    for i in range(n_tiles):
        tile = codes[grid.flank + i * stride :][: config.seq_len]
        is_unknown = 2 * (tile == 4).sum() > config.seq_len
        assert grid.tile_mask(unknown)[i] == is_unknown
    assert grid.tile_mask(unknown).shape == (n_tiles,)


@given(layouts(most_reach=0), tile_counts, st.data())
def test_without_context_core_tiles_are_the_tiles(layout, n_tiles, data):
    config, stride, grid = layout
    plain = segment_grid(config.seq_len, config.filter_length, config.pool, stride)
    for ours, theirs in zip(grid.base, plain, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    first = data.draw(st.integers(0, n_tiles - 1))
    n = n_tiles - first
    assert (grid.flank, grid.step, grid.n_base(n_tiles)) == (0, 1, n_tiles)
    assert grid.n_codes(n_tiles) == (n_tiles - 1) * stride + config.seq_len
    assert grid.base_slice(first, n) == slice(first, n_tiles)
    row = 2 * first * plain.borders.size
    rows = plain.feature_rows(first, n)
    own = _numbered(plain, n_tiles).rows(rows.start, rows.stop).columns
    np.testing.assert_array_equal(own, row + np.arange(2 * plain.n_segments(n)))
    codes = np.full(grid.n_codes(n_tiles), 4, dtype=np.uint8)
    codes[: codes.size // 2] = 0
    unknown = grid.unknown(codes, n_tiles)
    np.testing.assert_array_equal(
        unknown, missing_tiles(codes, stride, config.seq_len, n_tiles)
    )
    assert grid.tile_mask(unknown).tolist() == unknown.tolist()
    logits = np.ones((n_tiles, 2), dtype=np.float32)
    assert grid.mix(logits, unknown, {}) is logits


@pytest.mark.parametrize(
    ("stride", "core", "spread", "step"),
    [(90, 90, 1, 1), (45, 45, 2, 1), (100, 10, 9, 10), (37, 1, 90, 37)],
)
def test_the_deep_network_s_tiles(stride, core, spread, step):
    grid = tile_grid(ResidualConfig(), stride)
    assert (grid.base.stride, grid.spread, grid.step) == (core, spread, step)
    assert grid.flank == 360
    assert grid.n_codes(1) == 920
    assert grid.n_base(1) == 720 // core + 1


def test_segments_are_laid_where_tiles_may_begin(rng):
    stretches = [rng.integers(0, 5, n).astype(np.uint8) for n in (7, 0, 5, 11)]
    codes, firsts = join_segments(stretches, 5)
    assert len(codes) == 30
    for first, stretch in zip(firsts, stretches, strict=True):
        np.testing.assert_array_equal(codes[5 * first :][: len(stretch)], stretch)
    assert (codes[7:10] == 4).all()
    assert (codes[26:] == 4).all()
    assert join_segments([], 5)[1] == []
