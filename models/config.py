"""The sizes of a network, and the presets.

A configuration is everything that fixes the shape of the weights, apart from the
vocabulary; how a network is trained is `tfimpute_tracks.training`'s business.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from tfimpute_tracks.errors import UsageError

__all__ = ["NETWORKS", "NetworkConfig"]


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the network, in the paper's symbols.

    Parameters
    ----------
    seq_len : int
        L, letters per sequence.
    filter_length : int
        F, letters per filter.
    n_filters : int
        K.
    pool : int
        Positions per pooling window; the last window may be shorter.
    n_units : int
        H, units of the last layer, of which the largest is the logit.
    embedding_size : int
        Numbers per TF and per cell line.

    Raises
    ------
    UsageError
        A size is not positive, or a filter is longer than the sequence.
    """

    seq_len: int = 200
    filter_length: int = 20
    n_filters: int = 512
    pool: int = 100
    n_units: int = 8
    embedding_size: int = 50

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or value < 1:
                raise UsageError(
                    f"network size {field.name}={value!r}; give a positive integer"
                )
        if self.filter_length > self.seq_len:
            raise UsageError(
                f"filters of {self.filter_length} letters do not fit sequences of "
                f"{self.seq_len}; make filter_length at most seq_len"
            )

    @property
    def n_positions(self) -> int:
        """Filter positions per strand: L - F + 1."""
        return self.seq_len - self.filter_length + 1

    @property
    def n_windows(self) -> int:
        """Pooling windows per strand."""
        return -(-self.n_positions // self.pool)

    def to_dict(self) -> dict[str, int]:
        """Give the sizes by name, for a weights file.

        Returns
        -------
        dict of name to int
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, sizes: dict[str, Any]) -> NetworkConfig:
        """Build a configuration from :meth:`to_dict`'s answer.

        Parameters
        ----------
        sizes : dict

        Returns
        -------
        NetworkConfig

        Raises
        ------
        UsageError
            A name is missing or unknown, or a size is wrong.
        """
        names = {field.name for field in fields(cls)}
        if set(sizes) != names:
            odd = sorted(names ^ set(sizes))
            raise UsageError(
                f"network sizes do not match this version: {', '.join(odd)} missing "
                f"or unknown; expected {', '.join(sorted(names))}"
            )
        return cls(**sizes)


NETWORKS: dict[str, NetworkConfig] = {
    "default": NetworkConfig(),
    "paper": NetworkConfig(seq_len=300, n_filters=2000, n_units=1000),
    "paper-random": NetworkConfig(seq_len=100, n_filters=600),
}
"""Presets: `default` ships trained; the others have the paper's sizes (Methods)."""
