"""Peaks as intervals with lists of tracks, in one file or in one per chromosome."""

from __future__ import annotations

import pickle
import time
from dataclasses import replace

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_toys import draw_contents
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evidence import (
    Peaks,
    Provenance,
    Track,
    open_evidence,
    write_evidence,
)
from tfimpute_tracks.evidence.intervals import pack_peaks, unpack_peaks
from tfimpute_tracks.genome import Region
from tfimpute_tracks.vocabulary import Pair


def draw_tiles(rng, n_tracks, n_tiles, share):
    """Peaks of tracks on a common grid: tiles that each track has by chance."""
    start = np.sort(rng.choice(100_000, n_tiles, replace=False)) * 10
    tile, track = np.nonzero(rng.random((n_tiles, n_tracks)) < share)
    # Some tiles are wider than others.
    width = rng.choice([150, 170], n_tiles)[tile]
    return Peaks(start[tile], start[tile] + width, track.astype(np.uint16))


def assert_same(one, other):
    for mine, theirs in zip(one, other, strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 12), st.sampled_from([1, 2, 150]), st.integers(0, 2**16 - 1)
        ),
        min_size=1,
        max_size=40,
    )
)
def test_columns_are_peaks(rows):
    rows = {(start, track): start + n for start, n, track in rows}
    places, ends = zip(*sorted(rows.items()), strict=True)
    start, track = np.array(places).T
    peaks = Peaks(start, np.array(ends), track.astype(np.uint16))
    assert_same(unpack_peaks(pack_peaks(peaks)), peaks)


@given(st.integers(0, 2**32), st.integers(1, 300), st.floats(0.01, 1))
def test_a_tile_is_stored_once(seed, n_tracks, share):
    peaks = draw_tiles(np.random.default_rng(seed), n_tracks, 50, share)
    if len(peaks.start):
        columns = pack_peaks(peaks)
        assert len(columns["step"]) == len(np.unique(peaks.start))
        assert len(columns["track"]) == len(peaks.track)
        assert_same(unpack_peaks(columns), peaks)


def test_more_tracks_than_a_byte_counts_share_a_tile():
    n = 2**16
    same = np.full(n, 7, dtype=np.int64)
    peaks = Peaks(same, same + 150, np.arange(n).astype(np.uint16))
    columns = pack_peaks(peaks)
    assert columns["n-tracks"].tolist() == [n]
    assert_same(unpack_peaks(columns), peaks)


@pytest.fixture
def tiles(rng):
    """60 tracks on common tiles of chr2 and of chr10; chrY has none."""
    tracks = tuple(
        Track(Pair("CTCF", f"c{i}"), "", i, f"sha256:{i}") for i in range(60)
    )
    contents = replace(draw_contents(rng, 60), tracks=tracks)
    sizes = {"chr2": 2_000_000, "chr10": 1_500_000, "chrY": 700}
    regions = tuple(r._replace(end=sizes[r.chrom]) for r in contents.regions)
    peaks = {chrom: draw_tiles(rng, 60, 900, 0.05) for chrom in ("chr2", "chr10")}
    told = Provenance("who measured", "as you like", "this paper")
    return replace(
        contents, chrom_sizes=sizes, regions=regions, peaks=peaks, provenance=told
    )


@pytest.fixture
def parts(tiles, tmp_path):
    """The header of a file per chromosome."""
    write_evidence(tmp_path / "some.h5", tiles, by_chromosome=True)
    return tmp_path / "some.h5"


def test_a_file_per_chromosome_is_the_same_evidence(tiles, parts, tmp_path):
    assert {path.name for path in tmp_path.iterdir()} == {
        *("some.h5", "some.chr2.h5", "some.chr10.h5")
    }
    digest = write_evidence(tmp_path / "one.h5", tiles)
    one, split = open_evidence(tmp_path / "one.h5"), open_evidence(parts)
    assert one.digest == split.digest == digest == tiles.digest()
    for chrom in tiles.chrom_sizes:
        assert_same(one.peaks(chrom), split.peaks(chrom))
        np.testing.assert_array_equal(one.has_peaks(chrom), split.has_peaks(chrom))
    assert_same(split.peaks("chr10"), tiles.peaks["chr10"])
    one.check()
    split.check()
    starts = np.arange(0, 9_000_000, 1000) // 10
    for chrom in ("chr2", "2"):
        assert_same(one.coverage(chrom, starts, 90), split.coverage(chrom, starts, 90))


def test_what_is_known_of_the_peaks_stays(tiles, parts, tmp_path):
    store = open_evidence(parts)
    assert store.provenance == ("who measured", "as you like", "this paper")
    assert store.subset(np.arange(60) < 9).provenance == store.provenance
    assert pickle.loads(pickle.dumps(store)).provenance == store.provenance
    silent = replace(tiles, provenance=Provenance())
    assert write_evidence(tmp_path / "silent.h5", silent) == store.digest
    assert open_evidence(tmp_path / "silent.h5").provenance == ("", "", "")


def test_the_same_peaks_are_the_same_bytes(tiles, parts, tmp_path):
    before = {path.name: path.read_bytes() for path in tmp_path.glob("some*.h5")}
    time.sleep(1.1)  # HDF5 counts time in seconds
    write_evidence(parts, tiles, by_chromosome=True)
    assert {
        path.name: path.read_bytes() for path in tmp_path.glob("some*.h5")
    } == before


def test_other_readers_find_the_peaks_through_the_header(tiles, parts):
    with h5py.File(parts) as file:
        group = file["intervals/chr2"]
        found = unpack_peaks({name: group[name][:] for name in group})
    assert_same(found, tiles.peaks["chr2"])


def test_a_folder_of_parts_can_move(tiles, parts, tmp_path):
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for path in tmp_path.glob("*.h5"):
        path.rename(moved / path.name)
    assert_same(open_evidence(moved / parts.name).peaks("chr2"), tiles.peaks["chr2"])


def test_a_part_that_is_gone_is_named(parts):
    parts.with_name("some.chr2.h5").unlink()
    store = open_evidence(parts)
    assert len(store.peaks("chr10").start)
    with pytest.raises(InputFileError, match=r"some\.chr2\.h5: no such file"):
        store.peaks("chr2")


def test_a_part_that_is_cut_short_is_named(parts):
    part = parts.with_name("some.chr2.h5")
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(InputFileError, match=r"some\.chr2\.h5: not a complete"):
        open_evidence(parts).peaks("chr2")


def test_a_part_of_other_evidence_is_refused(parts, rng, tmp_path):
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "some.h5"
    write_evidence(other, draw_contents(rng), by_chromosome=True)
    part = other.with_name("some.chr2.h5")
    part.replace(parts.with_name("some.chr2.h5"))
    with pytest.raises(
        InputFileError, match=r"some\.chr2\.h5: .*not belong to some\.h5"
    ):
        open_evidence(parts).peaks("chr2")


@pytest.mark.parametrize("name", ["some.h5", "some.chr2.h5"])
def test_a_flipped_bit_is_found_wherever_it_is(parts, tiles, rng, name):
    """Or it changes nothing: some bytes of a file are not in use."""
    path = parts.with_name(name)
    content = path.read_bytes()
    told = []
    for at in rng.choice(len(content), 80, replace=False):
        damaged = bytearray(content)
        damaged[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            store = open_evidence(parts)
            peaks = store.peaks("chr2")
        except InputFileError as error:
            told.append(str(error))
            continue
        store.check()
        assert store.tracks == tiles.tracks
        assert store.provenance == tiles.provenance
        assert_same(peaks, tiles.peaks["chr2"])
    assert told
    assert all(str(path) in text and "\n" not in text for text in told)


def test_few_chromosomes_stay_in_memory(tiles, tmp_path):
    chroms = [f"chr{number}" for number in range(1, 7)]
    sizes = dict.fromkeys(chroms, 2_000_000)
    contents = replace(
        tiles,
        chrom_sizes=sizes,
        regions=tuple(Region(chrom, 0, size) for chrom, size in sizes.items()),
        has_peaks=np.ones((60, 6), dtype=bool),
        peaks=dict.fromkeys(chroms, tiles.peaks["chr2"]),
    )
    write_evidence(tmp_path / "some.h5", contents)
    store = open_evidence(tmp_path / "some.h5")
    for chrom in chroms:
        store.peaks(chrom)
    (tmp_path / "some.h5").unlink()
    assert_same(store.peaks(chroms[-1]), tiles.peaks["chr2"])
    with pytest.raises(InputFileError, match="no such file"):
        store.peaks(chroms[0])
