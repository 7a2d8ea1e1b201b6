"""What the help states about the models is what their cards hold."""

import re

import pytest

from tfimpute_tracks.models.loading import load_modes


@pytest.mark.parametrize(
    ("name", "model"), [("default", "held-out"), ("deep", "deep-held-out")]
)
def test_the_help_of_a_model_states_its_accuracy(run, name, model):
    code, out, _ = run("scan", "--help")
    assert code == 0
    text = " ".join(re.sub(r"[│|]", " ", out).split())
    stated = re.search(rf"{name},.*?(0\.\d+) .*?and (0\.\d+)", text)
    assert stated, text
    aurocs = [mode.card["metrics"]["test3"]["auroc"] for mode in load_modes(model)]
    assert list(map(float, stated.groups())) == pytest.approx(aurocs, abs=6e-4)
