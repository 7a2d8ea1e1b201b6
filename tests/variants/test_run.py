"""Files of variants to tables and an annotated VCF: each allele as it scores alone."""

import gzip

import numpy as np
import pysam
import pytest

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.variants.alleles import AlleleScorer
from tfimpute_tracks.variants.matched_background import sample_variants
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.variants.records import Source
from tfimpute_tracks.variants.tables import COLUMNS
from variant_files import HEAD, PAIRS, read_rows, run_toy, write_vcf


def test_rows_are_what_alleles_score(toy, genome, tmp_path, lines):
    run = run_toy(
        toy, genome, write_vcf(tmp_path / "v.vcf", lines), tmp_path, threads=2
    )
    rows = read_rows(tmp_path / "v.effects.tsv")
    assert tuple(rows[0]) == COLUMNS
    assert run.counts.n_scored == 6
    assert len(rows) == 6 * len(PAIRS)
    # In the order of the file, and each as it scores alone.
    assert [row["id"] for row in rows[:: len(PAIRS)]] == [
        *("snv", "two", "two", "deletion", "spanning", "other")
    ]
    scorer = AlleleScorer(toy[0], PAIRS)
    for first in range(0, len(rows), len(PAIRS)):
        row = rows[first]
        variant = Variant(row["chrom"], int(row["pos"]) - 1, row["ref"], row["alt"])
        best = scorer.score(genome, variant).best()
        p_ref, p_alt = map(sigmoid, best)
        for i, pair in enumerate(PAIRS):
            row = rows[first + i]
            assert (row["tf"], row["cell"]) == pair
            told = float(row["p_ref"]), float(row["p_alt"])
            np.testing.assert_allclose(told, (p_ref[i], p_alt[i]), rtol=1e-5)
            assert float(row["delta"]) == pytest.approx(p_alt[i] - p_ref[i], 1e-4)
            change = best[1][i] - best[0][i]
            assert float(row["delta_log_odds"]) == pytest.approx(change, abs=1e-4)
            assert row["quantile"] == ""


def test_what_is_not_scored_has_a_reason(toy, genome, tmp_path, lines):
    run = run_toy(toy, genome, write_vcf(tmp_path / "v.vcf", lines), tmp_path)
    skipped = {
        row["id"]: row["reason"] for row in read_rows(tmp_path / "v.skipped.tsv")
    }
    assert skipped == {
        "swapped": "alleles look swapped",
        "symbolic": "symbolic allele",
        "spanning": "spanning deletion",
        "gap": "unknown sequence",
        "wrong": "reference differs from the genome",
        "end": "outside of the chromosome",
        "unknown": "unknown chromosome",
    }
    assert sum(run.counts.skipped.values()) == 7
    assert run.counts.reference_match == pytest.approx(6 / 8)


@pytest.mark.parametrize(
    "ending", [".vcf.gz", ".bcf", ".tsv", ".tsv.gz", ".VCF", ".gzip.vcf.gz"]
)
def test_every_kind_of_file_says_the_same(toy, genome, tmp_path, lines, ending):
    plain = write_vcf(tmp_path / "v.vcf", lines)
    run_toy(toy, genome, plain, tmp_path)
    expected = (tmp_path / "v.effects.tsv").read_text()
    path = tmp_path / f"w{ending}"
    if ending in {".VCF", ".gzip.vcf.gz"}:  # and not in the blocks of bgzip
        text = plain.read_bytes()
        path.write_bytes(gzip.compress(text) if "gz" in ending else text)
        path = path.rename(tmp_path / f"w{ending.removeprefix('.gzip')}")
    elif "tsv" in ending:
        table = ["id\tchrom\tpos\tref\talt\tmore"]
        table += [f"{n}\t{c}\t{p}\t{r}\t{a}\tx" for n, (c, p, r, a) in lines.items()]
        text = "\n".join([*table, ""])
        path.write_bytes(
            gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode()
        )
    else:
        with pysam.VariantFile(str(plain)) as source:
            source.header.info.add("END", 1, "Integer", "Last position")
            mode = "wb" if ending == ".bcf" else "wz"
            with pysam.VariantFile(str(path), mode, header=source.header) as file:
                for record in source:
                    file.write(record)
    run = run_toy(toy, genome, path, tmp_path)
    assert (tmp_path / "w.effects.tsv").read_text() == expected
    assert len(run.files) == (2 if "tsv" in ending else 3)


def test_small_changes_are_left_out_where_asked(toy, genome, tmp_path, lines):
    path = write_vcf(tmp_path / "v.vcf", lines)
    run_toy(toy, genome, path, tmp_path)
    every = [abs(float(row["delta"])) for row in read_rows(tmp_path / "v.effects.tsv")]
    least = float(np.median(every))
    run_toy(toy, genome, path, tmp_path, layout=("tsv", False, least))
    some = [abs(float(row["delta"])) for row in read_rows(tmp_path / "v.effects.tsv")]
    assert some == [delta for delta in every if delta >= least * 0.99999]


def test_a_file_that_ends_early_leaves_what_was_there(toy, genome, tmp_path, lines):
    many = {f"v{i}": lines["snv"] for i in range(3000)}
    whole = tmp_path / "v.vcf.gz"
    pysam.tabix_compress(str(write_vcf(tmp_path / "w.vcf", many)), str(whole))
    kept = tmp_path / "v.effects.tsv"
    kept.write_text("of an earlier run\n")
    size = whole.stat().st_size
    whole.write_bytes(whole.read_bytes()[: size // 2])
    with pytest.raises(InputFileError, match="cut short or damaged"):
        run_toy(toy, genome, whole, tmp_path)
    assert kept.read_text() == "of an earlier run\n"
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"w.vcf", "v.vcf.gz", "v.effects.tsv"}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("gone.vcf", None, "no such file"),
        ("empty.vcf", b"", "the file is empty"),
        ("text.vcf", b"chr1 5 A C\n", "a VCF begins with the line"),
        ("some.txt", b"a\tb\n1\t2\n", "does not contain the columns"),
        ("some.tsv.gz", b"chrom\tpos\n", "does not contain the columns"),
        ("some.tsv.gz", b"\x1f\x8b\x08\x00cut", "cut short or damaged"),
    ],
)
def test_what_holds_no_variants_is_refused(toy, genome, tmp_path, name, content, told):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputFileError, match=told):
        run_toy(toy, genome, path, tmp_path)


def test_maps_are_drawn_of_the_first_alleles(toy, genome, tmp_path, lines):
    path = write_vcf(tmp_path / "v.vcf", lines)
    run = run_toy(toy, genome, path, tmp_path, n_heatmaps=2)
    maps = [file for file in run.files if file.suffix == ".svg"]
    assert [file.with_suffix(".html") in run.files for file in maps] == [True, True]
    snv, two = lines["snv"], lines["two"]
    first = two[3].split(",")[0]
    assert [file.name for file in maps] == [
        f"v.chr1-301-{snv[2]}-{snv[3]}.svg",
        f"v.chr1-701-{two[2]}-{first}.svg",
    ]
    text = maps[0].read_text()
    assert "MAX (" in text
    assert "HepG2" in text


def test_files_are_named_after_all_but_the_ending(toy, genome, tmp_path, lines):
    for name in ("1000G.chr1.vcf", "1000G.chr2.vcf"):
        run_toy(
            toy, genome, write_vcf(tmp_path / name, {"snv": lines["snv"]}), tmp_path
        )
    for stem in ("1000G.chr1", "1000G.chr2"):
        assert (tmp_path / f"{stem}.effects.tsv").exists()
        assert (tmp_path / f"{stem}.annotated.vcf.gz").exists()


def test_neither_threads_nor_batches_change_a_byte(toy, genome, tmp_path, lines):
    """Alleles go through the network with others each time."""
    path = write_vcf(
        tmp_path / "v.vcf", {f"{n}{i}": lines[n] for i in range(9) for n in lines}
    )
    tables = []
    for threads in (1, 3):
        run_toy(toy, genome, path, tmp_path, threads=threads)
        tables.append((tmp_path / "v.effects.tsv").read_bytes())
    assert tables[0] == tables[1]
    rows = [line.split(b"\t") for line in tables[0].splitlines()[1:]]
    assert len(rows) == 9 * 6 * len(PAIRS)
    by_place = {}
    for row in rows:
        numbers = by_place.setdefault((*row[:2], *row[3:8]), set())
        numbers.add(tuple(row[8:]))
    assert all(len(numbers) == 1 for numbers in by_place.values())


def test_lines_stay_in_their_order_sorted_or_not(toy, genome, tmp_path, lines):
    order = ["other", "deletion", "snv", "end", "spanning", "two"]
    path = write_vcf(tmp_path / "v.vcf", {name: lines[name] for name in order})
    run_toy(toy, genome, path, tmp_path, threads=2)
    found = dict.fromkeys(row["id"] for row in read_rows(tmp_path / "v.effects.tsv"))
    assert list(found) == ["other", "deletion", "snv", "spanning", "two"]
    with pysam.VariantFile(str(tmp_path / "v.annotated.vcf.gz")) as file:
        assert [record.id for record in file] == order


def test_names_that_differ_are_reported(toy, genome, tmp_path, lines):
    run = run_toy(toy, genome, write_vcf(tmp_path / "v.vcf", lines), tmp_path)
    assert run.counts.chroms == {"1": "chr1", "chr20": "chr20", "chr9": None}


def test_a_file_of_another_genome_is_one_line(toy, genome, tmp_path, lines):
    path = tmp_path / "v.tsv"
    rows = [f"{chrom}\t{pos}\tA\tC" for pos in range(1, 900) for chrom in ("2L", "2R")]
    path.write_text("\n".join(["chrom\tpos\tref\talt", *rows, ""]))
    with pytest.raises(
        InputFileError, match=r"\(2L, 2R\) is in the FASTA \(chr1, chr20\)"
    ):
        run_toy(toy, genome, path, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["v.tsv"]


@pytest.mark.parametrize("ending", [".vcf", ".tsv"])
def test_a_file_without_a_line_has_tables_without_one(toy, genome, tmp_path, ending):
    path = tmp_path / f"v{ending}"
    path.write_text(HEAD if ending == ".vcf" else "chrom\tpos\tref\talt\n")
    run = run_toy(toy, genome, path, tmp_path)
    assert (run.counts.n_scored, run.counts.reference_match) == (0, None)
    for name in ("effects", "skipped"):
        assert read_rows(tmp_path / f"v.{name}.tsv") == []


def test_quotes_in_a_table_are_characters_of_names(toy, genome, tmp_path, lines):
    chrom, pos, ref, alt = lines["snv"]
    path = tmp_path / "v.tsv"
    path.write_text(f'id\tchrom\tpos\tref\talt\n"odd\t{chrom}\t{pos}\t{ref}\t{alt}\n')
    run = run_toy(toy, genome, path, tmp_path)
    assert run.counts.n_scored == 1
    text = (tmp_path / "v.effects.tsv").read_text().splitlines()[1]
    assert text.split("\t")[2] == '"odd'


@pytest.mark.parametrize(
    "pos", ["0", "-5", "5.0", "", "x", "1,000", "4001", "9" * 30, "9" * 6000]
)
def test_a_position_that_is_none_is_reported(toy, genome, tmp_path, pos):
    path = tmp_path / "v.tsv"
    path.write_text(f"chrom\tpos\tref\talt\n1\t{pos}\tA\tC\n")
    assert sample_variants(Source.of(path), genome, False, 9, 0).alleles == []
    run = run_toy(toy, genome, path, tmp_path)
    is_number = pos.isdecimal()
    why = "outside of the chromosome" if is_number else "invalid position"
    assert run.counts.skipped == {why: 1}
    detail = read_rows(tmp_path / "v.skipped.tsv")[0]["detail"]
    assert pos != "1,000" or detail == "'1,000' has thousand separators; write 1000"
