"""Examples that read files run in a folder that has them."""

import doctest
import importlib

import numpy as np
import pytest

from evidence_toys import write_own_tracks
from tfimpute_tracks.dataset import write_dataset
from toys import make_dataset, random_letters, write_fasta, write_model


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
    run_examples("catalogue", ["write_catalogue"])
    run_examples("exporting", ["export_tracks"])
    run_examples("hubs", ["make_hub"])
    run_examples("reporting", ["make_report"])


def test_examples_of_evidence_run(tmp_path):
    (tmp_path / "ctcf.bed").write_text("chr20\t48599500\t48599700\n")
    (tmp_path / "pairs.tsv").write_text(
        "tf\tcell\tbed\trole\nCTCF\tK562\tctcf.bed\tbase\n"
    )
    run_examples("evidence", ["build_evidence", "open_evidence"])
    (tmp_path / "downloaded").mkdir()
    (tmp_path / "ctcf.bed").rename(tmp_path / "downloaded" / "CTCF.K562.bed")
    run_examples("evidence_files", ["collect_evidence"])
    (tmp_path / "up.sizes").write_text("chr20\t63025530\n")
    (tmp_path / "up.chain").write_text(
        "chain 1 chr20 63025520 + 0 63025520 chr20 63025530 + 10 63025530 1\n63025520\n"
    )
    run_examples("evidence_lift", ["lift_evidence_file"])


def test_example_of_preparing_runs(tmp_path, rng):
    write_fasta(tmp_path / "genome.fa", {"chr1": random_letters(rng, 9000)})
    (tmp_path / "pairs.tsv").write_text(
        "tf\tcell\trole\tbed\nMAX\tK562\tbase\tmax.bed\n"
    )
    (tmp_path / "max.bed").write_text("chr1\t2000\t2200\n")
    sites = ("2000\t2200", "4000\t4200", "6000\t6200")
    text = "".join(f"chr1\t{site}\n" for site in sites)
    (tmp_path / "sites.bed").write_text(text)
    run_examples("preparing", ["prepare_data"])


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("bulk", "impute_pairs"),
        ("explaining", "explain_regions"),
        ("mutagenesis", "mutate_region"),
        ("plotting", "plot_region"),
        ("scan_files", "scan_to_files"),
        ("variant_files", "write_effects"),
    ],
)
def test_examples_of_verbs_run(module, name):
    run_examples(module, [name])


def test_example_of_splitting_runs(tmp_path):
    pairs = ("CTCF\tK562", "CTCF\tHepG2", "MAX\tK562", "MAX\tHepG2")
    rows = [f"{pair}\t{i}.bed" for i, pair in enumerate(pairs)]
    (tmp_path / "all-pairs.tsv").write_text("\n".join(["tf\tcell\tbed", *rows]) + "\n")
    for i in range(len(pairs)):
        (tmp_path / f"{i}.bed").write_text(f"chr20\t{i}000\t{i}200\n")
    run_examples("splitting", ["split_table"])


def test_example_of_elements_runs(tmp_path):
    starts = range(48_590_000, 48_610_000, 5000)
    rows = [f"chr20\t{start}\t{start + 200}\n" for start in starts]
    (tmp_path / "elements.bed").write_text("".join(rows))
    run_examples("enhancers", ["compare_elements"])


@pytest.mark.slow
def test_examples_of_learning_run(tmp_path):
    write_dataset(tmp_path / "data.h5", make_dataset())
    write_model(tmp_path / "toy.safetensors")
    run_examples("learning", ["train", "evaluate", "embeddings"])
    run_examples("comparing", ["compare_predictors"])


@pytest.mark.slow
def test_example_of_extending_runs(tmp_path):
    write_own_tracks(tmp_path, np.random.default_rng(0))
    run_examples("learning", ["extend"])
