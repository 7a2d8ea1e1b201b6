"""Splits share no site; batches are the same in every run."""

from __future__ import annotations

import numpy as np
import pytest

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.dataset.splits import (
    iterate_batches,
    pair_columns,
    split_by_chromosome,
    split_by_fold,
    split_randomly,
)
from tfimpute_tracks.errors import RegionError, UsageError


def test_chromosomes_part_the_sites(make_random):
    dataset, _ = make_random()
    split = split_by_chromosome(dataset)
    for rows, chrom in zip(split, ("chr1", "chr22", "chr20"), strict=True):
        assert {dataset.chroms[i] for i in dataset.chrom_id[rows]} == {chrom}
    together = np.sort(np.concatenate(split))
    np.testing.assert_array_equal(together, np.arange(dataset.n_sites))


def test_names_match_with_and_without_chr(make_random):
    dataset, _ = make_random()
    for named, plain in zip(
        split_by_chromosome(dataset),
        split_by_chromosome(dataset, ["20"], ["22"]),
        strict=True,
    ):
        np.testing.assert_array_equal(named, plain)


def test_a_split_without_sense_is_refused(make_random):
    dataset, _ = make_random()
    with pytest.raises(RegionError, match=r"no site .* on chr9; .* chr1, chr20, chr22"):
        split_by_chromosome(dataset, test_chroms=["chr9"])
    with pytest.raises(UsageError, match="overlap; put"):
        split_by_chromosome(dataset, ["chr20"], ["20"])
    with pytest.raises(UsageError, match="no site is left to train on"):
        split_by_chromosome(dataset, ["chr20", "chr1"], ["22"])


@pytest.mark.parametrize("seed", [0, 7])
def test_chance_parts_the_places(make_random, seed):
    dataset, _ = make_random(n_sites=1000)
    split = split_randomly(dataset, test=0.2, valid=0.1, seed=seed)
    together = np.sort(np.concatenate(split))
    np.testing.assert_array_equal(together, np.arange(1000))
    assert [len(rows) for rows in split] == pytest.approx([700, 100, 200], abs=5)
    assert all((np.diff(rows) > 0).all() for rows in split)
    again = split_randomly(dataset, test=0.2, valid=0.1, seed=seed)
    other = split_randomly(dataset, test=0.2, valid=0.1, seed=seed + 1)
    np.testing.assert_array_equal(split.test, again.test)
    assert split.test.tolist() != other.test.tolist()


def test_what_stands_in_one_place_is_never_parted(make_random):
    dataset, _ = make_random(n_sites=600)
    pairs = np.repeat(np.arange(300) * 2, 2)
    doubled = Dataset(**vars(dataset) | {"start": dataset.start[pairs]})
    doubled.chrom_id[:] = doubled.chrom_id[pairs]
    part = np.empty(600, dtype=int)
    for i, rows in enumerate(split_randomly(doubled, test=0.3, valid=0.3)):
        part[rows] = i
    np.testing.assert_array_equal(part[::2], part[1::2])
    assert set(part) == {0, 1, 2}


@pytest.mark.parametrize(
    ("test", "valid", "seed"),
    [(0.6, 0.4, 0), (-0.1, 0.1, 0), (0.1, 0.1, -1), (float("nan"), 0, 0)],
)
def test_fractions_without_sense_are_refused(make_random, test, valid, seed):
    with pytest.raises(UsageError, match="fractions"):
        split_randomly(make_random()[0], test, valid, seed)


def test_chance_leaves_some_to_train_on(make_random):
    with pytest.raises(UsageError, match="no site of 1 is left"):
        split_randomly(make_random(n_sites=1)[0], test=0.9, valid=0.0)


def test_folds_part_the_sites(make_random):
    dataset, _ = make_random(per_pair=True)
    for i, rows in enumerate(split_by_fold(dataset)):
        np.testing.assert_array_equal(rows, np.flatnonzero(dataset.fold == i))
    with pytest.raises(UsageError, match="has no folds"):
        split_by_fold(make_random()[0])


def test_roles_choose_columns(make_random):
    dataset, _ = make_random(n_pairs=7)
    assert pair_columns(dataset, "test3").tolist() == [0, 3, 6]
    assert pair_columns(dataset, "base").tolist() == [1, 2, 4, 5]
    assert pair_columns(dataset, "valid2").size == 0
    with pytest.raises(UsageError, match="unknown role 'train'"):
        pair_columns(dataset, "train")


def test_an_epoch_reads_every_row_once():
    rows = np.arange(100, 203)
    batches = list(iterate_batches(rows, 25, seed=3, epoch=0))
    assert [len(batch) for batch in batches] == [25, 25, 25, 25, 3]
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), rows)


def test_seed_and_epoch_fix_the_order():
    rows = np.arange(200)

    def order(seed, epoch):
        return np.concatenate(list(iterate_batches(rows, 32, seed, epoch))).tolist()

    assert order(3, 1) == order(3, 1)
    assert len({tuple(order(s, e)) for s in range(3) for e in range(3)}) == 9


@pytest.mark.parametrize("values", [(0, 0, 0), (1, -1, 0), (1, 0, -1)])
def test_values_out_of_range_are_refused(values):
    with pytest.raises(UsageError, match="batch size"):
        next(iterate_batches(np.arange(3), *values))
