"""Bins and sums of bins against plain NumPy."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tfimpute_tracks.kernels.bins import fill_bins, sum_bins, sum_records
from tfimpute_tracks.tracks.formats.zoom import BIN, RECORD

_SUMMED = ("bases", "total", "squares")


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


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.sampled_from([1, 7, 64, 2**32]), st.integers(0, 999))
def test_bins_of_a_cell_are_summed(n, reduction, seed):
    chroms, bins = _draw_bins(np.random.default_rng(seed), n)
    records = np.empty(n, RECORD)
    records = records[: sum_bins(chroms, bins, reduction, records)]
    groups = _grouped(chroms, bins["start"].tolist(), reduction)
    assert len(records) == len(groups)
    for record, group in zip(records, groups, strict=True):
        own = bins[group]
        widths = (own["end"] - own["start"]).astype(float)
        values = own["value"].astype(float)
        assert record["chrom"] == chroms[group[0]]
        assert record["start"] == own["start"][0]
        assert record["end"] == own["end"][-1]
        assert record["bases"] == widths.sum()
        assert record["low"] == own["value"].min()
        assert record["high"] == own["value"].max()
        np.testing.assert_allclose(record["total"], widths @ values, atol=1e-12)
        np.testing.assert_allclose(record["squares"], widths @ values**2)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.sampled_from([16, 64, 2**32]), st.integers(0, 999))
def test_records_of_a_cell_are_summed(n, reduction, seed):
    chroms, bins = _draw_bins(np.random.default_rng(seed), n)
    fine = np.empty(n, RECORD)
    fine = fine[: sum_bins(chroms, bins, 4, fine)]
    found, direct = np.empty(len(fine), RECORD), np.empty(n, RECORD)
    found = found[: sum_records(fine, reduction, found)]
    direct = direct[: sum_bins(chroms, bins, reduction, direct)]
    for name in RECORD.names:
        if name in _SUMMED:
            np.testing.assert_allclose(found[name], direct[name], atol=1e-12)
        else:
            np.testing.assert_array_equal(found[name], direct[name])


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
