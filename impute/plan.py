"""What a bulk run makes: which pairs, which tiles, cut into which shards.

A shard is a block of tiles x a block of pairs, and one file. The plan is written into
``store.json`` before anything is computed; every process of a run, on whatever machine,
reads it there. It tells the digests of all that scores depend on, so a store is never
continued with other weights, another sequence or another release.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks import __version__
from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.engines.tile_grid import tile_grid
from tfimpute_tracks.engines.tiles import TileRange, cut_blocks, read_codes
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome import Region, Sequences
from tfimpute_tracks.kernels.codes import Scale, code_scale
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage import digest_arrays, digest_json
from tfimpute_tracks.tracks import plan_tiles
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "TILES_PER_SHARD",
    "Block",
    "Plan",
    "Shard",
    "ShardSize",
    "make_plan",
    "share_of",
]

TILES_PER_SHARD = 16384
_NAMES = ("model", "genome", "basis")
# Log-odds of a threshold of 0 or 1 are infinite; codes need a line to count from.
_FURTHEST_LINE = 17.0
_LARGEST_MARGIN = 10.0  # log-odds


class Block(NamedTuple):
    """Neighboring tiles, with the digest of the letters that they cover."""

    tiles: TileRange
    digest: str


class Shard(NamedTuple):
    """A block of tiles x a block of pairs: what one file holds.

    Attributes
    ----------
    number : int
        Its number in the plan.
    block : Block
    first_pair, n_pairs : int
        Of the plan's pairs.
    """

    number: int
    block: Block
    first_pair: int
    n_pairs: int

    @property
    def pairs(self) -> slice:
        """Its pairs among those of the plan."""
        return slice(self.first_pair, self.first_pair + self.n_pairs)

    @property
    def n_scores(self) -> int:
        """Tiles times pairs."""
        return self.block.tiles.n_tiles * self.n_pairs

    @property
    def file_name(self) -> str:
        """What its file is called, the number first."""
        chrom = "".join(c if c.isalnum() else "_" for c in self.block.tiles.chrom[:40])
        return f"{self.number:06d}.{chrom}.{self.block.tiles.first}.h5"


class ShardSize(NamedTuple):
    """How large a shard is at most: tiles, and pairs (0 for all of them)."""

    tiles: int = TILES_PER_SHARD
    pairs: int = 0


@dataclass(frozen=True)
class Plan:
    """All that a store's content depends on.

    Attributes
    ----------
    tool_version : str
    model, weights : str
        Name and digest of the weights.
    genome : str
        What the sequence is called.
    device, precision : str
        `cpu` or `cuda`; `exact` or `fast`.
    seq_len, stride : int
        In bp.
    chrom_sizes : dict of str to int
    regions : list of str
        As browsers print them.
    margin : float or None
        Scores so many log-odds below the pair's peak line are not kept; None keeps all.
    shard_size : ShardSize
    blocks : list of Block
    tfs, cells : list of str
        Of each pair, in the order of the store.
    status : list of str
        `trained` or `imputed`, of each pair.
    thresholds : list of float
        The probability that calls a peak, of each pair.
    aurocs : list of float or None
        What to expect of each pair; see
        :meth:`tfimpute_tracks.models.model.Model.expected_auroc`.
    evidence : dict of str
        Digests of measured tracks and of the weights that read them, by name; empty
        where letters alone count.
    basis : str
        What scores go by, in words.
    """

    tool_version: str
    model: str
    weights: str
    genome: str
    device: str
    precision: str
    seq_len: int
    stride: int
    chrom_sizes: dict[str, int]
    regions: list[str]
    margin: float | None
    shard_size: ShardSize
    blocks: list[Block]
    tfs: list[str]
    cells: list[str]
    status: list[str]
    thresholds: list[float]
    aurocs: list[float | None]
    evidence: dict[str, str] = field(default_factory=dict)
    basis: str = "sequence"

    @cached_property
    def digest(self) -> str:
        """Digest of all of it but the names of files, which do not count."""
        entries = self.entries()
        return digest_json({key: entries[key] for key in entries if key not in _NAMES})

    @property
    def digests(self) -> dict[str, str]:
        """Digests of what scores depend on beside letters, as a model tells them."""
        return {"weights": self.weights, **self.evidence}

    @cached_property
    def pairs(self) -> list[Pair]:
        """The pairs, in the order of the store."""
        return [Pair(*names) for names in zip(self.tfs, self.cells, strict=True)]

    @cached_property
    def scale(self) -> Scale:
        """What the codes of each pair stand for."""
        lines = [_log_odds(threshold) for threshold in self.thresholds]
        return code_scale(np.array(lines, dtype=np.float32))

    @cached_property
    def shards(self) -> list[Shard]:
        """Every shard; those of the same tiles stand side by side."""
        step = self.shard_size.pairs or len(self.tfs)
        pieces = [
            (block, first, min(step, len(self.tfs) - first))
            for block in self.blocks
            for first in range(0, len(self.tfs), step)
        ]
        return [Shard(index, *piece) for index, piece in enumerate(pieces)]

    def entries(self) -> dict[str, Any]:
        """Give all of it by name, as it is written down.

        Returns
        -------
        dict
        """
        entries = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        # As it was before there was evidence: older stores go on.
        if not self.evidence:
            del entries["evidence"], entries["basis"]
        return entries

    @property
    def n_tiles(self) -> int:
        """Tiles of all blocks."""
        return sum(block.tiles.n_tiles for block in self.blocks)

    @property
    def is_sparse(self) -> bool:
        """Whether scores below a floor are left out."""
        return self.margin is not None

    def megabases(self, n_scores: float) -> float:
        """Tell scores in Mb x pairs.

        Parameters
        ----------
        n_scores : float

        Returns
        -------
        float
        """
        return n_scores * self.stride / 1e6


def make_plan(
    model: Model,
    pairs: Iterable[Pair],
    regions: list[Region],
    genome: Sequences,
    stride: int,
    *,
    device: str = "cpu",
    fast: bool = False,
    sparse: float | None = None,
    shard_size: ShardSize | None = None,
    threads: int = 1,
) -> Plan:
    """Plan a run; the sequence is read once, for its digests.

    Parameters
    ----------
    model : Model
    pairs : iterable of Pair
    regions : list of Region
        Sorted, not overlapping.
    genome : Sequences
    stride : int
        bp between tile starts.
    device : str
        From :func:`tfimpute_tracks.engines.engine.pick_device`.
    fast : bool
    sparse : float, optional
        Keep only scores down to so many log-odds below a pair's peak line.
    shard_size : ShardSize, optional
    threads : int
        That read the sequence.

    Returns
    -------
    Plan

    Raises
    ------
    UsageError
        No pair, or a margin outside what codes can tell.
    RegionError
        No tile lies in the regions.
    InputFileError
        The model's evidence is of another genome.
    """
    shard_size = shard_size or ShardSize()
    model.check_genome(genome)
    chosen = _side_by_side(model, pairs)
    if not chosen:
        raise UsageError("no pair to impute; give --missing, --all or --pairs")
    sizes = dict(genome.chrom_sizes)
    ranges = plan_tiles(regions, sizes, model.config.seq_len, stride)
    grid = tile_grid(model.config, stride)

    def digested(tiles: TileRange) -> Block:
        return Block(tiles, digest_arrays(read_codes(genome, tiles, grid)))

    cut = cut_blocks(ranges, stride, shard_size.tiles)
    used = {tiles.chrom for tiles in cut}
    return Plan(
        tool_version=__version__,
        model=model.name,
        weights=model.checkpoint.digest,
        genome=genome.name,
        device=device.partition(":")[0],
        precision="fast" if fast else "exact",
        seq_len=model.config.seq_len,
        stride=stride,
        chrom_sizes={name: size for name, size in sizes.items() if name in used},
        regions=[str(region) for region in regions],
        margin=_checked(sparse),
        shard_size=shard_size,
        blocks=list(ordered_map(digested, cut, threads)),
        tfs=[pair.tf for pair in chosen],
        cells=[pair.cell for pair in chosen],
        status=[model.status(pair) for pair in chosen],
        thresholds=[model.threshold(pair) for pair in chosen],
        aurocs=[model.expected_auroc(pair) for pair in chosen],
        evidence={k: v for k, v in model.digests.items() if k != "weights"},
        basis=model.basis,
    )


def share_of(shards: list[Shard], number: int, of: int) -> list[Shard]:
    """Give one of several equal shares, neighbors together.

    Parameters
    ----------
    shards : list of Shard
    number, of : int
        The share, from 1, and how many there are.

    Returns
    -------
    list of Shard
    """
    first, last = ((n * len(shards)) // of for n in (number - 1, number))
    return shards[first:last]


def _checked(margin: float | None) -> float | None:
    if margin is not None and not 0 <= margin <= _LARGEST_MARGIN:
        raise UsageError(
            f"--sparse {margin}; give 0 to {_LARGEST_MARGIN:.0f} log-odds as --margin"
        )
    return margin


def _log_odds(threshold: float) -> float:
    if not 0 < threshold < 1:
        return math.copysign(_FURTHEST_LINE, threshold - 0.5)
    odds = math.log(threshold / (1 - threshold))
    return min(max(odds, -_FURTHEST_LINE), _FURTHEST_LINE)


def _side_by_side(model: Model, pairs: Iterable[Pair]) -> list[Pair]:
    """Put pairs that look alike side by side: by TF, then along the cell lines."""
    wanted = dict.fromkeys(pairs)
    cells = model.checkpoint.weights.get("cell_embedding")
    order = range(len(model.cells)) if cells is None else _chain(cells)
    place = {model.cells[c]: rank for rank, c in enumerate(order)}
    tf = {name: rank for rank, name in enumerate(model.tfs)}
    return sorted(wanted, key=lambda pair: (tf[pair.tf], place[pair.cell]))


def _chain(points: NDArray[np.float32]) -> list[int]:
    """Go from point to the nearest one not yet visited."""
    left = list(range(1, len(points)))
    order = [0]
    while left:
        distances = ((points[left] - points[order[-1]]) ** 2).sum(axis=1)
        order.append(left.pop(int(distances.argmin())))
    return order
