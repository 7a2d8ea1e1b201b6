"""What a test has seen before: sites, sequences, pairs and peaks that trained as well.

A figure on held-out data is fair as far as nothing of the test was trained on. This is
counted here and told; what of it is meant (the same sites for held-out pairs, say) is
for the reader of the figure to judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
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

# Sites looked at together: their labels for a few hundred pairs are some 20 MB.
_BLOCK = 1 << 16
_SHOWN = 5


@dataclass(frozen=True)
class Leaks:
    """What test and training share.

    Parameters
    ----------
    pairs_trained_on : tuple of str
        Judged pairs that were trained on, replicates as well.
    same_peaks : tuple of (str, str)
        Judged and trained pairs of equal peak files, by their digests.
    unseen_tfs, unseen_cells : tuple of str
        TFs and cell lines of judged pairs that no trained pair has.
    n_train_sites, n_test_sites : int
        Sites that say something of trained and of judged pairs; 0 without sites.
    n_overlapping : int
        Test sites that share a base with a training site; shuffled ones stand nowhere.
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
        """Give the counts and names as JSON values.

        Returns
        -------
        dict
        """
        return asdict(self)

    def messages(self) -> list[str]:
        """Tell what is shared, a sentence for each kind there is.

        Returns
        -------
        list of str
            Empty where nothing is.
        """
        same = [f"{judged} = {trained}" for judged, trained in self.same_peaks]
        of_sites = f"of {self.n_test_sites:,} test sites"
        told = (
            (self.n_overlapping, f"{of_sites} share bases with training sites"),
            (self.n_same_sequence, f"{of_sites} have the sequence of a training site"),
            (self.pairs_trained_on, "judged pairs were trained on"),
            (same, "judged pairs have the peak file of a trained pair"),
            (self.unseen_tfs, "TFs of judged pairs are in no trained one"),
            (self.unseen_cells, "cell lines of judged pairs are in no trained one"),
        )
        messages = []
        for found, what in told:
            if isinstance(found, int):
                messages += [f"{found:,} {what}"] if found else []
            elif found:
                messages.append(f"{len(found)} {what}: {listed(found, _SHOWN)}")
        return messages


def find_pair_leaks(
    pairs: Sequence[Pair],
    digests: Sequence[str],
    trained: Rows,
    judged: Rows,
) -> Leaks:
    """Find what trained and judged pairs share, without their sites.

    Parameters
    ----------
    pairs : sequence of Pair
    digests : sequence of str
        Of the peak file of each.
    trained, judged : int64 array
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
        for i in judged
        for j in by_digest.get(digests[i], [])
        if i != j
    ]
    return Leaks(
        tuple(str(pairs[i]) for i in judged if pairs[i] in trained_pairs),
        tuple(same),
        tuple(sorted({pairs[i].tf for i in judged} - tfs)),
        tuple(sorted({pairs[i].cell for i in judged} - cells)),
    )


def find_leaks(
    dataset: Dataset, split: Split, trained_columns: Rows, judged_columns: Rows
) -> Leaks:
    """Find what a test shares with training.

    Parameters
    ----------
    dataset : Dataset
    split : Split
        `train` was trained on, `test` is judged on.
    trained_columns, judged_columns : int64 array
        Pairs of the data set.

    Returns
    -------
    Leaks
    """
    pairs = find_pair_leaks(
        dataset.pairs, dataset.peak_digests, trained_columns, judged_columns
    )
    train = _telling(dataset, split.train, trained_columns)
    test = _telling(dataset, split.test, judged_columns)
    known = set(_strandless(dataset, train))
    n_same = sum(sequence in known for sequence in _strandless(dataset, test))
    return Leaks(
        pairs.pairs_trained_on,
        pairs.same_peaks,
        pairs.unseen_tfs,
        pairs.unseen_cells,
        n_train_sites=len(train),
        n_test_sites=len(test),
        n_overlapping=_n_overlapping(dataset, train, test),
        n_same_sequence=n_same,
    )


def _telling(dataset: Dataset, rows: Rows, columns: Rows) -> Rows:
    """Give the sites that say something of one of the pairs."""
    blocks = [rows[i : i + _BLOCK] for i in range(0, len(rows), _BLOCK)]
    told = [
        block[(dataset.labels(block, columns) >= 0).any(axis=1)] for block in blocks
    ]
    return np.concatenate([rows[:0], *told])


def _strandless(dataset: Dataset, rows: Rows) -> list[bytes]:
    """Give each sequence as the first of its two strands, as bytes."""
    found: list[bytes] = []
    for i in range(0, len(rows), _BLOCK):
        codes = dataset.codes[rows[i : i + _BLOCK]]
        other = reverse_complement(codes)
        place = np.argmax(codes != other, axis=1)[:, None]
        is_first = np.take_along_axis(codes < other, place, axis=1)
        found += [row.tobytes() for row in np.where(is_first, codes, other)]
    return found


def _n_overlapping(dataset: Dataset, train: Rows, test: Rows) -> int:
    """Count the test sites of the genome that share a base with a training site."""
    if dataset.shuffled is not None:
        train, test = train[~dataset.shuffled[train]], test[~dataset.shuffled[test]]
    # Chromosomes are laid end to end, with more than a sequence between them.
    room = max(dataset.chrom_sizes) + 4 * dataset.seq_len
    place = dataset.chrom_id.astype(np.int64) * room + dataset.start
    taken = np.sort(place[train])
    first = np.searchsorted(taken, place[test] - dataset.seq_len, side="right")
    last = np.searchsorted(taken, place[test] + dataset.seq_len, side="left")
    return int(np.count_nonzero(last > first))
