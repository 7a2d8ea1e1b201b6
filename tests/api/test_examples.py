"""Examples that read files run in a folder that has them."""

import doctest
import importlib

import numpy as np
import pytest

from evidence_toys import write_own_tracks
from tfimpute_tracks.dataset import write_dataset
from toys import make_dataset, write_model


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run_examples(module, names):
    """Run the examples of a module, or of some of its names."""
    module = importlib.import_module(f"tfimpute_tracks.api.{module}")
    runner = doctest.DocTestRunner()
    for name in names:
        for test in doctest.DocTestFinder().find(getattr(module, name), name):
            runner.run(test)
    assert runner.tries >= len(names)
    assert not runner.failures


def test_examples_of_stores_run(run):
    region = "chr20:48,590,001-48,600,000"
    run("impute", "--cell", "K562", "-r", region, "--workers", 1, "-y", "-o", "store")
    run_examples("store", ["Store", "open_store"])


def test_examples_of_evidence_run(tmp_path):
    (tmp_path / "ctcf.bed").write_text("chr20\t48599500\t48599700\n")
    (tmp_path / "pairs.tsv").write_text(
        "tf\tcell\tbed\trole\nCTCF\tK562\tctcf.bed\tbase\n"
    )
    run_examples("evidence", ["build_evidence", "open_evidence"])


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("bulk", "impute_pairs"),
        ("mutagenesis", "mutate_region"),
        ("variant_files", "write_effects"),
    ],
)
def test_examples_of_verbs_run(module, name):
    run_examples(module, [name])


@pytest.mark.slow
def test_examples_of_learning_run(tmp_path):
    write_dataset(tmp_path / "data.h5", make_dataset())
    write_model(tmp_path / "toy.safetensors")
    run_examples("learning", ["train", "evaluate", "embeddings"])


@pytest.mark.slow
def test_example_of_extending_runs(tmp_path):
    write_own_tracks(tmp_path, np.random.default_rng(0))
    run_examples("learning", ["extend"])
