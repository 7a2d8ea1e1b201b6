"""What a test has seen before: counted as a plain look at every two sites counts it."""

from __future__ import annotations

import numpy as np
import pytest

from tfimpute_tracks.dataset import (
    Dataset,
    HoldOut,
    Split,
    find_leaks,
    split_by_chromosome,
)
from tfimpute_tracks.kernels.encode import decode, reverse_complement
from tfimpute_tracks.vocabulary import Pair


@pytest.fixture
def crowded(make_random, rng):
    """Short sequences close together, so that sites overlap and repeat."""

    def make(per_pair):
        dataset, _ = make_random(200, 10, 5, per_pair=per_pair)
        start = np.concatenate(
            [
                np.sort(rng.integers(-3, 900, np.count_nonzero(dataset.chrom_id == i)))
                for i in range(3)
            ]
        )
        return Dataset(**vars(dataset) | {"start": start, "chrom_sizes": (900,) * 3})

    return make


def naive_counts(dataset, split, trained, judged):
    train = [
        i for i in split.train if (dataset.labels(np.array([i]), trained) >= 0).any()
    ]
    test = [i for i in split.test if (dataset.labels(np.array([i]), judged) >= 0).any()]
    known = {decode(dataset.codes[i]) for i in train}
    known |= {decode(reverse_complement(dataset.codes[i])) for i in train}
    is_shuffled = dataset.shuffled
    if is_shuffled is None:
        is_shuffled = np.zeros(dataset.n_sites, dtype=bool)
    overlapping = sum(
        not is_shuffled[i]
        and any(
            dataset.chrom_id[i] == dataset.chrom_id[j]
            and abs(dataset.start[i] - dataset.start[j]) < dataset.seq_len
            for j in train
            if not is_shuffled[j]
        )
        for i in test
    )
    same = sum(decode(dataset.codes[i]) in known for i in test)
    return len(train), len(test), overlapping, same


@pytest.mark.parametrize("per_pair", [False, True])
def test_counts_are_those_of_a_plain_look(crowded, rng, per_pair):
    dataset = crowded(per_pair)
    rows = rng.permutation(200)
    split = Split(np.sort(rows[:120]), rows[:0], np.sort(rows[120:]))
    trained, judged = np.arange(2), np.array([2, 3])
    leaks = find_leaks(dataset, split, trained, judged)
    found = (
        leaks.n_train_sites,
        leaks.n_test_sites,
        leaks.n_overlapping,
        leaks.n_same_sequence,
    )
    assert found == naive_counts(dataset, split, trained, judged)
    assert min(found) > 0
    assert (leaks.n_test_sites < 60) == per_pair


def test_chromosomes_share_no_base(crowded):
    dataset = crowded(False)
    leaks = find_leaks(
        dataset, split_by_chromosome(dataset), np.arange(5), np.arange(5, 10)
    )
    assert leaks.n_overlapping == 0
    assert leaks.n_test_sites > 0


@pytest.mark.parametrize("scheme", ["random", "alternating-peaks"])
def test_other_schemes_share_bases_and_it_is_reported(crowded, scheme):
    dataset = crowded(True)
    split = HoldOut(scheme).split(dataset)
    trained, judged = np.arange(3), np.arange(3, 5)
    leaks = find_leaks(dataset, split, trained, judged)
    n_train, n_test, n_overlapping, n_same = naive_counts(
        dataset, split, trained, judged
    )
    assert (leaks.n_train_sites, leaks.n_test_sites) == (n_train, n_test)
    assert (leaks.n_overlapping, leaks.n_same_sequence) == (n_overlapping, n_same)
    assert n_overlapping > 0
    told = f"{n_overlapping:,} of {n_test:,} test sites overlap"
    assert any(told in remark for remark in leaks.messages())


def test_names_that_trained_and_names_that_did_not(make_random):
    dataset, _ = make_random(n_pairs=8)
    pairs = [
        Pair(*name.split(":"))
        for name in ("A:x", "B:x", "A:y", "C:x", "A:x", "B:z", "B:x", "D:w")
    ]
    digests = ["1", "2", "3", "1", "5", "6", "2", "8"]
    dataset = Dataset(
        **vars(dataset) | {"pairs": tuple(pairs), "peak_digests": tuple(digests)}
    )
    leaks = find_leaks(
        dataset, split_by_chromosome(dataset), np.arange(3), np.arange(3, 8)
    )
    assert leaks.pairs_trained_on == ("A:x", "B:x")
    assert leaks.same_peaks == (("C:x", "A:x"), ("B:x", "B:x"))
    assert leaks.unseen_tfs == ("C", "D")
    assert leaks.unseen_cells == ("w", "z")
    messages = leaks.messages()
    assert "2 test pairs were trained on: A:x, B:x" in messages
    assert any("C:x = A:x" in text for text in messages)
    assert leaks.to_dict()["unseen_tfs"] == ("C", "D")


def test_nothing_shared_is_nothing_to_report(make_random):
    dataset, _ = make_random(n_pairs=14, seq_len=60)
    trained = np.arange(14)
    leaks = find_leaks(dataset, split_by_chromosome(dataset), trained, trained[:0])
    assert leaks.messages() == []
    assert leaks.n_test_sites == 0
