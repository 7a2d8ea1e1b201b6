"""The strongest peaks of each pair: their summits as sites.

The paper's own training sets are windows around the summits of the strongest peaks of
each pair: 5,000, or the 1,000 of DeepBind's protocol, of which every second one tests.
Strength is the signal of a narrowPeak file. A file without signals or summits is
refused by name, unless all of its peaks are to be used.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset.dataset import FOLDS
from tfimpute_tracks.dataset.pairs_table import PairsTable
from tfimpute_tracks.dataset.sites import (
    BEYOND_END,
    BLACKLISTED,
    DUPLICATED,
    UNKNOWN_CHROM,
    Log,
    Sites,
    Window,
    chrom_ids,
    chrom_sizes,
    count_dropped,
    is_blacklisted,
    scan_unreadable,
)
from tfimpute_tracks.errors import InputFileError, counted, listed
from tfimpute_tracks.genome.bed import count_columns, read_bed, read_narrowpeak
from tfimpute_tracks.genome.fasta import Genome

__all__ = ["PairSites", "TopPeaks", "check_ranked", "collect_summits"]

_N_COLUMNS = 10  # of narrowPeak
_TEST = FOLDS.index("test")


class PairSites(NamedTuple):
    """Sites of single pairs; a position occurs once per pair and fold.

    Parameters
    ----------
    chrom_id : int64 array, shape (n,)
        Indices into the chromosomes of the genome.
    center : int64 array, shape (n,)
        0-based, bp.
    pair : int64 array, shape (n,)
        Indices into the pairs table.
    fold : int64 array, shape (n,)
        Indices into :data:`~tfimpute_tracks.dataset.dataset.FOLDS`; 0 without folds.
    """

    chrom_id: NDArray[np.int64]
    center: NDArray[np.int64]
    pair: NDArray[np.int64]
    fold: NDArray[np.int64]

    def keep(self, chosen: NDArray[np.bool_]) -> PairSites:
        """Select some of the sites.

        Parameters
        ----------
        chosen : bool array, shape (n,)

        Returns
        -------
        PairSites
        """
        return PairSites(*(column[chosen] for column in self))


@dataclass(frozen=True)
class TopPeaks:
    """The summits of each pair, and what was dropped.

    Parameters
    ----------
    summits : PairSites
        By pair, the strongest first.
    dropped : dict of int
        Peaks of all pairs that cannot be sites, by reason.
    too_few : dict of int
        Usable peaks of each row of the table that has fewer than were asked for.
    """

    summits: PairSites
    dropped: dict[str, int]
    too_few: dict[int, int]


def check_ranked(table: PairsTable, allow_unranked: bool, log: Log) -> list[bool]:
    """Find the peak files that have no order of strength, before any work.

    Parameters
    ----------
    table : PairsTable
    allow_unranked : bool
        Use all peaks of such a file by their center, and log it.
    log : callable

    Returns
    -------
    list of bool
        For each row of the table, whether its peaks are ranked.

    Raises
    ------
    InputFileError
        Files lack signals or summits, and that is not allowed; or a file is broken.
    """
    reasons = {bed: _why_unranked(bed) for bed in dict.fromkeys(table.beds)}
    unranked = {bed: reason for bed, reason in reasons.items() if reason}
    names = listed([f"{bed.name} ({reason})" for bed, reason in unranked.items()])
    if unranked and not allow_unranked:
        raise InputFileError(
            f"{len(unranked)} of {len(reasons)} peak files do not rank their peaks: "
            f"{names}; use narrowPeak files with signal and summit, or --allow-unranked "
            "to use all peaks of such a file by their center"
        )
    if unranked:
        log(
            f"{len(unranked)} of {len(reasons)} peak files do not rank their peaks; all "
            f"peaks are used, by their center: {names}"
        )
    return [not reasons[bed] for bed in table.beds]


def _why_unranked(bed: Path) -> str:
    """Return what a peak file lacks to be ranked, or an empty string."""
    n_columns = count_columns(bed)
    if n_columns < _N_COLUMNS:
        return f"{n_columns} columns of {_N_COLUMNS}"
    peaks = read_narrowpeak(bed)
    n_without = int(np.count_nonzero(peaks["summit"] < 0))
    if n_without:
        return f"summit -1 of {n_without:,} of {len(peaks):,} peaks"
    signal = peaks["signal_value"]
    if not np.isfinite(signal).all():
        return "a signal that is not a number"
    return "one signal for all" if len(peaks) > 1 and signal.nunique() == 1 else ""


def collect_summits(
    genome: Genome,
    table: PairsTable,
    ranked: list[bool],
    top: int | None,
    window: Window,
    blacklist: str | Path | None,
    log: Log,
) -> TopPeaks:
    """Collect the summits of each pair's strongest peaks.

    Parameters
    ----------
    genome : Genome
    table : PairsTable
    ranked : list of bool
        From :func:`check_ranked`; all peaks of a file that is not ranked are used.
    top : int or None
        Peaks of each pair; None for all.
    window : Window
        The sequence around a summit.
    blacklist : path or None
        BED; peaks whose window overlaps it cannot be sites.
    log : callable
        Receives what of the blacklist is on unknown chromosomes.

    Returns
    -------
    TopPeaks
        The strongest of the peaks that can be sites. Ties go to the higher q-value,
        then to the first on the genome. Odd-numbered peaks are in the fold `train`,
        even-numbered ones in `test`.

    Raises
    ------
    InputFileError
        A peak file cannot be read, or no peak is left.
    """
    found = [
        _read_summits(genome, bed, is_ranked)
        for bed, is_ranked in zip(table.beds, ranked, strict=True)
    ]
    chrom_id, center = (np.concatenate(column) for column in zip(*found, strict=True))
    pair = np.repeat(np.arange(len(found)), [len(ids) for ids, _ in found])
    every = PairSites(chrom_id, center, pair, np.zeros_like(pair))
    dropped: dict[str, int] = {}
    every = every.keep(count_dropped({UNKNOWN_CHROM: every.chrom_id < 0}, dropped))
    beyond = every.center >= chrom_sizes(genome)[every.chrom_id]
    every = every.keep(count_dropped({BEYOND_END: beyond}, dropped))
    # Of the peaks of a pair that share a summit the strongest stays.
    keys = np.stack([every.pair, every.chrom_id, every.center])
    repeated = np.ones(len(every.pair), dtype=np.bool_)
    repeated[np.unique(keys, axis=1, return_index=True)[1]] = False
    every = every.keep(count_dropped({DUPLICATED: repeated}, dropped))
    sites, index = _positions(every)
    faults = {}
    if blacklist is not None:
        hit = is_blacklisted(sites, genome, blacklist, window.seq_len, log)
        faults[BLACKLISTED] = hit
    faults |= scan_unreadable(genome, sites, window)
    faults = {reason: mask[index] for reason, mask in faults.items()}
    every = every.keep(count_dropped(faults, dropped))
    if not len(every.pair):
        counts = ", ".join(f"{n:,} {reason}" for reason, n in dropped.items() if n)
        raise InputFileError(
            f"no peak of {counted(len(table.beds), 'file')} can be a site of {genome.path} "
            f"({counts}); check that all are of the same assembly"
        )
    return _take_top(every, ranked, top, dropped)


def _read_summits(
    genome: Genome, bed: Path, is_ranked: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Read chromosome and center of each peak, the strongest first."""
    frame = read_narrowpeak(bed) if is_ranked else read_bed(bed)
    chrom_id = chrom_ids(genome, frame["chrom"])
    start = frame["start"].to_numpy(np.int64)
    if is_ranked:
        center = start + frame["summit"].to_numpy(np.int64)
        strength = [-frame["signal_value"].to_numpy(), -frame["q_value"].to_numpy()]
    else:
        center = (start + frame["end"].to_numpy(np.int64)) // 2
        strength = []
    # The last key of lexsort is the first to sort by.
    order = np.lexsort([center, chrom_id, *strength[::-1]])
    return chrom_id[order], center[order]


def _positions(every: PairSites) -> tuple[Sites, NDArray[np.int64]]:
    """Return each position once and in order, and the position of each item."""
    keys = every.chrom_id << 40 | every.center
    unique, index = np.unique(keys, return_inverse=True)
    return Sites((unique >> 40).astype(np.int32), unique & ((1 << 40) - 1)), index


def _take_top(
    every: PairSites, ranked: list[bool], top: int | None, dropped: dict[str, int]
) -> TopPeaks:
    n_usable = np.bincount(every.pair, minlength=len(ranked))
    first = n_usable.cumsum() - n_usable
    rank = np.arange(len(every.pair)) - first[every.pair]
    # Peaks are counted from 1, so those of even rank here are the odd-numbered ones.
    every = every._replace(fold=np.where(rank % 2, _TEST, 0))
    if top is None:
        return TopPeaks(every, dropped, {})
    chosen = (rank < top) | ~np.array(ranked)[every.pair]
    too_few = {
        i: int(n)
        for i, (n, is_ranked) in enumerate(zip(n_usable, ranked, strict=True))
        if is_ranked and n < top
    }
    return TopPeaks(every.keep(chosen), dropped, too_few)
