"""What the summary of tracks learns from: masks, and sites with coverage."""

from dataclasses import replace

import numpy as np
import pytest

from evidence_toys import TRACKS, draw_store
from tfimpute_tracks.training.track_masks import TrackMasks
from tfimpute_tracks.training.track_sites import read_track_sites
from toys import make_dataset

_N_TFS = 6


@pytest.fixture
def tracks():
    """Cell line 0 has six TFs, cell line 1 two, the first pair a replicate; then open."""
    tf = np.array([0, 1, 2, 3, 4, 5, 0, 1, 0, _N_TFS, _N_TFS])
    cell = np.array([0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1])
    return tf, cell


def test_replicates_are_left_out_together(tracks, rng):
    masks = TrackMasks(*tracks, _N_TFS, rng)
    kept = masks.draw(2000)
    np.testing.assert_array_equal(kept[:, 0], kept[:, 8])
    assert 0.3 < kept[:, 0].mean() < 0.9
    for _ in range(200):
        shared = masks.draw_shared()
        assert shared[0] == shared[8]


def test_every_shared_mask_leaves_out_a_pair(tracks, rng):
    masks = TrackMasks(*tracks, _N_TFS, rng)
    for _ in range(500):
        assert not masks.draw_shared()[tracks[0] < _N_TFS].all()


def test_masks_imitate_poor_cell_lines_with_accessibility(tracks, rng):
    tf, cell = tracks
    kept = TrackMasks(tf, cell, _N_TFS, rng).draw(4000)
    peaks = kept[:, (cell == 0) & (tf < _N_TFS)].sum(axis=1)
    is_open = kept[:, 9]
    for n in range(3):
        assert ((peaks == n) & is_open).mean() > 0.02
    assert (~is_open).mean() > 0.1
    assert kept.all(axis=1).mean() < 0.2


def test_sites_are_those_of_the_data_set_and_near_peaks_elsewhere(tmp_path, rng):
    store = draw_store(tmp_path / "e.h5", rng)
    dataset = make_dataset(n_sites=300)
    rows = np.arange(dataset.n_sites)
    widths = (30, 90, 210)
    sites = read_track_sites(store, dataset, rows, widths, rng)
    assert len(sites) == sum(window.shape[0] for window in sites.windows) // 3
    # The data set has every chromosome of the store.
    on_chr1 = dataset.chrom_id == dataset.chroms.index("chr1")
    centers = dataset.start[on_chr1] + dataset.seq_len // 2
    inside = store.in_coverage("chr1", np.sort(centers) - 15, 30)
    assert len(sites) == inside.sum()
    expected = store.window_coverage("chr1", np.sort(centers)[inside], widths)
    for number, window in enumerate(sites.windows):
        assert window.sum() == pytest.approx(expected.fraction[:, number].sum())
    np.testing.assert_array_equal(sites.measured, [store.has_peaks("chr1")])
    assert len(TRACKS) == sites.measured.shape[1]


def test_sites_elsewhere_lie_within_reach_of_a_peak(tmp_path, rng):
    store = draw_store(tmp_path / "e.h5", rng)
    dataset = make_dataset(n_sites=300)
    away = np.flatnonzero(dataset.chrom_id != dataset.chroms.index("chr1"))
    names = tuple("chrU" if name == "chr1" else name for name in dataset.chroms)
    other = replace(dataset, chroms=names)
    sites = read_track_sites(store, other, away, (30, 90, 210), rng)
    assert 0 < len(sites) <= len(away)
    assert (np.diff(sites.windows[2].indptr) > 0).mean() > 0.5
