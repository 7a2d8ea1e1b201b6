"""Nearest names and the test of families, against what was put into embeddings."""

import numpy as np
import pytest

from tfimpute_tracks.interpret.embeddings import (
    cosines,
    family_enrichment,
    jaspar_classes,
    motif_families,
    nearest,
    project_2d,
)
from tfimpute_tracks.interpret.tf_families import NOT_DNA_BINDING, OTHER, family_of

TFS = ["CEBPB", "CEBPD", "ATF1", "ATF2", "FOS", "JUN", "ETS1", "ELK1", "ELK4", "ELF1"]


def test_nearest_are_those_of_the_largest_cosine(rng):
    rows = rng.normal(size=(6, 4))
    table = nearest(list("abcdef"), rows, 2)
    assert len(table) == 12
    for name, some in table.groupby("name"):
        own = "abcdef".index(name)
        dots = [
            rows[own] @ row / np.linalg.norm(rows[own]) / np.linalg.norm(row)
            for row in rows
        ]
        dots[own] = -np.inf
        best = np.argsort(dots)[::-1][:2]
        assert list(some["neighbor"]) == ["abcdef"[i] for i in best]
        np.testing.assert_allclose(some["cosine"], np.array(dots)[best])
    assert len(nearest(["a", "b"], rows[:2], 5)) == 2


def test_cosines_of_a_row_of_zeros_are_zero():
    found = cosines(np.array([[0.0, 0.0], [2.0, 0.0]]))
    np.testing.assert_allclose(found, [[0, 0], [0, 1]])


def test_families_that_stand_together_are_found(rng):
    assert {family_of(tf) for tf in TFS} == {"bZIP", "ETS"}
    where = np.array([family_of(tf) == "ETS" for tf in TFS])
    rows = np.where(where[:, None], 1.0, -1.0) + rng.normal(0, 0.1, (10, 3))
    found = family_enrichment(motif_families(TFS), rows, 3, 500, 0)
    assert found.fraction == 1
    assert found.expected == pytest.approx((6 * 5 / 9 + 4 * 3 / 9) / 10, abs=0.03)
    assert found.p < 0.05
    assert (found.n_tfs, found.n_neighbors) == (10, 3)
    scattered = family_enrichment(
        motif_families(TFS), rng.normal(size=(10, 3)), 3, 500, 0
    )
    assert scattered.p > 0.05


def test_what_binds_no_sequence_is_left_out(rng):
    others = ["EP300", "HDAC2", "RAD21", "nobody", "REST"]
    assert family_of("EP300") in NOT_DNA_BINDING
    assert family_of("nobody") == OTHER
    assert (
        family_enrichment(motif_families(others), rng.normal(size=(5, 3)), 3, 100, 0)
        is None
    )
    found = family_enrichment(
        motif_families([*TFS, *others]), rng.normal(size=(15, 3)), 3, 100, 0
    )
    assert found.n_tfs == 10


def test_classes_are_those_of_the_own_matrix():
    jaspar = pytest.importorskip(
        "tfimpute_tracks.interpret.jaspar", reason="extra `motifs` not installed"
    )
    found = jaspar_classes(["CEBPB", "FOS", "EP300", "CTCF"], jaspar.load_matrices())
    assert found[0] == found[1] == "Basic leucine zipper factors (bZIP)"
    assert found[2] is None
    assert "zinc finger" in found[3]


def test_alike_names_lie_near_each_other_on_the_plane(rng):
    centers = rng.normal(size=(3, 8))
    rows = np.repeat(centers, 7, axis=0) + rng.normal(0, 0.05, (21, 8))
    places = project_2d(rows, 0)
    assert places.shape == (21, 2)
    np.testing.assert_array_equal(places, project_2d(rows, 0))
    own = np.arange(21) // 7
    for i, place in enumerate(places):
        order = np.argsort(np.linalg.norm(places - place, axis=1))[1:4]
        assert (own[order] == own[i]).all()
    assert not project_2d(rows[:3], 0).any()
