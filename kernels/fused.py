"""The convolution and its maximum per segment as one kernel for a GPU, in Triton.

A convolution over positions is a product of two matrices, (2 K, 4 F) filters of both
strands by (4 F, positions) windows of one-hot sequence. Its result is far larger than
what is needed of it, so the kernel does not store it: a program holds a tile of it in
registers, computes the maximum of each segment (:mod:`tfimpute_tracks.kernels.segments`),
subtracts the bias, applies the ReLU and writes (n_segments, 2 K) only.

The matrix of windows is not stored either. The one-hot rows of the codes, with zeros for
N, are contiguous, 8 bytes per base, and the 4 F values of the window at position p begin
at 4 p: a row of the matrix is an address. This takes fewer instructions than comparing
bases.

Programs
    A program has some filters and a few *streams*: the same segment of neighboring
    stride periods, read simultaneously, `steps` positions of each at a time. Every
    column of a tile is therefore a position that is needed, whatever the length of a
    segment: 81 + 19 positions cost 104. Positions beyond the end of a segment repeat its
    last one, which does not change a maximum, so no mask is needed. Streams are the
    innermost axis of a tile: on a tensor core, a thread then holds all steps of its
    streams, and the maximum takes one instruction per element, without shuffles.
    Each segment belongs to one program, so results are reproducible.

Cost
    A position takes 2 K x 4 F multiply-adds for both strands, 320,000 at the paper's
    K = 2,000 and F = 20; the depth is padded to a multiple of 16, such as 80. Memory
    traffic is 20 bytes per base and 2 K values per segment, one byte per 1,000
    multiply-adds: the product is the limit, 990e12 / 640,000 = 1,500 Mb/s in half
    precision on an H100.

Factors of the product (sums are always float32)
    `ieee`    float32 without tensor cores: slow, the reference
    `tf32`    rounded to 11 bits, at half the rate of the two below
    `bf16`    rounded to 8 bits
    `fp16`    rounded to 11 bits, each filter scaled by a power of two to fit the range
    `fp16x2`  each value as the sum of two: 22 bits, at half the rate of one

One-hot values are 0 and 1 in every format, so only filters are rounded, and two products
in half precision are as accurate as one in float32: an error of 2 ** -22 per weight is
not larger than that of float32 sums of 80 values.

Triton is optional (the extra `gpu`): this module imports without it.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any, NamedTuple, no_type_check

import numpy as np
import torch
from torch import Tensor

from tfimpute_tracks.kernels.encode import one_hot_tensor
from tfimpute_tracks.kernels.segments import SegmentGrid

try:
    import triton
    import triton.language as tl
except ImportError:
    HAS_TRITON = False
else:
    HAS_TRITON = True

__all__ = [
    "HAS_TRITON",
    "PRECISIONS",
    "FusedFilters",
    "fuse_filters",
    "fused_maxima",
    "runs_on",
]

PRECISIONS = ("ieee", "tf32", "bf16", "fp16", "fp16x2")
"""Formats of the factors for :func:`fuse_filters`; see the module."""

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp16x2": torch.float16}
_AMPERE = (8, 0)
_DEPTH = 64  # one-hot values per product; the rest is one product of 16, 32 or 64
_MAX_WEIGHTS = 1 << 14  # of a tile's filters, of which there may be two parts
_MAX_EXPONENT = 14  # of the largest weight of a filter in half precision
_MAX_BASES = 1 << 28  # 4 values per base are indexed by an int32


class FusedFilters(NamedTuple):
    """Filters as the kernel reads them.

    Attributes
    ----------
    weights : tensor, shape (n_parts, n_padded, depth)
        Rows of 4 F values, padded with zeros; the sum of the parts is the filter.
    scale : float32 tensor, shape (n_padded,)
        Factor of a product that reverts the scaling of its filter.
    bias : float32 tensor, shape (n_padded,)
    n_filters : int
        Filters of both strands.
    length : int
        F, positions per filter.
    precision : str
        One of :data:`PRECISIONS`.
    """

    weights: Tensor
    scale: Tensor
    bias: Tensor
    n_filters: int
    length: int
    precision: str


def runs_on(device: torch.device) -> bool:
    """Check whether the kernel supports a device.

    Compilation may still fail: it requires a C compiler, and a driver and a PyTorch that
    match Triton.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    bool
        True for NVIDIA GPUs from Ampere on, and for a CPU with Triton's interpreter
        (`TRITON_INTERPRET=1`).
    """
    if not HAS_TRITON:
        return False
    if device.type == "cpu":
        return os.environ.get("TRITON_INTERPRET") == "1"
    if device.type != "cuda" or torch.version.cuda is None:
        return False
    return torch.cuda.get_device_capability(device) >= _AMPERE


def fuse_filters(filters: Tensor, bias: Tensor, precision: str) -> FusedFilters:
    """Arrange filters for :func:`fused_maxima`.

    Parameters
    ----------
    filters : float32 tensor, shape (n_filters, F, 4)
        Of both strands, columns A C G T, on the device to use.
    bias : float32 tensor, shape (n_filters,)
    precision : str
        One of :data:`PRECISIONS`.

    Returns
    -------
    FusedFilters

    Raises
    ------
    ValueError
        The precision is unknown.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision {precision!r}; use one of {PRECISIONS}")
    n_filters, length, _ = filters.shape
    depth = sum(_depths(length))
    block = _columns(n_filters, depth, precision)
    n_padded = -(-n_filters // block) * block
    flat = filters.new_zeros((n_padded, depth))
    flat[:n_filters, : 4 * length] = filters.reshape(n_filters, -1)
    padded_bias = bias.new_zeros(n_padded)
    padded_bias[:n_filters] = bias
    scale = filters.new_ones(n_padded)
    dtype = _DTYPES.get(precision, torch.float32)
    if dtype == torch.float16:
        # Scaling by a power of two is exact; frexp computes the exponent.
        exponent = torch.frexp(flat.abs().amax(dim=1))[1]
        flat = torch.ldexp(flat, (_MAX_EXPONENT - exponent)[:, None])
        scale = torch.ldexp(scale, exponent - _MAX_EXPONENT)
    parts = [flat.to(dtype)]
    if precision == "fp16x2":
        parts.append((flat - parts[0].float()).to(dtype))
    weights = torch.stack(parts).contiguous()
    return FusedFilters(weights, scale, padded_bias, n_filters, length, precision)


def fused_maxima(
    codes: Tensor, filters: FusedFilters, grid: SegmentGrid, n_segments: int
) -> Tensor:
    """Compute the maximum of each filter over each segment, after bias and ReLU.

    Parameters
    ----------
    codes : uint8 tensor, shape (n,), values 0..4
        From the first position of the first segment; on a CUDA device, or on any device
        with Triton's interpreter.
    filters : FusedFilters
        On the same device.
    grid : SegmentGrid
    n_segments : int
        `grid.n_segments` of the tiles in `codes`, which contain all segments.

    Returns
    -------
    float32 tensor, shape (n_segments, n_filters)
        max(0, max_r Y[r, k] - b[k]), r over the positions of the segment; 0 for
        segments between tiles, which are in no window.

    Raises
    ------
    ValueError
        The sequence is shorter than its segments, or too long for one call.
    """
    _check_reach(codes.numel(), filters.length, grid, n_segments)
    x = _one_hot(codes, filters)
    out = torch.zeros(
        (n_segments, filters.n_filters), dtype=torch.float32, device=codes.device
    )
    table = torch.tensor(_wanted(grid), dtype=torch.int32, device=codes.device)
    launch = _launch_options(filters, grid)
    per_period = grid.borders.size
    n_periods = -(-n_segments // per_period)
    n_blocks = filters.weights.shape[1] // launch["COLUMNS"]
    n_groups = -(-n_periods // launch["STREAMS"])
    if n_groups:
        _jitted()[(n_groups * n_blocks,)](
            x,
            filters.weights,
            filters.scale,
            filters.bias,
            table,
            out,
            codes.numel() - filters.length,
            grid.stride,
            n_segments,
            filters.n_filters,
            n_blocks,
            per_period,
            len(table),
            **launch,
        )
    return out


def _check_reach(n: int, length: int, grid: SegmentGrid, n_segments: int) -> None:
    # The kernel clips positions to the last one, so a sequence that is too short would
    # give wrong results without an error.
    period, within = divmod(n_segments, grid.borders.size)
    end = period * grid.stride + int(grid.borders[within]) if n_segments else 0
    if n_segments and not end <= n - length + 1:
        raise ValueError(
            f"{n_segments} segments end at position {end}, but {n} bases have "
            f"positions 0 to {n - length + 1}"
        )
    if n > _MAX_BASES:
        raise ValueError(f"{n} bases in one call; use at most {_MAX_BASES}")


def _side(depth: int, precision: str) -> int:
    """Choose the side of a tile: 128, or less to fit shared memory."""
    side = 64 if precision == "ieee" else 128
    while side > 16 and side * depth > _MAX_WEIGHTS:
        side //= 2
    return side


def _wanted(grid: SegmentGrid) -> list[tuple[int, int, int]]:
    """List the segments of a period that are in windows: index, start and end."""
    edges = [*grid.borders.tolist(), grid.stride]
    runs = np.concatenate([grid.forward, grid.reverse])
    used = {i % grid.borders.size for first, end in runs for i in range(first, end)}
    return [(int(i), edges[i], edges[i + 1]) for i in sorted(used)]


def _columns(n_filters: int, depth: int, precision: str) -> int:
    """Choose the number of filters per program, a power of two."""
    return min(_side(depth, precision), max(16, 1 << (n_filters - 1).bit_length()))


def _depths(length: int) -> list[int]:
    """Divide 4 F values into depths of products: powers of two, at least 16."""
    full, rest = divmod(4 * length, _DEPTH)
    tail = [max(16, 1 << (rest - 1).bit_length())] if rest else []
    return [_DEPTH] * full + tail


def _one_hot(codes: Tensor, filters: FusedFilters) -> Tensor:
    # Windows are padded to the depth of the product: the weights there are zero, and
    # zeros follow the last window.
    n = codes.numel()
    extra = filters.weights.shape[2] // 4 - filters.length
    x = filters.weights.new_zeros((n + extra, 4))
    x[:n] = one_hot_tensor(codes, x.dtype)
    return x


def _launch_options(filters: FusedFilters, grid: SegmentGrid) -> dict[str, Any]:
    """Choose the shape of a program; few cases, so it is not tuned at run time."""
    precision = filters.precision
    depths = _depths(filters.length)
    whole = [depth for depth in depths if depth == _DEPTH]
    side = _side(sum(depths), precision)
    lengths = np.diff(np.append(grid.borders, grid.stride))
    # With four steps, running maxima take a quarter of a tile. Segments too short for
    # that use one step, and the maxima take a whole tile.
    steps = 4
    if (-(-lengths // steps) * steps).sum() > 1.5 * grid.stride:
        steps, side = 1, min(side, 64)
    columns = _columns(filters.n_filters, sum(depths), precision)
    # Eight warps: a tile of 128 x 128 takes 64 registers per thread, and two programs
    # share a multiprocessor, so that one multiplies while the other loads or reduces.
    return {
        "COLUMNS": columns,
        "STREAMS": side // steps,
        "STEPS": steps,
        "PARTS": filters.weights.shape[0],
        "FULL": len(whole),
        "TAIL": sum(depths[len(whole) :]),
        "DEPTH": _DEPTH,
        "PRECISION": "tf32" if precision == "tf32" else "ieee",
        "num_warps": 8 if columns == 128 else 4,
        "num_stages": 3 if precision in _DTYPES and sum(depths) <= 80 else 2,
        "enable_fp_fusion": True,
    }


@cache
def _jitted() -> Any:
    # Values that change from call to call must not cause a new compilation.
    counts = "last_position stride n_segments n_filters n_blocks per_period n_wanted"
    return triton.jit(_maxima_kernel, do_not_specialize=counts.split())


@no_type_check
def _maxima_kernel(
    x,
    weights,
    scale,
    bias,
    table,
    out,
    last_position,
    stride,
    n_segments,
    n_filters,
    n_blocks,
    per_period,
    n_wanted,
    COLUMNS: tl.constexpr,
    STREAMS: tl.constexpr,
    STEPS: tl.constexpr,
    PARTS: tl.constexpr,
    FULL: tl.constexpr,
    TAIL: tl.constexpr,
    DEPTH: tl.constexpr,
    PRECISION: tl.constexpr,
):
    # Consecutive programs read the same sequence: filter blocks vary fastest.
    block = tl.program_id(0) % n_blocks
    group = tl.program_id(0) // n_blocks
    columns = block * COLUMNS + tl.arange(0, COLUMNS)
    slots = tl.arange(0, STEPS * STREAMS)
    last_period = (n_segments - 1) // per_period
    origins = tl.minimum(group * STREAMS + slots % STREAMS, last_period) * stride
    ahead = slots // STREAMS
    periods = group * STREAMS + tl.arange(0, STREAMS)
    row: tl.constexpr = FULL * DEPTH + TAIL
    size = n_blocks * COLUMNS * row  # numbers of one part
    back = tl.load(scale + columns)[:, None]
    threshold = tl.load(bias + columns)[:, None]
    # The filters are loaded once, for all positions of the program.
    whole = tl.arange(0, DEPTH)[None, :]
    rows = weights + columns[:, None] * row
    wholes = ()
    for chunk in tl.static_range(FULL):
        for part in tl.static_range(PARTS):
            wholes += (tl.load(rows + part * size + chunk * DEPTH + whole),)
    rests = ()
    if TAIL > 0:
        rest = tl.arange(0, TAIL)[None, :]
        for part in tl.static_range(PARTS):
            rests += (tl.load(rows + part * size + FULL * DEPTH + rest),)
    for entry in range(n_wanted):
        segment = tl.load(table + 3 * entry)
        first = tl.load(table + 3 * entry + 1)
        end = tl.load(table + 3 * entry + 2)
        best = tl.full((COLUMNS, STREAMS), float("-inf"), tl.float32)
        for step in range(first, end, STEPS):
            position = origins + tl.minimum(step + ahead, end - 1)
            windows = x + tl.minimum(position, last_position)[:, None] * 4
            y = tl.zeros((COLUMNS, STEPS * STREAMS), tl.float32)
            for chunk in tl.static_range(FULL):
                bases = tl.trans(tl.load(windows + chunk * DEPTH + whole))
                for part in tl.static_range(PARTS):
                    w = wholes[chunk * PARTS + part]
                    y = tl.dot(w, bases, y, input_precision=PRECISION)
            if TAIL > 0:
                bases = tl.trans(tl.load(windows + FULL * DEPTH + rest))
                for part in tl.static_range(PARTS):
                    y = tl.dot(rests[part], bases, y, input_precision=PRECISION)
            steps = tl.reshape(y, (COLUMNS, STEPS, STREAMS))
            best = tl.maximum(best, tl.max(steps, axis=1))
        best = tl.maximum(best * back - threshold, 0.0)
        index = (periods * per_period + segment)[None, :]
        wanted = (index < n_segments) & (columns[:, None] < n_filters)
        tl.store(out + index.to(tl.int64) * n_filters + columns[:, None], best, wanted)
