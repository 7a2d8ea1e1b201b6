"""Pairs at a locus, scored at once and ranked: a query without a store."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import (
    cut_blocks,
    no_known_tile,
    read_codes,
    tiles_to_ends,
)
from tfimpute_tracks.errors import UsageError, size_text
from tfimpute_tracks.genome import Region, Sequences
from tfimpute_tracks.impute.query import (
    Calls,
    Ranked,
    keep_best,
    rank,
)
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = ["MAX_BP", "rank_region", "score_pairs"]

MAX_BP = 100_000
"""Longest region that is scored at once; a store holds longer ones."""
_TILES = 256  # scored at a time


def score_pairs(
    model: Model,
    genome: Sequences,
    region: Region,
    pairs: Iterable[Pair],
    calls: Calls,
) -> list[Ranked]:
    """Score pairs in a region, and rank them by their best tile.

    Parameters
    ----------
    model : Model
    genome : Sequences
    region : Region
        At most :data:`MAX_BP` bp.
    pairs : iterable of Pair
    calls : mapping of Pair to str
        What was measured there; empty where that is unknown.

    Returns
    -------
    list of Ranked
        The highest probability first; of equals, in the order of the pairs.

    Raises
    ------
    UsageError
        The region is too long.
    RegionError
        The chromosome is shorter than a tile, or the sequence is unknown.
    InputFileError
        The model's evidence is of another genome.
    """
    model.check_genome(genome)
    return rank_region(Scorer(model, pairs), genome, region, calls)


def rank_region(
    scorer: Scorer, genome: Sequences, region: Region, calls: Calls
) -> list[Ranked]:
    """Score the pairs of a scorer in a region, and rank them by their best tile.

    Parameters
    ----------
    scorer : Scorer
        With the stride of its model.
    genome, region, calls
        As for :func:`score_pairs`, with its result and errors.

    Returns
    -------
    list of Ranked
    """
    if region.end - region.start > MAX_BP:
        raise UsageError(
            f"{region} is longer than {size_text(MAX_BP)}, the most that is scored at "
            "once; use a shorter region, or `impute` and `query STORE REGION`"
        )
    model = scorer.model
    seq_len, stride = model.config.seq_len, scorer.stride
    best = np.full(len(scorer.pairs), -np.inf, dtype=np.float32)
    start = np.zeros(len(scorer.pairs), dtype=np.int64)
    size = genome.chrom_sizes[region.chrom]
    ranges = tiles_to_ends(region, size, seq_len, stride)
    for tiles in cut_blocks(ranges, stride, _TILES):
        features = scorer.features(read_codes(genome, tiles, scorer.grid), tiles)
        first = tiles.first
        for logits in scorer.parts(features):
            values = np.where(np.isnan(logits), np.float32(-np.inf), logits).T
            starts = first + stride * np.arange(len(logits), dtype=np.int64)
            keep_best(best, start, values, starts)
            first += stride * len(logits)
    if np.isneginf(best).all():
        raise no_known_tile([region])
    probabilities = sigmoid(best)
    thresholds = [model.threshold(pair) for pair in scorer.pairs]
    return rank(
        Ranked.of_tile(
            pair,
            (int(start[i]), int(start[i]) + seq_len),
            region,
            calls,
            status=model.status(pair),
            probability=float(probabilities[i]),
            threshold=thresholds[i],
            is_peak=bool(probabilities[i] >= np.float32(thresholds[i])),
            expected_auroc=model.expected(pair),
        )
        for i, pair in enumerate(scorer.pairs)
    )
