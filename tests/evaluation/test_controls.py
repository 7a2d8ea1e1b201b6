"""Permutations: no pair keeps its own name, and the labels stay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.evaluation.controls import (
    derangement,
    permuted_aurocs,
    permuted_indices,
)
from tfimpute_tracks.evaluation.metrics import pair_aurocs


@given(st.integers(2, 40), st.integers(0, 1000))
def test_a_derangement_moves_every_name(n, seed):
    order = derangement(n, np.random.default_rng(seed))
    assert sorted(order.tolist()) == list(range(n))
    assert (order != np.arange(n)).all()


def test_every_derangement_is_as_likely():
    rng = np.random.default_rng(0)
    found = [tuple(derangement(4, rng).tolist()) for _ in range(4500)]
    counts = [found.count(order) for order in set(found)]
    assert len(counts) == 9
    assert min(counts) > 400


@pytest.mark.parametrize("n", [0, 1])
def test_a_single_name_cannot_be_permuted(n):
    with pytest.raises(UsageError, match="two or more"):
        derangement(n, np.random.default_rng(0))


@pytest.mark.parametrize(("kind", "side"), [("tf", 0), ("cell", 1)])
def test_one_name_changes_and_the_other_stays(kind, side):
    indices = [(i % 6, i % 5) for i in range(30)]
    names = permuted_indices(indices, kind, (6, 5)[side], 4, 7)
    own = np.array(indices)
    assert (names[:, :, side] != own[:, side]).all()
    assert (names[:, :, 1 - side] == own[:, 1 - side]).all()
    for draw in names:
        # Pairs of one TF get the same other TF, and no two TFs the same.
        changed = dict(zip(own[:, side], draw[:, side], strict=True))
        assert all(
            changed[a] == b for a, b in zip(own[:, side], draw[:, side], strict=True)
        )
        assert len(set(changed.values())) == len(changed)
    assert len({draw.tobytes() for draw in names}) > 1
    assert (names == permuted_indices(indices, kind, (6, 5)[side], 4, 7)).all()


def test_pairs_are_scored_against_their_own_labels(rng):
    table = rng.normal(size=(80, 4, 5)).astype(np.float32)
    labels = rng.integers(-1, 2, (80, 6)).astype(np.int8)
    requested = []

    def score(pairs):
        requested.extend(pairs)
        return np.stack([table[:, tf, cell] for tf, cell in pairs], axis=1)

    names = permuted_indices([(i % 4, i % 5) for i in range(6)], "tf", 4, 3, 0)
    found = permuted_aurocs(score, labels, names, batch_size=3)
    for draw in range(3):
        scores = np.stack([table[:, tf, cell] for tf, cell in names[draw]], axis=1)
        np.testing.assert_array_equal(found[draw], pair_aurocs(scores, labels))
    assert len(requested) == len(set(requested))
