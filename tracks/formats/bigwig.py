"""bigWig: the signal as browsers load it.

Regular bins go into fixed-step blocks; scattered ones (bins between missing ones, bins
cut at a chromosome's end, tiny regions) into blocks that list each bin. A missing value
is not written at all, for it is unknown and not zero; zeros are written, or a zoomed-out
browser would show the mean of what is left.

The file is read back: every bin by ``blockwise``, head and coarsest zoom level by
pybigtools, the bins at both ends of chromosomes by pybigtools and by libBigWig. No two of
them share code, and none shares any with this writer. (For all bins the two libraries take
longer than compressing them.)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import RunError
from tfimpute_tracks.genome.signal import equal_runs
from tfimpute_tracks.tracks.formats.bbi import BbiKind, BbiWriter, open_bbi
from tfimpute_tracks.tracks.formats.bins import Batch, SignalStyle
from tfimpute_tracks.tracks.formats.blockwise import signal_batches
from tfimpute_tracks.tracks.formats.reading import (
    LAST_READ,
    bin_batches,
    open_bbi_file,
    open_libbigwig,
)
from tfimpute_tracks.tracks.formats.validate import (
    Content,
    compare,
    compare_each,
    read_back_error,
)
from tfimpute_tracks.tracks.formats.zoom import BIN

__all__ = ["check_bigwig", "write_bigwig"]

_KIND = BbiKind(magic=0x888FFC26, items_per_block=4096)
_PLACE = [(name, "<u4") for name in ("chrom", "start", "end", "step", "span")]
_HEAD = np.dtype([*_PLACE, ("kind", "u1"), ("reserved", "u1"), ("n", "<u2")])
_NAMED_BINS, _FIXED_STEP = 1, 3
_VALUE_BYTES = 4
# A shorter run of regular bins is smaller, and is read faster, as single bins.
_SHORTEST_RUN = 64
# Bins that a record of the finest zoom level sums up.
_FIRST_ZOOM = 32
# Chromosomes that libraries read: they search all for each.
_N_CHROMS = 20
_N_AT_ENDS = 512  # bins at either end of a chromosome that libraries read


def write_bigwig(
    path: Path,
    chrom_sizes: Mapping[str, int],
    batches: Iterator[Batch],
    style: SignalStyle,
    kind: BbiKind = _KIND,
) -> None:
    """Write a bigWig file.

    Parameters
    ----------
    path : Path
    chrom_sizes : mapping of str to int
        Chromosome -> bp, in the order of the file; all of them go into its header.
    batches : iterator of Batch
    style : SignalStyle
    kind : BbiKind
        Of a bigWig; with how many bins a block holds, and how wide its indexes are.

    Raises
    ------
    RunError
        If no bin has a value: most readers refuse such a bigWig.
    """
    first = next(batches, None)
    if first is None:
        raise RunError(
            "nothing to write, every bin is missing: choose regions whose sequence is "
            "known (not N)"
        )
    widths = first.bins["end"].astype(np.int64) - first.bins["start"]
    reduction = _FIRST_ZOOM * int(widths.max())
    with open_bbi(path, kind, chrom_sizes, reduction, style.max_zooms) as writer:
        for batch in chain([first], batches):
            writer.add_signal(batch)
            _write_blocks(writer, batch, kind.items_per_block)


def check_bigwig(
    path: Path, dest: Path, chrom_sizes: Mapping[str, int], content: Content
) -> None:
    """Read a whole bigWig back and compare it with what was written.

    Parameters
    ----------
    path, dest : Path
        The file, under its temporary name, and the name to use in a message.
    chrom_sizes : mapping of str to int
        Chromosome -> bp.
    content : Content

    Raises
    ------
    ValidationError
        If the file or its head says anything else; where there are few chromosomes, also
        its coarsest zoom level.
    """
    fault = partial(read_back_error, dest)
    read, sums_read = Content(), _Sums()
    first: dict[str, NDArray[np.void]] = {}
    last: dict[str, NDArray[np.void]] = {}
    for batch in signal_batches(path, [*chrom_sizes], fault):
        read.add(batch)
        sums_read.add(batch.bins)
        for chrom, bins in batch.by_chrom():
            if chrom not in first and len(first) == _N_CHROMS:
                break  # and none of those is behind it
            first.setdefault(chrom, bins[:_N_AT_ENDS])
            last[chrom] = bins[-_N_AT_ENDS:]
    read.compare(dest, content)
    total, scale = sums_read.total, sums_read.scale
    with open_bbi_file(path, fault) as bbi:
        compare_each(dest, "size", bbi.chroms(), chrom_sizes)
        summary = bbi.info()["summary"]
        head = [summary[name] for name in ("basesCovered", "min", "max")]
        written = [sums_read.bases, sums_read.low, sums_read.high]
        compare(dest, "covered bases, minimum, maximum", head, written)
        sums = {"head": summary["sum"]}
        if bbi.zooms() and len(chrom_sizes) <= _N_CHROMS:
            records = _zoom_records(bbi, max(bbi.zooms()), chrom_sizes)
            zoomed = sum(record["bases_covered"] for record in records)
            compare(dest, "bases of the coarsest zoom level", zoomed, sums_read.bases)
            sums["coarsest zoom level"] = sum(record["sum"] for record in records)
        for where, found in sums.items():
            # Zoom levels store sums in single precision. A NaN fails, too.
            if not abs(found - total) <= 1e-5 * scale:
                raise read_back_error(
                    dest, f"sum in the {where}: read {found}, written {total}"
                )
        ends = [*first.items(), *last.items()]
        ends = [(chrom, bins) for chrom, bins in ends if _span(bins)[1] <= LAST_READ]
        for chrom, bins in ends:
            rows = bbi.records(chrom, *_span(bins))
            _compare_bins(dest, chrom, bins, np.concatenate([*bin_batches(rows)]))
    with open_libbigwig(path, fault) as file:
        compare_each(dest, "size (libBigWig)", file.chroms(), chrom_sizes)
        for chrom, bins in ends:
            rows = file.intervals(chrom, *_span(bins)) or ()
            _compare_bins(dest, f"{chrom} (libBigWig)", bins, np.array([*rows], BIN))


def _span(bins: NDArray[np.void]) -> tuple[int, int]:
    return int(bins["start"][0]), int(bins["end"][-1])


def _compare_bins(
    dest: Path, what: str, bins: NDArray[np.void], found: NDArray[np.void]
) -> None:
    if found.tobytes() != bins.tobytes():
        begin, end = _span(bins)
        raise read_back_error(dest, f"bins of {what} from {begin} to {end} differ")


class _Sums:
    """What the head of a file should say."""

    def __init__(self) -> None:
        self.bases, self.total, self.scale = 0, 0.0, 0.0
        self.low, self.high = math.inf, -math.inf

    def add(self, bins: NDArray[np.void]) -> None:
        from tfimpute_tracks.kernels.bins import total_bins

        bases, total, scale, low, high = total_bins(bins)
        self.bases, self.total = self.bases + bases, self.total + total
        self.scale += scale
        self.low, self.high = min(self.low, low), max(self.high, high)


def _zoom_records(
    bbi: Any, reduction: int, chroms: Iterable[str]
) -> list[dict[str, Any]]:
    return [
        record
        for chrom in chroms
        for _, _, record in bbi.zoom_records(reduction, chrom)
    ]


def _write_blocks(writer: BbiWriter, batch: Batch, per_block: int) -> None:
    """Write long runs of equal bins that touch as such, and all between bin by bin."""
    heads = _sections(batch, per_block)
    head, items, values = (
        part.tobytes() for part in (heads, batch.bins, batch.bins["value"])
    )
    contents = []
    at = first = 0
    for kind, n in heads[["kind", "n"]].tolist():
        width = _VALUE_BYTES if kind == _FIXED_STEP else BIN.itemsize
        content = values if kind == _FIXED_STEP else items
        data = content[first * width : (first + n) * width]
        contents.append(head[at : at + _HEAD.itemsize] + data)
        at, first = at + _HEAD.itemsize, first + n
    places = np.stack([heads[name] for name in ("chrom", "start", "end")], axis=1)
    writer.add_blocks(places, contents, len(batch.bins))


def _sections(batch: Batch, per_block: int) -> NDArray[np.void]:
    """Make the head of each section: of a run, or of the bins between runs."""
    starts, ends = (np.ascontiguousarray(batch.bins[name]) for name in ("start", "end"))
    is_new = batch.chroms[1:] != batch.chroms[:-1]
    cuts = equal_runs(starts, ends, is_new)
    is_long = np.diff(cuts) >= _SHORTEST_RUN
    edges = [cuts[:-1][is_long], cuts[1:][is_long], np.flatnonzero(is_new) + 1]
    edges = np.unique(np.concatenate([[0], *edges, [len(starts)]])).tolist()
    firsts = np.array(
        [i for first, end in pairwise(edges) for i in range(first, end, per_block)]
    )
    lasts = np.append(firsts[1:], len(starts)) - 1
    is_fixed = is_long[np.searchsorted(cuts, firsts, "right") - 1]
    heads = np.zeros(len(firsts), dtype=_HEAD)
    heads["chrom"], heads["n"] = batch.chroms[firsts], lasts - firsts + 1
    heads["start"], heads["end"] = starts[firsts], ends[lasts]
    heads["kind"] = np.where(is_fixed, _FIXED_STEP, _NAMED_BINS)
    heads["step"] = heads["span"] = (ends[firsts] - starts[firsts]) * is_fixed
    return heads
