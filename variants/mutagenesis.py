"""Every substitution of a region: the letters that a pair's score hangs on.

The same tiles as for a single variant (``alleles``), so the same scores. What they have
in common is computed once: all substitutions share the tiles of the reference, and of
an alternative only the tiles that hold it are scored anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome import Region, Sequences, read_past_ends
from tfimpute_tracks.kernels.encode import N_CODE, decode, missing_tiles
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.variants.alleles import STRIDE, Variant
from tfimpute_tracks.variants.background import log_odds_change
from tfimpute_tracks.vocabulary import Pair

__all__ = ["MAX_BP", "MutagenesisScores", "score_substitutions"]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

MAX_BP = 2_000
"""Of a region."""
_LETTERS = 4
_AT_ONCE = 8  # places: a few tiles at a time would leave a network half empty


class MutagenesisScores(NamedTuple):
    """Scores of every substitution of a region.

    Attributes
    ----------
    region : Region
    codes : uint8 array, shape (n_bp,)
        Of the reference: A, C, G, T = 0..3, else 4.
    logits : float32 array, shape (n_pairs, n_bp, 4)
        Log-odds with each of A, C, G and T at each place: of the best tile that holds
        the place. NaN where there is none: the letter is unknown, or no tile that
        holds it has a value.
    """

    region: Region
    codes: Codes
    logits: Floats

    @property
    def is_scored(self) -> NDArray[np.bool_]:
        """Whether a place has scores, shape (n_bp,): the same for every pair."""
        scored: NDArray[np.bool_] = ~np.isnan(self.logits[0]).any(axis=1)
        return scored

    @property
    def reference(self) -> Floats:
        """Log-odds of the letters that are there, shape (n_pairs, n_bp)."""
        own = np.where(self.codes < N_CODE, self.codes, 0)
        return self.logits[:, np.arange(len(own)), own]

    @property
    def changes(self) -> Floats:
        """Log-odds less those of the reference, shape (n_pairs, n_bp, 4).

        Both cut as tracks cut them, as for single variants.
        """
        return log_odds_change(self.reference[..., None], self.logits)

    @property
    def loss(self) -> Floats:
        """What is lost when a letter is changed, shape (n_pairs, n_bp).

        Minus the mean change of log-odds over the three substitutions: above zero
        where the letter that is there raises the score.
        """
        loss: Floats = -self.changes.sum(axis=2) / np.float32(_LETTERS - 1)
        return loss

    @property
    def n_unknown(self) -> int:
        """How many letters are none of A, C, G and T."""
        return int(np.count_nonzero(self.codes == N_CODE))

    def extremes(self, pair: int) -> tuple[tuple[Variant, float], ...]:
        """Find the substitutions that change most.

        Parameters
        ----------
        pair : int
            Its place among the pairs.

        Returns
        -------
        lowest, highest : (Variant, float)
            The one that lowers the score most, or raises it least, and the other way
            round; each with its change of log-odds.

        Raises
        ------
        ValueError
            No letter has a score.
        """
        changes = self.changes[pair]
        changes[np.arange(len(changes)), np.minimum(self.codes, _LETTERS - 1)] = np.nan
        return tuple(
            (self._variant(*divmod(int(at), _LETTERS)), float(changes.flat[at]))
            for at in (np.nanargmin(changes), np.nanargmax(changes))
        )

    def _variant(self, place: int, letter: int) -> Variant:
        letters = decode(np.array([self.codes[place], letter], dtype=np.uint8))
        return Variant(self.region.chrom, self.region.start + place, *letters)


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
        By sequence alone: measured tracks are of the letters that the cells had.
    pairs : list of Pair
    genome : Sequences
    region : Region
    threads : int
    advance : callable, optional
        Told how many more bp are done.

    Returns
    -------
    Saturation

    Raises
    ------
    UsageError
        The region is longer than ``MAX_BP``.
    RegionError, InputFileError
        As :meth:`Sequences.codes`.
    """
    n_bp = region.end - region.start
    if n_bp > MAX_BP:
        raise UsageError(
            f"{region} has {n_bp:,} bp; at most {MAX_BP:,} are changed letter by "
            "letter: give a shorter region"
        )
    scorer = _Scorer(model, pairs, genome, region)
    logits = np.empty((len(pairs), n_bp, _LETTERS), dtype=np.float32)
    places = range(region.start, region.end)
    chunks = [places[i : i + _AT_ONCE] for i in range(0, n_bp, _AT_ONCE)]
    for some, best in ordered_map(lambda c: (c, scorer.best(c)), chunks, threads):
        first = some.start - region.start
        logits[:, first : first + len(some)] = best.transpose(2, 0, 1)
        if advance is not None:
            advance(len(some))
    return MutagenesisScores(region, genome.codes(*region), logits)


class _Plan(NamedTuple):
    """What is scored of a place: where core tiles start, and which hold the place."""

    place: int
    own: int
    starts: Ints
    is_changed: NDArray[np.bool_]


class _Scorer:
    """The tiles of the reference, and what a letter does to them; thread-safe."""

    def __init__(
        self, model: Model, pairs: list[Pair], genome: Sequences, region: Region
    ) -> None:
        self._scorer = Scorer(model, pairs, STRIDE, use_evidence=False)
        self._grid = grid = self._scorer.grid
        # Neighbors without the changed letter are those of the reference. So scores
        # are made tile by tile, and blended with their neighbors' when all are there.
        self._n_pairs = len(pairs)
        self._size = genome.chrom_sizes[region.chrom]
        self._before = (grid.seq_len - 1) // STRIDE * STRIDE
        self._first = region.start - self._before - grid.flank
        last = region.end + grid.flank
        self._codes = read_past_ends(
            genome, region.chrom, self._first, last + grid.seq_len
        )
        n_starts, apart = last - self._first, grid.base.stride
        self._logits = np.empty((n_starts, len(pairs)), dtype=np.float32)
        self._unknown = missing_tiles(self._codes, 1, grid.seq_len, n_starts)
        for phase in range(apart):
            n = len(range(phase, n_starts, apart))
            codes = self._codes[phase : phase + self._n_letters(n)]
            self._logits[phase::apart] = self._scorer.base_logits([codes], [n])

    def best(self, places: range) -> Floats:
        """Give the best log-odds with each letter, (n_places, 4, n_pairs)."""
        shape = len(places), _LETTERS, self._n_pairs
        found = np.full(shape, np.nan, dtype=np.float32)
        plans = [plan for plan in map(self._plan, places) if plan]
        if not plans:
            return found
        stretches = [s for plan in plans for s in self._stretches(plan)]
        n_changed = [int(plan.is_changed.sum()) for plan in plans]
        counts = [n for n in n_changed for _ in range(_LETTERS - 1)]
        logits = self._scorer.base_logits(stretches, counts)
        parts = iter(np.split(logits, np.cumsum(counts)[:-1]))
        for plan in plans:
            best = found[plan.place - places.start]
            for letter in range(_LETTERS):
                changed = None if letter == plan.own else next(parts)
                best[letter] = self._best(plan, changed)
        return found

    def _plan(self, place: int) -> _Plan | None:
        own, starts = int(self._codes[place - self._first]), self._starts(place)
        if own == N_CODE or not starts.size:
            return None
        is_changed = (starts <= place) & (starts > place - self._grid.seq_len)
        return _Plan(place, own, starts, is_changed)

    def _starts(self, place: int) -> Ints:
        """Give where the core tiles start that scores of a place depend on."""
        grid = self._grid
        before = min(self._before, place // STRIDE * STRIDE)
        end = min(place + 1 + grid.seq_len, self._size)
        most = (end - place + before - grid.seq_len) // STRIDE + 1
        n_tiles = max(0, min(before // STRIDE + 1, most))
        first = place - before - grid.flank
        return first + grid.base.stride * np.arange(
            grid.n_base(n_tiles), dtype=np.int64
        )

    def _stretches(self, plan: _Plan) -> Iterator[Codes]:
        """Give the letters of the tiles that hold a place, with each other letter."""
        starts = plan.starts[plan.is_changed]
        first = int(starts[0]) - self._first
        codes = self._codes[first : first + self._n_letters(len(starts))]
        for letter in range(_LETTERS):
            if letter != plan.own:
                changed = codes.copy()
                changed[plan.place - int(starts[0])] = letter
                yield changed

    def _best(self, plan: _Plan, changed: Floats | None) -> Floats:
        """Give the best of a place's tiles, some of them scored with another letter."""
        logits = self._logits[plan.starts - self._first]
        unknown = self._unknown[plan.starts - self._first]
        if changed is not None:
            logits[plan.is_changed] = changed
        tiles = self._scorer.mix(logits, unknown)
        known = tiles[~self._grid.tile_mask(unknown)]
        nothing = np.full(self._n_pairs, np.nan, dtype=np.float32)
        return known.max(axis=0) if len(known) else nothing

    def _n_letters(self, n_tiles: int) -> int:
        return (n_tiles - 1) * self._grid.base.stride + self._grid.seq_len
