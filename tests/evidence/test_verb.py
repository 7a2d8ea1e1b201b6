"""`evidence build` and `evidence info`, as a user calls them."""

from __future__ import annotations

import json

import h5py
import pytest

from tfimpute_tracks.evidence import ACCESSIBILITY, open_evidence
from tfimpute_tracks.genome import Region
from toys import random_letters, write_fasta


@pytest.fixture
def build(run, toy):
    """Give a function that builds a store of the toy's files."""

    def call(*more, out="evidence.h5"):
        return run(
            *("evidence", "build", "--pairs-table", toy.pairs_table),
            *("-m", toy.model, "-o", toy.folder / out, *more),
        )

    return call


def test_it_builds_a_store_and_describes_it(build, run, toy):
    code, out, err = build("--accessibility", toy.accessibility)
    assert code == 0, err
    path = toy.folder / "evidence.h5"
    assert out.splitlines()[-1] == str(path)
    assert "chromosomes of toy1, the assembly of toy" in err
    store = open_evidence(path)
    assert [str(track.pair) for track in store.tracks] == [
        "CTCF:K562",
        "MAX:HepG2",
        f"{ACCESSIBILITY}:K562",
    ]
    assert store.build == "toy1"
    assert store.has_peaks("chr1").tolist() == [True, False, True]
    code, out, err = run("evidence", "info", path, "--check")
    assert code == 0, err
    assert store.digest in out
    for words in ("tracks", "regions", "chr1, chr20", "toy1", "checked"):
        assert words in out


def test_regions_without_a_peak_are_refused(build, toy):
    code, _, err = build("-r", "chr1:1-10", out="none.h5")
    assert code == 2
    assert "no peak lies in chr1:1-10" in err
    assert not (toy.folder / "none.h5").exists()


def test_info_lists_tracks(build, run, toy):
    assert build("--accessibility", toy.accessibility)[0] == 0
    path = toy.folder / "evidence.h5"
    code, out, _ = run("evidence", "info", path, "--cell", "k562")
    assert code == 0
    assert out.splitlines()[-1] == "2 of 3 tracks"
    assert "CTCF" in out
    assert ACCESSIBILITY in out
    code, out, _ = run("evidence", "info", path, "--tf", "MAX", "--cell", "K562")
    assert code == 0
    assert out.splitlines()[-1] == "0 of 3 tracks"
    code, out, _ = run("evidence", "info", path, "--json", "--tf", "max")
    reported = json.loads(out)
    assert code == 0
    assert [track["cell"] for track in reported["tracks"]] == ["HepG2"]
    assert reported["peaks"] == {"chr1": 2, "chr20": 3}
    assert reported["peaks_of_files"] == 5
    assert reported["accessibility"] == ["K562"]
    assert reported["regions"] == ["chr1", "chr20"]


def test_json_reports_what_was_left_out(build, toy):
    toy.write_peaks("max.bed")
    table = toy.pairs_table
    table.write_text(table.read_text() + "CTFC\tK562\tbase\tctfc.bed\n")
    toy.write_peaks("ctfc.bed", ("chr1", 100, 201))
    toy.write_peaks("ctcf.bed", ("chr1", 100, 200), ("chrM", 1, 2))
    code, out, err = build("--json")
    assert code == 0, err
    reported = json.loads(out)
    assert reported["tracks"] == reported["peaks"] == 1
    assert reported["left_out"]["files_without_peaks"] == ["max:hepg2, max.bed"]
    assert reported["left_out"]["peaks_on_unknown_chromosomes"] == {"chrM": 1}
    warnings = [line for line in err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 3
    assert "did you mean CTCF?" in err


def test_sizes_come_from_a_table_or_a_fasta(build, toy, rng):
    sizes = toy.folder / "sizes"
    sizes.write_text("1\t9000\n20\t2000\n")
    code, _, err = build("--chrom-sizes", sizes)
    assert code == 0, err
    store = open_evidence(toy.folder / "evidence.h5")
    assert dict(store.chrom_sizes) == {"1": 9000, "20": 2000}
    assert store.build == ""
    code, _, err = build("--chrom-sizes", sizes, "--overwrite", "--assembly", "mine")
    assert code == 0, err
    assert open_evidence(toy.folder / "evidence.h5").build == "mine"
    letters = {"chr20": random_letters(rng, 2000), "chr1": random_letters(rng, 5000)}
    fasta = write_fasta(toy.folder / "toy.fa", letters)
    code, _, err = build("-g", fasta, "--overwrite")
    assert code == 0, err
    store = open_evidence(toy.folder / "evidence.h5")
    assert list(store.chrom_sizes.items()) == [("chr20", 2000), ("chr1", 5000)]
    assert store.build == "toy1"


def test_regions_and_roles_choose(build, toy):
    code, _, err = build("-r", "chr20:1,001-1,200", "--roles", "base")
    assert code == 0, err
    store = open_evidence(toy.folder / "evidence.h5")
    assert store.regions == (Region("chr20", 1000, 1200),)
    assert [str(track.pair) for track in store.tracks] == ["CTCF:K562"]
    toy.write_peaks("where.bed", ("chr1", 110, 120), ("chr20", 5, 9))
    code, _, err = build("-r", toy.folder / "where.bed", "--overwrite")
    assert code == 0, err
    assert len(open_evidence(toy.folder / "evidence.h5").regions) == 2


def test_an_existing_store_is_kept(build, toy):
    assert build()[0] == 0
    before = (toy.folder / "evidence.h5").read_bytes()
    code, _, err = build()
    assert code == 2
    assert "--overwrite" in err
    assert (toy.folder / "evidence.h5").read_bytes() == before
    assert build("--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--roles", "base,test9"], "unknown role 'test9'; use some of base"),
        (["--roles", "test3"], "no pair of the roles test3; it has base, valid2"),
        (["--chrom-sizes", "none"], "cannot read the table of chromosome sizes"),
        (["-g", "none.fa"], "none.fa"),
        (["-g", "a.fa", "--chrom-sizes", "b"], "not both"),
        (["--accessibility", "none.tsv"], "cannot read the table of accessibility"),
        (["-r", "chr9:1-20"], "unknown chromosome chr9"),
        (["-r", "chr20:1-2001"], "2,000 bp"),
        (["-r", "none.bed"], "no such file"),
        (["-m", "nobody"], "unknown model 'nobody'"),
        (["--pairs-table", "none.tsv"], "none.tsv: cannot read the pairs table"),
        (["-o", "pairs.tsv/x.h5"], "cannot write to the folder"),
        (["--nothing"], "--help"),
    ],
)
def test_wrong_requests_are_of_one_line(build, toy, monkeypatch, options, words):
    monkeypatch.chdir(toy.folder)
    code, out, err = build(*options)
    assert code == 2, err
    assert out == ""
    assert words in err
    assert [line[:7] for line in err.splitlines()].count("error: ") == 1
    assert err.splitlines()[-1].startswith("error: ")
    assert not (toy.folder / "evidence.h5").exists()


def test_another_build_is_refused(build, toy):
    toy.write_peaks("ctcf.bed", ("chr1", 100, 5001))
    code, _, err = build()
    assert code == 2
    assert "another build" in err
    assert not (toy.folder / "evidence.h5").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--tf", "CTFC"], "unknown TF 'CTFC'; did you mean CTCF?"),
        (["--cell", "nowhere"], "unknown cell line 'nowhere'"),
    ],
)
def test_info_knows_what_is_not_there(build, run, toy, options, words):
    assert build()[0] == 0
    code, _, err = run("evidence", "info", toy.folder / "evidence.h5", *options)
    assert code == 2
    assert words in err
    assert "evidence.h5 has no such track" in err


def test_info_checks_the_contents(build, run, toy):
    assert build()[0] == 0
    path = toy.folder / "evidence.h5"
    with h5py.File(path, "r+") as file:
        file["intervals/chr20/track"][0] ^= 1
    assert run("evidence", "info", path)[0] == 0
    code, _, err = run("evidence", "info", path, "--check")
    assert code == 2
    assert "does not match its digest" in err
    code, _, err = run("evidence", "info", toy.folder / "none.h5")
    assert code == 2
    assert "no such file" in err
