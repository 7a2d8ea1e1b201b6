"""`--from` of `evidence build` and `prepare`."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tfimpute_tracks.dataset import open_dataset, read_pairs_table
from tfimpute_tracks.evidence import open_evidence
from toys import write_fasta, write_model


@pytest.fixture
def download(tmp_path, write):
    """A ReMap file of two known pairs, a new TF and a new cell line, and a genome."""
    end = (7, ".", 505, 506, "0,0,0")
    rows = [
        ("chr1", at, at + 200, f"GSE{i}.{name}", *end[:2], at + 50, at + 51, end[-1])
        for i, (at, name) in enumerate(
            [
                (400, "CTCF.K-562"),
                (900, "CTCF.K562"),
                (1500, "eGFP-MAX.Hep-G2"),
                (2000, "ATF7.K562"),
                (2600, "MAX.LNCaP"),
            ]
        )
    ]
    return write("remap/remap_all.bed", *rows)


@pytest.fixture
def options(tmp_path):
    (tmp_path / "sizes").write_text("chr1\t6000\n")
    model = write_model(tmp_path / "toy.safetensors")
    return "--chrom-sizes", tmp_path / "sizes", "-m", model


def test_a_dry_run_lists_what_is_taken_for_what(run, download, options, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    verb = ("evidence", "build", "--from", download, "--dry-run")
    code, out, err = run(*verb, *options)
    assert code == 0, err
    assert "ReMap peaks" in out
    assert "CTCF in K-562, CTCF in K562" in out
    assert (
        "2 of known names, 2 candidates for `extend` (1 new TF, 1 new cell line)" in out
    )
    assert sorted(tmp_path.rglob("*")) == before
    listed = json.loads(run(*verb, *options, "--json")[1])
    assert [t["tf"] for t in listed["tracks"] if not t["known"]] == ["ATF7", "MAX"]
    assert listed["sources"][0]["recognized_as"] == "ReMap peaks"


def test_evidence_has_the_known_tracks(run, download, options, tmp_path):
    out = tmp_path / "e.h5"
    kept = tmp_path / "kept"
    code, text, err = run(
        *("evidence", "build", "--from", download, *options, "-o", out),
        *("--keep-peaks", kept, "--json"),
    )
    assert code == 0, err
    assert json.loads(text)["tracks"] == 2
    tracks = open_evidence(out).tracks
    assert [(str(t.pair), t.n_peaks) for t in tracks] == [
        ("CTCF:K562", 2),
        ("MAX:HepG2", 1),
    ]
    assert "1 TF that the model lacks, to add by `extend`: ATF7" in err
    table = read_pairs_table(kept / "pairs.tsv")
    assert [str(pair) for pair in table.pairs][-2:] == ["ATF7:K562", "MAX:LNCaP"]
    assert all(bed.parent.samefile(kept) for bed in table.beds)


def test_peaks_can_be_kept_without_evidence(run, download, options, tmp_path):
    kept = tmp_path / "kept"
    verb = ("evidence", "build", "--from", download, *options, "--keep-peaks", kept)
    code, out, err = run(*verb)
    assert code == 0, err
    assert out.splitlines()[-1] == str(kept / "pairs.tsv")
    table = read_pairs_table(kept / "pairs.tsv")
    assert [str(pair) for pair in table.pairs] == [
        *("CTCF:K562", "MAX:HepG2", "ATF7:K562", "MAX:LNCaP"),
    ]
    code, _, err = run(*verb)
    assert code == 2
    assert "kept is not an empty folder; use a new one" in err
    before = sorted(tmp_path.rglob("*"))
    code, _, err = run(*verb[:-1], tmp_path / "other", "--dry-run")
    assert code == 0, err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_data_set_has_all_tracks(run, download, tmp_path, rng):
    sequence = "".join(rng.choice(list("ACGT"), 6000))
    fasta = write_fasta(tmp_path / "toy.fa", {"chr1": sequence})
    sites = tmp_path / "sites.bed"
    sites.write_text(
        "".join(f"chr1\t{at}\t{at + 200}\n" for at in range(400, 5000, 500))
    )
    out = tmp_path / "data.h5"
    code, _, err = run(
        *("prepare", "--from", download, "-g", fasta, "--candidate-sites", sites),
        *("--seq-len", 200, "-o", out),
    )
    assert code == 0, err
    data = open_dataset(out)
    assert [str(pair) for pair in data.pairs] == [
        *("CTCF:K562", "MAX:HepG2", "ATF7:K562", "MAX:LNCaP"),
    ]
    labels = data.labels(np.arange(data.n_sites))
    assert (labels == 1).sum(axis=0).tolist() == [2, 1, 1, 0]
    assert not [path for path in tmp_path.iterdir() if path.name == "pairs.tsv"]


def test_the_strongest_peaks_of_a_download_can_be_used(run, download, tmp_path, rng):
    sequence = "".join(rng.choice(list("ACGT"), 6000))
    fasta = write_fasta(tmp_path / "toy.fa", {"chr1": sequence})
    out = tmp_path / "data.h5"
    code, _, err = run(
        *("prepare", "--from", download, "-g", fasta, "--negatives", "shuffle"),
        *("--top", 5, "--allow-unranked", "--seq-len", 100, "-o", out),
    )
    assert code == 0, err
    assert open_dataset(out).n_sites > 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "use --pairs-table FILE or --from PATH, for the peaks"),
        (("--from", "a", "--pairs-table", "b"), "not both"),
        (("--pairs-table", "b", "--dry-run"), "--dry-run needs --from"),
        (("--pairs-table", "b", "--keep-peaks", "x"), "--keep-peaks needs --from"),
        (("--from", "gone"), "use -o FILE"),
        (("--from", "gone", "--dry-run"), "gone: cannot be read"),
    ],
)
def test_options_that_do_not_go_together(run, options, tmp_path, arguments, message):
    code, _, err = run("evidence", "build", *options, *arguments)
    assert code == 2
    assert message in err
    code, _, err = run("prepare", "-g", "gone.fa", *arguments)
    assert code == 2
    assert message in err or "gone.fa" in err


def test_roles_need_a_pairs_table(run, download, options, tmp_path):
    code, _, err = run(
        *("evidence", "build", "--from", download, *options, "-o", tmp_path / "e.h5"),
        *("--roles", "base"),
    )
    assert code == 2
    assert "--roles needs --pairs-table" in err


def test_nothing_known_is_an_error_and_leaves_nothing(run, write, options, tmp_path):
    path = write("ATF7.LNCaP.bed", ("chr1", 1, 2))
    out = tmp_path / "e.h5"
    code, _, err = run("evidence", "build", "--from", path, *options, "-o", out)
    assert code == 2
    assert "to add by `extend`: ATF7" in err
    assert "no track of a TF and a cell line that toy has; --keep-peaks FOLDER" in err
    assert not out.exists()


def test_one_file_for_two_pairs_is_an_error(run, encode, options, tmp_path):
    table = encode(
        ("ENCFF001AAA", "peaks", "hg19", "K562", "MAX-human"),
        ("ENCFF001AAA", "peaks", "hg19", "HepG2", "MAX-human", {"experiment": "B"}),
    )
    code, _, err = run(
        *("evidence", "build", "--from", table, *options, "-o", tmp_path / "e.h5"),
    )
    assert code == 2
    assert "is named for MAX:HepG2 and for MAX:K562" in err


def test_peaks_beyond_a_chromosome_are_of_another_assembly(run, write, options):
    rows = [("chr1", at, at + 9, f"GSE1.{name}") for at, name in ((5, "MAX.K562"),)]
    path = write("all.bed", *rows, ("chr1", 7000, 7009, "GSE1.CTCF.K562"))
    out = path.with_name("e.h5")
    code, _, err = run("evidence", "build", "--from", path, *options, "-o", out)
    assert code == 2
    assert "the peaks of CTCF.K562.bed: chr1:7001-7009 extends beyond chr1" in err
    assert not out.exists()


def test_cell_lines_of_one_cluster_may_have_the_same_peaks(run, write, options):
    path = write("clusters.bed", ("chr1", 10, 30, "MAX", 500, "K562,HepG2"))
    out = path.with_name("e.h5")
    code, _, err = run("evidence", "build", "--from", path, *options, "-o", out)
    assert code == 0, err
    assert [t.n_peaks for t in open_evidence(out).tracks] == [1, 1]


def test_copies_of_a_file_for_two_pairs_are_refused(run, write, options):
    rows = [(585, "chr1", at, at + 9) for at in (10, 40)]
    for name in ("MAX.K562.bed", "CTCF.K562.bed"):
        folder = write(f"peaks/{name}", *rows).parent
    out = folder.with_name("e.h5")
    code, _, err = run("evidence", "build", "--from", folder, *options, "-o", out)
    assert code == 2
    assert "the peaks of CTCF.K562.bed of CTCF:K562 and the peaks of MAX" in err
