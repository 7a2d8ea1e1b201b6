"""The letters of a data set against those that a network reads, told beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfimpute_tracks.commands.console import notify

if TYPE_CHECKING:
    from tfimpute_tracks.dataset import Dataset
    from tfimpute_tracks.models.config import NetworkConfig

__all__ = ["check_letters"]


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
    read = config.letters_read(dataset.seq_len)
    if read.stop - read.start < config.span:
        notify(
            f"{name} looks at the {config.span} letters about a site, and the data set "
            f"has {dataset.seq_len}: sites are judged alone; see `prepare --seq-len "
            f"{config.span}`",
            warning=True,
        )
