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
from typing import TypeVar

import numpy as np
from cachetools import LRUCache, cachedmethod
from numpy.typing import NDArray

from tfimpute_tracks.engines.feature_cache import FeatureCache
from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.engines.scorer import Scorer, TileFeatures
from tfimpute_tracks.engines.tiles import (
    TileRange,
    cut_blocks,
    plan_tiles,
    read_codes,
)
from tfimpute_tracks.genome import Region, Sequences
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
_MAX_SCORERS = 256
_SCORE_BYTES = 256 << 20  # of scores: a pair over 6 Gb, or 100 pairs over 60 Mb


Value = TypeVar("Value")
Kept = MutableMapping[tuple[Hashable, ...], Value]


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
        self.threads = threads
        self._sizes = dict(genome.chrom_sizes)
        self.layout = TrackLayout(self.stride, config.seq_len, self._sizes)
        pairs = model.vocabulary.all_pairs()[:1]  # any: features do not know the pair
        self._scorer = Scorer(model, pairs, cache=cache)
        self._blocks: Kept[TileFeatures] = LRUCache(
            _FEATURE_BYTES, attrgetter("nbytes")
        )
        self._scores: Kept[Floats] = LRUCache(_SCORE_BYTES, attrgetter("nbytes"))
        self._scorers: Kept[Scorer] = LRUCache(_MAX_SCORERS)
        self._lock, self._blocks_lock = Condition(), Condition()
        self._scorers_lock = Condition()

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
        return self._logits((pair,), whole)[:, 0]

    @cachedmethod(attrgetter("_scores"), _key, condition=attrgetter("_lock"))
    def _tf_mean(self, tf: str, whole: TileRange) -> Floats:
        """Give the mean probability of a TF over all cell lines."""
        pairs = tuple(Pair(tf, cell) for cell in self.model.cells)
        return mean_probability(self._logits(pairs, whole))

    def _logits(self, pairs: tuple[Pair, ...], whole: TileRange) -> Floats:
        """Score a block, shape (n_tiles, n_pairs); NaN where there is no score."""
        return self._scorer_of(pairs).logits(self._block(whole))

    @cachedmethod(attrgetter("_scorers"), _key, condition=attrgetter("_scorers_lock"))
    def _scorer_of(self, pairs: tuple[Pair, ...]) -> Scorer:
        return self._scorer.for_pairs(pairs)

    @cachedmethod(attrgetter("_blocks"), _key, condition=attrgetter("_blocks_lock"))
    def _block(self, whole: TileRange) -> TileFeatures:
        codes = read_codes(self.genome, whole, self._scorer.grid)
        return self._scorer.features(codes, whole, digest_arrays(codes))
