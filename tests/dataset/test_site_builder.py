"""Builds whose sites speak for single pairs: positives by hand, and kept promises."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from tfimpute_tracks.dataset import BuildConfig, build_dataset, open_dataset
from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.genome import read_narrowpeak
from tfimpute_tracks.kernels.encode import decode, encode

L = 200


def build(toy, **config):
    candidates = toy.candidates if config.pop("with_candidates", False) else None
    report, messages = toy.build(
        candidates=candidates, config=BuildConfig(seq_len=L, **config)
    )
    return open_dataset(toy.folder / "data.h5"), report, messages


def labelled(dataset, pair, label):
    """The sites with a label for a pair: (chromosome, center)."""
    rows = np.flatnonzero(dataset.labels(np.arange(dataset.n_sites))[:, pair] == label)
    return [
        (dataset.chroms[dataset.chrom_id[i]], int(dataset.start[i]) + L // 2)
        for i in rows
    ]


def naive_top(toy, name, n):
    """The summits of the strongest peaks with sequence, strongest first."""
    frame = read_narrowpeak(toy.folder / f"{name}.narrowPeak")
    order = {chrom: i for i, chrom in enumerate(toy.letters)}
    peaks = sorted(
        (-row.signal_value, -row.q_value, order[row.chrom], row.start + row.summit)
        for row in frame.itertuples()
    )
    summits = [(list(order)[chrom], center) for *_, chrom, center in peaks]
    readable = [
        (chrom, center)
        for chrom, center in dict.fromkeys(summits)
        if toy.letters[chrom][max(center - 75, 0) : center + 75].count("N") <= 75
    ]
    return readable[:n]


@pytest.mark.parametrize("negatives", ["dhs", "shuffle", "matched"])
@pytest.mark.parametrize("top", [1, 15, 1000])
def test_positives_are_the_strongest_summits(ranked, negatives, top):
    dataset, report, messages = build(
        ranked, negatives=negatives, top=top, with_candidates=negatives == "dhs"
    )
    n = 0
    for pair, name in enumerate(("ctcf", "max")):
        expected = naive_top(ranked, name, top)
        assert labelled(dataset, pair, 1) == sorted(
            expected, key=lambda place: (list(ranked.letters).index(place[0]), place[1])
        )
        n += len(expected)
    assert report.n_positive == n
    short = [text for text in messages if "fewer than 1,000 usable peaks" in text]
    assert len(short) == (top == 1000)
    assert ("fewer_peaks" in report.details) == (top == 1000)


@pytest.mark.parametrize("negatives", ["dhs", "shuffle", "matched"])
def test_every_sequence_has_the_fractions_of_bases(ranked, negatives):
    at = range(4950, 6060, 15)
    ranked.write_peaks("ctcf", *(("chr1", a, a + 60, a, 2, 30) for a in at))
    wishes = {"negatives": negatives, "top": 100, "with_candidates": negatives == "dhs"}
    every, _, _ = build(ranked, **wishes)
    dataset, report, _ = build(ranked, **wishes, min_known=0.95)
    enough = {
        (chrom, center)
        for chrom, center in labelled(every, 0, 1)
        if ranked.letters[chrom][center - 100 : center + 100].count("N") <= 10
    }
    assert set(labelled(dataset, 0, 1)) == enough
    n_dropped = len(labelled(every, 0, 1)) - len(enough)
    assert report.dropped["peak, too few known bases"] == n_dropped > 0
    assert (np.count_nonzero(dataset.codes == 4, axis=1) <= 10).all()
    assert (np.count_nonzero(every.codes == 4, axis=1) > 10).any()


def test_ties_go_to_the_q_value_and_then_to_the_first_place(ranked):
    peaks = [
        ("chr20", 1000, 1100, 5, 1, 50),
        ("chr1", 9000, 9100, 5, 2, 50),
        ("chr1", 3000, 3100, 5, 1, 50),
        ("chr1", 1000, 1100, 4, 9, 50),
    ]
    ranked.write_peaks("ctcf", *peaks)
    order = [("chr1", 9050), ("chr1", 3050), ("chr20", 1050), ("chr1", 1050)]
    for top in (1, 2, 3):
        dataset, _, _ = build(ranked, negatives="shuffle", top=top)
        assert set(labelled(dataset, 0, 1)) == set(order[:top])


def test_a_window_says_nothing_of_other_pairs(ranked):
    dataset, _, _ = build(ranked, negatives="shuffle", top=10)
    labels = dataset.labels(np.arange(dataset.n_sites))
    mine, others = naive_top(ranked, "ctcf", 10), naive_top(ranked, "max", 10)
    assert not set(mine) & set(others)
    assert set(labelled(dataset, 1, -1)) >= set(mine)
    np.testing.assert_array_equal((labels >= 0).sum(axis=1), 1)
    n_positive, n_negative = dataset.counts()
    assert n_positive.tolist() == n_negative.tolist() == [10, 10]


def test_pairs_that_share_a_summit_share_a_site(ranked):
    peak = ("chr1", 10_000, 10_100, 999, 9, 40)
    for name in ("ctcf", "max"):
        ranked.write_peaks(name, peak, ("chr1", 12_000, 12_100, 5, 1, len(name)))
    dataset, _, _ = build(ranked, negatives="shuffle", top=1)
    assert dataset.labels(np.arange(2)).tolist() == [[1, 1], [0, 0]]
    assert dataset.shuffled.tolist() == [False, True]


def test_background_sites_near_a_peak_are_ignored_and_others_negative(ranked):
    dataset, _, _ = build(ranked, top=10, with_candidates=True)
    plain_report, _ = ranked.build("plain.h5")
    plain = open_dataset(ranked.folder / "plain.h5")
    for pair in (0, 1):
        assert labelled(dataset, pair, 0) == labelled(plain, pair, 0)
    assert plain_report.details == {}
    assert dataset.sources.keys() == plain.sources.keys()
    # The background's sites speak of both pairs, the windows of their own.
    labels = dataset.labels(np.arange(dataset.n_sites))
    assert Counter(dataset.default_label.tolist())[-1] == (labels == 1).any(1).sum()


def test_shuffled_twins_keep_dinucleotides_and_place(ranked):
    dataset, report, _ = build(ranked, negatives="shuffle", top=30)
    originals = np.flatnonzero(~dataset.shuffled)
    twins = np.flatnonzero(dataset.shuffled)
    np.testing.assert_array_equal(twins, originals + 1)
    np.testing.assert_array_equal(dataset.start[twins], dataset.start[originals])
    for one, other in zip(dataset.codes[originals], dataset.codes[twins], strict=True):
        assert Counter(pairwise(decode(one))) == Counter(pairwise(decode(other)))
        assert decode(one) != decode(other)
    labels = dataset.labels(np.arange(dataset.n_sites))
    np.testing.assert_array_equal(labels[originals] == 1, labels[twins] == 0)
    assert report.dropped["shuffled sequence equals the original"] == 0


def test_twins_follow_the_seed_and_nothing_else(ranked):
    first, _, _ = build(ranked, negatives="shuffle", top=30)
    fewer, _, _ = build(ranked, negatives="shuffle", top=8)
    other, _, _ = build(ranked, negatives="shuffle", top=30, seed=1)
    twin_of = {
        (i, s): codes
        for i, s, codes, is_twin in zip(
            first.chrom_id, first.start, first.codes, first.shuffled, strict=True
        )
        if is_twin
    }
    for row in np.flatnonzero(fewer.shuffled):
        twin = twin_of[fewer.chrom_id[row], fewer.start[row]]
        np.testing.assert_array_equal(fewer.codes[row], twin)
    assert (first.codes != other.codes).any(axis=1).sum() == first.shuffled.sum()


def test_what_has_one_order_only_has_no_twin(ranked):
    text = ranked.fasta.read_text().replace(
        ranked.letters["chr22"], "A" * 2000 + ranked.letters["chr22"][2000:]
    )
    ranked.fasta.write_text(text)
    ranked.write_peaks("max", ("chr22", 900, 1100, 7, 1, 50))
    _, report, messages = build(ranked, negatives="shuffle", top=5)
    assert report.dropped["shuffled sequence equals the original"] == 1
    assert any("no negative site for 1 pair (MAX:K562)" in text for text in messages)


def compositions(toy, places):
    """GC and repeat fractions of the windows, from the letters themselves."""
    windows = [
        toy.letters[c][center - L // 2 : center + L // 2] for c, center in places
    ]
    gc = [sum(map(w.upper().count, "GC")) / L for w in windows]
    return np.array(gc), np.array([sum(map(str.islower, w)) / L for w in windows])


def test_matched_negatives_are_made_of_the_same(ranked):
    for name, n in (("ctcf", 60), ("max", 40)):
        # Away from the ends, so that no window reaches over one.
        peaks = [
            ("chr1" if i % 2 else "chr20", 300 * i + 9000, 300 * i + 9100, i, 1, 9)
            for i in range(n)
        ]
        ranked.write_peaks(name, *peaks)
    dataset, report, messages = build(ranked, negatives="matched", top=25)
    frames = [
        read_narrowpeak(ranked.folder / f"{n}.narrowPeak") for n in ("ctcf", "max")
    ]
    matched, wanted = report.details["matched"]
    assert wanted == 50
    assert matched == 50 - sum(
        m - n for n, m in report.details.get("unmatched", {}).values()
    )
    assert matched > 30
    for pair, frame in enumerate(frames):
        positive, negative = labelled(dataset, pair, 1), labelled(dataset, pair, 0)
        assert len(set(negative)) == len(negative)
        for chrom, center in negative:
            peaks = frame[frame["chrom"] == chrom]
            assert not (
                (peaks["start"] < center + 200) & (peaks["end"] > center - 200)
            ).any()
            assert "N" not in ranked.letters[chrom][center - 100 : center + 100]
        assert Counter(c for c, _ in negative) <= Counter(c for c, _ in positive)
        largest = 0.0
        bins = (np.arange(0, 1.04, 0.02), np.array([-1, *np.arange(0, 1.05, 0.1)]))
        for ours, theirs, edges, shift in zip(
            compositions(ranked, positive),
            compositions(ranked, negative),
            bins,
            (1e-9, -1e-9),  # GC is rounded down, repeats up
            strict=True,
        ):
            one, other = (
                np.histogram(x + shift, edges)[0] / len(x) for x in (ours, theirs)
            )
            largest = max(largest, np.abs(one - other).max())
        assert largest <= report.details["largest_difference"] + 1e-6
        if len(negative) == len(positive):
            assert largest == 0
    assert report.details["without_lower_case"] == ["chr20"]
    assert any("no lower-case bases on chr20" in text for text in messages)


def test_too_few_candidates_are_reported_pair_by_pair(ranked):
    # All of chr22 is near a peak.
    peaks = [("chr22", at, at + 900, 9 + at, 1, 450) for at in range(0, 20_000, 1000)]
    ranked.write_peaks("max", *peaks)
    _, report, messages = build(ranked, negatives="matched", top=20)
    assert report.details["unmatched"]["MAX:K562"] == [0, 20]
    assert any("MAX:K562 0 of 20" in text for text in messages)
    assert any("no negative site for 1 pair (MAX:K562)" in text for text in messages)
    assert report.details["largest_difference"] == 1


def test_matched_negatives_follow_the_seed(ranked):
    one, other, third = (
        build(ranked, negatives="matched", top=30, seed=seed)[0] for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one.start, other.start)
    assert one.start.tolist() != third.start.tolist()


@pytest.mark.parametrize("negatives", ["shuffle", "matched"])
def test_without_top_positives_are_those_of_the_background(ranked, negatives):
    dataset, report, _ = build(ranked, negatives=negatives, with_candidates=True)
    ranked.build("plain.h5")
    plain = open_dataset(ranked.folder / "plain.h5")
    for pair in (0, 1):
        assert labelled(dataset, pair, 1) == labelled(plain, pair, 1)
    assert report.n_positive > 0
    if negatives == "shuffle":
        assert report.n_negative == report.n_positive


@pytest.mark.parametrize("negatives", ["dhs", "shuffle", "matched"])
def test_alternate_peaks_train_and_test(ranked, negatives):
    dataset, _, _ = build(
        ranked,
        negatives=negatives,
        top=20,
        alternate=True,
        with_candidates=negatives == "dhs",
    )
    labels = dataset.labels(np.arange(dataset.n_sites))
    for pair, name in enumerate(("ctcf", "max")):
        top = naive_top(ranked, name, 20)
        for fold, expected in ((0, top[::2]), (2, top[1::2])):
            rows = np.flatnonzero((labels[:, pair] == 1) & (dataset.fold == fold))
            found = {
                (dataset.chroms[dataset.chrom_id[i]], dataset.start[i] + L // 2)
                for i in rows
            }
            assert found == set(expected)
        n_negative = [
            np.count_nonzero((labels[:, pair] == 0) & (dataset.fold == fold))
            for fold in (0, 1, 2)
        ]
        assert n_negative[1] == 0
        assert min(n_negative[0], n_negative[2]) > 0
        if negatives == "shuffle":
            assert n_negative == [10, 0, 10]


def test_files_without_an_order_are_refused_by_name(ranked):
    rows = (ranked.folder / "max.narrowPeak").read_text().splitlines()
    bare = ["\t".join(row.split("\t")[:3]) for row in rows]
    (ranked.folder / "max.narrowPeak").write_text("\n".join(bare) + "\n")
    ranked.write_peaks(
        "ctcf", ("chr1", 900, 1000, 5, 1, -1), ("chr1", 2000, 2100, 4, 1, 7)
    )
    with pytest.raises(InputFileError) as caught:
        build(ranked, negatives="shuffle", top=5)
    for part in (
        "2 of 2 peak files",
        "max.narrowPeak (3 columns of 10)",
        "ctcf.narrowPeak (summit -1 of 1 of 2 peaks)",
        "--allow-unranked",
    ):
        assert part in str(caught.value)
    dataset, report, messages = build(
        ranked, negatives="shuffle", top=5, allow_unranked=True
    )
    assert labelled(dataset, 0, 1) == [("chr1", 950), ("chr1", 2050)]
    assert len(labelled(dataset, 1, 1)) == len(
        naive_top(ranked_centers(ranked), "m", 99)
    )
    assert report.details["unranked"] == ["CTCF:K562", "MAX:K562"]
    assert any("2 of 2 peak files do not rank" in text for text in messages)


def ranked_centers(toy):
    """Peaks of MAX as if their summits were their centers."""
    rows = (toy.folder / "max.narrowPeak").read_text().split("\n")[:-1]
    toy.write_peaks("m", *((*row.split("\t"), 1, 1, 50) for row in rows))
    return toy


def test_peaks_that_cannot_be_sites_are_counted(ranked):
    ranked.write_peaks(
        "ctcf",
        ("chr1", 5400, 5500, 9, 1, 50),  # in the hole
        ("chr9", 100, 200, 8, 1, 50),
        ("chr22", 19_990, 20_010, 7, 1, 10),  # the summit is the chromosome's end
        ("chr1", 800, 900, 6, 1, 50),
        ("chr1", 840, 860, 5, 1, 10),  # the same summit
        ("chr1", 20_000, 20_100, 4, 1, 50),  # blacklisted
        ("chr1", 30_000, 30_100, 3, 1, 50),
    )
    blacklist = ranked.folder / "blacklist.bed"
    blacklist.write_text("chr1\t20149\t20150\n")
    report, _ = ranked.build(
        candidates=None,
        blacklist=blacklist,
        config=BuildConfig(negatives="shuffle", top=2),
    )
    told = {
        "chromosome not in the FASTA": 1,
        "past the chromosome's end": 1,
        "duplicated": 1,
        "blacklisted": 1,
        "mostly N": 1,
    }
    before = read_narrowpeak(ranked.folder / "max.narrowPeak")
    n_double = len(before) - len(before.drop_duplicates(["chrom", "start"]))
    told["duplicated"] += n_double
    dataset = open_dataset(ranked.folder / "data.h5")
    assert labelled(dataset, 0, 1) == [("chr1", 850), ("chr1", 30_050)]
    for reason, n in told.items():
        least = report.dropped[f"peak, {reason}"]
        assert least >= n if reason in ("mostly N", "blacklisted") else least == n


def test_no_usable_peak_is_an_error(ranked):
    for name, end in (("ctcf", 5500), ("max", 5501)):
        ranked.write_peaks(name, ("chr1", 5400, end, 9, 1, 50))
    with pytest.raises(InputFileError, match=r"no peak of 2 files .*\(2 mostly N\)"):
        build(ranked, negatives="shuffle", top=5)


@pytest.mark.parametrize(
    ("config", "candidates", "message"),
    [
        (
            {"negatives": "dhs", "top": 5},
            False,
            "use --candidate-sites, or --negatives",
        ),
        ({"negatives": "shuffle"}, False, "use --candidate-sites or --top"),
        ({"negatives": "matched", "top": 5}, True, "uses no candidate sites"),
        ({"negatives": "random"}, True, "unknown negatives 'random'"),
        ({"top": 0}, True, "top 0 is not positive"),
        ({"seed": -1}, True, "seed -1 is negative"),
        ({"alternate": True}, True, "use them with --top"),
    ],
)
def test_wishes_without_sense_are_refused(ranked, config, candidates, message):
    with pytest.raises(UsageError, match=message):
        build(ranked, with_candidates=candidates, **config)
    assert not (ranked.folder / "data.h5").exists()


def test_long_sequences_are_those_of_the_fasta(ranked):
    ranked.build(
        candidates=None, config=BuildConfig(seq_len=1001, negatives="matched", top=10)
    )
    dataset = open_dataset(ranked.folder / "data.h5")
    for i, start, codes in zip(
        dataset.chrom_id, dataset.start, dataset.codes, strict=True
    ):
        text = ranked.letters[dataset.chroms[i]]
        padded = "N" * 2000 + text.upper() + "N" * 2000
        expected = encode(padded[2000 + start : 3001 + start])
        np.testing.assert_array_equal(codes, expected)


@pytest.mark.slow
@pytest.mark.parametrize("negatives", ["dhs", "shuffle", "matched"])
def test_the_real_peaks(shared_data, tmp_path, negatives):
    hg19 = shared_data / "hg19"
    names = ("CTCF.K562", "MAX.HUVEC", "ZZZ3.HeLa-S3")
    rows = [
        f"{name.replace('.', chr(9), 1)}\t{hg19}/narrowpeak/{name}.narrowPeak.gz"
        for name in names
    ]
    table = tmp_path / "pairs.tsv"
    table.write_text("\n".join(["tf\tcell\tbed", *rows]) + "\n")
    report = build_dataset(
        hg19 / "hg19.partial.fa.gz",
        table,
        hg19 / "dhs.bed.gz" if negatives == "dhs" else None,
        tmp_path / "data.h5",
        BuildConfig(negatives=negatives, top=5000),
    )
    dataset = open_dataset(tmp_path / "data.h5")
    n_positive, n_negative = dataset.counts()
    assert n_positive.tolist() == [5000, report.details["fewer_peaks"]["MAX:HUVEC"], 37]
    if negatives == "shuffle":
        assert n_negative.tolist() == n_positive.tolist()
    elif negatives == "matched":
        assert (n_negative > 0.95 * n_positive).all()
        assert report.details["without_lower_case"] == ["chr20"]
    else:
        assert n_negative.min() > 400_000
