"""Names that are as good as new in a training step."""

import numpy as np
import torch

from tfimpute_tracks.models.evidence_network import EvidenceNetwork
from tfimpute_tracks.models.evidence_weights import EvidenceConfig
from tfimpute_tracks.models.extension import EVIDENCE_EMBEDDINGS
from tfimpute_tracks.training.new_names import NewNamesStep

N_TFS, N_CELLS = 40, 30


def _tracks(rng):
    """Rows of tracks, the last of accessibility."""
    tf = np.append(rng.integers(0, N_TFS, 300), np.full(20, N_TFS))
    return tf, rng.integers(0, N_CELLS, 320)


def test_new_names_keep_two_tracks_at_most_and_others_all(rng):
    tf, cell = _tracks(rng)
    new = NewNamesStep.draw(N_TFS, N_CELLS, rng)
    is_new_tf, is_new_cell = new.tfs < 1, new.cells < 1
    assert 0 < is_new_tf.sum() < N_TFS
    assert 0 < is_new_cell.sum() < N_CELLS
    before = rng.random(320) < 0.9
    kept = new.leave_few(before, tf, cell, rng)
    assert not (kept & ~before).any()
    peaks = kept & (tf < N_TFS)
    for name in np.flatnonzero(is_new_tf):
        assert (peaks & (tf == name)).sum() <= 2
    for name in np.flatnonzero(is_new_cell):
        assert (peaks & (cell == name)).sum() <= 2
    others = ~is_new_cell[cell] & ~np.append(is_new_tf, False)[tf]
    np.testing.assert_array_equal(kept[others], before[others])
    is_open = tf == N_TFS
    np.testing.assert_array_equal(kept[is_open], before[is_open])


def test_most_predicted_pairs_are_of_new_names(rng):
    tf, cell = rng.integers(0, N_TFS, 500), rng.integers(0, N_CELLS, 500)
    new = NewNamesStep.draw(N_TFS, N_CELLS, rng)
    is_new = (new.tfs[tf] < 1) | (new.cells[cell] < 1)
    chosen = new.choose(np.arange(500), tf, cell, 60, rng)
    assert len(set(chosen.tolist())) == len(chosen) == 60
    assert is_new[chosen].sum() == 40
    few = new.choose(np.arange(30), tf, cell, 60, rng)
    assert set(few.tolist()) <= set(range(30))


def test_embeddings_move_towards_the_mean_and_gradients_return(rng):
    network = EvidenceNetwork(EvidenceConfig(), N_TFS, N_CELLS)
    tfs = np.ones(N_TFS, np.float32)
    tfs[3], tfs[7] = 0, 0.25
    new = NewNamesStep(tfs, np.ones(N_CELLS, np.float32))
    found = new.embeddings(network)
    own = dict(network.named_parameters())
    for name in EVIDENCE_EMBEDDINGS["tf"]:
        known = own[name][:N_TFS]
        mean = known.mean(0)
        torch.testing.assert_close(found[name][3], mean)
        torch.testing.assert_close(found[name][7], mean + (known[7] - mean) / 4)
        torch.testing.assert_close(found[name][8:], own[name][8:])
    torch.testing.assert_close(found["cell_embedding"], own["cell_embedding"])
    found["tf_embedding"][8].sum().backward()
    gradient = network.tf_embedding.grad
    assert gradient[8].sum() > gradient[3].sum()
