"""Scores of any pair anywhere, computed when they are requested.

The motif features of a block of tiles are computed once for all pairs, and the scores of
a pair once for all signals. Both are kept in memory up to a limit, the most recently used
ones. Blocks are those of `scan`, so features also come from its tile cache. If two
requests need the same block, one computes it and the other waits.
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
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.impute.live_query import rank_region
from tfimpute_tracks.impute.query import Calls, Ranked
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage import digest_arrays
from tfimpute_tracks.tracks.record import RunRecord
from tfimpute_tracks.tracks.scan import tiles_per_block
from tfimpute_tracks.tracks.signals import logits_to_signal, mean_probability
from tfimpute_tracks.vocabulary import Pair

__all__ = ["MAX_BP", "LiveScores"]

Floats = NDArray[np.float32]
Value = TypeVar("Value")
Cache = MutableMapping[tuple[Hashable, ...], Value]

MAX_BP = 20_000_000
"""Sequence that one request may compute, about a second's work of two cores."""
_FEATURE_BYTES = 768 << 20  # motif features of about 140 Mb of sequence
_SCORE_BYTES = 256 << 20  # scores of a pair over 6 Gb, or of 100 pairs over 60 Mb
_MAX_SCORERS = 256


def _key(_: object, *arguments: Hashable) -> tuple[Hashable, ...]:
    return arguments


class LiveScores:
    """A model over a genome, ready to score any pair anywhere; safe for threads.

    Parameters
    ----------
    model : Model
    genome : Sequences
    threads : int
        Number of blocks that a request computes at a time.
    cache : FeatureCache, optional
        Keeps motif features on disk as well.
    max_bp : int
        Maximum length of a region that one request should compute.
    block_size : int, optional
        Tiles of a block; by default as in `scan`, which fills the same cache.
    assembly : str, optional
        Name of the genome's assembly; by default recognized by its chromosomes.

    Raises
    ------
    UsageError
        The assembly has another name.
    InputFileError
        The model's evidence is of another genome.

    Attributes
    ----------
    model : Model
    genome : Sequences
    stride : int
        bp between tile starts: the model's own.
    run : RunRecord
    threads, max_bp : int
    """

    def __init__(
        self,
        model: Model,
        genome: Sequences,
        threads: int = 1,
        cache: FeatureCache | None = None,
        *,
        max_bp: int = MAX_BP,
        block_size: int | None = None,
        assembly: str | None = None,
    ) -> None:
        model.check_genome(genome)
        config = model.config
        self.model, self.genome, self.stride = model, genome, config.stride
        self.threads, self.max_bp = threads, max_bp
        self._block_size = block_size or tiles_per_block("cpu")
        self._sizes = dict(genome.chrom_sizes)
        self.run = RunRecord.of_run(model, genome, self.stride, assembly=assembly)
        pairs = model.vocabulary.all_pairs()[:1]  # features do not depend on the pair
        self._scorer = Scorer(model, pairs, cache=cache)
        size = attrgetter("nbytes")
        self._features: Cache[TileFeatures] = LRUCache(_FEATURE_BYTES, size)
        self._scores: Cache[Floats] = LRUCache(_SCORE_BYTES, size)
        self._scorers: Cache[Scorer] = LRUCache(_MAX_SCORERS)
        self._features_lock, self._scores_lock = Condition(), Condition()
        self._scorers_lock = Condition()

    def tiles(self, region: Region) -> list[TileRange]:
        """List the tiles whose centers are in a region.

        Parameters
        ----------
        region : Region

        Returns
        -------
        list of TileRange
            Each lies in one block.

        Raises
        ------
        RegionError
            No tile is centered there.
        """
        ranges = plan_tiles(
            [region], self._sizes, self.model.config.seq_len, self.stride
        )
        return cut_blocks(ranges, self.stride, self._block_size)

    def signal(
        self, pair: Pair, signal: str, region: Region, compute: bool = True
    ) -> Signal:
        """Score a pair in a region.

        Parameters
        ----------
        pair : Pair
        signal : str
            Of :data:`tfimpute_tracks.tracks.signals.SIGNALS`.
        region : Region
        compute : bool
            False: use only what is in memory.

        Returns
        -------
        Signal
            A value per tile. NaN where there is no score, or it is not computed yet.

        Raises
        ------
        RegionError
            No tile is centered there.
        """

        def values(tiles: TileRange) -> Floats:
            if compute or self._is_computed(pair, signal, tiles):
                return self.compute(pair, signal, tiles)
            return np.full(tiles.n_tiles, np.nan, dtype=np.float32)

        ranges = self.tiles(region)
        parts = list(ordered_map(values, ranges, self.threads))
        return self.run.signal_of(ranges[0], np.concatenate(parts))

    def computed_fraction(self, pair: Pair, signal: str, region: Region) -> float:
        """Report how much of a signal is in memory.

        Parameters
        ----------
        pair, signal, region
            As :meth:`signal`.

        Returns
        -------
        float
            Fraction of the region's tiles.

        Raises
        ------
        RegionError
            No tile is centered there.
        """
        ranges = self.tiles(region)
        computed = [t.n_tiles for t in ranges if self._is_computed(pair, signal, t)]
        return sum(computed) / sum(tiles.n_tiles for tiles in ranges)

    def compute(self, pair: Pair, signal: str, tiles: TileRange) -> Floats:
        """Score a pair on tiles of one block.

        Parameters
        ----------
        pair : Pair
        signal : str
        tiles : TileRange
            From :meth:`tiles`.

        Returns
        -------
        float32 array, shape (n_tiles,)
            NaN where there is no score.
        """
        block = self._block(tiles)
        mean = self._tf_mean(pair.tf, block) if signal == "specificity" else None
        logits, calibration = (
            self._pair_logits(pair, block),
            self.model.calibration(pair),
        )
        values = logits_to_signal(signal, logits, mean, calibration)
        skip = (tiles.first - block.first) // self.stride
        return values[skip : skip + tiles.n_tiles]

    def rank(self, pairs: list[Pair], region: Region, calls: Calls) -> list[Ranked]:
        """Rank pairs by their best tile in a region, as `query` does.

        Parameters
        ----------
        pairs : list of Pair
        region : Region
        calls : mapping of Pair to str
            What was measured there.

        Returns
        -------
        list of Ranked
            The highest probability first.

        Raises
        ------
        UsageError, RegionError
            As :func:`tfimpute_tracks.impute.live_query.rank_region`.
        """
        scorer = self._scorer_of(tuple(pairs))
        return rank_region(scorer, self.genome, region, calls)

    def _block(self, tiles: TileRange) -> TileRange:
        """Find the whole block that tiles belong to."""
        n, stride = self._block_size, self.stride
        size, seq_len = self._sizes[tiles.chrom], self.model.config.seq_len
        first = tiles.first // (n * stride) * n * stride
        n_left = (size - seq_len - first) // stride + 1
        return TileRange(tiles.chrom, first, min(n, n_left))

    def _is_computed(self, pair: Pair, signal: str, tiles: TileRange) -> bool:
        block = self._block(tiles)
        keys = [_key(self, pair, block)]
        if signal == "specificity":
            keys.append(_key(self, pair.tf, block))
        with self._scores_lock:
            return all(key in self._scores for key in keys)

    @cachedmethod(attrgetter("_scores"), _key, condition=attrgetter("_scores_lock"))
    def _pair_logits(self, pair: Pair, block: TileRange) -> Floats:
        return self._logits((pair,), block)[:, 0]

    @cachedmethod(attrgetter("_scores"), _key, condition=attrgetter("_scores_lock"))
    def _tf_mean(self, tf: str, block: TileRange) -> Floats:
        """Compute the mean probability of a TF over all cell lines."""
        pairs = tuple(Pair(tf, cell) for cell in self.model.cells)
        return mean_probability(self._logits(pairs, block))

    def _logits(self, pairs: tuple[Pair, ...], block: TileRange) -> Floats:
        """Score a block, shape (n_tiles, n_pairs); NaN where there is no score."""
        return self._scorer_of(pairs).logits(self._features_of(block))

    @cachedmethod(attrgetter("_scorers"), _key, condition=attrgetter("_scorers_lock"))
    def _scorer_of(self, pairs: tuple[Pair, ...]) -> Scorer:
        return self._scorer.for_pairs(pairs)

    @cachedmethod(attrgetter("_features"), _key, condition=attrgetter("_features_lock"))
    def _features_of(self, block: TileRange) -> TileFeatures:
        codes = read_codes(self.genome, block, self._scorer.grid)
        return self._scorer.features(codes, block, digest_arrays(codes))
