"""From sequence to scores: every tile of a stretch, for any pairs.

Tiles are windows of `model.config.seq_len` bp that start every `stride` bp. A scan goes
through them in blocks: each is read, encoded, convolved and judged on one thread, and
comes out in its turn, so threads never wait for each other inside a block and memory
does not grow with the chromosome. What is done with the scores, files above all, is the
business of the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.cpu_engine import LookupEngine
from tfimpute_tracks.engines.engine import Engine, open_engine
from tfimpute_tracks.engines.feature_cache import FeatureCache
from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.engines.tile_grid import TileGrid, tile_grid
from tfimpute_tracks.engines.tiles import TileRange, cut_blocks, read_codes
from tfimpute_tracks.errors import RegionError, UsageError
from tfimpute_tracks.genome import Sequences, match_chrom, open_genome
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.evidence import PairEvidence, open_pair_evidence
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage import digest_arrays
from tfimpute_tracks.vocabulary import Pair

__all__ = ["Scanner", "TileBlock", "open_scanner", "scan_region", "tiles_per_block"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Known = Container[tuple[TileRange, str]]

Keep = Callable[[Floats], Floats]

_TILES_PER_BLOCK = {"cpu": 16384, "cuda": 1 << 16}
_ROOM = 1 << 22  # log-odds that a thread has in memory at a time


class TileBlock(NamedTuple):
    """Scores of neighboring tiles.

    Attributes
    ----------
    tiles : TileRange
    digest : str
        Of the letters that the tiles cover.
    scores : float32 array, shape (n_tiles, n_columns), or None
        What :meth:`Scanner.score` gives. None where it was known already.
    """

    tiles: TileRange
    digest: str
    scores: Floats | None


@dataclass(frozen=True)
class Scanner:
    """A model set up for some pairs at one stride.

    Attributes
    ----------
    model : Model
    pairs : list of Pair
    stride : int
        bp between tile starts.
    grid : TileGrid
    engine : Engine
    evidence : PairEvidence, optional
        What measured tracks add, where the model goes by them.
    cache : FeatureCache, optional
        Keeps motif features for the next scan, where the engine has any to keep.
    keep : callable
        Makes of the pairs' log-odds, shape (n, n_pairs), what is wanted of each tile,
        shape (n, n_columns), row by row. By default the probabilities.
    """

    model: Model
    pairs: list[Pair]
    stride: int
    grid: TileGrid
    engine: Engine
    evidence: PairEvidence | None = None
    cache: FeatureCache | None = None
    keep: Keep = sigmoid

    def score(
        self, codes: NDArray[np.uint8], tiles: TileRange, digest: str | None = None
    ) -> Floats:
        """Score the tiles of a stretch of codes.

        Parameters
        ----------
        codes : uint8 array, shape (grid.n_letters(tiles.n_tiles),)
        tiles : TileRange
            Where they lie; it does not count without evidence.
        digest : str, optional
            Of the codes, by which the cache knows them; without it none is used.

        Returns
        -------
        float32 array, shape (n_tiles, n_columns)
            The pairs' probabilities, or what is kept instead. NaN where more than half
            of the tile's letters are not A, C, G or T.
        """
        n_tiles = tiles.n_tiles
        unknown = self.grid.unknown(codes, n_tiles)
        missing = self.grid.of_tiles(unknown)
        if missing.all():  # whole blocks of N are common: centromeres, partial genomes
            nothing = np.full((1, len(self.pairs)), np.nan, dtype=np.float32)
            return np.repeat(self.keep(nothing), n_tiles, axis=0)
        parts = []
        done = 0
        for logits in self._logits(codes, n_tiles, unknown, digest):
            first = tiles.first + done * self.stride
            part = TileRange(tiles.chrom, first, len(logits))
            parts.append(self.keep(self._with_evidence(logits, part)))
            done += len(logits)
        scores = parts[0] if len(parts) == 1 else np.concatenate(parts)
        scores[missing] = np.nan
        return scores

    def _logits(
        self,
        codes: NDArray[np.uint8],
        n_tiles: int,
        unknown: NDArray[np.bool_],
        digest: str | None,
    ) -> Iterator[Floats]:
        """Give the log-odds of few tiles at a time where there are many pairs."""
        engine, grid = self.engine, self.grid
        at_once = max(1, _ROOM // (len(self.pairs) * grid.step))
        parts = TileRange("", 0, n_tiles).parts(1, at_once)
        if not isinstance(engine, LookupEngine):
            for _, first, n in parts:
                yield engine.logits(codes[grid.letters(first, n)], n)
            return
        if self.cache is not None and digest:
            features = self.cache.features(engine.trunk, codes, n_tiles, digest)
        else:
            features = engine.trunk.features(codes, n_tiles)
        for _, first, n in parts:
            cores = grid.cores(first, n)
            yield engine.judge(grid.features(features, cores), unknown[cores])

    def _with_evidence(self, logits: Floats, tiles: TileRange) -> Floats:
        if self.evidence is None:
            return logits
        centers = tiles.centers(self.stride, self.grid.seq_len)
        return self.evidence.logits(logits, tiles.chrom, centers)

    def score_block(
        self, genome: Sequences, tiles: TileRange, known: Known = ()
    ) -> TileBlock:
        """Read and score neighboring tiles of a chromosome.

        Parameters
        ----------
        genome : Sequences
        tiles : TileRange
            The last tile must end within the chromosome.
        known : container of (TileRange, digest of its letters)
            What need not be scored again.

        Returns
        -------
        TileBlock
        """
        codes = read_codes(genome, tiles, self.grid)
        digest = digest_arrays(codes)
        if (tiles, digest) in known:
            return TileBlock(tiles, digest, None)
        return TileBlock(tiles, digest, self.score(codes, tiles, digest))

    def blocks(
        self,
        genome: Sequences,
        ranges: Iterable[TileRange],
        n_threads: int = 1,
        known: Known = (),
    ) -> Iterator[TileBlock]:
        """Score tiles block by block, several blocks at a time.

        Parameters
        ----------
        genome : Sequences
        ranges : iterable of TileRange
        n_threads : int
        known : container of (TileRange, digest of its letters)

        Yields
        ------
        TileBlock
            In the order of the ranges.
        """
        at_once = tiles_per_block(self.engine.device)
        if self.engine.device != "cpu":
            n_threads = min(
                n_threads, 2
            )  # one reads and encodes, one waits for the GPU
        yield from ordered_map(
            lambda tiles: self.score_block(genome, tiles, known),
            cut_blocks(ranges, self.stride, at_once),
            n_threads,
        )


def tiles_per_block(device: str) -> int:
    """Give the tiles that go through an engine at once.

    Parameters
    ----------
    device : str

    Returns
    -------
    int
    """
    return _TILES_PER_BLOCK[device.partition(":")[0]]


def open_scanner(
    model: Model,
    pairs: Iterable[str | tuple[str, str]],
    stride: int | None = None,
    device: str = "cpu",
    fast: bool = False,
    cache: FeatureCache | None = None,
    keep: Keep = sigmoid,
) -> Scanner:
    """Set a model up for scanning.

    Parameters
    ----------
    model : Model
    pairs : iterable of "TF:CELL" or (tf, cell)
    stride : int, optional
        bp between tile starts; by default the model's own.
    device : str
        From :func:`tfimpute_tracks.engines.engine.pick_device`.
    fast : bool
        Give up the last digits of a probability for speed.
    cache : FeatureCache, optional
        Keeps motif features for the next scan.
    keep : callable
        As :class:`Scanner` has it.

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
    stride = config.stride if stride is None else stride
    if stride < 1:
        raise UsageError(f"stride {stride} bp; give 1 or more")
    if not named:
        raise UsageError("no pair to scan; give --tf and --cell, or --pairs")
    grid = tile_grid(config, stride)
    engine = open_engine(model, named, grid, device, fast)
    evidence = open_pair_evidence(model, named)
    return Scanner(model, named, stride, grid, engine, evidence, cache, keep)


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
    scores = [np.empty((0, len(scanner.pairs)), dtype=np.float32)]
    if n_tiles:
        blocks = scanner.blocks(genome, [TileRange(name, start, n_tiles)])
        scores += [b.scores for b in blocks if b.scores is not None]
    starts = start + scanner.stride * np.arange(n_tiles, dtype=np.int64)
    return starts, np.concatenate(scores)
