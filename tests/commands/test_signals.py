"""`--signal`, `--bin-size`, `--max-zooms` of `scan` and `export`, as a user types."""

import json

import pybigtools
import pytest

from toys import CALIBRATED, random_letters, write_fasta, write_model


@pytest.fixture
def toy(tmp_path, rng):
    measured = {"tf": "CTCF", "cell": "K562", "role": "base", "trained": True}
    letters = {"chr1": random_letters(rng, 3000), "chr20": random_letters(rng, 2000)}
    return [
        "-m",
        write_model(tmp_path / "toy.safetensors", card={"pairs": [measured]}),
        "-g",
        write_fasta(tmp_path / "toy.fa", letters),
    ]


@pytest.fixture
def store(run, toy, tmp_path):
    def make(*options):
        folder = tmp_path / "store"
        code, _, err = run("impute", *options, *toy, "-o", folder, "--workers", 1)
        assert code == 0, err
        return folder

    return make


def test_scan_writes_signals_in_one_folder(run, toy, tmp_path):
    scan = ["scan", "--tf", "CTCF", "--cell", "K562", "-o", tmp_path / "o", *toy]
    assert run(*scan)[0] == 0
    for signal in ("score", "log-odds", "specificity"):
        code, out, err = run(
            *scan, "--signal", signal, "--bin-size", 40, "--max-zooms", 0
        )
        assert code == 0, err
        files = out.splitlines()[-1].split()
        assert [f.rsplit("CTCF.K562.")[1] for f in files] == [
            f"{signal}.bw",
            f"{signal}.receipt.json",
        ]
        with pybigtools.open(files[0]) as file:
            assert file.zooms() == []
            assert {e - s for s, e, _ in file.records("chr1")} <= {20, 40}
    assert (tmp_path / "o" / "CTCF.K562.bw").exists()


def test_scores_of_a_model_without_a_calibration_are_reported_once(run, toy, tmp_path):
    scan = ["scan", "--tf", "CTCF", "--cell", "K562", "-o", tmp_path / "o", *toy]
    code, _, err = run(*scan)
    assert code == 0
    assert err.count("the card of toy has no calibration: its probabilities") == 1
    write_model(tmp_path / "toy.safetensors", card=CALIBRATED)
    code, _, err = run(*scan)
    assert code == 0
    assert "has no calibration" not in err


WRONG = [
    (["--signal", "odds"], "'odds' is not one of"),
    (["--signal", "calibrated"], "'calibrated' is not one of"),
    (["--bin-size", 30], "--bin-size 30: a bin holds whole tiles"),
    (["--bin-size", 0], "'--bin-size'"),
    (["--max-zooms", 11], "'--max-zooms'"),
    (["--max-zooms", -1], "'--max-zooms'"),
]


@pytest.mark.parametrize(("typed", "said"), WRONG)
def test_wrong_values_are_one_line_and_exit_code_2(
    run, toy, store, tmp_path, typed, said
):
    scan = ["scan", "--pairs", "CTCF:K562", "--dry-run", *toy]
    export = ["export", store("--pairs", "CTCF:K562"), "--all"]
    for command in (scan, export):
        code, _, err = run(*command, "-o", tmp_path / "o", *typed)
        assert code == 2
        assert said in err
        assert sum(line.startswith("error: ") for line in err.splitlines()) == 1
    assert not (tmp_path / "o").exists()


def test_export_reports_what_its_specificity_is_relative_to(run, store, tmp_path):
    folder = store("--missing")
    export = ["export", folder, "-o", tmp_path / "e", "--signal", "specificity"]
    code, _, err = run("-q", *export, "--pairs", "CTCF:HepG2;MAX:K562")
    assert code == 0, err
    assert "warning: " in err
    assert "does not contain all 4 cell lines of each TF, but of CTCF 3: " in err
    receipt = tmp_path / "e" / "CTCF.HepG2.specificity.receipt.json"
    assert json.loads(receipt.read_text())["record"]["mean_over_cells"] == 3
    code, _, err = run("-q", *export, "--pairs", "MAX:K562")
    assert code == 0
    assert "may have more than the 4 cell lines of the store" in err
    assert "does not contain all" not in err


def test_export_of_the_shipped_weights_knows_their_cell_lines(run, tmp_path):
    folder = tmp_path / "store"
    region = ["-r", "chr20:48000001-48001000"]
    pairs = "CTCF:K562;CTCF:HepG2"
    impute = ["impute", "--pairs", pairs, "-o", folder, *region, "--workers", 1]
    assert run(*impute)[0] == 0
    export = ["export", folder, "--all", "-o", tmp_path / "e"]
    code, _, err = run(*export, "--signal", "specificity")
    assert code == 0, err
    assert "does not contain all 91 cell lines of each TF, but of CTCF 2: " in err
    assert "warning" not in run(*export, "--signal", "log-odds")[2]


def test_what_does_not_go_together_is_refused(run, store, tmp_path):
    folder = store("--tf", "CTCF", "--sparse")
    export = ["export", folder, "--all", "-o", tmp_path / "e"]
    code, _, err = run(*export, "--signal", "log-odds")
    assert (code, "use a store made without --sparse" in err) == (2, True)
    code, _, err = run(*export, "--signal", "specificity", "--format", "bigwig,bed")
    assert (code, "--format bed with --signal specificity" in err) == (2, True)
    assert not (tmp_path / "e").exists()
