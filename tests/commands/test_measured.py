"""`--evidence` from the command line: what it changes, says and refuses."""

import json

import numpy as np
import pytest

from evidence_toys import SIZES, TRACKS, draw_network, draw_store, draw_weights
from tfimpute_tracks.evidence import PeakDatabase, open_shipped, write_evidence
from tfimpute_tracks.genome import bundled_region
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.evidence_weights import (
    evidence_path,
    write_evidence_weights,
)
from toys import write_fasta, write_model

BASIS = f"sequence and {len(TRACKS)} measured tracks of e.h5"


@pytest.fixture
def toy(tmp_path, rng):
    """Give options of a scan with a model, its weights that read tracks, and tracks."""
    model = write_model(tmp_path / "toy.safetensors")
    weights = draw_weights(draw_network(), load_model(model).checkpoint.digest)
    write_evidence_weights(evidence_path(model), weights)
    draw_store(tmp_path / "e.h5", rng)
    letters = {c: "".join(rng.choice(list("ACGT"), n)) for c, n in SIZES.items()}
    write_fasta(tmp_path / "toy.fa", letters)
    common = ["-g", tmp_path / "toy.fa", "--chroms", "chr1", "chr20", "-m", model]
    return [*common, "-p", 1], tmp_path


def _told(path):
    return json.loads(path.read_text())["record"]


def test_a_scan_uses_tracks_and_says_so(toy, run):
    options, folder = toy
    own = TRACKS[0]
    pair = ["--tf", own.tf, "--cell", own.cell, "--no-cache"]
    by_both = [*pair, "-e", folder / "e.h5", "-o", folder / "both"]
    code, _, err = run("scan", *by_both, *options)
    assert code == 0, err
    assert f"predicting from {BASIS}; own tracks of {own} are not used" in err
    assert "e.h5 has no data for 28.6% of these regions, among it all of chr20" in err
    code, _, err = run("scan", *pair, "-o", folder / "letters", *options)
    assert code == 0, err
    assert "predicting from sequence only" in err
    told, alone = (
        _told(folder / name / f"{own.tf}.{own.cell}.receipt.json")
        for name in ("both", "letters")
    )
    assert told["basis"] == BASIS
    assert alone["basis"] == "sequence"
    assert told["evidence_summary"]["own_tracks"] == 1
    assert told["evidence_summary"]["sequence_only"] == ["chr20"]
    assert alone["evidence"] == ""
    import pyBigWig

    both, letters = (
        pyBigWig.open(str(folder / name / f"{own.tf}.{own.cell}.bw"))
        for name in ("both", "letters")
    )
    assert abs(both.stats("chr1")[0] - letters.stats("chr1")[0]) > 0.01
    # Where no track says anything, letters are all there is.
    assert both.intervals("chr20") == letters.intervals("chr20")


def test_a_second_scan_with_other_tracks_is_made_anew(toy, run, rng):
    options, folder = toy
    scan = ["scan", "--tf", "MAX", "--cell", "K562", "-e", folder / "e.h5", *options]
    scan += ["-o", folder / "tracks"]
    assert run(*scan)[0] == 0
    assert "reused from an earlier run" in run(*scan)[1]
    draw_store(folder / "e.h5", rng)
    assert "written" in run(*scan)[1]


def test_a_store_made_by_tracks_is_exported_as_it_was_scanned(toy, run):
    options, folder = toy
    pair = ["--pairs", "MAX:K562;CTCF:HepG2"]
    by_both = [*pair, "-e", folder / "e.h5", *options]
    assert run("scan", *by_both, "-o", folder / "scanned")[0] == 0
    code, _, err = run("impute", *by_both, "-o", folder / "store", "--workers", 1)
    assert code == 0, err
    assert run("export", folder / "store", *pair, "-o", folder / "exported")[0] == 0
    receipt = "MAX.K562.receipt.json"
    told, scanned = (_told(folder / n / receipt) for n in ("exported", "scanned"))
    for name in ("basis", "evidence", "evidence_weights", "threshold"):
        assert told[name] == scanned[name]
    # Other tracks are another store.
    draw_store(folder / "e.h5", np.random.default_rng(7))
    code, _, err = run("impute", *by_both, "-o", folder / "store", "--workers", 1)
    assert code == 2
    code, _, err = run(
        *("hub", folder / "exported", "--assembly", "toy1", "-m", options[-3]),
    )
    assert code == 0, err
    assert ", with evidence" in (folder / "exported" / "hub.txt").read_text()
    pages = [
        " ".join(page.read_text().split())
        for page in (folder / "exported").rglob("*.html")
    ]
    assert pages
    assert all(f"predicted from {BASIS}" in page for page in pages)


@pytest.mark.parametrize("verb", ["scan", "impute", "plot"])
def test_tracks_of_another_genome_are_refused_before_any_work(toy, run, rng, verb):
    options, folder = toy
    draw_store(folder / "e.h5", rng, sizes={"chr1": 4999, "chr20": 2000})
    place = options if verb != "plot" else [*options[:2], "-r", "chr1:1-900"]
    code, _, err = run(
        *(verb, "--tf", "MAX", "--cell", "K562", "-e", folder / "e.h5", *place),
        *(("-o", folder / "x.svg", "-m", options[-3]) if verb == "plot" else ()),
        *(("-o", folder / "out") if verb != "plot" else ()),
    )
    assert code == 2
    assert "are of another genome than toy.fa: chr1 has 5,000 bp, expected 4,999" in err
    assert not list(folder.glob("out/*.bw"))


def test_what_is_no_evidence_is_refused(toy, run):
    options, folder = toy
    scan = ["scan", "--tf", "MAX", "--cell", "K562", *options, "-o", folder / "out"]
    code, _, err = run(*scan, "-e", folder / "gone.h5")
    assert code == 2
    assert "gone.h5" in err
    code, _, err = run(*scan, "-e", folder / "toy.fa")
    assert code == 2
    assert "toy.fa" in err
    evidence_path(folder / "toy.safetensors").unlink()
    code, _, err = run(*scan, "-e", folder / "e.h5")
    assert code == 2
    assert "has no evidence weights" in err
    assert "evidence train" in err


def test_tracks_of_other_regions_are_reported(run, tmp_path):
    store = open_shipped()
    has_peaks = np.array([store.has_peaks(chrom) for chrom in store.chrom_sizes]).T
    facts = store.tracks, store.chrom_sizes, (bundled_region(),), has_peaks
    contents = PeakDatabase(*facts, {"chr20": store.peaks("chr20")}, store.build)
    write_evidence(tmp_path / "some.h5", contents)
    code, _, err = run(
        *("plot", "--tf", "MAX", "--cell", "K562", "-e", tmp_path / "some.h5", "-o"),
        *(tmp_path / "x.svg", "-r", "chr20:47199001-47203000"),
    )
    assert code == 0, err
    assert "has no data for 25.0% of these regions" in err


def test_tracks_in_a_folder_are_drawn_as_they_are(toy, run):
    options, folder = toy
    pair = ["--tf", "MAX", "--cell", "K562"]
    assert run("scan", *pair, *options, "-o", folder / "t")[0] == 0
    code, _, err = run(
        *("plot", folder / "t", "-r", "chr1:1-900", "-e", folder / "e.h5"),
        *("-o", folder / "x.svg"),
    )
    assert code == 2
    assert "--evidence" in err


def test_a_pair_of_the_bundled_region_is_scanned_with_its_tracks(run, tmp_path):
    pair = ["--tf", "MAX", "--cell", "GM12891", "-r", "chr20:48700001-48900000"]
    code, _, err = run("scan", *pair, "-e", "encode-hg19", "-o", tmp_path, "-p", 1)
    assert code == 0, err
    told = _told(tmp_path / "MAX.GM12891.receipt.json")
    assert told["evidence_summary"]["own_tracks"] == 0
    assert told["evidence_summary"]["tf_tracks"] > 5
    assert 0.9 < told["expected_auroc"] <= 1
