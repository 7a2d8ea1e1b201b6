"""Workers of a bulk run: one per process, with its model and its sequence open.

The local pool and the Dask cluster open a :class:`ShardWorker` from a
:class:`WorkerSpec`, which pickles and holds paths only. Making a shard again gives the
same file, so it does no harm if two workers make the same one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks import __version__
from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.engines.packs import TilePack, pack_tiles
from tfimpute_tracks.engines.scorer import Scorer, TileFeatures
from tfimpute_tracks.engines.tiles import TileRange, cut_parts, read_codes
from tfimpute_tracks.errors import InputFileError, RunError
from tfimpute_tracks.genome import Sequences, open_bundled, open_genome
from tfimpute_tracks.impute.plan import Plan, Shard
from tfimpute_tracks.impute.plan_file import read_plan
from tfimpute_tracks.impute.shard_file import Column, write_shard
from tfimpute_tracks.kernels.codes import quantize
from tfimpute_tracks.models import load_model
from tfimpute_tracks.storage import digest_arrays

__all__ = ["ShardResult", "ShardWorker", "WorkerSpec", "open_worker"]

Codes = NDArray[np.uint8]

# Few enough for the matrices of the heads to stay in the second-level cache.
_TILES_AT_ONCE = {"cpu": 256, "cuda": 2048}
_CONTIGS_AT_ONCE = 64  # short ones
_FEATURE_BYTES = 1 << 26  # motif features of some 20 Mb of sequence


class ShardResult(NamedTuple):
    """A shard that is on disk.

    Attributes
    ----------
    number : int
    n_bytes : int
    seconds : float
    """

    number: int
    n_bytes: int
    seconds: float


@dataclass(frozen=True)
class WorkerSpec:
    """What a process needs to make shards of a store.

    Parameters
    ----------
    store : Path
    model : str
        Name of a bundled model, or the path of a `.safetensors` file.
    fasta : Path, optional
        None for the bundled example region.
    cache_dir : Path, optional
        For unpacked genomes and their indexes.
    device : str
        From :func:`tfimpute_tracks.engines.engine.pick_device`.
    threads : int
        That compute a shard.
    evidence : str, optional
        Measured tracks, as :func:`tfimpute_tracks.models.load_model` takes them.
    """

    store: Path
    model: str
    fasta: Path | None
    cache_dir: Path | None
    device: str = "cpu"
    threads: int = 1
    evidence: str | None = None

    def resolved(self) -> WorkerSpec:
        """Make all paths absolute, for workers in another folder.

        Returns
        -------
        WorkerSpec
            What is the name of something bundled, and not a path, stays as it is.
        """

        def absolute(name: str) -> str:
            return str(Path(name).resolve()) if Path(name).exists() else name

        return replace(
            self,
            store=self.store.resolve(),
            fasta=self.fasta and self.fasta.resolve(),
            cache_dir=self.cache_dir and self.cache_dir.resolve(),
            model=absolute(self.model),
            evidence=self.evidence and absolute(self.evidence),
        )


class _PairBlock(NamedTuple):
    """A scorer of some pairs of the plan, and its columns' places among them.

    Similar cell lines are neighbors in a store. A scorer is fastest in the model's own
    order, where cell lines of a TF share blocks of lanes that read evidence.
    """

    scorer: Scorer
    order: NDArray[np.int64]


class ShardWorker:
    """Makes the shards of a plan.

    Parameters
    ----------
    folder : Path
        Of the store.
    plan : Plan
    scorer : Scorer
        Of any pair of the plan.
    genome : Sequences
    threads : int

    Attributes
    ----------
    folder : Path
    plan : Plan
    """

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        scorer: Scorer,
        genome: Sequences,
        threads: int = 1,
    ) -> None:
        self.plan = plan
        self.folder = folder
        self._scorer = scorer
        self._blocks: dict[tuple[int, int], _PairBlock] = {}
        # For the next block of pairs of the same tiles.
        self._features: OrderedDict[TileRange | TilePack, TileFeatures] = OrderedDict()
        self._lock = Lock()
        self._genome = genome
        self._threads = threads
        # One of all shards that are made at once: no thread of a core waits for a shard.
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="scan")

    def make(self, number: int, progress: Callable[[int], None]) -> ShardResult:
        """Compute a shard and write its file.

        Parameters
        ----------
        number : int
            Of the shard in the plan.
        progress : callable
            Called with the number of scores done, column by column.

        Returns
        -------
        ShardResult

        Raises
        ------
        RunError
            The sequence differs from the plan's, or a device failed.
        WriteError, ValidationError
            The file cannot be written, or does not read back as written.
        """
        began = monotonic()
        shard = self.plan.shards[number]
        codes = self.read(shard.block.ranges)
        self._check_sequence(shard, codes)

        def columns() -> Iterator[Column]:
            for column in self.columns(shard, codes):
                yield column
                progress(column.codes.size)

        n_bytes = write_shard(self.folder, self.plan, shard, columns())
        return ShardResult(number, n_bytes, monotonic() - began)

    def read(self, ranges: Iterable[TileRange]) -> list[Codes]:
        """Read the sequence of tiles.

        Parameters
        ----------
        ranges : iterable of TileRange

        Returns
        -------
        list of uint8 array
            Of each range, from :func:`tfimpute_tracks.engines.tiles.read_codes`.
        """
        grid = self._scorer.grid
        return [read_codes(self._genome, tiles, grid) for tiles in ranges]

    def columns(self, shard: Shard, codes: list[Codes]) -> Iterator[Column]:
        """Compute a shard column by column of its chunks.

        Parameters
        ----------
        shard : Shard
        codes : list of uint8 array
            Of each range of the shard's block, from
            :func:`tfimpute_tracks.engines.tiles.read_codes`.

        Yields
        ------
        Column
        """
        stride, grid = self.plan.stride, self._scorer.grid
        of_chrom = defaultdict[str, list[tuple[int, Codes]]](list)
        for tiles, own in zip(shard.block.ranges, codes, strict=True):
            of_chrom[tiles.chrom].append((tiles.first, own))

        def column(part: list[TileRange]) -> Column:
            pieces = []
            for chrom, first, n in part:
                ranges = of_chrom[chrom]
                place = bisect_right(ranges, first, key=itemgetter(0)) - 1
                start, own = ranges[place]
                pieces.append(own[grid.code_slice((first - start) // stride, n)])
            return self._column(shard, part, pieces)

        # From the shard's own start: its chunks begin there.
        parts = cut_parts(shard.block.ranges, stride, self.plan.chunk.tiles)
        yield from ordered_map(column, parts, self._threads, self._pool)

    def _column(
        self, shard: Shard, part: list[TileRange], codes: list[Codes]
    ) -> Column:
        plan, grid = self.plan, self._scorer.grid
        n_tiles = sum(tiles.n_tiles for tiles in part)
        packs = list(self._at_once(part, codes))
        is_missing = np.concatenate(
            [
                tiles.without_gaps(grid.tile_mask(grid.unknown(own, tiles.n_tiles)))
                for own, tiles in packs
            ]
        )
        if is_missing.all():  # centromeres, partial genomes
            nothing = np.zeros((shard.n_pairs, n_tiles), dtype=np.uint8)
            return Column(nothing, is_missing)
        scorer, order = self._pair_block(shard.first_pair, shard.n_pairs)
        scale = plan.scale.of(shard.first_pair, shard.n_pairs).take(order)
        min_codes = scale.min_codes(plan.keep_below)
        scores = np.empty((shard.n_pairs, n_tiles), dtype=np.uint8)
        done = 0
        for own, tiles in packs:
            logits = tiles.without_gaps(self._logits(own, tiles, scorer))
            columns = scores[:, done : done + len(logits)]
            quantize(logits, scale, min_codes, columns, order)
            done += len(logits)
        scores[:, is_missing] = 0
        return Column(scores, is_missing)

    def _at_once(
        self, part: list[TileRange], codes: list[Codes]
    ) -> Iterator[tuple[Codes, TileRange | TilePack]]:
        """Yield tiles that are scored at once, and their sequence."""
        grid, stride = self._scorer.grid, self.plan.stride
        if len(part) == 1:
            done = 0
            for some in part[0].parts(stride, _TILES_AT_ONCE[self.plan.device]):
                yield codes[0][grid.code_slice(done, some.n_tiles)], some
                done += some.n_tiles
            return
        step = _CONTIGS_AT_ONCE
        for i in range(0, len(part), step):
            yield pack_tiles(codes[i : i + step], part[i : i + step], grid)

    def _pair_block(self, first: int, n: int) -> _PairBlock:
        """Set the model up for a block of the plan's pairs."""
        with self._lock:
            if (first, n) not in self._blocks:
                pairs = self.plan.pairs[first : first + n]
                indices = self._scorer.model.vocabulary.pair_indices(pairs)
                tf, cell = np.array(indices).T
                order = np.lexsort((cell, tf))
                scorer = self._scorer.for_pairs(pairs[i] for i in order)
                self._blocks[first, n] = _PairBlock(scorer, order)
            return self._blocks[first, n]

    def _logits(
        self, codes: Codes, tiles: TileRange | TilePack, scorer: Scorer
    ) -> NDArray[np.float32]:
        """Score tiles for a block of pairs; motif features serve all blocks."""
        with self._lock:
            found = self._features.pop(tiles, None)
        if found is None:
            found = scorer.features(codes, tiles)
        if len(self.plan.pairs) > len(scorer.pairs):
            with self._lock:
                self._features[tiles] = found
                while sum(f.nbytes for f in self._features.values()) > _FEATURE_BYTES:
                    self._features.popitem(last=False)
        return scorer.logits(found)

    def _check_sequence(self, shard: Shard, codes: list[Codes]) -> None:
        (tiles, *_), expected = shard.block
        found = digest_arrays(*codes)
        if found != expected:
            start, end = tiles.span(self.plan.stride, self.plan.seq_len)
            raise RunError(
                f"{self._genome.name} {tiles.chrom}:{start + 1}-{end} has the digest "
                f"{found}, the store was planned with {expected}: another FASTA, or it "
                "changed during the run; use the one of the plan"
            )


def open_worker(spec: WorkerSpec) -> ShardWorker:
    """Open model, sequence and plan, and check that they belong together.

    Parameters
    ----------
    spec : WorkerSpec

    Returns
    -------
    ShardWorker

    Raises
    ------
    InputFileError
        Something cannot be read here, or is not what the plan was made with.
    """
    plan = read_plan(spec.store)
    if plan.tool_version != __version__:
        raise InputFileError(
            f"this process runs tfimpute-tracks {__version__}, the store {spec.store} "
            f"was planned with {plan.tool_version}; install the same release "
            "everywhere"
        )
    model = load_model(spec.model, spec.evidence)
    for name, digest in plan.digests.items():
        if model.digests.get(name) != digest:
            raise InputFileError(
                f"the {name.replace('_', ' ')} of {spec.model} have the digest "
                f"{model.digests.get(name)}, the store {spec.store} was planned with "
                f"{digest}; use the same"
            )
    if spec.fasta is None:
        genome: Sequences = open_bundled()
    else:
        genome = open_genome(spec.fasta, spec.cache_dir)
    fast = plan.precision == "fast"
    scorer = Scorer(model, plan.pairs[:1], plan.stride, spec.device, fast)
    return ShardWorker(spec.store, plan, scorer, genome, spec.threads)
