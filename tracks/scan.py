"""From chromosomes to scores: blocks of tiles, several at a time, in order.

Each block, or a group of short ones, is read, encoded and scored on one thread and comes
out in its turn, so threads never wait for each other inside a block and memory does not
grow with the chromosome. What is made of the scores, files above all, is the business of
the modules next to this one.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.engines.packs import count_tiles, group_blocks, read_pack
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import TileRange, cut_blocks
from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Sequences, match_chrom, open_genome
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage import digest_arrays

__all__ = ["TileBlock", "scan_blocks", "scan_region", "tiles_per_block"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_TILES_PER_BLOCK = {"cpu": 16384, "cuda": 1 << 16}


class TileBlock(NamedTuple):
    """Tiles that were scored together.

    Attributes
    ----------
    ranges : tuple of TileRange
        One long range, or several short ones.
    digest : str
        Of the sequence that the scores depend on.
    scores : float32 array, shape (n_tiles, n_columns), or None
        Of the tiles of all ranges, one range after the other; None where the block was
        already known.
    """

    ranges: tuple[TileRange, ...]
    digest: str
    scores: Floats | None

    @property
    def n_tiles(self) -> int:
        """Tiles of all ranges."""
        return count_tiles(self.ranges)


def tiles_per_block(device: str) -> int:
    """Return the number of tiles that a device scores at once.

    Parameters
    ----------
    device : str

    Returns
    -------
    int
    """
    return _TILES_PER_BLOCK[device.partition(":")[0]]


def scan_blocks(
    scorer: Scorer,
    genome: Sequences,
    ranges: Iterable[TileRange],
    n_threads: int = 1,
    known: Container[tuple[tuple[TileRange, ...], str]] = (),
    reduce: Callable[[Floats], Floats] = sigmoid,
    block_size: int | None = None,
) -> Iterator[TileBlock]:
    """Score tiles block by block, several blocks at a time.

    Parameters
    ----------
    scorer : Scorer
    genome : Sequences
    ranges : iterable of TileRange
        The last tile of each must end within its chromosome.
    n_threads : int
    known : container of (ranges, digest of their sequence)
        Blocks that are not scored again.
    reduce : callable
        Turns log-odds, shape (n, n_pairs), into the columns to keep of each tile, shape
        (n, n_columns), row by row. By default probabilities.
    block_size : int, optional
        Tiles of a block; by default :func:`tiles_per_block`.

    Returns
    -------
    iterator of TileBlock
        In the order of the ranges.
    """
    if scorer.device != "cpu":
        n_threads = min(n_threads, 2)  # one reads and encodes, one waits for the GPU

    def score(group: tuple[TileRange, ...]) -> TileBlock:
        codes, tiles = read_pack(genome, group, scorer.grid)
        digest = digest_arrays(codes)
        if (group, digest) in known:
            return TileBlock(group, digest, None)
        features = scorer.features(codes, tiles, digest)
        parts = [reduce(logits) for logits in scorer.parts(features)]
        scores = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return TileBlock(group, digest, tiles.without_gaps(scores))

    size = block_size or tiles_per_block(scorer.device)
    blocks = cut_blocks(ranges, scorer.stride, size)
    return ordered_map(score, group_blocks(blocks, scorer.grid, size), n_threads)


def scan_region(
    model: Model,
    fasta: str | Path | Sequences,
    chrom: str,
    start: int,
    end: int,
    pairs: Iterable[str | tuple[str, str]],
    stride: int | None = None,
) -> tuple[Ints, Floats]:
    """Score every tile that lies inside a region, on the CPU.

    Parameters
    ----------
    model : Model
    fasta : path of a FASTA file, or an open genome
    chrom : str
        With or without `chr`.
    start, end : int
        0-based half-open, in bp.
    pairs : iterable of "TF:CELL" or (tf, cell)
    stride : int, optional
        bp between tile starts; by default the model's own.

    Returns
    -------
    starts : int64 array, shape (n_tiles,)
        The first at `start`, the last tile ending at or before `end`.
    probabilities : float32 array, shape (n_tiles, n_pairs)
        NaN where more than half of the tile's bases are not A, C, G or T.

    Raises
    ------
    RegionError
        The chromosome is unknown or the region reaches outside it.
    UsageError, InputFileError
        As :class:`~tfimpute_tracks.engines.scorer.Scorer` and
        :func:`tfimpute_tracks.genome.open_genome`.
    """
    scorer = Scorer(model, pairs, stride)
    if isinstance(fasta, str | Path):
        with open_genome(Path(fasta)) as genome:
            return _score_region(scorer, genome, chrom, start, end)
    return _score_region(scorer, fasta, chrom, start, end)


def _score_region(
    scorer: Scorer, genome: Sequences, chrom: str, start: int, end: int
) -> tuple[Ints, Floats]:
    name = match_chrom(chrom, genome.chrom_sizes)
    size = genome.chrom_sizes[name]
    if not 0 <= start < end <= size:
        raise RegionError(
            f"region {chrom}:{start}-{end} (0-based) is outside {name}, which has "
            f"{size} bp; use 0 <= start < end <= {size}"
        )
    n_tiles = max(0, (end - start - scorer.grid.seq_len) // scorer.stride + 1)
    scores = [np.empty((0, len(scorer.pairs)), dtype=np.float32)]
    if n_tiles:
        blocks = scan_blocks(scorer, genome, [TileRange(name, start, n_tiles)])
        scores += [b.scores for b in blocks if b.scores is not None]
    starts = start + scorer.stride * np.arange(n_tiles, dtype=np.int64)
    return starts, np.concatenate(scores)
