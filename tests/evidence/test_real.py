"""Measured tracks of hg19: the slice that ships, and peaks beside the checkout."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from tfimpute_tracks.dataset import LabelRule, read_pairs_table
from tfimpute_tracks.dataset.labels import label_sites
from tfimpute_tracks.evidence import (
    ACCESSIBILITY,
    BuildReport,
    PeakFile,
    build_evidence,
    open_evidence,
    open_shipped,
    write_evidence,
)
from tfimpute_tracks.genome import (
    bundled_region,
    merge_intervals,
    read_bed,
    read_chrom_sizes,
)
from tfimpute_tracks.models import load_model
from tfimpute_tracks.vocabulary import Pair

CHROM = "chr22"


def test_the_bundled_slice_is_there_and_whole():
    store = open_shipped()
    assert store.regions == (bundled_region(),)
    assert store.build == "hg19"
    assert store.check()
    tfs = [track.pair.tf for track in store.tracks]
    assert len(tfs) - tfs.count(ACCESSIBILITY) == 524
    assert [t.pair.cell for t in store.tracks if t.pair.tf == ACCESSIBILITY] == [
        *("GM12878", "HUVEC", "HeLa-S3", "K562")
    ]
    # Six sets of few peaks have none on chr20.
    assert store.has_peaks("chr20").sum() == 522
    assert not store.has_peaks("chr21").any()
    path = files("tfimpute_tracks") / "evidence" / "data" / "hg19.chr20.evidence.h5"
    assert len(path.read_bytes()) < 200_000


def test_the_bundled_slice_has_the_models_names():
    vocabulary = load_model("default").vocabulary
    for track in open_shipped().tracks:
        assert track.pair.cell in vocabulary.cells
        assert track.pair.tf in (*vocabulary.tfs, ACCESSIBILITY)


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


def test_the_bundled_slice_is_of_these_peaks(built):
    store, _ = built
    bundled = open_shipped()
    keys = [(track.pair, track.digest) for track in bundled.tracks]
    mine = [keys.index((track.pair, track.digest)) for track in store.tracks]
    chrom, start, end = bundled_region()
    starts = np.arange(start, end - 150, 90)
    slices = []
    for one, rows in ((store, np.arange(len(mine))), (bundled, np.array(mine))):
        coverage = one.coverage(chrom, starts, 150)
        shares = np.zeros((len(starts), len(one.tracks)), dtype=np.float32)
        at = np.repeat(np.arange(len(starts)), np.diff(coverage.indptr))
        shares[at, coverage.track] = coverage.fraction
        slices.append(shares[:, rows])
        assert [one.tracks[i].n_peaks for i in rows] == [
            track.n_peaks for track in store.tracks
        ]
    assert slices[0].any()
    np.testing.assert_array_equal(*slices)
