"""In-silico saturation mutagenesis: score every substitution of a region.

Tiles are those of a single variant (``alleles``), so the scores are the same. All
substitutions share the tiles of the reference, and only the tiles over a substitution are
scored again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import too_short
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome import Region, Sequences, read_past_ends
from tfimpute_tracks.kernels.encode import N_CODE, decode, missing_tiles
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.variants.alleles import STRIDE
from tfimpute_tracks.variants.background import log_odds_change
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.variants.rows import bp_before
from tfimpute_tracks.vocabulary import Pair

__all__ = ["MAX_BP", "MutagenesisScores", "score_substitutions"]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

MAX_BP = 2_000
"""Of a region."""
_N_BASES = 4
_BATCH = 8  # positions at once: the network is slow for a few tiles at a time


class MutagenesisScores(NamedTuple):
    """Scores of every substitution of a region.

    Attributes
    ----------
    region : Region
    codes : uint8 array, shape (n_bp,)
        Of the reference: A, C, G, T = 0..3, otherwise 4.
    logits : float32 array, shape (n_pairs, n_bp, 4)
        Log-odds with each of A, C, G and T at each position: of the best tile over the
        position. NaN if the base is unknown, or no tile over it has a score.
    """

    region: Region
    codes: Codes
    logits: Floats

    @property
    def is_scored(self) -> NDArray[np.bool_]:
        """Whether a position has scores, shape (n_bp,): the same for every pair."""
        scored: NDArray[np.bool_] = ~np.isnan(self.logits[0]).any(axis=1)
        return scored

    @property
    def reference(self) -> Floats:
        """Log-odds of the reference, shape (n_pairs, n_bp)."""
        own = np.where(self.codes < N_CODE, self.codes, 0)
        return self.logits[:, np.arange(len(own)), own]

    @property
    def changes(self) -> Floats:
        """Log-odds minus those of the reference, shape (n_pairs, n_bp, 4).

        Both are clipped as for single variants.
        """
        return log_odds_change(self.reference[..., None], self.logits)

    @property
    def importance(self) -> Floats:
        """Log-odds that are lost when a base is replaced, shape (n_pairs, n_bp).

        Minus the mean change over the three substitutions: positive if the reference
        base raises the score.
        """
        lost: Floats = -self.changes.sum(axis=2) / np.float32(_N_BASES - 1)
        return lost

    @property
    def n_unknown(self) -> int:
        """Number of positions without A, C, G or T."""
        return int(np.count_nonzero(self.codes == N_CODE))

    def extremes(self, pair: int) -> tuple[tuple[Variant, float], ...]:
        """Find the substitutions with the lowest and the highest change.

        Parameters
        ----------
        pair : int
            Index of the pair.

        Returns
        -------
        lowest, highest : (Variant, float)
            With their change of the log-odds.

        Raises
        ------
        ValueError
            No position has a score.
        """
        changes = self.changes[pair]
        changes[np.arange(len(changes)), np.minimum(self.codes, _N_BASES - 1)] = np.nan
        return tuple(
            (self._variant(*divmod(int(at), _N_BASES)), float(changes.flat[at]))
            for at in (np.nanargmin(changes), np.nanargmax(changes))
        )

    def _variant(self, offset: int, base: int) -> Variant:
        alleles = decode(np.array([self.codes[offset], base], dtype=np.uint8))
        return Variant(self.region.chrom, self.region.start + offset, *alleles)


def score_substitutions(
    model: Model,
    pairs: list[Pair],
    genome: Sequences,
    region: Region,
    threads: int = 1,
    advance: Callable[[int], None] | None = None,
) -> MutagenesisScores:
    """Score every substitution of a region.

    Parameters
    ----------
    model : Model
        Used by sequence only: measured tracks are of the bases that the cells had.
    pairs : list of Pair
    genome : Sequences
    region : Region
    threads : int
    advance : callable, optional
        Called with the number of bp that have just been scored.

    Returns
    -------
    MutagenesisScores

    Raises
    ------
    UsageError
        The region is longer than ``MAX_BP``.
    RegionError
        The chromosome is shorter than a tile, or the region is outside of it.
    InputFileError
        As :meth:`Sequences.codes`.
    """
    n_bp = region.end - region.start
    if n_bp > MAX_BP:
        raise UsageError(
            f"{region} has {n_bp:,} bp; use a region of at most {MAX_BP:,} bp"
        )
    size, seq_len = genome.chrom_sizes[region.chrom], model.config.seq_len
    if size < seq_len:
        raise too_short(region.chrom, f"{size} bp", seq_len)
    scorer = _SubstitutionScorer(model, pairs, genome, region)
    logits = np.empty((len(pairs), n_bp, _N_BASES), dtype=np.float32)
    positions = range(region.start, region.end)
    batches = [positions[i : i + _BATCH] for i in range(0, n_bp, _BATCH)]
    for batch, best in ordered_map(lambda b: (b, scorer.best(b)), batches, threads):
        first = batch.start - region.start
        logits[:, first : first + len(batch)] = best.transpose(2, 0, 1)
        if advance is not None:
            advance(len(batch))
    return MutagenesisScores(region, genome.codes(*region), logits)


class _Site(NamedTuple):
    """A position, and the base tiles that its scores depend on."""

    position: int
    code: int
    starts: Ints
    is_changed: NDArray[np.bool_]  # tiles over the position


class _SubstitutionScorer:
    """Scores of the reference, and of substitutions in it; thread-safe."""

    def __init__(
        self, model: Model, pairs: list[Pair], genome: Sequences, region: Region
    ) -> None:
        self._scorer = Scorer(model, pairs, STRIDE, use_evidence=False)
        self._grid = grid = self._scorer.grid
        self._n_pairs = len(pairs)
        self._size = genome.chrom_sizes[region.chrom]
        self._first = region.start - (grid.seq_len - 1) - grid.flank
        last = region.end + grid.flank
        self._codes = read_past_ends(
            genome, region.chrom, self._first, last + grid.seq_len
        )
        # Base tiles from every start: tiles of two positions lie on different grids.
        n_starts, step = last - self._first, grid.base.stride
        self._logits = np.empty((n_starts, len(pairs)), dtype=np.float32)
        self._unknown = missing_tiles(self._codes, 1, grid.seq_len, n_starts)
        for phase in range(step):
            n = len(range(phase, n_starts, step))
            codes = self._codes[phase : phase + self._n_bp(n)]
            self._logits[phase::step] = self._scorer.segments.logits([codes], [n])

    def best(self, positions: range) -> Floats:
        """Compute the best log-odds with each base, (n_positions, 4, n_pairs)."""
        shape = len(positions), _N_BASES, self._n_pairs
        found = np.full(shape, np.nan, dtype=np.float32)
        sites = [site for site in map(self._site, positions) if site]
        if not sites:
            return found
        segments = [s for site in sites for s in self._substituted(site)]
        counts = [
            int(site.is_changed.sum()) for site in sites for _ in range(_N_BASES - 1)
        ]
        logits = self._scorer.segments.logits(segments, counts)
        parts = iter(np.split(logits, np.cumsum(counts)[:-1]))
        for site in sites:
            best = found[site.position - positions.start]
            for base in range(_N_BASES):
                changed = None if base == site.code else next(parts)
                best[base] = self._best(site, changed)
        return found

    def _site(self, position: int) -> _Site | None:
        grid, code = self._grid, int(self._codes[position - self._first])
        before = bp_before(position, self._size, grid)
        if code == N_CODE or before is None:
            return None
        end = min(position + 1 + grid.seq_len, self._size)
        most = (end - position + before - grid.seq_len) // STRIDE + 1
        n_tiles = min(before // STRIDE + 1, most)
        first = position - before - grid.flank
        starts = first + grid.base.stride * np.arange(
            grid.n_base(n_tiles), dtype=np.int64
        )
        is_changed = (starts <= position) & (starts > position - grid.seq_len)
        return _Site(position, code, starts, is_changed)

    def _substituted(self, site: _Site) -> Iterator[Codes]:
        """Return the sequence of the tiles over a position, with each other base."""
        starts = site.starts[site.is_changed]
        first = int(starts[0]) - self._first
        codes = self._codes[first : first + self._n_bp(len(starts))]
        for base in range(_N_BASES):
            if base != site.code:
                changed = codes.copy()
                changed[site.position - int(starts[0])] = base
                yield changed

    def _best(self, site: _Site, changed: Floats | None) -> Floats:
        """Compute the best of the tiles over a position, of the reference or changed."""
        logits = self._logits[site.starts - self._first]
        unknown = self._unknown[site.starts - self._first]
        if changed is not None:
            logits[site.is_changed] = changed
        best: Floats = np.fmax.reduce(self._scorer.mix(logits, unknown), axis=0)
        return best

    def _n_bp(self, n_tiles: int) -> int:
        return (n_tiles - 1) * self._grid.base.stride + self._grid.seq_len
