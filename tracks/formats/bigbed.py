"""bigBed: the same peaks as a narrowPeak file, indexed, for hubs and big sets.

The type is the one UCSC calls bigNarrowPeak. Only its first six columns count as
standard BED ones; with ten, as some writers have it, igv.js takes the signal for the
thick start of a gene.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np

from tfimpute_tracks.tracks.formats.bbi import BbiKind, BbiWriter, open_bbi
from tfimpute_tracks.tracks.formats.bins import Batch, SignalStyle
from tfimpute_tracks.tracks.formats.blockwise import Row, text_blocks
from tfimpute_tracks.tracks.formats.narrowpeak import NarrowPeak, PeakSet, as_text
from tfimpute_tracks.tracks.formats.reading import open_bbi_file
from tfimpute_tracks.tracks.formats.validate import (
    compare,
    compare_each,
    read_back_error,
)
from tfimpute_tracks.tracks.formats.zoom import BIN

__all__ = ["check_bigbed", "write_bigbed"]

_KIND = BbiKind(
    magic=0x8789F2EB, items_per_block=512, field_count=10, defined_field_count=6
)
_TITLE = "Binding sites of a transcription factor, predicted"
_AUTO_SQL = """\
table bigNarrowPeak
"{about}"
(
    string chrom;        "Chromosome"
    uint   chromStart;   "First base, counted from 0"
    uint   chromEnd;     "Base behind the last one"
    string name;         "TF, cell line and number of the peak"
    uint   score;        "Probability of binding at the summit, in thousandths"
    char[1] strand;      "Always a dot: both strands were read"
    float  signalValue;  "Probability of binding at the summit"
    float  pValue;       "Always -1: there is no p-value"
    float  qValue;       "Always -1: there is no q-value"
    int    peak;         "Bases from chromStart to the summit"
)
"""
_MAX_ZOOMS = 10
# Widths of a peak that a record of the finest zoom level sums up.
_FIRST_ZOOM = 16
_POSITION = 2**32 - 1
_N_CHROMS = 20  # whose rows pybigtools reads: it searches all for each


def write_bigbed(
    path: Path,
    chrom_sizes: Mapping[str, int],
    peaks: PeakSet,
    style: SignalStyle,
    kind: BbiKind = _KIND,
) -> None:
    """Write peaks as a bigBed file of type bigNarrowPeak.

    Parameters
    ----------
    path : Path
    chrom_sizes : mapping of str to int
        Chromosome -> bp.
    peaks : PeakSet
        One peak at least: no reader takes a bigBed without rows.
    style : SignalStyle
        Not used.
    kind : BbiKind
        Of a bigBed; with how many rows a block holds, and how wide its indexes are.
    """
    numbers = {chrom: i for i, chrom in enumerate(chrom_sizes)}
    kind = replace(kind, auto_sql=_auto_sql(peaks))
    reduction = _FIRST_ZOOM * (
        sum(row.end - row.start for row in peaks.rows) // len(peaks)
    )
    with open_bbi(path, kind, chrom_sizes, reduction, _MAX_ZOOMS) as writer:
        _write_rows(writer, peaks.rows, numbers, kind.items_per_block)
        writer.add_signal(_depth(peaks.rows, numbers))


def check_bigbed(
    path: Path, dest: Path, chrom_sizes: Mapping[str, int], peaks: PeakSet
) -> None:
    """Read a whole bigBed back and compare it with what was written.

    Parameters
    ----------
    path, dest : Path
        The file, under its temporary name, and the name to use in a message.
    chrom_sizes : mapping of str to int
    peaks : PeakSet

    Raises
    ------
    ValidationError
        The file says anything else.
    """
    written, read = defaultdict[str, list[Row]](list), defaultdict[str, list[Row]](list)
    for row in peaks.rows:
        written[row.chrom].append(as_text(row)[1:])
    fault = partial(read_back_error, dest)
    with open_bbi_file(path, fault) as bbi:
        compare(dest, "column descriptions", bbi.sql(), _auto_sql(peaks))
        compare_each(dest, "size", bbi.chroms(), chrom_sizes)
        names = list(chrom_sizes)
        for chrom in names[:_N_CHROMS]:
            read[chrom] += [tuple(map(str, row)) for row in bbi.records(chrom)]
        rest = set(names[_N_CHROMS:])
        for chrom, rows in text_blocks(path, fault) if rest else ():
            if chrom in rest:
                read[chrom] += rows
    for chrom in {**written, **read}:
        if read[chrom] != written[chrom]:
            counts = len(read[chrom]), len(written[chrom])
            compare(dest, f"number of peaks of {chrom}", *counts)
            for got, expected in zip(read[chrom], written[chrom], strict=True):
                compare(dest, f"a peak of {chrom}", got, expected)


def _auto_sql(peaks: PeakSet) -> str:
    return _AUTO_SQL.format(about=peaks.about or _TITLE)


def _write_rows(
    writer: BbiWriter,
    rows: Sequence[NarrowPeak],
    numbers: Mapping[str, int],
    per_block: int,
) -> None:
    """Write rows in blocks, each of one chromosome."""
    places, contents = [], []
    for chrom, group in groupby(rows, lambda row: row.chrom):
        own, number = list(group), numbers[chrom]
        for i in range(0, len(own), per_block):
            block = own[i : i + per_block]
            places.append((number, block[0].start, max(row.end for row in block)))
            contents.append(b"".join(_packed(number, row) for row in block))
    writer.add_blocks(np.array(places, dtype=np.uint32), contents, len(rows))


def _packed(number: int, row: NarrowPeak) -> bytes:
    rest = "\t".join(as_text(row)[3:])
    return struct.pack("<III", number, row.start, row.end) + rest.encode() + b"\0"


def _depth(rows: Sequence[NarrowPeak], numbers: Mapping[str, int]) -> Batch:
    """Count how many rows cover each base: the signal that zoom levels sum up."""
    places = [(numbers[row.chrom], row.start, row.end) for row in rows]
    chroms, starts, ends = np.array(places, dtype=np.int64).T
    borders = np.concatenate([chroms << 32 | starts, chroms << 32 | ends])
    changes = np.repeat([1, -1], len(rows))
    edges, which = np.unique(borders, return_inverse=True)
    depth = np.cumsum(np.bincount(which, weights=changes))[:-1]
    is_covered = depth > 0  # none is between chromosomes
    bins = np.empty(np.count_nonzero(is_covered), dtype=BIN)
    bins["start"] = edges[:-1][is_covered] & _POSITION
    bins["end"] = edges[1:][is_covered] & _POSITION
    bins["value"] = depth[is_covered]
    of_bins = edges[:-1][is_covered] >> 32
    return Batch([*numbers], of_bins.astype(np.uint32), bins)
