"""Motif features of neighbouring tiles: one interface, a CPU and a PyTorch engine.

An engine turns a stretch of codes into the pooling windows of every tile in it, both
strands, convolving each position once. Engines agree with the plain network to float32
rounding; which one runs is a question of the device only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import DeviceError
from tfimpute_tracks.kernels.lookup import (
    build_tables,
    reverse_filters,
    span_maxima,
    word_rows,
)
from tfimpute_tracks.kernels.segments import SegmentGrid, tile_windows
from tfimpute_tracks.models.model import Model

if TYPE_CHECKING:
    import torch

__all__ = ["LookupEngine", "MotifEngine", "TorchEngine", "open_engine", "pick_device"]

Floats = NDArray[np.float32]


class MotifEngine(Protocol):
    """What turns sequence into motif features."""

    @property
    def device(self) -> str:
        """Where it runs, for receipts and logs."""

    def windows(
        self, codes: NDArray[np.uint8], grid: SegmentGrid, n_tiles: int
    ) -> tuple[Floats, Floats]:
        """Give the pooling windows of neighbouring tiles on both strands.

        Parameters
        ----------
        codes : uint8 array, values 0..4
            From the first tile's first letter to the last tile's last.
        grid : SegmentGrid
        n_tiles : int

        Returns
        -------
        forward, reverse : float32 array, shape (n_tiles, n_windows, K)
            The paper's M before the gate, as the network sees each strand.
        """


class _Engine(ABC):
    """What both engines share: segment maxima in, rectified windows out."""

    def __init__(self, model: Model) -> None:
        self._filters = model.checkpoint.weights["filters"]
        self._bias = model.checkpoint.weights["bias"]

    @abstractmethod
    def _segment_maxima(
        self, codes: NDArray[np.uint8], grid: SegmentGrid, n_tiles: int
    ) -> tuple[Floats, Floats]:
        """Convolve: (n_segments, K) per strand, before bias and ReLU."""

    def windows(
        self, codes: NDArray[np.uint8], grid: SegmentGrid, n_tiles: int
    ) -> tuple[Floats, Floats]:
        """Give the pooling windows of neighbouring tiles; see :class:`MotifEngine`.

        Parameters
        ----------
        codes : uint8 array, values 0..4
        grid : SegmentGrid
        n_tiles : int

        Returns
        -------
        forward, reverse : float32 array, shape (n_tiles, n_windows, K)
        """
        forward, reverse = self._segment_maxima(codes, grid, n_tiles)
        step = grid.borders.size
        strands = (
            tile_windows(forward, grid.forward, step, n_tiles),
            tile_windows(reverse, grid.reverse, step, n_tiles),
        )
        for m in strands:
            m -= self._bias
            np.maximum(m, 0, out=m)
        return strands


class LookupEngine(_Engine):
    """The convolution through look-up tables, on the CPU.

    Parameters
    ----------
    model : Model
    fast : bool
        int16 tables instead of float32 ones.
    """

    device = "cpu"

    def __init__(self, model: Model, fast: bool = False) -> None:
        super().__init__(model)
        self._tables = (
            build_tables(self._filters, fast),
            build_tables(reverse_filters(self._filters), fast),
        )

    def _segment_maxima(
        self, codes: NDArray[np.uint8], grid: SegmentGrid, n_tiles: int
    ) -> tuple[Floats, Floats]:
        starts, ends = grid.spans(n_tiles)
        rows = word_rows(codes, self._tables[0].tables.shape[1])
        forward, reverse = (
            span_maxima(rows, tables, starts, ends) for tables in self._tables
        )
        return forward, reverse


class TorchEngine(_Engine):
    """The convolution in plain PyTorch, for any device it knows.

    Parameters
    ----------
    model : Model
    device : str
        As PyTorch names it.
    fast : bool
        Let a GPU round the factors of the convolution to TF32.
    """

    def __init__(self, model: Model, device: str, fast: bool = False) -> None:
        import torch

        super().__init__(model)
        self.device = device
        self._fast = fast
        both = np.stack([self._filters, reverse_filters(self._filters)])
        flat = torch.from_numpy(both.reshape(-1, *both.shape[2:]))
        self._both = flat.transpose(1, 2).contiguous().to(device)  # (2 K, 4, F)
        self._letters = torch.eye(5, 4, device=device)

    def _segment_maxima(
        self, codes: NDArray[np.uint8], grid: SegmentGrid, n_tiles: int
    ) -> tuple[Floats, Floats]:
        import torch

        n_segments = grid.n_segments(n_tiles)
        with torch.inference_mode():
            y = self._convolve(codes)  # (2 K, positions)
            n_periods = -(-n_segments // grid.borders.size)
            width = n_periods * grid.stride
            missing = max(0, width - y.shape[1])
            y = torch.nn.functional.pad(y, (0, missing), value=-torch.inf)[:, :width]
            periods = y.unflatten(1, (n_periods, grid.stride))
            edges = [*grid.borders.tolist(), grid.stride]
            segments = torch.stack(
                [
                    periods[:, :, first:last].amax(dim=2)
                    for first, last in pairwise(edges)
                ],
                dim=2,
            )  # (2 K, n_periods, segments per period)
            maxima = segments.flatten(1)[:, :n_segments].t().contiguous().cpu().numpy()
        n_filters = self._filters.shape[0]
        return (
            np.ascontiguousarray(maxima[:, :n_filters]),
            np.ascontiguousarray(maxima[:, n_filters:]),
        )

    def _convolve(self, codes: NDArray[np.uint8]) -> torch.Tensor:
        import torch

        index = torch.from_numpy(codes).to(self.device).long()
        x = self._letters[index].t()[None]  # (1, 4, letters)
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=self._fast):
            return torch.nn.functional.conv1d(x, self._both)[0]


def pick_device(device: str) -> str:
    """Turn what a user typed into a device that is there.

    Parameters
    ----------
    device : str
        `auto`, `cpu`, `cuda` or `cuda:N`. `auto` takes a GPU where there is one.

    Returns
    -------
    str
        `cpu` or `cuda:N`.

    Raises
    ------
    DeviceError
        The device is unknown or not there.
    """
    if device == "cpu":
        return "cpu"
    kind, _, number = device.partition(":")
    if kind not in {"auto", "cuda"} or (number and not number.isdigit()):
        raise DeviceError(
            f"unknown device {device!r}; give auto, cpu, cuda or cuda:N (N from 0)"
        )
    import torch

    n_devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        return "cuda:0" if n_devices else "cpu"
    if int(number or 0) >= n_devices:
        raise DeviceError(
            f"device {device!r} is not there: PyTorch {torch.__version__} sees "
            f"{n_devices} CUDA devices; use --device cpu, or install a CUDA build"
        )
    return f"cuda:{number or 0}"


def open_engine(model: Model, device: str = "cpu", fast: bool = False) -> MotifEngine:
    """Make the engine for a device.

    Parameters
    ----------
    model : Model
    device : str
        From :func:`pick_device`.
    fast : bool
        Give up the last digits of a probability for speed.

    Returns
    -------
    MotifEngine
    """
    if device == "cpu":
        return LookupEngine(model, fast)
    return TorchEngine(model, device, fast)
