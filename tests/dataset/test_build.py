"""A build from files: sequences, labels by hand, and what is dropped."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from tfimpute_tracks.dataset.config import BuildConfig
from tfimpute_tracks.dataset.labels import LabelRule
from tfimpute_tracks.dataset.sites import Window, mask_unreadable
from tfimpute_tracks.dataset.store import open_dataset
from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.kernels.encode import decode
from tfimpute_tracks.storage import digest_file
from tfimpute_tracks.vocabulary import Pair


def add_sites(toy, *intervals):
    with toy.candidates.open("a") as file:
        file.writelines("{}\t{}\t{}\n".format(*row) for row in intervals)


def places(dataset):
    return [
        (dataset.chroms[i], int(start))
        for i, start in zip(dataset.chrom_id, dataset.start, strict=True)
    ]


def test_a_toy_build_by_hand(toy):
    report, messages = toy.build()
    dataset = open_dataset(toy.folder / "data.h5")
    assert places(dataset) == [
        ("chr1", -70),
        ("chr1", 1000),
        ("chr1", 2000),
        ("chr20", 500),
        ("chr22", 1400),
    ]
    assert dataset.pairs == (Pair("MAX", "K562"), Pair("CTCF", "K562"))
    assert dataset.roles == ("test3", "base")
    # MAX: 90 bp behind the site at chr1:2000, and 80 bp of 1425..1575 on chr22.
    # CTCF: 75 bp of the middle of chr1:1000, and the last 10 bp of chr20:500.
    assert dataset.labels(np.arange(5)).tolist() == [
        [0, 0],
        [0, 1],
        [-1, 0],
        [0, -1],
        [1, 0],
    ]
    assert (report.n_sites, report.n_pairs, report.n_positive_sites) == (5, 2, 2)
    assert (report.n_positive, report.n_ignored) == (2, 2)
    assert sum(report.dropped.values()) == 0
    assert not [message for message in messages if "index" not in message]


@pytest.mark.parametrize("seq_len", [1, 99, 200, 203, 900])
def test_sequences_are_those_of_the_fasta(toy, seq_len):
    toy.build(config=BuildConfig(seq_len=seq_len))
    dataset = open_dataset(toy.folder / "data.h5")
    assert dataset.seq_len == seq_len
    for (chrom, start), codes in zip(places(dataset), dataset.codes, strict=True):
        padded = "N" * 1000 + toy.letters[chrom].upper() + "N" * 1000
        assert decode(codes) == padded[1000 + start : 1000 + start + seq_len]


def test_labels_do_not_depend_on_the_sequence_length(toy):
    toy.build()
    toy.build("long.h5", config=BuildConfig(seq_len=600))
    short = open_dataset(toy.folder / "data.h5")
    long = open_dataset(toy.folder / "long.h5")
    rows = np.arange(short.n_sites)
    np.testing.assert_array_equal(short.labels(rows), long.labels(rows))
    np.testing.assert_array_equal(short.start - 300, long.start - 100)


def test_dropped_sites_are_counted(toy):
    add_sites(
        toy,
        ("chr1", 1050, 1150),  # the center of chr1:1000-1200
        ("chr1", 2900, 3100),  # 75 of the middle's 150 letters are N: stays
        ("chr1", 2901, 3101),  # 76 are
        ("chr1", 3500, 3700),
        ("chr22", 1430, 1630),  # the center is the end of the chromosome
        ("chrUn", 0, 200),
    )
    report, messages = toy.build()
    assert report.dropped == {
        "chromosome not in the FASTA": 1,
        "past the chromosome's end": 1,
        "duplicated": 1,
        "mostly N": 2,
    }
    dataset = open_dataset(toy.folder / "data.h5")
    assert dataset.n_sites == report.n_sites == 6
    assert ("chr1", 2900) in places(dataset)
    assert dataset.parameters["dropped"] == report.dropped
    assert any("1 site on" in text and "chrUn" in text for text in messages)


@pytest.mark.parametrize("min_known", [0.07, 0.65, 0.805, 1])
def test_sites_with_too_few_bases_are_dropped(toy, min_known):
    add_sites(toy, *(("chr1", at, at + 200) for at in range(2760, 3010, 7)))
    toy.build("all.h5")
    every = open_dataset(toy.folder / "all.h5")
    known = [decode(codes).count("N") for codes in every.codes]
    kept = [200 - n_unknown >= 200 * min_known for n_unknown in known]
    report, _ = toy.build(config=BuildConfig(min_known=min_known))
    dataset = open_dataset(toy.folder / "data.h5")
    expected = [
        place for place, is_kept in zip(places(every), kept, strict=True) if is_kept
    ]
    assert places(dataset) == expected
    assert report.dropped["too few known bases"] == len(kept) - sum(kept)
    assert (min_known > 0.4) == (sum(kept) < len(kept))
    assert dataset.parameters["min_known"] == min_known
    assert "min_known" not in every.parameters
    assert "too few known bases" not in every.parameters["dropped"]


def test_a_fraction_is_compared_exactly():
    """7 of 100 letters are 0.07 of them, though 0.07 * 100 is more than 7."""
    codes = np.full((1, 100), 4, dtype=np.uint8)
    codes[0, :7] = 0
    for fraction, is_too_few in ((0.07, False), (0.0701, True)):
        faults = mask_unreadable(codes, Window(100, 1, fraction))
        assert faults["too few known bases"].tolist() == [is_too_few]


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_fraction_out_of_range_is_refused(share):
    with pytest.raises(UsageError, match=r"known bases is not in 0\.\.1"):
        BuildConfig(min_known=share)


def test_files_that_share_no_chromosome_are_refused(toy):
    blacklist = toy.folder / "blacklist.bed"
    blacklist.write_text("Chr20\t0\t100\n")
    with pytest.raises(InputFileError, match=r"blacklist.bed: none of its .*Chr20"):
        toy.build(blacklist=blacklist)


def test_blacklisted_sites_are_dropped(toy):
    blacklist = toy.folder / "blacklist.bed"
    blacklist.write_text("1\t1199\t1300\nchr20\t700\t800\nchr7\t0\t10\n")
    report, _ = toy.build(blacklist=blacklist)
    dataset = open_dataset(toy.folder / "data.h5")
    assert report.dropped["blacklisted"] == 1
    assert ("chr1", 1000) not in places(dataset)
    assert ("chr20", 500) in places(dataset)
    assert dataset.sources["blacklist"] == digest_file(blacklist)


def test_chromosomes_match_with_and_without_chr(toy):
    toy.build()
    text = toy.candidates.read_text().replace("chr", "")
    packed = toy.folder / "sites.bed.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    toy.build("other.h5", candidates=packed)
    one = open_dataset(toy.folder / "data.h5")
    other = open_dataset(toy.folder / "other.h5")
    assert places(one) == places(other)
    np.testing.assert_array_equal(one.codes, other.codes)


def test_another_assembly_is_an_error_that_shows_both_names(toy):
    toy.candidates.write_text("NC_1\t0\t200\n")
    with pytest.raises(InputFileError, match=r"it has NC_1, the FASTA chr1, chr20"):
        toy.build()
    assert not (toy.folder / "data.h5").exists()


def test_no_site_with_sequence_is_an_error(toy):
    toy.candidates.write_text("chr1\t3100\t3300\n")
    with pytest.raises(InputFileError, match=r"no site is left .*\(1 mostly N\)"):
        toy.build()


def test_a_pair_without_a_positive_is_reported(toy):
    (toy.folder / "max.bed").write_text("chr1\t0\t1\n")
    _, messages = toy.build()
    assert any("no positive site for 1 pair (MAX:K562)" in text for text in messages)


def test_ambiguous_bases_are_reported(toy):
    toy.fasta.write_text(toy.fasta.read_text().replace(">chr20\n", ">chr20\nRYK"))
    _, messages = toy.build()
    assert any("3 bases are not A, C, G, T or N" in text for text in messages)


def test_the_file_says_what_it_was_made_with(toy):
    rule = LabelRule(margin=50)
    toy.build(config=BuildConfig(rule=rule))
    dataset = open_dataset(toy.folder / "data.h5")
    assert dataset.parameters["rule"] == vars(rule)
    assert dataset.sources == {
        "fasta": digest_file(toy.fasta),
        "pairs-table": digest_file(toy.pairs_table),
        "candidate-sites": digest_file(toy.candidates),
    }
    assert dataset.peak_digests[0] == digest_file(toy.folder / "max.bed")


@pytest.mark.parametrize("seq_len", [0, 2**15])
def test_a_length_out_of_range_is_refused(seq_len):
    with pytest.raises(UsageError, match="is not in"):
        BuildConfig(seq_len=seq_len)


def test_one_file_for_two_pairs_is_refused(toy):
    text = toy.pairs_table.read_text()
    beds = [line.split("\t")[-1] for line in text.splitlines()[1:]]
    toy.pairs_table.write_text(text.replace(beds[1], beds[0]))
    with pytest.raises(InputFileError, match=r"is named for MAX:K562 and for CTCF:K56"):
        toy.build()
