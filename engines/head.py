"""The head: from motif features to the log-odds of one pair or of all.

With few pairs, each pair's gates are folded into a last layer of its own. With many,
U[h, k] = sum_w W2[w, h, k] M[w, k] is formed once per tile and a pair adds g . U. The
density of the features decides which is cheaper. With very many, units that cannot be
the largest of similar pairs are left out, which gives the same bits. The choice depends
on the weights and the pairs alone, so scores do not depend on how a chromosome is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.lanes import LANE_BYTES
from tfimpute_tracks.kernels.products import (
    lane_gates,
    per_pair_layers,
    per_pair_logits,
    shared_logits,
    sigmoid,
)
from tfimpute_tracks.kernels.sparse import SparseRows
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

if TYPE_CHECKING:
    # Few commands have so many pairs; the others start sooner without.
    from tfimpute_tracks.kernels.leading_units import GatePanels

__all__ = ["GatedHead", "TileHead", "pair_gates"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_LANES = LANE_BYTES // 4
# Measured, in units of what `per_pair_logits` takes per entry and 16 units: forming U per
# entry and 8 units, and `shared_logits` per entry, 8 units and 16 pairs.
_MIX_COST = 17
_SHARE_COST = 3
_MAX_VALUES = 1 << 23  # in the largest intermediate array
# With fewer, what is prepared for `leading_logits` takes as long as it saves.
_MIN_LEADING_PAIRS = 1 << 12
_PANELS = 4  # whose scores of some hundred tiles stay in the second-level cache


def pair_gates(model: Model, pairs: list[Pair]) -> Floats:
    """Compute the gates of pairs: g = sigmoid([E_t ; E_c] W1 + b1).

    Parameters
    ----------
    model : Model
    pairs : list of Pair

    Returns
    -------
    float32 array, shape (n_pairs, K)
    """
    weights = model.checkpoint.weights
    tf, cell = np.array(model.vocabulary.pair_indices(pairs)).reshape(-1, 2).T
    both = np.concatenate(
        [weights["tf_embedding"][tf], weights["cell_embedding"][cell]], axis=1
    )
    return sigmoid(both @ weights["gate_weight"] + weights["gate_bias"])


class TileHead(Protocol):
    """The last layers of a network, for a fixed list of pairs."""

    def logits(self, windows: SparseRows) -> Floats:
        """Compute the log-odds of tiles, of the better strand.

        Parameters
        ----------
        windows : SparseRows
            From :func:`tfimpute_tracks.kernels.sparse.gather_windows`.

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
        """


class GatedHead:
    """The last layers of the gated network, for a fixed list of pairs.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    probe : callable
        Returns windows of typical tiles; called where the cheaper method depends on
        their density.
    """

    def __init__(
        self, model: Model, pairs: list[Pair], probe: Callable[[], SparseRows]
    ) -> None:
        gates = pair_gates(model, pairs)
        self._weights = model.checkpoint.weights["unit_weight"]  # (n_windows, H, K)
        self._bias = model.checkpoint.weights["unit_bias"]  # (H,)
        self._n_pairs = len(pairs)
        n_windows, n_units, n_filters = self._weights.shape
        self._layers: Floats | None = None
        self._panels: GatePanels | None = None
        n_numbers = len(pairs) * n_units * n_windows * n_filters
        if n_numbers <= 2 * _MAX_VALUES and self._folding_is_cheaper(probe):
            self._layers = per_pair_layers(gates, self._weights)
        elif len(pairs) >= _MIN_LEADING_PAIRS:
            from tfimpute_tracks.kernels.leading_units import gate_panels

            self._panels = gate_panels(gates)
        else:
            self._gates = lane_gates(gates)

    @property
    def has_many_pairs(self) -> bool:
        """Whether :meth:`parts` can be called: similar tiles save time."""
        return self._panels is not None

    def logits(self, windows: SparseRows) -> Floats:
        """Compute the log-odds of tiles, of the better strand.

        Parameters
        ----------
        windows : SparseRows
            From :func:`tfimpute_tracks.kernels.sparse.gather_windows`.

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
        """
        if self._layers is not None:
            bias = np.tile(self._bias, (self._n_pairs, 1))
            return per_pair_logits(windows, self._layers, bias)
        n_tiles = (windows.offsets.size - 1) // 2
        parts = []
        first = 0
        while first < n_tiles:
            last = self._tiles_that_fit(windows.offsets, first)
            some = windows.rows(2 * first, 2 * last)
            parts.append(self._share(some))
            first = last
        # Millions of scores: not copied where they are in one array already.
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def parts(
        self, windows: SparseRows, similar: Ints
    ) -> Iterator[tuple[slice, Floats]]:
        """Compute the log-odds of tiles of which most are alike, some pairs at a time.

        Only where :attr:`has_many_pairs`.

        Parameters
        ----------
        windows : SparseRows
            As for :meth:`logits`.
        similar : int64 array, shape (n_tiles,)
            As for :class:`tfimpute_tracks.kernels.similar_tiles.SimilarTiles`.

        Yields
        ------
        pairs : slice
        logits : float32 array, shape (n_tiles, n_pairs of the slice)
            Within rounding the same.
        """
        from tfimpute_tracks.kernels.leading_units import PANEL_PAIRS
        from tfimpute_tracks.kernels.similar_tiles import SimilarTiles

        assert self._panels is not None
        tiles = SimilarTiles(windows, self._weights, self._bias, similar)
        gates = self._panels.gates
        for first in range(0, len(gates), _PANELS):
            logits = tiles.logits(gates[first : first + _PANELS])
            begin = first * PANEL_PAIRS
            pairs = slice(begin, min(begin + logits.shape[1], self._n_pairs))
            yield pairs, logits[:, : pairs.stop - pairs.start]

    def _share(self, windows: SparseRows) -> Floats:
        if self._panels is not None:
            from tfimpute_tracks.kernels.leading_units import leading_logits

            return leading_logits(
                windows, self._weights, self._bias, self._panels, self._n_pairs
            )
        return shared_logits(
            windows, self._weights, self._bias, self._gates, self._n_pairs
        )

    def _folding_is_cheaper(self, probe: Callable[[], SparseRows]) -> bool:
        _, n_units, n_filters = self._weights.shape
        eights = -(-n_units // 8)
        fold = -(-self._n_pairs * n_units // _LANES)
        if fold <= _MIX_COST * eights:
            return True
        windows = probe()
        n_entries = windows.columns.size
        rows = windows.entry_rows
        n_mixed = np.unique(rows * n_filters + windows.columns % n_filters).size
        share = _MIX_COST * n_entries * eights
        share += _SHARE_COST * n_mixed * eights * -(-self._n_pairs // _LANES)
        return bool(fold * n_entries <= share)

    def _tiles_that_fit(self, offsets: Ints, first: int) -> int:
        """Return the end of the tiles whose U fits into one array."""
        n_units = self._weights.shape[1]
        most = offsets[2 * first] + max(1, _MAX_VALUES // n_units)
        last = int(np.searchsorted(offsets, most, side="right") - 1) // 2
        return max(first + 1, last)
