"""From codes to log-odds on a GPU, in PyTorch with a Triton kernel where possible.

Everything stays on the device: one byte per base goes in, one value per tile and pair
comes out. In between are the segment maxima of both strands (the *trunk*), the pooling
windows of the tiles, which are runs of segments, and the head.

The trunk is :mod:`tfimpute_tracks.kernels.fused`. Without Triton, a convolution in plain
PyTorch does the same on any device, the CPU included, in blocks because its result is
large. The head is matrix products in float32.

When a batch of tiles does not fit into memory, half of it is tried.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from tfimpute_tracks.engines.gpu_heads import pick_torch_head
from tfimpute_tracks.errors import RunError
from tfimpute_tracks.kernels.encode import one_hot_tensor
from tfimpute_tracks.kernels.fused import (
    HAS_TRITON,
    fuse_filters,
    fused_maxima,
    runs_on,
)
from tfimpute_tracks.kernels.segments import SegmentGrid
from tfimpute_tracks.kernels.tables import reverse_filters
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = ["TorchEngine"]

_LOG = logging.getLogger(__name__)

_BATCH = 1 << 27  # values of segments and windows in a batch of tiles: 512 MB
_MAX_BASES = 1 << 26  # in a batch of tiles
_MAX_VALUES = 1 << 26  # in the largest array that is computed in blocks
_MAX_MESSAGE = 300  # characters of an error that a warning repeats
_CHECKED = 40  # tiles that the kernel is tried on

_Trunk = Callable[[Tensor, int], Tensor]


class TorchEngine:
    """Logits of neighboring tiles for a fixed list of pairs, on one device.

    Only filters are rounded. The effect on a probability, measured with the default
    weights on the bundled region of chr20 with filters rounded on a CPU: at most 1.2e-6
    when exact (22 bits); at most 2.7e-3, 3e-5 on average, when fast (11 bits). TF32 has
    as many bits at half the speed; bfloat16 has 8 and differs by up to 9e-3.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
        At least one.
    grid : SegmentGrid
        How tiles lie.
    device : str
        As PyTorch names it: `cuda:0`, or `cpu` for plain PyTorch.
    fast : bool
        Round the filters to 11 bits: half the work of the fused kernel. In plain
        PyTorch it lets a GPU use TF32, of as many bits; on a CPU it changes nothing.
        Scans do not use it: they guarantee 2e-3.

    Raises
    ------
    RunError
        The device has too little memory for the weights.

    Attributes
    ----------
    device : str
        The device, for receipts and logs.
    tiles_per_batch : int
        Tiles of a batch; fewer once memory ran out.
    """

    def __init__(
        self,
        model: Model,
        pairs: list[Pair],
        grid: SegmentGrid,
        device: str,
        fast: bool = False,
    ) -> None:
        self.device = device
        self._config = model.config
        self._grid = grid
        # Values per tile: segments and windows, each of both strands, and log-odds.
        features = grid.borders.size + self._config.n_windows
        numbers = 2 * self._config.n_filters * features + len(pairs)
        batch = min(_BATCH // numbers, _MAX_BASES // grid.stride)
        self.tiles_per_batch = max(1, batch)
        weights = model.checkpoint.weights
        both = [weights["filters"], reverse_filters(weights["filters"])]
        try:
            with self._placed():
                filters = torch.tensor(np.concatenate(both), device=device)
                bias = torch.tensor(weights["bias"], device=device).repeat(2)
                self._trunk = _pick_trunk(filters, bias, grid, fast)
                self._head = pick_torch_head(model, pairs, device)
        except torch.cuda.OutOfMemoryError as error:
            raise RunError(_out_of_memory(device, len(pairs))) from error

    def logits(self, codes: NDArray[np.uint8], n_tiles: int) -> NDArray[np.float32]:
        """Compute the log-odds of neighboring tiles, of the better strand.

        Parameters
        ----------
        codes : uint8 array, values 0..4
            From the first base of the first tile to the last base of the last one.
        n_tiles : int

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
            Their sigmoid is the probability.

        Raises
        ------
        ValueError
            The codes are not of that many tiles.
        RunError
            The device has too little memory for a single tile.
        """
        stride, seq_len = self._grid.stride, self._config.seq_len
        expected = (n_tiles - 1) * stride + seq_len if n_tiles else 0
        if codes.size != expected:
            raise ValueError(
                f"{n_tiles} tiles of {seq_len} bp every {stride} bp have {expected} "
                f"codes, not {codes.size}"
            )
        out = np.empty((n_tiles, self._head.n_pairs), dtype=np.float32)
        first = 0
        while first < n_tiles:
            n = min(self.tiles_per_batch, n_tiles - first)
            start = first * stride
            part = self._try_batch(codes[start : start + (n - 1) * stride + seq_len], n)
            if part is None:
                self._take_fewer(n)
                continue
            out[first : first + n] = part
            first += n
        return out

    def _try_batch(
        self, codes: NDArray[np.uint8], n_tiles: int
    ) -> NDArray[np.float32] | None:
        # The handler does nothing else: while an exception is handled, its traceback
        # holds the tensors that filled the memory.
        try:
            return self._batch(codes, n_tiles)
        except torch.cuda.OutOfMemoryError:
            return None

    def _batch(self, codes: NDArray[np.uint8], n_tiles: int) -> NDArray[np.float32]:
        with self._placed(), torch.inference_mode():
            on_device = torch.tensor(codes, device=self.device)
            maxima = self._trunk(on_device, self._grid.n_segments(n_tiles))
            windows = _gather_windows(maxima, self._grid, n_tiles)
            del maxima
            logits: NDArray[np.float32] = self._head.logits(windows).cpu().numpy()
        return logits

    def _take_fewer(self, n_tiles: int) -> None:
        if n_tiles == 1:
            raise RunError(_out_of_memory(self.device, self._head.n_pairs))
        self.tiles_per_batch = n_tiles // 2
        _LOG.info(
            "%s: %d tiles do not fit into memory; continuing with %d at a time",
            self.device,
            n_tiles,
            self.tiles_per_batch,
        )
        torch.cuda.empty_cache()

    def _placed(self) -> AbstractContextManager[object]:
        # Triton launches on the current device, whatever the device of its arguments.
        if torch.device(self.device).type == "cuda":
            return torch.cuda.device(self.device)
        return nullcontext()


def _out_of_memory(device: str, n_pairs: int) -> str:
    return (
        f"{device} has too little free memory for one tile with {n_pairs} pairs; stop "
        "other programs there, use fewer pairs, or --device cpu"
    )


def _pick_trunk(filters: Tensor, bias: Tensor, grid: SegmentGrid, fast: bool) -> _Trunk:
    """Use the fused kernel where it works, and plain PyTorch everywhere else."""
    plain = _PlainTrunk(filters, bias, grid, fast)
    if runs_on(filters.device):
        return _fused_or_plain(plain, filters, bias, grid, fast)
    if filters.device.type == "cuda" and not HAS_TRITON:
        _LOG.warning(
            "Triton is not installed: %s runs plain PyTorch, which is slower; install "
            "the extra 'gpu'",
            filters.device,
        )
    return plain


def _fused_or_plain(
    plain: _Trunk, filters: Tensor, bias: Tensor, grid: SegmentGrid, fast: bool
) -> _Trunk:
    """Try the fused kernel, check its output, and warn where it fails."""
    fused = fuse_filters(filters, bias, "fp16" if fast else "fp16x2")

    def trunk(codes: Tensor, n_segments: int) -> Tensor:
        return fused_maxima(codes, fused, grid, n_segments)

    # Neither what compilation needs nor what it may raise is known beforehand.
    try:
        fault = _trunk_fault(trunk, plain, filters, grid, fast)
    except torch.cuda.OutOfMemoryError:
        raise
    except Exception as error:
        fault = " ".join(f"{type(error).__name__}: {error}".split())[:_MAX_MESSAGE]
    if fault:
        _LOG.warning(
            "the Triton kernel does not work on %s, plain PyTorch runs instead: %s",
            filters.device,
            fault,
        )
        return plain
    return trunk


def _trunk_fault(
    trunk: _Trunk, plain: _Trunk, filters: Tensor, grid: SegmentGrid, fast: bool
) -> str:
    """Run both trunks on artificial sequence; return the fault, '' if none."""
    length = filters.shape[1]
    n_segments = grid.n_segments(_CHECKED)
    n = int(grid.spans(_CHECKED)[1][-1]) + length - 1
    codes = (torch.arange(n, device=filters.device) * 7919 % 104_729 % 5).byte()
    ours, theirs = (
        _gather_windows(run(codes, n_segments), grid, _CHECKED)
        for run in (trunk, plain)
    )
    off = float((ours - theirs).abs().max())
    # Each of F weights is off by half its last bit; float32 sums lose some more.
    largest = float(filters.abs().amax())
    allowed = length * largest * (2.0**-10 if fast else 2.0**-18)
    return "" if off <= allowed else f"its values are off by {off:.2g}"


class _PlainTrunk:
    """Segment maxima by `conv1d`, a few stride periods at a time."""

    def __init__(
        self, filters: Tensor, bias: Tensor, grid: SegmentGrid, fast: bool
    ) -> None:
        self._filters = filters.transpose(1, 2).contiguous()  # (2 K, 4, F)
        self._bias = bias
        self._grid = grid
        self._fast = fast

    def __call__(self, codes: Tensor, n_segments: int) -> Tensor:
        stride, step = self._grid.stride, self._grid.borders.size
        n_filters, _, length = self._filters.shape
        out = codes.new_empty((n_segments, n_filters), dtype=torch.float32)
        periods = max(1, _MAX_VALUES // (4 * n_filters * stride))
        for period in range(0, -(-n_segments // step), periods):
            start = period * stride
            segment = codes[start : start + periods * stride + length - 1]
            rows = out[period * step : (period + periods) * step]
            rows.copy_(self._maxima(segment)[: len(rows)])
        return out

    def _maxima(self, codes: Tensor) -> Tensor:
        """Compute the segments of whole periods, also past the end of the codes."""
        x = one_hot_tensor(codes).t()[None]  # (1, 4, n_bases)
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=self._fast):
            y = functional.conv1d(x, self._filters)[0]  # (2 K, positions)
        stride = self._grid.stride
        y = functional.pad(y, (0, -y.shape[1] % stride), value=-torch.inf)
        periods = y.unflatten(1, (-1, stride))
        edges = [*self._grid.borders.tolist(), stride]
        segments = [
            periods[:, :, first:end].amax(dim=2) for first, end in pairwise(edges)
        ]
        maxima = torch.stack(segments, dim=2).flatten(1).t()
        return (maxima - self._bias).relu_()


def _gather_windows(maxima: Tensor, grid: SegmentGrid, n_tiles: int) -> Tensor:
    """Compute each tile's windows from its segments.

    Parameters
    ----------
    maxima : float32 tensor, shape (n_segments, 2 K)
        The forward strand's filters first.
    grid : SegmentGrid
    n_tiles : int

    Returns
    -------
    float32 tensor, shape (2, n_tiles, n_windows, K)
        The paper's M of both strands.
    """
    step = grid.borders.size
    n_filters = maxima.shape[1] // 2
    windows = maxima.new_empty((2, n_tiles, len(grid.forward), n_filters))
    for strand, ranges in enumerate((grid.forward.tolist(), grid.reverse.tolist())):
        own = maxima[:, strand * n_filters : (strand + 1) * n_filters]
        for window, (first, end) in enumerate(ranges):
            segments = own[first : (n_tiles - 1) * step + end]
            # A view: tiles share their segments, and nothing is copied for it.
            runs = segments.unfold(0, end - first, step)  # (n_tiles, K, end - first)
            torch.amax(runs, dim=2, out=windows[strand, :, window])
    return windows
