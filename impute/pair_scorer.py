"""What the heads of all pairs are given of a tile, and what they make of it.

A :class:`Judge` turns :class:`TileInputs` into log-odds. The letters of a tile are seen
through the motif filters; what else is known of a place, the measured tracks, is looked
up by ``inputs.tiles`` and changes what letters say.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.cpu_engine import LookupEngine
from tfimpute_tracks.engines.engine import Engine, open_engine
from tfimpute_tracks.engines.tile_grid import tile_grid
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.kernels.sparse import SparseRows
from tfimpute_tracks.models.evidence import PairEvidence, open_pair_evidence
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = ["Judge", "TileInputs"]

_ROOM = 1 << 26  # bytes of motif features: some 20 Mb of sequence


class TileInputs(NamedTuple):
    """What is known of neighboring tiles, the same for every pair.

    Attributes
    ----------
    tiles : TileRange
        Where they are.
    codes : uint8 array, shape (grid.n_letters(n_tiles),)
        Their letters, and those around them that scores depend on.
    """

    tiles: TileRange
    codes: NDArray[np.uint8]


class _Judges(NamedTuple):
    """What scores some pairs, by letters and by tracks."""

    letters: Engine
    evidence: PairEvidence | None


class Judge:
    """A model's judgement of tiles for blocks of pairs: filters once, then the heads.

    Parameters
    ----------
    model : Model
        Where it goes by measured tracks, so do the scores.
    pairs : list of Pair
        All pairs of a plan.
    stride : int
        bp between tile starts.
    device : str
        From :func:`tfimpute_tracks.engines.engine.pick_device`.
    fast : bool

    Attributes
    ----------
    grid : TileGrid
        How the tiles lie, and what their scores depend on.
    """

    def __init__(
        self,
        model: Model,
        pairs: list[Pair],
        stride: int,
        device: str = "cpu",
        fast: bool = False,
    ) -> None:
        self._model, self._pairs = model, pairs
        self._device, self._fast = device, fast
        self.grid = tile_grid(model.config, stride)
        self._judges: dict[tuple[int, int], _Judges] = {}
        self._lock = Lock()
        # Motif features of tiles serve the next block of pairs as well. Those used
        # last are kept, of a shard or two.
        self._features: OrderedDict[TileRange, SparseRows] = OrderedDict()

    def logits(
        self, inputs: TileInputs, first_pair: int, n_pairs: int
    ) -> NDArray[np.float32]:
        """Judge neighboring tiles.

        Parameters
        ----------
        inputs : TileInputs
        first_pair, n_pairs : int
            Of the plan's pairs.

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
        """
        letters, evidence = self._of_pairs(first_pair, n_pairs)
        logits = self._by_letters(letters, inputs, n_pairs)
        if evidence is None:
            return logits
        centers = inputs.tiles.centers(self.grid.stride, self.grid.seq_len)
        return evidence.logits(logits, inputs.tiles.chrom, centers)

    def _by_letters(
        self, engine: Engine, inputs: TileInputs, n_pairs: int
    ) -> NDArray[np.float32]:
        n_tiles = inputs.tiles.n_tiles
        if not isinstance(engine, LookupEngine) or n_pairs == len(self._pairs):
            return engine.logits(inputs.codes, n_tiles)
        unknown = self.grid.unknown(inputs.codes, n_tiles)
        return engine.judge(self._motifs(engine, inputs), unknown)

    def _motifs(self, engine: LookupEngine, inputs: TileInputs) -> SparseRows:
        """Find the motif features of tiles, once for all blocks of pairs."""
        with self._lock:
            found = self._features.pop(inputs.tiles, None)
        if found is None:
            found = engine.trunk.features(inputs.codes, inputs.tiles.n_tiles)
        with self._lock:
            self._features[inputs.tiles] = found
            while sum(rows.values.nbytes for rows in self._features.values()) > _ROOM:
                self._features.popitem(last=False)
        return found

    def _of_pairs(self, first: int, n: int) -> _Judges:
        with self._lock:
            if (first, n) not in self._judges:
                pairs = self._pairs[first : first + n]
                letters = open_engine(
                    self._model, pairs, self.grid, self._device, self._fast
                )
                evidence = open_pair_evidence(self._model, pairs)
                self._judges[first, n] = _Judges(letters, evidence)
            return self._judges[first, n]
