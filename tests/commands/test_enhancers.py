"""`enhancers` from the command line."""

import csv
import json

import numpy as np
import pytest

from tfimpute_tracks.models import load_model
from toys import random_letters, write_fasta, write_model

CELLS = ["GM12878", "HepG2", "H1-hESC", "K562"]
FILES = ["scores.tsv", "signature.tsv", "loadings.tsv", "components.tsv"]
COMPARED = ["cells.tsv", "regression.tsv", "skipped.tsv", "extremes.svg"]


@pytest.fixture
def toy(tmp_path, rng):
    """Options; a BED of 40 elements of one tile each; and its genome's letters."""
    letters = random_letters(rng, 3000)
    letters = letters[:2800] + "N" * 200
    write_fasta(tmp_path / "toy.fa", {"chr1": letters})
    write_model(tmp_path / "toy.safetensors", seed=5)
    rows = [f"chr1\t{70 * i}\t{70 * i + 60}\te{i}" for i in range(40)]
    (tmp_path / "e.bed").write_text("\n".join([*rows, ""]))
    options = ["-m", tmp_path / "toy.safetensors", "-p", 1, "-o", tmp_path / "out"]
    return [*options, "-g", tmp_path / "toy.fa"], letters, tmp_path


def _rows(path):
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _table(path, activities):
    lines = ["name\tactivity", *(f"{n}\t{a}" for n, a in activities.items())]
    path.write_text("\n".join([*lines, ""]))
    return path


def _truth(folder, letters, cell="K562"):
    """Give log-odds of the toy's elements by the plain network."""
    model = load_model(folder / "toy.safetensors")
    tiles = [letters[70 * i : 70 * i + 60] for i in range(40)]
    p = model.predict(tiles, [(tf, cell) for tf in model.tfs]).astype(float)
    return np.log(p / (1 - p))


def test_a_signature_is_written_without_activities(toy, run):
    options, letters, folder = toy
    code, out, err = run("enhancers", folder / "e.bed", "--cell", "k562", *options)
    assert code == 0, err
    assert "40 elements scored, 0 skipped; the first component explains" in out
    files = [folder / "out" / f"e.{name}" for name in [*FILES, "skipped.tsv"]]
    assert sorted((folder / "out").iterdir()) == sorted(files)
    assert out.splitlines()[-1] == " ".join(map(str, files))
    scores = _rows(files[0])
    assert list(scores[0]) == ["name", "CTCF", "EP300", "MAX"]
    assert [row.pop("name") for row in scores] == [f"e{i}" for i in range(40)]
    written = np.array([[float(x) for x in row.values()] for row in scores])
    truth = _truth(folder, letters)
    np.testing.assert_allclose(written, truth, rtol=1e-3, atol=1e-3)
    signature = _rows(files[1])
    assert list(signature[0])[:6] == [
        *("name", "chrom", "start", "end", "unknown", "mean")
    ]
    first = np.array([float(row["PC1"]) for row in signature])
    loadings = np.array([float(row["PC1"]) for row in _rows(files[2])])
    assert loadings.sum() > 0
    np.testing.assert_allclose(first, (truth - truth.mean(0)) @ loadings, atol=0.01)
    shares = [float(row["variance_explained"]) for row in _rows(files[3])]
    assert len(shares) == 3
    assert sum(shares) == pytest.approx(1, abs=1e-4)
    assert shares == sorted(shares, reverse=True)


def test_activity_that_a_cell_line_makes_is_found_in_it(toy, run, rng):
    options, letters, folder = toy
    truth = _truth(folder, letters)
    centered = truth - truth.mean(axis=0)
    first = centered @ np.linalg.svd(centered)[2][0]
    first *= np.sign(np.corrcoef(first, truth.mean(axis=1))[0, 1])
    noise = rng.normal(0, 0.1 * first.std(), 40)
    of = {f"e{i}": value for i, value in enumerate(first + noise) if i > 1}
    table = _table(folder / "a.tsv", {**of, "e1": "NA", "other": 3})
    asked = "enhancers", folder / "e.bed", "--cell", "K562", "--activities", table
    code, out, err = run(*asked, *options)
    assert code == 0, err
    assert "2 not compared: no activity" in err
    assert "1 not compared: no such element" in err
    assert "K562 ranks 1 by t" in out
    files = {path.name for path in (folder / "out").iterdir()}
    assert files == {f"e.{name}" for name in [*FILES, *COMPARED, "activity.svg"]}
    rows = {row["cell"]: row for row in _rows(folder / "out" / "e.cells.tsv")}
    assert list(rows) == ["K562", *(cell for cell in CELLS if cell != "K562")]
    assert [row["role"] for row in rows.values()] == ["matched", *["control"] * 3]
    own = rows["K562"]
    assert (own["elements"], own["extremes"]) == ("38", "12")
    assert float(own["spearman"]) > 0.9
    assert float(own["cv_r2"]) > 0.9
    assert float(own["t_p"]) < 1e-6
    assert float(own["auc"]) == 1
    skipped = _rows(folder / "out" / "e.skipped.tsv")
    assert {(row["name"], row["reason"]) for row in skipped} == {
        ("e0", "no activity"),
        ("e1", "no activity"),
        ("other", "no such element"),
    }
    extreme = [row["extreme"] for row in _rows(folder / "out" / "e.signature.tsv")]
    assert (extreme.count("top"), extreme.count("bottom")) == (12, 12)

    code, out, _ = run(*asked, *options, "--json", "--n-extremes", 5, "--seed", 3)
    assert code == 0
    summary = json.loads(out)
    assert (summary["scored"], summary["extremes"]) == (40, 5)
    assert summary["not_compared"] == {"no activity": 2, "no such element": 1}
    assert summary["cells"][0]["cell"] == "K562"
    assert summary["ranks"]["t"] == 1
    assert len(summary["files"]) == 9


def test_controls_are_those_that_are_named(toy, run):
    options, _, folder = toy
    table = _table(folder / "a.tsv", {f"e{i}": i * i for i in range(40)})
    asked = "enhancers", folder / "e.bed", "--cell", "K562", "--activities", table
    for named, cells in (
        ("none", ["K562"]),
        ("hepg2, gm12878", ["K562", "HepG2", "GM12878"]),
    ):
        code, _, err = run(*asked, *options, "--control-cells", named)
        assert code == 0, err
        found = [row["cell"] for row in _rows(folder / "out" / "e.cells.tsv")]
        assert found == cells


def test_what_cannot_be_scored_is_counted(toy, run):
    options, _, folder = toy
    more = "chr9\t5\t50\tx\nchr1\t2900\t2950\tgap\nchr1\t2770\t2800\tend\n"
    bed = folder / "more.bed"
    bed.write_text((folder / "e.bed").read_text() + more)
    code, out, err = run("enhancers", bed, "--cell", "K562", *options, "--mask-flanks")
    assert code == 0, err
    assert "1 not scored: unknown chromosome" in err
    # 30 letters are half of a tile, 29 are not.
    assert "1 not scored: unknown sequence" in err
    assert "41 elements scored, 2 skipped" in out
    bed.write_text(bed.read_text().replace("2770", "2771"))
    code, out, err = run("enhancers", bed, "--cell", "K562", *options, "--mask-flanks")
    assert "1 not scored: too few known bases" in err
    assert "40 elements scored, 3 skipped" in out
    rows = _rows(folder / "out" / "more.skipped.tsv")
    assert [row["name"] for row in rows] == ["x", "gap", "end"]


def test_a_fasta_gives_probabilities_in_parquet(toy, run):
    import pandas as pd

    options, letters, folder = toy
    text = "".join(f">s{i}\n{letters[60 * i : 60 * i + 60]}\n" for i in range(12))
    (folder / "s.fa").write_text(text)
    asked = [
        "enhancers",
        folder / "s.fa",
        "--cell",
        "K562",
        "--pca-input",
        "probability",
    ]
    code, _, err = run(*asked, "--format", "parquet", *options[:-2])
    assert code == 0, err
    scores = pd.read_parquet(folder / "out" / "s.scores.parquet")
    model = load_model(folder / "toy.safetensors")
    tiles = [letters[60 * i : 60 * i + 60] for i in range(12)]
    truth = model.predict(tiles, [(tf, "K562") for tf in model.tfs])
    np.testing.assert_allclose(scores[list(model.tfs)], truth, rtol=1e-3, atol=1e-5)
    code, _, err = run(*asked, *options)
    assert code == 2
    assert "contains sequences" in err


def test_too_little_is_reported_and_why(toy, run):
    options, _, folder = toy
    bed = folder / "few.bed"
    bed.write_text("chr1\t0\t60\na\t0\t60\nchr1\t70\t130\n")
    code, _, err = run("enhancers", bed, "--cell", "K562", *options)
    assert code == 1
    assert "2 elements can be scored, 1 cannot (unknown chromosome)" in err
    assert len(_rows(folder / "out" / "few.skipped.tsv")) == 1
    bed.write_text("chr1\t0\t20\nchr1\t70\t90\nchr1\t140\t160\n")
    code, _, err = run("enhancers", bed, "--cell", "K562", *options, "--mask-flanks")
    assert code == 1
    assert "0 elements can be scored, 3 cannot (too few known bases)" in err
    assert len(_rows(folder / "out" / "few.skipped.tsv")) == 3
    bed.write_text("".join(f"chr1\t{60 + i}\t120\tx{i}\n" for i in (0, 0, 0)))
    code, _, err = run("enhancers", bed, "--cell", "K562", *options)
    assert code == 1
    assert "1 element can be scored, 2 cannot (duplicate interval)" in err
    bed.write_text("".join(f"chr1\t60\t120\tx{i}\n" for i in range(4)))
    code, _, err = run("enhancers", bed, "--cell", "K562", *options)
    assert code == 1
    assert "4 elements with 1 different score cannot have components" in err


@pytest.mark.parametrize(
    ("activities", "message"),
    [
        ({f"e{i}": i for i in range(9)}, "9 of 40 elements have an activity"),
        ({f"e{i}": 1 for i in range(20)}, "1 different value;"),
        ({"nobody": 1}, "no name in it is that of an element"),
        ({"e1": "much"}, "is not a number"),
    ],
)
def test_activities_that_cannot_be_compared_are_refused(toy, run, activities, message):
    options, _, folder = toy
    table = _table(folder / "a.tsv", activities)
    asked = "enhancers", folder / "e.bed", "--cell", "K562", "--activities", table
    code, _, err = run(*asked, *options)
    assert code == 2
    assert message in err
    assert not (folder / "out" / "e.scores.tsv").exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([], "--cell is missing"),
        (["--cell", "K563"], "did you mean K562"),
        (["--cell", "K562", "--control-cells", "HepG2"], "use --activities"),
        (["--cell", "K562", "--n-extremes", 1], "--n-extremes"),
        (["--cell", "K562", "--components", 0], "--components"),
        (["--cell", "K562", "--pca-input", "rank"], "--pca-input"),
        (["--cell", "K562", "--format", "xls"], "--format"),
        (["--cell", "K562", "--activities", "gone.tsv"], "gone.tsv"),
        (["--cell", "K562", "--threads", "none"], "--threads"),
        (["--cell", "K562", "--model", "gone"], "unknown model"),
    ],
)
def test_wrong_options_are_reported_before_any_work(toy, run, wrong, message):
    options, _, folder = toy
    code, _, err = run("enhancers", folder / "e.bed", *options, *wrong)
    assert code == 2
    assert message in err
    assert not (folder / "out" / "e.scores.tsv").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read the BED or FASTA"),
        (b"", "is empty; use a BED file"),
        (b"chr1\t9\t5\n", ":1: start 9 is after end 5"),
        (b"\x00\x01\x02BAM\n", "not a text file"),
        (b"chr1\t5\t9\tone\nchr1\t5\t9\n", ":2: has 3 of 4 columns"),
        (b"\x1f\x8b\x08\x00cut", "cut short or damaged"),
    ],
)
def test_what_holds_no_elements_is_refused(toy, run, content, message):
    options, _, folder = toy
    path = folder / "bad.bed"
    if content is not None:
        path.write_bytes(content)
    code, _, err = run("enhancers", path, "--cell", "K562", *options)
    assert code == 2
    assert message in err
    assert not (folder / "out").exists()
