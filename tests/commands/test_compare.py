"""`compare` from files to files, and every wrong request in a line."""

import json

import pandas as pd
import pytest

from tfimpute_tracks.comparison.predictors.motif import MotifPredictor
from tfimpute_tracks.dataset import write_dataset
from toys import make_dataset, write_model


@pytest.fixture
def inputs(tmp_path):
    write_dataset(tmp_path / "data.h5", make_dataset(900))
    write_model(tmp_path / "toy.safetensors")
    return tmp_path


def _arguments(folder, *more):
    return (
        *("compare", "--data", folder / "data.h5", "-m", folder / "toy.safetensors"),
        *("-o", folder / "out", "-p", "1", *more),
    )


def test_a_table_a_report_and_metrics_are_written(inputs, run):
    (inputs / "calls.bed").write_text("chr20\t40000\t60000\n")
    (inputs / "tool.tsv").write_text("tf\tcell\tfile\nMAX\tHepG2\tcalls.bed\n")
    arguments = _arguments(
        *(inputs, "--predictors", "model,tf-mean,average-activity,motif"),
        *("--external", f"tool={inputs / 'tool.tsv'}", "--pair-set", "test3,valid2"),
    )
    code, out, err = run(*arguments)
    assert code == 0, err
    assert "EP300" in err
    assert "JASPAR has no matrix" in err
    folder = inputs / "out"
    assert out.splitlines()[-1].split()[0] == str(folder / "metrics.json")
    metrics = json.loads((folder / "metrics.json").read_text())
    rows = {row["predictor"]: row for row in metrics["predictors"]}
    assert list(rows) == [
        *("model", "tf-mean", "average-activity", "motif", "tool", "tool-covered"),
    ]
    assert rows["motif"]["pairs"] == rows["motif"]["shared_pairs"] == 2
    assert rows["average-activity"]["auroc"] > 0.9
    assert rows["tool"]["pairs"] == 1
    table = pd.read_csv(folder / "per_pair.tsv", sep="\t")
    assert len(table) == 6 * 3
    own = table[table["predictor"] == "tf-mean"]
    assert rows["tf-mean"]["auroc"] == pytest.approx(own["auroc"].mean(), abs=1e-5)
    page = (folder / "report.html").read_text()
    assert "average-activity" in page
    assert "NaN" not in page
    # Run again: nothing is computed again.
    code, _, err = run(*arguments)
    assert code == 0
    assert err.count("scores of an earlier run") == 6


def test_one_that_fails_is_reported_at_the_end(inputs, run, monkeypatch):
    def fail(self, task):
        raise OSError("the matrices are gone")

    with monkeypatch.context() as patch:
        patch.setattr(MotifPredictor, "fit", fail)
        code, _, err = run(*_arguments(inputs, "--predictors", "motif,tf-mean"))
    assert code == 1
    assert "motif failed: the matrices are gone" in err.splitlines()[-1]
    metrics = json.loads((inputs / "out" / "metrics.json").read_text())
    assert [row["predictor"] for row in metrics["predictors"]] == ["tf-mean"]
    assert metrics["failed"] == {"motif": "the matrices are gone"}
    code, _, err = run(*_arguments(inputs, "--predictors", "motif,tf-mean"))
    assert code == 0
    assert "tf-mean: scores of an earlier run" in err


def test_json_and_a_sample_of_sites(inputs, run):
    code, out, _ = run(
        *_arguments(inputs, "--predictors", "model", "--max-sites", 200, "--json")
    )
    assert code == 0
    assert json.loads(out)["sites"] == 200


def test_sites_by_chance_are_reported_and_a_model_that_saw_them_too(inputs, run):
    wishes = ("--hold-out", "random", "--seed", 2, "--predictors", "model,tf-mean")
    code, out, err = run(*_arguments(inputs, *wishes))
    assert code == 0, err
    metrics = json.loads((inputs / "out" / "metrics.json").read_text())
    assert metrics["hold_out"]["scheme"] == "random"
    assert (metrics["sites"], metrics["training_sites"]) == (90, 765)
    assert "90 sites of the test part of a random split (10% test" in " ".join(
        out.split()
    )
    # The toy's card is silent: it is taken for one that was kept from chromosomes.
    assert "toy was trained on" in " ".join(err.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--predictors", "svm"), "unknown predictor 'svm'"),
        (("--predictors", ","), "no predictor"),
        (("--predictors", "motif,motif"), "duplicate predictors"),
        (("-m", "nobody"), "unknown model 'nobody'"),
        (("--external", "x"), "write NAME=TABLE.tsv"),
        (
            ("--external", "x=absent.tsv"),
            "absent.tsv: cannot read the table of --external x",
        ),
        (("--pair-set", "test9"), "unknown role 'test9'"),
        (("--roles", "nobody"), "unknown role 'nobody'"),
        (("--training-sequences", "1"), "--training-sequences"),
        (("--max-sites", "-1"), "--max-sites"),
        (("--seed", "-1"), "--seed"),
        (("--test-chroms", "chr9"), "no site of the data set is on chr9"),
        (("--valid-chroms", "chr20"), "overlap; put"),
        (("--hold-out", "x"), "--hold-out"),
        (("--hold-out", "alternating-peaks"), "the data set has no folds"),
        (("--threads", "none"), "--threads 'none'"),
        (("--device", "abacus"), "abacus"),
        (("--data", "absent.h5"), "absent.h5: no such file"),
    ],
)
def test_wrong_requests_end_with_two_and_a_line(inputs, run, arguments, message):
    code, _, err = run(*_arguments(inputs, *arguments))
    assert code == 2
    *warnings, last = err.splitlines()
    assert message in last
    assert last.startswith("error: ")
    # The toy model was trained without pairs held out.
    assert all("has no calibration" in line for line in warnings)
