"""A store and its file: the same, found by place, or a clear refusal."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive_coverage
from evidence_toys import draw_contents
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evidence import open_evidence, write_evidence
from tfimpute_tracks.genome import Region


def dense(coverage, n_tracks):
    """Shares as an array, shape (n_stretches, n_tracks)."""
    found = np.zeros((len(coverage.indptr) - 1, n_tracks), dtype=np.float32)
    rows = np.repeat(np.arange(len(found)), np.diff(coverage.indptr))
    found[rows, coverage.track] = coverage.fraction
    return found


def assert_same(one, other):
    for mine, theirs in zip(one, other, strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 30))
def test_a_file_holds_all_of_it(tmp_path_factory, seed, n_tracks, n_peaks):
    rng = np.random.default_rng(seed)
    contents = draw_contents(rng, n_tracks, n_peaks)
    path = tmp_path_factory.mktemp("store") / "evidence.h5"
    digest = write_evidence(path, contents)
    store = open_evidence(path)
    assert store.tracks == contents.tracks
    assert store.chrom_sizes == contents.chrom_sizes
    assert list(store.chrom_sizes) == list(contents.chrom_sizes)
    assert store.regions == contents.regions
    assert store.build == "toy1"
    assert store.name == "evidence.h5"
    assert store.digest == digest == contents.digest()
    for place, chrom in enumerate(("chr2", "chr10")):
        assert_same(store.peaks(chrom), contents.peaks[chrom])
        np.testing.assert_array_equal(
            store.has_peaks(chrom), contents.has_peaks[:, place]
        )
    assert len(store.peaks("chrY").start) == 0
    store.check()


@given(
    st.integers(0, 2**32),
    st.integers(-200, 4000),
    st.integers(1, 90),
    st.integers(1, 60),
)
def test_coverage_is_that_of_its_intervals(tmp_path_factory, seed, first, step, width):
    contents = draw_contents(np.random.default_rng(seed), 5, 8)
    path = tmp_path_factory.mktemp("store") / "evidence.h5"
    write_evidence(path, contents)
    starts = first + step * np.arange(12)
    coverage = open_evidence(path).coverage("chr10", starts, width)
    rows = list(zip(*contents.peaks["chr10"], strict=True))
    expected = naive_coverage.cover(rows, starts.tolist(), width)
    found = dense(coverage, 5)
    assert [np.flatnonzero(row).tolist() for row in found] == [
        [track for track, _ in row] for row in expected
    ]
    for shares, row in zip(found, expected, strict=True):
        assert shares[shares > 0].tolist() == np.float32([s for _, s in row]).tolist()


def test_chromosomes_are_known_with_and_without_chr(store):
    starts = np.arange(0, 3000, 70)
    assert_same(store.coverage("10", starts, 50), store.coverage("chr10", starts, 50))
    np.testing.assert_array_equal(store.has_peaks("2"), store.has_peaks("chr2"))
    assert store.in_coverage("10", starts, 50).all()


@pytest.mark.parametrize("chrom", ["chr3", "chrY", "MT"])
def test_where_it_says_nothing(store, chrom):
    starts = np.arange(0, 500, 70)
    coverage = store.coverage(chrom, starts, 50)
    assert coverage.indptr.tolist() == [0] * (len(starts) + 1)
    assert len(coverage.track) == len(coverage.fraction) == 0
    assert store.has_peaks(chrom).tolist() == [False] * 9
    assert not store.in_coverage(chrom, starts, 50).any()
    assert store.coverage(chrom, starts[:0], 50).indptr.tolist() == [0]


def test_regions_contain_the_regions_inside(rng, tmp_path):
    regions = [
        Region("chr2", 100, 200),
        Region("chr2", 260, 300),
        Region("chr10", 0, 50),
    ]
    write_evidence(tmp_path / "some.h5", draw_contents(rng, regions=regions))
    store = open_evidence(tmp_path / "some.h5")
    assert store.regions == tuple(regions)
    starts = np.arange(-60, 400)
    for width in (1, 40, 41, 100, 101):
        expected = [
            any(a <= at and at + width <= b for _, a, b in regions[:2]) for at in starts
        ]
        assert store.in_coverage("chr2", starts, width).tolist() == expected


def test_no_region_is_none(store):
    nothing = np.arange(0)
    assert store.in_coverage("chr2", nothing, 10).shape == (0,)
    assert store.coverage("chr2", nothing, 10).indptr.tolist() == [0]


def test_a_part_of_the_tracks_is_the_part_of_the_whole(store, rng):
    kept = rng.random(9) < 0.5
    some = store.subset(kept)
    starts = np.arange(0, 9000, 90)
    assert some.tracks == tuple(
        track for track, is_kept in zip(store.tracks, kept, strict=True) if is_kept
    )
    np.testing.assert_array_equal(some.has_peaks("chr2"), store.has_peaks("chr2")[kept])
    np.testing.assert_array_equal(
        dense(some.coverage("chr2", starts, 70), kept.sum()),
        dense(store.coverage("chr2", starts, 70), 9)[:, kept],
    )
    assert some.regions == store.regions
    some.check()


def test_each_part_has_a_digest_of_its_own(store):
    first, second = np.arange(9) != 3, np.arange(8) != 0
    one = store.subset(first)
    both = one.subset(second)
    assert len({store.digest, one.digest, both.digest}) == 3
    assert both.digest == store.subset(~np.isin(np.arange(9), (0, 3))).digest
    assert store.subset(np.ones(9, dtype=bool)).digest == store.digest
    assert one.subset(np.ones(8, dtype=bool)).digest == one.digest


def test_nothing_may_be_kept(store):
    none = store.subset(np.zeros(9, dtype=bool))
    assert none.tracks == ()
    assert none.has_peaks("chr2").shape == (0,)
    assert len(none.coverage("chr2", np.arange(0, 900, 90), 50).track) == 0


def test_it_pickles_small_and_opens_again(store):
    store.peaks("chr2")
    some = store.subset(np.arange(9) % 2 == 0)
    starts = np.arange(0, 9000, 90)
    for one in (store, some):
        pickled = pickle.dumps(one)
        assert len(pickled) < 1000
        other = pickle.loads(pickled)
        assert (other.name, other.digest, other.tracks) == (
            one.name,
            one.digest,
            one.tracks,
        )
        assert_same(
            other.coverage("chr2", starts, 60), one.coverage("chr2", starts, 60)
        )


def test_it_pickles_where_its_path_is_relative(path, monkeypatch, tmp_path):
    monkeypatch.chdir(path.parent)
    pickled = pickle.dumps(open_evidence(path.name))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert len(pickle.loads(pickled).peaks("chr2").start)


def test_another_file_under_its_name_is_noticed(store, path, rng):
    pickled = pickle.dumps(store)
    store.peaks("chr2")
    write_evidence(path, draw_contents(rng, n_peaks=39))
    with pytest.raises(InputFileError, match="has changed since it was opened"):
        pickle.loads(pickled)
    with pytest.raises(InputFileError, match="has changed since it was opened"):
        store.peaks("chr10")
    assert len(store.peaks("chr2").start) == 9 * 40  # read before


def test_threads_share_a_store(store):
    starts = np.arange(0, 9000, 7)

    def look(number):
        return store.coverage(("chr2", "chr10")[number % 2], starts, 33)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(look, range(40)))
    for number, coverage in enumerate(found):
        assert_same(coverage, found[number % 2])


def test_no_file_stays_open(store, path):
    store.peaks("chr2")
    path.unlink()
    assert len(store.coverage("chr2", np.arange(0, 900, 90), 50).track)
    with pytest.raises(InputFileError, match=r"evidence\.h5: no such file"):
        store.peaks("chr10")


def test_digests_know_what_counts(contents):
    """Names, regions and peaks change it; the file's digests and build do not."""
    base = contents.digest()
    tracks = list(contents.tracks)
    other_file = [t._replace(digest="sha256:x") for t in tracks]
    assert replace(contents, tracks=tuple(other_file), build="").digest() == base
    swapped = [tracks[1], tracks[0], *tracks[2:]]
    assert replace(contents, tracks=tuple(swapped)).digest() != base
    renamed = [t._replace(replicate="2") for t in tracks]
    assert replace(contents, tracks=tuple(renamed)).digest() != base
    assert replace(contents, regions=contents.regions[:1]).digest() != base
    assert replace(contents, has_peaks=~contents.has_peaks).digest() != base
    fewer = {"chr2": contents.peaks["chr2"]}
    assert replace(contents, peaks=fewer).digest() != base
    sizes = {**contents.chrom_sizes, "chrY": 701}
    assert replace(contents, chrom_sizes=sizes).digest() != base


def test_what_is_no_store_is_refused(tmp_path):
    with pytest.raises(InputFileError, match=r"no such file.*evidence build"):
        open_evidence(tmp_path / "none.h5")
    with pytest.raises(InputFileError, match="is a folder"):
        open_evidence(tmp_path)
    text = tmp_path / "text.h5"
    text.write_text("chr1\t1\t2\n")
    with pytest.raises(
        InputFileError, match=r"not a complete evidence file.*evidence build"
    ):
        open_evidence(text)
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file.attrs["format"] = "tfimpute-dataset"
    with pytest.raises(InputFileError, match="its format is 'tfimpute-dataset'"):
        open_evidence(tmp_path / "foreign.h5")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("format-version", 1, "version 1, and this program reads version 2"),
        ("complete", 0, "incomplete, writing was interrupted"),
        ("digest", None, "not a complete evidence file"),
    ],
)
def test_attributes_must_be_right(path, name, value, words):
    with h5py.File(path, "r+") as file:
        del file.attrs[name]
        if value is not None:
            file.attrs[name] = value
    with pytest.raises(InputFileError, match=words):
        open_evidence(path)


@pytest.mark.parametrize(
    ("name", "index", "value", "words"),
    [
        ("regions/end", 0, 9001, "a region is outside"),
        ("regions/start", 0, -1, "a region is outside"),
        ("regions/chrom", 0, 9, "not a complete evidence file"),
        ("regions/chrom", slice(None), [1, 0], "outside|not sorted"),
        ("chroms/name", 1, b"chr2", "is inconsistent"),
    ],
)
def test_heads_that_cannot_be_are_refused(path, name, index, value, words):
    with h5py.File(path, "r+") as file:
        file[name][index] = value
    with pytest.raises(InputFileError, match=words):
        open_evidence(path)


@pytest.mark.parametrize("name", ["tracks/tf", "chroms", "regions/start", "intervals"])
def test_a_missing_part_is_refused_or_noticed(path, name):
    with h5py.File(path, "r+") as file:
        del file[name]
    if name == "intervals":
        with pytest.raises(InputFileError, match="does not match its digest"):
            open_evidence(path).check()
    else:
        with pytest.raises(InputFileError, match="not a complete evidence file"):
            open_evidence(path)


@pytest.mark.parametrize(
    ("name", "index", "value"),
    [
        ("track", 0, 9),
        ("length", 5, 0),
        ("length", 5, 9000),
        ("step", 0, -1),
        ("step", 4, -20),
        ("n-tracks", 0, 2),
        ("n-tracks", 3, 0),
    ],
)
def test_peaks_that_cannot_be_are_refused_when_they_are_read(path, name, index, value):
    with h5py.File(path, "r+") as file:
        file[f"intervals/chr2/{name}"][index] = value
    store = open_evidence(path)
    assert len(store.peaks("chr10").start)
    with pytest.raises(InputFileError, match=r"invalid peaks on chr2|per interval"):
        store.peaks("chr2")


def test_a_check_finds_what_could_be(path):
    with h5py.File(path, "r+") as file:
        column = file["intervals/chr2/track"]
        column[0] = (column[0] + 1) % 9
    store = open_evidence(path)
    assert len(store.peaks("chr2").start) == 9 * 40
    with pytest.raises(InputFileError, match="does not match its digest"):
        store.check()


def test_a_flipped_bit_is_found(path):
    with h5py.File(path) as file:
        chunk = file["intervals/chr2/track"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 4
    path.write_bytes(content)
    with pytest.raises(InputFileError, match="not a complete evidence file"):
        open_evidence(path).peaks("chr2")


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9])
def test_a_file_cut_short_is_refused(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputFileError, match="not a complete evidence file"):
        open_evidence(path)


def test_errors_are_of_one_line(path):
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputFileError) as caught:
        open_evidence(path)
    assert "\n" not in str(caught.value)


def test_many_regions_fit(rng, tmp_path):
    regions = [Region("chr2", at, at + 1) for at in range(0, 9000, 2)]
    path = tmp_path / "evidence.h5"
    write_evidence(path, draw_contents(rng, regions=regions))
    store = open_evidence(path)
    assert store.regions == tuple(regions)
    told = store.in_coverage("chr2", np.arange(9000), 1)
    np.testing.assert_array_equal(told, np.arange(9000) % 2 == 0)
