"""Files of variants to tables and an annotated VCF: each allele as it scores alone."""

import csv
import gzip
from contextlib import nullcontext

import numpy as np
import pysam
import pytest

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.variants.alleles import AlleleScorer
from tfimpute_tracks.variants.job import VariantJob
from tfimpute_tracks.variants.matched_background import sample_variants
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.variants.records import Source
from tfimpute_tracks.variants.run import run_variants
from tfimpute_tracks.variants.tables import COLUMNS, Layout
from tfimpute_tracks.vocabulary import Pair

PAIRS = [Pair("CTCF", "K562"), Pair("MAX", "HepG2"), Pair("MAX", "K562")]
HEAD = """##fileformat=VCFv4.2
##contig=<ID=1,length=4000>
##contig=<ID=chr20,length=900>
##contig=<ID=chr9,length=900>
##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tme
"""


def _other(letter):
    return "ACGT"["ACGT".index(letter) - 1]


@pytest.fixture
def lines(toy):
    """Give fields of lines, by what is to become of them."""
    one, twenty = toy[2]["chr1"], toy[2]["chr20"]
    at = {pos: one[pos - 1] for pos in (301, 701, 900, 1100, 2500)}
    return {
        "snv": ("1", 301, at[301], _other(at[301])),
        "two": ("1", 701, at[701], f"{_other(at[701])},{at[701]}GA"),
        "deletion": ("1", 900, one[899:904], one[899]),
        "swapped": ("1", 1100, _other(at[1100]), at[1100]),
        "symbolic": ("1", 1200, one[1199], "<DEL>"),
        "spanning": ("1", 1300, one[1299], f"*,{_other(one[1299])}"),
        "gap": ("1", 1700, "A", "C"),
        "wrong": ("1", 2500, *(sorted(set("ACGT") - {at[2500]})[:2])),
        "end": ("1", 3999, one[3998], _other(one[3998])),
        "other": ("chr20", 450, twenty[449], _other(twenty[449])),
        "unknown": ("chr9", 5, "A", "C"),
    }


def _vcf(path, lines):
    with path.open("w") as file:
        file.write(HEAD)
        for name, (chrom, pos, ref, alt) in lines.items():
            share = ",".join("0.5" for _ in alt.split(","))
            what = f"{name}\t{ref}\t{alt}\t7\tPASS\tAF={share}\tGT\t0/1"
            file.write(f"{chrom}\t{pos}\t{what}\n")
    return path


def no_progress(*_):
    return nullcontext(lambda _: None)


def _run(toy, genome, path, out, **changes):
    changes["layout"] = Layout(*changes.pop("layout", ()))
    job = VariantJob(toy[0], PAIRS, Source.of(path), out, **changes)
    return run_variants(job, genome, no_progress)


def _rows(path):
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_rows_are_what_alleles_score(toy, genome, tmp_path, lines):
    run = _run(toy, genome, _vcf(tmp_path / "v.vcf", lines), tmp_path, threads=2)
    rows = _rows(tmp_path / "v.effects.tsv")
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
    run = _run(toy, genome, _vcf(tmp_path / "v.vcf", lines), tmp_path)
    skipped = {row["id"]: row["reason"] for row in _rows(tmp_path / "v.skipped.tsv")}
    assert skipped == {
        "swapped": "alleles look swapped",
        "symbolic": "symbolic allele",
        "spanning": "spanning deletion",
        "gap": "unknown sequence",
        "wrong": "reference differs from the genome",
        "end": "too close to the chromosome end",
        "unknown": "unknown chromosome",
    }
    assert sum(run.counts.skipped.values()) == 7
    assert run.counts.reference_match == pytest.approx(6 / 8)


def test_reversed_alleles_are_swapped_on_request(toy, genome, tmp_path, lines):
    path = _vcf(tmp_path / "v.vcf", {"swapped": lines["swapped"]})
    run = _run(toy, genome, path, tmp_path, fix_ref=True)
    row = _rows(tmp_path / "v.effects.tsv")[0]
    assert (row["ref"], row["alt"]) == lines["swapped"][3:1:-1]
    assert (run.counts.n_scored, run.counts.n_swapped) == (1, 1)


def test_a_swapped_record_gets_the_effect_from_its_ref_to_its_alt(
    toy, genome, tmp_path, lines
):
    path = _vcf(tmp_path / "v.vcf", {name: lines[name] for name in ("swapped", "snv")})
    _run(toy, genome, path, tmp_path, fix_ref=True, n_annotated=3)
    rows = _rows(tmp_path / "v.effects.tsv")[:3]
    by_pair = {(row["tf"], row["cell"]): row for row in rows}
    with pysam.VariantFile(str(tmp_path / "v.annotated.vcf.gz")) as file:
        swapped, snv = file
        assert (swapped.ref, *swapped.alts) == lines["swapped"][2:]
        assert swapped.info["TFIMPUTE_SWAPPED"]
        assert "TFIMPUTE_SWAPPED" not in snv.info
        told = [text.split("|") for text in swapped.info["TFIMPUTE"]]
    assert len(told) == 3
    for alt, tf, cell, p_ref, p_alt, delta, _ in told:
        row = by_pair[tf, cell]
        assert alt == swapped.alts[0] == row["ref"]
        assert float(p_ref) == pytest.approx(float(row["p_alt"]), rel=1e-3)
        assert float(p_alt) == pytest.approx(float(row["p_ref"]), rel=1e-3)
        assert float(delta) == pytest.approx(-float(row["delta"]), rel=1e-3)


@pytest.mark.parametrize("ending", [".vcf.gz", ".bcf"])
def test_results_of_an_earlier_run_are_replaced(toy, genome, tmp_path, lines, ending):
    """Also if another program has used our keys for something else."""
    path = _vcf(tmp_path / "v.vcf", lines)
    _run(toy, genome, path, tmp_path, fix_ref=True, n_annotated=2)
    first = tmp_path / "v.annotated.vcf.gz"
    again = tmp_path / f"w{ending}"
    with pysam.VariantFile(str(first)) as source:
        mode = "wb" if ending == ".bcf" else "wz"
        with pysam.VariantFile(str(again), mode, header=source.header) as file:
            for record in source:
                file.write(record)
    run = _run(toy, genome, again, tmp_path, n_annotated=2)
    assert run.counts.n_scored == 6
    text = gzip.decompress((tmp_path / "w.annotated.vcf.gz").read_bytes()).decode()
    assert text.count("##INFO=<ID=TFIMPUTE,") == 1
    _run(toy, genome, path, tmp_path, n_annotated=2)  # without swapping
    plain = gzip.decompress(first.read_bytes()).decode()
    text = text.replace(";END=1200", "")  # pysam added it when it wrote the copy
    own, other = ([x for x in t.splitlines() if x[0] != "#"] for t in (text, plain))
    assert own == other


def test_keys_that_another_program_declared_are_ours(toy, genome, tmp_path, lines):
    path = _vcf(tmp_path / "v.vcf", {"snv": lines["snv"], "gap": lines["gap"]})
    text = path.read_text()
    foreign = '##INFO=<ID=TFIMPUTE,Number=1,Type=Float,Description="Other">\n#CHROM'
    text = text.replace("#CHROM", foreign).replace("AF=0.5", "TFIMPUTE=0.5;AF=0.5")
    path.write_text(text)
    _run(toy, genome, path, tmp_path)
    with pysam.VariantFile(str(tmp_path / "v.annotated.vcf.gz")) as file:
        assert file.header.info["TFIMPUTE"].type == "String"
        snv, gap = file
    assert len(snv.info["TFIMPUTE"]) == 3
    assert "TFIMPUTE" not in gap.info
    assert gap.info["AF"] == (0.5,)


@pytest.mark.parametrize("ending", [".vcf.gz", ".bcf", ".tsv", ".tsv.gz"])
def test_every_kind_of_file_says_the_same(toy, genome, tmp_path, lines, ending):
    plain = _vcf(tmp_path / "v.vcf", lines)
    _run(toy, genome, plain, tmp_path)
    expected = (tmp_path / "v.effects.tsv").read_text()
    path = tmp_path / f"w{ending}"
    if "tsv" in ending:
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
    run = _run(toy, genome, path, tmp_path)
    assert (tmp_path / "w.effects.tsv").read_text() == expected
    assert len(run.files) == (2 if "tsv" in ending else 3)


def test_the_vcf_keeps_its_columns_and_reports_the_largest(
    toy, genome, tmp_path, lines
):
    _run(toy, genome, _vcf(tmp_path / "v.vcf", lines), tmp_path, n_annotated=2)
    rows = _rows(tmp_path / "v.effects.tsv")
    with pysam.VariantFile(str(tmp_path / "v.annotated.vcf.gz")) as file:
        records = list(file)
    assert [record.id for record in records] == list(lines)
    for record in records:
        assert record.qual == 7
        assert record.samples["me"]["GT"] == (0, 1)
        assert len(record.info["AF"]) == len(record.alts)
    assert "TFIMPUTE" not in records[list(lines).index("gap")].info
    told = [text.split("|") for text in records[0].info["TFIMPUTE"]]
    own = sorted(rows[:3], key=lambda row: -abs(float(row["delta"])))[:2]
    assert [t[:3] for t in told] == [[r["alt"], r["tf"], r["cell"]] for r in own]
    assert all(len(t) == 7 and t[6] == "." for t in told)  # no background was asked for
    assert len(records[1].info["TFIMPUTE"]) == 4  # two alleles


def test_small_changes_are_left_out_where_asked(toy, genome, tmp_path, lines):
    path = _vcf(tmp_path / "v.vcf", lines)
    _run(toy, genome, path, tmp_path)
    every = [abs(float(row["delta"])) for row in _rows(tmp_path / "v.effects.tsv")]
    least = float(np.median(every))
    _run(toy, genome, path, tmp_path, layout=("tsv", False, least))
    some = [abs(float(row["delta"])) for row in _rows(tmp_path / "v.effects.tsv")]
    assert some == [delta for delta in every if delta >= least * 0.99999]


def test_a_file_that_ends_early_leaves_what_was_there(toy, genome, tmp_path, lines):
    many = {f"v{i}": lines["snv"] for i in range(3000)}
    whole = tmp_path / "v.vcf.gz"
    pysam.tabix_compress(str(_vcf(tmp_path / "w.vcf", many)), str(whole))
    kept = tmp_path / "v.effects.tsv"
    kept.write_text("of an earlier run\n")
    size = whole.stat().st_size
    whole.write_bytes(whole.read_bytes()[: size // 2])
    with pytest.raises(InputFileError, match=r"truncated or damaged|not readable"):
        _run(toy, genome, whole, tmp_path)
    assert kept.read_text() == "of an earlier run\n"
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"w.vcf", "v.vcf.gz", "v.effects.tsv"}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("gone.vcf", None, "no such file"),
        ("empty.vcf", b"", "not readable as VCF"),
        ("text.vcf", b"chr1 5 A C\n", "not readable as VCF"),
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
        _run(toy, genome, path, tmp_path)


def test_maps_are_drawn_of_the_first_alleles(toy, genome, tmp_path, lines):
    path = _vcf(tmp_path / "v.vcf", lines)
    run = _run(toy, genome, path, tmp_path, n_heatmaps=2)
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
        _run(toy, genome, _vcf(tmp_path / name, {"snv": lines["snv"]}), tmp_path)
    for stem in ("1000G.chr1", "1000G.chr2"):
        assert (tmp_path / f"{stem}.effects.tsv").exists()
        assert (tmp_path / f"{stem}.annotated.vcf.gz").exists()


def test_an_indel_of_another_reference_is_not_taken_for_swapped(toy, genome, tmp_path):
    letters = toy[2]["chr1"]
    at = 1100
    wrong = letters[at - 1] + _other(letters[at])
    line = {"indel": ("1", at, wrong, letters[at - 1])}
    run = _run(toy, genome, _vcf(tmp_path / "v.vcf", line), tmp_path, fix_ref=True)
    assert run.counts.skipped == {"reference differs from the genome": 1}


def test_neither_threads_nor_batches_change_a_byte(toy, genome, tmp_path, lines):
    """Alleles go through the network with others each time."""
    path = _vcf(
        tmp_path / "v.vcf", {f"{n}{i}": lines[n] for i in range(9) for n in lines}
    )
    tables = []
    for threads in (1, 3):
        _run(toy, genome, path, tmp_path, threads=threads)
        tables.append((tmp_path / "v.effects.tsv").read_bytes())
    assert tables[0] == tables[1]
    rows = [line.split(b"\t") for line in tables[0].splitlines()[1:]]
    assert len(rows) == 9 * 6 * len(PAIRS)
    by_place = {}
    for row in rows:
        numbers = by_place.setdefault((*row[:2], *row[3:7]), set())
        numbers.add(tuple(row[7:]))
    assert all(len(numbers) == 1 for numbers in by_place.values())


def test_lines_stay_in_their_order_sorted_or_not(toy, genome, tmp_path, lines):
    order = ["other", "deletion", "snv", "end", "spanning", "two"]
    path = _vcf(tmp_path / "v.vcf", {name: lines[name] for name in order})
    _run(toy, genome, path, tmp_path, threads=2)
    found = dict.fromkeys(row["id"] for row in _rows(tmp_path / "v.effects.tsv"))
    assert list(found) == ["other", "deletion", "snv", "spanning", "two"]
    with pysam.VariantFile(str(tmp_path / "v.annotated.vcf.gz")) as file:
        assert [record.id for record in file] == order


def test_a_vcf_that_names_no_contigs_is_taken(toy, genome, tmp_path, lines):
    path = _vcf(tmp_path / "v.vcf", {name: lines[name] for name in ("snv", "other")})
    text = path.read_text()
    path.write_text("".join(x for x in text.splitlines(True) if "contig" not in x))
    run = _run(toy, genome, path, tmp_path)
    assert run.counts.n_scored == 2
    with pysam.VariantFile(str(tmp_path / "v.annotated.vcf.gz")) as file:
        told = [record.info["TFIMPUTE"] for record in file]
    assert [len(texts) for texts in told] == [3, 3]


def test_names_that_differ_are_reported(toy, genome, tmp_path, lines):
    run = _run(toy, genome, _vcf(tmp_path / "v.vcf", lines), tmp_path)
    assert run.counts.chroms == {"1": "chr1", "chr20": "chr20", "chr9": None}


def test_a_file_of_another_genome_is_one_line(toy, genome, tmp_path, lines):
    path = tmp_path / "v.tsv"
    rows = [f"{chrom}\t{pos}\tA\tC" for pos in range(1, 900) for chrom in ("2L", "2R")]
    path.write_text("\n".join(["chrom\tpos\tref\talt", *rows, ""]))
    with pytest.raises(
        InputFileError, match=r"\(2L, 2R\) is in the FASTA \(chr1, chr20\)"
    ):
        _run(toy, genome, path, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["v.tsv"]


@pytest.mark.parametrize("ending", [".vcf", ".tsv"])
def test_a_file_without_a_line_has_tables_without_one(toy, genome, tmp_path, ending):
    path = tmp_path / f"v{ending}"
    path.write_text(HEAD if ending == ".vcf" else "chrom\tpos\tref\talt\n")
    run = _run(toy, genome, path, tmp_path)
    assert (run.counts.n_scored, run.counts.reference_match) == (0, None)
    for name in ("effects", "skipped"):
        assert _rows(tmp_path / f"v.{name}.tsv") == []


def test_quotes_in_a_table_are_characters_of_names(toy, genome, tmp_path, lines):
    chrom, pos, ref, alt = lines["snv"]
    path = tmp_path / "v.tsv"
    path.write_text(f'id\tchrom\tpos\tref\talt\n"odd\t{chrom}\t{pos}\t{ref}\t{alt}\n')
    run = _run(toy, genome, path, tmp_path)
    assert run.counts.n_scored == 1
    text = (tmp_path / "v.effects.tsv").read_text().splitlines()[1]
    assert text.split("\t")[2] == '"odd'


@pytest.mark.parametrize(
    "pos", ["0", "-5", "5.0", "", "x", "4001", "9" * 30, "9" * 6000]
)
def test_a_position_that_is_none_is_reported(toy, genome, tmp_path, pos):
    path = tmp_path / "v.tsv"
    path.write_text(f"chrom\tpos\tref\talt\n1\t{pos}\tA\tC\n")
    assert sample_variants(Source.of(path), genome, False, 9, 0).alleles == []
    run = _run(toy, genome, path, tmp_path)
    assert run.counts.skipped == {"outside of the chromosome": 1}
