"""Effects of background variants on each pair, and quantiles of an effect among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.kernels.ranks import percentile_rank
from tfimpute_tracks.tracks.signals import MAX_LOG_ODDS
from tfimpute_tracks.variants.alleles import AlleleScorer
from tfimpute_tracks.variants.normalize import Variant

__all__ = ["Background", "log_odds_change"]

Floats = NDArray[np.float32]


def log_odds_change(ref: Floats, alt: Floats) -> Floats:
    """Subtract log-odds, clipped to the range that tracks have.

    Parameters
    ----------
    ref, alt : float32 arrays that can be broadcast together
        Log-odds.

    Returns
    -------
    float32 array
        `alt` minus `ref`.
    """
    limit = np.float32(MAX_LOG_ODDS)
    change: Floats = np.clip(alt, -limit, limit) - np.clip(ref, -limit, limit)
    return change


class Background:
    """Effect sizes of background variants on each pair.

    Parameters
    ----------
    sizes : float32 array, shape (n_pairs, n)
        Absolute changes of the log-odds; sorted here.
    """

    def __init__(self, sizes: Floats) -> None:
        self._sizes = np.sort(np.ascontiguousarray(sizes), axis=1)

    @classmethod
    def score(
        cls,
        scorer: AlleleScorer,
        genome: Sequences,
        variants: list[Variant],
        threads: int,
        advance: Callable[[int], None],
    ) -> Self:
        """Score background variants.

        Parameters
        ----------
        scorer : AlleleScorer
        genome : Sequences
        variants : list of Variant
            From :func:`sample_matched`.
        threads : int
        advance : callable
            Called with the number of variants that have just been scored.

        Returns
        -------
        Background
        """

        def sizes(batch: list[Variant]) -> list[Floats]:
            return [
                np.abs(log_odds_change(*scores.best()))
                for scores in scorer.scores(genome, batch)
                if not isinstance(scores, RegionError)
            ]

        n = scorer.batch_size
        batches = [variants[i : i + n] for i in range(0, len(variants), n)]
        rows: list[Floats] = []
        for done in ordered_map(sizes, batches, threads):
            rows += done
            advance(len(done))
        found = np.array(rows, dtype=np.float32).reshape(len(rows), scorer.n_pairs)
        return cls(found[~np.isnan(found).any(axis=1)].T)

    @property
    def n(self) -> int:
        """Number of background variants."""
        return int(self._sizes.shape[1])

    def quantiles(self, change: Floats) -> Floats:
        """Compute the fraction of background variants with smaller effects.

        Parameters
        ----------
        change : float32 array, shape (n_pairs,)
            Of the log-odds.

        Returns
        -------
        float32 array, shape (n_pairs,)
            0 to 1; ties count half; NaN if the background is empty.
        """
        return percentile_rank(self._sizes, np.abs(change))
