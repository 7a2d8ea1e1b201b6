"""Other methods for the look-up kernel: convolutions and matrix products in PyTorch.

All of them go from bases to window maxima. `TilesConvolution` runs the layer over the
explicit tiles, the way a network is run; `LongConvolution` over the sequence once, with
windows that are not those of the tiles, so it does less than is wanted; the forms of
`best_bfloat16` do what is wanted on the processor's matrix instructions.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from timing import seconds, thread_count
from torch import Tensor
from torch.nn.functional import conv1d, max_pool1d

from tfimpute_tracks.kernels.encode import one_hot_tensor
from tfimpute_tracks.kernels.segments import SegmentGrid

__all__ = ["LongConvolution", "TilesConvolution", "best_bfloat16"]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_COMPLEMENT = [3, 2, 1, 0, 4]
_TILES = 50  # per batch: what fits the memory of most machines
_LONG = 5000  # positions per call of the long convolution


class TilesConvolution:
    """`conv1d` and `max_pool1d` in float32 over every tile, both strands.

    Parameters
    ----------
    filters : float32 array, shape (K, F, 4)
    seq_len, pool, stride : int
    """

    def __init__(self, filters: Floats, seq_len: int, pool: int, stride: int) -> None:
        self._weight = torch.from_numpy(filters).transpose(1, 2).contiguous()
        self._sizes = (seq_len, pool, stride)

    def __call__(self, codes: Codes) -> list[Tensor]:
        """Find the maxima.

        Parameters
        ----------
        codes : uint8 array

        Returns
        -------
        list of float32 tensor, shape (n, 2, K, n_windows)
        """
        seq_len, pool, stride = self._sizes
        tiles = torch.from_numpy(codes).unfold(0, seq_len, stride)
        complement = torch.tensor(_COMPLEMENT, dtype=torch.uint8)
        with torch.inference_mode():
            return [
                torch.stack(
                    [
                        self._windows(batch, pool),
                        self._windows(complement[batch.long()].flip(1), pool),
                    ],
                    dim=1,
                )
                for batch in tiles.split(_TILES)
            ]

    def _windows(self, codes: Tensor, pool: int) -> Tensor:
        y = conv1d(one_hot_tensor(codes).transpose(1, 2), self._weight)
        return max_pool1d(y, pool, ceil_mode=True)


class LongConvolution:
    """The same layer over the sequence once, filters of both strands.

    Parameters
    ----------
    both : float32 array, shape (2 K, F, 4)
    pool : int
    """

    def __init__(self, both: Floats, pool: int) -> None:
        self._weight = torch.from_numpy(both).transpose(1, 2).contiguous()
        self._pool = pool

    def __call__(self, codes: Codes) -> None:
        """Find the maxima of windows that lie end to end.

        Parameters
        ----------
        codes : uint8 array
        """
        with torch.inference_mode():
            for part in torch.from_numpy(codes).split(_LONG):
                x = one_hot_tensor(part).t()[None]
                max_pool1d(conv1d(x, self._weight), self._pool, ceil_mode=True)


class _Bfloat16:
    """Segment maxima by bfloat16 products of some stride periods at a time."""

    def __init__(self, both: Floats, grid: SegmentGrid, periods: int) -> None:
        n_filters, self._length, _ = both.shape
        flat = torch.from_numpy(both.reshape(n_filters, -1))
        self._right = flat.t().contiguous().bfloat16()  # (80, 2 K)
        self._left = flat.contiguous().bfloat16()  # (2 K, 80)
        self._kernel = self._left.view(n_filters, self._length, 4).transpose(1, 2)
        self._kernel = self._kernel.contiguous()
        self._grid = grid
        self._n = periods * grid.stride
        edges = [*grid.borders.tolist(), grid.stride]
        self._segments = list(pairwise(edges))

    def _unfolded(self, x: Tensor) -> Tensor:
        # Neighboring windows overlap in memory: no copy but the product's own.
        n = x.shape[0] - self._length + 1
        return x.as_strided((n, 4 * self._length), (4, 1))

    def _rows(self, y: Tensor) -> Tensor:
        periods = y.view(-1, self._grid.stride, y.shape[1])
        return torch.stack([periods[:, a:b].amax(1) for a, b in self._segments], 1)

    def _columns(self, y: Tensor) -> Tensor:
        periods = y.view(y.shape[0], -1, self._grid.stride)
        maxima = [periods[..., a:b].amax(2) for a, b in self._segments]
        return torch.stack(maxima, 2).permute(1, 2, 0)

    def product(self, x: Tensor) -> Tensor:
        return self._rows(torch.mm(self._unfolded(x), self._right))

    def linear(self, x: Tensor) -> Tensor:
        return self._rows(torch.nn.functional.linear(self._unfolded(x), self._left))

    def transposed(self, x: Tensor) -> Tensor:
        return self._columns(torch.mm(self._left, self._unfolded(x).t()))

    def convolution(self, x: Tensor) -> Tensor:
        return self._columns(conv1d(x.t()[None], self._kernel)[0])

    def run(
        self, step: Callable[[Tensor], Tensor], pool: ThreadPoolExecutor | None
    ) -> Callable[[Codes, int], Tensor]:
        """Make a function of a step: codes and n_tiles in, windows of tiles out."""

        def one(x: Tensor) -> Tensor:
            # A thread of the pool has a mode and a number of threads of its own.
            with torch.inference_mode():
                if pool is not None:
                    torch.set_num_threads(1)
                return step(x)

        def windows(codes: Codes, n_tiles: int) -> Tensor:
            n_segments = self._grid.n_segments(n_tiles)
            n_periods = -(-n_segments // self._grid.borders.size)
            reach = n_periods * self._grid.stride + self._length - 1
            with torch.inference_mode():
                x = torch.zeros(reach, 4, dtype=torch.bfloat16)
                n = min(reach, codes.size)
                x[:n] = one_hot_tensor(torch.from_numpy(codes[:n]), torch.bfloat16)
                last = reach - self._length + 1
                starts = range(0, last, self._n)
                parts = [
                    x[a : min(a + self._n, last) + self._length - 1] for a in starts
                ]
                done = (pool.map if pool else map)(one, parts)
                segments = torch.cat(list(done)).flatten(0, 1)[:n_segments]
                return self._gather(segments, n_tiles)

        return windows

    def _gather(self, segments: Tensor, n_tiles: int) -> Tensor:
        step, half = self._grid.borders.size, segments.shape[1] // 2
        strands = []
        for k, ranges in enumerate((self._grid.forward, self._grid.reverse)):
            own = segments[:, k * half : (k + 1) * half]
            windows = [
                torch.stack(
                    [own[i::step][:n_tiles] for i in range(first, last)], dim=0
                ).amax(0)
                for first, last in ranges.tolist()
            ]
            strands.append(torch.stack(windows, 1))
        return torch.stack(strands, 1)  # (n_tiles, 2, n_windows, K)


def best_bfloat16(
    both: Floats, grid: SegmentGrid, codes: Codes, n_tiles: int
) -> tuple[str, Callable[[Codes, int], Tensor]]:
    """Try the forms of the product on a piece of sequence and give the fastest.

    Parameters
    ----------
    both : float32 array, shape (2 K, F, 4)
        Filters, and their reverse complements.
    grid : SegmentGrid
    codes : uint8 array
        What they are tried on.
    n_tiles : int
        Tiles in it.

    Returns
    -------
    name : str
    function : callable
        (codes, n_tiles) to a bfloat16 tensor, shape (n_tiles, 2, n_windows, K).
    """
    own = ThreadPoolExecutor(thread_count())
    tried = []
    for periods in (1, 2, 5, 10):
        forms = _Bfloat16(both, grid, periods)
        steps = {"mm": forms.product, "linear": forms.linear}
        if periods in (2, 10):  # far behind at any size
            steps |= {"mm, transposed": forms.transposed, "conv1d": forms.convolution}
        for name, step in steps.items():
            for pool in (None, own):
                run = forms.run(step, pool)
                run(codes, n_tiles)
                taken = min(seconds(lambda: run(codes, n_tiles)) for _ in range(2))  # noqa: B023
                threads = "a thread each" if pool else "PyTorch's threads"
                label = f"{name} + amax, {periods * grid.stride} positions, {threads}"
                tried.append((taken, label, run))
    _, label, run = min(tried, key=lambda entry: entry[0])
    return label, run
