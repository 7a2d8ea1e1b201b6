"""Engines: from a segment of sequence to the log-odds of its tiles, on one device.

One interface, two engines: ``cpu_engine`` with look-up tables and sparse features, and
``gpu_engine`` with PyTorch. Both convolve each position once, whatever the overlap of
tiles and the number of pairs, and agree with the network to float32 rounding.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.trunk import MotifTrunk
from tfimpute_tracks.errors import DeviceError, check_packages
from tfimpute_tracks.kernels.segments import SegmentGrid
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = ["Engine", "list_devices", "open_engine", "pick_device"]

_LOG = logging.getLogger(__name__)
# Where the driver of an NVIDIA GPU appears on Linux, and on Linux under Windows.
_DRIVERS = (Path("/proc/driver/nvidia"), Path("/dev/nvidiactl"), Path("/dev/dxg"))


class Engine(Protocol):
    """Scores neighboring tiles for a fixed list of pairs, by sequence alone."""

    @property
    def device(self) -> str:
        """The device, for receipts and logs."""

    def logits(self, codes: NDArray[np.uint8], n_tiles: int) -> NDArray[np.float32]:
        """Score neighboring tiles.

        Parameters
        ----------
        codes : uint8 array, values 0..4
            From the first base of the first tile to the last base of the last one.
        n_tiles : int

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
            Log-odds by sequence alone, the larger of the two strands'. Not defined for
            a tile of which more than half is unknown.
        """


def pick_device(device: str, drivers: Iterable[Path] = _DRIVERS) -> str:
    """Resolve a device that a user named.

    Parameters
    ----------
    device : str
        `auto`, `cpu`, `cuda` or `cuda:N`. `auto` uses a GPU where there is one, and
        PyTorch.
    drivers : iterable of Path
        One of them exists where there is a GPU.

    Returns
    -------
    str
        `cpu` or `cuda:N`.

    Raises
    ------
    DeviceError
        The device is unknown, or this machine does not have it.
    UsageError
        PyTorch is not installed.
    """
    if device == "cpu":
        return "cpu"
    kind, _, number = device.partition(":")
    if kind not in {"auto", "cuda"} or (
        number and not re.fullmatch("[0-9]{1,4}", number)
    ):
        raise DeviceError(
            f"unknown device {device!r}; use auto, cpu, cuda or cuda:N (N from 0)"
        )
    if device == "auto":
        if not any(driver.exists() for driver in drivers):
            return "cpu"  # and a second saved, which importing PyTorch takes
        if find_spec("torch") is None:
            _LOG.warning(
                "the GPU is not used, it needs PyTorch: pip install "
                "'tfimpute-tracks[torch]'"
            )
            return "cpu"
    check_packages(f"--device {device}", "torch")
    import torch

    n_devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        return "cuda:0" if n_devices else "cpu"
    if int(number or 0) >= n_devices:
        raise DeviceError(
            f"no device {device!r}: PyTorch {torch.__version__} finds "
            f"{n_devices} CUDA devices; use --device cpu, or install a CUDA build"
        )
    return f"cuda:{number or 0}"


def list_devices(device: str) -> list[str]:
    """Resolve all devices that a user named.

    Parameters
    ----------
    device : str
        As for :func:`pick_device`; `auto` and `cuda` mean all GPUs.

    Returns
    -------
    list of str
        `cpu` alone, or one or several of `cuda:N`.

    Raises
    ------
    DeviceError
        The device is unknown, or this machine does not have it.
    """
    picked = pick_device(device)
    if picked == "cpu" or device not in {"auto", "cuda"}:
        return [picked]
    import torch

    return [f"cuda:{number}" for number in range(torch.cuda.device_count())]


def open_engine(
    model: Model,
    pairs: list[Pair],
    grid: SegmentGrid,
    device: str,
    fast: bool = False,
    trunk: MotifTrunk | None = None,
) -> Engine:
    """Open the engine of a device.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    grid : SegmentGrid
        How tiles lie.
    device : str
        From :func:`pick_device`.
    fast : bool
        Trade the last digits of a probability, less than 0.002, for speed. It changes
        nothing on a GPU, where `exact` is fast and coarser rounding exceeds 0.002 (see
        :class:`~tfimpute_tracks.engines.gpu_engine.TorchEngine`).
    trunk : MotifTrunk, optional
        Of another CPU engine of the same model, grid and precision.

    Returns
    -------
    Engine
    """
    if device == "cpu":
        from tfimpute_tracks.engines.cpu_engine import LookupEngine

        return LookupEngine(model, pairs, grid, fast, trunk)
    from tfimpute_tracks.engines.gpu_engine import TorchEngine

    return TorchEngine(model, pairs, grid, device)
