"""What each filter looks for: a matrix of the letters under its strong hits.

A filter is a score per letter and position. What it finds in real sequence says more:
all places where it reaches half of its largest value are laid over each other, on
either strand, and their letters counted (as for DeepBind and Basset). No sequence that
trained the filters should be among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import RunError
from tfimpute_tracks.genome import Region, Sequences
from tfimpute_tracks.kernels.hits import count_bases
from tfimpute_tracks.kernels.motifs import (
    MotifTables,
    build_motif_tables,
    segment_maxima,
)
from tfimpute_tracks.kernels.sparse import SparseRows, compact
from tfimpute_tracks.kernels.tables import word_rows
from tfimpute_tracks.models.model import Model

__all__ = ["FilterMotif", "find_motifs", "information", "is_telling"]

SHARE = 0.5
"""Of a filter's largest value, from which on a place counts as a hit."""

_BLOCK = 1 << 14  # positions
_COARSE = 64  # positions at once, where only the largest value is wanted
_FLANK = 0.25  # bits: less at an end is no part of the motif
_LEAST_HITS, _LEAST_BITS, _LEAST_LETTERS = 10, 6.0, 5  # of a motif worth matching
_PLACES = 8
_PSEUDO = 0.5  # letters of each kind, so that a few hits do not look certain


class FilterMotif(NamedTuple):
    """What a filter found.

    Attributes
    ----------
    number : int
        Of the filter, from 0.
    largest : float
        The largest max(0, Y - b) anywhere; 0 for a filter that never fires.
    counts : int64 array, shape (F, 4)
        Letters under the hits, columns A C G T.
    places : list of Region
        Where it fires most strongly, the strongest first: stretches of about 64 bp in
        as many different parts of the sequence, 8 at most.
    """

    number: int
    largest: float
    counts: NDArray[np.int64]
    places: list[Region]

    @property
    def name(self) -> str:
        """Name of the filter, such as ``filter007``."""
        return f"filter{self.number:03d}"

    @property
    def n_hits(self) -> int:
        """Hits laid over each other."""
        return int(self.counts.sum(axis=1).max(initial=0))

    @property
    def core(self) -> tuple[int, int]:
        """First and last letter that tell something, half-open; equal if none does."""
        told = np.flatnonzero(information(self.counts).sum(axis=1) >= _FLANK)
        return (int(told[0]), int(told[-1]) + 1) if told.size else (0, 0)

    @property
    def consensus(self) -> str:
        """The most frequent letter at each position, small where it tells little.

        Empty without hits.
        """
        if not self.n_hits:
            return ""
        bits = information(self.counts).sum(axis=1)
        letters = np.array(list("ACGT"))[self.counts.argmax(axis=1)]
        return "".join(
            str(a) if b >= 1 else str(a).lower()
            for a, b in zip(letters, bits, strict=True)
        )


def find_motifs(
    model: Model,
    genome: Sequences,
    regions: Iterable[Region],
    advance: Callable[[int], None],
) -> list[FilterMotif]:
    """Count the letters under the strong hits of every filter.

    Parameters
    ----------
    model : Model
    genome : Sequences
    regions : iterable of Region
        Where to look; they should not overlap.
    advance : callable
        Told of positions that are done; each is gone through twice.

    Returns
    -------
    list of FilterMotif
        One for every filter.

    Raises
    ------
    RunError
        No filter fires anywhere.
    """
    weights = model.checkpoint.weights
    filters, bias = weights["filters"], weights["bias"]
    length = model.config.filter_length
    where = list(regions)
    motifs = build_motif_tables(filters, bias)
    strongest = _Strongest(len(bias))
    for block, codes in _blocks(genome, where, length):
        strongest.see(block, _fired(codes, length, motifs, _COARSE))
        advance(len(codes) - length + 1)
    largest = strongest.values[:, 0]
    # A filter that never fires has no half to reach.
    alive = np.flatnonzero(largest > 0)
    raised = bias[alive] + np.float32(SHARE) * largest[alive]
    motifs = build_motif_tables(filters[alive], raised)
    found_there = np.zeros((len(alive), length, 4), dtype=np.int64)
    for _, codes in _blocks(genome, where, length):
        count_bases(codes, _fired(codes, length, motifs, 1), found_there)
        advance(len(codes) - length + 1)
    counts = np.zeros(filters.shape, dtype=np.int64)
    counts[alive] = found_there
    if not counts.any():
        raise RunError(
            f"no filter of {model.name} fires in {where[0]}"
            f"{' or the other regions' if len(where) > 1 else ''}: too short, or of "
            "unknown letters (N); give more sequence"
        )
    return [
        FilterMotif(k, float(largest[k]), own, strongest.places(k, length))
        for k, own in enumerate(counts)
    ]


def information(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Give the height of each letter in a logo.

    Parameters
    ----------
    counts : int array, shape (length, 4)

    Returns
    -------
    float64 array, shape (length, 4)
        In bits: a letter's share of the 2 bits less the entropy of its position.
    """
    share = (counts + _PSEUDO) / (counts + _PSEUDO).sum(axis=1, keepdims=True)
    bits = 2 + (share * np.log2(share)).sum(axis=1, keepdims=True)
    found: NDArray[np.float64] = share * bits
    return found


def is_telling(motif: FilterMotif) -> bool:
    """Tell whether a motif says enough to be compared with others.

    Parameters
    ----------
    motif : FilterMotif

    Returns
    -------
    bool
        10 hits or more, 6 bits in all, and a core of 5 letters.
    """
    first, last = motif.core
    bits = float(information(motif.counts).sum())
    return (
        motif.n_hits >= _LEAST_HITS
        and last - first >= _LEAST_LETTERS
        and bits >= _LEAST_BITS
    )


class _Strongest:
    """The blocks in which each filter fires most strongly, and where in them."""

    def __init__(self, n_filters: int) -> None:
        # Largest first.
        self.values = np.zeros((n_filters, _PLACES), dtype=np.float32)
        self._starts = np.zeros((n_filters, _PLACES), dtype=np.int64)
        self._chroms = np.zeros((n_filters, _PLACES), dtype=np.int64)
        self._names: dict[str, int] = {}

    def see(self, block: Region, hits: SparseRows) -> None:
        rows = hits.entry_rows
        order = np.lexsort((hits.values, hits.columns))
        columns = hits.columns[order].astype(np.int64)
        last = order[np.flatnonzero(np.diff(columns, append=-1))]
        filters = hits.columns[last].astype(np.int64)
        is_new = hits.values[last] > self.values[filters, -1]
        filters, last = filters[is_new], last[is_new]
        self.values[filters, -1] = hits.values[last]
        self._starts[filters, -1] = block.start + rows[last] // 2 * _COARSE
        number = self._names.setdefault(block.chrom, len(self._names))
        self._chroms[filters, -1] = number
        ranks = np.argsort(-self.values[filters], axis=1, kind="stable")
        for kept in (self.values, self._starts, self._chroms):
            kept[filters] = np.take_along_axis(kept[filters], ranks, axis=1)

    def places(self, k: int, length: int) -> list[Region]:
        names = list(self._names)
        both = zip(self._chroms[k].tolist(), self._starts[k].tolist(), strict=True)
        size = _COARSE + length - 1
        n = int(np.count_nonzero(self.values[k]))
        return [Region(names[i], start, start + size) for i, start in both][:n]


def _fired(
    codes: NDArray[np.uint8], length: int, motifs: MotifTables, apart: int
) -> SparseRows:
    n_positions = len(codes) - length + 1
    starts = np.arange(0, n_positions, apart, dtype=np.int64)
    ends = np.minimum(starts + apart, n_positions)
    rows = word_rows(codes, motifs.n_words)
    return compact(segment_maxima(rows, motifs, starts, ends), motifs)


def _blocks(
    genome: Sequences, regions: list[Region], length: int
) -> Iterator[tuple[Region, NDArray[np.uint8]]]:
    """Read regions in blocks that overlap, so that no position is left out."""
    for region in regions:
        for start in range(region.start, region.end - length + 1, _BLOCK):
            end = min(start + _BLOCK + length - 1, region.end)
            block = Region(region.chrom, start, end)
            yield block, genome.codes(*block)
