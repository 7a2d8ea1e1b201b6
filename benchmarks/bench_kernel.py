"""The look-up kernel relative to other ways to the same numbers, and relative to its bound."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numba import njit
from ours import WindowMaxima
from products import LongConvolution, TilesConvolution, best_bfloat16
from timing import (
    Figure,
    alternate,
    figure,
    print_result,
    ratios,
    seconds,
    thread_count,
)

from tfimpute_tracks.kernels.segments import segment_grid
from tfimpute_tracks.kernels.tables import reverse_filters

__all__ = ["kernel"]

_SEQ_LEN, _LENGTH, _POOL, _STRIDE, _FILTERS = 300, 20, 100, 100, 2000
_WORDS = 4  # table rows per position, strand and block of filters
_L2_BYTES = 32  # a cycle and core, from the second-level cache (Zen 2 to 5)
_CHAIN = 6  # cycles a turn of _spin
_ASKED = {
    ("tiles", "exact"): "at least 25",
    ("tiles", "fast"): "at least 60",
    ("bfloat16", "fast"): "at least 8",
}


@njit(nogil=True)
def _spin(turns: int, x: np.uint64) -> np.uint64:
    # Marsaglia's xorshift: three shifts and three xors, each waiting for the one
    # before, and no closed form for the compiler to find.
    for _ in range(turns):
        x ^= x << np.uint64(13)
        x ^= x >> np.uint64(7)
        x ^= x << np.uint64(17)
    return x


def clock_hertz() -> float:
    """Measure the clock of the cores, all of them busy.

    Returns
    -------
    float
    """
    turns = 1_000_000  # 2 ms: some of them are not interrupted
    work = partial(_spin, turns, np.uint64(1))
    work()

    def one(_: int) -> float:
        return min(seconds(work) for _ in range(100))

    with ThreadPoolExecutor(thread_count()) as pool:
        slowest = max(pool.map(one, range(thread_count())))
    return _CHAIN * turns / slowest


def kernel(quick: bool) -> list[Figure]:
    """Sequence to window maxima of every tile: the paper's sizes, both strands.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    list of Figure
    """
    n_tiles, runs = (200, 2) if quick else (1000, 5)
    rng = np.random.default_rng(0)
    filters = rng.normal(size=(_FILTERS, _LENGTH, 4)).astype(np.float32)
    both = np.concatenate([filters, reverse_filters(filters)])
    n_bp = (n_tiles - 1) * _STRIDE + _SEQ_LEN
    codes = rng.integers(0, 4, n_bp, dtype=np.uint8)
    grid = segment_grid(_SEQ_LEN, _LENGTH, _POOL, _STRIDE)
    ours = {
        name: WindowMaxima(filters, _SEQ_LEN, _POOL, _STRIDE, fast)
        for name, fast in (("exact", False), ("fast", True))
    }
    tiles = TilesConvolution(filters, _SEQ_LEN, _POOL, _STRIDE)
    long = LongConvolution(both, _POOL)
    piece = codes[: 4 * (n_tiles // 5) * _STRIDE + _SEQ_LEN]
    name, product = best_bfloat16(both, grid, piece, 4 * (n_tiles // 5) + 1)
    print_result(f"    kernel  best bfloat16 form: {name}")
    ways: dict[str, Callable[[], object]] = {
        "exact": partial(ours["exact"], codes, n_tiles),
        "fast": partial(ours["fast"], codes, n_tiles),
        "tiles": partial(tiles, codes),
        "long": partial(long, codes),
        "bfloat16": partial(product, codes, n_tiles),
    }
    _compare_values(ways, ours)
    times = alternate(ways, runs)
    described = {
        "tiles": "`conv1d` + `max_pool1d`, float32, over the tiles",
        "long": "one long `conv1d`, float32, with other windows than the tiles'",
        "bfloat16": "the best bfloat16 matrix product",
    }
    made = []
    for other, text in described.items():
        for mine in ours:
            own, its = (statistics.median(times[way]) for way in (mine, other))
            made.append(
                figure(
                    "kernel",
                    f"look-up kernel, {mine}, relative to {text}",
                    ratios(times[other], times[mine]),
                    asked=_ASKED.get((other, mine), ""),
                    detail=f"K={_FILTERS}, {n_bp} bp, {its:.3f} s / {own:.3f} s"
                    + (f"; {name}" if other == "bfloat16" else ""),
                )
            )
    return made + _shares(times, n_bp)


def _compare_values(ways, ours) -> None:  # type: ignore[no-untyped-def]
    """Say how far the ways' results lie apart: they must be of the same thing."""
    wanted = np.concatenate([y.numpy() for y in ways["tiles"]()]).swapaxes(2, 3)
    wanted = np.maximum(wanted, 0)  # the kernel has the ReLU in it
    largest = np.abs(wanted).max()
    for name in ("exact", "fast", "bfloat16"):
        found = ways[name]()
        if name == "bfloat16":
            values = np.maximum(found.float().numpy(), 0)
        else:
            values = ours[name].in_order(found)
        difference = np.abs(values - wanted).max() / largest
        print_result(
            f"    kernel  {name}: off by {difference:.1e} of the largest value"
        )
        if difference > 0.02:
            raise RuntimeError(f"{name} computes something else")


def _shares(times: dict[str, list[float]], n_bp: int) -> list[Figure]:
    """Compare with what the second-level caches can deliver of table rows."""
    clock = clock_hertz()
    bandwidth = thread_count() * _L2_BYTES * clock
    made = []
    for name, item in (("exact", 4), ("fast", 2)):
        row_bytes = _WORDS * 2 * _FILTERS * item
        bound = bandwidth / row_bytes
        rates = [n_bp / taken for taken in times[name]]
        made.append(
            figure(
                "kernel",
                f"look-up kernel, {name}: fraction of the bound set by the second-level "
                "cache",
                [rate / bound for rate in rates],
                unit="of 1",
                detail=f"{statistics.median(rates) / 1e6:.2f} of {bound / 1e6:.2f} "
                f"Mb/s: {row_bytes} bytes of table rows a position, "
                f"{thread_count()} x {_L2_BYTES} bytes x {clock / 1e9:.2f} GHz",
            )
        )
    return made
