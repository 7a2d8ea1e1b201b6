"""Examples that read files run in a folder that has them."""

import doctest
import importlib

import numpy as np
import pytest

from evidence_toys import draw_network, draw_store, draw_weights
from tfimpute_tracks.dataset import write_dataset
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.evidence_weights import (
    evidence_path,
    write_evidence_weights,
)
from toys import AROUND, make_dataset, random_letters, write_fasta, write_model

SIZES = {"chr1": 150_000, "chr20": 60_000}


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


@pytest.mark.slow
def test_examples_of_learning_run(tmp_path):
    write_dataset(tmp_path / "data.h5", make_dataset())
    write_model(tmp_path / "toy.safetensors")
    run_examples("learning", ["train", "evaluate", "embeddings"])


@pytest.mark.slow
def test_example_of_extending_runs(tmp_path):
    rng = np.random.default_rng(0)
    genome = {name: random_letters(rng, size) for name, size in SIZES.items()}
    write_fasta(tmp_path / "g.fa", genome)
    card = {"hold_out": {"scheme": "chromosomes", "test": ["chr20"], "valid": []}}
    model = write_model(tmp_path / "toy.safetensors", config=AROUND, card=card)
    weights = draw_weights(draw_network(), load_model(model).checkpoint.digest)
    write_evidence_weights(evidence_path(model), weights)
    draw_store(tmp_path / "e.h5", rng, n_peaks=300, sizes=SIZES)
    for name, step in (("tf", 1200), ("cell", 1000)):
        rows = [
            f"{chrom}\t{start}\t{start + 150}\n"
            for chrom, size in SIZES.items()
            for start in range(2 * step - 700, size - 500, step)
        ]
        (tmp_path / f"{name}.bed").write_text("".join(rows))
    (tmp_path / "mine.tsv").write_text("tf\tcell\tbed\nMYTF\tK562\ttf.bed\n")
    (tmp_path / "open.tsv").write_text("cell\tbed\nMYCELL\tcell.bed\n")
    run_examples("learning", ["extend"])
