"""`extend`: own tracks and a genome in, a model that knows their names out."""

import json
from dataclasses import replace

import numpy as np
import pytest

from evidence_toys import write_own_tracks
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.evidence_weights import (
    evidence_path,
    read_evidence_weights,
    write_evidence_weights,
)
from tfimpute_tracks.models.expectation import to_scale
from tfimpute_tracks.training.extend_card import _EXCESS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A genome, a model with evidence weights, and tracks of a new TF and a new cell."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_own_tracks(tmp_path, np.random.default_rng(0))
    return tmp_path


COMMAND = (
    *("extend", "-g", "g.fa", "-m", "toy.safetensors", "-e", "e.h5", "-p", 1),
    *("-o", "mine.safetensors"),
)


def test_a_new_tf_and_a_new_cell_line_serve_a_scan(folder, run):
    both = "--pairs-table", "mine.tsv", "--accessibility", "open.tsv"
    code, out, err = run(*COMMAND, *both, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["tfs"] == ["MYTF"]
    assert found["cells"] == ["MYCELL"]
    assert found["similar"][0]["cell"] == "MYCELL"
    assert [row["number"] for row in found["accuracy"]] == [1, 4, 4]
    assert found["files"][0] == "mine.safetensors"
    assert not list(folder.glob(".mine*"))
    scan = ("scan", "-g", "g.fa", "-e", "e.h5", "--format", "bedgraph", "--no-cache")
    before = run(*scan, "-m", "toy.safetensors", "--pairs", "MAX:HepG2", "-o", "a")
    assert before[0] == 0, before[2]
    names = "MAX:HepG2;MYTF:GM12878;CTCF:MYCELL;MYTF:MYCELL"
    after = run(*scan, "-m", "mine.safetensors", "--pairs", names, "-o", "b")
    assert after[0] == 0, after[2]
    old, new = (folder / d / "MAX.HepG2.bedGraph" for d in ("a", "b"))
    assert old.read_bytes() == new.read_bytes()
    assert (folder / "b" / "MYTF.MYCELL.bedGraph").stat().st_size > 100
    model = load_model("mine.safetensors", folder / "e.h5")
    assert model.status(model.vocabulary.pair("mytf:k562")) == "measured"
    assert 0 < model.threshold(model.vocabulary.pair("MYTF:MYCELL")) < 1
    assert run("info", "pairs", "-m", "mine.safetensors", "--tf", "MYTF")[0] == 0


def _expect(folder, scale="linear", mean=0.5):
    """Let the model's card say what to expect of a pair."""
    path = evidence_path(folder / "toy.safetensors")
    weights = read_evidence_weights(path)
    names = "tf_data_sets", "sequence_expected"
    section = {
        "scale": scale,
        "margin": 0.1,
        "n_pairs": 12,
        "mean": mean,
        "weights": dict(zip(names, (0.1, 0.0), strict=True)),
        "center": dict.fromkeys(names, 0.0),
        "spread": dict.fromkeys(names, 1.0),
        "check": {},
        "rows": dict.fromkeys(weights.vocabulary.tfs, "610 620 630 640"),
    }
    metrics = "auroc", "average_precision"
    trained = {"tf": "MAX", "cell": "K562", "trained": True}
    trained |= {f"test_{metric}": 0.62 for metric in metrics}
    card = {"pairs": [trained], "expected": dict.fromkeys(metrics, section)}
    write_evidence_weights(path, replace(weights, card=card))


def test_what_to_expect_of_new_pairs_counts_their_own_tracks(folder, run):
    """The card's regression adds 0.1 for each log(1 + other cell lines of the TF)."""
    _expect(folder)
    both = "--pairs-table", "mine.tsv", "--accessibility", "open.tsv"
    code, _, err = run(*COMMAND, *both)
    assert code == 0, err
    model = load_model("mine.safetensors", folder / "e.h5")
    expected = {
        name: model.expected(model.vocabulary.pair(name))
        for name in ("MYTF:HepG2", "CTCF:MYCELL", "CTCF:K562")
    }
    with_one_track = round(0.5 + 0.1 * np.log(2), 3)
    assert list(expected.values()) == [with_one_track, 0.5, 0.64]


@pytest.mark.parametrize("scale", ["error", "odds"])
def test_new_names_are_expected_to_be_predicted_less_well(folder, run, scale):
    _expect(folder, scale, mean=2)
    both = "--pairs-table", "mine.tsv", "--accessibility", "open.tsv"
    code, _, err = run(*COMMAND, *both)
    assert code == 0, err
    model = load_model("mine.safetensors", folder / "e.h5")
    pairs = [
        model.vocabulary.pair(name)
        for name in ("MYTF:HepG2", "CTCF:MYCELL", "MYTF:MYCELL", "CTCF:K562")
    ]
    found = to_scale(np.array([model.expected(pair) for pair in pairs]), scale)
    one_track = 2 + 0.1 * np.log(2)
    of_tf, _, of_open_cell = _EXCESS[scale]
    usual = [one_track, 2, one_track, to_scale(np.array(0.64), scale)]
    lower = np.array([of_tf, of_open_cell, of_tf + of_open_cell, 0])
    np.testing.assert_allclose(found, usual - lower, atol=0.005)
    assert of_tf + of_open_cell > 0


def test_a_cell_type_is_added_for_one_run(folder, run):
    _expect(folder)
    scan = ("scan", "-g", "g.fa", "-m", "toy.safetensors", "-e", "e.h5", "--no-cache")
    own = ("--cell-accessibility", "cell.bed", "--cell-name", "MYCELL")
    code, out, err = run(*scan, *own, "--tf", "CTCF", "-o", "a", "--format", "bed")
    assert code == 0, err
    assert "MYCELL is most like that of K562" in err
    assert "CTCF.MYCELL.narrowPeak" in out
    again = run(*scan, *own, "--tf", "MAX", "-o", "a", "--format", "bed")
    assert again[0] == 0
    says = [line for line in err.splitlines() if "MYCELL" in line and "toy" not in line]
    assert len(says) == 2
    assert set(says) <= set(again[2].splitlines())
    assert "to fit what is new" in err
    assert "to fit what is new" not in again[2]  # made once
    record = next(folder.glob("cache/**/record.json"))
    record.unlink()  # as of a run that was killed
    for damaged in ("", "{}"):
        code, _, err = run(*scan, *own, "--tf", "MAX", "-o", "a", "--format", "bed")
        assert code == 0
        assert "to fit what is new" in err
        record.write_text(damaged)
    without = run("scan", "-g", "g.fa", "-e", "none", *own, "--tf", "CTCF", "-o", "a")
    assert (without[0], "leave out --evidence none" in without[2]) == (2, True)
    known = run(*scan, *own[:2], "--cell-name", "k-562", "--tf", "CTCF", "-o", "a")
    assert (known[0], "use --cell K562, or" in known[2]) == (2, True)
    code, _, err = run(*scan, *own[:2], "--tf", "CTCF", "-o", "a")
    assert (code, "--cell-name is missing" in err) == (2, True)
    code, _, err = run(*scan, *own[2:], "--tf", "CTCF", "-o", "a")
    assert (code, "--cell-accessibility is missing" in err) == (2, True)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("CTCF\tk-562\ttf.bed", "another name of K562"),
        ("MYTF\tMAX\ttf.bed", "columns tf and cell swapped"),
        ("CTCF\tK562\ttf.bed", "knows all of CTCF:K562"),
        ("MYTF\tK562\tfew.bed", "4 peaks of MYTF:K562"),
        ("MYTF\tK562\tother.bed", "its chromosomes (chrUn) are none of the genome's"),
        ("MYTF\tK562\tlong.bed", "extends beyond chr1"),
        ("MY/TF\tK562\ttf.bed", "cannot be part of a file name"),
    ],
)
def test_what_cannot_be_added_is_named(folder, run, table, says):
    rows = [f"chr1\t{i}\t{i + 9}\n" for i in (100, 300, 500, 700)]
    (folder / "few.bed").write_text("".join(rows))
    (folder / "other.bed").write_text("chrUn\t5\t90\n")
    (folder / "long.bed").write_text("chr1\t5\t900000\n")
    (folder / "mine.tsv").write_text(f"tf\tcell\tbed\n{table}\n")
    code, _, err = run(*COMMAND, "--pairs-table", "mine.tsv")
    assert code == 2
    assert says in err.splitlines()[-1]
    assert {path.name for path in folder.glob("*mine*")} == {"mine.tsv"}


def test_accessibility_that_covers_the_genome_is_refused(folder, run):
    rows = [f"chr1\t{i}\t{i + 95}\n" for i in range(0, 149_000, 100)]
    (folder / "cell.bed").write_text("".join(rows))
    code, _, err = run(*COMMAND, "--accessibility", "open.tsv")
    assert code == 2
    assert "of the genome" in err
    assert "use called peaks" in err


def test_an_extended_model_is_not_extended_again(folder, run):
    assert run(*COMMAND, "--accessibility", "open.tsv")[0] == 0
    code, _, err = run(*COMMAND, "--accessibility", "open.tsv")
    assert (code, "mine.safetensors exists" in err) == (2, True)
    more = [*COMMAND[:4], "mine.safetensors", *COMMAND[5:-1], "more.safetensors"]
    code, _, err = run(*more, "--pairs-table", "mine.tsv")
    assert code == 2
    assert "mine was extended already, with MYCELL; extend toy" in err
    assert not (folder / "more.safetensors").exists()


def test_what_is_missing_is_asked_for(folder, run):
    assert "nothing to add" in run(*COMMAND)[2]
    code, _, err = run(*COMMAND[:-1], "mine.h5", "--accessibility", "open.tsv")
    assert (code, "does not end in .safetensors" in err) == (2, True)
    without = [*COMMAND[:5], "-e", "none", *COMMAND[7:]]
    code, _, err = run(*without, "--pairs-table", "mine.tsv")
    assert (code, "--candidate-sites" in err) == (2, True)


def test_a_model_is_extended_from_sequence_alone(folder, run):
    without = [*COMMAND[:5], "-e", "none", *COMMAND[7:]]
    sites = "--candidate-sites", "cell.bed"
    code, _, err = run(*without, "--pairs-table", "mine.tsv", *sites)
    assert code == 0, err
    assert load_model("mine.safetensors").vocabulary.tf("mytf") == "MYTF"


@pytest.mark.slow
def test_replicates_of_a_pair_are_merged(folder, run):
    rows = (folder / "tf.bed").read_text().splitlines(keepends=True)
    for number in (0, 1):
        (folder / f"tf{number}.bed").write_text("".join(rows[number::2]))
    table = "tf\tcell\tbed\treplicate\nMYTF\tK562\ttf0.bed\tA\nMYTF\tK562\ttf1.bed\tB\n"
    (folder / "both.tsv").write_text(table)
    for name in ("mine", "both"):
        tables = "--pairs-table", f"{name}.tsv", "--accessibility", "open.tsv"
        command = (*COMMAND, *tables, "--overwrite", "--json")
        code, _, err = run(*command)
        assert code == 0, err
        assert ("MYTF:K562: peaks of 2 files merged" in err) == (name == "both")
        scan = (
            "scan",
            "-g",
            "g.fa",
            "-e",
            "e.h5",
            "--format",
            "bedgraph",
            "--no-cache",
        )
        code, _, err = run(
            *(*scan, "-m", "mine.safetensors", "--pairs", "MYTF:GM12878", "-o", name)
        )
        assert code == 0, err
    one, other = (folder / d / "MYTF.GM12878.bedGraph" for d in ("mine", "both"))
    assert one.read_bytes() == other.read_bytes()
