"""All pairs of a store at a locus, the most probable first.

``live_query.py`` ranks pairs without a store, in the same way. It loads the kernels that
score, which takes longer than a query of a store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.tiles import no_known_tile
from tfimpute_tracks.evidence import MeasuredCall
from tfimpute_tracks.genome import Region
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.kernels.codes import decode_codes
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.vocabulary import Pair

__all__ = ["Calls", "Ranked", "keep_best", "rank", "rank_pairs"]

Calls = Mapping[Pair, MeasuredCall]
"""What was measured, from :func:`tfimpute_tracks.evidence.measured_calls`."""
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


class Ranked(NamedTuple):
    """A pair's best tile in a region.

    Attributes
    ----------
    tf, cell : str
    status : str
        `measured` or `imputed`.
    measured : str
        `bound` where a measured peak of the pair overlaps the region, `not bound`, or
        `not measured`. The probability does not depend on it.
    probability : float
    threshold : float
        For calling peaks.
    is_peak : bool
        Whether the probability is at least the threshold.
    expected_auroc : float or None
    start, end : int
        Of the tile: 0-based, half-open, in bp.
    overlap : int
        bp of the tile inside the region.
    """

    tf: str
    cell: str
    status: str
    measured: str
    probability: float
    threshold: float
    is_peak: bool
    expected_auroc: float | None
    start: int
    end: int
    overlap: int

    @classmethod
    def of_tile(
        cls,
        pair: Pair,
        tile: tuple[int, int],
        region: Region,
        calls: Calls,
        **known: Any,
    ) -> Ranked:
        """Describe a tile.

        Parameters
        ----------
        pair : Pair
        tile : (start, end)
            0-based, half-open, in bp.
        region : Region
            That was asked for.
        calls : mapping of Pair to str
            What was measured there.
        **known
            The other attributes.

        Returns
        -------
        Ranked
            A pair that was measured has the status `measured`, whatever is known.
        """
        start, end = tile
        if pair in calls:
            known["status"] = "measured"
        return cls(
            *pair,
            measured=calls.get(pair, "not measured"),
            start=start,
            end=end,
            overlap=min(end, region.end) - max(start, region.start),
            **known,
        )


def rank_pairs(
    store: Store,
    region: Region,
    calls: Calls,
    only: tuple[str | None, str | None] = (None, None),
) -> list[Ranked]:
    """Rank the pairs of a store by their best tile in a region.

    Parameters
    ----------
    store : Store
    region : Region
    calls : mapping of Pair to str
        What was measured there; empty where that is unknown.
    only : (tf, cell)
        Only pairs of these.

    Returns
    -------
    list of Ranked
        The highest probability first; of equals, in the order of the store. Scores that
        a sparse store does not hold are left out.

    Raises
    ------
    RegionError
        The store has no tile with a value there.
    InputFileError
        A shard is missing or damaged.
    """
    plan = store.plan
    best = np.zeros(len(plan.tfs), dtype=np.uint8)
    start = np.zeros(len(plan.tfs), dtype=np.int64)
    is_known = False
    for first_pair, starts, codes, is_missing in store.loci(region):
        is_known |= not is_missing.all()
        pairs = slice(first_pair, first_pair + len(codes))
        # Of missing tiles codes are 0.
        keep_best(best[pairs], start[pairs], codes, starts - plan.offset)
    if not is_known:
        raise no_known_tile([region])
    probabilities = sigmoid(decode_codes(best, plan.scale))
    tf, cell = only
    return rank(
        Ranked.of_tile(
            pair,
            (int(start[i]), int(start[i]) + plan.seq_len),
            region,
            calls,
            status=plan.status[i],
            probability=float(probabilities[i]),
            threshold=plan.thresholds[i],
            is_peak=bool(best[i] >= plan.scale.threshold_codes[i]),
            expected_auroc=plan.expected_aurocs[i],
        )
        for i, pair in enumerate(plan.pairs)
        if best[i] and tf in (None, pair.tf) and cell in (None, pair.cell)
    )


def rank(records: Iterable[Ranked]) -> list[Ranked]:
    """Sort records by probability.

    Parameters
    ----------
    records : iterable of Ranked

    Returns
    -------
    list of Ranked
        The highest first; equals in their order.
    """
    return sorted(records, key=lambda record: -record.probability)


def keep_best(
    best: NDArray[Any], start: Ints, values: NDArray[Any], starts: Ints
) -> None:
    """Update the highest value of each pair, and the tile that has it, in place.

    Parameters
    ----------
    best : array, shape (n_pairs,)
        So far.
    start : int64 array, shape (n_pairs,)
        Starts of these tiles.
    values : array, shape (n_pairs, n_tiles)
        Of further tiles.
    starts : int64 array, shape (n_tiles,)
        Where they start, in bp.
    """
    tiles = values.argmax(axis=1)  # of equals the first
    highest = values[np.arange(len(values)), tiles]
    is_better = highest > best
    best[is_better] = highest[is_better]
    start[is_better] = starts[tiles[is_better]]
