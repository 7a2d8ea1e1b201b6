"""The sizes of a network, and the presets.

A configuration is everything that fixes the shape of the weights, apart from the
vocabulary; how a network is trained is `tfimpute_tracks.training`'s business.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from tfimpute_tracks.errors import UsageError

__all__ = ["NETWORKS", "NetworkConfig"]


# Parts that the paper's first network lacks; files written before they were there do
# not name them.
_OPTIONAL = {"channels", "blocks", "recurrent_units", "reach"}
# Float32 numbers in a vector. With rows of whole vectors a matrix product gives a row
# the same bits wherever it stands: a tile's score does not depend on its neighbors.
_LANES = 8


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
        Numbers per TF and per cell line. With `recurrent_units` cell lines have
        `n_filters` numbers and TFs none.
    channels, blocks : int
        Numbers per window behind the residual blocks, and how many blocks there are; 0
        both: motif features go to the gates as they are, as in the paper. With blocks,
        windows of `pool` positions fill the sequence without a rest.
    recurrent_units : int
        Units of the recurrent layer of the paper's revised network; 0: none.
    reach : int
        Tiles on either side, `stride` bp apart, whose scores a tile's score takes in;
        0: it stands alone.

    Raises
    ------
    UsageError
        A size is not positive, a filter is longer than the sequence, or parts are asked
        for that do not go together.
    """

    seq_len: int = 200
    filter_length: int = 20
    n_filters: int = 512
    pool: int = 100
    n_units: int = 8
    embedding_size: int = 50
    channels: int = 0
    blocks: int = 0
    recurrent_units: int = 0
    reach: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            least = 0 if field.name in _OPTIONAL else 1
            if not isinstance(value, int) or value < least:
                raise UsageError(
                    f"network size {field.name}={value!r}; give a positive integer"
                    + (", or 0 for none" if least == 0 else "")
                )
        if bool(self.channels) != bool(self.blocks):
            raise UsageError(
                f"channels={self.channels} with blocks={self.blocks}; residual blocks "
                "need both, a network without them has 0 of both"
            )
        if self.recurrent_units and self.blocks:
            raise UsageError(
                f"recurrent_units={self.recurrent_units} with blocks={self.blocks}; "
                "a network has residual blocks or a recurrent layer, set one to 0"
            )
        if self.blocks and self.n_positions % self.pool:
            raise UsageError(
                f"pool={self.pool} does not divide the {self.n_positions} positions of "
                f"a filter of {self.filter_length} in {self.seq_len} letters; with "
                "residual blocks windows are the same seen from either strand"
            )
        if not self.is_plain:
            for name in ("n_filters", "channels", "recurrent_units"):
                if getattr(self, name) % _LANES:
                    raise UsageError(
                        f"{name}={getattr(self, name)} in a network with residual "
                        f"blocks or a recurrent layer; give a multiple of {_LANES}"
                    )
        if self.filter_length > self.seq_len:
            raise UsageError(
                f"filters of {self.filter_length} letters do not fit sequences of "
                f"{self.seq_len}; make filter_length at most seq_len"
            )

    @property
    def is_plain(self) -> bool:
        """Whether gates and maxout work on the motif features themselves."""
        return not (self.blocks or self.recurrent_units)

    @property
    def stride(self) -> int:
        """Distance of tiles in bp, unless another is asked for.

        That of windows where these are long; else a multiple of it, up to 100 bp.
        """
        return self.pool if self.is_plain else max(100 // self.pool, 1) * self.pool

    @property
    def flank(self) -> int:
        """Letters on either side of a tile that its score depends on."""
        return self.reach * self.stride

    @property
    def span(self) -> int:
        """Letters that a tile's score depends on."""
        return self.seq_len + 2 * self.flank

    def bases_read(self, length: int, alone: bool = False) -> slice:
        """Find the letters that the network reads of sequences about a site.

        Parameters
        ----------
        length : int
            Of the sequences; longer ones serve as well, read in the middle.
        alone : bool
            Leave out what is around the tile.

        Returns
        -------
        slice
            Of `span` letters, or where the sequences have fewer of the tile alone.

        Raises
        ------
        UsageError
            They do not even have the letters of a tile.
        """
        if length < self.seq_len:
            raise UsageError(
                f"the data set has sequences of {length} letters and the network reads "
                f"{self.seq_len}; run `tfimpute-tracks prepare --seq-len {self.span}`"
            )
        read = self.seq_len if alone or length < self.span else self.span
        first = length // 2 - read // 2
        return slice(first, first + read)

    def tiles_read(self, length: int) -> int:
        """Give the number of tiles that the network reads of a sequence.

        Parameters
        ----------
        length : int
            `seq_len` or `span`.

        Returns
        -------
        int
        """
        return 1 + 2 * self.reach * (length > self.seq_len)

    @property
    def n_unit_windows(self) -> int:
        """Windows with weights of their own: with `blocks` up to the middle."""
        return (self.n_windows + 1) // 2 if self.blocks else self.n_windows

    @property
    def n_features(self) -> int:
        """Numbers per window that a pair's gates multiply."""
        return self.channels or self.n_filters

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
            Without parts that the network does not have.
        """
        sizes = asdict(self)
        return {n: size for n, size in sizes.items() if size or n not in _OPTIONAL}

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
        if not names - _OPTIONAL <= set(sizes) <= names:
            odd = sorted((names - _OPTIONAL - set(sizes)) | (set(sizes) - names))
            raise UsageError(
                f"network sizes do not match this version: {', '.join(odd)} missing "
                f"or unknown; expected {', '.join(sorted(names))}"
            )
        return cls(**sizes)


NETWORKS: dict[str, NetworkConfig] = {
    "default": NetworkConfig(),
    "deep": NetworkConfig(filter_length=21, pool=15, channels=256, blocks=2, reach=4),
    "gru": NetworkConfig(
        seq_len=1000, n_filters=512, pool=50, embedding_size=512, recurrent_units=1000
    ),
    "paper": NetworkConfig(seq_len=300, n_filters=2000, n_units=1000),
    "paper-random": NetworkConfig(seq_len=100, n_filters=600),
}
"""Presets. `default` and `deep` ship trained; `paper` and `paper-random` have the
paper's sizes (Methods); `gru` is its revised network with fewer filters."""
