"""Effects in memory are those that `variants` writes, bit for bit."""

import csv

import numpy as np
import pandas as pd
import pytest

from tfimpute_tracks.errors import TracksError
from toys import write_gapped_genome
from variant_files import line_fields, write_vcf

PAIRS = ["CTCF:K562", "MAX:HepG2", "MAX:K562"]


@pytest.fixture
def vcf(tmp_path):
    _, sequences = write_gapped_genome(tmp_path)
    return write_vcf(tmp_path / "lines.vcf", line_fields(sequences))


@pytest.fixture
def effects(model, gapped):
    def make(variants, pairs=PAIRS, **options):
        return model.variant_effects(variants, pairs, fasta=gapped, **options)

    return make


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", [{}, {"fix_ref": True, "min_delta": 0.01}])
def test_the_table_is_that_of_the_verb(
    run, effects, vcf, weights, gapped, tmp_path, options
):
    ours = effects(vcf, n_background=150, **options)
    flags = ["--fix-ref", "--min-delta", 0.01] if options else []
    arguments = ["-m", weights, "-g", gapped, "--pairs", ";".join(PAIRS)]
    arguments += ["--n-background", 150, "--format", "parquet", *flags]
    run("variants", vcf, *arguments, "-o", tmp_path / "out")
    theirs = pd.read_parquet(tmp_path / "out" / "lines.effects.parquet")
    assert len(ours) > 5
    assert ours["quantile"].max() > 0
    for name in ours:
        left, right = ours[name].to_numpy(), theirs[name].to_numpy()
        if left.dtype.kind == "f":
            assert left.dtype == np.float32
            assert np.array_equal(left, right, equal_nan=True), name
        else:
            assert left.tolist() == right.tolist(), name
    with (tmp_path / "out" / "lines.skipped.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    skipped = ours.attrs["skipped"]
    assert [{k: str(v) for k, v in row.items()} for row in skipped] == rows


def test_variants_are_written_in_any_way(effects, vcf, gapped, tmp_path):
    first = effects(vcf, n_background=0).iloc[:3]
    chrom, pos, ref, alt = first.loc[0, ["chrom", "pos", "ref", "alt"]]
    text = f"{chrom}:{pos}:{ref}:{alt}"
    table = pd.DataFrame(
        [[chrom, pos, ref, alt]], columns=["chrom", "pos", "ref", "alt"]
    )
    path = tmp_path / "one.tsv"
    table.to_csv(path, sep="\t", index=False)
    for variants in (text, [text], table, table.assign(id=None), path, str(path)):
        found = effects(variants, n_background=0)
        assert found.drop(columns="id").equals(first.drop(columns="id"))
    assert effects(table.assign(id="rs1"), n_background=0).id.tolist() == ["rs1"] * 3


def test_a_column_with_missing_positions_is_of_whole_numbers(effects, vcf):
    table = effects(vcf, n_background=0)[["chrom", "pos", "ref", "alt"]][:1]
    table.loc[1] = [None, None, None, None]
    found = effects(table.astype({"pos": float}), n_background=0)
    assert found.pos.tolist() == [table.pos[0]] * 3
    assert len(found.attrs["skipped"]) == 1


def test_no_scored_allele_is_an_empty_table(effects, caplog):
    table = pd.DataFrame({"chrom": ["1"], "pos": [9999], "ref": ["A"], "alt": ["C"]})
    found = effects(table)
    assert found.empty
    assert found.dtypes["delta"] == np.float32
    assert found.attrs["skipped"][0]["reason"] == "outside of the chromosome"
    assert "1 allele not scored: outside of the chromosome" in caplog.text


@pytest.mark.parametrize(
    ("variants", "options", "says"),
    [
        ([], {}, "no variant"),
        (["nonsense"], {}, "variant 'nonsense' is not of the form"),
        (["chr1:1:A:A"], {}, "changes A to A"),
        ("rs123", {}, "IDs are not looked up"),
        ("nowhere.vcf", {}, "nowhere.vcf: no such file"),
        (pd.DataFrame({"chrom": ["1"]}), {}, "no column 'pos'"),
        (None, {}, "no variant"),
        (5, {}, "no variant"),
        ("nowhere.vcf", {"stride": 0}, "stride 0"),
        ("nowhere.vcf", {"stride": 101}, "stride 101"),
        ("nowhere.vcf", {"n_background": -1}, "n_background -1"),
        ("nowhere.vcf", {"min_delta": 2}, "min_delta 2"),
        ("nowhere.vcf", {"seed": "x"}, "seed 'x'"),
        ("nowhere.vcf", {"pairs": "NOPE:K562"}, "unknown TF"),
    ],
)
def test_wrong_values_are_named(effects, variants, options, says):
    with pytest.raises(TracksError) as error:
        effects(variants, **options)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
