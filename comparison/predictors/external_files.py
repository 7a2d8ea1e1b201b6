"""Scores of sites from files of other tools: the largest value in the site.

bigWig, and BED, bedGraph and narrowPeak as text, plain or gzip. The value of a row is the
fourth column of a bedGraph, the signal of a narrowPeak, the score of a BED with five or
more columns, and 1 for a BED with fewer. A file whose chromosomes are of another build is
refused; a site without coverage has no value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, listed
from tfimpute_tracks.genome.chroms import check_build, find_chrom
from tfimpute_tracks.storage.input_paths import why_no_file
from tfimpute_tracks.storage.table import explain_number, read_rows
from tfimpute_tracks.tracks.formats.reading import read_signal, signal_chroms

__all__ = ["FILE_KINDS", "Sites", "site_maxima", "site_scores"]

FILE_KINDS = {
    ".bw": "bigwig",
    ".bigwig": "bigwig",
    ".bed": "bed",
    ".bedgraph": "bedgraph",
    ".bdg": "bedgraph",
    ".narrowpeak": "narrowpeak",
}
"""Formats by suffix (in lower case, without .gz)."""

_COLUMNS = {"bed": 3, "bedgraph": 4, "narrowpeak": 10}
_VALUE = {"bedgraph": 3, "narrowpeak": 6}
_HEADERS = ("#", "track", "browser")
_SPAN = 1 << 20  # bp of a bigWig read at once

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


class Sites(NamedTuple):
    """Positions of sites, all of one length.

    Parameters
    ----------
    chroms : tuple of str
        The chromosomes of the data set.
    sizes : tuple of int
        Their lengths in bp.
    chrom_id : int32 array, shape (n,)
        Ascending.
    start : int64 array, shape (n,)
        0-based; ascending within a chromosome.
    length : int
        bp of a site.
    """

    chroms: tuple[str, ...]
    sizes: tuple[int, ...]
    chrom_id: NDArray[np.int32]
    start: Ints
    length: int

    def used(self) -> list[str]:
        """List the chromosomes with a site.

        Returns
        -------
        list of str
        """
        return [self.chroms[i] for i in np.unique(self.chrom_id)]


def site_scores(path: Path, sites: Sites) -> Floats:
    """Read the score of each site.

    Parameters
    ----------
    path : Path
        Its suffix is a key of :data:`FILE_KINDS`, with or without .gz.
    sites : Sites

    Returns
    -------
    float32 array, shape (n,)
        The largest value that overlaps the site; NaN where none does.

    Raises
    ------
    InputFileError
        The file is missing, damaged, of an unknown format or another build, or it
        shares no chromosome with the sites.
    """
    bare = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
    kind = FILE_KINDS.get(Path(bare).suffix.lower())
    if kind is None:
        raise InputFileError(
            f"{path}: unknown format; use a file with the suffix "
            f"{', '.join(FILE_KINDS)}, text also with .gz"
        )
    if not path.is_file():
        raise InputFileError(
            f"{path}: {why_no_file(path)}; check the path in the table"
        )
    if kind == "bigwig":
        return _bigwig_scores(path, sites)
    return _text_scores(path, sites, kind)


def site_maxima(
    first: Ints, length: int, starts: Ints, ends: Ints, values: Floats
) -> Floats:
    """Compute the largest value in each site, on one chromosome.

    Parameters
    ----------
    first : int64 array, shape (n,)
        Starts of sites, ascending.
    length : int
        bp of a site.
    starts, ends : int64 arrays, shape (m,)
        Of intervals, 0-based, half-open, in any order; they may overlap.
    values : float32 array, shape (m,)

    Returns
    -------
    float32 array, shape (n,)
        NaN where no interval shares a base with the site.
    """
    # All sites have one length, so those that overlap an interval are consecutive.
    low = np.searchsorted(first, starts - length, side="right")
    n_sites = np.maximum(np.searchsorted(first, ends, side="left") - low, 0)
    shift = np.repeat(low - n_sites.cumsum() + n_sites, n_sites)
    best = np.full(len(first), -np.inf, dtype=np.float32)
    np.maximum.at(best, np.arange(len(shift)) + shift, np.repeat(values, n_sites))
    best[np.isneginf(best)] = np.nan
    return best


def _shared(path: Path, sites: Sites, names: set[str]) -> dict[str, str]:
    """Map chromosomes of the sites to their names in the file."""
    found = {chrom: find_chrom(chrom, names) for chrom in sites.used()}
    shared = {chrom: name for chrom, name in found.items() if name is not None}
    if not shared:
        has = listed(sorted(names)) or "none"
        raise InputFileError(
            f"{path}: no value on {listed(sites.used())}, where the sites are; its "
            f"chromosomes are {has}; use scores of the test chromosomes"
        )
    return shared


def _bigwig_scores(path: Path, sites: Sites) -> Floats:
    sizes = signal_chroms(path)
    odd = check_build(sizes, dict(zip(sites.chroms, sites.sizes, strict=True)))
    if odd:
        raise InputFileError(
            f"{path}: another build than the data set's: {odd[0]}; use scores of the "
            "same build"
        )
    scores = np.full(len(sites.start), np.nan, dtype=np.float32)
    for chrom, name in _shared(path, sites, set(sizes)).items():
        here = np.flatnonzero(sites.chrom_id == sites.chroms.index(chrom))
        first = sites.start[here]
        # Region by region, so that memory is bounded.
        spans = first // _SPAN
        for span in np.unique(spans):
            mine = here[spans == span]
            start = max(int(sites.start[mine[0]]), 0)
            end = min(int(sites.start[mine[-1]]) + sites.length, sizes[name])
            signal = read_signal(path, name, start, end)
            known = np.isfinite(signal.values)
            scores[mine] = site_maxima(
                sites.start[mine],
                sites.length,
                signal.starts[known],
                signal.ends[known],
                signal.values[known],
            )
    return scores


def _text_scores(path: Path, sites: Sites, kind: str) -> Floats:
    limits = dict(zip(sites.chroms, sites.sizes, strict=True))
    names: dict[str, str | None] = {}
    rows: dict[str, list[tuple[int, int, float]]] = {}
    for number, chrom, start, end, value in _rows(path, kind):
        if chrom not in names:
            names[chrom] = find_chrom(chrom, limits)
        known = names[chrom]
        if known is None:
            continue
        if end > limits[known]:
            raise InputFileError(
                f"{path}:{number}: ends at {end:,} and {known} has {limits[known]:,} "
                "bp in the data set: another build; use scores of the same build"
            )
        rows.setdefault(known, []).append((start, end, value))
    shared = _shared(path, sites, {*rows, *(n for n, k in names.items() if k is None)})
    scores = np.full(len(sites.start), np.nan, dtype=np.float32)
    for chrom in shared:
        here = np.flatnonzero(sites.chrom_id == sites.chroms.index(chrom))
        table = np.array(rows[chrom])
        scores[here] = site_maxima(
            sites.start[here],
            sites.length,
            table[:, 0].astype(np.int64),
            table[:, 1].astype(np.int64),
            table[:, 2].astype(np.float32),
        )
    return scores


def _rows(path: Path, kind: str) -> Iterator[tuple[int, str, int, int, float]]:
    """Yield line, chromosome, start, end and value."""
    n_rows = 0
    for number, fields in read_rows(path, "file of scores", _HEADERS):
        if len(fields) < _COLUMNS[kind]:
            raise InputFileError(
                f"{path}:{number}: {len(fields)} columns, and {kind} has at least "
                f"{_COLUMNS[kind]}; fix the line or the suffix of the file"
            )
        for text in fields[1:3]:
            if explain_number(text):
                raise InputFileError(f"{path}:{number}: {explain_number(text)}")
        column = _VALUE.get(kind, 4 if len(fields) > 4 else None)
        try:
            start, end = int(fields[1]), int(fields[2])
            # A dot in a BED means that there is no score.
            text = "1" if column is None else fields[column].strip()
            value = 1.0 if kind == "bed" and text == "." else float(text)
        except ValueError as error:
            raise InputFileError(
                f"{path}:{number}: {error}; {kind} needs chrom, start, end and numbers"
            ) from error
        if not 0 <= start < end:
            raise InputFileError(
                f"{path}:{number}: start {start} and end {end} are not an interval; "
                "they must be 0-based and half-open"
            )
        if not math.isfinite(value):
            raise InputFileError(
                f"{path}:{number}: the value {text!r} is not a finite number; leave "
                "out rows without a value"
            )
        n_rows += 1
        yield number, fields[0], start, end, value
    if not n_rows:
        raise InputFileError(f"{path}: contains no interval; use a file with scores")
