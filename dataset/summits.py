"""The strongest peaks of each pair, as places: its summits, ranked.

The paper's own training sets are windows around the summits of the strongest peaks of
each pair (5,000, or the 1,000 of DeepBind's protocol of which every other one tests).
Strength is the signal of a narrowPeak file. A file without signals or summits has no
strongest peak: it is refused by name, unless all of its peaks are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset.pairs_table import PairsTable
from tfimpute_tracks.dataset.sites import (
    BEYOND_END,
    BLACKLISTED,
    DUPLICATED,
    MOSTLY_N,
    TOO_FEW_KNOWN,
    UNKNOWN_CHROM,
    Log,
    Sites,
    Window,
    chrom_ids,
    is_blacklisted,
    is_known,
    is_middle_known,
    is_readable,
)
from tfimpute_tracks.errors import InputFileError, listed
from tfimpute_tracks.genome.bed import count_columns, read_bed, read_narrowpeak
from tfimpute_tracks.genome.fasta import Genome

__all__ = ["PairSites", "TopPeaks", "check_ranked", "collect_summits"]

_N_COLUMNS = 10
_TEST = 2  # of labelled.FOLDS


class PairSites(NamedTuple):
    """Places that say something of one pair each; a place may stand several times.

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
        """Leave out the others.

        Parameters
        ----------
        chosen : bool array, shape (n,)

        Returns
        -------
        Instances
        """
        return PairSites(*(column[chosen] for column in self))


@dataclass(frozen=True)
class TopPeaks:
    """The summits of each pair, and what was left out on the way.

    Parameters
    ----------
    instances : Instances
        By pair, the strongest first.
    dropped : dict of int
        Peaks of all pairs that cannot be sites, by reason.
    short : dict of int
        Usable peaks of each column of the table with fewer than were asked for.
    """

    instances: PairSites
    dropped: dict[str, int]
    short: dict[int, int]


class _Summits(NamedTuple):
    """Summits of one pair, the strongest first."""

    chrom_id: NDArray[np.int64]
    center: NDArray[np.int64]
    n_absent: int


def check_ranked(table: PairsTable, allow_unranked: bool, log: Log) -> list[bool]:
    """Find the peak files without an order of strength, before any work.

    Parameters
    ----------
    table : PairsTable
    allow_unranked : bool
        Take all peaks of such a file by their center, and say so.
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
    told = [f"{bed.name} ({reason})" for bed, reason in unranked.items()]
    if unranked and not allow_unranked:
        raise InputFileError(
            f"{len(unranked)} of {len(reasons)} peak files have no strongest peaks: "
            f"{listed(told)}; give narrowPeak files with signal and summit, or "
            f"--allow-unranked to take all peaks of such a file by their center"
        )
    if unranked:
        log(
            f"{len(unranked)} of {len(reasons)} peak files are not ranked; all of "
            f"their peaks are taken, by their center: {listed(told)}"
        )
    return [not reasons[bed] for bed in table.beds]


def _why_unranked(bed: Path) -> str:
    """Say what a peak file lacks to be ranked, or nothing."""
    n_columns = count_columns(bed)
    if n_columns < _N_COLUMNS:
        return f"{n_columns} columns of {_N_COLUMNS}"
    peaks = read_narrowpeak(bed)
    n_without = int(np.count_nonzero(peaks["summit"] < 0))
    if n_without:
        return f"summit -1 of {n_without:,} of {len(peaks):,} peaks"
    signal = peaks["signal_value"]
    if not np.isfinite(signal).all():
        return "a signal that is no number"
    return "one signal for all" if len(peaks) > 1 and signal.nunique() == 1 else ""


def collect_summits(
    genome: Genome,
    table: PairsTable,
    ranked: list[bool],
    top: int | None,
    window: Window,
    blacklist: str | Path | None,
) -> TopPeaks:
    """Take the summits of each pair's strongest peaks.

    Parameters
    ----------
    genome : Genome
    table : PairsTable
    ranked : list of bool
        From :func:`check_ranked`; of a file that is not ranked all peaks are taken.
    top : int or None
        Peaks of each pair; None for all.
    window : Window
        What is read about a summit.
    blacklist : path or None
        BED; peaks whose window touches it cannot be sites.

    Returns
    -------
    TopPeaks
        The strongest of those peaks that can be sites. Ties go to the higher q-value,
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
    pair = np.repeat(np.arange(len(found)), [len(f.center) for f in found])
    every = PairSites(
        np.concatenate([f.chrom_id for f in found]),
        np.concatenate([f.center for f in found]),
        pair,
        np.zeros(len(pair), dtype=np.int64),
    )
    dropped = {UNKNOWN_CHROM: sum(f.n_absent for f in found)}
    for reason, find in _CHECKS.items():
        if (reason == BLACKLISTED and blacklist is None) or (
            reason == TOO_FEW_KNOWN and not window.min_known
        ):
            continue
        usable = find(every, genome, window, blacklist)
        dropped[reason] = int(np.count_nonzero(~usable))
        every = every.keep(usable)
    if not len(every.pair):
        told = ", ".join(f"{n:,} {reason}" for reason, n in dropped.items() if n)
        raise InputFileError(
            f"no peak of {len(table.beds)} files can be a site of {genome.path} "
            f"({told}); are both of the same assembly?"
        )
    return _take_top(every, ranked, top, dropped)


def _read_summits(genome: Genome, bed: Path, is_ranked: bool) -> _Summits:
    frame = read_narrowpeak(bed) if is_ranked else read_bed(bed)
    chrom_id = chrom_ids(genome, frame["chrom"])
    start = frame["start"].to_numpy(np.int64)
    if is_ranked:
        center = start + frame["summit"].to_numpy(np.int64)
        strength = [-frame["signal_value"].to_numpy(), -frame["q_value"].to_numpy()]
    else:
        center = (start + frame["end"].to_numpy(np.int64)) // 2
        strength = []
    # The last key of lexsort counts most.
    order = np.lexsort([center, chrom_id, *strength[::-1]])
    order = order[chrom_id[order] >= 0]
    return _Summits(chrom_id[order], center[order], len(frame) - len(order))


def _is_inside(
    every: PairSites, genome: Genome, window: Window, blacklist: str | Path | None
) -> NDArray[np.bool_]:
    sizes = np.array(list(genome.chrom_sizes.values()), dtype=np.int64)
    inside: NDArray[np.bool_] = every.center < sizes[every.chrom_id]
    return inside


def _is_first(
    every: PairSites, genome: Genome, window: Window, blacklist: str | Path | None
) -> NDArray[np.bool_]:
    """Tell the strongest of the peaks of a pair that share a summit."""
    keys = np.stack([every.pair, every.chrom_id, every.center])
    first = np.zeros(len(every.pair), dtype=np.bool_)
    first[np.unique(keys, axis=1, return_index=True)[1]] = True
    return first


def _is_clear(
    every: PairSites, genome: Genome, window: Window, blacklist: str | Path | None
) -> NDArray[np.bool_]:
    sites, back = _places(every)
    return ~is_blacklisted(sites, genome, blacklist or "", window.seq_len)[back]


def _is_readable(
    every: PairSites, genome: Genome, window: Window, blacklist: str | Path | None
) -> NDArray[np.bool_]:
    sites, back = _places(every)
    return is_readable(genome, sites, window, is_middle_known)[back]


def _is_known(
    every: PairSites, genome: Genome, window: Window, blacklist: str | Path | None
) -> NDArray[np.bool_]:
    sites, back = _places(every)
    return is_readable(genome, sites, window, is_known)[back]


_CHECKS = {
    BEYOND_END: _is_inside,
    DUPLICATED: _is_first,
    BLACKLISTED: _is_clear,
    MOSTLY_N: _is_readable,
    TOO_FEW_KNOWN: _is_known,
}


def _places(every: PairSites) -> tuple[Sites, NDArray[np.int64]]:
    """Give the places, each once and in order, and where each instance finds its."""
    keys = every.chrom_id << 40 | every.center
    unique, back = np.unique(keys, return_inverse=True)
    return Sites((unique >> 40).astype(np.int32), unique & ((1 << 40) - 1)), back


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
    short = {
        i: int(n)
        for i, (n, is_ranked) in enumerate(zip(n_usable, ranked, strict=True))
        if is_ranked and n < top
    }
    return TopPeaks(every.keep(chosen), dropped, short)
