"""`variants` from the command line, and two variants of which the truth is known."""

import csv
import gzip
import json

import pytest
from pyarrow import parquet

from toys import random_letters, write_fasta, write_model


@pytest.fixture
def toy(tmp_path, rng):
    bases = {"chr1": random_letters(rng, 3000)}
    write_fasta(tmp_path / "toy.fa", bases)
    model = write_model(tmp_path / "toy.safetensors")
    options = ["-g", tmp_path / "toy.fa", "-m", model, "-p", 1, "-o", tmp_path / "out"]
    return options, bases["chr1"], tmp_path


def _table(path, rows):
    lines = [
        "\t".join(map(str, row)) for row in [("chrom", "pos", "ref", "alt"), *rows]
    ]
    path.write_text("\n".join([*lines, ""]))
    return path


def test_a_table_of_variants_is_scored_and_counted(toy, run):
    options, bases, folder = toy
    ref = bases[999]
    alt = "ACGT".replace(ref, "")[0]
    rows = [("1", 1000, ref, alt), ("1", 1000, ref, "N"), ("1", 9999, ref, alt)]
    source = _table(folder / "v.tsv", rows)
    code, out, err = run("variants", source, "--tf", "MAX", *options)
    assert code == 0, err
    assert "1 allele not scored: outside of the chromosome" in err
    assert "1 allele scored (0 after swapping REF and ALT), 2 skipped; 100.0%" in out
    with (folder / "out" / "v.effects.tsv").open() as file:
        found = list(csv.DictReader(file, delimiter="\t"))
    assert {row["tf"] for row in found} == {"MAX"}
    assert len(found) == 4  # cell lines
    code, out, _ = run("variants", source, "--all", *options, "--json")
    assert code == 0
    found = json.loads(out)
    assert found["scored"] == 1
    assert found["reference_match"] == 1
    assert sum(found["skipped"].values()) == 2


def test_a_vcf_of_another_assembly_is_warned_of_before_it_is_scored(toy, run):
    options, bases, folder = toy
    alt = "ACGT".replace(bases[999], "")[1]
    source = folder / "v.vcf"
    source.write_text(
        "##fileformat=VCFv4.2\n##contig=<ID=1,length=248956422>\n"
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        f"1\t1000\t.\t{bases[999]}\t{alt}\t.\t.\t.\n"
    )
    code, _, err = run("variants", source, "--tf", "MAX", *options)
    assert code == 0, err
    assert "warning: " in err
    assert "is of hg38 by its header, and not of toy.fa: 1 has 248,956,422 bp" in err


def test_a_vcf_of_another_assembly_is_refused_where_its_alleles_differ(toy, run):
    options, bases, folder = toy
    head = "##fileformat=VCFv4.2\n##contig=<ID=1,length=248956422>\n"
    lines = ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    for pos in range(1000, 1010):
        # Two of them agree by chance.
        ref = bases[pos - 1] if pos < 1002 else "ACGT".replace(bases[pos - 1], "")[0]
        alt = "ACGT".replace(ref, "")[1]
        lines.append(f"1\t{pos}\t.\t{ref}\t{alt}\t.\t.\t.")
    source = folder / "v.vcf"
    source.write_text(head + "\n".join([*lines, ""]))
    code, _, err = run("variants", source, "--tf", "MAX", *options)
    assert code == 2
    assert "20% of its first reference alleles agree; use -g" in err
    assert not list((folder / "out").glob("v.*"))
    swapped = [lines[0]]
    for pos in range(1000, 1010):
        alt = "ACGT".replace(bases[pos - 1], "")[0]
        swapped.append(f"1\t{pos}\t.\t{alt}\t{bases[pos - 1]}\t.\t.\t.")
    source.write_text(head + "\n".join([*swapped, ""]))
    code, _, err = run("variants", source, "--tf", "MAX", *options, "--fix-ref")
    assert code == 0, err
    for path in (folder / "out").iterdir():
        path.unlink()
    source.write_text("##fileformat=VCFv4.2\n" + "\n".join([*lines, ""]))
    code, _, err = run("variants", source, "--tf", "MAX", *options)
    assert code == 0
    assert "only 20.0% of the reference alleles" in err
    assert "--fix-ref" not in err


def test_one_wrong_allele_of_a_few_says_nothing_about_the_others(toy, run):
    options, bases, folder = toy
    rows = []
    for pos in range(1000, 1009):
        ref, alt = (bases[pos - 1], "ACGT".replace(bases[pos - 1], "")[0])
        rows.append(("chr1", pos, *((alt, ref) if pos == 1004 else (ref, alt))))
    source = _table(folder / "v.tsv", rows)
    code, _, err = run("variants", source, "--tf", "MAX", *options)
    assert code == 0
    assert "1 allele not scored: alleles look swapped" in err
    assert "of another assembly" not in err


def test_the_annotated_vcf_reports_the_quantiles_of_the_table(toy, run):
    options, bases, folder = toy
    head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    alt = "ACGT".replace(bases[999], "")[1]
    source = folder / "v.vcf"
    source.write_text(f"{head}chr1\t1000\t.\t{bases[999]}\t{alt}\t.\t.\t.\n")
    code, _, err = run("variants", source, "--all", *options, "--n-background", 120)
    assert code == 0, err
    with (folder / "out" / "v.effects.tsv").open() as file:
        table = {
            (row["tf"], row["cell"]): float(row["quantile"])
            for row in csv.DictReader(file, delimiter="\t")
        }
    with gzip.open(folder / "out" / "v.annotated.vcf.gz", "rt") as file:
        (record,) = (line for line in file if not line.startswith("#"))
    found = record.rstrip().split("TFIMPUTE=")[1].split(",")
    assert len(found) == 10
    for _, tf, cell, *_, quantile in (text.split("|") for text in found):
        assert float(quantile) == pytest.approx(table[tf, cell], abs=1e-3)


def test_another_assembly_is_noticed(toy, run):
    options, bases, folder = toy
    rows = []
    for pos in range(1000, 1040):
        ref, alt = [x for x in "ACGT" if x != bases[pos - 1]][:2]
        rows.append(("chr1", pos, ref, alt))
    source = _table(folder / "v.tsv", rows)
    code, _, err = run("variants", source, "--tf", "MAX", *options)
    assert code == 1
    assert "only 0.0% of the reference alleles agree with the genome" in err
    assert "no allele of" in err
    assert len((folder / "out" / "v.skipped.tsv").read_text().splitlines()) == 41


def test_wrong_options_are_reported_before_any_work(toy, run):
    options, _, folder = toy
    source = _table(folder / "v.tsv", [])
    code, _, err = run("variants", source, *options)
    assert code == 2
    assert "no pairs selected" in err
    code, _, err = run("variants", folder / "gone.vcf", "--tf", "MAX", *options)
    assert code == 2
    assert "no such file" in err
    assert not list((folder / "out").glob("*"))


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--min-delta", "1.5"], "min-delta"),
        (["--format", "xlsx"], "xlsx"),
        (["--n-background", "-1"], "n-background"),
        (["--n-background", "0", "--background-regions", "b.bed"], "omit one of them"),
        (["--background-regions", "gone.bed"], "gone.bed"),
        (["--stride", "0"], "stride"),
        (["--seed", "-1"], "seed"),
    ],
)
def test_wrong_values_are_reported(toy, run, options, found):
    usual, bases, folder = toy
    source = _table(folder / "v.tsv", [("chr1", 1000, bases[999], _other(bases, 999))])
    code, _, err = run("variants", source, "--tf", "MAX", *usual, *options)
    assert code == 2
    assert found in err
    assert not list((folder / "out").glob("*"))


def _other(bases, at):
    return "ACGT"["ACGT".index(bases[at]) - 1]


def _effects(folder):
    with (folder / "out" / "v.effects.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_quantiles_are_of_a_background_that_the_seed_draws(toy, run):
    options, bases, folder = toy
    rows = [("1", at + 1, bases[at], _other(bases, at)) for at in range(200, 2800, 50)]
    source = _table(folder / "v.tsv", rows)
    tables = []
    for seed in (0, 0, 1):
        code, out, err = run(
            *("variants", source, "--tf", "MAX", *options, "--json"),
            *("--n-background", 150, "--seed", seed),
        )
        assert code == 0, err
        assert json.loads(out)["background"] == 150
        tables.append(_effects(folder))
    assert tables[0] == tables[1]
    quantiles = [float(row["quantile"]) for row in tables[0]]
    assert [float(row["quantile"]) for row in tables[2]] != quantiles
    assert 0 <= min(quantiles) < 0.2
    assert 0.8 < max(quantiles) <= 1
    # Variants drawn like their background lie evenly among it.
    assert 0.35 < sum(quantiles) / len(quantiles) < 0.65
    for cell in {row["cell"] for row in tables[0]}:
        own = [row for row in tables[0] if row["cell"] == cell]
        own.sort(key=lambda row: abs(float(row["delta_log_odds"])))
        ranks = [float(row["quantile"]) for row in own]
        assert ranks == sorted(ranks)


def test_few_places_are_warned_about(toy, run):
    options, bases, folder = toy
    source = _table(folder / "v.tsv", [("1", 1000, bases[999], _other(bases, 999))])
    (folder / "b.bed").write_text("chr1\t900\t1300\n")
    code, _, err = run(
        *("variants", source, "--tf", "MAX", *options),
        *("--background-regions", folder / "b.bed"),
    )
    assert code == 0
    assert f"background variants were found in {folder / 'b.bed'}: quantiles are" in err
    code, _, err = run(
        "variants", source, "--tf", "MAX", *options, "--n-background", "0"
    )
    assert code == 0
    assert "background variants" not in err
    assert {row["quantile"] for row in _effects(folder)} == {""}
    assert "renamed 1 to chr1, as in the FASTA" in err


def test_a_vcf_comes_through_a_pipe(toy, run, monkeypatch):
    options, bases, folder = toy
    head = "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=3000>\n"
    head += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    line = f"chr1\t1000\trs7\t{bases[999]}\t{_other(bases, 999)}\t.\t.\t.\n"
    results = []
    for name in ("v.vcf", "-"):
        (folder / "v.vcf").write_text(head + line)
        with (folder / "v.vcf").open() as file:
            monkeypatch.setattr("sys.stdin", file)
            source = name if name == "-" else folder / name
            code, _, err = run("variants", source, "--tf", "MAX", *options)
        assert code == 0, err
        stem = folder / "out" / ("stdin" if name == "-" else "v")
        results.append((stem.with_name(f"{stem.name}.effects.tsv")).read_text())
        assert stem.with_name(f"{stem.name}.annotated.vcf.gz").exists()
    assert results[0] == results[1]
    assert not list((folder / "out").glob(".*"))
    with (folder / "toy.fa").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        code, _, err = run("variants", "-", "--tf", "MAX", *options)
    assert code == 2
    assert "standard input: begins with '>chr1', and a VCF begins with" in err
    assert not list((folder / "out").glob(".*"))


def test_tables_are_wide_or_parquet_where_asked(toy, run):
    options, bases, folder = toy
    source = _table(folder / "v.tsv", [("1", 1000, bases[999], _other(bases, 999))])
    code, out, err = run(
        *("variants", source, "--all", *options, "--wide", "--format", "parquet")
    )
    assert code == 0, err
    assert "v.effects.parquet" in out
    (wide,) = parquet.read_table(folder / "out" / "v.effects.parquet").to_pylist()
    code, _, err = run("variants", source, "--all", *options)
    assert code == 0, err
    for row in _effects(folder):
        delta = wide[f"{row['tf']}:{row['cell']}"]
        assert float(row["delta"]) == pytest.approx(delta, abs=1e-6)


def test_many_pairs_leave_small_changes_out_unasked(run, tmp_path):
    from tfimpute_tracks.genome import bundled_region, open_bundled

    chrom, start, _ = bundled_region()
    with open_bundled() as genome:
        code = int(genome.codes(chrom, start + 50_000, start + 50_001)[0])
    ref, alt = "ACGT"[code], "ACGT"[code - 1]
    source = _table(tmp_path / "v.tsv", [(chrom, start + 50_001, ref, alt)])
    sizes = []
    for more in ([], ["--min-delta", "0"]):
        code, _, err = run(
            *("variants", source, "--all", "-o", tmp_path / "out", "--n-background", 0),
            *more,
        )
        assert code == 0, err
        assert ("omitting rows with a change in probability below 0.001" in err) == (
            not more
        )
        sizes.append(_effects(tmp_path))
    assert len(sizes[1]) == 15_015
    large = [row for row in sizes[1] if abs(float(row["delta"])) >= 0.001]
    assert sizes[0] == large
    code, _, err = run("variants", source, "--all", "-o", tmp_path / "out", "--wide")
    assert code == 2
    assert "at most 1,000 can have a column each" in err
    code, _, err = run(
        "variants", source, "--all", "-o", tmp_path / "out", "--write-tracks"
    )
    assert code == 2
    assert "select at most 20" in err


def test_tracks_are_written_where_asked(toy, run):
    options, bases, folder = toy
    source = _table(folder / "v.tsv", [("1", 1000, bases[999], _other(bases, 999))])
    code, out, err = run(
        *("variants", source, "--pairs", "MAX:K562;CTCF:HepG2", *options),
        "--write-tracks",
    )
    assert code == 0, err
    names = {path.name for path in (folder / "out").glob("*.bw")}
    assert {name for name in names if name in out} == names
    assert names == {
        f"v.{pair}.{kind}.bw"
        for pair in ("MAX.K562", "CTCF.HepG2")
        for kind in ("ref", "alt", "delta")
    }


def test_one_variant_needs_no_file_and_prints_what_changes_most(toy, run):
    options, bases, folder = toy
    ref, alt = bases[999], _other(bases, 999)
    source = _table(folder / "v.tsv", [("1", 1000, ref, alt)])
    code, _, err = run("variants", source, "--tf", "MAX", *options)
    assert code == 0, err
    expected = _effects(folder)
    name = f"chr1-1000-{ref}-{alt}"
    for text in (f"chr1:1,000:{ref}:{alt}", f"1-1000-{ref}-{alt}"):
        code, out, err = run("variants", text, "--tf", "MAX", *options)
        assert code == 0, err
        assert f"chr1:1000 {ref}>{alt}: MAX:" in out
        assert "expected AUROC" in out
        assert f"{name}.effects.tsv" in out
        with (folder / "out" / f"{name}.effects.tsv").open() as file:
            assert list(csv.DictReader(file, delimiter="\t")) == expected
    code, out, err = run("variants", text, "--tf", "MAX", *options, "--heatmaps", 1)
    assert code == 0, err
    assert (folder / "out" / f"{name}.svg").is_file()
    code, out, _ = run("variants", f"chr1:1000 {ref}>{alt}", *options, "--json")
    assert code == 0
    found = json.loads(out)
    assert found["variant"] == f"chr1:1000 {ref}>{alt}"
    assert len(found["largest"]) == 10  # of all pairs: none was named
    sizes = [abs(row["p_alt"] - row["p_ref"]) for row in found["largest"]]
    assert sizes == pytest.approx(sorted(sizes, reverse=True), abs=2e-4)
    for row in found["largest"]:
        rises = row["delta_log_odds"] > 0
        assert row["binding"] == ("stronger" if rises else "weaker")
        assert 0 <= row["quantile"] <= 1
        assert row["status"] in {"measured", "imputed"}
    assert found["largest"][0]["pair"] in found["meaning"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("rs12740374", "IDs are not looked up"),
        ("chr1:1000", "not of the form chr:position REF>ALT"),
        ("chr1:1000:A:<DEL>", "not of the form"),
        ("chr1:3001:A:C", "outside of chr1"),
        (
            "gone.vcf",
            "no such file; use a VCF, BCF or TSV file, or one variant such as",
        ),
        ("folder/chr1_1000_A_C.tsv", "no such file"),
    ],
)
def test_what_is_neither_a_variant_nor_a_file_is_refused(toy, run, text, found):
    options, _, folder = toy
    code, _, err = run("variants", text, "--tf", "MAX", *options)
    assert code == 2
    assert found in err
    assert not list((folder / "out").glob("*"))


def test_nothing_but_symbols_is_reported(toy, run):
    options, bases, folder = toy
    rows = [("1", 1000, bases[999], alt) for alt in ("<DEL>", "N[chr2:3[", "*")]
    source = _table(folder / "v.tsv", rows)
    code, _, err = run("variants", source, "--tf", "MAX", *options)
    assert code == 1
    assert "2 alleles not scored: symbolic allele" in err
    assert f"no allele of {source} could be scored" in err
    code, _, err = run(
        "variants",
        _table(folder / "w.tsv", [("9", 5, "A", "C")]),
        "--tf",
        "MAX",
        *options,
    )
    assert code == 2
    assert "none of its chromosomes (9) is in the FASTA (chr1)" in err


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
        assert float(own[0]["delta_log_odds"]) > 0.2
        assert float(own[0]["delta"]) > 0.001  # kept by default, also with --all


def _of_cells(one, other, folder):
    from tfimpute_tracks.models import load_model

    pairs = [f"{tf}\t{cell}" for tf in load_model("deep").tfs for cell in (one, other)]
    (folder / "pairs.tsv").write_text("tf\tcell\n" + "\n".join(pairs) + "\n")
    return folder / "pairs.tsv"
