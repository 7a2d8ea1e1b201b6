"""Positions of a genome that can become sites: collected, checked, and their sequences read.

A position is a chromosome and a center. What cannot be a site is dropped and counted, by
reason. ``labels`` and ``summits`` decide which pairs bind there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, counted, listed
from tfimpute_tracks.genome.bed import blacklisted, read_bed
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.genome.sequences import Sequences
from tfimpute_tracks.kernels.encode import N_CODE

__all__ = [
    "BEYOND_END",
    "BLACKLISTED",
    "DUPLICATED",
    "UNKNOWN_CHROM",
    "Log",
    "Sites",
    "Window",
    "chrom_ids",
    "chrom_sizes",
    "collect_sites",
    "count_dropped",
    "is_blacklisted",
    "mask_unreadable",
    "match_intervals",
    "padded_codes",
    "read_sequences",
    "scan_unreadable",
]

_LOG = logging.getLogger(__name__)
Log = Callable[[str], None]
Positions = NDArray[np.int64]
Codes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

UNKNOWN_CHROM = "chromosome not in the FASTA"
BEYOND_END = "past the chromosome's end"
DUPLICATED = "duplicated"
BLACKLISTED = "blacklisted"
_MOSTLY_N = "mostly N"
_TOO_FEW_KNOWN = "too few known bases"

# Windows checked together: some 15 MB at 200 bp.
_BLOCK = 1 << 16


class Window(NamedTuple):
    """The sequence around a center, and how much of it must be known.

    Parameters
    ----------
    seq_len : int
        L, bp: a sequence is [center - L // 2, center - L // 2 + L).
    middle : int
        The bp around the center of which at most half may be N.
    min_known : float
        Minimum fraction of A, C, G and T in the whole sequence.
    """

    seq_len: int
    middle: int
    min_known: float = 0.0


class Sites(NamedTuple):
    """Positions in the order of chromosome and center.

    Parameters
    ----------
    chrom_id : int32 array, shape (n,)
        Ascending indices into the chromosomes of the genome.
    center : int64 array, shape (n,)
        0-based, ascending within a chromosome.
    """

    chrom_id: NDArray[np.int32]
    center: Positions

    def keep(self, chosen: Mask) -> Sites:
        """Select some of the sites.

        Parameters
        ----------
        chosen : bool array, shape (n,)

        Returns
        -------
        Sites
        """
        return Sites(self.chrom_id[chosen], self.center[chosen])

    def by_chrom(self) -> Iterator[tuple[int, slice]]:
        """Iterate over the chromosomes that have sites.

        Yields
        ------
        int, slice
            A chromosome and the rows of its sites.
        """
        for chrom in np.unique(self.chrom_id):
            first, last = np.searchsorted(self.chrom_id, [chrom, chrom + 1])
            yield int(chrom), slice(int(first), int(last))


def collect_sites(
    genome: Sequences, bed: str | Path, log: Log
) -> tuple[Sites, dict[str, int]]:
    """Read the centers of intervals that lie within the genome, each once.

    Parameters
    ----------
    genome : Sequences
    bed : path
        BED3 or more.
    log : callable

    Returns
    -------
    Sites
    dict of str to int
        Dropped intervals, by reason.

    Raises
    ------
    InputFileError
        The file is no BED, or shares no chromosome with the genome.
    """
    intervals = read_bed(bed)
    chrom_id = match_intervals(genome, bed, intervals["chrom"], "site", log)
    known = chrom_id >= 0
    center = (intervals["start"].to_numpy() + intervals["end"].to_numpy()) // 2
    chrom_id, center = chrom_id[known], center[known].astype(np.int64)
    inside = center < chrom_sizes(genome)[chrom_id]
    both = np.unique(np.stack([chrom_id[inside], center[inside]]), axis=1)
    return Sites(both[0].astype(np.int32), both[1]), {
        UNKNOWN_CHROM: int(np.count_nonzero(~known)),
        BEYOND_END: int(np.count_nonzero(~inside)),
        DUPLICATED: int(np.count_nonzero(inside)) - both.shape[1],
    }


def chrom_sizes(genome: Sequences) -> Positions:
    """Return the lengths of the chromosomes.

    Parameters
    ----------
    genome : Sequences

    Returns
    -------
    int64 array, shape (n_chroms,)
    """
    return np.array(list(genome.chrom_sizes.values()), dtype=np.int64)


def chrom_ids(genome: Sequences, names: pd.Series) -> NDArray[np.int64]:
    """Look up chromosomes in the order of the genome.

    Parameters
    ----------
    genome : Sequences
    names : pandas.Series of str
        With or without ``chr``.

    Returns
    -------
    int64 array, shape (len(names),)
        -1 where the genome lacks the chromosome.
    """
    index = {name: i for i, name in enumerate(genome.chrom_sizes)}
    # Not set(names): pandas would return millions of strings one by one.
    ids = {n: index.get(find_chrom(n, index) or "", -1) for n in names.unique()}
    found: NDArray[np.int64] = names.map(ids).to_numpy(dtype=np.int64)
    return found


def match_intervals(
    genome: Sequences, bed: str | Path, names: pd.Series, what: str, log: Log
) -> Positions:
    """Find the chromosomes of intervals, and say which the genome lacks.

    Parameters
    ----------
    genome : Sequences
    bed : path
        For messages.
    names : pandas.Series of str, length n
    what : str
        What messages call an interval.
    log : callable
        Receives the number of intervals on other chromosomes, and their names.

    Returns
    -------
    int64 array, shape (n,)
        As :func:`chrom_ids`.

    Raises
    ------
    InputFileError
        There are intervals, and none is on a chromosome of the genome.
    """
    chrom_id = chrom_ids(genome, names)
    absent = chrom_id < 0
    if absent.all() and len(absent):
        raise InputFileError(
            f"{bed}: none of its chromosomes is in the FASTA: it has "
            f"{listed(names.unique())}, the FASTA {listed(genome.chrom_sizes)}; use "
            "files of one assembly"
        )
    if absent.any():
        n_absent = counted(int(np.count_nonzero(absent)), what)
        log(
            f"{bed}: skipped {n_absent} on chromosomes that are not in the FASTA: "
            f"{listed(names[absent].unique())}"
        )
    return chrom_id


def is_blacklisted(
    sites: Sites,
    genome: Sequences,
    blacklist: str | Path,
    seq_len: int,
    log: Log = _LOG.info,
) -> Mask:
    """Mark the sites whose sequence overlaps a blacklist.

    Parameters
    ----------
    sites : Sites
    genome : Sequences
    blacklist : path
        BED; may be empty.
    seq_len : int
        bp.
    log : callable

    Returns
    -------
    bool array, shape (n,)

    Raises
    ------
    InputFileError
        The file is no BED, or shares no chromosome with the genome.
    """
    intervals = read_bed(blacklist, allow_empty=True)
    match_intervals(genome, blacklist, intervals["chrom"], "region", log)
    names = list(genome.chrom_sizes)
    hit = np.zeros(len(sites.center), dtype=np.bool_)
    for chrom, run in sites.by_chrom():
        start = sites.center[run] - seq_len // 2
        hit[run] = blacklisted(names[chrom], start, start + seq_len, intervals)
    return hit


def padded_codes(genome: Sequences, chrom: int, seq_len: int) -> Codes:
    """Read a chromosome, with N before and after it for windows that reach beyond.

    Parameters
    ----------
    genome : Sequences
    chrom : int
        Index of the chromosome.
    seq_len : int
        L, bp.

    Returns
    -------
    uint8 array, shape (size + L,), values 0..4
        Position p of the chromosome is at p + L // 2, so the window of L bp around p
        starts at p.
    """
    name = list(genome.chrom_sizes)[chrom]
    size, before = genome.chrom_sizes[name], seq_len // 2
    padded = np.full(size + seq_len, N_CODE, dtype=np.uint8)
    padded[before : before + size] = genome.codes(name, 0, size)
    return padded


def read_sequences(genome: Sequences, sites: Sites, seq_len: int) -> Codes:
    """Read the sequence around each center.

    Parameters
    ----------
    genome : Sequences
    sites : Sites
    seq_len : int
        L, bp.

    Returns
    -------
    uint8 array, shape (n, L), values 0..4
        N where a sequence reaches over an end of its chromosome.

    Notes
    -----
    One chromosome is in memory at a time: half a million reads of 200 bp from a
    compressed FASTA would take far longer.
    """
    codes = np.empty((len(sites.center), seq_len), dtype=np.uint8)
    for run, windows in _windows(genome, sites, seq_len):
        codes[run] = windows[sites.center[run]]
    return codes


def mask_unreadable(codes: Codes, window: Window) -> dict[str, Mask]:
    """Mark the sequences of which too little is known.

    Parameters
    ----------
    codes : uint8 array, shape (n, L), values 0..4
    window : Window

    Returns
    -------
    dict of str to bool array, shape (n,)
        By reason: more than half of the middle is N, or, where a minimum is set, too
        small a fraction of the sequence is A, C, G or T.
    """
    middle = min(window.middle, window.seq_len)
    first = window.seq_len // 2 - middle // 2
    n_unknown = np.count_nonzero(codes[:, first : first + middle] == N_CODE, axis=1)
    faults = {_MOSTLY_N: 2 * n_unknown > middle}
    if window.min_known:
        known = np.count_nonzero(codes != N_CODE, axis=1) / window.seq_len
        faults[_TOO_FEW_KNOWN] = known < window.min_known
    return faults


def scan_unreadable(genome: Sequences, sites: Sites, window: Window) -> dict[str, Mask]:
    """Mark the sites of whose sequence too little is known, without keeping sequences.

    Parameters
    ----------
    genome : Sequences
    sites : Sites
    window : Window

    Returns
    -------
    dict of str to bool array, shape (n,)
        As :func:`mask_unreadable`.
    """
    n = len(sites.center)
    reasons = (_MOSTLY_N, *([_TOO_FEW_KNOWN] if window.min_known else []))
    faults = {reason: np.zeros(n, dtype=np.bool_) for reason in reasons}
    for run, windows in _windows(genome, sites, window.seq_len):
        for first in range(run.start, run.stop, _BLOCK):
            block = slice(first, min(first + _BLOCK, run.stop))
            found = mask_unreadable(windows[sites.center[block]], window)
            for reason, mask in found.items():
                faults[reason][block] = mask
    return faults


def count_dropped(faults: Mapping[str, Mask], dropped: dict[str, int]) -> Mask:
    """Count what is dropped for each reason; the first reason of an item counts.

    Parameters
    ----------
    faults : mapping of str to bool array, shape (n,)
        Unusable items, by reason.
    dropped : dict of str to int
        The counts are added here.

    Returns
    -------
    bool array, shape (n,)
        The usable items.
    """
    usable = ~np.zeros_like(next(iter(faults.values())))
    for reason, mask in faults.items():
        dropped[reason] = int(np.count_nonzero(usable & mask))
        usable &= ~mask
    return usable


def _windows(
    genome: Sequences, sites: Sites, length: int
) -> Iterator[tuple[slice, Codes]]:
    """Yield, by chromosome, the rows of its sites and the window around each base."""
    for chrom, run in sites.by_chrom():
        padded = padded_codes(genome, chrom, length)
        yield run, np.lib.stride_tricks.sliding_window_view(padded, length)
