"""Scores and probabilities are checked against the labels of scored pairs."""

import numpy as np
import pytest
from scipy.special import expit

from tfimpute_tracks.comparison.calibration_page import calibration_section
from tfimpute_tracks.evaluation.calibration_check import check_calibration
from tfimpute_tracks.evaluation.scored_pairs import ScoredPairs
from tfimpute_tracks.vocabulary import Pair

PAIRS = (Pair("CTCF", "K562"), Pair("MAX", "K562"), Pair("MAX", "HepG2"))


@pytest.fixture
def scored(rng):
    logits = rng.normal(0, 2, (5000, 3)).astype(np.float32)
    bound = rng.random((5000, 3)) < expit(0.5 * logits - 2)
    labels = bound.astype(np.int8)
    labels[:50] = -1
    return ScoredPairs(
        PAIRS,
        ("base", "test3", "test3"),
        ((0, 0), (1, 0), (1, 1)),
        labels,
        np.zeros(5000, dtype=np.int64),
        {"model": logits},
    )


def test_probabilities_hold_and_scores_do_not(scored):
    check = check_calibration(scored, lambda _: (0.5, -2.0))
    for error in check.errors.values():
        assert error["probability"] < 0.02
        assert error["score"] > 0.2
    assert list(check.curves) == ["base", "test3"]
    assert check.curves["test3"]["sites"].sum() == 2 * 4950


def test_tables_are_by_role_and_by_tf(scored):
    table = check_calibration(scored, lambda _: (1.0, 0.0)).thresholds
    assert list(dict.fromkeys(table["group"])) == [
        "role base",
        "role test3",
        "CTCF",
        "MAX",
    ]
    base, ctcf = (
        table[table["group"] == g].drop(columns="group").reset_index(drop=True)
        for g in ("role base", "CTCF")
    )
    assert base.equals(ctcf)


def test_without_a_calibration_probabilities_are_scores(scored):
    check = check_calibration(scored, lambda _: (1.0, 0.0))
    for error in check.errors.values():
        assert error["probability"] == error["score"]


def test_the_section_shows_tables_and_a_figure(scored):
    section = calibration_section(check_calibration(scored, lambda _: (0.5, -2.0)))
    errors, thresholds = section.tables
    assert [row[0] for row in errors.rows] == ["base", "test3"]
    assert {row[0] for row in thresholds.rows} == {"base", "test3"}
    (figure,) = section.figures
    lines = figure.axes[0].get_lines()
    assert [line.get_label() for line in lines[1:]] == ["base", "test3"]
