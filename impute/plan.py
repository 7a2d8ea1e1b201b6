"""What a bulk run makes: which pairs, which tiles, cut into which shards.

A shard is a block of tiles x a block of pairs, and one file. The plan is written to
``store.json`` before anything is computed; every process of a run, on whatever machine,
reads it there. It is the record of the run: a store is never continued with other
weights, another sequence or another release.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.engines.tile_grid import tile_grid
from tfimpute_tracks.engines.tiles import (
    TileRange,
    cut_blocks,
    no_known_tile,
    plan_tiles,
    read_codes,
)
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome import Region, Sequences
from tfimpute_tracks.kernels.codes import Scale, code_scale
from tfimpute_tracks.models.calibration import PairCalibration
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage import CONTENT, digest_arrays
from tfimpute_tracks.tracks.record import RunRecord
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "TILES_PER_SHARD",
    "Block",
    "ChunkSize",
    "Plan",
    "Shard",
    "ShardSize",
    "make_plan",
    "part_of",
]

TILES_PER_SHARD = 16384
_PACKED = 4  # ranges at least that would fit a shard, for them to share one
# Log-odds of a threshold of 0 or 1 are infinite; codes need a finite one.
_MAX_LOG_ODDS = 17.0
_MAX_KEEP_BELOW = 10.0  # log-odds


class Block(NamedTuple):
    """Tiles of one region, or of several short contigs, one after the other.

    Attributes
    ----------
    ranges : tuple of TileRange
        Several are of one chromosome each: no peak goes from one to the next.
    digest : str
        Of the sequence that their scores depend on.
    """

    ranges: tuple[TileRange, ...]
    digest: str

    @property
    def n_tiles(self) -> int:
        """Tiles of all ranges."""
        return sum(tiles.n_tiles for tiles in self.ranges)


class Shard(NamedTuple):
    """A block of tiles x a block of pairs: what one file holds.

    Attributes
    ----------
    number : int
        Its number in the plan.
    block : Block
    first_pair, n_pairs : int
        Of the plan's pairs.
    n_known : int
        Tiles of the block that have a value.
    """

    number: int
    block: Block
    first_pair: int
    n_pairs: int
    n_known: int

    @property
    def pairs(self) -> slice:
        """Its pairs among those of the plan."""
        return slice(self.first_pair, self.first_pair + self.n_pairs)

    @property
    def n_scores(self) -> int:
        """Tiles times pairs."""
        return self.block.n_tiles * self.n_pairs

    @property
    def file_name(self) -> str:
        """Name of its file, the number first."""
        first = self.block.ranges[0]
        chrom = "".join(c if c.isalnum() else "_" for c in first.chrom[:40])
        return f"{self.number:06d}.{chrom}.{first.first}.h5"


class ChunkSize(NamedTuple):
    """Pairs and tiles of a chunk, the least that is read of a shard's file."""

    pairs: int = 128
    tiles: int = 2048


class ShardSize(NamedTuple):
    """Maximum size of a shard: tiles, and pairs (0 for all of them)."""

    tiles: int = TILES_PER_SHARD
    pairs: int = 0


@dataclass(frozen=True, kw_only=True)
class Plan(RunRecord):
    """All that a store's content depends on.

    Attributes
    ----------
    chrom_sizes : dict of str to int
        Chromosome -> bp, of those with a tile.
    regions : list of str
        As browsers print them.
    keep_below : float or None
        Scores more log-odds below the pair's threshold are not stored; None: all are.
    shard_size : ShardSize
    chunk : ChunkSize
    blocks : list of Block
    n_known : list of int
        Tiles of each block that have a value.
    tfs, cells : list of str
        Of each pair, in the order of the store.
    thresholds : list of float
        The probability that makes a peak, of each pair.
    calibrations : list of PairCalibration
        From log-odds of the score to those of the probability, of each pair.
    status : list of str
        `measured` or `imputed`, of each pair.
    expected_aurocs : list of float or None
        See :meth:`tfimpute_tracks.models.model.Model.expected_auroc`.
    expected_intervals : list of tuple of float, or None
        See :meth:`tfimpute_tracks.models.model.Model.expected_interval`.
    evidence_summary : dict, optional
        As :meth:`tfimpute_tracks.models.evidence.Evidence.describe`.
    """

    chrom_sizes: dict[str, int] = field(metadata=CONTENT)
    regions: list[str] = field(metadata=CONTENT)
    keep_below: float | None = field(metadata=CONTENT)
    shard_size: ShardSize = field(metadata=CONTENT)
    chunk: ChunkSize = field(metadata=CONTENT)
    blocks: list[Block] = field(metadata=CONTENT)
    n_known: list[int]
    tfs: list[str] = field(metadata=CONTENT)
    cells: list[str] = field(metadata=CONTENT)
    thresholds: list[float] = field(metadata=CONTENT)
    calibrations: list[PairCalibration] = field(metadata=CONTENT)
    status: list[str]
    expected_aurocs: list[float | None]
    expected_intervals: list[tuple[float, float] | None]
    evidence_summary: dict[str, Any] | None = None

    @cached_property
    def pairs(self) -> list[Pair]:
        """The pairs, in the order of the store."""
        return [Pair(*names) for names in zip(self.tfs, self.cells, strict=True)]

    @cached_property
    def scale(self) -> Scale:
        """The scale that decodes the codes of each pair."""
        thresholds = [_log_odds(threshold) for threshold in self.thresholds]
        return code_scale(np.array(thresholds, dtype=np.float32))

    @cached_property
    def shards(self) -> list[Shard]:
        """Every shard; those of the same tiles are neighbors."""
        step = self.shard_size.pairs or len(self.tfs)
        cuts = [
            (block, first, min(step, len(self.tfs) - first), n_known)
            for block, n_known in zip(self.blocks, self.n_known, strict=True)
            for first in range(0, len(self.tfs), step)
        ]
        return [Shard(index, *cut) for index, cut in enumerate(cuts)]

    @property
    def n_tiles(self) -> int:
        """Tiles of all blocks."""
        return sum(block.n_tiles for block in self.blocks)

    @property
    def is_sparse(self) -> bool:
        """Whether scores far below the threshold are left out."""
        return self.keep_below is not None

    def megabases(self, n_scores: float) -> float:
        """Convert a number of scores to Mb x pairs.

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
    keep_below: float | None = None,
    shard_size: ShardSize | None = None,
    chunk: ChunkSize | None = None,
    threads: int = 1,
    assembly: str | None = None,
) -> Plan:
    """Plan a run; the sequence is read once, for digests and missing tiles.

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
    keep_below : float, optional
        Store only scores down to so many log-odds below a pair's threshold.
    shard_size : ShardSize, optional
    chunk : ChunkSize, optional
    threads : int
        That read the sequence.
    assembly : str, optional
        Name of the genome's assembly; by default recognized by its chromosomes.

    Returns
    -------
    Plan

    Raises
    ------
    UsageError
        No pair, or `keep_below` is out of range, or the assembly has another name.
    RegionError
        No tile lies in the regions, or none with known sequence.
    InputFileError
        The model's evidence is of another genome.
    """
    shard_size = shard_size or ShardSize()
    model.check_genome(genome)
    chosen = _sorted_pairs(model, pairs)
    if not chosen:
        raise UsageError("no pair to impute; use --missing, --all or --pairs")
    sizes = dict(genome.chrom_sizes)
    ranges = plan_tiles(regions, sizes, model.config.seq_len, stride)
    grid = tile_grid(model.config, stride)

    def read(group: tuple[TileRange, ...]) -> tuple[Block, int]:
        codes = [read_codes(genome, tiles, grid) for tiles in group]
        missing = (
            grid.tile_mask(grid.unknown(own, tiles.n_tiles))
            for own, tiles in zip(codes, group, strict=True)
        )
        n_known = sum(int((~some).sum()) for some in missing)
        return Block(group, digest_arrays(*codes)), n_known

    cut = cut_blocks(ranges, stride, shard_size.tiles)
    groups = _pack_short(cut, stride, shard_size.tiles)
    blocks, n_known = zip(*ordered_map(read, groups, threads), strict=True)
    if not any(n_known):
        raise no_known_tile(regions)
    run = RunRecord.of_run(model, genome, stride, device, fast, assembly)
    return Plan(
        **run.values_of(RunRecord),
        chrom_sizes=sizes,
        regions=[str(region) for region in regions],
        keep_below=_checked(keep_below),
        shard_size=shard_size,
        chunk=chunk or ChunkSize(),
        blocks=list(blocks),
        n_known=list(n_known),
        tfs=[pair.tf for pair in chosen],
        cells=[pair.cell for pair in chosen],
        thresholds=[model.threshold(pair) for pair in chosen],
        calibrations=[model.calibration(pair) for pair in chosen],
        status=[model.status(pair) for pair in chosen],
        expected_aurocs=[model.expected(pair) for pair in chosen],
        expected_intervals=[model.expected_interval(pair) for pair in chosen],
        evidence_summary=model.evidence.describe(regions) if model.evidence else None,
    )


def _pack_short(
    cut: list[TileRange], stride: int, max_tiles: int
) -> Iterator[tuple[TileRange, ...]]:
    """Put neighboring short contigs, or regions, into one block.

    A file costs more than its tiles. Parts of a longer range stay alone: a peak may go
    from one into the next.
    """
    starts = {tiles[:2] for tiles in cut}
    ends = {(chrom, first + n * stride) for chrom, first, n in cut}
    group: list[TileRange] = []
    n = 0
    for tiles in cut:
        chrom, first, n_tiles = tiles
        end = chrom, first + n_tiles * stride
        is_part = end in starts or (chrom, first) in ends
        is_short = not is_part and _PACKED * n_tiles <= max_tiles
        if group and (not is_short or n + tiles.n_tiles > max_tiles):
            yield tuple(group)
            group, n = [], 0
        if is_short:
            group.append(tiles)
            n += tiles.n_tiles
        else:
            yield (tiles,)
    if group:
        yield tuple(group)


def part_of(shards: list[Shard], number: int, of: int) -> list[Shard]:
    """Return one of several equal parts, neighbors together.

    Parameters
    ----------
    shards : list of Shard
    number, of : int
        The part, from 1, and how many there are.

    Returns
    -------
    list of Shard
    """
    first, last = ((n * len(shards)) // of for n in (number - 1, number))
    return shards[first:last]


def _checked(keep_below: float | None) -> float | None:
    if keep_below is not None and not 0 <= keep_below <= _MAX_KEEP_BELOW:
        raise UsageError(
            f"--keep-below-threshold {keep_below}; use 0 to {_MAX_KEEP_BELOW:.0f} "
            "log-odds"
        )
    return keep_below


def _log_odds(threshold: float) -> float:
    if not 0 < threshold < 1:
        return math.copysign(_MAX_LOG_ODDS, threshold - 0.5)
    odds = math.log(threshold / (1 - threshold))
    return min(max(odds, -_MAX_LOG_ODDS), _MAX_LOG_ODDS)


def _sorted_pairs(model: Model, pairs: Iterable[Pair]) -> list[Pair]:
    """Put similar pairs next to each other: by TF, then by similar cell lines."""
    wanted = dict.fromkeys(pairs)
    embeddings = model.checkpoint.weights.get("cell_embedding")
    order = range(len(model.cells)) if embeddings is None else _chain(embeddings)
    cell = {model.cells[c]: rank for rank, c in enumerate(order)}
    tf = {name: rank for rank, name in enumerate(model.tfs)}
    return sorted(wanted, key=lambda pair: (tf[pair.tf], cell[pair.cell]))


def _chain(points: NDArray[np.float32]) -> list[int]:
    """Order points, each followed by the nearest one that is left."""
    left = list(range(1, len(points)))
    order = [0]
    while left:
        distances = ((points[left] - points[order[-1]]) ** 2).sum(axis=1)
        order.append(left.pop(int(distances.argmin())))
    return order
