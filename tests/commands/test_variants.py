"""`variants` from the command line, and two variants of which the truth is known."""

import csv
import json

import pytest

from toys import random_letters, write_fasta, write_model


@pytest.fixture
def toy(tmp_path, rng):
    letters = {"chr1": random_letters(rng, 3000)}
    write_fasta(tmp_path / "toy.fa", letters)
    model = write_model(tmp_path / "toy.safetensors")
    options = ["-g", tmp_path / "toy.fa", "-m", model, "-p", 1, "-o", tmp_path / "out"]
    return options, letters["chr1"], tmp_path


def _table(path, rows):
    lines = [
        "\t".join(map(str, row)) for row in [("chrom", "pos", "ref", "alt"), *rows]
    ]
    path.write_text("\n".join([*lines, ""]))
    return path


def test_a_table_of_variants_is_scored_and_counted(toy, run):
    options, letters, folder = toy
    ref = letters[999]
    alt = "ACGT".replace(ref, "")[0]
    rows = [("1", 1000, ref, alt), ("1", 1000, ref, "N"), ("1", 9999, ref, alt)]
    source = _table(folder / "v.tsv", rows)
    code, out, err = run("variants", source, "--tf", "MAX", *options)
    assert code == 0, err
    assert "1 alleles not scored: outside of the chromosome" in err
    assert "1 alleles scored, 0 of them exchanged first, 2 not; 100.0%" in out
    with (folder / "out" / "v.effects.tsv").open() as file:
        found = list(csv.DictReader(file, delimiter="\t"))
    assert {row["tf"] for row in found} == {"MAX"}
    assert len(found) == 4  # cell lines
    code, out, _ = run("variants", source, "--all", *options, "--json")
    assert code == 0
    told = json.loads(out)
    assert told["scored"] == 1
    assert told["reference_share"] == 1
    assert sum(told["skipped"].values()) == 2


def test_another_assembly_is_noticed(toy, run):
    options, letters, folder = toy
    rows = []
    for pos in range(1000, 1040):
        ref, alt = [x for x in "ACGT" if x != letters[pos - 1]][:2]
        rows.append(("chr1", pos, ref, alt))
    source = _table(folder / "v.tsv", rows)
    code, _, err = run("variants", source, "--tf", "MAX", *options)
    assert code == 1
    assert "only 0.0% of the references are what the genome has" in err
    assert "no allele of" in err
    assert len((folder / "out" / "v.skipped.tsv").read_text().splitlines()) == 41


def test_wrong_options_are_told_before_any_work(toy, run):
    options, _, folder = toy
    source = _table(folder / "v.tsv", [])
    code, _, err = run("variants", source, *options)
    assert code == 2
    assert "which pairs?" in err
    code, _, err = run("variants", folder / "gone.vcf", "--tf", "MAX", *options)
    assert code == 2
    assert "no such file" in err
    assert not list((folder / "out").glob("*"))


@pytest.mark.slow
def test_variants_whose_truth_is_known(shared_data, run, tmp_path):
    """The paper's two: T creates a site of C/EBP in HepG2, and one of FOXA in MCF-7."""
    with (shared_data / "eval" / "snps" / "flanks.tsv").open() as file:
        flanks = list(csv.DictReader(file, delimiter="\t"))
    write_fasta(tmp_path / "f.fa", {row["rsid"]: row["seq_with_ref"] for row in flanks})
    rows = [
        (
            row["rsid"],
            int(row["pos_1based"]) - int(row["window_start_1based"]) + 1,
            row["ref"],
            row["alt"],
        )
        for row in flanks
    ]
    source = _table(tmp_path / "v.tsv", rows)
    code, _, err = run(
        *("variants", source, "--pairs", _of_cells("HepG2", "MCF-7", tmp_path)),
        *("-g", tmp_path / "f.fa", "-m", "deep", "-o", tmp_path),
    )
    assert code == 0, err
    with (tmp_path / "v.effects.tsv").open() as file:
        found = list(csv.DictReader(file, delimiter="\t"))
    for name, cell, tfs in (
        ("rs12740374", "HepG2", {"CEBPB", "CEBPD"}),
        ("rs4784227", "MCF-7", {"FOXA1", "FOXA2"}),
    ):
        own = [row for row in found if row["chrom"] == name and row["cell"] == cell]
        assert len(own) == 165
        own.sort(key=lambda row: -float(row["delta_log_odds"]))
        assert {row["tf"] for row in own[:2]} == tfs
        assert float(own[0]["delta"]) > 0.05


def _of_cells(one, other, folder):
    from tfimpute_tracks.models import load_model

    pairs = [f"{tf}\t{cell}" for tf in load_model("deep").tfs for cell in (one, other)]
    (folder / "pairs.tsv").write_text("tf\tcell\n" + "\n".join(pairs) + "\n")
    return folder / "pairs.tsv"
