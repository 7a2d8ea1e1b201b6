"""`--evidence auto`: used where the genome is its own, said once, and never in silence."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tfimpute_tracks
from evidence_toys import draw_network, draw_weights
from tfimpute_tracks.evidence import SHIPPED, open_shipped
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.evidence_weights import (
    evidence_path,
    write_evidence_weights,
)
from toys import write_fasta, write_model

PAIR = ["--tf", "MAX", "--cell", "HepG2"]
REGION = ["-r", "chr20:48700001-48705000"]
SCAN = ["scan", *PAIR, *REGION, "-p", 1, "--no-cache"]


def record_of(folder):
    return json.loads((folder / "MAX.HepG2.receipt.json").read_text())["record"]


def write_toy(folder, with_evidence):
    """A model of a few TFs and cell lines, with or without evidence weights."""
    model = write_model(folder / "toy.safetensors")
    if with_evidence:
        weights = draw_weights(draw_network(), load_model(model).checkpoint.digest)
        write_evidence_weights(evidence_path(model), weights)
    return model


@pytest.fixture
def other(tmp_path, rng):
    """A genome with the name of a chromosome of hg19, and another length."""
    sequence = "".join(rng.choice(list("ACGT"), 20_000))
    write_fasta(tmp_path / "other.fa", {"chr20": sequence})
    return ["-g", tmp_path / "other.fa"]


def test_evidence_is_used_where_the_genome_is_its_own_and_a_line_says_so(run, tmp_path):
    for name, options in (("auto", []), ("named", ["-e", SHIPPED])):
        code, _, err = run(*SCAN, *options, "-o", tmp_path / name)
        assert code == 0, err
        lines = [line for line in err.splitlines() if SHIPPED in line]
        assert len(lines) == 1
        n = len(open_shipped().tracks)
        assert f"predicting from sequence and {n} measured tracks" in lines[0]
        assert "own tracks of MAX:HepG2 are not used" in lines[0]
    auto, named = record_of(tmp_path / "auto"), record_of(tmp_path / "named")
    assert auto["evidence"] == named["evidence"] == open_shipped().digest
    assert auto["evidence_summary"]["fraction_in_coverage"] == 1


def test_none_turns_it_off(run, tmp_path):
    code, _, err = run(*SCAN, "-e", "none", "-o", tmp_path)
    assert code == 0, err
    assert "predicting from" not in err
    assert record_of(tmp_path)["basis"] == "sequence"


def test_a_chromosome_without_chr_among_unknown_ones_is_recognized(run, tmp_path):
    sequence = {"20": "N" * 63_025_520, "decoy": "ACGT" * 500}
    write_fasta(tmp_path / "g.fa", sequence)
    scan = ["scan", *PAIR, "-g", tmp_path / "g.fa", "-p", 1, "--no-cache"]
    code, _, err = run(*scan, "-r", "decoy:1-2000", "-o", tmp_path / "t")
    assert code == 0, err
    assert "has no data for 100.0% of these regions, among it all of decoy" in err
    summary = record_of(tmp_path / "t")["evidence_summary"]
    assert summary["fraction_in_coverage"] == 0
    assert summary["sequence_only"] == ["decoy"]


def test_another_length_is_another_assembly(run, tmp_path, other):
    scan = ["scan", "--pairs", "MAX:HepG2;CTCF:K562", *other, "-p", 1, "--no-cache"]
    code, _, err = run(*scan, "-o", tmp_path / "t")
    assert code == 0, err
    (line,) = [line for line in err.splitlines() if "from sequence only" in line]
    assert f"{SHIPPED} is not of other.fa" in line
    lower, _, higher, _ = map(float, re.findall(r"0\.\d\d", line))
    assert lower < higher
    assert "evidence lift" in line
    assert "evidence build" in line
    assert record_of(tmp_path / "t")["evidence"] == ""
    code, _, err = run(*scan, "-e", SHIPPED, "-o", tmp_path / "named")
    assert code == 2
    assert "are of another genome than other.fa: chr20 has 20,000 bp" in err
    assert err.count("error: ") == 1
    assert not (tmp_path / "named").exists()


def test_a_model_without_evidence_weights_uses_the_sequence(run, tmp_path):
    model = write_toy(tmp_path, with_evidence=False)
    code, _, err = run(*SCAN, "-m", model, "-o", tmp_path / "t")
    assert code == 0, err
    (line,) = [line for line in err.splitlines() if "from sequence only" in line]
    assert "toy has no evidence weights" in line
    assert "evidence train" in line


def test_a_model_of_fewer_names_reads_the_tracks_of_those(run, tmp_path):
    model = write_toy(tmp_path, with_evidence=True)
    code, _, err = run(*SCAN, "-m", model, "-o", tmp_path / "t")
    assert code == 0, err
    summary = record_of(tmp_path / "t")["evidence_summary"]
    names = load_model(model)
    known = [
        track
        for track in open_shipped().tracks
        if track.pair.tf in (*names.tfs, "accessibility")
        and track.pair.cell in names.cells
    ]
    assert summary["tracks"] == len(known) < len(open_shipped().tracks)
    assert summary["name"] == SHIPPED


def test_a_store_knows_its_evidence(run, tmp_path):
    store, pairs = tmp_path / "store", ["--pairs", "MAX:HepG2;CTCF:K562"]
    impute = ["impute", *pairs, *REGION, "-o", store, "--workers", 1, "-p", 1]
    code, _, err = run(*impute)
    assert code == 0, err
    plan = json.loads((store / "store.json").read_text())
    assert plan["evidence"] == open_shipped().digest
    code, _, err = run(*impute, "-e", "none")
    assert code == 2
    assert "evidence" in err
    code, out, err = run(*impute)
    assert code == 0, err
    assert "0 shards made" in out
    code, _, err = run("export", store, "--all", "-o", tmp_path / "exported")
    assert code == 0, err
    assert run(*SCAN, "-o", tmp_path / "scanned")[0] == 0
    exported = record_of(tmp_path / "exported")
    scanned = record_of(tmp_path / "scanned")
    documented = (Path(__file__).parents[2] / "docs" / "tracks.md").read_text()
    unnamed = {key for key in exported | scanned if f"`{key}`" not in documented}
    assert unnamed == set()
    for name in ("basis", "evidence", "evidence_weights", "threshold", "calibration"):
        assert exported[name] == scanned[name]
    for key in ("name", "fraction_in_coverage", "sequence_only"):
        assert exported["evidence_summary"][key] == scanned["evidence_summary"][key]
    code, out, err = run("query", store, "chr20:48701001-48702000", "--json")
    assert code == 0, err
    assert len(json.loads(out)) == 2
    code, _, err = run("hub", store, "-o", tmp_path / "hub")
    assert code == 0, err
    for page in (tmp_path / "hub").rglob("*.html"):
        text = " ".join(page.read_text().split())
        assert f"predicted from {scanned['basis']}" in text
        assert "ENCODE Project Consortium" in text


def test_tracks_are_described_where_their_evidence_is_gone(run, tmp_path):
    model = write_toy(tmp_path, with_evidence=True)
    evidence = tmp_path / "e.h5"
    peaks = tmp_path / "peaks.bed"
    peaks.write_text("chr20\t48701000\t48701400\n")
    (tmp_path / "pairs.tsv").write_text(f"tf\tcell\tbed\nCTCF\tHepG2\t{peaks}\n")
    (tmp_path / "sizes").write_text("chr20\t63025520\n")
    code, _, err = run(
        *("evidence", "build", "--pairs-table", tmp_path / "pairs.tsv", "-m", model),
        *("--chrom-sizes", tmp_path / "sizes", "-o", evidence),
    )
    assert code == 0, err
    folder = tmp_path / "t"
    code, _, err = run(*SCAN, "-m", model, "-e", evidence, "-o", folder)
    assert "toy was calibrated with other evidence than e.h5" in err
    assert code == 0, err
    evidence.unlink()
    for verb in ("report", "hub"):
        code, _, err = run(verb, folder, "-m", model)
        assert code == 0, err
        assert "e.h5" not in err
    text = " ".join((folder / "report.html").read_text().split())
    assert "predicted by TFImpute from sequence and 1 measured tracks of e.h5" in text
    code, _, err = run(*SCAN, "-m", model, "-e", evidence, "-o", folder)
    assert code == 2
    assert "e.h5: no such file" in err
    assert err.count("error: ") == 1


@pytest.mark.parametrize(
    "command",
    [
        ["variants", "v.tsv", "--n-background", "0"],
        ["mutagenesis", "-r", "chr20:48700001-48700030"],
        ["explain", "-r", "chr20:48700001-48700400"],
    ],
    ids=lambda command: command[0],
)
def test_what_compares_sequences_says_once_that_it_uses_only_them(
    run, tmp_path, command
):
    from tfimpute_tracks.genome import open_bundled

    base = "ACGT"[open_bundled().codes("chr20", 48_700_099, 48_700_100)[0]]
    alternate = "C" if base != "C" else "G"
    path = tmp_path / "v.tsv"
    path.write_text(f"chrom\tpos\tref\talt\nchr20\t48700100\t{base}\t{alternate}\n")
    words = [path if word == "v.tsv" else word for word in command]
    code, _, err = run(*words, *PAIR, "-o", tmp_path / "o")
    assert code == 0, err
    assert err.count("by sequence only: measured peaks are not used") == 1


@pytest.mark.parametrize("damaged", [f"{SHIPPED}.h5", f"{SHIPPED}.chr20.h5"])
def test_a_damaged_file_of_the_package_is_an_error_that_names_it(tmp_path, damaged):
    real = Path(tfimpute_tracks.__file__).resolve().parent
    copy = tmp_path / "site" / "tfimpute_tracks"
    (copy / "evidence" / "data").mkdir(parents=True)
    for folder in ("", "evidence", "evidence/data"):
        for path in (real / folder).iterdir():
            if not (copy / folder / path.name).exists() and path.name[0] != ".":
                (copy / folder / path.name).symlink_to(path)
    folder = copy / "evidence" / "data" / SHIPPED
    folder.unlink()
    shutil.copytree(real / "evidence" / "data" / SHIPPED, folder)
    path = folder / damaged
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    command = [sys.executable, "-m", "tfimpute_tracks", *map(str, SCAN)]
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "t")],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
    )
    assert done.returncode in (1, 2)
    (line,) = [line for line in done.stderr.splitlines() if "error" in line]
    assert damaged in line
    assert "reinstall" in line
    assert not list((tmp_path / "t").glob("*"))
