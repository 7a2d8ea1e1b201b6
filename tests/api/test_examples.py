"""Examples that read files run in a folder that has them."""

import doctest
import importlib

import pytest


@pytest.fixture
def _store(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    region = "chr20:48,590,001-48,600,000"
    run("impute", "--cell", "K562", "-r", region, "--workers", 1, "-y", "-o", "store")


@pytest.mark.usefixtures("_store")
def test_examples_of_stores_run():
    module = importlib.import_module("tfimpute_tracks.api.store")
    assert doctest.testmod(module).failed == 0
