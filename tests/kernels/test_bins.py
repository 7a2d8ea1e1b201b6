"""Bins and sums of bins against plain NumPy."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tfimpute_tracks.kernels.bins import (
    end_sums,
    fill_bins,
    list_bins,
    sum_bins,
    total_bins,
)
from tfimpute_tracks.tracks.formats.zoom import BIN, RECORD


def _draw_bins(rng, n):
    """Disjoint bins of three chromosomes, most of which touch."""
    chroms = np.sort(rng.integers(0, 3, n)).astype(np.uint32)
    widths = rng.integers(1, 9, n)
    gaps = rng.integers(0, 9, n) * (rng.random(n) < 0.2)
    ends = np.cumsum(widths + gaps)
    for chrom in range(1, 3):  # each starts anew
        own = chroms == chrom
        ends[own] -= (ends - widths)[own].min(initial=0)
    bins = np.empty(n, BIN)
    bins["start"], bins["end"] = ends - widths, ends
    bins["value"] = rng.normal(size=n)
    return chroms, bins


def _grouped(chroms, starts, reduction):
    keys = [(c, s // reduction) for c, s in zip(chroms.tolist(), starts, strict=True)]
    groups = {}
    for index, key in enumerate(keys):
        groups.setdefault(key, []).append(index)
    return list(groups.values())


def _sum(chroms, bins, widths, space, batch):
    """Sum up bins a batch at a time, and empty the levels when one is full."""
    n = len(widths)
    arrays = (
        np.array(widths),
        space * np.arange(n + 1),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.empty(space * n, RECORD),
    )
    _, firsts, counts, _, records = arrays
    made = [[] for _ in widths]

    def empty(n_kept):
        for level, first in enumerate(firsts[:-1]):
            own = records[first : first + counts[level]]
            n_whole = max(len(own) - n_kept, 0)
            made[level] += own[:n_whole].tolist()
            own[: len(own) - n_whole] = own[n_whole:].copy()
            counts[level] -= n_whole

    for begin in range(0, len(bins), batch):
        part, done = slice(begin, begin + batch), 0
        while done < len(bins[part]):
            done = sum_bins(chroms[part], bins[part], done, *arrays)
            empty(1)
    end_sums(*arrays)
    empty(0)
    return [np.array(level, RECORD) for level in made]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 60),
    st.sampled_from([(1,), (7, 28, 2**32), (4, 16, 64), (64, 2**32)]),
    st.integers(3, 9),
    st.integers(1, 70),
    st.integers(0, 999),
)
def test_bins_of_a_cell_are_summed(n, widths, space, batch, seed):
    chroms, bins = _draw_bins(np.random.default_rng(seed), n)
    levels = _sum(chroms, bins, widths, space, batch)
    for width, records in zip(widths, levels, strict=True):
        groups = _grouped(chroms, bins["start"].tolist(), width)
        assert len(records) == len(groups)
        for record, group in zip(records, groups, strict=True):
            own = bins[group]
            sizes = (own["end"] - own["start"]).astype(float)
            values = own["value"].astype(float)
            assert record["chrom"] == chroms[group[0]]
            assert record["start"] == own["start"][0]
            assert record["end"] == own["end"][-1]
            assert record["bases"] == sizes.sum()
            assert record["low"] == own["value"].min()
            assert record["high"] == own["value"].max()
            np.testing.assert_allclose(record["total"], sizes @ values, atol=1e-12)
            np.testing.assert_allclose(record["squares"], sizes @ values**2)


@settings(max_examples=20, deadline=None)
@given(st.integers(3, 9), st.integers(1, 70), st.integers(0, 999))
def test_sums_do_not_depend_on_batches_or_space(space, batch, seed):
    chroms, bins = _draw_bins(np.random.default_rng(seed), 60)
    widths = 4, 16, 64, 2**32
    expected = _sum(chroms, bins, widths, 100, 60)
    for found, same in zip(
        _sum(chroms, bins, widths, space, batch), expected, strict=True
    ):
        assert found.tobytes() == same.tobytes()


_HEAD = np.dtype([("start", "<u4"), ("step", "<u4"), ("span", "<u4"), ("n", "<u2")])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 9)), max_size=5),
    st.integers(0, 999),
)
def test_bins_of_sections_are_listed(sections, seed):
    rng = np.random.default_rng(seed)
    heads = np.zeros(len(sections), _HEAD)
    expected, words, firsts = [], [], []
    for head, (n_words, n) in zip(heads, sections, strict=True):
        start, step, span = (int(number) for number in rng.integers(1, 99, 3))
        head["start"], head["step"], head["span"], head["n"] = start, step, span, n
        firsts.append(len(words) + 1)
        words.append(0)  # a head
        for i in range(n):
            value = np.float32(rng.normal())
            place = start + i * step if n_words == 1 else int(rng.integers(999))
            end = place + span if n_words < 3 else place + int(rng.integers(1, 9))
            expected.append((place, end, value))
            words += [*[place, end][: n_words - 1], int(value.view(np.uint32))]
    data = np.array(words, np.uint32)
    bins = np.empty(len(expected), BIN)
    steps = np.array([n_words for n_words, _ in sections], np.int64)
    starts = np.array(firsts, np.int64)
    list_bins(data, data.view(np.float32), starts, heads, steps, bins)
    assert bins.tolist() == expected


def test_bins_are_totalled():
    _, bins = _draw_bins(np.random.default_rng(1), 50)
    sizes = (bins["end"] - bins["start"]).astype(np.int64)
    values = bins["value"].astype(float)
    bases, total, scale, low, high = total_bins(bins)
    assert (bases, low, high) == (sizes.sum(), values.min(), values.max())
    np.testing.assert_allclose([total, scale], [sizes @ values, sizes @ abs(values)])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=6), st.booleans(), st.integers(0, 999))
def test_missing_bins_fall_out_and_others_are_cut(lengths, is_rounded, seed):
    rng = np.random.default_rng(seed)
    n_signals, n = len(lengths), sum(lengths)
    steps = rng.integers(1, 30, n_signals)
    starts = -rng.integers(0, 30, n_signals) % steps - steps // 2
    sizes = starts + steps * lengths - rng.integers(0, 2, n_signals) * (steps // 2)
    rows = np.array([np.arange(n_signals), starts, steps, lengths, sizes], np.int64)
    values = rng.normal(size=n).astype(np.float32)
    values[rng.random(n) < 0.3] = np.nan
    values[rng.random(n) < 0.2] = -0.0
    chroms, bins = np.empty(n, np.uint32), np.empty(n, BIN)
    count = fill_bins(values, rows, 1e4 if is_rounded else 0.0, chroms, bins)
    expected, at = [], 0
    for signal, length in enumerate(lengths):
        for i in range(length):
            start = starts[signal] + i * steps[signal]
            value = values[at]
            at += 1
            if np.isnan(value):
                continue
            if is_rounded:
                value = np.float32(np.round(np.float64(value), 4)) + np.float32(0)
            end = min(start + steps[signal], sizes[signal])
            expected.append((signal, max(start, 0), end, value))
    assert count == len(expected)
    found = zip(chroms[:count].tolist(), bins[:count].tolist(), strict=True)
    assert [(chrom, *row) for chrom, row in found] == expected
    own = bins["value"][:count]
    assert not (is_rounded and np.signbit(own[own == 0]).any())


def test_the_signal_of_an_infinite_value_is_named():
    rows = np.array([[0, 1], [0, 0], [10, 10], [2, 2], [20, 20]])
    values = np.array([0, 1, np.nan, -np.inf], np.float32)
    assert fill_bins(values, rows, 0.0, np.empty(4, np.uint32), np.empty(4, BIN)) == -2
