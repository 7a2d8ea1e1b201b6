"""How likely TFs bind elements: the best tile over each, by sequence alone.

An element as long as a tile or shorter has one tile, centered on it. A longer one has
tiles every few bp, the first and the last of which cover its ends. What stands beside a
short element is the genome's, or unknown: in a reporter it is the plasmid's. Elements
of one tile are laid out in one row of letters, so that a row is scored at once.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

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

__all__ = ["STEP", "ElementScorer"]

STEP = 5
"""bp between the starts of tiles over a long element."""
_ROW = 32  # elements of one tile that are scored at once
_TILES = 128  # of a long element that are scored at once

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class ElementScorer:
    """A model set up to score elements for some pairs.

    Sequence alone counts: measured tracks are not of what stands in a reporter.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    alone : bool
        Take the letters beside an element for unknown.
    """

    def __init__(self, model: Model, pairs: list[Pair], alone: bool = False) -> None:
        self._alone, self._n_pairs = alone, len(pairs)
        self._row, self._long = (
            Scorer(model, pairs, stride, use_evidence=False)
            for stride in (_row_stride(model.config), STEP)
        )

    def n_tiles(self, element: Element) -> int:
        """Give the number of tiles over an element.

        Parameters
        ----------
        element : Element

        Returns
        -------
        int
        """
        rest = element.end - element.start - self._row.grid.seq_len
        return max(0, -(-rest // STEP)) + 1

    def log_odds(
        self,
        sequences: Sequences,
        elements: list[Element],
        threads: int,
        advance: Callable[[int], None],
    ) -> Floats:
        """Score elements: of each pair the best tile, the better strand.

        Parameters
        ----------
        sequences : Sequences
            Where their letters are.
        elements : list of Element
        threads : int
        advance : callable
            Told how many more elements are done.

        Returns
        -------
        float32 array, shape (n_elements, n_pairs)
            NaN where less than half of the letters of every tile are known.
        """
        out = np.empty((len(elements), self._n_pairs), dtype=np.float32)
        is_long = np.array([self.n_tiles(element) > 1 for element in elements])
        with ThreadPoolExecutor(threads) as pool:
            for places, at_once, score in (
                (np.flatnonzero(~is_long), _ROW, self._score_row),
                (np.flatnonzero(is_long), 1, self._score_long),
            ):
                parts = [
                    places[first : first + at_once]
                    for first in range(0, len(places), at_once)
                ]
                found = pool.map(
                    partial(score, sequences),
                    [[elements[i] for i in some] for some in parts],
                )
                for some, values in zip(parts, found, strict=True):
                    out[some] = values
                    advance(len(some))
        return out

    def _score_row(self, sequences: Sequences, elements: list[Element]) -> Floats:
        """Score elements of one tile each."""
        grid, n = self._row.grid, len(elements)
        row = np.full(grid.n_codes(n), N_CODE, dtype=np.uint8)
        for i, element in enumerate(elements):
            row[grid.code_slice(i, 1)] = self._codes(grid, sequences, element)
        return self._row.score(row, TileRange("", 0, n))

    def _score_long(self, sequences: Sequences, elements: list[Element]) -> Floats:
        """Score an element of several tiles."""
        (element,) = elements
        grid = self._long.grid
        codes = self._codes(grid, sequences, element)
        n_tiles = self.n_tiles(element)
        best = np.full(self._n_pairs, -np.inf, dtype=np.float32)
        for _, first, n in TileRange("", 0, n_tiles).parts(1, _TILES):
            some = codes[grid.code_slice(first, n)]
            found = self._long.score(some, TileRange("", 0, n))
            best = np.fmax(best, np.fmax.reduce(found, axis=0))
        best[np.isinf(best)] = np.nan
        return best[None]

    def _codes(self, grid: TileGrid, sequences: Sequences, element: Element) -> Codes:
        """Read an element with what its tiles need beside it."""
        length = element.end - element.start
        n_letters = grid.seq_len + STEP * (self.n_tiles(element) - 1)
        before = (n_letters - length) // 2 + grid.flank
        first = element.start - before
        last = first + n_letters + 2 * grid.flank
        codes = read_past_ends(sequences, element.chrom, first, last)
        if self._alone:
            codes[:before] = N_CODE
            codes[before + length :] = N_CODE
        return codes


def _row_stride(config: NetworkConfig) -> int:
    """Give a distance at which tiles, with what is around them, do not overlap."""
    # Core tiles then lie no closer than neighbors do.
    apart = config.stride if config.context_tiles else config.seq_len
    return -(-config.receptive_field // apart) * apart
