"""The annotated VCF, and records whose REF is not that of the genome."""

import gzip

import pysam
import pytest

from tfimpute_tracks.genome import open_genome
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.variants.alleles import AlleleScorer
from tfimpute_tracks.variants.normalize import Variant
from toys import write_fasta
from variant_files import PAIRS, other_base, read_rows, run_toy, write_vcf


def test_the_vcf_keeps_its_columns_and_reports_the_largest(
    toy, genome, tmp_path, lines
):
    run_toy(toy, genome, write_vcf(tmp_path / "v.vcf", lines), tmp_path, n_annotated=2)
    rows = read_rows(tmp_path / "v.effects.tsv")
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


def test_a_vcf_that_names_no_contigs_is_taken(toy, genome, tmp_path, lines):
    path = write_vcf(
        tmp_path / "v.vcf", {name: lines[name] for name in ("snv", "other")}
    )
    text = path.read_text()
    path.write_text("".join(x for x in text.splitlines(True) if "contig" not in x))
    run = run_toy(toy, genome, path, tmp_path)
    assert run.counts.n_scored == 2
    with pysam.VariantFile(str(tmp_path / "v.annotated.vcf.gz")) as file:
        told = [record.info["TFIMPUTE"] for record in file]
    assert [len(texts) for texts in told] == [3, 3]


def test_reversed_alleles_are_swapped_on_request(toy, genome, tmp_path, lines):
    path = write_vcf(tmp_path / "v.vcf", {"swapped": lines["swapped"]})
    run = run_toy(toy, genome, path, tmp_path, fix_ref=True)
    row = read_rows(tmp_path / "v.effects.tsv")[0]
    assert (row["ref"], row["alt"]) == lines["swapped"][3:1:-1]
    assert row["swapped"] == "true"
    assert (run.counts.n_scored, run.counts.n_swapped) == (1, 1)


def test_a_swapped_record_gets_the_effect_from_its_ref_to_its_alt(
    toy, genome, tmp_path, lines
):
    path = write_vcf(
        tmp_path / "v.vcf", {name: lines[name] for name in ("swapped", "snv")}
    )
    run_toy(toy, genome, path, tmp_path, fix_ref=True, n_annotated=3)
    rows = read_rows(tmp_path / "v.effects.tsv")[:3]
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


def test_all_alleles_of_a_swapped_record_are_scored_from_its_ref(
    toy, genome, tmp_path, lines
):
    """As in a genome that has the record's REF."""
    chrom, pos, ref, own = lines["swapped"]
    third = min(set("ACGT") - {ref, own})
    path = write_vcf(tmp_path / "v.vcf", {"x": (chrom, pos, ref, f"{third},{own},*")})
    run = run_toy(toy, genome, path, tmp_path, fix_ref=True, n_annotated=3)
    assert (run.counts.n_scored, run.counts.n_swapped) == (2, 2)
    assert run.counts.skipped == {"spanning deletion": 1}
    rows = read_rows(tmp_path / "v.effects.tsv")
    assert [(r["ref"], r["alt"], r["swapped"]) for r in rows[:: len(PAIRS)]] == [
        *((own, third, "true"), (own, ref, "true"))
    ]
    letters = toy[2]["chr1"]
    write_fasta(
        tmp_path / "other.fa", {"chr1": letters[: pos - 1] + ref + letters[pos:]}
    )
    with pysam.VariantFile(str(tmp_path / "v.annotated.vcf.gz")) as file:
        (record,) = file
    assert record.info["TFIMPUTE_SWAPPED"]
    told = {
        tuple(t[:3]): t[3:] for t in (x.split("|") for x in record.info["TFIMPUTE"])
    }
    assert len(told) == 2 * len(PAIRS)
    scorer = AlleleScorer(toy[0], PAIRS)
    with open_genome(tmp_path / "other.fa") as other:
        for alt in (third, own):
            best = scorer.score(other, Variant("chr1", pos - 1, ref, alt)).best()
            for pair, *sides in zip(PAIRS, *map(sigmoid, best), strict=True):
                found = [float(x) for x in told[alt, *pair][:3]]
                expected = [*sides, sides[1] - sides[0]]
                assert found == pytest.approx(expected, rel=2e-3, abs=1e-6)


@pytest.mark.parametrize("ending", [".vcf.gz", ".bcf"])
def test_results_of_an_earlier_run_are_replaced(toy, genome, tmp_path, lines, ending):
    """Also if another program has used our keys for something else."""
    path = write_vcf(tmp_path / "v.vcf", lines)
    run_toy(toy, genome, path, tmp_path, fix_ref=True, n_annotated=2)
    first = tmp_path / "v.annotated.vcf.gz"
    again = tmp_path / f"w{ending}"
    with pysam.VariantFile(str(first)) as source:
        mode = "wb" if ending == ".bcf" else "wz"
        with pysam.VariantFile(str(again), mode, header=source.header) as file:
            for record in source:
                file.write(record)
    run = run_toy(toy, genome, again, tmp_path, n_annotated=2)
    assert run.counts.n_scored == 6
    text = gzip.decompress((tmp_path / "w.annotated.vcf.gz").read_bytes()).decode()
    assert text.count("##INFO=<ID=TFIMPUTE,") == 1
    run_toy(toy, genome, path, tmp_path, n_annotated=2)  # without swapping
    plain = gzip.decompress(first.read_bytes()).decode()
    text = text.replace(";END=1200", "")  # pysam added it when it wrote the copy
    own, other = ([x for x in t.splitlines() if x[0] != "#"] for t in (text, plain))
    assert own == other


def test_keys_that_another_program_declared_are_ours(toy, genome, tmp_path, lines):
    path = write_vcf(tmp_path / "v.vcf", {"snv": lines["snv"], "gap": lines["gap"]})
    text = path.read_text()
    foreign = '##INFO=<ID=TFIMPUTE,Number=1,Type=Float,Description="Other">\n#CHROM'
    text = text.replace("#CHROM", foreign).replace("AF=0.5", "TFIMPUTE=0.5;AF=0.5")
    path.write_text(text)
    run_toy(toy, genome, path, tmp_path)
    with pysam.VariantFile(str(tmp_path / "v.annotated.vcf.gz")) as file:
        assert file.header.info["TFIMPUTE"].type == "String"
        snv, gap = file
    assert len(snv.info["TFIMPUTE"]) == 3
    assert "TFIMPUTE" not in gap.info
    assert gap.info["AF"] == (0.5,)


def test_an_indel_of_another_reference_is_not_taken_for_swapped(toy, genome, tmp_path):
    letters = toy[2]["chr1"]
    at = 1100
    wrong = letters[at - 1] + other_base(letters[at])
    line = {"indel": ("1", at, wrong, letters[at - 1])}
    run = run_toy(
        toy, genome, write_vcf(tmp_path / "v.vcf", line), tmp_path, fix_ref=True
    )
    assert run.counts.skipped == {"reference differs from the genome": 1}


def _effects(path):
    """Values of each entry, by record, allele and pair."""
    with pysam.VariantFile(str(path)) as file:
        return {
            (record.id, *entry.split("|")[:3]): entry.split("|")[3:]
            for record in file
            for entry in record.info.get("TFIMPUTE", ())
        }


def test_other_pairs_of_an_earlier_run_stay(toy, genome, tmp_path, lines):
    path = write_vcf(tmp_path / "v.vcf", lines)
    run_toy(toy, genome, path, tmp_path, fix_ref=True, n_annotated=3)
    whole = _effects(tmp_path / "v.annotated.vcf.gz")
    run_toy(toy, genome, path, tmp_path, fix_ref=True, pairs=PAIRS[:2])
    (tmp_path / "v.annotated.vcf.gz").rename(tmp_path / "w.vcf.gz")
    first = tmp_path / "w.vcf.gz"
    run_toy(toy, genome, first, tmp_path, fix_ref=True, pairs=PAIRS[1:])
    again = tmp_path / "w.annotated.vcf.gz"
    assert _effects(again) == whole
    text = gzip.decompress(again.read_bytes()).decode()
    assert text.count("##INFO=<ID=TFIMPUTE,") == 1
    assert text.count("##INFO=<ID=TFIMPUTE_SWAPPED,") == 1
    run_toy(toy, genome, first, tmp_path, pairs=PAIRS[2:])  # without swapping
    with pysam.VariantFile(str(again)) as file:
        swapped = next(record for record in file if record.id == "swapped")
    assert swapped.info["TFIMPUTE_SWAPPED"]
    assert len(swapped.info["TFIMPUTE"]) == 2
