"""Motif features as sparse rows.

After ReLU most features are zero: fifteen of sixteen with the bundled weights. A scan
keeps, per segment and strand, the filters with positive values; the tile cache stores
the same without loss, and the head multiplies only those. Values are summed in the order
of entries, which depends only on the sequence and the weights: block size and number of
threads cannot change a bit of a score.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit
from tfimpute_tracks.kernels.lanes import (
    broadcast,
    ctz,
    gt_mask,
    lane_count,
    load,
    popcount,
)
from tfimpute_tracks.kernels.motif_tables import MotifTables
from tfimpute_tracks.kernels.motifs import SegmentMaxima
from tfimpute_tracks.kernels.segments import SegmentGrid

__all__ = ["SparseRows", "compact", "gather_windows", "join_rows", "spread_rows"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


class SparseRows(NamedTuple):
    """A sparse matrix of positive values, row by row (CSR).

    Attributes
    ----------
    offsets : int64 array, shape (n_rows + 1,)
        Row r has the entries from offsets[r] to offsets[r + 1].
    columns : uint16 or int32 array, shape (n_entries,)
    values : float32 array, shape (n_entries,)
        Above zero.
    """

    offsets: Ints
    columns: NDArray[np.uint16] | NDArray[np.int32]
    values: Floats

    @property
    def entry_rows(self) -> Ints:
        """Row of each entry: int64 array, shape (n_entries,)."""
        return np.repeat(np.arange(self.offsets.size - 1), np.diff(self.offsets))

    def rows(self, first: int, last: int) -> SparseRows:
        """Select consecutive rows.

        Parameters
        ----------
        first, last : int
            Half-open.

        Returns
        -------
        SparseRows
            With views of the entries.
        """
        begin, end = self.offsets[first], self.offsets[last]
        return SparseRows(
            self.offsets[first : last + 1] - begin,
            self.columns[begin:end],
            self.values[begin:end],
        )

    def dense(self, n_columns: int, n_rows: int | None = None) -> Floats:
        """Convert to a dense matrix.

        Parameters
        ----------
        n_columns : int
        n_rows : int, optional
            Append rows of zeros up to this number.

        Returns
        -------
        float32 array, shape (n_rows, n_columns)
        """
        n_rows = self.offsets.size - 1 if n_rows is None else n_rows
        out = np.zeros((n_rows, n_columns), dtype=np.float32)
        out[self.entry_rows, self.columns] = self.values
        return out


def join_rows(parts: list[SparseRows]) -> SparseRows:
    """Concatenate rows.

    Parameters
    ----------
    parts : list of SparseRows
        One or more.

    Returns
    -------
    SparseRows
    """
    if len(parts) == 1:
        return parts[0]
    counts = np.concatenate([np.diff(part.offsets) for part in parts])
    return SparseRows(
        np.concatenate([[0], np.cumsum(counts)]),
        np.concatenate([part.columns for part in parts]),
        np.concatenate([part.values for part in parts]),
    )


def spread_rows(rows: SparseRows, is_there: NDArray[np.bool_]) -> SparseRows:
    """Put empty rows between those of segments.

    Parameters
    ----------
    rows : SparseRows
        Two per segment that is there.
    is_there : bool array, shape (n_segments,)

    Returns
    -------
    SparseRows
        Two per segment.
    """
    if is_there.all():
        return rows
    counts = np.zeros((len(is_there), 2), dtype=np.int64)
    counts[is_there] = np.diff(rows.offsets).reshape(-1, 2)
    return rows._replace(offsets=np.concatenate([[0], np.cumsum(counts)]))


def compact(maxima: SegmentMaxima, motifs: MotifTables) -> SparseRows:
    """Collect the features above zero as sparse rows.

    Parameters
    ----------
    maxima : SegmentMaxima
        From :func:`tfimpute_tracks.kernels.motifs.segment_maxima`.
    motifs : MotifTables

    Returns
    -------
    SparseRows
        Row 2 i is segment i on the forward strand, row 2 i + 1 on the reverse one;
        columns are filters, 0..K-1; values are those of the network, max(0, Y - b).
    """
    offsets = np.zeros(2 * len(maxima.dense) + 1, dtype=np.int64)
    zero = maxima.dense.dtype.type(0)
    _count(*maxima, motifs.strands, zero, offsets)
    np.cumsum(offsets, out=offsets)
    most = motifs.filters.max(initial=0)
    columns = np.empty(offsets[-1], dtype=np.uint16 if most < 1 << 16 else np.int32)
    values = np.empty(offsets[-1], dtype=np.float32)
    _fill(
        *maxima,
        motifs.strands,
        zero,
        offsets,
        motifs.filters.reshape(-1),
        motifs.factors.reshape(-1),
        columns,
        values,
    )
    return SparseRows(offsets, columns, values)


def gather_windows(
    features: SparseRows, grid: SegmentGrid, n_tiles: int, n_filters: int
) -> SparseRows:
    """Combine segments to the pooling windows of each tile.

    Parameters
    ----------
    features : SparseRows
        Of at least `grid.n_segments(n_tiles)` segments, from :func:`compact`.
    grid : SegmentGrid
    n_tiles : int
    n_filters : int
        K.

    Returns
    -------
    SparseRows
        Row 2 t is the forward strand of tile t, row 2 t + 1 its reverse complement;
        column w * K + k is filter k in window w. Columns are unique in a row.

    Raises
    ------
    IndexError
        There are too few segments for the tiles.
    """
    n_segments = (features.offsets.size - 1) // 2
    if n_segments < grid.n_segments(n_tiles):
        raise IndexError(f"{n_segments} segments are too few for {n_tiles} tiles")
    ranges = np.stack([grid.forward, grid.reverse])
    step = grid.borders.size
    # A window has at most as many entries as its segments together.
    sizes = np.diff(features.offsets).reshape(-1, 2)[: grid.n_segments(n_tiles)]
    sums = np.concatenate([np.zeros((1, 2), np.int64), np.cumsum(sizes, axis=0)])
    tiles = step * np.arange(n_tiles)[:, None]
    most = sum(
        int((sums[tiles + ranges[s, :, 1], s] - sums[tiles + ranges[s, :, 0], s]).sum())
        for s in (0, 1)
    )
    offsets = np.zeros(2 * n_tiles + 1, dtype=np.int64)
    columns = np.empty(most, dtype=np.int32)
    values = np.empty(most, dtype=np.float32)
    slots = np.full(n_filters, np.iinfo(np.uint64).max, dtype=np.uint64)
    _gather(*features, ranges, step, n_filters, slots, offsets, columns, values)
    n_entries = offsets[-1]
    return SparseRows(offsets, columns[:n_entries], values[:n_entries])


@njit(nogil=True, cache=True)
def _count(dense, screened, computed, strands, zero, offsets):  # type: ignore[no-untyped-def]
    n_lanes = lane_count(dense)
    n_dense = strands.size - computed.shape[1]
    for segment in range(dense.shape[0]):
        own = offsets[2 * segment + 1 : 2 * segment + 3]
        for block in range(n_dense):
            lanes = load(dense[segment], block * n_lanes)
            own[strands[block]] += popcount(gt_mask(lanes, broadcast(zero)))
        for rare in range(computed.shape[1]):
            if computed[segment, rare]:
                lanes = load(screened[segment], rare * n_lanes)
                n = popcount(gt_mask(lanes, broadcast(zero)))
                own[strands[n_dense + rare]] += n


@njit(nogil=True, cache=True)
def _fill(  # type: ignore[no-untyped-def]
    dense, screened, computed, strands, zero, offsets, filters, factors, columns, values
):
    n_lanes = lane_count(dense)
    n_dense = strands.size - computed.shape[1]
    for segment in range(dense.shape[0]):
        ends = offsets[2 * segment : 2 * segment + 2].copy()
        for block in range(strands.size):
            rare = block - n_dense
            if rare < 0:
                row, first = dense[segment], block * n_lanes
            elif computed[segment, rare]:
                row, first = screened[segment], rare * n_lanes
            else:
                continue
            mask = gt_mask(load(row, first), broadcast(zero))
            end = np.uint64(ends[strands[block]])
            while mask:
                lane = np.uint64(ctz(mask))
                mask &= mask - 1
                source = np.uint64(block * n_lanes) + lane
                columns[end] = filters[source]
                values[end] = row[np.uint64(first) + lane] * factors[source]
                end += np.uint64(1)
            ends[strands[block]] = end


@njit(nogil=True, cache=True)
def _gather(  # type: ignore[no-untyped-def]
    rows, filters, maxima, ranges, step, n_filters, slots, offsets, columns, values
):
    # Most windows have one or two segments. Entries of the first one are copied; those
    # of the others are merged. `slots` holds the last entry of each filter; entries of
    # earlier windows are below `begin`. Indices are unsigned, because signed ones are
    # checked for negative values.
    end, one = np.uint64(0), np.uint64(1)
    for row in range(offsets.size - 1):
        tile, strand = row // 2, row % 2
        for window in range(ranges.shape[1]):
            first = tile * step + ranges[strand, window, 0]
            last = tile * step + ranges[strand, window, 1]
            begin, base = end, window * n_filters
            source = np.uint64(2 * first + strand)
            is_merged = last - first > 1
            for entry in range(np.uint64(rows[source]), np.uint64(rows[source + one])):
                columns[end] = base + filters[entry]
                values[end] = maxima[entry]
                if is_merged:
                    slots[np.uint64(filters[entry])] = end
                end += one
            for segment in range(first + 1, last):
                source = np.uint64(2 * segment + strand)
                stop = np.uint64(rows[source + one])
                for entry in range(np.uint64(rows[source]), stop):
                    known = slots[np.uint64(filters[entry])]
                    if begin <= known < end:
                        values[known] = max(values[known], maxima[entry])
                    else:
                        slots[np.uint64(filters[entry])] = end
                        columns[end] = base + filters[entry]
                        values[end] = maxima[entry]
                        end += one
        offsets[row + 1] = end
