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
import struct
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import RunError
from tfimpute_tracks.genome.signal import equal_runs
from tfimpute_tracks.tracks.formats.bbi import BbiKind, BbiWriter, open_bbi
from tfimpute_tracks.tracks.formats.bins import Batch, SignalStyle
from tfimpute_tracks.tracks.formats.blockwise import signal_blocks
from tfimpute_tracks.tracks.formats.reading import (
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
from tfimpute_tracks.tracks.formats.zoom import BIN, join_bins

__all__ = ["check_bigwig", "write_bigwig"]

_KIND = BbiKind(magic=0x888FFC26, items_per_block=2048)
_BLOCK_HEAD = struct.Struct("<IIIIIBBH")
_NAMED_BINS, _FIXED_STEP = 1, 3
# A shorter run of regular bins is smaller, and is read faster, as single bins.
_SHORTEST_RUN = 64
# Bins that a record of the finest zoom level sums up.
_FIRST_ZOOM = 16
# Chromosomes that libraries read: they search all for each.
_N_CHROMS = 20
_N_AT_ENDS = 512  # bins at either end of a chromosome that libraries read
_BINS_AT_ONCE = 1 << 16  # added up


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
            writer.add_signal(batch.number, batch.bins)
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
    for chrom, bins in signal_blocks(path, fault):
        read.add(chrom, bins)
        sums_read.add(bins)
        first.setdefault(chrom, bins[:_N_AT_ENDS])
        last[chrom] = bins[-_N_AT_ENDS:]
    sums_read.flush()
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
        ends = [*islice(first.items(), _N_CHROMS), *islice(last.items(), _N_CHROMS)]
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
    """What the head of a file should say; added up for many chromosomes at once."""

    def __init__(self) -> None:
        self.bases, self.total, self.scale = 0, 0.0, 0.0
        self.low, self.high = math.inf, -math.inf
        self._waiting: list[NDArray[np.void]] = []
        self._n_waiting = 0

    def add(self, bins: NDArray[np.void]) -> None:
        if len(bins):
            self._waiting.append(bins)
            self._n_waiting += len(bins)
        if self._n_waiting >= _BINS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        if not self._waiting:
            return
        bins = join_bins(self._waiting)
        widths = bins["end"].astype(np.int64) - bins["start"]
        areas = widths * bins["value"].astype(np.float64)
        self.bases += int(widths.sum())
        self.total += float(areas.sum())
        self.scale += float(np.abs(areas).sum())
        self.low = min(self.low, float(bins["value"].min()))
        self.high = max(self.high, float(bins["value"].max()))
        self._waiting, self._n_waiting = [], 0


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
    if len(batch.bins) < _SHORTEST_RUN:
        _write_kind(writer, batch, _NAMED_BINS, range(0, len(batch.bins), per_block))
        return
    starts, ends = batch.bins["start"], batch.bins["end"]
    cuts = equal_runs(starts, ends)
    done = 0
    for run in np.flatnonzero(np.diff(cuts) >= _SHORTEST_RUN):
        first, last = int(cuts[run]), int(cuts[run + 1])
        _write_kind(writer, batch, _NAMED_BINS, range(done, first, per_block))
        _write_kind(writer, batch, _FIXED_STEP, range(first, last, per_block))
        done = last
    _write_kind(writer, batch, _NAMED_BINS, range(done, len(starts), per_block))


def _write_kind(writer: BbiWriter, batch: Batch, kind: int, blocks: range) -> None:
    for i in blocks:
        bins = batch.bins[i : min(i + blocks.step, blocks.stop)]
        (start, first_end, _), (_, end, _) = bins[0].item(), bins[-1].item()
        step, items = 0, bins
        if kind == _FIXED_STEP:
            step, items = first_end - start, bins["value"]
        head = _BLOCK_HEAD.pack(
            batch.number, start, end, step, step, kind, 0, len(bins)
        )
        writer.add_block(batch.number, start, end, head + items.tobytes(), len(bins))
