"""Network configurations: the sizes of each family of networks.

A configuration and the vocabulary fix the shape of every weight. How a network is trained
is up to :mod:`tfimpute_tracks.training`. Nothing here imports PyTorch, which takes a
second: a scan on a CPU starts without it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from tfimpute_tracks.errors import UsageError

__all__ = ["GatedConfig", "NetworkConfig", "RecurrentConfig", "ResidualConfig"]

Shapes = dict[str, tuple[int, ...]]

# float32 values in a vector. A matrix product over rows of whole vectors gives a row the
# same bits wherever it lies, so that a tile's score does not depend on its neighbors.
_LANES = 8


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes that every family has, in the paper's symbols.

    A family adds its own sizes in a subclass, with its name as `family`.

    Parameters
    ----------
    seq_len : int
        L, bp per tile.
    filter_length : int
        F, bp per filter.
    n_filters : int
        K.
    pool : int
        Filter positions per pooling window; the last window may be shorter.
    context_tiles : int
        R, tiles on either side, `stride` bp apart, whose scores a tile's score depends
        on; 0 for none.

    Raises
    ------
    UsageError
        A size is out of range.
    """

    family: ClassVar[str]
    """Name of the family in weights files."""
    gates_motifs: ClassVar[bool] = False
    """The gates and units of TFImpute work on the motif features themselves: engines may
    use sparse products, and an explanation is an exact sum."""
    supports_rows: ClassVar[bool] = False
    """The blocks are those of ResidualTFImpute, which rows of overlapping tiles share."""
    pass_per_cell: ClassVar[bool] = False
    """Scoring a sequence takes one pass of the network per cell line."""
    multiples_of_8: ClassVar[tuple[str, ...]] = ("n_filters",)
    """Sizes that must be multiples of 8."""

    seq_len: int = 200
    filter_length: int = 20
    n_filters: int = 512
    pool: int = 100
    context_tiles: int = 0

    def __post_init__(self) -> None:
        for name, size in asdict(self).items():
            lowest = 0 if name == "context_tiles" else 1
            if not isinstance(size, int) or size < lowest:
                raise UsageError(
                    f"network size {name}={size!r}; use an integer of at least {lowest}"
                )
            if name in self.multiples_of_8 and size % _LANES:
                raise UsageError(
                    f"network size {name}={size} in a {self.family} network; use a "
                    f"multiple of {_LANES}"
                )
        if self.filter_length > self.seq_len:
            raise UsageError(
                f"filters of {self.filter_length} bp do not fit sequences of "
                f"{self.seq_len} bp; use a filter_length of at most seq_len"
            )

    @property
    def stride(self) -> int:
        """Default distance between tile starts in bp: that of whole pooling windows.

        One window where pairs gate the motif features; otherwise as many as fit 100 bp.
        """
        return self.pool if self.gates_motifs else max(100 // self.pool, 1) * self.pool

    @property
    def flank(self) -> int:
        """Sequence on either side of a tile that its score depends on, in bp."""
        return self.context_tiles * self.stride

    @property
    def receptive_field(self) -> int:
        """Sequence that a tile's score depends on, in bp."""
        return self.seq_len + 2 * self.flank

    @property
    def n_positions(self) -> int:
        """Filter positions per strand: L - F + 1."""
        return self.seq_len - self.filter_length + 1

    @property
    def n_windows(self) -> int:
        """Pooling windows per strand."""
        return -(-self.n_positions // self.pool)

    def input_slice(self, length: int, single: bool = False) -> slice:
        """Find the middle part of a site's sequence that the network reads.

        Parameters
        ----------
        length : int
            Of the sequence, in bp.
        single : bool
            Read the tile only, without its context.

        Returns
        -------
        slice
            Of `receptive_field` bp; of `seq_len` bp where the sequence is too short.

        Raises
        ------
        UsageError
            The sequence is shorter than a tile.
        """
        if length < self.seq_len:
            raise UsageError(
                f"the data set has sequences of {length} bp and the network reads "
                f"{self.seq_len}; run `tfimpute-tracks prepare --seq-len "
                f"{self.receptive_field}`"
            )
        whole = not single and length >= self.receptive_field
        size = self.receptive_field if whole else self.seq_len
        first = length // 2 - size // 2
        return slice(first, first + size)

    def n_tiles(self, length: int) -> int:
        """Count the tiles that the network scores in a sequence.

        Parameters
        ----------
        length : int
            `seq_len` or `receptive_field`.

        Returns
        -------
        int
        """
        return 1 + 2 * self.context_tiles * (length > self.seq_len)

    def to_dict(self) -> dict[str, Any]:
        """Return the family and the sizes, for files.

        Returns
        -------
        dict
            JSON values, from which
            :func:`tfimpute_tracks.models.registry.config_from_dict` rebuilds it.
        """
        return {"family": self.family, **asdict(self)}

    def array_shapes(self, n_tfs: int, n_cells: int) -> Shapes:
        """Return the shapes of the arrays that engines read without PyTorch.

        Parameters
        ----------
        n_tfs, n_cells : int

        Returns
        -------
        dict of name to shape
            Some or all parameters of the network. The network's own module checks the
            others when it loads them.
        """
        shapes: Shapes = {
            "filters": (self.n_filters, self.filter_length, 4),
            "bias": (self.n_filters,),
        }
        if self.context_tiles:
            shapes["context.weight"] = (self.context_tiles + 1,)
            shapes["context.bias"] = (1,)
        return shapes


@dataclass(frozen=True)
class GatedConfig(NetworkConfig):
    """Sizes of the paper's network (``network.py``), added to the common ones.

    Parameters
    ----------
    n_units : int
        H, units of the last layer; the largest is the logit.
    embedding_size : int
        Dimensions of the embeddings of TFs and cell lines.
    """

    family: ClassVar[str] = "gated"
    gates_motifs: ClassVar[bool] = True
    multiples_of_8: ClassVar[tuple[str, ...]] = ()

    n_units: int = 8
    embedding_size: int = 50

    @property
    def n_features(self) -> int:
        """Features per window that a pair's gates multiply."""
        return self.n_filters

    @property
    def n_unit_windows(self) -> int:
        """Windows with unit weights of their own."""
        return self.n_windows

    def array_shapes(self, n_tfs: int, n_cells: int) -> Shapes:
        """Add the gates and units; see :meth:`NetworkConfig.array_shapes`.

        Parameters
        ----------
        n_tfs, n_cells : int

        Returns
        -------
        dict of name to shape
        """
        return {
            **super().array_shapes(n_tfs, n_cells),
            "tf_embedding": (n_tfs, self.embedding_size),
            "cell_embedding": (n_cells, self.embedding_size),
            "gate_weight": (2 * self.embedding_size, self.n_features),
            "gate_bias": (self.n_features,),
            "unit_weight": (self.n_unit_windows, self.n_units, self.n_features),
            "unit_bias": (self.n_units,),
        }


@dataclass(frozen=True)
class ResidualConfig(GatedConfig):
    """Sizes of the network with residual blocks (``residual.py``), added to the others.

    Parameters
    ----------
    filter_length, pool, context_tiles : int
        As for :class:`NetworkConfig`. Windows of `pool` positions fill the sequence.
    channels : int
        C, features per window in the blocks.
    blocks : int

    Raises
    ------
    UsageError
        A size is out of range, or windows do not fill the sequence.
    """

    family: ClassVar[str] = "residual"
    gates_motifs: ClassVar[bool] = False
    supports_rows: ClassVar[bool] = True
    multiples_of_8: ClassVar[tuple[str, ...]] = ("n_filters", "channels")

    filter_length: int = 21
    pool: int = 15
    context_tiles: int = 4
    channels: int = 256
    blocks: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_positions % self.pool:
            raise UsageError(
                f"pool={self.pool} does not divide the {self.n_positions} positions of "
                f"a filter of {self.filter_length} bp in {self.seq_len} bp; use one that "
                "does, so that both strands have the same windows"
            )

    @property
    def n_features(self) -> int:
        """Features per window that a pair's gates multiply."""
        return self.channels

    @property
    def n_unit_windows(self) -> int:
        """Windows with unit weights of their own: up to the middle one."""
        return (self.n_windows + 1) // 2


@dataclass(frozen=True)
class RecurrentConfig(NetworkConfig):
    """Sizes of the paper's revised network (``recurrent.py``), added to the common ones.

    Parameters
    ----------
    seq_len, pool : int
        As for :class:`NetworkConfig`.
    recurrent_units : int
        Units of the recurrent layer.
    """

    family: ClassVar[str] = "recurrent"
    pass_per_cell: ClassVar[bool] = True
    multiples_of_8: ClassVar[tuple[str, ...]] = ("n_filters", "recurrent_units")

    seq_len: int = 1000
    pool: int = 50
    recurrent_units: int = 1000
