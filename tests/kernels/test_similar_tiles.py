"""Sums that go back to those of similar tiles, against sums over all features."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfimpute_tracks.kernels.leading_units import gate_panels
from tfimpute_tracks.kernels.products import lane_gates, shared_logits
from tfimpute_tracks.kernels.similar_tiles import SimilarTiles
from tfimpute_tracks.kernels.sparse import SparseRows


def _sparse(dense):
    row, column = np.nonzero(dense)
    offsets = np.searchsorted(row, np.arange(len(dense) + 1))
    return SparseRows(offsets, column.astype(np.int32), dense[row, column])


def _case(rng, rows, n_filters=20, n_units=8, n_windows=2, changed=0.1):
    """Make rows of tiles, and changed copies of some of them.

    `rows` has the number of tiles and of copies of each row.
    """
    n_columns = n_windows * n_filters

    def draw():
        values = rng.random((2, n_columns)).astype(np.float32)
        return values * (rng.random((2, n_columns)) < 0.3)

    tiles, similar = [], []
    for n_tiles, n_copies in rows:
        first = len(tiles)
        for i in range(n_tiles + n_copies):
            origin = len(tiles) - 1 if 0 < i < n_tiles else -1
            if i >= n_tiles:
                origin = first + (i - n_tiles) % n_tiles
            tile = draw()
            if origin >= 0:
                tile = np.where(rng.random(tile.shape) < changed, tile, tiles[origin])
            tiles.append(tile)
            similar.append(origin)
    windows = _sparse(np.array(tiles, np.float32).reshape(-1, n_columns))
    weights = rng.normal(size=(n_windows, n_units, n_filters)).astype(np.float32)
    bias = rng.normal(size=n_units).astype(np.float32)
    return windows, np.array(similar, np.int64), weights, bias


def _both(case, gates):
    windows, similar, weights, bias = case
    panels, n_pairs = gate_panels(gates).gates, len(gates)
    found = SimilarTiles(windows, weights, bias, similar).logits(panels)
    assert found.shape == (similar.size, len(panels) * 256)
    return (
        found[:, :n_pairs],
        shared_logits(windows, weights, bias, lane_gates(gates), n_pairs),
    )


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.lists(
        st.tuples(st.integers(1, 6), st.integers(0, 4)), min_size=1, max_size=3
    ),
    n_filters=st.integers(1, 20),
    n_units=st.integers(1, 19),
    n_pairs=st.integers(1, 300),
    changed=st.sampled_from([0.0, 0.1, 1.0]),
)
def test_sums_are_those_over_all_features(
    seed, rows, n_filters, n_units, n_pairs, changed
):
    rng = np.random.default_rng(seed)
    case = _case(rng, rows, n_filters, n_units, changed=changed)
    gates = rng.random((n_pairs, n_filters)).astype(np.float32)
    found, expected = _both(case, gates)
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_rounding_does_not_add_up_along_a_row(rng):
    case = _case(rng, [(1000, 0)], n_filters=60, changed=0.3)
    gates = rng.random((16, 60)).astype(np.float32)
    found, expected = _both(case, gates)
    error = np.abs(found - expected).max(axis=1)
    assert error[0] == error[64] == 0  # summed anew
    assert 0 < error[:64].max() < 2e-5
    assert error[-64:].max() < 2e-5


def test_copies_without_a_change_have_the_same_bits(rng):
    windows, similar, weights, bias = _case(rng, [(70, 70)], changed=0.3)
    dense = windows.dense(40)
    dense[140:] = dense[:140]
    gates = rng.random((300, 20)).astype(np.float32)
    found, _ = _both((_sparse(dense), similar, weights, bias), gates)
    np.testing.assert_array_equal(found[70:], found[:70])
    assert len(np.unique(found[:70], axis=0)) == 70


def test_bits_do_not_depend_on_other_rows(rng):
    windows, similar, weights, bias = _case(rng, [(9, 3), (80, 20), (1, 0)])
    gates = rng.random((300, 20)).astype(np.float32)
    whole, _ = _both((windows, similar, weights, bias), gates)
    for first, last in ((0, 12), (12, 112), (112, 113), (12, 113), (0, 9)):
        own = np.where(similar < 0, -1, similar - first)[first:last]
        some = windows.rows(2 * first, 2 * last)
        part, _ = _both((some, own, weights, bias), gates)
        np.testing.assert_array_equal(part, whole[first:last])


def test_pairs_can_be_taken_apart(rng):
    windows, similar, weights, bias = _case(rng, [(9, 3)])
    panels = gate_panels(rng.random((700, 20)).astype(np.float32)).gates
    tiles = SimilarTiles(windows, weights, bias, similar)
    parts = [tiles.logits(panels[i : i + 1]) for i in range(len(panels))]
    np.testing.assert_array_equal(np.hstack(parts), tiles.logits(panels))


@pytest.mark.parametrize(
    "similar", [[-1, 1, 1], [-1, 0, 5], [-1, 0, 2], [-1, 0, 0, 2]], ids=str
)
def test_a_copy_is_of_an_earlier_tile_of_a_row(rng, similar):
    windows, _, weights, bias = _case(rng, [(len(similar), 0)])
    with pytest.raises(ValueError, match="similar to an earlier one of a row"):
        SimilarTiles(windows, weights, bias, np.array(similar))
