"""Measured tracks of hg19: those that ship, and peaks beside the checkout."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from tfimpute_tracks.dataset import LabelRule, read_pairs_table
from tfimpute_tracks.dataset.labels import label_sites
from tfimpute_tracks.evidence import (
    ACCESSIBILITY,
    SHIPPED,
    BuildReport,
    PeakFile,
    build_evidence,
    open_evidence,
    open_shipped,
    write_evidence,
)
from tfimpute_tracks.genome import (
    merge_intervals,
    read_bed,
    read_chrom_sizes,
)
from tfimpute_tracks.models import load_model
from tfimpute_tracks.vocabulary import Pair

ROOT = Path(__file__).resolve().parents[2]
CHROM = "chr22"


# What the accessibility covers; the sets of TFs cover these and the other chromosomes.
WITH_ACCESSIBILITY = {
    f"chr{name}" for name in (13, 14, 15, 16, 18, 19, 20, 21, 22, "X")
}
_MAX_FILE, _MAX_FILES = 4 << 20, 16 << 20  # bytes


def test_what_ships_is_whole():
    store = open_shipped()
    assert store.name == SHIPPED
    assert store.build == "hg19"
    store.check()
    chroms = {f"chr{name}" for name in (*range(1, 23), "X", "Y")}
    assert {region.chrom for region in store.regions} == chroms
    assert all(r.end - r.start == store.chrom_sizes[r.chrom] for r in store.regions)
    is_open = np.array([track.pair.tf == ACCESSIBILITY for track in store.tracks])
    assert is_open.sum() == 24
    assert len({track.pair for track in store.tracks[:524]}) == (~is_open).sum() == 524
    for words in ("ENCODE", "4d055110", "7a58aecf"):
        assert words in store.provenance.source
    assert "MIT" in store.provenance.license
    assert "10.1038/nature11247" in store.provenance.citation


def test_where_nothing_was_measured_there_is_no_evidence():
    store = open_shipped()
    for chrom in store.chrom_sizes:
        measured = store.has_peaks(chrom)
        n_open = measured[524:].sum()
        few = 13 if chrom == "chrY" else 0
        assert n_open == (24 if chrom in WITH_ACCESSIBILITY else few)
        n_pairs = measured[:524].sum()
        assert n_pairs == 135 if chrom == "chrY" else 511 <= n_pairs <= 520
        assert (
            sorted(set(store.peaks(chrom).track)) == np.flatnonzero(measured).tolist()
        )


def test_what_ships_has_the_models_names():
    vocabulary = load_model("default").vocabulary
    for track in open_shipped().tracks:
        assert track.pair.cell in vocabulary.cells
        assert track.pair.tf in (*vocabulary.tfs, ACCESSIBILITY)


def test_what_ships_is_small():
    folder = files("tfimpute_tracks") / "evidence" / "data" / SHIPPED
    sizes = [path.stat().st_size for path in Path(str(folder)).iterdir()]
    assert max(sizes) <= _MAX_FILE
    assert sum(sizes) <= _MAX_FILES


@pytest.mark.parametrize("chrom", ["chr1", "chr20", "chrY"])
def test_what_ships_is_the_grid_of_tiles(shared_data, chrom):
    store = open_shipped()
    with np.load(shared_data / "hg19/genome_wide/tiles_524sets.npz") as tiles:
        at = tiles["chrom"].tolist().index(chrom)
        own = slice(*tiles["offsets"][at : at + 2])
        start = np.cumsum(tiles["start_delta"][own], dtype=np.int64)
        bits = np.unpackbits(tiles["bits"][own], axis=1)[:, :524]
        sets = tiles["sets"].tolist()
    assert [f"{t.pair.tf}.{t.pair.cell}" for t in store.tracks[:524]] == sets
    peaks = store.peaks(chrom)
    is_tf = peaks.track < 524
    assert (peaks.end - peaks.start == 150)[is_tf].all()
    tile, track = np.nonzero(bits)
    np.testing.assert_array_equal(peaks.start[is_tf], start[tile])
    np.testing.assert_array_equal(peaks.track[is_tf], track)


@pytest.mark.slow  # reads 18 million peaks
def test_the_recipe_makes_what_ships(shared_data, tmp_path):
    script = ROOT / "benchmarks" / "encode_hg19.py"
    command = [sys.executable, script, shared_data / "hg19", tmp_path]
    subprocess.run(command, check=True, timeout=3600)
    made, shipped = open_evidence(tmp_path / f"{SHIPPED}.h5"), open_shipped()
    assert made.digest == shipped.digest
    assert made.tracks == shipped.tracks
    assert made.provenance == shipped.provenance
    assert {path.name for path in tmp_path.iterdir()} == {
        path.name for path in (ROOT / "evidence/data" / SHIPPED).iterdir()
    }


@pytest.fixture(scope="module")
def built(shared_data, tmp_path_factory):
    """A store of every 25th pair and of one accessibility track; the table's rows."""
    hg19 = shared_data / "hg19"
    table = read_pairs_table(hg19 / "pairs.tsv")
    rows = list(zip(table.pairs, table.beds, strict=True))[::25]
    chosen = [PeakFile(pair, "", bed) for pair, bed in rows]
    narrow = hg19 / "narrowpeak" / "DNase-seq.K562.narrowPeak.gz"
    chosen.append(PeakFile(Pair(ACCESSIBILITY, "K562"), "", narrow))
    sizes = read_chrom_sizes(hg19 / "hg19.chrom.sizes")
    contents, report = build_evidence(chosen, load_model("default").vocabulary, sizes)
    assert report == BuildReport()
    path = tmp_path_factory.mktemp("real") / "evidence.h5"
    write_evidence(path, contents)
    return open_evidence(path), chosen


def test_half_of_the_middle_is_what_labels_say(built, shared_data):
    store, chosen = built
    rule = LabelRule()
    sites = read_bed(shared_data / "hg19" / "dhs.bed.gz")
    sites = sites[sites["chrom"] == CHROM]
    centers = np.unique(((sites["start"] + sites["end"]) // 2).to_numpy(np.int64))
    starts = centers - rule.central // 2
    coverage = store.coverage(CHROM, starts, rule.central)
    shares = np.zeros((len(starts), len(chosen)), dtype=np.float32)
    rows = np.repeat(np.arange(len(starts)), np.diff(coverage.indptr))
    shares[rows, coverage.track] = coverage.fraction
    for column, file in enumerate(chosen):
        peaks = merge_intervals(read_bed(file.path))
        peaks = peaks[peaks["chrom"] == CHROM]
        places = (peaks[name].to_numpy(np.int64) for name in ("start", "end"))
        labels = label_sites(centers, *places, rule)
        found = np.flatnonzero(shares[:, column] >= rule.min_covered)
        np.testing.assert_array_equal(found, labels.positive, err_msg=str(file))
    assert store.in_coverage(CHROM, starts, rule.central).all()


def test_what_ships_is_what_the_peak_files_hold(built):
    """Each peak starts where it does in its file; a few are wider there than a tile."""
    store, chosen = built
    shipped = open_shipped()
    pairs = [track.pair for track in shipped.tracks]
    n_peaks = n_wide = 0
    for chrom in ("chr20", "chr21"):
        mine, theirs = store.peaks(chrom), shipped.peaks(chrom)
        for number, file in enumerate(chosen[:-1]):
            own = mine.track == number
            other = theirs.track == pairs.index(file.pair)
            np.testing.assert_array_equal(mine.start[own], theirs.start[other])
            wider = mine.end[own] - theirs.end[other]
            assert wider.min(initial=0) == 0
            n_peaks += len(wider)
            n_wide += int((wider > 0).sum())
    assert 0 < n_wide < 0.005 * n_peaks
