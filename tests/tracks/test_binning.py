"""Bins hold the mean of their tiles, however the tiles come in blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.tracks.binning import mean_bins

STRIDE = 20


def _naive(origin, per_bin, tiles):
    """The reference implementation. `tiles`: {(chrom, index): value}, of several runs."""
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
        start = members[0] * STRIDE + origin
        end = (members[-1] + 1) * STRIDE + origin
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
def test_bins_are_those_of_the_reference(one, other, per_bin, at_once, seq_len):
    origin = (seq_len - STRIDE) // 2
    blocks, tiles = [], {}
    for chrom, stretches in (("chr1", one), ("chr2", other)):
        index = 0
        for gap, values in stretches:
            index += gap
            for first in range(0, len(values), at_once):
                some = np.array(values[first : first + at_once], dtype=np.float32)
                tiles_of = TileRange(chrom, index * STRIDE, len(some))
                blocks.append(tiles_of.signal(some, STRIDE, seq_len))
                for value in some:
                    tiles[chrom, index] = value
                    index += 1
    drawn = _flat(mean_bins(blocks, per_bin, origin))
    expected = _naive(origin, per_bin, tiles)
    assert [bin_[:3] for bin_ in drawn] == [bin_[:3] for bin_ in expected]
    values = [[bin_[3] for bin_ in some] for some in (drawn, expected)]
    np.testing.assert_allclose(*values, rtol=1e-6)


@pytest.mark.parametrize("per_bin", [2, 5, 64, 3000])
def test_no_bit_depends_on_the_blocks(rng, per_bin):
    values = rng.random(5000).astype(np.float32)
    values[rng.random(5000) < 0.2] = np.nan

    def drawn(at_once):
        cuts = range(0, len(values), at_once)
        blocks = [
            Signal("chr1", 20 + f * STRIDE, STRIDE, values[f : f + at_once])
            for f in cuts
        ]
        return [value for *_, value in _flat(mean_bins(blocks, per_bin, 20))]

    whole = drawn(5000)
    for at_once in (1, 37, 1024):
        np.testing.assert_array_equal(drawn(at_once), whole)
