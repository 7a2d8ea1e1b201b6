"""The data set in memory: sites with their sequences, and what each says of each pair.

A label belongs to a site and a pair. Most sites say something of every pair: a site of
the background is negative for all pairs that no list of it names. A site that was made
for one pair (a window about a summit, a shuffled sequence) says nothing of the others.
The file that it travels in is the business of ``store.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = ["FOLDS", "UNKNOWN", "Dataset", "PairLists"]

FOLDS = ("train", "valid", "test")
"""What a fold's number means."""
UNKNOWN = -1
"""The label of a pair that a site says nothing of."""

Rows = NDArray[np.int64]


class PairLists(NamedTuple):
    """A list of pairs per site, as one flat array and offsets.

    Parameters
    ----------
    indptr : int64 array, shape (n_sites + 1,)
        The pairs of site i are pair[indptr[i]:indptr[i + 1]].
    pair : uint16 array, shape (indptr[-1],)
        Columns of `Dataset.pairs`, ascending within a site.
    """

    indptr: NDArray[np.int64]
    pair: NDArray[np.uint16]

    @classmethod
    def of(cls, rows: Rows, pairs: NDArray[Any], n_sites: int) -> PairLists:
        """Make the lists from their entries.

        Parameters
        ----------
        rows : int64 array, shape (n,)
            Site of each entry, in any order.
        pairs : integer array, shape (n,)
            Pair of each entry; an entry that stands twice counts once.
        n_sites : int

        Returns
        -------
        PairLists
        """
        entries = np.unique((rows.astype(np.int64) << 16) | pairs.astype(np.int64))
        indptr = np.searchsorted(entries >> 16, np.arange(n_sites + 1))
        return cls(indptr, (entries & 0xFFFF).astype(np.uint16))

    def entries(self, rows: Rows) -> tuple[Rows, NDArray[np.uint16]]:
        """List every pair of the given sites.

        Parameters
        ----------
        rows : int64 array, shape (n,)
            Sites, in any order, repeated or not.

        Returns
        -------
        places : int64 array, shape (m,)
            Indices into `rows`.
        pairs : uint16 array, shape (m,)
            The pairs found there.
        """
        first = self.indptr[rows]
        n_pairs = self.indptr[rows + 1] - first
        shift = np.repeat(first - n_pairs.cumsum() + n_pairs, n_pairs)
        places = np.repeat(np.arange(len(rows)), n_pairs)
        return places, self.pair[np.arange(len(shift)) + shift]

    def take(self, rows: Rows) -> PairLists:
        """Give the lists of some sites.

        Parameters
        ----------
        rows : int64 array, shape (n,)

        Returns
        -------
        PairLists
            Its site i is the site rows[i] of this one.
        """
        places, pairs = self.entries(rows)
        return PairLists(np.searchsorted(places, np.arange(len(rows) + 1)), pairs)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Sites with their sequences and their labels for every pair, in memory.

    Parameters
    ----------
    codes : uint8 array, shape (n_sites, L), values 0..4
        The sequence of each site, forward strand.
    chrom_id : int32 array, shape (n_sites,)
        Ascending indices into `chroms`.
    start : int64 array, shape (n_sites,)
        Where the sequence begins, 0-based, ascending within a chromosome; below zero
        where it reaches over the chromosome's beginning (N there).
    chroms : tuple of str
        The chromosomes of the genome.
    chrom_sizes : tuple of int
        Their lengths in bp.
    pairs : tuple of Pair
        The columns of the labels, in the order of the pairs table.
    roles : tuple of str
        What each pair is for: base, valid2, test3 or test2.
    peak_digests : tuple of str
        Digest of the peak file of each pair.
    vocabulary : Vocabulary
        Every TF and cell line of the pairs, sorted.
    positive, ignored : PairLists
        The pairs each site is positive for, and those it says nothing about.
    parameters : dict
        What the sites and labels were made with; JSON values.
    sources : dict of str
        Digests of the genome, the background and the pairs table.
    negative : PairLists, optional
        The pairs each site is negative for whatever its default label.
    default_label : int8 array, shape (n_sites,), optional
        Label of the pairs that no list of the site names: 0 negative, or -1 nothing is
        said of them. Without it every site is negative for all pairs it does not name.
    fold : uint8 array, shape (n_sites,), optional
        The part of the data each site was made for, an index into :data:`FOLDS`.
    shuffled : bool array, shape (n_sites,), optional
        Whether the sequence is the shuffled one of its place, and stands nowhere.
    replicates : tuple of str, optional
        Name of each pair's replicate; empty for what stands alone. Only with them a
        pair may stand in more than one column.
    """

    codes: NDArray[np.uint8]
    chrom_id: NDArray[np.int32]
    start: NDArray[np.int64]
    chroms: tuple[str, ...]
    chrom_sizes: tuple[int, ...]
    pairs: tuple[Pair, ...]
    roles: tuple[str, ...]
    peak_digests: tuple[str, ...]
    vocabulary: Vocabulary
    positive: PairLists
    ignored: PairLists
    parameters: dict[str, Any]
    sources: dict[str, str]
    negative: PairLists | None = None
    default_label: NDArray[np.int8] | None = None
    fold: NDArray[np.uint8] | None = None
    shuffled: NDArray[np.bool_] | None = None
    replicates: tuple[str, ...] | None = None

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.codes)

    @property
    def seq_len(self) -> int:
        """Length of each sequence, in bp."""
        return int(self.codes.shape[1])

    def labels(self, rows: Rows, pair_columns: Rows | None = None) -> NDArray[np.int8]:
        """Give the labels of some sites.

        Parameters
        ----------
        rows : int64 array, shape (n,)
            Sites, 0..n_sites - 1, in any order.
        pair_columns : int64 array, shape (m,), optional
            Columns of `pairs`; by default all.

        Returns
        -------
        int8 array, shape (n, m), contiguous
            1 positive, 0 negative, -1 ignored or nothing known.
        """
        labels = np.zeros((len(rows), len(self.pairs)), dtype=np.int8)
        if self.default_label is not None:
            labels += self.default_label[rows][:, None]
        lists_of = ((self.negative, 0), (self.positive, 1), (self.ignored, UNKNOWN))
        for lists, value in lists_of:
            if lists is not None:
                places, pairs = lists.entries(rows)
                labels[places, pairs] = value
        # Not labels[:, pair_columns]: that lies in memory column by column.
        return labels if pair_columns is None else labels.take(pair_columns, axis=1)

    def counts(
        self, rows: Rows | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Count positives and negatives of every pair.

        Parameters
        ----------
        rows : int64 array, shape (n,), optional
            Sites to count over; by default all.

        Returns
        -------
        n_positive, n_negative : int64 arrays, shape (n_pairs,)
            Ignored sites, and those that say nothing of the pair, are in neither.
        """
        if rows is None:
            rows = np.arange(self.n_sites)
        n_positive = self._count(self.positive, rows)
        if self.default_label is None:
            return n_positive, len(rows) - n_positive - self._count(self.ignored, rows)
        knows_all = self.default_label[rows] == 0
        n_negative = np.full(len(self.pairs), np.count_nonzero(knows_all))
        for lists in (self.positive, self.ignored):
            n_negative -= self._count(lists, rows[knows_all])
        if self.negative is not None:
            n_negative += self._count(self.negative, rows[~knows_all])
        return n_positive, n_negative

    def _count(self, lists: PairLists, rows: Rows) -> NDArray[np.int64]:
        return np.bincount(lists.entries(rows)[1], minlength=len(self.pairs))
