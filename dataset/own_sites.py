"""A sample of background sites, labeled by the peaks of a few new pairs.

Test sites are kept or sampled evenly, so that metrics are those of the whole; of the
others, those near a peak and a sample of the rest, with weights that make up for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset.candidates import label_by_peaks
from tfimpute_tracks.dataset.dataset import Dataset, PairLists
from tfimpute_tracks.dataset.labels import CENTRAL_BP, LabelRule
from tfimpute_tracks.dataset.sites import (
    Log,
    Sites,
    Window,
    mask_unreadable,
    read_sequences,
)
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.genome.sequences import Sequences
from tfimpute_tracks.storage.digest import digest_file
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = ["OwnSites", "choose_test_sites", "label_own_sites"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_MAX_SITES = 30_000  # of each kind, to fit with
_MAX_TEST = 60_000


class OwnSites(NamedTuple):
    """Sites of new pairs.

    Attributes
    ----------
    dataset : Dataset
    train, test : int64 array
        Rows to fit with, and rows to evaluate at.
    weight : float32 array, shape (n_sites,)
        Number of sites that each row stands for.
    """

    dataset: Dataset
    train: Ints
    test: Ints
    weight: Floats


def choose_test_sites(
    sites: Sites, chroms: Sequence[str], test_chroms: Sequence[str], is_fitted: bool
) -> Mask:
    """Choose the sites that new names are evaluated at.

    Parameters
    ----------
    sites : Sites
    chroms : sequence of str
        Of the genome.
    test_chroms : sequence of str
        With or without ``chr``.
    is_fitted : bool
        Whether anything is fitted to the other sites.

    Returns
    -------
    bool array, shape (n_sites,)
        Those of the test chromosomes; where that leaves no others, or there are none,
        the last quarter of each chromosome's.
    """
    wanted = [find_chrom(name, chroms) for name in test_chroms]
    numbers = [list(chroms).index(name) for name in wanted if name is not None]
    is_test: Mask = np.isin(sites.chrom_id, numbers)
    if not is_fitted:
        return is_test if is_test.any() else ~is_test
    if is_test.any() and not is_test.all():
        return is_test
    is_test = np.zeros(len(is_test), dtype=bool)
    for _, rows in sites.by_chrom():
        is_test[rows.stop - (rows.stop - rows.start) // 4 : rows.stop] = True
    return is_test


def label_own_sites(
    genome: Sequences,
    sites: Sites,
    pairs: Sequence[tuple[Pair, Path]],
    is_test: Mask,
    seq_len: int,
    log: Log,
    seed: int = 0,
) -> OwnSites:
    """Label sites by the peaks of new pairs, and read the sequences of a sample.

    Parameters
    ----------
    genome : Sequences
    sites : Sites
        Background: open chromatin.
    pairs : sequence of (Pair, Path)
        Pairs and their peaks; may be empty.
    is_test : bool array, shape (n_sites,)
        Sites to evaluate at, which are all kept.
    seq_len : int
        bp of sequence around the middle of a site.
    log : callable
    seed : int
        Of the sample.

    Returns
    -------
    OwnSites

    Raises
    ------
    InputFileError
        A file cannot be read, or shares no chromosome with the genome.
    """
    rule = LabelRule()
    n = len(sites.center)
    found = [label_by_peaks(genome, bed, sites, rule, log) for _, bed in pairs]
    near = np.zeros(n, dtype=bool)
    for labels in found:
        near[labels.positive] = near[labels.ignored] = True
    chroms = tuple(genome.chrom_sizes)
    rng = np.random.default_rng(seed)
    weight = np.zeros(n, dtype=np.float32)
    most_train = _MAX_SITES if pairs else 0  # without pairs nothing is fitted
    for which, most in (
        (is_test, _MAX_TEST),
        (~is_test & near, most_train),
        (~is_test & ~near, most_train),
    ):
        rows = np.flatnonzero(which)
        drawn = rng.permutation(rows)[:most]
        weight[drawn] = len(rows) / max(len(drawn), 1)
    kept = np.flatnonzero(weight > 0)
    codes = read_sequences(genome, sites.keep(weight > 0), seq_len)
    faults = mask_unreadable(codes, Window(seq_len, CENTRAL_BP)).values()
    usable = ~np.any(list(faults), axis=0)
    kept, codes = kept[usable], codes[usable]
    rows_of = np.full(n, -1)
    rows_of[kept] = np.arange(len(kept))
    lists = []
    for kind in ("positive", "ignored"):
        entries = [rows_of[getattr(labels, kind)] for labels in found]
        column = np.repeat(np.arange(len(entries)), list(map(len, entries)))
        rows = np.concatenate([*entries, np.empty(0, np.int64)])
        lists.append(
            PairLists.from_entries(rows[rows >= 0], column[rows >= 0], len(kept))
        )
    names = [pair for pair, _ in pairs]
    dataset = Dataset(
        codes=codes,
        chrom_id=sites.chrom_id[kept],
        start=sites.center[kept] - seq_len // 2,
        chroms=chroms,
        chrom_sizes=tuple(genome.chrom_sizes.values()),
        pairs=tuple(names),
        roles=("base",) * len(names),
        peak_digests=tuple(digest_file(bed) for _, bed in pairs),
        vocabulary=Vocabulary(
            sorted({pair.tf for pair in names}), sorted({pair.cell for pair in names})
        ),
        positive=lists[0],
        ignored=lists[1],
        parameters={"seq_len": seq_len},
        sources={},
    )
    test = np.flatnonzero(is_test[kept])
    train = np.flatnonzero(~is_test[kept])
    return OwnSites(dataset, train, test, weight[kept])
