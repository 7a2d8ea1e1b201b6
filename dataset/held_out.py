"""Which pairs can be held out, so that every TF and cell line is still trained on.

The pairs are the edges of a graph between TFs and cell lines. What must stay is an edge
cover, a set of pairs that touches every TF and every cell line, and the smallest one
leaves most to be held out: TFs and cell lines together, less the pairs of a largest
matching (Gallai 1959). The paper holds out as many pairs as it can so: 20 of them
choose the model (ValidSet2), the others judge it (TestSet3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from tfimpute_tracks.dataset.pairs_table import PairsTable
from tfimpute_tracks.errors import UsageError

__all__ = ["VALID_PAIRS", "PairSplit", "minimum_edge_cover", "split_pairs"]

VALID_PAIRS = 20
"""Held-out pairs that choose the model, in the paper."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class PairSplit:
    """A table with its roles given, and how they came about.

    Parameters
    ----------
    table : PairsTable
        In the order of the one that was split.
    n_needed : int
        Pairs that must stay in base, however they are chosen.
    n_spared : int
        Pairs that could be held out at most.
    left_out : tuple of str
        Replicates of held-out pairs, which are no longer in the table.
    """

    table: PairsTable
    n_required: int
    n_available: int
    left_out: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """Count the rows of each role.

        Returns
        -------
        dict of int
        """
        return {role: self.table.roles.count(role) for role in sorted(set(self.roles))}

    @property
    def roles(self) -> tuple[str, ...]:
        """The role of each row."""
        return self.table.roles


def minimum_edge_cover(tf: Ints, cell: Ints, seed: int) -> NDArray[np.bool_]:
    """Choose as few pairs as touch every TF and every cell line.

    Parameters
    ----------
    tf, cell : int64 array, shape (n_pairs,)
        Number of each pair's TF and cell line, from 0 on, without gaps; no pair twice.
    seed : int
        Chooses among covers of the least size, not all equally likely.

    Returns
    -------
    bool array, shape (n_pairs,)
    """
    rng = np.random.default_rng(seed)
    # The matching takes the first that fits, so names are dealt anew for each seed.
    new_tf, new_cell = (rng.permutation(int(x.max()) + 1) for x in (tf, cell))
    row, column = new_tf[tf], new_cell[cell]
    graph = csr_matrix((np.ones(len(tf)), (row, column)))
    partner = maximum_bipartite_matching(graph, perm_type="column")
    chosen: NDArray[np.bool_] = partner[row] == column
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
    most: int | None = None,
    seed: int = 0,
) -> PairSplit:
    """Give the pairs of a table their roles, as the paper does.

    Parameters
    ----------
    table : PairsTable
        Its roles do not count.
    n_valid : int
        Held-out pairs of role `valid2`; all others held out are `test3`.
    most : int, optional
        Hold out no more pairs than this; by default as many as can be.
    seed : int
        Not negative.

    Returns
    -------
    PairSplit
        Replicates of base pairs have the role `test2`, those of held-out pairs are
        left out.

    Raises
    ------
    UsageError
        Fewer pairs can be held out than are to validate, or a value makes no sense.
    """
    if n_valid < 0 or seed < 0 or (most is not None and most < n_valid):
        raise UsageError(
            f"{n_valid} pairs to validate of at most {most} held out, seed {seed}: "
            f"give 0 or more, and no more to validate than are held out"
        )
    first = {pair: row for row, pair in reversed(list(enumerate(table.pairs)))}
    pairs = sorted(first, key=first.__getitem__)
    tf, cell = np.array(table.vocabulary.pair_indices(pairs), dtype=np.int64).T
    cover = minimum_edge_cover(tf, cell, seed)
    rng = np.random.default_rng((seed, 1))
    spared = rng.permutation(np.flatnonzero(~cover))
    if len(spared) < n_valid:
        raise UsageError(
            f"only {len(spared)} of {len(pairs)} pairs can be held out, because every "
            f"TF and cell line must be trained on; give --valid {len(spared)} or fewer"
        )
    held_out = spared[:most]
    role_of = dict.fromkeys(pairs, "base")
    role_of |= {pairs[i]: "valid2" for i in held_out[:n_valid]}
    role_of |= {pairs[i]: "test3" for i in held_out[n_valid:]}
    kept: list[int] = []
    roles: list[str] = []
    left_out: list[str] = []
    for row, pair in enumerate(table.pairs):
        if row == first[pair]:
            roles.append(role_of[pair])
        elif role_of[pair] == "base":
            roles.append("test2")
        else:
            left_out.append(table.name(row))
            continue
        kept.append(row)
    given = PairsTable(
        tuple(table.pairs[i] for i in kept),
        tuple(roles),
        tuple(table.beds[i] for i in kept),
        table.replicates and tuple(table.replicates[i] for i in kept),
    )
    return PairSplit(given, int(cover.sum()), len(spared), tuple(left_out))
