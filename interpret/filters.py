"""Turn filters into motifs: count the bases under their strong hits.

A filter is a weight per base and position. What it detects in real sequence is easier to
read: all positions where it reaches half of its maximum are aligned, on either strand, and
their bases counted (as for DeepBind and Basset). The sequence should not have been used for
training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import RunError
from tfimpute_tracks.genome import Region, Sequences
from tfimpute_tracks.kernels.hits import count_bases
from tfimpute_tracks.kernels.motif_tables import MotifTables, build_motif_tables
from tfimpute_tracks.kernels.motifs import segment_maxima
from tfimpute_tracks.kernels.sparse import SparseRows, compact
from tfimpute_tracks.kernels.tables import word_rows
from tfimpute_tracks.models.model import Model

__all__ = [
    "HIT_FRACTION",
    "FilterMotif",
    "find_motifs",
    "information",
    "is_informative",
]

HIT_FRACTION = 0.5
"""Fraction of a filter's maximum from which a position is a hit."""

_BLOCK = 1 << 14  # positions
_SEGMENT = 64  # positions of which only the maximum is needed
_MIN_CORE_BITS = 0.25  # of a position at an end of the core
_MIN_HITS, _MIN_BITS, _MIN_CORE = 10, 6.0, 5  # of an informative motif
_N_STRONGEST = 8
_PSEUDOCOUNT = 0.5  # per base, so that a few hits do not look certain


class FilterMotif(NamedTuple):
    """The motif of a filter.

    Attributes
    ----------
    number : int
        Of the filter, from 0.
    largest : float
        Maximum of max(0, Y - b) anywhere; 0 for a filter that never fires.
    counts : int64 array, shape (F, 4)
        Bases under the hits, columns A C G T.
    strongest : list of Region
        Where it fires most strongly, the strongest first: segments of about 64 bp in
        different blocks of the sequence, at most 8.
    """

    number: int
    largest: float
    counts: NDArray[np.int64]
    strongest: list[Region]

    @property
    def name(self) -> str:
        """Name of the filter, such as ``filter007``."""
        return f"filter{self.number:03d}"

    @property
    def n_hits(self) -> int:
        """Number of aligned hits."""
        return int(self.counts.sum(axis=1).max(initial=0))

    @property
    def core(self) -> tuple[int, int]:
        """First and last informative position, half-open; equal if there is none."""
        bits = information(self.counts).sum(axis=1)
        at = np.flatnonzero(bits >= _MIN_CORE_BITS)
        return (int(at[0]), int(at[-1]) + 1) if at.size else (0, 0)

    @property
    def consensus(self) -> str:
        """Most frequent base of each position, in lower case below 1 bit.

        Empty without hits.
        """
        if not self.n_hits:
            return ""
        bits = information(self.counts).sum(axis=1)
        bases = np.array(list("ACGT"))[self.counts.argmax(axis=1)]
        return "".join(
            str(base) if b >= 1 else str(base).lower()
            for base, b in zip(bases, bits, strict=True)
        )


def find_motifs(
    model: Model,
    genome: Sequences,
    regions: Iterable[Region],
    advance: Callable[[int], None],
) -> list[FilterMotif]:
    """Count the bases under the strong hits of every filter.

    Parameters
    ----------
    model : Model
    genome : Sequences
    regions : iterable of Region
        They should not overlap.
    advance : callable
        Called with the number of positions that are done; each is read twice.

    Returns
    -------
    list of FilterMotif
        One for every filter.

    Raises
    ------
    RunError
        No filter fires anywhere.
    """
    filters, bias = (model.checkpoint.weights[name] for name in ("filters", "bias"))
    length, where = model.config.filter_length, list(regions)
    motifs = build_motif_tables(filters, bias)
    strongest = _Strongest(len(bias))
    for block, codes in _blocks(genome, where, length):
        strongest.add(block, _detect(codes, length, motifs, _SEGMENT))
        advance(len(codes) - length + 1)
    largest = strongest.values[:, 0]
    firing = np.flatnonzero(largest > 0)
    threshold = bias[firing] + np.float32(HIT_FRACTION) * largest[firing]
    motifs = build_motif_tables(filters[firing], threshold)
    own_counts = np.zeros((len(firing), length, 4), dtype=np.int64)
    for _, codes in _blocks(genome, where, length):
        count_bases(codes, _detect(codes, length, motifs, 1), own_counts)
        advance(len(codes) - length + 1)
    counts = np.zeros(filters.shape, dtype=np.int64)
    counts[firing] = own_counts
    if not counts.any():
        raise RunError(
            f"no filter of {model.name} fires in {where[0]}"
            f"{' or the other regions' if len(where) > 1 else ''}: too short, or "
            "unknown sequence (N); use more sequence"
        )
    return [
        FilterMotif(k, float(largest[k]), own, strongest.regions(k, length))
        for k, own in enumerate(counts)
    ]


def information(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Compute the height of each letter in a sequence logo.

    Parameters
    ----------
    counts : int array, shape (length, 4)

    Returns
    -------
    float64 array, shape (length, 4)
        In bits: a base's fraction of 2 bits minus the entropy of its position.
    """
    smooth = counts + _PSEUDOCOUNT
    frequency = smooth / smooth.sum(axis=1, keepdims=True)
    bits = 2 + (frequency * np.log2(frequency)).sum(axis=1, keepdims=True)
    found: NDArray[np.float64] = frequency * bits
    return found


def is_informative(motif: FilterMotif) -> bool:
    """Check whether a motif is specific enough to be compared with others.

    Parameters
    ----------
    motif : FilterMotif

    Returns
    -------
    bool
        At least 10 hits, 6 bits in total, and a core of 5 positions.
    """
    first, last = motif.core
    bits = float(information(motif.counts).sum())
    return motif.n_hits >= _MIN_HITS and last - first >= _MIN_CORE and bits >= _MIN_BITS


class _Strongest:
    """The blocks in which each filter fires most strongly, and where in them."""

    def __init__(self, n_filters: int) -> None:
        shape = n_filters, _N_STRONGEST
        self.values = np.zeros(shape, dtype=np.float32)  # largest first
        self._starts, self._chroms = (np.zeros(shape, dtype=np.int64) for _ in "ab")
        self._names: dict[str, int] = {}

    def add(self, block: Region, hits: SparseRows) -> None:
        rows = np.repeat(np.arange(hits.offsets.size - 1), np.diff(hits.offsets))
        order = np.lexsort((hits.values, hits.columns))
        columns = hits.columns[order].astype(np.int64)
        last = order[np.flatnonzero(np.diff(columns, append=-1))]
        filters = hits.columns[last].astype(np.int64)
        is_new = hits.values[last] > self.values[filters, -1]
        filters, last = filters[is_new], last[is_new]
        self.values[filters, -1] = hits.values[last]
        self._starts[filters, -1] = block.start + rows[last] // 2 * _SEGMENT
        number = self._names.setdefault(block.chrom, len(self._names))
        self._chroms[filters, -1] = number
        ranks = np.argsort(-self.values[filters], axis=1, kind="stable")
        for kept in (self.values, self._starts, self._chroms):
            kept[filters] = np.take_along_axis(kept[filters], ranks, axis=1)

    def regions(self, k: int, length: int) -> list[Region]:
        names, n = list(self._names), int(np.count_nonzero(self.values[k]))
        loci = zip(self._chroms[k].tolist(), self._starts[k].tolist(), strict=True)
        size = _SEGMENT + length - 1
        return [Region(names[i], start, start + size) for i, start in loci][:n]


def _detect(
    codes: NDArray[np.uint8], length: int, motifs: MotifTables, segment: int
) -> SparseRows:
    n_positions = len(codes) - length + 1
    starts = np.arange(0, n_positions, segment, dtype=np.int64)
    ends = np.minimum(starts + segment, n_positions)
    rows = word_rows(codes, motifs.n_words)
    return compact(segment_maxima(rows, motifs, starts, ends), motifs)


def _blocks(
    genome: Sequences, regions: list[Region], length: int
) -> Iterator[tuple[Region, NDArray[np.uint8]]]:
    """Read regions in overlapping blocks, so that no position is left out."""
    for region in regions:
        for start in range(region.start, region.end - length + 1, _BLOCK):
            end = min(start + _BLOCK + length - 1, region.end)
            block = Region(region.chrom, start, end)
            yield block, genome.codes(*block)
