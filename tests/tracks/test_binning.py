"""Bins hold the mean of their tiles, however the tiles come in blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.tracks.rendering import TrackLayout, TrackOptions, mean_bins

STRIDE = 20
SIZES = {"chr1": 10**6, "chr2": 10**6}


def _naive(layout, per_bin, tiles):
    """The slow twin. `tiles`: {(chrom, index): value}, of several stretches."""
    bins = {}
    for chrom, index in sorted(tiles):
        stretch = index
        while (chrom, stretch - 1) in tiles:
            stretch -= 1
        bins.setdefault((chrom, stretch, index // per_bin), []).append(index)
    drawn = []
    for (chrom, _, _), members in bins.items():
        values = [float(tiles[chrom, index]) for index in members]
        known = [value for value in values if not np.isnan(value)]
        mean = sum(known) / len(known) if known else float("nan")
        start = members[0] * layout.stride + layout.offset
        end = (members[-1] + 1) * layout.stride + layout.offset
        drawn.append((chrom, start, end, mean))
    return drawn


def _flat(pieces):
    return [
        (chrom, start + i * width, start + (i + 1) * width, value)
        for chrom, start, width, values in pieces
        for i, value in enumerate(values.tolist())
    ]


STRETCH = st.tuples(
    st.integers(0, 30),  # tiles left out before it
    st.lists(st.sampled_from([0.1, 0.25, -3.5, 1e-4, np.nan]), min_size=1, max_size=40),
)


@given(
    st.lists(STRETCH, max_size=4),
    st.lists(STRETCH, max_size=2),
    st.sampled_from([2, 3, 7, 16, 100]),
    st.sampled_from([1, 2, 5, 16384]),
    st.sampled_from([STRIDE, 60, 10]),
)
def test_bins_are_those_of_the_slow_twin(one, other, per_bin, at_once, seq_len):
    layout = TrackLayout(STRIDE, seq_len, SIZES)
    blocks, tiles = [], {}
    for chrom, stretches in (("chr1", one), ("chr2", other)):
        index = 0
        for gap, values in stretches:
            index += gap
            for first in range(0, len(values), at_once):
                some = np.array(values[first : first + at_once], dtype=np.float32)
                blocks.append((TileRange(chrom, index * STRIDE, len(some)), some))
                for value in some:
                    tiles[chrom, index] = value
                    index += 1
    drawn = _flat(mean_bins(layout, per_bin, blocks))
    expected = _naive(layout, per_bin, tiles)
    assert [bin_[:3] for bin_ in drawn] == [bin_[:3] for bin_ in expected]
    values = [[bin_[3] for bin_ in some] for some in (drawn, expected)]
    np.testing.assert_allclose(*values, rtol=1e-6)


@pytest.mark.parametrize("per_bin", [2, 5, 64, 3000])
def test_no_bit_depends_on_the_blocks(rng, per_bin):
    layout = TrackLayout(STRIDE, 60, SIZES)
    values = rng.random(5000).astype(np.float32)
    values[rng.random(5000) < 0.2] = np.nan

    def drawn(at_once):
        cuts = range(0, len(values), at_once)
        parts = [(first, values[first : first + at_once]) for first in cuts]
        blocks = [(TileRange("chr1", f * STRIDE, len(v)), v) for f, v in parts]
        return [value for *_, value in _flat(mean_bins(layout, per_bin, blocks))]

    whole = drawn(5000)
    for at_once in (1, 37, 1024):
        np.testing.assert_array_equal(drawn(at_once), whole)


@pytest.mark.parametrize(
    ("size", "said"), [(150, "100 or 200"), (60, "100 or 200"), (1999, "1900 or 2000")]
)
def test_a_bin_that_parts_a_tile_is_refused(size, said):
    with pytest.raises(UsageError, match=f"--bin-size {size}.*give {said}"):
        TrackOptions(bin_size=size).tiles_per_bin(100)


def test_without_a_bin_size_each_tile_is_a_bin():
    assert TrackOptions().tiles_per_bin(100) == 1
    assert TrackOptions(bin_size=100).about(100) == TrackOptions().about(100)
