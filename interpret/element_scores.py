"""Score elements: the best tile over each, by sequence only.

An element that is not longer than a tile has one tile, centered on it. A longer one has
tiles every few bp, from its first to its last base. Where tiles cannot be centered, they
are placed half a bp to the left and half a bp to the right, and the better score counts:
an element and its reverse complement score the same. The sequence around a short element is
that of the genome, or unknown: in a reporter assay it is that of the plasmid. Elements
with one tile are put into a common sequence, so that many are scored at once.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tile_grid import TileGrid
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.genome import Sequences, read_past_ends
from tfimpute_tracks.interpret.elements import Element
from tfimpute_tracks.kernels.encode import N_CODE
from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = ["STRIDE", "ElementScorer"]

STRIDE = 5
"""bp between tile starts in a long element."""
_SHORT_BATCH = 32  # elements with one tile that are scored at once
_LONG_BATCH = 128  # tiles of a long element that are scored at once

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class _Placed(NamedTuple):
    """An element, and how far its tiles are moved to the left, in bp."""

    element: Element
    shift: int


class ElementScorer:
    """A model set up to score elements for some pairs.

    It scores by sequence only: measured tracks are not of the sequence in a reporter.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    mask_flanks : bool
        Treat the sequence around an element as unknown.
    """

    def __init__(
        self, model: Model, pairs: list[Pair], mask_flanks: bool = False
    ) -> None:
        self._mask_flanks, self._n_pairs = mask_flanks, len(pairs)
        self._short, self._long = (
            Scorer(model, pairs, stride, use_evidence=False)
            for stride in (_separate_stride(model.config), STRIDE)
        )

    def n_tiles(self, element: Element) -> int:
        """Count the tiles over an element.

        Parameters
        ----------
        element : Element

        Returns
        -------
        int
        """
        rest = element.end - element.start - self._short.grid.seq_len
        return max(0, -(-rest // STRIDE)) + 1

    def _n_tiled(self, element: Element) -> int:
        """Compute the length of the sequence that the tiles cover, in bp."""
        return self._short.grid.seq_len + STRIDE * (self.n_tiles(element) - 1)

    def log_odds(
        self,
        sequences: Sequences,
        elements: list[Element],
        threads: int,
        advance: Callable[[int], None],
    ) -> Floats:
        """Score elements: for each pair the best tile, on the better strand.

        Parameters
        ----------
        sequences : Sequences
            With the bases of the elements.
        elements : list of Element
        threads : int
        advance : callable
            Called with the number of elements that have just been scored.

        Returns
        -------
        float32 array, shape (n_elements, n_pairs)
            NaN if more than half of every tile is unknown.
        """
        if not elements:
            return np.empty((0, self._n_pairs), dtype=np.float32)
        placed = [
            _Placed(element, shift)
            for element in elements
            for shift in range(1 + (self._n_tiled(element) - _length(element)) % 2)
        ]
        out = np.empty((len(placed), self._n_pairs), dtype=np.float32)
        is_long = np.array([self.n_tiles(element) > 1 for element, _ in placed])
        with ThreadPoolExecutor(threads) as pool:
            for indices, batch, score in (
                (np.flatnonzero(~is_long), _SHORT_BATCH, self._score_short),
                (np.flatnonzero(is_long), 1, self._score_long),
            ):
                parts = [indices[i : i + batch] for i in range(0, len(indices), batch)]
                found = pool.map(
                    partial(score, sequences),
                    [[placed[i] for i in part] for part in parts],
                )
                for part, values in zip(parts, found, strict=True):
                    out[part] = values
                    advance(sum(placed[i].shift == 0 for i in part))
        firsts = np.flatnonzero([shift == 0 for _, shift in placed])
        return np.fmax.reduceat(out, firsts, axis=0)

    def _score_short(self, sequences: Sequences, elements: list[_Placed]) -> Floats:
        """Score elements with one tile each."""
        grid, n = self._short.grid, len(elements)
        codes = np.full(grid.n_codes(n), N_CODE, dtype=np.uint8)
        for i, element in enumerate(elements):
            codes[grid.code_slice(i, 1)] = self._codes(grid, sequences, element)
        return self._short.score(codes, TileRange("", 0, n))

    def _score_long(self, sequences: Sequences, elements: list[_Placed]) -> Floats:
        """Score an element with several tiles."""
        (element,) = elements
        grid, n_tiles = self._long.grid, self.n_tiles(element.element)
        codes = self._codes(grid, sequences, element)
        best = np.full(self._n_pairs, np.nan, dtype=np.float32)
        for _, first, n in TileRange("", 0, n_tiles).parts(1, _LONG_BATCH):
            part = codes[grid.code_slice(first, n)]
            found = self._long.score(part, TileRange("", 0, n))
            best = np.fmax(best, np.fmax.reduce(found, axis=0))
        return best[None]

    def _codes(self, grid: TileGrid, sequences: Sequences, placed: _Placed) -> Codes:
        """Read an element, and the sequence around it that its tiles need."""
        element, shift = placed
        length, n_tiled = _length(element), self._n_tiled(element)
        before = (n_tiled - length) // 2 + shift + grid.flank
        first = element.start - before
        last = first + n_tiled + 2 * grid.flank
        codes = read_past_ends(sequences, element.chrom, first, last)
        if self._mask_flanks:
            codes[:before] = N_CODE
            codes[before + length :] = N_CODE
        return codes


def _length(element: Element) -> int:
    return element.end - element.start


def _separate_stride(config: NetworkConfig) -> int:
    """Compute a stride at which tiles, with their flanks, do not overlap."""
    # Base tiles are then as far apart as the neighbors that are mixed.
    step = config.stride if config.context_tiles else config.seq_len
    return -(-config.receptive_field // step) * step
