"""The data set in memory and in its file: the same, or a clear refusal."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfimpute_tracks.dataset import (
    Dataset,
    PairLists,
    open_dataset,
    store,
    write_dataset,
)
from tfimpute_tracks.errors import InputFileError
from toys import make_dataset


def assert_same(one: Dataset, other: Dataset):
    for name, value in vars(one).items():
        found = getattr(other, name)
        if isinstance(value, np.ndarray):
            assert found.dtype == value.dtype, name
            np.testing.assert_array_equal(found, value, err_msg=name)
        elif isinstance(value, PairLists):
            for mine, theirs in zip(value, found, strict=True):
                assert mine.dtype == theirs.dtype
                np.testing.assert_array_equal(mine, theirs, err_msg=name)
        else:
            assert found == value, name


@pytest.fixture(params=[False, True], ids=["all-pairs", "per-pair"])
def some(request, make_random):
    """A data set of sites that speak of all pairs, or most of a few, and its labels."""
    return make_random(per_pair=request.param)


def test_labels_equal_the_dense_matrix(some, rng):
    dataset, dense = some
    rows = rng.integers(0, dataset.n_sites, 500)
    columns = rng.permutation(len(dataset.pairs))[:20]
    np.testing.assert_array_equal(dataset.labels(rows), dense[rows])
    chosen = dataset.labels(rows, columns)
    np.testing.assert_array_equal(chosen, dense[rows][:, columns])
    assert chosen.dtype == np.int8
    assert chosen.flags.c_contiguous
    assert dataset.labels(rows[:0], columns).shape == (0, 20)


def test_counts_equal_the_dense_matrix(some, rng):
    dataset, dense = some
    rows = rng.permutation(dataset.n_sites)[:100]
    for chosen, expected in ((rows, dense[rows]), (None, dense)):
        n_positive, n_negative = dataset.counts(chosen)
        np.testing.assert_array_equal(n_positive, (expected == 1).sum(0))
        np.testing.assert_array_equal(n_negative, (expected == 0).sum(0))


@pytest.mark.parametrize("shape", [(300, 70, 37), (1, 1, 1), (5, 300, 200)])
def test_a_file_holds_all_of_it(make_random, tmp_path, shape):
    dataset, _ = make_random(*shape)
    write_dataset(tmp_path / "data.h5", dataset)
    assert_same(open_dataset(tmp_path / "data.h5"), dataset)


def test_lists_are_those_of_their_entries(make_random, rng):
    lists = make_random()[0].positive
    rows = rng.permutation(300)
    places, pairs = lists.entries(np.arange(300))
    order = rng.permutation(len(pairs))
    again = PairLists.from_entries(places[order], pairs[order], 300)
    for one, other in zip(lists, again, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    taken = lists.subset(rows)
    for place, row in enumerate(rows):
        mine = [
            x.pair[x.indptr[i] : x.indptr[i + 1]]
            for x, i in ((taken, place), (lists, row))
        ]
        np.testing.assert_array_equal(*mine)


@settings(max_examples=60)
@given(
    n_sites=st.integers(1, 12),
    seq_len=st.integers(7, 40),
    runs=st.lists(
        st.tuples(st.integers(0, 11), st.integers(0, 39), st.integers(1, 40)),
        max_size=12,
    ),
    rows=st.integers(1, 13),
)
def test_unknown_bases_come_back(tmp_path_factory, n_sites, seq_len, runs, rows):
    """As runs, however many sites are processed at a time."""
    dataset = make_dataset(n_sites, seq_len)
    for row, place, length in runs:
        dataset.codes[row % n_sites, place % seq_len :][:length] = 4
    path = tmp_path_factory.mktemp("unknown") / "data.h5"
    write_dataset(path, dataset)
    assert_same(open_dataset(path), dataset)
    unknown = dataset.codes == 4
    begins = unknown & ~np.pad(unknown, ((0, 0), (1, 0)))[:, :-1]
    runs_found = store._unknown_runs(dataset.codes, rows)
    with h5py.File(path) as file:
        for name, column in runs_found.items():
            np.testing.assert_array_equal(column, file[name][:])
    assert len(runs_found["unknown/length"]) == np.count_nonzero(begins)
    assert runs_found["unknown/length"].sum() == np.count_nonzero(unknown)
    known = np.where(unknown, np.uint8(0), dataset.codes)
    with h5py.File(path) as file:
        store._fill_unknown(known, file, rows)
    np.testing.assert_array_equal(known, dataset.codes)


@pytest.mark.parametrize(
    ("name", "index", "value"),
    [
        ("unknown/site", -1, 5),  # there are 5 sites
        ("unknown/site", 0, -1),
        ("unknown/position", 0, -1),
        ("unknown/position", 0, 201),
        ("unknown/length", 0, 202),
        ("unknown/length", 0, -1),
        ("unknown/length", 0, 0),
    ],
)
def test_runs_outside_of_the_sequences_are_refused(toy_path, name, index, value):
    with h5py.File(toy_path, "r+") as file:
        file[name][index] = value
    with pytest.raises(InputFileError, match="not a complete HDF5 data set"):
        open_dataset(toy_path)


@pytest.mark.parametrize(
    "kept", ["negative", "default_label", "fold", "shuffled", "replicates"]
)
def test_each_optional_part_may_be_missing(make_random, tmp_path, kept):
    plain, _ = make_random()
    full, _ = make_random(per_pair=True)
    value = getattr(full, kept)
    if kept == "negative":
        value = PairLists.from_entries(np.arange(0), np.arange(0), plain.n_sites)
    dataset = Dataset(**vars(plain) | {kept: value})
    write_dataset(tmp_path / "data.h5", dataset)
    assert_same(open_dataset(tmp_path / "data.h5"), dataset)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("sites/default-label", 1, "a default label is neither 0 nor -1"),
        ("sites/default-label", None, "299 default labels for 300 sites"),
        ("sites/fold", 3, "a fold is not in 0..2"),
        ("sites/shuffled", None, "299 marks of shuffled sequences for 300 sites"),
        ("pairs/replicate", None, "69 names of replicates for 70 pairs"),
        ("negative/pair", 70, "a negative label names a pair"),
        ("negative/indptr", None, "the offsets of its negative labels"),
    ],
)
def test_inconsistent_optional_parts_are_refused(
    make_random, tmp_path, name, value, message
):
    path = tmp_path / "data.h5"
    write_dataset(path, make_random(per_pair=True)[0])
    with h5py.File(path, "r+") as file:
        column = file[name][:]
        del file[name]
        if value is not None:
            column[0] = value
        file[name] = column if value is not None else column[1:]
    with pytest.raises(InputFileError, match=message):
        open_dataset(path)


def test_runs_in_another_order_are_refused(toy_path):
    columns = [f"unknown/{name}" for name in ("site", "position", "length")]
    with h5py.File(toy_path, "r+") as file:
        assert file[columns[0]].size > 1
        for name in columns:
            file[name][:] = file[name][:][::-1]
    with pytest.raises(InputFileError, match="not in order"):
        open_dataset(toy_path)


def test_two_labels_of_a_site_for_a_pair_are_refused(make_random, tmp_path):
    dataset, _ = make_random(per_pair=True)
    twice = Dataset(**vars(dataset) | {"negative": dataset.positive})
    write_dataset(tmp_path / "data.h5", twice)
    with pytest.raises(InputFileError, match="two labels for one pair"):
        open_dataset(tmp_path / "data.h5")


def test_a_data_set_without_positives_or_unknown_bases(make_random, tmp_path):
    dataset, _ = make_random(2, 1)
    dataset.codes[dataset.codes == 4] = 0
    none = dataset.positive._replace(
        indptr=np.zeros(3, dtype=np.int64), pair=dataset.positive.pair[:0]
    )
    bare = Dataset(**vars(dataset) | {"positive": none, "ignored": none})
    write_dataset(tmp_path / "data.h5", bare)
    found = open_dataset(tmp_path / "data.h5")
    assert_same(found, bare)
    assert not found.labels(np.arange(2)).any()


def test_what_is_no_data_set_is_refused(tmp_path):
    with pytest.raises(InputFileError, match=r"no such file.*prepare"):
        open_dataset(tmp_path / "none.h5")
    text = tmp_path / "text.h5"
    text.write_text("sites\n")
    with pytest.raises(InputFileError, match=r"not a complete HDF5 data set.*prepare"):
        open_dataset(text)
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file.attrs["format"] = "cooler"
    with pytest.raises(InputFileError, match="its format is 'cooler'"):
        open_dataset(tmp_path / "foreign.h5")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("format-version", 4, "tfimpute-dataset version 4, .* reads version 1"),
        ("complete", 0, "its writing was interrupted"),
        ("seq-len", 205, "sequences of 205 bp in 50 bytes"),
        ("parameters", "{", "not a complete HDF5 data set"),
    ],
)
def test_attributes_are_believed_only_when_right(toy_path, name, value, message):
    with h5py.File(toy_path, "r+") as file:
        file.attrs[name] = value
    with pytest.raises(InputFileError, match=message):
        open_dataset(toy_path)


@pytest.mark.parametrize(
    ("name", "index", "value", "message"),
    [
        ("sites/chrom", 0, 9, "on a chromosome that is not in its list"),
        ("positive/pair", 0, 7, "a positive label names a pair"),
        ("positive/indptr", 1, 99, "offsets of its positive labels"),
        ("ignored/indptr", -1, 0, "offsets of its ignored labels"),
        ("pairs/n-negative", 0, 0, "counts of its labels do not match"),
        ("pairs/tf", 0, 5, "not a complete HDF5 data set"),
        ("unknown/position", 0, 300, "not a complete HDF5 data set"),
    ],
)
def test_what_cannot_be_true_is_refused(toy_path, name, index, value, message):
    with h5py.File(toy_path, "r+") as file:
        file[name][index] = value
    with pytest.raises(InputFileError, match=message):
        open_dataset(toy_path)


@pytest.mark.parametrize("name", ["sites/start", "sites/sequence", "ignored"])
def test_a_missing_part_is_refused(toy_path, name):
    with h5py.File(toy_path, "r+") as file:
        del file[name]
    with pytest.raises(InputFileError, match="not a complete HDF5 data set"):
        open_dataset(toy_path)


def test_columns_of_other_lengths_are_refused(toy_path):
    with h5py.File(toy_path, "r+") as file:
        start = file["sites/start"][:-1]
        del file["sites/start"]
        file["sites/start"] = start
    with pytest.raises(InputFileError, match="4 starts for 5 sites"):
        open_dataset(toy_path)


def test_no_cut_of_the_file_passes(toy_path, tmp_path):
    whole = toy_path.read_bytes()
    cut = tmp_path / "cut.h5"
    for kept in range(0, len(whole), len(whole) // 20):
        cut.write_bytes(whole[:kept])
        with pytest.raises(InputFileError):
            open_dataset(cut)


def test_a_flipped_bit_of_the_data_never_passes(make_random, tmp_path):
    dataset, _ = make_random(3000, 100, 200)
    path = tmp_path / "data.h5"
    write_dataset(path, dataset)
    with h5py.File(path) as file:
        places = [
            file[name].id.get_chunk_info(0)
            for name in ("sites/sequence", "sites/start", "positive/pair")
        ]
    whole = path.read_bytes()
    for chunk in places:
        for part in range(1, 10):
            broken = bytearray(whole)
            broken[chunk.byte_offset + chunk.size * part // 10] ^= 0x10
            path.write_bytes(broken)
            with pytest.raises(InputFileError, match="not a complete HDF5 data set"):
                open_dataset(path)
