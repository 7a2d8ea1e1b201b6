"""The one place that turns sequence, and evidence, into log-odds of binding.

A :class:`Scorer` is a model set up for some pairs at one stride. It owns everything that
a score depends on: the flank around the tiles, tiles of unknown sequence, the mixing of
neighboring tiles, evidence, and calibration. What becomes of log-odds (probabilities,
signals, peaks, files) is the business of its callers.

:meth:`Scorer.score` scores a run of neighboring tiles. Callers that need the same
sequence again keep :meth:`Scorer.features`, which do not depend on the pair, and score
them with a scorer from :meth:`Scorer.for_pairs`. Callers that change a few bases score
the tiles that change with :attr:`Scorer.segments`, and combine old and new ones with
:meth:`Scorer.mix`. :meth:`Scorer.score_sites` scores sites that lie on no common grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.calibrator import Calibrator
from tfimpute_tracks.engines.cpu_engine import LookupEngine
from tfimpute_tracks.engines.engine import Engine, open_engine
from tfimpute_tracks.engines.evidence import ConditionedPairs
from tfimpute_tracks.engines.feature_cache import FeatureCache
from tfimpute_tracks.engines.packs import TilePack, group_rows
from tfimpute_tracks.engines.segments import SegmentEngine, open_segment_engine
from tfimpute_tracks.engines.sites import ChromSites, site_logits
from tfimpute_tracks.engines.tile_grid import tile_grid
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.engines.trunk import MotifTrunk
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.kernels.sparse import SparseRows
from tfimpute_tracks.models.calibration import UNCALIBRATED
from tfimpute_tracks.models.model import Model

__all__ = ["Scorer", "TileFeatures"]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


class TileFeatures(NamedTuple):
    """What the scores of neighboring tiles depend on, the same for every pair.

    Attributes
    ----------
    tiles : TileRange or TilePack
    unknown : bool array, shape (n_base_tiles,)
        Base tiles of which more than half is unknown.
    values : SparseRows, uint8 array or None
        Motif features on a CPU, codes for a GPU; None where no tile has a score.
    """

    tiles: TileRange | TilePack
    unknown: Mask
    values: SparseRows | Codes | None

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        arrays = self.values if isinstance(self.values, SparseRows) else (self.values,)
        return self.unknown.nbytes + sum(a.nbytes for a in arrays if a is not None)


class Scorer:
    """A model set up to score tiles for some pairs; safe for threads.

    Parameters
    ----------
    model : Model
        Evidence, where it has any, conditions the scores.
    pairs : iterable of "TF:CELL" or (tf, cell)
    stride : int, optional
        bp between tile starts; by default the model's own.
    device : str
        From :func:`tfimpute_tracks.engines.engine.pick_device`.
    fast : bool
        Trade the last digits of a score for speed, as
        :func:`~tfimpute_tracks.engines.engine.open_engine` says.
    cache : FeatureCache, optional
        Keeps motif features on disk for the next run; CPU only.
    use_evidence : bool
        False scores by sequence alone.
    calibrated : bool
        Log-odds are those of the probability of being bound; False: of the score, as the
        network computes it. Training and evaluation calibrate scores themselves.
    trunk : MotifTrunk, optional
        Of another scorer of the same model, stride and precision.

    Attributes
    ----------
    model : Model
    pairs : list of Pair
    stride : int
    device : str
    grid : TileGrid
    max_logits : int
        That a thread holds in memory at a time.

    Raises
    ------
    UnknownNameError
        A TF or cell line is unknown.
    UsageError
        No pair, or a stride below 1.
    """

    max_logits: int = 1 << 22

    def __init__(
        self,
        model: Model,
        pairs: Iterable[str | tuple[str, str]],
        stride: int | None = None,
        device: str = "cpu",
        fast: bool = False,
        cache: FeatureCache | None = None,
        *,
        use_evidence: bool = True,
        calibrated: bool = True,
        trunk: MotifTrunk | None = None,
    ) -> None:
        self.model = model if use_evidence else model.sequence_only
        self.device = device
        self.pairs = [model.vocabulary.pair(pair) for pair in pairs]
        self.stride = model.config.stride if stride is None else stride
        if self.stride < 1:
            raise UsageError(f"stride {stride} bp is too short; use 1 or more")
        if not self.pairs:
            raise UsageError("no pair to score; use --tf and --cell, or --pairs")
        self.grid = tile_grid(model.config, self.stride)
        self._fast, self._cache, self._calibrated = fast, cache, calibrated
        self._calibrator = Calibrator(
            self.model.calibration(pair) if calibrated else UNCALIBRATED
            for pair in self.pairs
        )
        self._evidence: ConditionedPairs | None = None
        self._trunk = trunk
        if device == "cpu" and trunk is None:
            self._trunk = MotifTrunk(model, self.grid.base, fast)
        self._engine: Engine | None = None
        self._segments: SegmentEngine | None = None
        self._opening = Lock()

    def for_pairs(self, pairs: Iterable[str | tuple[str, str]]) -> Scorer:
        """Set the model up for other pairs.

        Parameters
        ----------
        pairs : iterable of "TF:CELL" or (tf, cell)

        Returns
        -------
        Scorer
            It scores the features of this one, and shares its motif tables.

        Raises
        ------
        UnknownNameError, UsageError
            As for a new scorer.
        """
        return Scorer(
            self.model,
            pairs,
            self.stride,
            self.device,
            self._fast,
            self._cache,
            calibrated=self._calibrated,
            trunk=self._trunk,
        )

    def score(
        self, codes: Codes, tiles: TileRange | TilePack, digest: str | None = None
    ) -> Floats:
        """Score neighboring tiles.

        Parameters
        ----------
        codes : uint8 array, shape (grid.n_codes(tiles.n_tiles),), values 0..4
            From :func:`tfimpute_tracks.engines.tiles.read_codes`: the flanks included.
        tiles : TileRange or TilePack
            Their position matters to evidence alone.
        digest : str, optional
            Of the codes: their key in the cache. Without it no cache is used.

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
            Log-odds, of the better strand. NaN where more than half of the tile is
            unknown.
        """
        return self.logits(self.features(codes, tiles, digest))

    def features(
        self, codes: Codes, tiles: TileRange | TilePack, digest: str | None = None
    ) -> TileFeatures:
        """Compute, or take from the cache, what does not depend on the pair.

        Parameters
        ----------
        codes, tiles, digest
            As for :meth:`score`.

        Returns
        -------
        TileFeatures
        """
        unknown = self.grid.unknown(codes, tiles.n_tiles)
        # Whole blocks of N are common: centromeres, partial genomes.
        if self.grid.tile_mask(unknown).all():
            return TileFeatures(tiles, unknown, None)
        if self._trunk is None:
            return TileFeatures(tiles, unknown, codes)
        n_base = self.grid.n_base(tiles.n_tiles)
        if self._cache is not None and digest:
            found = self._cache.features(self._trunk, codes, n_base, digest)
            return TileFeatures(tiles, unknown, found)
        return TileFeatures(tiles, unknown, self._trunk.features(codes, n_base))

    def logits(self, features: TileFeatures) -> Floats:
        """Score tiles by their features.

        Parameters
        ----------
        features : TileFeatures
            Of this scorer, or of one that shares its motif tables.

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
            As :meth:`score`.
        """
        parts = list(self.parts(features))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def parts(self, features: TileFeatures) -> Iterator[Floats]:
        """Score tiles a few at a time, so that many pairs take little memory.

        Parameters
        ----------
        features : TileFeatures

        Yields
        ------
        float32 array, shape (n, n_pairs)
            As :meth:`score`, of the next tiles.
        """
        tiles, unknown, values = features
        at_once = max(1, self.max_logits // (len(self.pairs) * self.grid.step))
        for _, first, n in TileRange("", 0, tiles.n_tiles).parts(1, at_once):
            if values is None:
                yield np.full((n, len(self.pairs)), np.nan, dtype=np.float32)
                continue
            base = self.grid.base_slice(first, n)
            some = unknown[base]
            logits = self._sequence_logits(values, first, some)
            placed = tiles.placed(first, n, self.stride)
            for chrom, rows, centers in self._by_evidence(placed):
                part = logits[rows]
                found = self._condition(part, chrom, centers)
                # Millions of scores: not copied where they were changed in place.
                if found is not part or not isinstance(rows, slice):
                    logits[rows] = found
            self._calibrator.apply(logits)
            logits[self.grid.tile_mask(some)] = np.nan
            yield logits

    def _sequence_logits(
        self, values: SparseRows | Codes, first: int, unknown: Mask
    ) -> Floats:
        """Score tiles from the first on by sequence alone."""
        grid, n_base = self.grid, unknown.size
        engine = self._open_engine()
        if isinstance(values, SparseRows):
            assert isinstance(engine, LookupEngine)
            rows = grid.base.feature_rows(first * grid.step, n_base)
            some = values.rows(rows.start, rows.stop)
            logits = engine.feature_logits(some, n_base)
        else:
            start = first * self.stride
            n_codes = (n_base - 1) * grid.base.stride + grid.seq_len
            logits = engine.logits(values[start : start + n_codes], n_base)
        return grid.mix(logits, unknown, self.model.checkpoint.weights)

    def _open_engine(self) -> Engine:
        with self._opening:
            if self._engine is None:
                self._engine = open_engine(
                    self.model,
                    self.pairs,
                    self.grid.base,
                    self.device,
                    self._fast,
                    self._trunk,
                )
            return self._engine

    def _by_evidence(
        self, placed: Iterable[tuple[slice, TileRange]]
    ) -> Iterable[tuple[str, slice | Ints, Ints]]:
        """Group the rows that are conditioned together."""
        if self.model.evidence is None:
            return ()
        has_peaks = self.model.evidence.store.has_peaks
        return group_rows(placed, has_peaks, self.stride, self.grid.seq_len)

    def _condition(self, logits: Floats, chrom: str, centers: Ints) -> Floats:
        """Condition log-odds of a chromosome on evidence: the only place that does."""
        evidence = self.model.evidence
        if evidence is None:
            return logits
        with self._opening:
            if self._evidence is None:
                indices = self.model.vocabulary.pair_indices(self.pairs)
                self._evidence = ConditionedPairs(evidence, indices)
        return self._evidence.apply(logits, chrom, centers)

    @property
    def segments(self) -> SegmentEngine:
        """Scores base tiles of separate segments, each by itself, by sequence alone."""
        with self._opening:
            if self._segments is None:
                self._segments = open_segment_engine(
                    self.model, self.pairs, self.grid.base
                )
            return self._segments

    def mix(self, logits: Floats, unknown: Mask, pairs: slice = slice(None)) -> Floats:
        """Make scores of tiles of those of their base tiles, by sequence alone.

        Parameters
        ----------
        logits : float32 array, shape (n_base_tiles, n_pairs)
            Of :attr:`segments`; of all pairs, or of some.
        unknown : bool array, shape (n_base_tiles,)
            From :meth:`~tfimpute_tracks.engines.tile_grid.TileGrid.unknown`.
        pairs : slice
            Which pairs these are.

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
            As :meth:`score`.
        """
        mixed = self.grid.mix(logits, unknown, self.model.checkpoint.weights)
        if mixed is logits:
            mixed = logits.copy()
        self._calibrator.apply(mixed, pairs)
        missing = self.grid.tile_mask(unknown)
        if missing.any():
            mixed = np.where(missing[:, None], np.float32(np.nan), mixed)
        return mixed

    def score_sites(self, codes: Codes, sites: Iterable[ChromSites]) -> Floats:
        """Score sites that lie on no common grid.

        Parameters
        ----------
        codes : uint8 array, shape (n_sites, length), values 0..4
            At least `config.seq_len` bp each; of longer ones the middle is read.
        sites : iterable of ChromSites
            Where they lie.

        Returns
        -------
        float32 array, shape (n_sites, n_pairs)
            Log-odds, of the better strand.

        Raises
        ------
        UsageError
            The sequences are too short.
        """
        logits = site_logits(self.model, self.pairs, codes, self.device)
        for chrom, index, centers in sites:
            logits[index] = self._condition(logits[index], chrom, centers)
        self._calibrator.apply(logits)
        return logits
