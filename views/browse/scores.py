"""Scores of any pair at any place, computed when somebody looks.

Motif features of a block of tiles are found once, whichever pairs are looked at, and a
pair's scores of a block once for all the ways of drawing them. Both are kept in memory
up to a limit, those used last; features also in the tile cache that `scan` fills, for
the blocks are the same. A block that two requests want at the same time is computed
by one of them while the other waits.
"""

from __future__ import annotations

from collections.abc import Hashable, MutableMapping
from operator import attrgetter
from threading import Condition
from typing import NamedTuple, TypeVar

import numpy as np
from cachetools import LRUCache, cachedmethod
from numpy.typing import NDArray

from tfimpute_tracks.engines.cpu_engine import LookupEngine
from tfimpute_tracks.engines.feature_cache import FeatureCache
from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.engines.tile_grid import tile_grid
from tfimpute_tracks.engines.tiles import (
    TileRange,
    cut_blocks,
    plan_tiles,
    read_codes,
)
from tfimpute_tracks.engines.trunk import MotifTrunk
from tfimpute_tracks.genome import Region, Sequences
from tfimpute_tracks.kernels.sparse import SparseRows
from tfimpute_tracks.models.evidence import PairEvidence, open_pair_evidence
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage import digest_arrays
from tfimpute_tracks.tracks.rendering import TrackLayout
from tfimpute_tracks.tracks.scan import tiles_per_block
from tfimpute_tracks.tracks.signals import (
    calibration_line,
    logits_to_signal,
    mean_probability,
)
from tfimpute_tracks.vocabulary import Pair

__all__ = ["LiveScores"]

Floats = NDArray[np.float32]

_FEATURE_BYTES = 768 << 20  # of motif features in memory: some 140 Mb of sequence
_N_ENGINES = 256
_SCORE_BYTES = 256 << 20  # of scores: a pair over 6 Gb, or 100 pairs over 60 Mb


Value = TypeVar("Value")
Kept = MutableMapping[tuple[Hashable, ...], Value]


class _Block(NamedTuple):
    """Motif features of a block of tiles, and which core tiles are unknown."""

    features: SparseRows | None  # None where no tile has a value
    unknown: NDArray[np.bool_]


class _Judges(NamedTuple):
    """What scores some pairs, by letters and by tracks."""

    letters: LookupEngine
    evidence: PairEvidence | None


def _block_bytes(block: _Block) -> int:
    n_bytes = block.unknown.nbytes
    if block.features is not None:
        n_bytes += sum(array.nbytes for array in block.features)
    return n_bytes


def _key(_: object, *what: Hashable) -> tuple[Hashable, ...]:
    return what


class LiveScores:
    """A model over a genome, ready to score any pair anywhere.

    Parameters
    ----------
    model : Model
    genome : Sequences
    threads : int
        Blocks of tiles that a request works on at a time.
    cache : FeatureCache, optional
        Keeps motif features on disk as well.

    Raises
    ------
    InputFileError
        The model's evidence is of another genome.

    Attributes
    ----------
    model : Model
    genome : Sequences
    stride : int
        bp between tile starts: the model's own.
    layout : TrackLayout
        Where a tile's score is drawn.
    threads : int
    """

    def __init__(
        self,
        model: Model,
        genome: Sequences,
        threads: int = 1,
        cache: FeatureCache | None = None,
    ) -> None:
        model.check_genome(genome)
        config = model.config
        self.model, self.genome, self.stride = model, genome, config.stride
        self.threads, self._cache = threads, cache
        self._sizes = dict(genome.chrom_sizes)
        self.layout = TrackLayout(self.stride, config.seq_len, self._sizes)
        self._grid = tile_grid(config, self.stride)
        self._trunk = MotifTrunk(model, self._grid)
        self._blocks: Kept[_Block] = LRUCache(_FEATURE_BYTES, _block_bytes)
        self._scores: Kept[Floats] = LRUCache(_SCORE_BYTES, attrgetter("nbytes"))
        self._engines: Kept[_Judges] = LRUCache(_N_ENGINES)
        self._lock, self._blocks_lock = Condition(), Condition()
        self._engines_lock = Condition()

    def tiles(self, region: Region) -> list[TileRange]:
        """Give the tiles that are drawn in a region, in blocks.

        Parameters
        ----------
        region : Region

        Returns
        -------
        list of TileRange
            As `scan` cuts them, so only whole blocks need be kept.

        Raises
        ------
        RegionError
            No tile is drawn there.
        """
        ranges = plan_tiles(
            [region], self._sizes, self.model.config.seq_len, self.stride
        )
        return cut_blocks(ranges, self.stride, tiles_per_block("cpu"))

    def signal(self, pair: Pair, signal: str, region: Region) -> tuple[int, Floats]:
        """Give a pair's signal in a region, computing what is not known yet.

        Parameters
        ----------
        pair : Pair
        signal : str
            Of :data:`tfimpute_tracks.tracks.signals.SIGNALS`.
        region : Region

        Returns
        -------
        first : int
            Start of the first tile: 0-based, bp.
        values : float32 array, shape (n_tiles,)
            NaN where there is none.

        Raises
        ------
        RegionError
            No tile is drawn there.
        """
        parts = self.tiles(region)
        values = ordered_map(
            lambda part: self._of_part(pair, signal, part), parts, self.threads
        )
        return parts[0].first, np.concatenate(list(values))

    def compute(self, pair: Pair, signal: str, part: TileRange) -> None:
        """Compute a block of :meth:`tiles`, for later.

        Parameters
        ----------
        pair : Pair
        signal : str
        part : TileRange
        """
        self._of_part(pair, signal, part)

    def computed_fraction(self, pair: Pair, signal: str, region: Region) -> float:
        """Tell how much of a signal was computed.

        Parameters
        ----------
        pair, signal, region
            As :meth:`signal`.

        Returns
        -------
        float
            Share of the region's tiles, 0 to 1.

        Raises
        ------
        RegionError
            No tile is drawn there.
        """
        parts = self.tiles(region)
        known = [p.n_tiles for p in parts if self._is_known(pair, signal, p)]
        return sum(known) / sum(part.n_tiles for part in parts)

    def known_signal(
        self, pair: Pair, signal: str, region: Region
    ) -> tuple[int, Floats]:
        """Give what is known of a pair's signal, without computing anything.

        Parameters
        ----------
        pair, signal, region
            As :meth:`signal`.

        Returns
        -------
        first : int
        values : float32 array, shape (n_tiles,)
            NaN also where it was not computed yet.

        Raises
        ------
        RegionError
            No tile is drawn there.
        """
        parts = self.tiles(region)
        values = [
            self._of_part(pair, signal, part)
            if self._is_known(pair, signal, part)
            else np.full(part.n_tiles, np.nan, dtype=np.float32)
            for part in parts
        ]
        return parts[0].first, np.concatenate(values)

    def _of_part(self, pair: Pair, signal: str, part: TileRange) -> Floats:
        """Give the signal of tiles that lie in one block."""
        whole = self._whole(part)
        mean = self._tf_mean(pair.tf, whole) if signal == "specificity" else None
        line = calibration_line(self.model, pair) if signal == "calibrated" else None
        logits = self._pair_logits(pair, whole)
        values = logits_to_signal(signal, logits, mean, line)
        skip = (part.first - whole.first) // self.stride
        return values[skip : skip + part.n_tiles]

    def _whole(self, part: TileRange) -> TileRange:
        """Give the whole block that a part belongs to."""
        n = tiles_per_block("cpu")
        size, seq_len = self._sizes[part.chrom], self.model.config.seq_len
        first = part.first // (n * self.stride) * n * self.stride
        n_left = (size - seq_len - first) // self.stride + 1
        return TileRange(part.chrom, first, min(n, n_left))

    def _is_known(self, pair: Pair, signal: str, part: TileRange) -> bool:
        whole = self._whole(part)
        keys = [_key(self, pair, whole)]
        if signal == "specificity":
            keys.append(_key(self, pair.tf, whole))
        with self._lock:
            return all(key in self._scores for key in keys)

    @cachedmethod(attrgetter("_scores"), _key, condition=attrgetter("_lock"))
    def _pair_logits(self, pair: Pair, whole: TileRange) -> Floats:
        return self._judge((pair,), whole)[:, 0]

    @cachedmethod(attrgetter("_scores"), _key, condition=attrgetter("_lock"))
    def _tf_mean(self, tf: str, whole: TileRange) -> Floats:
        """Give the mean probability of a TF over all cell lines."""
        pairs = tuple(Pair(tf, cell) for cell in self.model.cells)
        return mean_probability(self._judge(pairs, whole))

    def _judge(self, pairs: tuple[Pair, ...], whole: TileRange) -> Floats:
        """Give log-odds, shape (n_tiles, n_pairs), NaN where there is none."""
        block = self._block(whole)
        if block.features is None:
            return np.full((whole.n_tiles, len(pairs)), np.nan, dtype=np.float32)
        engine, evidence = self._engine(pairs)
        logits = engine.judge(block.features, block.unknown)
        if evidence is not None:
            centers = whole.centers(self.stride, self.model.config.seq_len)
            logits = evidence.logits(logits, whole.chrom, centers)
        logits[self._grid.of_tiles(block.unknown)] = np.nan
        return logits

    @cachedmethod(attrgetter("_engines"), _key, condition=attrgetter("_engines_lock"))
    def _engine(self, pairs: tuple[Pair, ...]) -> _Judges:
        engine = LookupEngine(self.model, list(pairs), self._grid, trunk=self._trunk)
        return _Judges(engine, open_pair_evidence(self.model, pairs))

    @cachedmethod(attrgetter("_blocks"), _key, condition=attrgetter("_blocks_lock"))
    def _block(self, whole: TileRange) -> _Block:
        n_tiles = whole.n_tiles
        codes = read_codes(self.genome, whole, self._grid)
        unknown = self._grid.unknown(codes, n_tiles)
        if self._grid.of_tiles(unknown).all():
            return _Block(None, unknown)
        if self._cache is None:
            return _Block(self._trunk.features(codes, n_tiles), unknown)
        digest = digest_arrays(codes)
        features = self._cache.features(self._trunk, codes, n_tiles, digest)
        return _Block(features, unknown)
