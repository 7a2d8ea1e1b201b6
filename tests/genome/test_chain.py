"""Lifting by a chain file: where intervals go, and chains that are refused."""

from __future__ import annotations

import numpy as np
import pytest

from chain_toys import BACK, FORWARD, NEW, OLD, write_chain
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.genome.chain import OUTCOMES, Chain


def open_toy(path, source=OLD, target=NEW):
    return Chain(path, source, target, "e.h5", "new.fa")


def lift(chain, chrom, *intervals):
    start, end = np.array(intervals, dtype=np.int64).T
    return chain.lift(chrom, start, end)


@pytest.mark.parametrize("name", ["toy.chain", "toy.chain.gz", "toy"])
@pytest.mark.parametrize(
    ("chrom", "interval", "place"),
    [
        ("chr1", (0, 1000), ("chr1", 100, 1100)),
        ("chr1", (1000, 1100), ("chr1", 1300, 1400)),
        ("chr1", (0, 2000), ("chr1", 100, 2300)),  # longer by 10 % exactly
        ("chr1", (950, 1050), "resized"),
        ("chr1", (1900, 2400), "resized"),
        ("chr1", (2050, 2150), "lost"),
        ("chr1", (1950, 2050), "lost"),
        ("chr1", (2250, 2350), "lost"),
        ("chr1", (3950, 4050), "split"),  # on two strands
        ("chr2", (0, 1000), ("chr2", 0, 1000)),
        ("chr2", (950, 1050), "split"),  # on two chromosomes
        ("chr2", (1100, 1200), ("chrU", 100, 200)),
        ("chr3", (10, 60), "absent"),
        ("chrX", (10, 60), "lost"),
    ],
)
def test_an_interval_goes_where_its_ends_do(tmp_path, name, chrom, interval, place):
    chain = open_toy(write_chain(tmp_path / name))
    lifted = lift(chain, chrom, interval)
    if isinstance(place, str):
        assert OUTCOMES[lifted.outcome[0]] == place
        return
    found = list(NEW)[lifted.chrom[0]], lifted.start[0], lifted.end[0]
    assert found == place
    assert OUTCOMES[lifted.outcome[0]] == "kept"
    assert not lifted.is_reversed[0]


def test_the_other_strand_is_counted_from_its_end(tmp_path):
    chain = open_toy(write_chain(tmp_path / "toy.chain"))
    lifted = lift(chain, "chr1", (4000, 5000), (4000, 4001), (4100, 4200))
    assert lifted.is_reversed.all()
    assert lifted.start.tolist() == [4100, 5099, 4900]
    assert lifted.end.tolist() == [5100, 5100, 5000]


def test_names_match_without_chr(tmp_path):
    path = write_chain(tmp_path / "toy.chain", FORWARD.replace("chr", ""))
    lifted = lift(open_toy(path), "chr2", (1100, 1200))
    assert list(NEW)[lifted.chrom[0]] == "chrU"


def test_chromosomes_without_a_chain_are_listed(tmp_path):
    assert open_toy(write_chain(tmp_path / "toy.chain")).missing == ["chrX"]


def test_a_position_in_several_places_is_split(tmp_path):
    twice = "chain 1 chr2 3000 + 2900 3000 chrU 800 + 600 700 9\n100\n\n"
    chain = open_toy(write_chain(tmp_path / "toy.chain", FORWARD + twice))
    lifted = lift(chain, "chr2", (2910, 2950), (2800, 2950), (2800, 2900))
    assert [OUTCOMES[o] for o in lifted.outcome] == ["split", "split", "kept"]


def test_there_and_back_is_where_it_was(tmp_path):
    there = open_toy(write_chain(tmp_path / "there.chain"))
    back = open_toy(write_chain(tmp_path / "back.chain", BACK), NEW, OLD)
    for chrom, size in OLD.items():
        start = np.arange(0, size - 20, 10)
        lifted = there.lift(chrom, start, start + 20)
        kept = lifted.outcome == OUTCOMES.index("kept")
        for i, name in enumerate(NEW):
            own = kept & (lifted.chrom == i)
            returned = back.lift(name, lifted.start[own], lifted.end[own])
            assert (returned.outcome == OUTCOMES.index("kept")).all()
            np.testing.assert_array_equal(returned.start, start[own])
            np.testing.assert_array_equal(returned.end, start[own] + 20)


def test_a_reversed_chain_is_refused(tmp_path):
    path = write_chain(tmp_path / "back.chain", BACK)
    with pytest.raises(
        InputFileError, match=r"looks reversed: e\.h5 is of the assembly"
    ):
        open_toy(path)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (
            {"chr1": 77},
            NEW,
            r"e\.h5 is not of the former \(chr1 has 77 bp, expected 5,000",
        ),
        ({"one": 77}, NEW, r"e\.h5 is not of the former \(it has none of chr1, chr2"),
        (
            OLD,
            {"chr1": 77},
            r"new\.fa is not of the latter \(chr1 has 77 bp, expected 5,200",
        ),
        (OLD, {"U2": 800}, r"new\.fa is not of the latter \(it has none of chr1, chr2"),
        (OLD, OLD, r"new\.fa is not of the latter"),
    ],
)
def test_a_chain_of_other_assemblies_is_refused(tmp_path, source, target, message):
    path = write_chain(tmp_path / "toy.chain")
    with pytest.raises(InputFileError, match=message):
        open_toy(path, source, target)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a chain file, as no line begins with `chain`"),
        ("chr1\t5\t9\n", "not a chain file, as no line begins with `chain`"),
        ("chain 1 chr1 5000 + 0 9\n9\n", "is not the header of a chain"),
        (
            FORWARD.replace("5000 + 0 4000", "x + 0 4000"),
            r"toy:2: .* is not the header",
        ),
        (FORWARD[:86], "not a complete chain file"),
        (FORWARD[:-8], "not a complete chain file"),
        (FORWARD.replace("1700", "1600"), "not a complete chain file"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(tmp_path, text, message):
    path = write_chain(tmp_path / "toy", text)
    with pytest.raises(InputFileError, match=message) as caught:
        open_toy(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).count(str(path)) == 1


def test_what_is_cut_short_or_missing_is_refused(tmp_path):
    packed = write_chain(tmp_path / "toy.chain.gz")
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(InputFileError, match="chain file is cut short or damaged"):
        open_toy(packed)
    with pytest.raises(InputFileError, match="cannot read the chain file"):
        open_toy(tmp_path / "none.chain")
    (tmp_path / "noise").write_bytes(np.random.default_rng(0).bytes(5000))
    with pytest.raises(InputFileError, match="not a text file"):
        open_toy(tmp_path / "noise")
