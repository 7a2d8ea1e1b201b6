"""A background labelled by the peaks of every pair: sites that say something of all.

The background is a BED of sites, DNase hypersensitive ones for choice: places where
something binds somewhere, so that a negative is a real alternative.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset.dataset import PairLists
from tfimpute_tracks.dataset.labels import LabelRule, SiteLabels, label_sites
from tfimpute_tracks.dataset.pairs_table import PairsTable
from tfimpute_tracks.dataset.sites import (
    BLACKLISTED,
    MOSTLY_N,
    TOO_FEW_KNOWN,
    Log,
    Sites,
    Window,
    chrom_ids,
    collect_background,
    is_blacklisted,
    is_known,
    is_middle_known,
    read_sequences,
)
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.genome.bed import merge_intervals, read_bed
from tfimpute_tracks.genome.fasta import Genome

__all__ = ["Background", "label_by_peaks", "label_pairs", "read_background"]


class Background(NamedTuple):
    """Usable sites of a background, with their sequences.

    Parameters
    ----------
    sites : Sites
        Each place once.
    codes : uint8 array, shape (n, L), values 0..4
    dropped : dict of int
        Intervals left out, by reason.
    """

    sites: Sites
    codes: NDArray[np.uint8]
    dropped: dict[str, int]


def read_background(
    genome: Genome,
    background: str | Path,
    window: Window,
    blacklist: str | Path | None,
    log: Log,
) -> Background:
    """Read the sites of a background; what cannot be a site is dropped and counted.

    Parameters
    ----------
    genome : Genome
    background : path
        BED3 or more. Only the center of an interval counts.
    window : Window
    blacklist : path or None
        BED; sites whose sequence touches it are dropped.
    log : callable

    Returns
    -------
    Background

    Raises
    ------
    InputFileError
        A file cannot be read, the background shares no chromosome with the FASTA, or no
        site is left.
    """
    sites, dropped = collect_background(genome, background, log)
    if blacklist is not None:
        clear = ~is_blacklisted(sites, genome, blacklist, window.seq_len)
        dropped[BLACKLISTED] = int(np.count_nonzero(~clear))
        sites = sites.keep(clear)
    codes = read_sequences(genome, sites, window.seq_len)
    readable = is_middle_known(codes, window)
    dropped[MOSTLY_N] = int(np.count_nonzero(~readable))
    sites, codes = sites.keep(readable), codes[readable]
    if window.min_known:
        known = is_known(codes, window)
        dropped[TOO_FEW_KNOWN] = int(np.count_nonzero(~known))
        sites, codes = sites.keep(known), codes[known]
    if not len(codes):
        told = ", ".join(f"{n:,} {reason}" for reason, n in dropped.items() if n)
        raise InputFileError(
            f"{background}: no site is left with sequence in {genome.path} ({told}); "
            f"are both of the same assembly?"
        )
    return Background(sites, codes, dropped)


def label_pairs(
    genome: Genome, table: PairsTable, sites: Sites, rule: LabelRule
) -> tuple[PairLists, PairLists]:
    """Label sites by the peaks of every pair of a table.

    Parameters
    ----------
    genome : Genome
    table : PairsTable
    sites : Sites
    rule : LabelRule

    Returns
    -------
    positive, ignored : PairLists

    Raises
    ------
    InputFileError
        A peak file cannot be read.
    """
    labels = [label_by_peaks(genome, bed, sites, rule) for bed in table.beds]
    n_sites = len(sites.center)
    return (
        _list_by_site([pair.positive for pair in labels], n_sites),
        _list_by_site([pair.ignored for pair in labels], n_sites),
    )


def label_by_peaks(
    genome: Genome, bed: Path, sites: Sites, rule: LabelRule
) -> SiteLabels:
    """Label sites by the peaks of one file.

    Parameters
    ----------
    genome : Genome
    bed : Path
        BED3 or more.
    sites : Sites
    rule : LabelRule

    Returns
    -------
    SiteLabels
        Indices into the sites.

    Raises
    ------
    InputFileError
        The file cannot be read.
    """
    peaks = merge_intervals(read_bed(bed))
    chrom_id = chrom_ids(genome, peaks["chrom"])
    starts, ends = peaks["start"].to_numpy(np.int64), peaks["end"].to_numpy(np.int64)
    none = np.empty(0, dtype=np.int64)
    found = [SiteLabels(none, none)]
    for chrom, run in sites.by_chrom():
        here = chrom_id == chrom
        labels = label_sites(sites.center[run], starts[here], ends[here], rule)
        found.append(SiteLabels(*(rows + run.start for rows in labels)))
    return SiteLabels(*(np.concatenate(rows) for rows in zip(*found, strict=True)))


def _list_by_site(rows_of_pair: list[NDArray[np.int64]], n_sites: int) -> PairLists:
    """Turn the sites of each pair into the pairs of each site."""
    n_rows = [len(rows) for rows in rows_of_pair]
    pair = np.repeat(np.arange(len(rows_of_pair), dtype=np.uint16), n_rows)
    rows = np.concatenate(rows_of_pair)
    order = np.argsort(rows, kind="stable")
    indptr = np.searchsorted(rows[order], np.arange(n_sites + 1))
    return PairLists(indptr, pair[order])
