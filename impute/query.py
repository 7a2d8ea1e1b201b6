"""All pairs at a position, ranked by their scores."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Region
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.kernels.codes import decode_codes
from tfimpute_tracks.kernels.products import sigmoid

__all__ = ["Ranked", "rank_pairs"]


class Ranked(NamedTuple):
    """A pair's best tile in a region.

    Attributes
    ----------
    tf, cell : str
    status : str
        `measured` or `imputed`.
    expected_auroc : float or None
    probability : float
    above_threshold : float
        Log-odds above the pair's peak-calling threshold.
    is_peak : bool
    start : int
        Where the tile is drawn: 0-based, bp.
    """

    tf: str
    cell: str
    status: str
    expected_auroc: float | None
    probability: float
    above_threshold: float
    is_peak: bool
    start: int


def rank_pairs(
    store: Store,
    region: Region,
    sort_by: str = "above-threshold",
    only: tuple[str | None, str | None] = (None, None),
) -> list[Ranked]:
    """Rank pairs by their best tile in a region.

    Parameters
    ----------
    store : Store
    region : Region
    sort_by : str
        `above-threshold` or `probability`.
    only : (tf, cell)
        Only pairs of these.

    Returns
    -------
    list of Ranked
        Best first; of equals, in the order of the store. Scores that a sparse store
        does not hold are left out.

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
        tiles = codes.argmax(axis=1)  # of missing tiles codes are 0
        highest = codes[np.arange(len(codes)), tiles]
        pairs = slice(first_pair, first_pair + len(codes))
        is_better = highest > best[pairs]  # of equals the first
        best[pairs][is_better] = highest[is_better]
        start[pairs][is_better] = starts[tiles[is_better]]
    if not is_known:
        raise RegionError(
            f"the sequence at {region} is unknown (N): no pair has a score"
        )
    logits = decode_codes(best, plan.scale)
    above = logits - plan.scale.thresholds
    key = logits if sort_by == "probability" else above
    order = np.argsort(-key, kind="stable")
    tf, cell = only
    probabilities = sigmoid(logits)
    return [
        Ranked(
            plan.tfs[i],
            plan.cells[i],
            plan.status[i],
            plan.expected_aurocs[i],
            round(float(probabilities[i]), 6),
            round(float(above[i]), 4),
            bool(best[i] >= plan.scale.threshold_codes[i]),
            int(start[i]),
        )
        for i in order.tolist()
        if best[i]
        and (tf is None or plan.tfs[i] == tf)
        and (cell is None or plan.cells[i] == cell)
    ]
