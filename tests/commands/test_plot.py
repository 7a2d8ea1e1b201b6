"""`plot` draws what `scan` writes, computed or read."""

import json

import pytest

REGION = "chr20:48,790,001-48,815,000"
PAIRS = ["--pairs", "CTCF:K562;CEBPB:HepG2"]


@pytest.fixture
def folder(run, tmp_path):
    place = tmp_path / "tracks"
    code, _, err = run("scan", *PAIRS, "-r", REGION, "-o", place, "--no-cache")
    assert code == 0, err
    return place


def test_computed_and_read_figures_are_of_the_same_peaks(run, folder, tmp_path):
    told = []
    for arguments in ([*PAIRS], [folder], [folder, *PAIRS]):
        out = tmp_path / f"{len(told)}.svg"
        code, text, err = run("plot", *arguments, "-r", REGION, "-o", out, "--json")
        assert code == 0, err
        told.append(json.loads(text)["peaks"])
        assert out.read_text().startswith("<?xml")
    assert told[0] == told[1] == told[2]
    rows = (folder / "CTCF.K562.narrowPeak").read_text().splitlines()[1:]
    spans = [list(map(int, row.split("\t")[1:3])) for row in rows]
    assert told[0]["CTCF:K562"] == spans
    assert spans


@pytest.mark.parametrize("signal", ["log-odds", "specificity"])
def test_other_signals(run, folder, tmp_path, signal):
    out = tmp_path / "a.svg"
    code, _, err = run("plot", *PAIRS, "--signal", signal, "-o", out)
    assert code == 0, err
    assert f">{signal.capitalize()}<" in out.read_text()
    code, _, err = run("plot", folder, "-r", REGION, "--signal", signal, "-o", out)
    assert code == 2
    assert f"no {signal}" in err


def test_peaks_beyond_the_place_are_not_reported(run, folder, tmp_path):
    narrow = "chr20:48,803,001-48,803,100"
    told = []
    for place in (REGION, narrow):
        code, text, _ = run(
            *("plot", folder, "-r", place, "-o", tmp_path / "a.svg", "--json")
        )
        assert code == 0
        told.append(json.loads(text)["peaks"]["CTCF:K562"])
    assert told[1] == [p for p in told[0] if p[0] < 48_803_100 and p[1] > 48_803_000]
    assert 0 < len(told[1]) < len(told[0])


def test_a_folder_may_lack_files_and_have_names_of_its_own(run, folder, tmp_path):
    place = ["-r", REGION, "-o", tmp_path / "a.svg"]
    (folder / "CEBPB.HepG2.bw").unlink()
    code, _, err = run("plot", folder, *place)
    assert code == 0
    assert "CEBPB.HepG2.bw: is missing" in err
    assert "HepG2" not in (tmp_path / "a.svg").read_text()
    receipt = folder / "CTCF.K562.receipt.json"
    values = json.loads(receipt.read_text())
    values["record"]["pair"] = ["OWN1", "cell2"]
    receipt.write_text(json.dumps(values))
    code, _, err = run("plot", folder, *place, "--tf", "own1", "--cell", "CELL2")
    assert code == 0, err
    (folder / "CTCF.K562.narrowPeak").unlink()
    code, _, err = run("plot", folder, *place)
    assert code == 0
    assert "no narrowPeak of OWN1:cell2" in err


def test_what_reaches_beyond_the_bundled_example_is_said(run, tmp_path):
    out = tmp_path / "a.svg"
    code, _, err = run("plot", *PAIRS, "-r", "chr20:47199001-47201000", "-o", out)
    assert code == 0, err
    assert "1,000 of 2,000 bp of chr20:47199001-47201000 are outside the bundled" in err
    code, _, err = run("query", "BRCA1", "--cell", "HepG2")
    assert code == 2
    assert "only genes of the bundled example are known without -g FASTA" in err


def test_a_place_without_scores_is_reported(run, folder, tmp_path):
    out = tmp_path / "a.svg"
    place = "-r", "chr20:1-5000", "-o", out
    code, _, err = run("plot", *PAIRS, *place)
    assert code == 2
    assert "chr20:1-5000 is outside the bundled example" in err
    code, _, err = run("plot", folder, *place)
    assert code == 0
    assert "no position of chr20:1-5000 has a score" in err
    assert "<pattern" in out.read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--tf", "MAX", "--cell", "K562"], "no probability of MAX:K562"),
        (["--tf", "CTCF"], "--cell is missing"),
        (["-g", "hg19.fa"], "--fasta, --cache-dir and --evidence do not apply"),
        (["-r", "chr7:1-500"], "chr7"),
        (["-o", "taken.svg"], "taken.svg"),
    ],
)
def test_wrong_requests_of_a_folder(run, folder, monkeypatch, arguments, told):
    monkeypatch.chdir(folder)
    (folder / "taken.svg").mkdir()
    code, out, err = run("plot", folder, "-r", REGION, "-o", "a.svg", *arguments)
    assert code in (1, 2)
    assert told in err
    assert out == ""
    assert not (folder / "a.svg").exists()


def test_a_foreign_folder_is_refused(run, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    out = tmp_path / "a.svg"
    code, _, err = run("plot", tmp_path, "-r", REGION, "-o", out)
    assert code == 2
    assert "contains no bigWig" in err
    assert not out.exists()


def test_genes_are_drawn(run, tmp_path):
    genes = tmp_path / "genes.bed"
    genes.write_text("chr20\t48795000\t48799000\tGENE1\t0\t+\n")
    out = tmp_path / "a.png"
    code, _, err = run("plot", *PAIRS, "--genes", genes, "-o", out)
    assert code == 0, err
    assert out.read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-o", "a.jpg", *PAIRS], ".png, .svg, .pdf"),
        ([], "--tf is missing"),
        (["--tf", "CTCF", "--cell", "K5662"], "K562"),
        (["-r", "chr20:1-99999999999", *PAIRS], "outside of chr20"),
        (["-r", "chr7:1-500", *PAIRS], "chr7"),
        (["--width", "20", *PAIRS], "--width"),
        (["--genes", "none.bed", *PAIRS], "none.bed"),
        (["none", "-r", REGION], "is not a folder"),
        (["none"], "is not a folder of tracks"),
        (["chr20:1-100"], "written as -r chr20:1-100"),
        (["-g", "none.fa", *PAIRS], "--region is missing"),
        (["--pairs", ";".join(f"CTCF:{c}" for c in "ab")], "'a'"),
        (["-o", "/proc/none/a.svg", *PAIRS], "/proc/none"),
    ],
)
def test_wrong_requests_are_reported(run, monkeypatch, tmp_path, arguments, told):
    monkeypatch.chdir(tmp_path)
    code, out, err = run("plot", *arguments)
    assert code == 2
    assert told in err
    assert out == ""


def test_too_many_pairs_are_refused(run, tmp_path):
    from tfimpute_tracks.models import load_model

    cells = load_model("default").cells[:41]
    pairs = ";".join(f"CTCF:{cell}" for cell in cells)
    code, _, err = run("plot", "--pairs", pairs, "-o", tmp_path / "a.svg")
    assert code == 2
    assert "41 pairs" in err
