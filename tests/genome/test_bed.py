"""BED and narrowPeak files, and arithmetic on intervals."""

from __future__ import annotations

import gzip
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.genome.bed import (
    blacklisted,
    count_columns,
    merge_intervals,
    read_bed,
    read_named_bed,
    read_narrowpeak,
)

PEAK = "chr1\t10\t30\tp1\t900\t.\t5.5\t-1\t3e2\t19"


def rows(frame):
    return list(frame.itertuples(index=False, name=None))


def frame_of(intervals):
    return pd.DataFrame(intervals, columns=["chrom", "start", "end"])


@pytest.mark.parametrize(
    "text",
    [
        "chr1\t0\t5\nchr2\t7\t9\n",
        "chr1\t0\t5\nchr2\t7\t9",
        "chr1\t0\t5\r\nchr2\t7\t9\r\n",
        "# c\ntrack name=x\nbrowser position chr1\n\nchr1\t0\t5\nchr2\t7\t9\n",
        "chr1\t0\t5\n#between\n\ntrack name=y\nchr2\t7\t9\n\n",
        "chr1 0 5\nchr2  7 9 name\n",
        "  chr1\t0\t5\n chr2 \t7\t9\n",
        "\ufeff# c\rtrack x\rchr1\t0\t5\rchr2\t7\t9\r",
        "chr1\t0\t5\tname\t0\nchr2\t7\t9\n",
        'chr1\t0\t5\t"open\nchr2\t7\t9\n',
        "chr1\t0\t5\nchr2\t7\t9\tmore\tcolumns\n",
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_read_bed(tmp_path, text, pack):
    path = tmp_path / "a.bed"  # gzip is known by its content
    path.write_bytes(pack(text.encode()))
    frame = read_bed(path)
    assert list(frame.columns) == ["chrom", "start", "end"]
    assert rows(frame) == [("chr1", 0, 5), ("chr2", 7, 9)]
    assert frame["start"].dtype == frame["end"].dtype == np.int64
    assert all(type(chrom) is str for chrom in frame["chrom"])


def test_names_are_read_where_the_first_row_has_one(tmp_path):
    path = tmp_path / "a.bed"
    path.write_text("track\nchr1\t0\t5\tone\t7\nchr2\t7\t9\t.\n")
    assert rows(read_named_bed(path)) == [("chr1", 0, 5, "one"), ("chr2", 7, 9, ".")]
    path.write_text("chr1\t0\t5\nchr2\t7\t9\n")
    assert rows(read_named_bed(path)) == [("chr1", 0, 5, ""), ("chr2", 7, 9, "")]
    path.write_text("chr1\t0\t5\t\nchr2\t7\t9\tb\n")
    assert rows(read_named_bed(path)) == [("chr1", 0, 5, ""), ("chr2", 7, 9, "b")]
    for text in ("chr1 0 5 one\nchr2 7 9\n", "chr1\t0\t5\tone\nchr2\t7\t9\n"):
        path.write_text(text)
        with pytest.raises(InputFileError, match=r":2: has 3 of 4 columns"):
            read_named_bed(path)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("chr1\t5", "has 2 of 3 columns"),
        ("chr1", "has 1 of 3 columns"),
        ("chr1\tfive\t9", "start 'five' is not an integer"),
        ("chr1\t5\t9.5", "end '9.5' is not an integer"),
        ("chr1\t5\t", "end '' is not an integer"),
        ("chr1\t1_000\t2000", "start '1_000' is not an integer"),
        ("chr1\t5\t99999999999999999999", "end '99999999999999999999' is too large"),
        ("chr1\t9\t9", "start 9 is not before end 9"),
        ("chr1\t9\t5", "start 9 is after end 5; write the smaller first"),
        ("chr1\t1,000\t2,000", "start '1,000' has thousand separators; write 1000"),
        ("chrom\tstart\tend", "start is 'start', as in a header"),
        ("chr1\t-1\t5", "start -1 is negative"),
        ("\t1\t5", "name is empty"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(tmp_path, line, what):
    path = tmp_path / "bad.bed"
    path.write_text(f"track name=x\n\nchr1\t0\t5\n{line}\nchr1\t6\t7\n")
    with pytest.raises(InputFileError) as caught:
        read_bed(path)
    assert str(caught.value).startswith(f"{path}:4: ")
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n\n", "# only\ntrack name=x\n"])
def test_an_empty_file_is_refused_unless_allowed(tmp_path, text):
    path = tmp_path / "empty.bed"
    path.write_text(text)
    with pytest.raises(InputFileError, match=r"(contains no intervals|is empty); use"):
        read_bed(path)
    assert rows(read_bed(path, allow_empty=True)) == []
    assert rows(read_narrowpeak(path, allow_empty=True)) == []
    assert read_bed(path, allow_empty=True)["start"].dtype == np.int64


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(InputFileError, match="No such file"):
        read_bed(tmp_path / "absent.bed")
    with pytest.raises(InputFileError, match="is a folder; use a BED file"):
        read_bed(tmp_path)
    cut = tmp_path / "cut.bed.gz"
    cut.write_bytes(gzip.compress(b"chr1\t0\t5\n" * 1000)[:-20])
    with pytest.raises(InputFileError, match="cut short or damaged"):
        read_bed(cut)


def test_read_narrowpeak(tmp_path):
    path = tmp_path / "a.narrowPeak"
    path.write_text(f"track type=narrowPeak\n{PEAK}\n#\n{PEAK[:-2]}-1\n")
    frame = read_narrowpeak(path)
    peak = ("chr1", 10, 30, "p1", 900, ".", 5.5, -1.0, 300.0)
    assert rows(frame) == [(*peak, 19), (*peak, -1)]
    assert list(frame.columns[-4:]) == ["signal_value", "p_value", "q_value", "summit"]
    assert frame["summit"].dtype == frame["score"].dtype == np.int64
    assert frame["q_value"].dtype == np.float64
    path.write_text(f"{PEAK[:-2]}20\n")  # as far as the end, as ENCODE has them
    assert rows(read_narrowpeak(path)) == [(*peak, 20)]


def test_columns_are_counted_in_the_first_row(tmp_path):
    path = tmp_path / "a.narrowPeak"
    for text, n in ((f"track\n{PEAK}\nx\n", 10), ("chr1 0 9\r\n", 3), ("#\n", 0)):
        path.write_text(text)
        assert count_columns(path) == n


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("chr1\t10\t30", "has 3 of 10 columns"),
        (PEAK.replace("5.5", "high"), "signal_value 'high' is not a number"),
        (PEAK.replace("900", "9.5"), "score '9.5' is not an integer"),
        (PEAK[:-2] + "21", "summit 21 is outside"),
        (PEAK[:-2] + "-2", "summit -2 is outside"),
    ],
)
def test_a_bad_peak_is_refused_with_its_line(tmp_path, line, what):
    path = tmp_path / "bad.narrowPeak"
    path.write_text(f"{PEAK}\n{line}\n")
    with pytest.raises(InputFileError) as caught:
        read_narrowpeak(path)
    assert f"bad.narrowPeak:2: {what}" in str(caught.value)


def test_real_files(shared_data):
    dhs = read_bed(shared_data / "hg19" / "dhs.bed.gz")
    assert len(dhs) == 451_262
    assert (dhs["end"] - dhs["start"] == 200).all()
    peaks = read_narrowpeak(shared_data / "hg19/narrowpeak/CTCF.K562.narrowPeak.gz")
    assert (peaks["summit"] >= 0).all()
    assert peaks["signal_value"].min() > 0


INTERVALS = st.lists(
    st.tuples(
        st.sampled_from(["chr1", "chr2"]), st.integers(0, 60), st.integers(1, 12)
    ).map(lambda t: (t[0], t[1], t[1] + t[2])),
    max_size=25,
)


def bases(intervals):
    return {(chrom, b) for chrom, start, end in intervals for b in range(start, end)}


@given(INTERVALS)
def test_merged_intervals_cover_the_same_bases_with_gaps_between(intervals):
    merged = rows(merge_intervals(frame_of(intervals)))
    assert bases(merged) == bases(intervals)
    assert len({chrom for chrom, *_ in merged}) == len({c for c, *_ in intervals})
    for (chrom, _, end), (next_chrom, start, _) in pairwise(merged):
        assert next_chrom != chrom or start > end


def test_merging_keeps_the_order_of_chromosomes():
    frame = frame_of([("chr2", 5, 9), ("chr1", 0, 3), ("chr2", 0, 5), ("chr2", 1, 2)])
    assert rows(merge_intervals(frame)) == [("chr2", 0, 9), ("chr1", 0, 3)]


@given(INTERVALS, INTERVALS)
def test_blacklisted_is_sharing_a_base(blacklist, intervals):
    mine = [(start, end) for chrom, start, end in intervals if chrom == "chr1"]
    starts, ends = np.array(mine, dtype=np.int64).reshape(-1, 2).T
    listed = bases(blacklist)
    expected = [any(("chr1", b) in listed for b in range(s, e)) for s, e in mine]
    for name in ("chr1", "1"):
        hit = blacklisted(name, starts, ends, frame_of(blacklist))
        assert hit.dtype == np.bool_
        assert hit.tolist() == expected


def test_contigs_may_begin_like_header_lines(tmp_path):
    path = tmp_path / "a.bed"
    path.write_text("track x\ntrack1\t0\t5\nbrowser_2\t7\t9\n#1\t3\t4\n")
    assert rows(read_bed(path)) == [("track1", 0, 5), ("browser_2", 7, 9)]
