"""From sequence to scores: every tile of a stretch, for any pairs.

Tiles are windows of `model.config.seq_len` bp that start every `stride` bp. A scan goes
through them in blocks, so memory does not grow with the chromosome, and convolves each
base once whatever the overlap of tiles and the number of pairs. What is done with the
scores, files above all, is the business of the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from tfimpute_tracks.errors import RegionError, UsageError
from tfimpute_tracks.genome import Sequences, match_chrom, open_genome
from tfimpute_tracks.kernels.encode import N_CODE
from tfimpute_tracks.kernels.segments import SegmentGrid, segment_grid
from tfimpute_tracks.models.engine import MotifEngine, open_engine
from tfimpute_tracks.models.head import Head
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = ["Scanner", "TileBlock", "open_scanner", "scan_region"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_BLOCK = 1024  # tiles


class TileBlock(NamedTuple):
    """Scores of neighbouring tiles.

    Attributes
    ----------
    starts : int64 array, shape (n_tiles,)
        0-based.
    probabilities : float32 array, shape (n_tiles, n_pairs)
        NaN where more than half of the tile's letters are not A, C, G or T.
    """

    starts: Ints
    probabilities: Floats


@dataclass(frozen=True)
class Scanner:
    """A model set up for some pairs at one stride.

    Attributes
    ----------
    model : Model
    pairs : list of Pair
    stride : int
        bp between tile starts.
    engine : MotifEngine
    head : Head
    grid : SegmentGrid
    """

    model: Model
    pairs: list[Pair]
    stride: int
    engine: MotifEngine
    head: Head
    grid: SegmentGrid

    def score(self, codes: NDArray[np.uint8], n_tiles: int) -> Floats:
        """Score the tiles of a stretch of codes.

        Parameters
        ----------
        codes : uint8 array, shape ((n_tiles - 1) * stride + seq_len,)
        n_tiles : int

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
            Probabilities; NaN as in :class:`TileBlock`.
        """
        missing = _missing(codes, n_tiles, self.stride, self.model.config.seq_len)
        shape = (n_tiles, len(self.pairs))
        if missing.all():  # whole blocks of N are common: centromeres, partial genomes
            return np.full(shape, np.nan, dtype=np.float32)
        forward, reverse = self.engine.windows(codes, self.grid, n_tiles)
        logits = np.maximum(self.head.logits(forward), self.head.logits(reverse))
        probabilities: Floats = expit(logits)
        probabilities[missing] = np.nan
        return probabilities

    def blocks(
        self, genome: Sequences, chrom: str, first: int, n_tiles: int
    ) -> Iterator[TileBlock]:
        """Score neighbouring tiles of a chromosome, block by block.

        Parameters
        ----------
        genome : Sequences
        chrom : str
            As the genome names it.
        first : int
            Start of the first tile, 0-based.
        n_tiles : int
            The last tile must end within the chromosome.

        Yields
        ------
        TileBlock
        """
        seq_len = self.model.config.seq_len
        for done in range(0, n_tiles, _BLOCK):
            n = min(_BLOCK, n_tiles - done)
            starts = first + self.stride * np.arange(done, done + n, dtype=np.int64)
            codes = genome.codes(chrom, int(starts[0]), int(starts[-1]) + seq_len)
            yield TileBlock(starts, self.score(codes, n))


def _missing(
    codes: NDArray[np.uint8], n_tiles: int, stride: int, seq_len: int
) -> NDArray[np.bool_]:
    """Tell the tiles of which more than half is not A, C, G or T."""
    unknown = np.concatenate([[0], np.cumsum(codes == N_CODE)])
    starts = stride * np.arange(n_tiles)
    result: NDArray[np.bool_] = (
        2 * (unknown[starts + seq_len] - unknown[starts]) > seq_len
    )
    return result


def open_scanner(
    model: Model,
    pairs: Iterable[str | tuple[str, str]],
    stride: int | None = None,
    device: str = "cpu",
    fast: bool = False,
) -> Scanner:
    """Set a model up for scanning.

    Parameters
    ----------
    model : Model
    pairs : iterable of "TF:CELL" or (tf, cell)
    stride : int, optional
        bp between tile starts; by default the model's pool size.
    device : str
        From :func:`tfimpute_tracks.models.engine.pick_device`.
    fast : bool
        Give up the last digits of a probability for speed.

    Returns
    -------
    Scanner

    Raises
    ------
    UnknownNameError
        A TF or cell line is unknown.
    UsageError
        No pair, or a stride below 1.
    """
    named = [model.vocabulary.pair(pair) for pair in pairs]
    config = model.config
    stride = config.pool if stride is None else stride
    if stride < 1:
        raise UsageError(f"stride {stride} bp; give 1 or more")
    if not named:
        raise UsageError("no pair to scan; give --tf and --cell, or --pairs")
    grid = segment_grid(config.seq_len, config.filter_length, config.pool, stride)
    engine = open_engine(model, device, fast)
    return Scanner(model, named, stride, engine, Head(model, named), grid)


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
        bp between tile starts; by default the model's pool size.

    Returns
    -------
    starts : int64 array, shape (n_tiles,)
        The first at `start`, the last tile ending at or before `end`.
    probabilities : float32 array, shape (n_tiles, n_pairs)
        NaN where more than half of the tile's letters are not A, C, G or T.

    Raises
    ------
    RegionError
        The chromosome is unknown or the region reaches outside it.
    UsageError, InputFileError
        As :func:`open_scanner` and
        :func:`tfimpute_tracks.genome.open_genome`.
    """
    scanner = open_scanner(model, pairs, stride)
    if isinstance(fasta, str | Path):
        with open_genome(Path(fasta)) as genome:
            return _collect(scanner, genome, chrom, start, end)
    return _collect(scanner, fasta, chrom, start, end)


def _collect(
    scanner: Scanner, genome: Sequences, chrom: str, start: int, end: int
) -> tuple[Ints, Floats]:
    name = match_chrom(chrom, genome.chrom_sizes)
    size = genome.chrom_sizes[name]
    if not 0 <= start < end <= size:
        raise RegionError(
            f"region {chrom}:{start}-{end} (0-based) is outside {name}, which has "
            f"{size} bp; give 0 <= start < end <= {size}"
        )
    n_tiles = max(0, (end - start - scanner.model.config.seq_len) // scanner.stride + 1)
    blocks = list(scanner.blocks(genome, name, start, n_tiles))
    if not blocks:
        empty = np.empty((0, len(scanner.pairs)), dtype=np.float32)
        return np.empty(0, dtype=np.int64), empty
    return (
        np.concatenate([block.starts for block in blocks]),
        np.concatenate([block.probabilities for block in blocks]),
    )
