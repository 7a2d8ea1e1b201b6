"""`mutagenesis` from the command line."""

import csv
import json

import pytest

from toys import random_letters, write_fasta, write_model


@pytest.fixture
def toy(tmp_path, rng):
    letters = random_letters(rng, 3000)
    letters = letters[:1500] + "N" * 200 + letters[1700:]
    write_fasta(tmp_path / "toy.fa", {"chr1": letters})
    model = write_model(tmp_path / "toy.safetensors")
    options = ["-g", tmp_path / "toy.fa", "-m", model, "-p", 1, "-o", tmp_path / "out"]
    return options, letters, tmp_path / "out"


def test_every_substitution_of_a_region_is_written(toy, run):
    options, letters, folder = toy
    code, out, err = run(
        "mutagenesis", "-r", "1:1,001-1,020", "--tf", "max", "--cell", "K562", *options
    )
    assert code == 0, err
    assert "skipped" not in err
    assert "MAX:K562" in out
    names = ["mutagenesis.tsv", "MAX.K562.bw", "MAX.K562.svg"]
    files = [folder / f"chr1-1001-1020.{name}" for name in names]
    assert " ".join(map(str, files)) in out
    assert sorted(folder.iterdir()) == sorted(files)
    with files[0].open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert "".join(row["ref"] for row in rows[::3]) == letters[1000:1020]


def test_what_is_left_out_is_reported(toy, run):
    options, letters, _ = toy
    pairs = ["--pairs", "MAX:K562;CTCF:HepG2"]
    where = ["-r", "chr1:1491-1510"]
    code, out, err = run("mutagenesis", *where, *pairs, *options, "--json")
    assert code == 0
    assert "10 positions skipped: unknown base (N)" in err
    told = json.loads(out)
    assert (told["scored"], told["unknown"], told["without_score"]) == (10, 10, 0)
    assert [entry["pair"] for entry in told["pairs"]] == ["MAX:K562", "CTCF:HepG2"]
    assert len(told["files"]) == 5
    for entry in told["pairs"]:
        place, change = entry["lowest"].split()
        at = int(place.partition(":")[2]) - 1
        assert letters[at] == change[0] != change[2]
        assert entry["lowest_log_odds"] <= entry["highest_log_odds"]
    code, _, err = run("mutagenesis", "-r", "chr1:2996-3000", *pairs, *options)
    assert code == 0
    assert "skipped" not in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-r", "chr9:1-10", "--pairs", "MAX:K562"], "chr9"),
        (["-r", "chr1:2991-3001", "--pairs", "MAX:K562"], "outside"),
        (
            ["-r", "chr1", "--pairs", "MAX:K562"],
            "3,000 bp; use a region of at most 2,000",
        ),
        (["-r", "chr1:5", "--pairs", "MAX:K562"], "not of the form"),
        (["-r", "chr1:1-10", "--tf", "MAX"], "--cell is missing"),
        (["-r", "chr1:1-10", "--tf", "MUX", "--cell", "K562"], "MUX"),
        (["--pairs", "MAX:K562"], "--region"),
        (["-r", "chr1:1-10", "--pairs", "MAX:K562", "-p", "0"], "--threads"),
        (["-r", "chr1:1-10", "--pairs", "MAX:K562", "-m", "gone"], "gone"),
    ],
)
def test_wrong_requests_are_reported_before_any_work(toy, run, arguments, told):
    options, _, folder = toy
    code, _, err = run("mutagenesis", *options, *arguments)
    assert code == 2
    assert told in err
    assert not folder.exists() or not list(folder.iterdir())


def test_many_pairs_are_refused(run, tmp_path):
    from tfimpute_tracks.models import load_model

    cells = load_model("default").cells
    pairs = ";".join(f"CTCF:{cell}" for cell in cells[:41])
    code, _, err = run(
        "mutagenesis", "-r", "chr20:48,807,301-48,807,310", "--pairs", pairs,
        "-o", tmp_path / "out",
    )  # fmt: skip
    assert code == 2
    assert "41 pairs, and each gets a figure; use at most 40" in err


def test_a_region_without_a_score_fails(toy, run):
    options, _, folder = toy
    code, _, err = run(
        "mutagenesis", "-r", "chr1:1,551-1,560", "--pairs", "MAX:K562", *options
    )
    assert code == 2
    assert "no base of chr1:1551-1560 has a score" in err
    assert not list(folder.iterdir())
