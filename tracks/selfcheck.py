"""Proof on the spot that a scan gives what the network defines.

Each engine that runs on this machine scans sequence that ships with the package, and
made-up sequence full of N's, at several strides; the same tiles go one by one through
the plain network.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.engine import pick_device
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.errors import DeviceError
from tfimpute_tracks.genome import bundled_region, open_bundled
from tfimpute_tracks.kernels.encode import N_CODE
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.model import Model

__all__ = ["EXACT_TOLERANCE", "FAST_TOLERANCE", "SelfCheck", "run_selfcheck"]

EXACT_TOLERANCE = 1e-4
"""Largest difference of scores from the plain network that `exact` may have."""
FAST_TOLERANCE = 2e-3
"""The same for `fast`."""

_PAIRS = 24


class SelfCheck(NamedTuple):
    """One comparison: the engine, what it scanned, how far off it was and may be."""

    engine: str
    sequence: str
    stride: int
    tiles: int
    pairs: int
    difference: float
    tolerance: float
    seconds: float


def run_selfcheck(
    model: Model,
    seed: int = 0,
    tolerance: float = EXACT_TOLERANCE,
    n_bases: int = 12_000,
) -> list[SelfCheck]:
    """Compare every engine of this machine with the reference network.

    Parameters
    ----------
    model : Model
    seed : int
        Of the random sequence and the choice of pairs.
    tolerance : float
        Largest difference of scores that exact engines may have.
    n_bases : int
        Of each sequence that is scanned.

    Returns
    -------
    list of SelfCheck
        `difference` is the largest difference of scores; infinite where one
        has a value and the other none.
    """
    rng = np.random.default_rng(seed)
    every = model.vocabulary.all_pairs()
    chosen = rng.choice(len(every), min(_PAIRS, len(every)), replace=False)
    pairs = [every[i] for i in chosen]
    region = bundled_region()
    middle = (region.start + region.end) // 2
    real = open_bundled().codes(region.chrom, middle, middle + n_bases)
    sequences = {"chr20": real, "random with N": _hard_sequence(rng, n_bases)}
    return [
        _compare(
            Scorer(model, some, stride, device, fast, calibrated=False),
            f"{device} {'fast' if fast else 'exact'}",
            FAST_TOLERANCE if fast else tolerance,
            name,
            codes,
        )
        for device in _devices()
        for fast in (False, True)
        for name, codes in sequences.items()
        for stride in sorted({model.config.stride, 37})
        for some in (pairs[:1], pairs)
    ]


def _compare(
    scorer: Scorer,
    engine: str,
    tolerance: float,
    sequence: str,
    codes: NDArray[np.uint8],
) -> SelfCheck:
    began = time.monotonic()
    model, stride = scorer.model, scorer.stride
    seq_len = model.config.seq_len
    n_tiles = (len(codes) - model.config.receptive_field) // stride + 1
    read = codes[scorer.grid.code_slice(0, n_tiles)]
    scores = sigmoid(scorer.score(read, TileRange("", 0, n_tiles)))
    seconds = time.monotonic() - began
    spans = np.lib.stride_tricks.sliding_window_view(
        codes, model.config.receptive_field
    )
    spans = spans[::stride][:n_tiles]
    spans_read = np.ascontiguousarray(spans)
    plain = model.predict(spans_read, scorer.pairs, calibrated=False)
    tiles = spans[:, model.config.flank :][:, :seq_len]
    plain[(tiles == N_CODE).sum(axis=1) * 2 > seq_len] = np.nan
    return SelfCheck(
        engine,
        sequence,
        stride,
        n_tiles,
        len(scorer.pairs),
        _difference(scores, plain),
        tolerance,
        seconds,
    )


def _hard_sequence(rng: np.random.Generator, n_bases: int) -> NDArray[np.uint8]:
    codes = rng.integers(0, 4, n_bases).astype(np.uint8)
    codes[rng.random(n_bases) < 0.02] = 4
    codes[3_000:3_500] = 4
    return codes


def _devices() -> list[str]:
    try:
        return ["cpu", pick_device("cuda")]
    except DeviceError:
        return ["cpu"]


def _difference(scores: NDArray[np.float32], plain: NDArray[np.float32]) -> float:
    if not np.array_equal(np.isnan(scores), np.isnan(plain)):
        return float("inf")
    return float(np.nanmax(np.abs(scores - plain)))
