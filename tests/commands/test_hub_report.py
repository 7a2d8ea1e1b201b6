"""`hub` and `report` as commands: of folders, of stores, and of damaged ones."""

import json

import pytest

REGION = "chr20:48,700,001-48,800,000"
PAIRS = "CTCF:K562;CEBPB:HepG2"


@pytest.fixture
def folder(run, tmp_path):
    """Two pairs over 100 kb."""
    place = tmp_path / "tracks"
    code, _, err = run(
        "scan", "--pairs", PAIRS, "-r", REGION, "-o", place, "--no-cache"
    )
    assert code == 0, err
    return place


@pytest.fixture
def store(run, tmp_path):
    place = tmp_path / "store"
    code, _, err = run("impute", "--pairs", PAIRS, "-r", REGION, "-o", place)
    assert code == 0, err
    return place


def test_a_hub_of_a_folder(run, folder):
    code, out, err = run("hub", folder, "--json")
    assert code == 0, err
    told = json.loads(out)
    assert (told["pairs"], told["left_out"]) == (2, [])
    names = {path.rpartition("/")[2] for path in told["files"]}
    assert {"hub.txt", "hub.html", "igv.session.xml", "igvjs.session.json"} <= names
    page = (folder / "by-tf" / "CTCF.html").read_text()
    assert "FDR 10%" in page
    assert "overlap no measured peak" in page
    assert str(folder) not in (folder / "hub.txt").read_text()


def _tell_build(folder, stem, build):
    path = folder / f"{stem}.receipt.json"
    receipt = json.loads(path.read_text())
    receipt["record"]["build"] = build
    path.write_text(json.dumps(receipt))


def test_the_assembly_is_that_of_the_tracks(run, folder, store, tmp_path):
    assert run("hub", folder)[0] == 0
    assert "\ngenome hg19\n" in (folder / "hub.txt").read_text()
    _tell_build(folder, "CTCF.K562", "hg38")
    code, _, err = run("hub", folder)
    assert code == 2
    assert "several assemblies (hg19, hg38)" in err
    _tell_build(folder, "CEBPB.HepG2", "hg38")
    assert run("hub", folder)[0] == 0
    assert "\ngenome hg38\n" in (folder / "hub.txt").read_text()
    # What no receipt tells, the lengths of the chromosomes do.
    _tell_build(folder, "CTCF.K562", "")
    _tell_build(folder, "CEBPB.HepG2", "")
    assert run("hub", folder)[0] == 0
    assert "\ngenome hg19\n" in (folder / "hub.txt").read_text()
    place = tmp_path / "hub"
    assert run("hub", store, "-o", place, "--no-export")[0] == 0
    assert "\ngenome hg19\n" in (place / "hub.txt").read_text()


def test_a_text_has_the_commands_that_make_its_tracks(run, store, tmp_path):
    arguments = ("hub", store, "-o", tmp_path / "hub", "--no-export")
    assert "export " + str(store) + " --all -o" in run(*arguments)[2]
    err = run(*arguments, "--pairs", "CTCF:K562;CEBPB:HepG2")[2]
    assert "--pairs 'CTCF:K562;CEBPB:HepG2' -o" in err
    assert "--all" not in err


def test_a_folder_may_hold_tracks_of_several_fasta_files(run, folder, tmp_path):
    fasta = tmp_path / "other.fa"
    fasta.write_text(">scaffold\n" + "ACGTTGCA" * 500 + "\n")
    pair = ("--tf", "YY1", "--cell", "K562", "-g", fasta, "-o", folder, "--no-cache")
    assert run("scan", *pair, "--threshold", 0)[0] == 0
    code, _, err = run("report", folder)
    assert code == 0, err
    page = (folder / "report.html").read_text()
    assert '"pair": "YY1 K562", "peak": "scaffold:' in page
    assert '"pair": "CTCF K562", "peak": "chr20:' in page
    code, _, err = run("hub", folder)
    assert code == 2
    assert "several assemblies (hg19, unknown)" in err


def test_an_unknown_assembly_is_asked_for(run, tmp_path):
    fasta, place = tmp_path / "a.fa", tmp_path / "tracks"
    fasta.write_text(">chr20\n" + "ACGTTGCA" * 200 + "\n")
    pair = ("--tf", "CTCF", "--cell", "K562", "-g", fasta, "-o", place, "--no-cache")
    assert run("scan", *pair)[0] == 0
    code, _, err = run("hub", place)
    assert code == 2
    assert "use --assembly" in err
    assert run("hub", place, "--assembly", "toy1")[0] == 0
    assert "\ngenome toy1\n" in (place / "hub.txt").read_text()


def test_a_pair_without_peaks_is_reported_and_has_no_bigbed(run, tmp_path):
    place = tmp_path / "tracks"
    code, _, err = run(
        *("scan", "--tf", "MAX", "--cell", "K562", "-r", REGION, "-o", place),
        *("--threshold", 1, "--no-cache"),
    )
    assert code == 0
    assert "no peak reaches the threshold of MAX:K562" in err
    assert not (place / "MAX.K562.bb").exists()
    code, _, err = run("hub", place)
    assert code == 0, err
    assert "bigNarrowPeak" not in (place / "hub.txt").read_text()
    assert run("report", place)[0] == 0
    assert "No pair has a peak" in (place / "report.html").read_text()


def test_what_is_damaged_is_named_and_the_rest_is_there(run, folder):
    (folder / "CTCF.K562.bb").write_bytes(b"cut")
    (folder / "stranger.bw").write_bytes(b"else")
    code, out, err = run("hub", folder)
    assert code == 1
    assert "hub.txt" in out
    assert "CTCF.K562.bb" in err
    assert "stranger.bw" in err
    assert "left out 2 files" in err
    text = (folder / "hub.txt").read_text()
    assert "CTCF.K562.bw" in text
    assert "CTCF.K562.bb" not in text


@pytest.mark.parametrize("content", [b"\xff\xfe{}", bytes(90), b"{"], ids=len)
def test_a_damaged_receipt_costs_its_track_only(run, folder, content):
    (folder / "CTCF.K562.receipt.json").write_bytes(content)
    code, _, err = run("report", folder)
    assert code in (0, 1)
    assert "CTCF.K562" in err
    assert "CTCF.K562.receipt.json" in (folder / "report.html").read_text()


def test_a_hub_of_a_store(run, store, tmp_path):
    code, _, err = run("hub", store)
    assert code == 2
    assert "--out-dir" in err
    place = tmp_path / "hub"
    code, _, err = run("hub", store, "-o", place, "--no-export")
    assert code == 0, err
    assert "tfimpute-tracks export" in err
    planned = (place / "hub.txt").read_text()
    assert not (place / "CTCF.K562.bw").exists()
    code, _, err = run("hub", store, "-o", place)
    assert code == 0, err
    assert (place / "CTCF.K562.bw").exists()
    assert (place / "hub.txt").read_text() == planned
    code, _, err = run(
        "hub", store, "-o", tmp_path / "one", "--tf", "CTCF", "--cell", "K562"
    )
    assert code == 0, err
    assert "CEBPB" not in (tmp_path / "one" / "hub.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--tf", "CTCF"], "not a bulk store"),
        (["--no-export"], "not a bulk store"),
        (["--threads", "2"], "not a bulk store"),
        (["--assembly", "hg 19"], "white space"),
        (["--email", "a b"], "white space"),
        (["--color-by", "size"], "--color-by"),
        (["-m", "nothing"], "nothing"),
        (["--fasta-url", "none.fa"], "none.fa"),
    ],
)
def test_wrong_options_are_reported(run, folder, arguments, told):
    code, out, err = run("hub", folder, *arguments)
    assert code == 2
    assert told in err
    assert out == ""


@pytest.mark.parametrize("verb", ["hub", "report"])
def test_a_folder_without_tracks_is_refused(run, tmp_path, verb):
    code, _, err = run(verb, tmp_path)
    assert code == 2
    assert "no bigWig or bigBed" in err
    code, _, err = run(verb, tmp_path / "none")
    assert code == 2
    assert "is not a folder" in err


def test_the_bundled_region_has_its_genes(run, folder, tmp_path):
    code, _, err = run("report", folder, "-r", "cebpb")
    assert code == 0, err
    page = (folder / "report.html").read_text()
    assert "<h2>CEBPB (chr20:48,802,376-48,814,212), and the highest peaks</h2>" in page
    code, _, err = run("report", folder, "-r", "CEBPX")
    assert code == 2
    assert "no gene or chromosome is called 'CEBPX'; did you mean CEBPB?" in err
    fasta, other = tmp_path / "a.fa", tmp_path / "tracks"
    fasta.write_text(">chr20\n" + "ACGTTGCA" * 200 + "\n")
    pair = ("--tf", "CTCF", "--cell", "K562", "-g", fasta, "-o", other, "--no-cache")
    assert run("scan", *pair)[0] == 0
    code, _, err = run("report", other, "-r", "CEBPB")
    assert code == 2
    assert "for a gene, add --genes FILE" in err
