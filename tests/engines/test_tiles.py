"""Blocks hold the planned tiles, and are cut where whole chromosomes are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.engines.tiles import TileRange, cut_blocks, tiles_to_ends
from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Region


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 400)), max_size=4),
    st.integers(1, 30),
    st.integers(1, 64),
)
def test_blocks_are_the_tiles_in_their_order(ranges, stride, at_once):
    ranges = [TileRange("c", first * stride, n) for first, n in ranges]
    blocks = cut_blocks(ranges, stride, at_once)

    def tiles(some):
        return [r.first + i * stride for r in some for i in range(r.n_tiles)]

    assert tiles(blocks) == tiles(ranges)
    assert all(1 <= block.n_tiles <= at_once for block in blocks)


def test_a_region_is_cut_where_its_chromosome_is():
    whole = cut_blocks([TileRange("c", 0, 100)], 10, 32)
    part = cut_blocks([TileRange("c", 200, 60)], 10, 32)
    assert [block.first for block in whole] == [0, 320, 640, 960]
    assert [(block.first, block.n_tiles) for block in part] == [
        (200, 12),
        (320, 32),
        (640, 16),
    ]


def test_tiles_off_the_grid_are_cut_from_their_beginning():
    assert [b.n_tiles for b in cut_blocks([TileRange("c", 7, 70)], 10, 32)] == [
        32,
        32,
        6,
    ]


def test_the_sequence_of_tiles():
    assert TileRange("c", 300, 3).span(100, 250) == (300, 750)


@given(
    size=st.integers(1, 700),
    stride=st.integers(1, 130),
    ends=st.tuples(st.integers(0, 699), st.integers(1, 700)),
)
def test_tiles_at_the_ends_of_a_chromosome_count(size, stride, ends):
    start, end = ends[0] % size, min(size, ends[0] % size + ends[1])
    region, seq_len = Region("chr1", start, end), 100
    if size < seq_len:
        with pytest.raises(RegionError, match=f"{size} bp; a tile has 100 bp"):
            tiles_to_ends(region, size, seq_len, stride)
        return
    found = tiles_to_ends(region, size, seq_len, stride)
    starts = [tiles.first + i * stride for tiles in found for i in range(tiles.n_tiles)]
    assert starts == sorted(set(starts))
    assert all(0 <= first <= size - seq_len for first in starts)
    if stride <= seq_len:  # every base is in a tile
        inside = (range(first, first + seq_len) for first in starts)
        assert set(range(start, end)) <= {at for tile in inside for at in tile}
        # None but those of the region.
        assert all(first < end and start < first + seq_len for first in starts)
    assert sum(first % stride != 0 for first in starts) <= 1
