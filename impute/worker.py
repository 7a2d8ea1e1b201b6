"""What makes shards: one per process, with its model and its sequence open.

Whoever hands out the work (``pool``, ``cluster``) opens a :class:`ShardMaker` from a
:class:`WorkerSpec`, which pickles and names files only. Making a shard again gives the
same file, so nobody needs to know whether somebody else has begun it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks import __version__
from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.engines.scorer import Scorer, TileFeatures
from tfimpute_tracks.engines.tiles import TileRange, read_codes
from tfimpute_tracks.errors import InputFileError, RunError
from tfimpute_tracks.genome import Sequences, open_bundled, open_genome
from tfimpute_tracks.impute.plan import Plan, Shard
from tfimpute_tracks.impute.plan_file import read_plan
from tfimpute_tracks.impute.shard_file import TILES_PER_CHUNK, Column, write_shard
from tfimpute_tracks.kernels.codes import quantize
from tfimpute_tracks.models import load_model
from tfimpute_tracks.storage import digest_arrays

__all__ = ["ShardResult", "ShardWorker", "WorkerSpec", "open_worker"]


# Few enough for what the heads multiply to stay in the second-level cache.
_TILES_AT_ONCE = {"cpu": 256, "cuda": TILES_PER_CHUNK}
_FEATURE_BYTES = 1 << 26  # of motif features: some 20 Mb of sequence


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
        A shipped name, or the path of a `.safetensors` file.
    fasta : Path, optional
        None for the stretch that ships.
    cache_dir : Path, optional
        For unpacked genomes and their indexes.
    device : str
        From :func:`tfimpute_tracks.engines.engine.pick_device`.
    threads : int
        That work on a shard.
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


class ShardWorker:
    """Makes the shards of a plan.

    Parameters
    ----------
    folder : Path
        Of the store.
    plan : Plan
    scorer : Scorer
        Of all pairs of the plan.
    genome : Sequences
    threads : int
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
        self._folder = folder
        self._scorer = scorer
        self._scorers = {(0, len(plan.pairs)): scorer}
        # For the next block of pairs of the same tiles.
        self._features: OrderedDict[TileRange, TileFeatures] = OrderedDict()
        self._lock = Lock()
        self._genome = genome
        self._threads = threads

    def make(self, index: int, progress: Callable[[int], None]) -> ShardResult:
        """Compute a shard and write its file.

        Parameters
        ----------
        index : int
            Of the plan's shards.
        progress : callable
            Told the scores done, column by column.

        Returns
        -------
        Made

        Raises
        ------
        RunError
            The sequence is not the plan's any more, or a device failed.
        WriteError, ValidationError
            The file cannot be written, or does not read back as written.
        """
        began = monotonic()
        shard = self.plan.shards[index]
        self._check_sequence(shard)

        def columns() -> Iterator[Column]:
            for column in self.columns(shard):
                yield column
                progress(column.codes.size)

        n_bytes = write_shard(self._folder, self.plan, shard, columns())
        return ShardResult(index, n_bytes, monotonic() - began)

    def columns(self, shard: Shard) -> Iterator[Column]:
        """Compute a shard column by column of its chunks.

        Parameters
        ----------
        shard : Shard

        Yields
        ------
        Column
        """
        # From the shard's own beginning: its chunks begin there.
        cut = shard.block.tiles.parts(self.plan.stride, TILES_PER_CHUNK)
        yield from ordered_map(
            lambda tiles: self._column(shard, tiles), cut, self._threads
        )

    def _column(self, shard: Shard, tiles: TileRange) -> Column:
        plan = self.plan
        grid = self._scorer.grid
        codes = read_codes(self._genome, tiles, grid)
        is_missing = grid.tile_mask(grid.unknown(codes, tiles.n_tiles))
        if is_missing.all():  # centromeres, partial genomes
            nothing = np.zeros((shard.n_pairs, tiles.n_tiles), dtype=np.uint8)
            return Column(nothing, is_missing)
        first, n = shard.first_pair, shard.n_pairs
        scale = plan.scale.of(first, n)
        min_codes = scale.min_codes(plan.margin)
        scores = np.empty((n, tiles.n_tiles), dtype=np.uint8)
        done = 0
        for some in tiles.parts(plan.stride, _TILES_AT_ONCE[plan.device]):
            inputs = codes[grid.code_slice(done, some.n_tiles)]
            logits = self._logits(inputs, some, (first, n))
            part = scores[:, done : done + some.n_tiles]
            quantize(logits, scale, min_codes, part)
            done += some.n_tiles
        scores[:, is_missing] = 0
        return Column(scores, is_missing)

    def _logits(
        self, codes: NDArray[np.uint8], tiles: TileRange, pairs: tuple[int, int]
    ) -> NDArray[np.float32]:
        """Score tiles for a block of pairs; motif features serve all blocks."""
        with self._lock:
            if pairs not in self._scorers:
                first, n = pairs
                some = self.plan.pairs[first : first + n]
                self._scorers[pairs] = self._scorer.for_pairs(some)
            scorer = self._scorers[pairs]
            found = self._features.pop(tiles, None)
        if found is None:
            found = scorer.features(codes, tiles)
        if len(self.plan.pairs) > pairs[1]:
            with self._lock:
                self._features[tiles] = found
                while sum(f.nbytes for f in self._features.values()) > _FEATURE_BYTES:
                    self._features.popitem(last=False)
        return scorer.logits(found)

    def _check_sequence(self, shard: Shard) -> None:
        tiles, expected = shard.block
        found = digest_arrays(read_codes(self._genome, tiles, self._scorer.grid))
        if found != expected:
            span = tiles.span(self.plan.stride, self.plan.seq_len)
            raise RunError(
                f"{self._genome.name} {tiles.chrom}:{span[0] + 1}-{span[1]} has the "
                f"digest {found}, the store was planned with {expected}: another "
                "FASTA, or it changed under way; give the one of the plan"
            )


def open_worker(spec: WorkerSpec) -> ShardWorker:
    """Open model, sequence and plan, and check that they belong together.

    Parameters
    ----------
    spec : MakerSpec

    Returns
    -------
    ShardMaker

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
                f"{digest}; give the same"
            )
    if spec.fasta is None:
        genome: Sequences = open_bundled()
    else:
        genome = open_genome(spec.fasta, spec.cache_dir)
    fast = plan.precision == "fast"
    scorer = Scorer(model, plan.pairs, plan.stride, spec.device, fast)
    return ShardWorker(spec.store, plan, scorer, genome, spec.threads)
