"""The summary of tracks against NumPy, and scores that depend on nothing else."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tfimpute_tracks.kernels.bfloat16 import pack_halves
from tfimpute_tracks.kernels.coverage import Coverage
from tfimpute_tracks.kernels.own_tracks import exclude_own, own_tracks
from tfimpute_tracks.kernels.summary import (
    arrange_vectors,
    summarize,
    summary_log_odds,
)
from tfimpute_tracks.kernels.summary_grid import arrange_grid, grid_log_odds

_WINDOWS, _TRACKS, _SIZE = 3, 6, 160


def _draw(rng, n_tiles):
    """Tiles of which each has a peak in the widest window, and weights."""
    counts = rng.integers(1, _TRACKS, n_tiles)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    rows = [np.sort(rng.choice(_TRACKS, n, replace=False)) for n in counts]
    track = np.concatenate([*rows, np.zeros(0)]).astype(np.uint16)
    fraction = rng.random((len(track), _WINDOWS)).astype(np.float32)
    fraction[rng.random(len(track)) < 0.5, 0] = 0
    tracks = rng.normal(size=(_WINDOWS + 1, _TRACKS, _SIZE)).astype(np.float32)
    tracks[:-1] = torch.from_numpy(tracks[:-1]).bfloat16().float().numpy()
    constant = rng.normal(size=_SIZE).astype(np.float32)
    return Coverage(indptr, track, fraction), tracks, constant


def _sums(coverage, tracks, constant):
    sums = [constant.astype(float)]
    for tile in range(len(coverage.indptr) - 1):
        total = constant.astype(float)
        for i in range(coverage.indptr[tile], coverage.indptr[tile + 1]):
            for window in range(_WINDOWS):
                value = tracks[window, coverage.track[i]].astype(float)
                total = total + coverage.fraction[i, window] * value
        sums.append(total)
    return np.array(sums)


def _log_odds(sums, vectors):
    rows = np.maximum(sums, 0)
    centered = rows - rows.mean(axis=1, keepdims=True)
    normalized = centered / np.sqrt(rows.var(axis=1, keepdims=True) + 1e-5)
    return normalized @ vectors[:, :-1].T.astype(float) + vectors[:, -1]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 20), st.integers(1, 40), st.integers(0, 1000))
def test_log_odds_agree_with_numpy(n_tiles, n_pairs, seed):
    rng = np.random.default_rng(seed)
    coverage, tracks, constant = _draw(rng, n_tiles)
    vectors = rng.normal(size=(n_pairs, _SIZE + 1)).astype(np.float32)
    sums = summarize(coverage, pack_halves(tracks[:-1]), constant)
    expected = _sums(coverage, tracks, constant)
    np.testing.assert_allclose(sums, expected, atol=1e-5)
    found = summary_log_odds(sums, arrange_vectors(vectors))[: 1 + n_tiles, :n_pairs]
    np.testing.assert_allclose(found, _log_odds(expected, vectors), atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 20),
    st.integers(1, 11),
    st.integers(1, 70),
    st.integers(1, 6),
    st.integers(0, 1000),
)
def test_log_odds_of_a_grid_agree_with_numpy(n_tiles, n_tfs, n_cells, n_factors, seed):
    rng = np.random.default_rng(seed)
    coverage, tracks, constant = _draw(rng, n_tiles)
    factors = rng.normal(size=(n_tfs, n_factors)).astype(np.float32)
    vectors = rng.normal(size=(n_factors, n_cells, _SIZE + 1)).astype(np.float32)
    sums = summarize(coverage, pack_halves(tracks[:-1]), constant)
    found = grid_log_odds(sums, arrange_grid(factors, vectors))
    pairs = np.einsum("ti,icj->tcj", *(x.astype(float) for x in (factors, vectors)))
    expected = _log_odds(
        _sums(coverage, tracks, constant), pairs.reshape(-1, _SIZE + 1)
    )
    of_pairs = found[:, :n_tfs, :n_cells].reshape(1 + n_tiles, -1)
    np.testing.assert_allclose(of_pairs, expected, atol=3e-4)
    first = n_tiles // 3
    part = coverage.rows(slice(first, first + 5))
    some = grid_log_odds(
        summarize(part, pack_halves(tracks[:-1]), constant),
        arrange_grid(factors, vectors),
    )
    np.testing.assert_array_equal(some[1:], found[1 + first : len(some) + first])


def test_pairs_are_scored_without_their_own_tracks(rng):
    coverage, tracks, constant = _draw(rng, 30)
    vectors = rng.normal(size=(5, _SIZE + 1)).astype(np.float32)
    owner = np.array([-1, 3, 0, -1, 3, -1])  # two tracks are of pair 3
    sums = summarize(coverage, pack_halves(tracks[:-1]), constant)
    every = summary_log_odds(sums, arrange_vectors(vectors))[:31, :5]
    found = every.copy()
    own = own_tracks(tracks[-1], owner, vectors.__getitem__, np.arange(5))
    exclude_own(found, sums, coverage, pack_halves(tracks[:-1]), own)
    np.testing.assert_array_equal(found[:, [1, 2, 4]], every[:, [1, 2, 4]])
    for pair in (0, 3):
        its = np.flatnonzero(owner == pair)
        kept = coverage.of(~np.isin(np.arange(_TRACKS), its))
        without = _sums(kept, tracks, constant - tracks[-1, its].sum(axis=0))
        expected = _log_odds(without, vectors[pair : pair + 1])[:, 0]
        np.testing.assert_allclose(found[:, pair], expected, atol=1e-4)


@pytest.mark.parametrize("size", [32, 96, 128, 416])
def test_packed_tracks_are_rounded_to_bfloat16(rng, size):
    tracks = rng.normal(size=(1, 3, size)).astype(np.float32)
    tracks[0, 0, :4] = 0, 1 + 2**-8, 1 + 3 * 2**-8, -1 - 2**-8  # ties
    alone = Coverage(np.arange(4), np.arange(3), np.ones((3, 1), np.float32))
    sums = summarize(alone, pack_halves(tracks), np.zeros(size, np.float32))
    rounded = torch.from_numpy(tracks[0]).bfloat16().float().numpy()
    np.testing.assert_array_equal(sums[1:], rounded)


@pytest.mark.parametrize("n", [1, 7, 8, 9])
def test_a_result_does_not_depend_on_other_tiles_or_pairs(rng, n):
    coverage, tracks, constant = _draw(rng, 40)
    vectors = rng.normal(size=(50, _SIZE + 1)).astype(np.float32)
    every = summary_log_odds(
        summarize(coverage, pack_halves(tracks[:-1]), constant),
        arrange_vectors(vectors),
    )
    some = summary_log_odds(
        summarize(coverage.rows(slice(5, 5 + n)), pack_halves(tracks[:-1]), constant),
        arrange_vectors(vectors[20:23]),
    )
    np.testing.assert_array_equal(some[1 : 1 + n, :3], every[6 : 6 + n, 20:23])
    np.testing.assert_array_equal(some[0, :3], every[0, 20:23])
