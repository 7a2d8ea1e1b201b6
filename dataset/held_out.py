"""Which pairs can be held out while every TF and every cell line is still trained on.

The pairs are the edges of a bipartite graph of TFs and cell lines. The pairs that stay
must be an edge cover: together they touch every TF and cell line. The smallest edge
cover leaves the most pairs to hold out; its size is the number of TFs and cell lines
minus that of a largest matching (Gallai 1959). The paper holds out as many pairs as
this allows: 20 choose the model (ValidSet2), the others test it (TestSet3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset.leakage import Leaks, find_pair_leaks
from tfimpute_tracks.dataset.pairs_table import PairsTable
from tfimpute_tracks.errors import UsageError, check_packages
from tfimpute_tracks.storage.digest import digest_file

__all__ = ["VALID_PAIRS", "PairSplit", "minimum_edge_cover", "split_pairs"]

VALID_PAIRS = 20
"""Held-out pairs that choose the model, in the paper."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class PairSplit:
    """A pairs table with its roles assigned.

    Parameters
    ----------
    table : PairsTable
        In the order of the input table.
    n_required : int
        Pairs that must be trained on, whichever are chosen.
    n_available : int
        Pairs that could be held out at most.
    dropped_replicates : tuple of str
        Replicates of held-out pairs, which are no longer in the table.
    """

    table: PairsTable
    n_required: int
    n_available: int
    dropped_replicates: tuple[str, ...]

    @property
    def roles(self) -> tuple[str, ...]:
        """The role of each row."""
        return self.table.roles

    def counts(self) -> dict[str, int]:
        """Count the rows of each role.

        Returns
        -------
        dict of int
        """
        return {role: self.roles.count(role) for role in sorted(set(self.roles))}

    def leaks(self) -> Leaks:
        """Find what training and held-out pairs share; reads every peak file.

        Returns
        -------
        Leaks
            Of pairs, not of sites.
        """
        roles, beds = np.array(self.roles), self.table.beds
        return find_pair_leaks(
            self.table.pairs,
            [digest_file(bed) for bed in beds],
            np.flatnonzero(roles == "base"),
            np.flatnonzero(np.isin(roles, ("valid2", "test3"))),
        )


def minimum_edge_cover(tf: Ints, cell: Ints, seed: int) -> NDArray[np.bool_]:
    """Choose as few pairs as possible that touch every TF and every cell line.

    Parameters
    ----------
    tf, cell : int64 array, shape (n_pairs,)
        Index of each pair's TF and cell line, from 0 on, without gaps; no pair twice.
    seed : int
        Chooses among minimum covers, which are not all equally likely.

    Returns
    -------
    bool array, shape (n_pairs,)
    """
    check_packages("`split`", "scipy")
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    rng = np.random.default_rng(seed)
    # The matching depends on the order of the rows, so a seed shuffles them.
    new_tf, new_cell = (rng.permutation(int(x.max()) + 1) for x in (tf, cell))
    row, column = new_tf[tf], new_cell[cell]
    graph = csr_matrix((np.ones(len(tf)), (row, column)))
    matched = maximum_bipartite_matching(graph, perm_type="column")
    chosen: NDArray[np.bool_] = matched[row] == column
    for names in (tf, cell):
        touched = np.zeros(int(names.max()) + 1, dtype=np.bool_)
        touched[names[chosen]] = True
        order = rng.permutation(len(names))
        order = order[~touched[names[order]]]
        chosen[order[np.unique(names[order], return_index=True)[1]]] = True
    return chosen


def split_pairs(
    table: PairsTable,
    n_valid: int = VALID_PAIRS,
    max_held_out: int | None = None,
    seed: int = 0,
) -> PairSplit:
    """Assign the roles of the pairs of a table, as the paper does.

    Parameters
    ----------
    table : PairsTable
        Its roles are ignored.
    n_valid : int
        Held-out pairs of role `valid2`; all others held out are `test3`.
    max_held_out : int, optional
        Hold out no more pairs than this; by default as many as possible.
    seed : int
        Not negative.

    Returns
    -------
    PairSplit
        Replicates of base pairs have the role `test2`, those of held-out pairs are
        dropped.

    Raises
    ------
    UsageError
        Fewer pairs can be held out than are asked for to validate, or a value is out of
        range.
    """
    wrong = max_held_out is not None and max_held_out < n_valid
    if n_valid < 0 or seed < 0 or wrong:
        raise UsageError(
            f"{n_valid} validation pairs of at most {max_held_out} held out, seed "
            f"{seed}: use values of 0 or more, and no more validation than held-out "
            "pairs"
        )
    first = {pair: row for row, pair in reversed(list(enumerate(table.pairs)))}
    pairs = sorted(first, key=first.__getitem__)
    tf, cell = np.array(table.vocabulary.pair_indices(pairs), dtype=np.int64).T
    cover = minimum_edge_cover(tf, cell, seed)
    rng = np.random.default_rng((seed, 1))
    available = rng.permutation(np.flatnonzero(~cover))
    if len(available) < n_valid:
        raise UsageError(
            f"only {len(available)} of {len(pairs)} pairs can be held out, because "
            f"every TF and cell line must be trained on; use --valid {len(available)} "
            "or fewer"
        )
    held_out = available[:max_held_out]
    role_of = dict.fromkeys(pairs, "base")
    role_of |= {pairs[i]: "valid2" for i in held_out[:n_valid]}
    role_of |= {pairs[i]: "test3" for i in held_out[n_valid:]}
    rows: list[int] = []
    roles: list[str] = []
    dropped: list[str] = []
    for row, pair in enumerate(table.pairs):
        if row != first[pair] and role_of[pair] != "base":
            dropped.append(table.name(row))
            continue
        rows.append(row)
        roles.append(role_of[pair] if row == first[pair] else "test2")
    split = PairsTable(
        tuple(table.pairs[i] for i in rows),
        tuple(roles),
        tuple(table.beds[i] for i in rows),
        table.replicates and tuple(table.replicates[i] for i in rows),
    )
    return PairSplit(split, int(cover.sum()), len(available), tuple(dropped))
