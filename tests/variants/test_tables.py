"""Tables in every layout hold the same numbers, whatever the size of a row group."""

import csv

import numpy as np
import pytest
from pyarrow import parquet

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.variants.tables import (
    COLUMNS,
    MAX_WIDE_COLUMNS,
    ROW_GROUP,
    Layout,
    ScoredAllele,
    check_layout,
    open_table,
)
from tfimpute_tracks.vocabulary import Pair

PAIRS = [Pair("CTCF", "K562"), Pair("MAX", "HepG2"), Pair("MAX", "K562")]
STATUS = ["measured", "imputed", "imputed"]


@pytest.fixture
def alleles(rng):
    found = []
    for i in range(40):
        ref, alt = rng.random((2, 3)).astype(np.float32)
        change = np.log(alt / ref)
        quantile = rng.random(3) if i % 2 else np.full(3, np.nan)
        numbers = np.stack([ref, alt, alt - ref, change, quantile]).astype(np.float32)
        variant = Variant("chr1" if i < 20 else "chr20", 7 * i, "A" * (1 + i % 3), "C")
        name = f"rs{i}" if i % 5 else ""
        found.append(ScoredAllele(variant, name, numbers, i % 4 == 0))
    return found


def _written(folder, layout, alleles, row_group=ROW_GROUP):
    dest = folder / f"t.{layout.suffix}"
    with open_table(dest, layout, PAIRS, STATUS, row_group) as table:
        for allele in alleles:
            table.add(allele)
    if layout.suffix == "parquet":
        return parquet.read_table(dest).to_pylist(), parquet.ParquetFile(dest)
    with dest.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t")), None


def _expected(alleles, least):
    rows = []
    for allele in alleles:
        chrom, start, ref, alt = allele.variant
        for i, pair in enumerate(PAIRS):
            if abs(allele.delta[i]) >= least:
                place = chrom, start + 1, allele.name, ref, alt, allele.is_swapped
                values = *place, *pair, STATUS[i], *allele.effects[:, i].tolist()
                rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


@pytest.mark.parametrize("least", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("group", [1, 50, 1 << 20])
def test_long_tables_hold_every_number(tmp_path, alleles, least, group):
    expected = _expected(alleles, least)
    text, _ = _written(tmp_path, Layout("tsv", False, least), alleles)
    binary, file = _written(tmp_path, Layout("parquet", False, least), alleles, group)
    assert len(text) == len(binary) == len(expected)
    assert file.schema_arrow.names == list(COLUMNS)
    if group == 50 and not least:
        assert 2 <= file.num_row_groups <= 5
    for row, other, told in zip(text, binary, expected, strict=True):
        assert row["swapped"] == str(told["swapped"]).lower()
        assert other["swapped"] is told["swapped"]
        for name in (*COLUMNS[:5], *COLUMNS[6:9]):
            assert row[name] == str(other[name]) == str(told[name])
        for name in COLUMNS[9:]:
            if np.isnan(told[name]):
                assert row[name] == ""
                assert other[name] is None
                continue
            assert other[name] == told[name]
            rel = {"delta_log_odds": 6e-5, "quantile": 6e-4}.get(name, 6e-6)
            assert float(row[name]) == pytest.approx(told[name], rel=rel)


@pytest.mark.parametrize("ending", ["tsv", "parquet"])
@pytest.mark.parametrize("group", [4, 1 << 20])
def test_wide_tables_have_a_column_for_each_pair(tmp_path, alleles, ending, group):
    rows, _ = _written(tmp_path, Layout(ending, True, 0.4), alleles, group)
    kept = [allele for allele in alleles if np.abs(allele.delta).max() >= 0.4]
    assert 0 < len(kept) < len(alleles)
    assert len(rows) == len(kept)
    for row, allele in zip(rows, kept, strict=True):
        assert list(row) == [*COLUMNS[:6], "CTCF:K562", "MAX:HepG2", "MAX:K562"]
        assert str(row["swapped"]).lower() == str(allele.is_swapped).lower()
        chrom, start, ref, alt = allele.variant
        place = [chrom, str(start + 1), allele.name, ref, alt]
        assert [str(row[name]) for name in COLUMNS[:5]] == place
        for pair, delta in zip(PAIRS, allele.delta, strict=True):
            assert float(row[str(pair)]) == pytest.approx(delta, rel=1e-5)


@pytest.mark.parametrize("ending", ["tsv", "parquet"])
@pytest.mark.parametrize("wide", [False, True])
def test_a_table_without_a_row_can_be_read(tmp_path, ending, wide):
    rows, _ = _written(tmp_path, Layout(ending, wide), [])
    assert rows == []


def _broken_off(dest, ending, allele):
    with open_table(dest, Layout(ending), PAIRS, STATUS) as table:
        table.add(allele)
        raise RuntimeError


@pytest.mark.parametrize("ending", ["tsv", "parquet"])
def test_a_table_that_was_not_ended_is_not_there(tmp_path, alleles, ending):
    with pytest.raises(RuntimeError):
        _broken_off(tmp_path / "t", ending, alleles[0])
    assert not list(tmp_path.iterdir())


def test_too_many_columns_are_refused():
    check_layout(Layout("parquet", True), MAX_WIDE_COLUMNS)
    with pytest.raises(UsageError, match="at most 1,000 can have a column"):
        check_layout(Layout("tsv", True), MAX_WIDE_COLUMNS + 1)
