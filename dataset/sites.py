"""Places of a genome that become sites: collected, checked, read.

A place is a chromosome and a center. What cannot be a site is dropped and counted, by
reason. Who is bound there is the business of ``labels`` and ``summits``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, listed
from tfimpute_tracks.genome.bed import blacklisted, read_bed
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.genome.fasta import Genome
from tfimpute_tracks.kernels.encode import N_CODE

__all__ = [
    "BEYOND_END",
    "BLACKLISTED",
    "DUPLICATED",
    "MOSTLY_N",
    "TOO_FEW_KNOWN",
    "UNKNOWN_CHROM",
    "Log",
    "Sites",
    "Window",
    "chrom_ids",
    "collect_background",
    "is_blacklisted",
    "is_known",
    "is_middle_known",
    "is_readable",
    "read_sequences",
]

Log = Callable[[str], None]
Positions = NDArray[np.int64]

UNKNOWN_CHROM = "chromosome not in the FASTA"
BEYOND_END = "past the chromosome's end"
DUPLICATED = "duplicated"
BLACKLISTED = "blacklisted"
MOSTLY_N = "mostly N"
TOO_FEW_KNOWN = "too few letters known"

# Windows looked at together: some 15 MB at 200 bp.
_BLOCK = 1 << 16


class Window(NamedTuple):
    """How much is read about a center.

    Parameters
    ----------
    seq_len : int
        L, bp: a sequence is [center - L // 2, center - L // 2 + L).
    middle : int
        The bp about the center of which at most half may be N.
    min_known : float
        Least share of the whole sequence that is A, C, G or T.
    """

    seq_len: int
    middle: int
    min_known: float = 0.0


class Sites(NamedTuple):
    """Places in order of chromosome and center.

    Parameters
    ----------
    chrom_id : int32 array, shape (n,)
        Ascending indices into the chromosomes of the genome.
    center : int64 array, shape (n,)
        0-based, ascending within a chromosome.
    """

    chrom_id: NDArray[np.int32]
    center: Positions

    def keep(self, chosen: NDArray[np.bool_]) -> Sites:
        """Leave out the other places.

        Parameters
        ----------
        chosen : bool array, shape (n,)

        Returns
        -------
        Sites
        """
        return Sites(self.chrom_id[chosen], self.center[chosen])

    def by_chrom(self) -> Iterator[tuple[int, slice]]:
        """Give each chromosome with the run of its sites.

        Yields
        ------
        int, slice
        """
        for chrom in np.unique(self.chrom_id):
            first, last = np.searchsorted(self.chrom_id, [chrom, chrom + 1])
            yield int(chrom), slice(int(first), int(last))


def collect_background(
    genome: Genome, background: str | Path, log: Log
) -> tuple[Sites, dict[str, int]]:
    """Sort the centers of a background, and drop what cannot be a site.

    Parameters
    ----------
    genome : Genome
    background : path
        BED3 or more.
    log : callable

    Returns
    -------
    Sites
        Each place once.
    dict of str to int
        Intervals left out, by reason.

    Raises
    ------
    InputFileError
        The file is no BED, or shares no chromosome with the genome.
    """
    intervals = read_bed(background)
    chrom_id = chrom_ids(genome, intervals["chrom"])
    known = chrom_id >= 0
    if not known.any():
        raise InputFileError(
            f"{background}: none of its chromosomes is in the FASTA: it has "
            f"{listed(intervals['chrom'].unique())}, the FASTA "
            f"{listed(genome.chrom_sizes)}; give both of one assembly"
        )
    if not known.all():
        absent = intervals["chrom"][~known].unique()
        log(
            f"{background}: {np.count_nonzero(~known):,} sites are on chromosomes that "
            f"the FASTA does not hold: {listed(absent)}"
        )
    center = (intervals["start"].to_numpy() + intervals["end"].to_numpy()) // 2
    chrom_id, center = chrom_id[known], center[known].astype(np.int64)
    sizes = np.array(list(genome.chrom_sizes.values()), dtype=np.int64)
    inside = center < sizes[chrom_id]
    both = np.unique(np.stack([chrom_id[inside], center[inside]]), axis=1)
    return Sites(both[0].astype(np.int32), both[1]), {
        UNKNOWN_CHROM: int(np.count_nonzero(~known)),
        BEYOND_END: int(np.count_nonzero(~inside)),
        DUPLICATED: int(np.count_nonzero(inside)) - both.shape[1],
    }


def chrom_ids(genome: Genome, names: pd.Series) -> NDArray[np.int64]:
    """Look up chromosomes in the order of the genome.

    Parameters
    ----------
    genome : Genome
    names : pandas.Series of str
        With or without ``chr``.

    Returns
    -------
    int64 array, shape (len(names),)
        -1 where the genome lacks the chromosome.
    """
    index = {name: i for i, name in enumerate(genome.chrom_sizes)}
    # Not set(names): pandas hands out strings one by one, and there may be millions.
    ids = {n: index.get(find_chrom(n, index) or "", -1) for n in names.unique()}
    found: NDArray[np.int64] = names.map(ids).to_numpy(dtype=np.int64)
    return found


def is_blacklisted(
    sites: Sites, genome: Genome, blacklist: str | Path, seq_len: int
) -> NDArray[np.bool_]:
    """Tell the sites whose sequence touches a blacklist.

    Parameters
    ----------
    sites : Sites
    genome : Genome
    blacklist : path
        BED; may be empty.
    seq_len : int
        bp.

    Returns
    -------
    bool array, shape (n,)

    Raises
    ------
    InputFileError
        The file is no BED.
    """
    intervals = read_bed(blacklist, allow_empty=True)
    names = list(genome.chrom_sizes)
    hit = np.zeros(len(sites.center), dtype=np.bool_)
    for chrom, run in sites.by_chrom():
        start = sites.center[run] - seq_len // 2
        hit[run] = blacklisted(names[chrom], start, start + seq_len, intervals)
    return hit


def read_sequences(genome: Genome, sites: Sites, seq_len: int) -> NDArray[np.uint8]:
    """Read the sequence about each center.

    Parameters
    ----------
    genome : Genome
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


def is_readable(
    genome: Genome,
    sites: Sites,
    window: Window,
    is_enough: Callable[[NDArray[np.uint8], Window], NDArray[np.bool_]],
) -> NDArray[np.bool_]:
    """Tell the sites of whose sequence enough is known.

    Parameters
    ----------
    genome : Genome
    sites : Sites
    window : Window
    is_enough : callable
        :func:`is_middle_known` or :func:`is_known`.

    Returns
    -------
    bool array, shape (n,)
    """
    readable = np.empty(len(sites.center), dtype=np.bool_)
    for run, windows in _windows(genome, sites, window.seq_len):
        for first in range(run.start, run.stop, _BLOCK):
            block = slice(first, min(first + _BLOCK, run.stop))
            readable[block] = is_enough(windows[sites.center[block]], window)
    return readable


def is_middle_known(codes: NDArray[np.uint8], window: Window) -> NDArray[np.bool_]:
    """Tell the sequences of which at most half of the middle is N.

    Parameters
    ----------
    codes : uint8 array, shape (n, L), values 0..4
    window : Window

    Returns
    -------
    bool array, shape (n,)
    """
    middle = min(window.middle, window.seq_len)
    first = window.seq_len // 2 - middle // 2
    n_unknown = np.count_nonzero(codes[:, first : first + middle] == N_CODE, axis=1)
    read: NDArray[np.bool_] = 2 * n_unknown <= middle
    return read


def is_known(codes: NDArray[np.uint8], window: Window) -> NDArray[np.bool_]:
    """Tell the sequences of which the wanted share is A, C, G or T.

    Parameters
    ----------
    codes : uint8 array, shape (n, L), values 0..4
    window : Window

    Returns
    -------
    bool array, shape (n,)
    """
    share = np.count_nonzero(codes != N_CODE, axis=1) / window.seq_len
    known: NDArray[np.bool_] = share >= window.min_known
    return known


def _windows(
    genome: Genome, sites: Sites, length: int
) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
    """Give, by chromosome, the run of its sites and the window about each base."""
    names = list(genome.chrom_sizes)
    for chrom, run in sites.by_chrom():
        size = genome.chrom_sizes[names[chrom]]
        before = length // 2
        padded = np.full(size + length, N_CODE, dtype=np.uint8)
        padded[before : before + size] = genome.codes(names[chrom], 0, size)
        yield run, np.lib.stride_tricks.sliding_window_view(padded, length)
