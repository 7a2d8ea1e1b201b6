"""False discovery rates against plain counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from tfimpute_tracks.evaluation.fdr import (
    MIN_PAIRS,
    MIN_SITES,
    count_calls,
    fdr_shifts,
    fdr_thresholds,
    summarize,
)
from tfimpute_tracks.evaluation.fdr_calibration import (
    FDR_LEVELS,
    SiteScores,
    calibrate_imputed_pairs,
    calibrate_trained_pairs,
)
from tfimpute_tracks.evaluation.genome_wide import (
    Intervals,
    compare_peaks,
    inside,
)
from tfimpute_tracks.genome.signal import Signal

SITES = st.lists(
    st.tuples(st.integers(-4, 4), st.sampled_from([-1, 0, 1])), min_size=1, max_size=60
)


def _rate(sites, line):
    """Fraction of unbound sites and number of labeled ones at or above a line."""
    called = [label for score, label in sites if score >= line and label >= 0]
    return (called.count(0) / len(called) if called else 0), len(called)


@given(SITES, st.sampled_from([0.05, 0.3, 0.5]))
def test_thresholds_are_the_lowest_that_keep_the_rate(sites, level):
    scores, labels = (np.array(column)[:, None] for column in zip(*sites, strict=True))
    (found,) = fdr_thresholds(
        scores.astype(np.float32), labels.astype(np.int8), [level]
    )[0]
    meet = [
        line
        for line in range(-4, 5)
        if _rate(sites, line)[0] <= level and _rate(sites, line)[1] >= MIN_SITES
    ]
    if np.isnan(found):
        assert not meet
    else:
        rate, n = _rate(sites, found)
        assert rate <= level
        assert n >= MIN_SITES
        # A lower threshold that calls more does not keep the rate.
        assert all(_rate(sites, line)[1] == n for line in meet if line < found)


def test_called_sites_are_counted(rng):
    scores = rng.normal(size=(50, 3)).astype(np.float32)
    labels = rng.integers(-1, 2, (50, 3)).astype(np.int8)
    lines = np.array([[0, 1], [np.nan, -1], [9, 0.5]], dtype=np.float32)
    called, bound = count_calls(scores, labels, lines)
    for pair in range(3):
        for level in range(2):
            sites = [
                label
                for score, label in zip(scores[:, pair], labels[:, pair], strict=True)
                if score >= lines[pair, level] and label >= 0
            ]
            assert called[pair, level] == len(sites)
            assert bound[pair, level] == sites.count(1)


def test_shifts_hold_on_average_over_pairs(rng):
    n_pairs = MIN_PAIRS + 5
    labels = rng.integers(-1, 2, (400, n_pairs)).astype(np.int8)
    margins = (rng.normal(size=labels.shape) + 2 * (labels == 1)).astype(np.float32)
    for level, shift in zip(
        (0.1, 0.3), fdr_shifts(margins, labels, (0.1, 0.3)), strict=True
    ):
        rates = []
        for line in (shift, shift - 0.05):
            pairs = [
                _rate(zip(margins[:, i], labels[:, i], strict=True), line)
                for i in range(n_pairs)
            ]
            rates.append(np.mean([rate for rate, n in pairs if n >= MIN_SITES]))
        assert rates[0] <= level < rates[1]
    assert fdr_shifts(
        margins[:, : MIN_PAIRS - 1], labels[:, : MIN_PAIRS - 1], [0.3]
    ) == [None]


def test_thresholds_are_listed_by_level(rng):
    labels = rng.integers(0, 2, (300, 12)).astype(np.int8)
    scores = (rng.normal(size=labels.shape) + 3 * labels).astype(np.float32)
    scores[:, 0] = 0  # all the same
    sites = SiteScores(scores, labels)
    pairs, checked = calibrate_trained_pairs(sites, sites)
    assert pairs[0]["fdr_thresholds"]["0.25"] is None
    assert pairs[0]["fdr_recall"]["0.25"] is None
    levels = [pairs[1]["fdr_thresholds"][str(level)] for level in FDR_LEVELS]
    assert levels == sorted(levels, reverse=True)
    assert checked["0.1"]["pairs"] == 11
    assert checked["0.1"]["mean"] <= 0.1
    kept = sites.subset(np.arange(1, 12))
    raised, told = calibrate_imputed_pairs(kept, kept, np.zeros(11, dtype=np.float32))
    assert told["pairs"] == 11
    assert told["shifts"]["0.1"] > told["shifts"]["0.5"]
    shifts = [told["shifts"][str(level)] for level in FDR_LEVELS]
    np.testing.assert_allclose(raised[0], np.array(shifts, dtype=np.float32))
    assert summarize(np.array([np.nan]))["mean"] is None


def test_a_stored_threshold_keeps_its_rate_to_the_last_site(rng):
    """Scores near 1 differ in their last digits only."""
    labels = rng.integers(0, 2, (500, 3)).astype(np.int8)
    scores = (rng.normal(size=labels.shape) + 3 * labels + 12).astype(np.float32)
    sites = SiteScores(scores, labels)
    pairs, _ = calibrate_trained_pairs(sites, sites)
    probabilities = expit(scores)
    for i, pair in enumerate(pairs):
        for level in FDR_LEVELS:
            line = pair["fdr_thresholds"][str(level)]
            called = labels[probabilities[:, i] >= np.float32(line), i]
            assert len(called) >= MIN_SITES
            assert (called == 0).mean() <= level
            found = called.sum() / labels[:, i].sum()
            assert pair["fdr_recall"][str(level)] == pytest.approx(found, abs=1e-4)


def test_shifts_apply_to_pairs_with_sites_that_score_so_high(rng):
    labels = (rng.random((2000, MIN_PAIRS + 1)) < 0.1).astype(np.int8)
    scores = (rng.normal(size=labels.shape) + 2 * labels).astype(np.float32)
    # One pair has a threshold that hardly any of its sites reach.
    lines = np.zeros(MIN_PAIRS + 1, dtype=np.float32)
    lines[4] = np.sort(scores[:, 4])[-MIN_SITES + 1] - 0.01
    sites = SiteScores(scores, labels)
    raised, told = calibrate_imputed_pairs(sites, sites, lines)
    assert np.isnan(raised[4]).all()
    assert told["pairs_reaching"]["0.5"] == MIN_PAIRS
    assert told["test"]["0.5"]["pairs"] == MIN_PAIRS


@given(st.lists(st.integers(0, 60), max_size=8, unique=True), st.integers(0, 70))
def test_positions_inside_intervals(borders, place):
    cuts = sorted(borders)[: len(borders) // 2 * 2]
    spans = list(zip(cuts[::2], cuts[1::2], strict=True))
    measured = Intervals(
        *(np.array(side, dtype=np.int64) for side in (cuts[::2], cuts[1::2]))
    )
    expected = any(start <= place < end for start, end in spans)
    assert inside(np.array([place]), measured)[0] == expected


def test_tiles_and_peaks_are_compared_with_measured_ones():
    scores = np.array([0.9, 0.9, 0.1, 0.1, 0.8, np.nan, 0.2, 0.95], dtype=np.float32)
    tiles = Signal("chr1", 0, 100, scores)
    measured = Intervals(np.array([120, 620]), np.array([260, 680]))
    counts = compare_peaks(tiles, measured, np.array([0.85, np.nan], np.float32), 0.5)
    assert (counts.tiles, counts.bound_tiles) == (7, 3)
    assert counts.called.tolist() == [3, 0]
    assert counts.called_bound.tolist() == [1, 0]
    # [0, 200), [400, 500) and [700, 800): the first one's summit is at 50, outside.
    assert (counts.peaks, counts.confirmed) == (3, 0)
    assert (counts.measured, counts.found) == (2, 1)
    metrics = counts.peak_metrics()
    assert metrics["peaks"] == 3
    assert metrics["peak_fdr"] == 1
    assert metrics["peak_recall"] == 0.5
    np.testing.assert_allclose(counts.rates(), [2 / 3, np.nan])


def test_the_shipped_cards_list_thresholds():
    from tfimpute_tracks.models import load_model

    model = load_model("default")
    measured = model.fdr_thresholds(model.vocabulary.pair("CTCF:K562"))
    assert list(measured) == list(FDR_LEVELS)
    assert 1 > measured[0.05] > measured[0.5] > 0.05
    pair = model.vocabulary.pair("CTCF:U2OS")
    imputed = model.fdr_thresholds(pair)
    assert model.status(pair) == "imputed"
    assert imputed[0.05] is imputed[0.1] is None
    assert imputed[0.25] > imputed[0.5] > model.threshold(pair)
    # Its threshold is so high that hardly a site reaches far beyond it.
    few = model.fdr_thresholds(model.vocabulary.pair("GATA1:HepG2"))
    assert set(few.values()) == {None}
    assert (
        model.measured_pairs[model.vocabulary.pair("CTCF:K562")]["genome"]["peaks"]
        >= MIN_SITES
    )
    assert model.card["fdr"]["genome"]["peak_fdr"]["mean"] == pytest.approx(
        0.81, abs=0.05
    )
