"""Scores from files: every format is read, and errors are one line."""

import dataclasses
import gzip

import numpy as np
import pyBigWig
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.comparison.predictors.external import (
    External,
    parse_external,
    read_score_table,
)
from tfimpute_tracks.comparison.predictors.external_files import (
    Sites,
    site_maxima,
    site_scores,
)
from tfimpute_tracks.errors import InputFileError, UnknownNameError, UsageError

SITES = Sites(
    ("chr1", "chr20"),
    (5000, 2000),
    np.array([0, 0, 1, 1, 1], dtype=np.int32),
    np.array([100, 400, 0, 150, 900]),
    100,
)
# Values that touch sites 0, 2 (two of them) and 3; none touches 1 and 4.
ROWS = [
    ("chr1", 190, 210, 2.5),
    ("chr1", 200, 400, 7.0),
    ("chr20", 0, 10, 1.0),
    ("chr20", 90, 160, 3.0),
    ("chr20", 1000, 1001, 9.0),
]
# The same for a bigWig, whose intervals may not overlap.
APART = [ROWS[0], ("chr1", 210, 400, 7.0), *ROWS[2:]]
EXPECTED = [2.5, np.nan, 3.0, 3.0, np.nan]


def _write(path, lines):
    path.write_text("".join("\t".join(map(str, line)) + "\n" for line in lines))
    return path


def _narrowpeak(chrom, start, end, value):
    return (chrom, start, end, "p", 0, ".", value, -1, -1, -1)


@given(
    st.lists(st.integers(0, 60), max_size=12),
    st.integers(1, 9),
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 40), st.integers(-3, 3)),
        max_size=9,
    ),
)
def test_the_maximum_is_over_intervals_that_share_a_base(starts, length, rows):
    first = np.array(sorted(starts), dtype=np.int64)
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    found = site_maxima(
        first,
        length,
        table[:, 0],
        table[:, 0] + table[:, 1],
        table[:, 2].astype(np.float32),
    )
    for site, value in zip(first, found, strict=True):
        touching = [v for s, n, v in rows if max(s, site) < min(s + n, site + length)]
        assert value == max(touching) if touching else np.isnan(value)


@pytest.mark.parametrize("kind", ["bedGraph", "narrowPeak", "bed", "bedGraph.gz"])
def test_text_files_are_read(tmp_path, kind):
    rows = [("track type=x",), *ROWS]
    if kind == "narrowPeak":
        rows = [_narrowpeak(*row) for row in ROWS]
    elif kind == "bed":
        rows = [(c, s, e, "p", v) for c, s, e, v in ROWS]
    path = _write(tmp_path / f"x.{kind}", rows)
    if kind.endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    np.testing.assert_array_equal(site_scores(path, SITES), EXPECTED)


def test_a_bed_without_scores_is_1_where_it_has_intervals(tmp_path):
    path = _write(tmp_path / "x.bed", [row[:3] for row in ROWS])
    np.testing.assert_array_equal(site_scores(path, SITES), [1, np.nan, 1, 1, np.nan])


def test_a_bigwig_is_read_whatever_its_names(tmp_path):
    path = tmp_path / "x.bw"
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader([("1", 5000), ("20", 2000)])
        for chrom, start, end, value in APART:
            file.addEntries([chrom[3:]], [start], ends=[end], values=[value])
    np.testing.assert_array_equal(site_scores(path, SITES), EXPECTED)


def test_files_of_another_build_or_kind_are_refused(tmp_path):
    path = _write(tmp_path / "far.bed", [("chr20", 1990, 2010)])
    with pytest.raises(
        InputFileError, match=r"far\.bed:1: ends at 2,010 and chr20 has"
    ):
        site_scores(path, SITES)
    path = _write(tmp_path / "other.bed", [("chr7", 0, 10)])
    with pytest.raises(InputFileError, match="no value on chr1, chr20"):
        site_scores(path, SITES)
    with pyBigWig.open(str(tmp_path / "x.bw"), "w") as file:
        file.addHeader([("chr20", 1999)])
        file.addEntries(["chr20"], [5], ends=[9], values=[1.0])
    with pytest.raises(InputFileError, match="another build"):
        site_scores(tmp_path / "x.bw", SITES)
    with pytest.raises(InputFileError, match="unknown format"):
        site_scores(_write(tmp_path / "x.txt", ROWS), SITES)
    with pytest.raises(InputFileError, match="no such file"):
        site_scores(tmp_path / "absent.bed", SITES)
    (tmp_path / "no.bw").write_bytes(b"not a bigWig")
    with pytest.raises(InputFileError, match="cannot read"):
        site_scores(tmp_path / "no.bw", SITES)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("chr1", 5, 5, 1.0), "start 5 and end 5 are not an interval"),
        (("chr1", -5, 5, 1.0), "start -5 and end 5 are not an interval"),
        (("chr1", "x", 5, 1.0), "invalid literal"),
        (("chr1", 1, 5, "nan"), "the value 'nan' is not a finite number"),
        (("chr1", 1, 5, "high"), "could not convert"),
        (("chr1", 1, 5), "3 columns, and bedgraph has at least 4"),
    ],
)
def test_a_broken_row_is_named_by_its_line(tmp_path, row, message):
    path = _write(tmp_path / "x.bedgraph", [ROWS[0], row])
    with pytest.raises(InputFileError, match=rf"x\.bedgraph:2: {message}"):
        site_scores(path, SITES)


def test_an_empty_or_damaged_file_is_refused(tmp_path):
    path = _write(tmp_path / "x.bed", [("# nothing",)])
    with pytest.raises(InputFileError, match="contains no interval"):
        site_scores(path, SITES)
    path = tmp_path / "x.bed.gz"
    path.write_bytes(gzip.compress(b"chr1\t1\t5\n" * 1000)[:40])
    with pytest.raises(InputFileError, match="cut short or damaged"):
        site_scores(path, SITES)


def _table(folder, task, lines, text=(("tf", "cell", "file"),)):
    path = _write(folder / "table.tsv", [*text, *lines])
    return read_score_table("piq", path, task.dataset.vocabulary)


def _scores_file(folder, task, rows, values):
    """Write a bedGraph with a value at some of the data set's sites."""
    data = task.dataset
    lines = [
        (data.chroms[data.chrom_id[r]], data.start[r] + 5, data.start[r] + 6, v)
        for r, v in zip(rows, values, strict=True)
    ]
    return _write(folder / "scores.bedgraph", lines)


def test_missing_values_count_in_two_ways(tmp_path, task, aurocs):
    labels = task.dataset.labels(task.test_rows, task.scored)
    # A tool that scores half of the sites, higher if bound.
    scored = np.arange(len(task.test_rows)) % 2 == 0
    values = np.where(labels[:, 2] == 1, 2.0, -1.0)
    _scores_file(tmp_path, task, task.test_rows[scored], values[scored])
    table = _table(tmp_path, task, [("max", "hepg2", "scores.bedgraph")])
    lowest, covered = External(table), External(table, covered=True)
    fitted = lowest.fit(task)
    assert set(fitted.unscored) == {2, 7}
    scores = lowest.score(task, fitted, task.test_rows, task.scored)[:, 2]
    assert not np.isnan(scores).any()
    assert scores[~scored].max() < scores[scored].min()
    assert aurocs(lowest, task)[2] < 1
    alone = covered.score(task, covered.fit(task), task.test_rows, task.scored)[:, 2]
    np.testing.assert_array_equal(np.isnan(alone), ~scored)
    np.testing.assert_array_equal(alone[scored], values[scored])


def test_sites_are_the_labeled_bases(tmp_path, task):
    """With sequences longer than the site, intervals in the flanks are outside."""
    dataset = dataclasses.replace(
        task.dataset, parameters={"rule": {"site": 10}, "seq_len": 60}
    )
    task = dataclasses.replace(task, dataset=dataset)
    _scores_file(tmp_path, task, task.test_rows, np.ones(len(task.test_rows)))
    table = _table(tmp_path, task, [("MAX", "HepG2", "scores.bedgraph")])
    scores = External(table, covered=True).score(
        task, None, task.test_rows, task.scored
    )
    assert np.isnan(scores).all()


def test_tables_are_checked_line_by_line(tmp_path, task):
    _scores_file(tmp_path, task, task.test_rows[:5], range(5))
    good = ("MAX", "HepG2", "scores.bedgraph")
    with pytest.raises(InputFileError, match=r"table\.tsv:3: duplicate pair MAX:HepG2"):
        _table(tmp_path, task, [good, ("max", "HEPG2", "other.bed")])
    with pytest.raises(UnknownNameError, match=r"table\.tsv:2: unknown TF 'NOPE'"):
        _table(tmp_path, task, [("NOPE", "HepG2", "scores.bedgraph")])
    with pytest.raises(InputFileError, match=r"table\.tsv:2: no such file"):
        _table(tmp_path, task, [("MAX", "HepG2", "absent.bed")])
    with pytest.raises(
        InputFileError, match=r"table\.tsv:2: 2 fields where the header has 3"
    ):
        _table(tmp_path, task, [("MAX", "HepG2")])
    with pytest.raises(InputFileError, match="no column tf, cell, file in the header"):
        _table(tmp_path, task, [good], text=())
    with pytest.raises(InputFileError, match="lists no file"):
        _table(tmp_path, task, [])
    with pytest.raises(InputFileError, match="cannot read"):
        read_score_table("piq", tmp_path / "no.tsv", task.dataset.vocabulary)
    idle = _table(tmp_path, task, [("MAX", "K562", "scores.bedgraph")])
    with pytest.raises(InputFileError, match="none of its pairs is scored"):
        External(idle).check(task)
    for text in ("piq", "=x.tsv", "a/b=x.tsv", "piq="):
        with pytest.raises(UsageError, match=r"write NAME=TABLE\.tsv"):
            parse_external(text)
