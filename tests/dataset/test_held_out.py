"""Pairs held out: as many as can be, every TF and cell line still trained on."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.dataset import PairsTable, read_pairs_table, split_pairs
from tfimpute_tracks.dataset.held_out import minimum_edge_cover
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.vocabulary import Pair


def make_table(pairs, replicates=None):
    n = len(pairs)
    return PairsTable(tuple(pairs), ("base",) * n, (Path("a.bed"),) * n, replicates)


def naive_cover_size(edges):
    """The size of the smallest set of edges that touches every end of one."""
    ends = {("tf", a) for a, _ in edges} | {("cell", b) for _, b in edges}
    for size in range(len(edges) + 1):
        for some in combinations(edges, size):
            if {("tf", a) for a, _ in some} | {("cell", b) for _, b in some} == ends:
                return size
    raise AssertionError


edges = st.sets(
    st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=10
)


@given(edges=edges, seed=st.integers(0, 99))
def test_the_cover_is_the_smallest_there_is(edges, seed):
    edges = sorted(edges)
    tf, cell = (
        np.unique(column, return_inverse=True)[1] for column in zip(*edges, strict=True)
    )
    chosen = minimum_edge_cover(tf, cell, seed)
    assert set(tf[chosen]) == set(tf)
    assert set(cell[chosen]) == set(cell)
    assert chosen.sum() == naive_cover_size(edges)
    np.testing.assert_array_equal(chosen, minimum_edge_cover(tf, cell, seed))


def test_seeds_choose_among_equals():
    tf, cell = (x.ravel() for x in np.indices((4, 4)))
    covers = {tuple(minimum_edge_cover(tf, cell, seed)) for seed in range(200)}
    # All 24 ways to give each TF a cell line of its own.
    assert len(covers) == 24


FULL = [Pair(f"TF{i}", f"cell{j}") for i in range(6) for j in range(5)]


def test_roles_are_those_of_the_paper():
    made = split_pairs(make_table(FULL), n_valid=4, seed=2)
    assert (made.n_required, made.n_available) == (6, 24)
    assert made.counts() == {"base": 6, "test3": 20, "valid2": 4}
    assert made.table.pairs == tuple(FULL)
    base = [p for p, role in zip(FULL, made.roles, strict=True) if role == "base"]
    assert {p.tf for p in base} == {p.tf for p in FULL}
    assert {p.cell for p in base} == {p.cell for p in FULL}
    assert split_pairs(make_table(FULL), n_valid=4, seed=2) == made
    assert split_pairs(make_table(FULL), n_valid=4, seed=3).roles != made.roles


@pytest.mark.parametrize("most", [4, 9, 24, 1000])
def test_no_more_are_held_out_than_asked_for(most):
    made = split_pairs(make_table(FULL), n_valid=4, max_held_out=most)
    assert made.counts()["valid2"] == 4
    assert made.counts()["base"] == 30 - min(most, 24)


def test_replicates_follow_their_pair():
    pairs = [*FULL, *FULL]
    made = split_pairs(make_table(pairs, ("",) * 30 + ("2",) * 30), n_valid=4)
    counts = made.counts()
    assert counts["test2"] == counts["base"] == 6
    assert len(made.dropped_replicates) == 24
    role_of = dict(zip(made.table.pairs[:30], made.roles[:30], strict=True))
    assert all(role_of[pair] == "base" for pair in made.table.pairs[30:])
    assert all(
        role_of[Pair(*name[:-2].split(":"))] != "base"
        for name in made.dropped_replicates
    )
    assert set(made.table.replicates[30:]) == {"2"}


def test_wishes_that_cannot_be_met_are_refused():
    chain = [Pair("A", "x"), Pair("A", "y"), Pair("B", "y")]
    with pytest.raises(UsageError, match=r"only 1 of 3 pairs .*--valid 1 or fewer"):
        split_pairs(make_table(chain), n_valid=2)
    assert split_pairs(make_table(chain), n_valid=1).counts() == {
        "base": 2,
        "valid2": 1,
    }
    for wrong in ({"n_valid": -1}, {"seed": -1}, {"n_valid": 3, "max_held_out": 2}):
        with pytest.raises(UsageError, match="validation pairs"):
            split_pairs(make_table(FULL), **wrong)


def test_the_real_table(shared_data):
    table = read_pairs_table(shared_data / "hg19" / "pairs.tsv", with_roles=False)
    made = split_pairs(table)
    assert made.counts() == {"base": 223, "test3": 281, "valid2": 20}
    base = [p for p, r in zip(made.table.pairs, made.roles, strict=True) if r == "base"]
    assert {p.tf for p in base} == set(table.vocabulary.tfs)
    assert {p.cell for p in base} == set(table.vocabulary.cells)
