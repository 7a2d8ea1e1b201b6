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
from tfimpute_tracks.engines.packs import TilePack, group_blocks, pack_tiles
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import TileRange, cut_blocks, read_codes
from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Sequences, match_chrom, open_genome
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage import digest_arrays

__all__ = ["TileBlock", "scan_blocks", "scan_region", "tiles_per_block"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Codes = NDArray[np.uint8]

_TILES_PER_BLOCK = {"cpu": 16384, "cuda": 1 << 16}


class TileBlock(NamedTuple):
    """Scores of neighboring tiles.

    Attributes
    ----------
    tiles : TileRange
    digest : str
        Of the sequence that the scores depend on.
    scores : float32 array, shape (n_tiles, n_columns), or None
        None where the block was already known.
    """

    tiles: TileRange
    digest: str
    scores: Floats | None


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
    known: Container[tuple[TileRange, str]] = (),
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
    known : container of (TileRange, digest of its sequence)
        Blocks that are not scored again.
    reduce : callable
        Turns log-odds, shape (n, n_pairs), into the columns to keep of each tile, shape
        (n, n_columns), row by row. By default probabilities.
    block_size : int, optional
        Tiles of a block; by default :func:`tiles_per_block`.

    Yields
    ------
    TileBlock
        In the order of the ranges.
    """
    if scorer.device != "cpu":
        n_threads = min(n_threads, 2)  # one reads and encodes, one waits for the GPU

    def score(group: list[TileRange]) -> list[TileBlock]:
        codes = [read_codes(genome, tiles, scorer.grid) for tiles in group]
        digests = [digest_arrays(own) for own in codes]
        keys = list(zip(group, digests, strict=True))
        todo = [i for i, key in enumerate(keys) if key not in known]
        scores = _score_blocks(
            scorer, [codes[i] for i in todo], [keys[i] for i in todo], reduce
        )
        found = dict(zip(todo, scores, strict=True))
        return [TileBlock(*key, found.get(i)) for i, key in enumerate(keys)]

    size = block_size or tiles_per_block(scorer.device)
    blocks = cut_blocks(ranges, scorer.stride, size)
    groups = group_blocks(blocks, scorer.grid, size)
    for scored in ordered_map(score, groups, n_threads):
        yield from scored


def _score_blocks(
    scorer: Scorer,
    codes: list[Codes],
    keys: list[tuple[TileRange, str]],
    reduce: Callable[[Floats], Floats],
) -> list[Floats]:
    """Score blocks at once; one alone has its own digest as its key in the cache."""
    if not keys:
        return []
    tiles: TileRange | TilePack
    (tiles, digest), own = keys[0], codes[0]
    if len(keys) > 1:
        own, tiles = pack_tiles(codes, [one for one, _ in keys], scorer.grid)
        digest = digest_arrays(own)
    features = scorer.features(own, tiles, digest)
    parts = [reduce(logits) for logits in scorer.parts(features)]
    scores = parts[0] if len(parts) == 1 else np.concatenate(parts)
    stride = scorer.stride
    return [scores[rows] for rows, _ in tiles.placed(0, tiles.n_tiles, stride)]


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
