"""Candidate sites labeled by the peaks of every pair: sites with a label for all pairs.

The candidate sites are a BED, best of DNase hypersensitive sites: regions where some
protein binds in some cell line, so that a negative is a meaningful contrast.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset.dataset import PairLists
from tfimpute_tracks.dataset.labels import LabelRule, SiteLabels, label_sites
from tfimpute_tracks.dataset.pairs_table import PairsTable
from tfimpute_tracks.dataset.sites import (
    BLACKLISTED,
    Log,
    Sites,
    Window,
    collect_sites,
    count_dropped,
    is_blacklisted,
    mask_unreadable,
    match_intervals,
    read_sequences,
)
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.genome.bed import merge_intervals, read_bed
from tfimpute_tracks.genome.sequences import Sequences

_LOG = logging.getLogger(__name__)

__all__ = ["CandidateSites", "label_by_peaks", "label_pairs", "read_candidates"]


class CandidateSites(NamedTuple):
    """Usable candidate sites, with their sequences.

    Parameters
    ----------
    sites : Sites
        Each position once.
    codes : uint8 array, shape (n, L), values 0..4
    dropped : dict of int
        Dropped intervals, by reason.
    """

    sites: Sites
    codes: NDArray[np.uint8]
    dropped: dict[str, int]


def read_candidates(
    genome: Sequences,
    bed: str | Path,
    window: Window,
    blacklist: str | Path | None,
    log: Log,
) -> CandidateSites:
    """Read candidate sites; what cannot be a site is dropped and counted.

    Parameters
    ----------
    genome : Sequences
    bed : path
        BED3 or more. Only the center of an interval is used.
    window : Window
    blacklist : path or None
        BED; sites whose sequence overlaps it are dropped.
    log : callable

    Returns
    -------
    CandidateSites

    Raises
    ------
    InputFileError
        A file cannot be read, the BED shares no chromosome with the FASTA, or no site
        is left.
    """
    sites, dropped = collect_sites(genome, bed, log)
    if blacklist is not None:
        hit = is_blacklisted(sites, genome, blacklist, window.seq_len, log)
        sites = sites.keep(count_dropped({BLACKLISTED: hit}, dropped))
    codes = read_sequences(genome, sites, window.seq_len)
    usable = count_dropped(mask_unreadable(codes, window), dropped)
    sites, codes = sites.keep(usable), codes[usable]
    if not len(codes):
        counts = ", ".join(f"{n:,} {reason}" for reason, n in dropped.items() if n)
        raise InputFileError(
            f"{bed}: no site is left with sequence in {genome.name} ({counts}); "
            f"check that both are of the same assembly"
        )
    return CandidateSites(sites, codes, dropped)


def label_pairs(
    genome: Sequences,
    table: PairsTable,
    sites: Sites,
    rule: LabelRule,
    log: Log = _LOG.info,
) -> tuple[PairLists, PairLists]:
    """Label sites by the peaks of every pair of a table.

    Parameters
    ----------
    genome : Sequences
    table : PairsTable
    sites : Sites
    rule : LabelRule
    log : callable

    Returns
    -------
    positive, ignored : PairLists

    Raises
    ------
    InputFileError
        A peak file cannot be read.
    """
    labels = [label_by_peaks(genome, bed, sites, rule, log) for bed in table.beds]
    n_sites = len(sites.center)
    positive, ignored = (
        PairLists.from_entries(
            np.concatenate(rows),
            np.repeat(np.arange(len(rows)), list(map(len, rows))),
            n_sites,
        )
        for rows in zip(*labels, strict=True)
    )
    return positive, ignored


def label_by_peaks(
    genome: Sequences, bed: Path, sites: Sites, rule: LabelRule, log: Log = _LOG.info
) -> SiteLabels:
    """Label sites by the peaks of one file.

    Parameters
    ----------
    genome : Sequences
    bed : Path
        BED3 or more.
    sites : Sites
    rule : LabelRule
    log : callable

    Returns
    -------
    SiteLabels
        Indices into the sites.

    Raises
    ------
    InputFileError
        The file cannot be read, or shares no chromosome with the genome.
    """
    peaks = merge_intervals(read_bed(bed))
    chrom_id = match_intervals(genome, bed, peaks["chrom"], "peak", log)
    starts, ends = peaks["start"].to_numpy(np.int64), peaks["end"].to_numpy(np.int64)
    none = np.empty(0, dtype=np.int64)
    found = [SiteLabels(none, none)]
    for chrom, run in sites.by_chrom():
        here = chrom_id == chrom
        labels = label_sites(sites.center[run], starts[here], ends[here], rule)
        found.append(SiteLabels(*(rows + run.start for rows in labels)))
    return SiteLabels(*(np.concatenate(rows) for rows in zip(*found, strict=True)))
