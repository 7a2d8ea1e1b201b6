"""Negatives from the genome with the base composition of a pair's positives.

As gkm-SVM's null sequences: each positive gets a window of the same chromosome, length,
GC content and fraction of repeats, where the pair has no peak near. Otherwise a network
could discriminate the classes by composition alone. A negative stays on the chromosome
of its positive, so that a split by chromosome keeps both classes.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset.candidates import label_by_peaks
from tfimpute_tracks.dataset.composition import (
    GC_BINS,
    REPEAT_BINS,
    Composition,
    iterate_chroms,
)
from tfimpute_tracks.dataset.labels import LabelRule
from tfimpute_tracks.dataset.pairs_table import PairsTable
from tfimpute_tracks.dataset.sites import (
    Sites,
    Window,
    is_blacklisted,
    mask_unreadable,
)
from tfimpute_tracks.dataset.summits import PairSites
from tfimpute_tracks.genome.fasta import Genome

__all__ = ["MatchedSites", "match_negatives"]

Ints = NDArray[np.int64]

# Candidates tried first for each one needed, before all of a bin are.
_TRIES = 4
_KEY_BITS = 16


class MatchedSites(NamedTuple):
    """Negatives that match the positives, and how well.

    Parameters
    ----------
    sites : PairSites
        No position twice for a pair, and none near a peak of it.
    unmatched : dict of int to (int, int)
        Pairs with too few candidates: row of the table -> (matched, wanted).
    largest_difference : float
        Of the binned distributions of GC content and of repeats: the largest absolute
        difference, in one bin, of the fractions of a pair's positives and negatives.
    worst_pair : int
        The pair that has it.
    no_case : list of str
        Chromosomes with positives and without lower-case bases: only GC content is
        matched there.
    n_candidates : int
    """

    sites: PairSites
    unmatched: dict[int, tuple[int, int]]
    largest_difference: float
    worst_pair: int
    no_case: list[str]
    n_candidates: int


class _Pool(NamedTuple):
    """Windows that could be negatives, by position, and their order by key."""

    sites: Sites
    key: Ints
    order: Ints


def match_negatives(
    genome: Genome,
    table: PairsTable,
    positive: PairSites,
    window: Window,
    margin: int,
    blacklist: str | Path | None,
    seed: int,
) -> MatchedSites:
    """Choose for each pair as many negatives of its positives' composition.

    Parameters
    ----------
    genome : Genome
    table : PairsTable
        All peaks of a pair exclude negatives, also those that are no positives.
    positive : PairSites
    window : Window
    margin : int
        Minimum distance of a negative's window from the pair's peaks, bp.
    blacklist : path or None
        BED; candidates that overlap it are not used.
    seed : int
        Chooses among candidates.

    Returns
    -------
    MatchedSites

    Notes
    -----
    Candidate windows are adjacent and never overlap. They are taken where the FASTA has
    sequence. A window with N is matched only to a positive with as much N (a bin of a
    tenth), because else N alone would discriminate the classes in a FASTA that has
    sequence around the sites only.
    """
    pool, key, no_case = _collect(genome, positive, window, seed)
    # What these files have on unknown chromosomes was reported with the positives.
    if blacklist is not None:
        clear = ~is_blacklisted(pool.sites, genome, blacklist, window.seq_len)
        pool = _order(pool.sites.keep(clear), pool.key[clear], seed)
    near_rule = LabelRule(window.seq_len, window.seq_len, 1.0, margin)
    chosen: list[PairSites] = []
    unmatched: dict[int, tuple[int, int]] = {}
    worst, largest = 0, 0.0
    for pair, bed in enumerate(table.beds):
        own = np.flatnonzero(positive.pair == pair)
        if not len(own):
            continue
        free = np.ones(len(pool.key), dtype=np.bool_)
        for rows in label_by_peaks(genome, bed, pool.sites, near_rule):
            free[rows] = False
        rng = np.random.default_rng((seed, pair))
        # In the order of their keys, as the matches are; folds at random within a key.
        own = own[np.lexsort([rng.random(len(own)), key[own]])]
        index, row = _choose(pool, key[own], free, rng)
        chosen.append(
            PairSites(
                pool.sites.chrom_id[row].astype(np.int64),
                pool.sites.center[row],
                np.full(len(row), pair),
                positive.fold[own[index]],
            )
        )
        if len(row) < len(own):
            unmatched[pair] = (len(row), len(own))
        difference = _largest_difference(key[own], pool.key[row])
        if difference > largest:
            worst, largest = pair, difference
    together = PairSites(*(np.concatenate(c) for c in zip(*chosen, strict=True)))
    return MatchedSites(together, unmatched, largest, worst, no_case, len(pool.key))


def _collect(
    genome: Genome, positive: PairSites, window: Window, seed: int
) -> tuple[_Pool, Ints, list[str]]:
    """Read the genome once: candidates, keys of positives, chromosomes without case."""
    L = window.seq_len
    key = np.empty(len(positive.pair), dtype=np.int64)
    sites: list[Sites] = []
    keys: list[Ints] = []
    no_case: list[str] = []
    for chrom in iterate_chroms(genome, np.unique(positive.chrom_id).tolist(), L):
        here = positive.chrom_id == chrom.number
        key[here] = _full_key(chrom.number, chrom.compose(positive.center[here]))
        if not chrom.lower.any():
            no_case.append(list(genome.chrom_sizes)[chrom.number])
        size = len(chrom.codes) - L
        phase = int(np.random.default_rng((seed, chrom.number)).integers(L))
        centers = np.arange(phase + L // 2, size - L + L // 2 + 1, L)
        windows = np.lib.stride_tricks.sliding_window_view(chrom.codes, L)
        blocks = np.array_split(centers, len(centers) // 65536 + 1)
        unreadable = [
            np.any(list(mask_unreadable(windows[block], window).values()), axis=0)
            for block in blocks
        ]
        centers = centers[~np.concatenate(unreadable)]
        sites.append(
            Sites(np.full(len(centers), chrom.number, dtype=np.int32), centers)
        )
        keys.append(_full_key(chrom.number, chrom.compose(centers)))
    together = Sites(*(np.concatenate(column) for column in zip(*sites, strict=True)))
    return _order(together, np.concatenate(keys), seed), key, no_case


def _full_key(chrom: int, composition: Composition) -> Ints:
    return composition.key | chrom << _KEY_BITS


def _order(sites: Sites, key: Ints, seed: int) -> _Pool:
    """Order candidates by key, at random within a key."""
    chance = np.random.default_rng(seed).random(len(key))
    return _Pool(sites, key, np.lexsort([chance, key]))


def _choose(
    pool: _Pool, wanted: Ints, free: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Choose a free candidate for each wanted key, none twice.

    `wanted` ascends. Returns the indices into it that have a candidate, and the rows of
    the pool.
    """
    keys, n_wanted = np.unique(wanted, return_counts=True)
    sorted_keys = pool.key[pool.order]
    first = np.searchsorted(sorted_keys, keys)
    n = np.searchsorted(sorted_keys, keys, side="right") - first
    offset = (rng.random(len(keys)) * n).astype(np.int64)
    n_tried = np.minimum(n, _TRIES * n_wanted + _TRIES)
    while True:
        group = np.repeat(np.arange(len(keys)), n_tried)
        step = np.arange(len(group)) - np.repeat(n_tried.cumsum() - n_tried, n_tried)
        row = pool.order[first[group] + (offset[group] + step) % n[group]]
        group, row = group[free[row]], row[free[row]]
        n_free = np.bincount(group, minlength=len(keys))
        short = (n_free < n_wanted) & (n_tried < n)
        if not short.any():
            break
        n_tried = np.where(short, n, n_tried)
    rank = np.arange(len(group)) - (n_free.cumsum() - n_free)[group]
    used = rank < n_wanted[group]
    index = (n_wanted.cumsum() - n_wanted)[group[used]] + rank[used]
    return index, row[used]


def _largest_difference(positive: Ints, negative: Ints) -> float:
    """Compare the distributions of GC content and of repeats, each separately."""
    steps = REPEAT_BINS + 1
    if not len(negative):
        return 1.0
    bins = [keys & ((1 << _KEY_BITS) - 1) for keys in (positive, negative)]
    differences = []
    for divisor, n in ((steps * steps, GC_BINS + 1), (steps, steps)):
        one, other = (
            np.bincount(keys // divisor % n, minlength=n) / len(keys) for keys in bins
        )
        differences.append(np.abs(one - other).max())
    return float(max(differences))
