"""Predictors by name, also those of another installed package."""

import dataclasses
import sys

import pytest

from tfimpute_tracks.comparison.predictors.registry import (
    choose_predictors,
    predictor_names,
    reference_name,
)
from tfimpute_tracks.errors import UsageError
from toys import make_model

CODE = """
import numpy as np

from tfimpute_tracks.comparison.predictors.predictor import Fitted, Predictor


class GcContent(Predictor):
    name = "gc-content"
    summary = "the fraction of G and C"

    def fit(self, task):
        return Fitted(None)

    def score(self, task, fitted, rows, columns):
        codes = task.dataset.codes[rows]
        gc = ((codes == 1) | (codes == 2)).mean(axis=1)
        return np.repeat(gc[:, None], len(columns), axis=1).astype(np.float32)


def broken():
    raise RuntimeError("no license\\nfound")


def not_a_predictor():
    return 3
"""
ENTRIES = """
[tfimpute_tracks.predictors]
gc-content = gc_package:GcContent
broken = gc_package:broken
absent = gc_package:Missing
three = gc_package:not_a_predictor
motif = gc_package:broken
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Install a package with predictors."""
    (tmp_path / "gc_package.py").write_text(CODE)
    info = tmp_path / "gc_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: gc_package\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("gc_package", None)


def test_a_package_adds_a_predictor(package, task, aurocs):
    assert "gc-content" in predictor_names()
    (predictor,) = choose_predictors(["gc-content"], [])
    assert predictor.summary == "the fraction of G and C"
    found = aurocs(predictor, task)
    assert ((found > 0) & (found < 1)).all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "broken",
            r"the predictor broken \(gc_package:broken\) cannot be .* no license found",
        ),
        ("absent", r"gc_package:Missing\) cannot be loaded"),
        ("three", "returns a int, not a Predictor"),
    ],
)
def test_a_package_that_fails_is_named(package, name, message):
    with pytest.raises(UsageError, match=message):
        choose_predictors([name], [])


def test_own_predictors_take_precedence(package):
    (predictor,) = choose_predictors(["motif"], [])
    assert "JASPAR" in predictor.summary


def test_without_a_package_its_predictors_are_unknown():
    assert "gc-content" not in predictor_names()
    with pytest.raises(UsageError, match="unknown predictor 'gc-content'"):
        choose_predictors(["gc-content"], [])


def test_every_predictor_of_the_package_can_be_made(tmp_path):
    model = make_model(tmp_path)
    names = predictor_names()
    made = choose_predictors(names, [model])
    assert [predictor.name for predictor in made] == names
    assert reference_name(made) == "model"
    assert reference_name(made[1:]) is None


def test_names_of_predictors(tmp_path):
    model = make_model(tmp_path)
    other = dataclasses.replace(model, name="b")
    names = [p.name for p in choose_predictors(["model"], [model, other])]
    assert names == ["model-toy", "model-b"]
    with pytest.raises(
        UsageError,
        match=r"unknown predictor 'svm'; use some of model, tf-mean, tfimpute",
    ):
        choose_predictors(["svm"], [model])
    with pytest.raises(UsageError, match="duplicate predictors: motif"):
        choose_predictors(["motif", "motif"], [model])
    with pytest.raises(UsageError, match="no predictor"):
        choose_predictors([], [model])
