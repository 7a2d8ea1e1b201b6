"""What networks that look at a tile's surroundings ask for, told before long work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfimpute_tracks.commands.console import log

if TYPE_CHECKING:
    from tfimpute_tracks.dataset import Dataset
    from tfimpute_tracks.models.config import NetworkConfig

__all__ = ["check_letters", "warn_stride"]


def check_letters(name: str, config: NetworkConfig, dataset: Dataset) -> None:
    """Refuse sequences that are too short; say where they lack surroundings.

    Parameters
    ----------
    name : str
        Of the model, or of the preset.
    config : NetworkConfig
    dataset : Dataset

    Raises
    ------
    UsageError
        They do not even have the letters of a tile.
    """
    read = config.input_slice(dataset.seq_len)
    if read.stop - read.start < config.receptive_field:
        log(
            f"{name} looks at the {config.receptive_field} letters about a site, and the data set "
            f"has {dataset.seq_len}: sites are judged alone; see `prepare --seq-len "
            f"{config.receptive_field}`",
            warning=True,
        )


def warn_stride(config: NetworkConfig, stride: int) -> None:
    """Say where a stride makes tiles and their neighbors lie on a finer row.

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
            f"at a stride of {stride} bp a tile takes {work} times the work: "
            f"neighbors lie {config.stride} bp apart; a divisor of it, or none given, "
            "is faster",
            warning=True,
        )
