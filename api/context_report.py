"""Warnings about networks that use the sequence around a tile, before long work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfimpute_tracks.api.notes import log

if TYPE_CHECKING:
    from tfimpute_tracks.dataset import Dataset
    from tfimpute_tracks.models.config import NetworkConfig

__all__ = ["check_sequence_length", "warn_stride"]


def check_sequence_length(name: str, config: NetworkConfig, dataset: Dataset) -> None:
    """Warn where the sequences of a data set lack the context that a network uses.

    Parameters
    ----------
    name : str
        Of the model or of the preset.
    config : NetworkConfig
    dataset : Dataset

    Raises
    ------
    UsageError
        The sequences are shorter than a tile.
    """
    read = config.input_slice(dataset.seq_len)
    if read.stop - read.start < config.receptive_field:
        log(
            f"{name} uses {config.receptive_field} bp around a site as context, and the sequences "
            f"of the data set have {dataset.seq_len} bp: sites are scored without "
            f"context; use `prepare --seq-len {config.receptive_field}`",
            warning=True,
        )


def warn_stride(config: NetworkConfig, stride: int) -> None:
    """Warn of a stride at which tiles need extra work.

    Parameters
    ----------
    config : NetworkConfig
    stride : int
        bp between tile starts.
    """
    from tfimpute_tracks.engines.tile_grid import tile_grid

    work = tile_grid(config, stride).step
    if work > 1:
        log(
            f"--stride {stride} takes {work} times the work per tile, because the "
            f"context is computed every {config.stride} bp; a divisor or the default "
            "is faster",
            warning=True,
        )
