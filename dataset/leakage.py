"""Find what training and test share: sites, sequences, pairs and peak files.

A metric on held-out data is fair if nothing of the test was trained on. What is shared
is counted and reported here. Some of it can be intended, such as the same sites for
held-out pairs; that is for the reader of the metric to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset.dataset import Dataset
from tfimpute_tracks.dataset.splits import Split
from tfimpute_tracks.errors import listed
from tfimpute_tracks.kernels.encode import reverse_complement
from tfimpute_tracks.vocabulary import Pair

__all__ = ["Leaks", "find_leaks", "find_pair_leaks"]

Rows = NDArray[np.int64]

# Sites processed together: their labels for a few hundred pairs are some 20 MB.
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Leaks:
    """What test and training share.

    Parameters
    ----------
    pairs_trained_on : tuple of str
        Test pairs that were trained on, replicates included.
    same_peaks : tuple of (str, str)
        Test and training pairs with equal peak files, by their digests.
    unseen_tfs, unseen_cells : tuple of str
        TFs and cell lines of test pairs that no training pair has.
    n_train_sites, n_test_sites : int
        Sites with a label for a training pair, and for a test pair; 0 without sites.
    n_overlapping : int
        Test sites that overlap a training site; shuffled ones are not in the genome.
    n_same_sequence : int
        Test sites with the sequence of a training site, on either strand.
    """

    pairs_trained_on: tuple[str, ...]
    same_peaks: tuple[tuple[str, str], ...]
    unseen_tfs: tuple[str, ...]
    unseen_cells: tuple[str, ...]
    n_train_sites: int = 0
    n_test_sites: int = 0
    n_overlapping: int = 0
    n_same_sequence: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return counts and names as JSON values.

        Returns
        -------
        dict
        """
        return asdict(self)

    def messages(self) -> list[str]:
        """Describe what is shared, a sentence for each kind.

        Returns
        -------
        list of str
            Empty where nothing is shared.
        """
        same = [f"{test} = {trained}" for test, trained in self.same_peaks]
        names = (
            (self.pairs_trained_on, "test pairs were trained on"),
            (same, "test pairs have the peak file of a training pair"),
            (self.unseen_tfs, "TFs of test pairs are in no training pair"),
            (self.unseen_cells, "cell lines of test pairs are in no training pair"),
        )
        counts = (
            (self.n_overlapping, "overlap training sites"),
            (self.n_same_sequence, "have the sequence of a training site"),
        )
        return [
            f"{n:,} of {self.n_test_sites:,} test sites {what}"
            for n, what in counts
            if n
        ] + [f"{len(found)} {what}: {listed(found)}" for found, what in names if found]


def find_pair_leaks(
    pairs: Sequence[Pair],
    digests: Sequence[str],
    trained: Rows,
    tested: Rows,
) -> Leaks:
    """Find what training and test pairs share, without their sites.

    Parameters
    ----------
    pairs : sequence of Pair
    digests : sequence of str
        Of the peak file of each.
    trained, tested : int64 array
        Indices into both.

    Returns
    -------
    Leaks
    """
    trained_pairs = {pairs[i] for i in trained}
    by_digest: dict[str, list[int]] = {}
    for i in trained:
        by_digest.setdefault(digests[i], []).append(int(i))
    tfs = {pair.tf for pair in trained_pairs}
    cells = {pair.cell for pair in trained_pairs}
    same = [
        (str(pairs[i]), str(pairs[j]))
        for i in tested
        for j in by_digest.get(digests[i], [])
        if i != j
    ]
    return Leaks(
        tuple(str(pairs[i]) for i in tested if pairs[i] in trained_pairs),
        tuple(same),
        tuple(sorted({pairs[i].tf for i in tested} - tfs)),
        tuple(sorted({pairs[i].cell for i in tested} - cells)),
    )


def find_leaks(
    dataset: Dataset, split: Split, trained_columns: Rows, test_columns: Rows
) -> Leaks:
    """Find what training and test share.

    Parameters
    ----------
    dataset : Dataset
    split : Split
        Its training and its test sites are compared.
    trained_columns, test_columns : int64 array
        Pairs of the data set.

    Returns
    -------
    Leaks
    """
    pairs = find_pair_leaks(
        dataset.pairs, dataset.peak_digests, trained_columns, test_columns
    )
    train = _labeled_sites(dataset, split.train, trained_columns)
    test = _labeled_sites(dataset, split.test, test_columns)
    known = set(_canonical_sequences(dataset, train))
    n_same = sum(sequence in known for sequence in _canonical_sequences(dataset, test))
    return replace(
        pairs,
        n_train_sites=len(train),
        n_test_sites=len(test),
        n_overlapping=_count_overlapping(dataset, train, test),
        n_same_sequence=n_same,
    )


def _labeled_sites(dataset: Dataset, rows: Rows, columns: Rows) -> Rows:
    """Return the sites that have a label for one of the pairs."""
    blocks = [rows[i : i + _BLOCK] for i in range(0, len(rows), _BLOCK)]
    labeled = [
        block[(dataset.labels(block, columns) >= 0).any(axis=1)] for block in blocks
    ]
    return np.concatenate([rows[:0], *labeled])


def _canonical_sequences(dataset: Dataset, rows: Rows) -> list[bytes]:
    """Return the lexicographically smaller strand of each sequence, as bytes."""
    found: list[bytes] = []
    for i in range(0, len(rows), _BLOCK):
        codes = dataset.codes[rows[i : i + _BLOCK]]
        other = reverse_complement(codes)
        differs = np.argmax(codes != other, axis=1)[:, None]
        is_first = np.take_along_axis(codes < other, differs, axis=1)
        found += [row.tobytes() for row in np.where(is_first, codes, other)]
    return found


def _count_overlapping(dataset: Dataset, train: Rows, test: Rows) -> int:
    """Count the test sites that overlap a training site in the genome."""
    if dataset.shuffled is not None:
        train, test = train[~dataset.shuffled[train]], test[~dataset.shuffled[test]]
    # Chromosomes are laid end to end, with more than a sequence between them.
    gap = max(dataset.chrom_sizes) + 4 * dataset.seq_len
    start = dataset.chrom_id.astype(np.int64) * gap + dataset.start
    trained = np.sort(start[train])
    first = np.searchsorted(trained, start[test] - dataset.seq_len, side="right")
    last = np.searchsorted(trained, start[test] + dataset.seq_len, side="left")
    return int(np.count_nonzero(last > first))
