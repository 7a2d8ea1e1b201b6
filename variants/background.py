"""How the background changes, pair by pair, and where a change lies among it."""

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
from tfimpute_tracks.variants.alleles import AlleleScorer, Variant

__all__ = ["Background", "change_of_odds"]

Floats = NDArray[np.float32]


def change_of_odds(ref: Floats, alt: Floats) -> Floats:
    """Give what an allele adds to the log-odds, these cut as tracks cut them.

    Parameters
    ----------
    ref, alt : float32 arrays, shape (n_pairs,)
        Log-odds.

    Returns
    -------
    float32 array, shape (n_pairs,)
    """
    far = np.float32(MAX_LOG_ODDS)
    change: Floats = np.clip(alt, -far, far) - np.clip(ref, -far, far)
    return change


class Background:
    """How much background variants change each pair.

    Parameters
    ----------
    sizes : float32 array, shape (n_pairs, n)
        Changes of log-odds without their sign; sorted here.
    """

    def __init__(self, sizes: Floats) -> None:
        self._sizes = np.sort(np.ascontiguousarray(sizes), axis=1)

    @classmethod
    def of(
        cls,
        scorer: AlleleScorer,
        genome: Sequences,
        partners: list[Variant],
        threads: int,
        advance: Callable[[int], None],
    ) -> Self:
        """Score partners.

        Parameters
        ----------
        scorer : AlleleScorer
        genome : Sequences
        partners : list of Variant
        threads : int
        advance : callable
            Told how many more are done.

        Returns
        -------
        Background
        """

        def sizes(some: list[Variant]) -> list[Floats]:
            found = scorer.curves(genome, some)
            return [
                np.abs(change_of_odds(*curves.best()))
                for curves in found
                if not isinstance(curves, RegionError)
            ]

        step = scorer.at_once
        batches = [partners[i : i + step] for i in range(0, len(partners), step)]
        rows: list[Floats] = []
        for done in ordered_map(sizes, batches, threads):
            rows += done
            advance(len(done))
        found = np.array(rows, dtype=np.float32).reshape(len(rows), scorer.n_pairs)
        return cls(found[~np.isnan(found).any(axis=1)].T)

    @property
    def n(self) -> int:
        """Variants of the background."""
        return int(self._sizes.shape[1])

    def quantiles(self, change: Floats) -> Floats:
        """Give the share of the background that changes by less; equals count half.

        Parameters
        ----------
        change : float32 array, shape (n_pairs,)
            Of log-odds.

        Returns
        -------
        float32 array, shape (n_pairs,)
            0 to 1; NaN where the background is empty.
        """
        return percentile_rank(self._sizes, np.abs(change))
