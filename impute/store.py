"""Reading a bulk store: one pair over chromosomes, all pairs at a position.

Files are opened when they are needed, and only those: a position costs one shard, a pair
over a chromosome a chunk's height of each. A store may be read while it is being made;
a shard that does not exist yet is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import RegionError, UnknownNameError, listed, size_text
from tfimpute_tracks.genome import Region, parse_region
from tfimpute_tracks.impute.plan import Plan, Shard
from tfimpute_tracks.impute.plan_file import read_plan
from tfimpute_tracks.impute.shard_file import ShardFile
from tfimpute_tracks.impute.spans import Span, by_chrom, find_spans, near_spans
from tfimpute_tracks.impute.stored_codes import Locus, Rows
from tfimpute_tracks.impute.stored_peaks import add_up_peaks
from tfimpute_tracks.kernels.codes import decode_codes
from tfimpute_tracks.kernels.peaks import PeakCounts
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = ["Store"]

_GROUP_BYTES = 256 << 20


class Store:
    """A folder that `impute` made.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    InputFileError
        It is not a store.

    Attributes
    ----------
    folder : Path
    plan : Plan
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plan: Plan = read_plan(folder)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Names of the TFs and cell lines in the store."""
        tfs, cells = dict.fromkeys(self.plan.tfs), dict.fromkeys(self.plan.cells)
        return Vocabulary(list(tfs), list(cells))

    @cached_property
    def _indexes(self) -> dict[Pair, int]:
        return {pair: index for index, pair in enumerate(self.plan.pairs)}

    def index(self, pair: Pair) -> int:
        """Find a pair.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        int
            Its index in the plan.

        Raises
        ------
        UnknownNameError
            It is not in the store.
        """
        if pair not in self._indexes:
            raise UnknownNameError(
                f"{pair} is not in {self.folder}, which contains {len(self._indexes):,} "
                "other pairs; a store made with --missing has no measured ones"
            )
        return self._indexes[pair]

    def rows(
        self, indexes: Sequence[int], regions: list[Region] | None = None
    ) -> Iterator[Rows]:
        """Read the codes of pairs that share their chunks, as fast as of one of them.

        Parameters
        ----------
        indexes : sequence of int
            In the plan; of one group of :meth:`groups`.
        regions : list of Region, optional
            Only tiles drawn there; by default all there are.

        Yields
        ------
        Rows
            Of a range of tiles, or of ranges that are close; shard by shard.

        Raises
        ------
        RegionError
            The store has no tile in any of the regions.
        InputFileError
            A shard is missing or damaged.
        """
        parts = list(self._parts(regions, indexes[0]))
        if not parts:
            raise RegionError(self._no_tile(regions))
        for shard, spans in parts:
            with ShardFile(self.folder, self.plan, shard) as file:
                missing = file.missing()
                for group in near_spans(spans, self.plan.chunk.tiles):
                    codes = file.some_rows(indexes, group.first, group.last)
                    is_missing = missing[group.first : group.last]
                    yield Rows(group.ranges, group.take(codes), group.take(is_missing))

    def groups(
        self,
        indexes: Iterable[int],
        regions: list[Region] | None = None,
        n_bytes: int = _GROUP_BYTES,
    ) -> Iterator[list[int]]:
        """Divide pairs into groups that :meth:`rows` reads together.

        Parameters
        ----------
        indexes : iterable of int
            In the plan.
        regions : list of Region, optional
            What will be read.
        n_bytes : int
            The most that a group takes in memory; one pair at least.

        Yields
        ------
        list of int
            Neighbors in `indexes`, in their order.
        """
        firsts = np.array(sorted({shard.first_pair for shard in self.plan.shards}))
        height = self.plan.chunk.pairs

        def place(index: int) -> tuple[int, int]:
            first = int(firsts[np.searchsorted(firsts, index, "right") - 1])
            return first, (index - first) // height

        n_tiles = sum(
            tiles.n_tiles
            for _, spans in self._parts(regions, int(firsts[0]))
            for _, tiles in spans
        )
        most = max(n_bytes // max(n_tiles, 1), 1)
        for _, group in groupby(indexes, place):
            members = list(group)
            for begin in range(0, len(members), most):
                yield members[begin : begin + most]

    def n_cells(self, tf: str) -> int:
        """Count the cell lines of a TF in the store.

        Parameters
        ----------
        tf : str

        Returns
        -------
        int
        """
        return self.plan.tfs.count(tf)

    def mean_probabilities(
        self, tf: str, regions: list[Region] | None = None
    ) -> Iterator[NDArray[np.float32]]:
        """Average the probabilities of a TF over its cell lines in the store.

        Parameters
        ----------
        tf : str
        regions : list of Region, optional
            As :meth:`rows`.

        Yields
        ------
        float32 array, shape (n_tiles,)
            Of the tiles that :meth:`rows` yields for each of the TF's pairs, in the same
            parts; undefined where a tile has no value.

        Raises
        ------
        InputFileError
            A shard is missing or damaged.
        """
        first, n = self.plan.tfs.index(tf), self.n_cells(tf)  # they are neighbors
        parts = self._parts(regions, first, n)
        for block, group in groupby(parts, key=lambda part: part[0].block):
            shards = list(group)
            total = np.zeros(block.n_tiles, dtype=np.float64)
            for shard, _ in shards:
                self._add_up(shard, first, first + n, total)
            means = (total / n).astype(np.float32)
            # The spans are those of all shards of these tiles.
            for near in near_spans(shards[0][1], self.plan.chunk.tiles):
                yield near.take(means[near.first : near.last])

    def _add_up(
        self, shard: Shard, first: int, last: int, total: NDArray[np.float64]
    ) -> None:
        """Add the probabilities of pairs that a shard has, pair by pair."""
        begin = max(first, shard.first_pair)
        end = min(last, shard.first_pair + shard.n_pairs)
        every = np.arange(256, dtype=np.uint8)[None]
        with ShardFile(self.folder, self.plan, shard) as file:
            for index, codes in enumerate(chain(*file.rows(begin, end)), begin):
                scale = self.plan.scale.of(index, 1)
                total += sigmoid(decode_codes(every, scale)[0])[codes]

    def loci(self, region: Region) -> Iterator[Locus]:
        """Read all pairs in a region, part by part: the region may be a chromosome.

        Parameters
        ----------
        region : Region

        Yields
        ------
        Locus
            Of a shard's pairs and a chunk's tiles at most, in the order of the genome.

        Raises
        ------
        RegionError
            The store has no tile there.
        InputFileError
            A shard is missing or damaged.
        """
        stride, n_tiles, is_empty = self.plan.stride, self.plan.chunk.tiles, True
        for shard, spans in self._parts([region], 0, len(self.plan.tfs)):
            is_empty = False
            with ShardFile(self.folder, self.plan, shard) as file:
                missing = file.missing()
                for row, tiles in spans:
                    for part in tiles.parts(stride, n_tiles):
                        begin = row + (part.first - tiles.first) // stride
                        end = begin + part.n_tiles
                        start = part.first + self.plan.offset
                        yield Locus(
                            shard.first_pair,
                            start + stride * np.arange(end - begin, dtype=np.int64),
                            file.columns(begin, end),
                            missing[begin:end],
                        )
        if is_empty:
            raise RegionError(self._no_tile([region]))

    def peak_counts(self) -> NDArray[np.int64]:
        """Count the peaks of every pair, at the pairs' own thresholds.

        Returns
        -------
        int64 array, shape (n_pairs,)

        Raises
        ------
        InputFileError
            A shard is missing or damaged.
        """

        def counts() -> Iterator[tuple[Shard, PeakCounts]]:
            for shard in self.plan.shards:
                with ShardFile(self.folder, self.plan, shard) as file:
                    yield shard, file.peaks()

        return add_up_peaks(self.plan, counts())

    def _parts(
        self, regions: list[Region] | None, first: int = 0, n: int = 1
    ) -> Iterator[tuple[Shard, list[Span]]]:
        """Find the shards of neighboring pairs that regions need, and their tiles."""
        places = None if regions is None else by_chrom(regions)
        for shard in self.plan.shards:
            if (
                first >= shard.first_pair + shard.n_pairs
                or first + n <= shard.first_pair
            ):
                continue
            spans = list(find_spans(shard.block, self.plan, places))
            if spans:
                yield shard, spans

    def outside(self, regions: Iterable[Region]) -> str:
        """Say what of some regions the store does not hold.

        Parameters
        ----------
        regions : iterable of Region

        Returns
        -------
        str
            A line for people; empty where all is there. A whole chromosome stands for
            what there is of it.
        """
        sizes = self.plan.chrom_sizes
        held = by_chrom(
            parse_region(text, sizes)
            for text in self.plan.regions
            if text.rpartition(":")[0] in sizes
        )
        for region in regions:
            length = region.end - region.start
            starts, ends = held.get(region.chrom, np.zeros((2, 0), dtype=np.int64))
            shared = np.minimum(region.end, ends) - np.maximum(region.start, starts)
            n = int(np.maximum(shared, 0).sum())
            if 0 < n < length < sizes[region.chrom]:
                return (
                    f"{self.folder} holds {size_text(n)} of the {size_text(length)} of "
                    f"{region}; the rest has no values"
                )
        return ""

    def _no_tile(self, regions: list[Region] | None) -> str:
        where = regions[0] if regions else "it"
        held = listed(self.plan.regions, 3)
        return f"{self.folder} has no tile at {where}; it contains {held}"
