"""The data set in memory: sites with their sequences, and their labels for each pair.

A label belongs to a site and a pair. Most sites have a label for every pair: a candidate
site is negative for all pairs that none of its lists names. A site that was made for one
pair (a window around a summit, a shuffled sequence) has no label for the others.
``store.py`` reads and writes the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = ["FOLDS", "UNKNOWN", "Dataset", "PairLists"]

FOLDS = ("train", "valid", "test")
"""Names of the folds, by number."""
UNKNOWN = -1
"""The label of a pair that a site has no data for."""

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
    def from_entries(cls, rows: Rows, pairs: NDArray[Any], n_sites: int) -> PairLists:
        """Make the lists from their entries.

        Parameters
        ----------
        rows : int64 array, shape (n,)
            Site of each entry, in any order.
        pairs : integer array, shape (n,)
            Pair of each entry; duplicates count once.
        n_sites : int

        Returns
        -------
        PairLists
        """
        entries = np.unique((rows.astype(np.int64) << 16) | pairs.astype(np.int64))
        indptr = np.searchsorted(entries >> 16, np.arange(n_sites + 1))
        return cls(indptr, (entries & 0xFFFF).astype(np.uint16))

    @classmethod
    def empty(cls, n_sites: int) -> PairLists:
        """Make lists without entries.

        Parameters
        ----------
        n_sites : int

        Returns
        -------
        PairLists
        """
        none = np.empty(0, dtype=np.int64)
        return cls.from_entries(none, none, n_sites)

    def entries(self, rows: Rows) -> tuple[Rows, NDArray[np.uint16]]:
        """List every pair of the given sites.

        Parameters
        ----------
        rows : int64 array, shape (n,)
            Sites, in any order, repeated or not.

        Returns
        -------
        index : int64 array, shape (m,)
            Indices into `rows`.
        pairs : uint16 array, shape (m,)
            The pairs of those sites.
        """
        first = self.indptr[rows]
        n_pairs = self.indptr[rows + 1] - first
        shift = np.repeat(first - n_pairs.cumsum() + n_pairs, n_pairs)
        index = np.repeat(np.arange(len(rows)), n_pairs)
        return index, self.pair[np.arange(len(shift)) + shift]

    def subset(self, rows: Rows) -> PairLists:
        """Select the lists of some sites.

        Parameters
        ----------
        rows : int64 array, shape (n,)

        Returns
        -------
        PairLists
            Its site i is the site rows[i] of this one.
        """
        index, pairs = self.entries(rows)
        return PairLists(np.searchsorted(index, np.arange(len(rows) + 1)), pairs)


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
        Start of the sequence, 0-based, ascending within a chromosome; below zero where
        it reaches over the chromosome's start (N there).
    chroms : tuple of str
        The chromosomes of the genome.
    chrom_sizes : tuple of int
        Their lengths in bp.
    pairs : tuple of Pair
        The columns of the labels, in the order of the pairs table.
    roles : tuple of str
        Role of each pair: base, valid2, test3 or test2.
    peak_digests : tuple of str
        Digest of the peak file of each pair.
    vocabulary : Vocabulary
        Every TF and cell line of the pairs, sorted.
    positive, ignored : PairLists
        The pairs each site is positive for, and those it has no label for.
    parameters : dict
        How sites and labels were made; JSON values.
    sources : dict of str
        Digests of the genome, the candidate sites and the pairs table.
    negative : PairLists, optional
        The pairs each site is negative for whatever its default label.
    default_label : int8 array, shape (n_sites,), optional
        Label of the pairs that no list of the site names: 0 negative, or -1 unknown.
        Without it every site is negative for all pairs that it does not name.
    fold : uint8 array, shape (n_sites,), optional
        The part of the data each site was made for, an index into :data:`FOLDS`.
    shuffled : bool array, shape (n_sites,), optional
        Whether the sequence is a shuffled one, which is at no position of the genome.
    replicates : tuple of str, optional
        Name of each pair's replicate, or empty. Only with them a pair may have more than
        one column.
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
        """Return the labels of some sites.

        Parameters
        ----------
        rows : int64 array, shape (n,)
            Sites, 0..n_sites - 1, in any order.
        pair_columns : int64 array, shape (m,), optional
            Columns of `pairs`; by default all.

        Returns
        -------
        int8 array, shape (n, m), contiguous
            1 positive, 0 negative, -1 ignored or unknown.
        """
        labels = np.zeros((len(rows), len(self.pairs)), dtype=np.int8)
        if self.default_label is not None:
            labels += self.default_label[rows][:, None]
        lists_of = ((self.negative, 0), (self.positive, 1), (self.ignored, UNKNOWN))
        for lists, value in lists_of:
            if lists is not None:
                index, pairs = lists.entries(rows)
                labels[index, pairs] = value
        # Not labels[:, pair_columns]: that would be contiguous by column.
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
            Ignored and unknown labels are in neither.
        """
        if rows is None:
            rows = np.arange(self.n_sites)
        n_positive = self._count(self.positive, rows)
        if self.default_label is None:
            return n_positive, len(rows) - n_positive - self._count(self.ignored, rows)
        is_negative = self.default_label[rows] == 0
        n_negative = np.full(len(self.pairs), np.count_nonzero(is_negative))
        for lists in (self.positive, self.ignored):
            n_negative -= self._count(lists, rows[is_negative])
        if self.negative is not None:
            n_negative += self._count(self.negative, rows[~is_negative])
        return n_positive, n_negative

    def _count(self, lists: PairLists, rows: Rows) -> NDArray[np.int64]:
        return np.bincount(lists.entries(rows)[1], minlength=len(self.pairs))
