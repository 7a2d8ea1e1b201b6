"""Log-odds of pairs from the summary of all tracks at a tile.

A few pairs are multiplied one by one, with :mod:`tfimpute_tracks.kernels.summary`; most of
all pairs of some TFs and cell lines at once, with
:mod:`tfimpute_tracks.kernels.summary_grid`. The choice depends on the pairs alone, so
scores do not depend on how a chromosome is cut.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.pair_groups import ROW, PairGroups
from tfimpute_tracks.kernels.summary import arrange_vectors, summary_log_odds
from tfimpute_tracks.kernels.summary_grid import arrange_grid, grid_log_odds
from tfimpute_tracks.models.evidence import Evidence

__all__ = ["PairSummary"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_MIN_PAIRS = 1  # per product of the grid


class PairSummary:
    """The summary set up for some pairs; safe for threads.

    Parameters
    ----------
    evidence : Evidence
    tf, cell : int64 array, shape (n_pairs,)
        Rows of the vocabulary.
    groups : PairGroups
        Of these pairs.

    Attributes
    ----------
    columns : int64 array, shape (n_pairs,)
        Of each pair among the log-odds of a tile; a pair that is there several times
        has one or several.
    first : int64 array, shape (n_groups,)
        As in :class:`tfimpute_tracks.kernels.attention.SummaryRows`.
    """

    def __init__(
        self, evidence: Evidence, tf: Ints, cell: Ints, groups: PairGroups
    ) -> None:
        self._evidence, self._tf, self._cell = evidence, tf, cell
        blocks, block_of = np.unique(cell // ROW, return_inverse=True)
        tfs, tf_of = np.unique(tf, return_inverse=True)
        width = evidence.weights.config.summary_embedding + 1
        self._vectors: Floats | None = None
        if len(tf) <= _MIN_PAIRS * width * len(blocks) * ROW:
            self._vectors = evidence.pair_vectors(tf, cell)
            self._arranged = arrange_vectors(self._vectors)
            self.columns = np.arange(len(tf))
            self.first = np.where(groups.whole, groups.first[:-1], -1)
            return
        lanes = (blocks[:, None] * ROW + np.arange(ROW)).ravel()
        lanes = np.minimum(lanes, len(evidence.weights.vocabulary.cells) - 1)
        factors, vectors = evidence.grid_vectors(tfs, lanes)
        self._grid = arrange_grid(factors.astype(np.float32), vectors)
        n_lanes = self._grid.n_blocks * ROW
        self.columns = tf_of * n_lanes + block_of * ROW + cell % ROW
        starts = groups.first[:-1]
        self.first = self.columns[starts] - cell[starts] % ROW

    def vectors(self, pairs: Ints) -> Floats:
        """Take the vectors that are multiplied with a tile's summary.

        Parameters
        ----------
        pairs : int64 array, shape (n,)
            Their indices.

        Returns
        -------
        float32 array, shape (n, summary + 1)
        """
        if self._vectors is None:
            return self._evidence.pair_vectors(self._tf[pairs], self._cell[pairs])
        found: Floats = self._vectors[pairs]
        return found

    def log_odds(self, sums: Floats) -> Floats:
        """Compute e of all pairs, as if none had a track of its own.

        Parameters
        ----------
        sums : float32 array, shape (n, summary)
            From :func:`tfimpute_tracks.kernels.summary.summarize`.

        Returns
        -------
        float32 array, shape (at least n, n_columns), contiguous
        """
        if self._vectors is not None:
            return summary_log_odds(sums, self._arranged)
        found = grid_log_odds(sums, self._grid)
        return found.reshape(len(found), -1)
