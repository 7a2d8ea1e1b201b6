"""bigWig: the signal as browsers load it.

Regular bins go into fixed-step blocks; what is scattered (bins between missing ones,
bins cut at a chromosome's end, tiny regions) into blocks that name each bin. A missing
value is not written at all, for it is unknown and not zero; zeros are written, or a
zoomed-out browser would take the mean of what is left. Which tiles have a value is
decided by the caller.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path

import numpy as np

from tfimpute_tracks.errors import RunError
from tfimpute_tracks.genome.signal import Signal, equal_runs
from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.tracks.formats.bbi import BbiKind, BbiWriter, open_bbi
from tfimpute_tracks.tracks.formats.bins import Batch, gather_bins
from tfimpute_tracks.tracks.formats.validate import Content, check_bigwig

__all__ = ["write_bigwig"]

_ITEMS_PER_BLOCK = 2048
_KIND = BbiKind(magic=0x888FFC26, items_per_block=_ITEMS_PER_BLOCK)
_BLOCK_HEAD = struct.Struct("<IIIIIBBH")
_NAMED_BINS, _FIXED_STEP = 1, 3
# A shorter run of regular bins takes less room, and is read sooner, bin by bin.
_SHORTEST_RUN = 64
# Bins that a record of the finest zoom level sums up.
_FIRST_ZOOM = 16


def write_bigwig(
    dest: Path,
    chrom_sizes: Mapping[str, int],
    signals: Iterable[Signal],
    decimals: int | None = 4,
    max_zooms: int = 10,
) -> None:
    """Write a bigWig file, whole or not at all.

    Parameters
    ----------
    dest : Path
        The file to make or to replace.
    chrom_sizes : mapping of str to int
        Chromosome -> bp, in the order of the file; all of them go into its head.
    signals : iterable of (chrom, first_start, step, values)
        Value i, float32 and shape (n,), is drawn over ``[first_start + i * step,
        first_start + (i + 1) * step)``, 0-based, half-open, in bp, cut at the ends of
        the chromosome. NaN: no value. Chromosomes in the order of `chrom_sizes`,
        pieces of one in ascending order. Read one at a time, so a generator keeps
        memory flat.
    decimals : int, optional
        Values are rounded to so many: the fewer, the smaller the file. None leaves
        them as they are.
    max_zooms : int
        The most zoom levels; of a long track ten take a third of the file.

    Raises
    ------
    RegionError
        If a chromosome is not in `chrom_sizes`, or a bin lies outside of it.
    UsageError
        If pieces are out of order or overlap, a step is below 1, or values are not
        one-dimensional.
    RunError
        If a value is infinite, or no bin has a value: a bigWig without one is refused
        by most readers.
    WriteError
        If the disk is full.
    ValidationError
        If the file does not read back as written.
    """
    batches = gather_bins(chrom_sizes, signals, decimals)
    first = next(batches, None)
    if first is None:
        raise RunError(
            f"{dest}: nothing to write, every bin is missing: choose regions whose "
            "sequence is known (not N)"
        )
    widths = first.bins["end"].astype(np.int64) - first.bins["start"]
    reduction = _FIRST_ZOOM * int(widths.max())
    content = Content()
    with atomic_file(dest) as temp:
        with open_bbi(temp, _KIND, chrom_sizes, reduction, max_zooms) as writer:
            for batch in chain([first], batches):
                content.add(batch.chrom, batch.bins)
                writer.add_signal(batch.number, batch.bins)
                _write_blocks(writer, batch)
        check_bigwig(temp, dest, chrom_sizes, content)


def _write_blocks(writer: BbiWriter, batch: Batch) -> None:
    """Write long runs of equal bins that touch as such, and all between bin by bin."""
    starts, ends = batch.bins["start"], batch.bins["end"]
    cuts = equal_runs(starts, ends)
    done = 0
    for run in np.flatnonzero(np.diff(cuts) >= _SHORTEST_RUN):
        first, last = int(cuts[run]), int(cuts[run + 1])
        _write_kind(writer, batch, _NAMED_BINS, range(done, first))
        _write_kind(writer, batch, _FIXED_STEP, range(first, last))
        done = last
    _write_kind(writer, batch, _NAMED_BINS, range(done, len(starts)))


def _write_kind(writer: BbiWriter, batch: Batch, kind: int, which: range) -> None:
    for i in range(which.start, which.stop, _ITEMS_PER_BLOCK):
        bins = batch.bins[i : min(i + _ITEMS_PER_BLOCK, which.stop)]
        start, end = int(bins["start"][0]), int(bins["end"][-1])
        step, items = 0, bins
        if kind == _FIXED_STEP:
            step, items = int(bins["end"][0]) - start, bins["value"]
        head = _BLOCK_HEAD.pack(
            batch.number, start, end, step, step, kind, 0, len(bins)
        )
        writer.add_block(batch.number, start, end, head + items.tobytes(), len(bins))
