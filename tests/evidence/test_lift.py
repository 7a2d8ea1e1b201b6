"""Evidence on another assembly: which peaks move, and where there are data."""

from __future__ import annotations

import json

import numpy as np
import pytest

from chain_toys import BACK, FORWARD, NEW, OLD, write_chain
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evidence import (
    PeakDatabase,
    Peaks,
    Track,
    open_evidence,
    write_evidence,
)
from tfimpute_tracks.evidence.lift import lift_evidence
from tfimpute_tracks.genome import Region, read_chrom_sizes
from tfimpute_tracks.genome.chain import Chain
from tfimpute_tracks.vocabulary import Pair

TRACKS = tuple(
    Track(Pair(tf, "K562"), "", 3, "sha256:1") for tf in ("CTCF", "MAX", "REST")
)
# chromosome, start, end, track; REST was not measured on chr1 and chr3.
ROWS = [
    ("chr1", 100, 200, 0),
    ("chr1", 100, 200, 1),
    ("chr1", 950, 1050, 0),
    ("chr1", 1990, 2000, 0),
    ("chr1", 2050, 2150, 1),
    ("chr1", 2300, 2400, 0),
    ("chr1", 3950, 4050, 1),
    ("chr1", 4100, 4200, 0),
    ("chr2", 100, 200, 2),
    ("chr2", 1100, 1200, 2),
    ("chr2", 1200, 1300, 0),
    ("chr3", 10, 60, 1),
]


def write_toy(path, regions=None):
    peaks = {}
    for chrom in OLD:
        rows = np.array([row[1:] for row in ROWS if row[0] == chrom], dtype=np.int64)
        if len(rows):
            start, end, track = rows.T
            peaks[chrom] = Peaks(start, end, track.astype(np.uint16))
    measured = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 0, 0]], dtype=bool)
    if regions is None:
        regions = [Region(chrom, 0, OLD[chrom]) for chrom in peaks]
    write_evidence(
        path, PeakDatabase(TRACKS, OLD, tuple(regions), measured, peaks, "old1")
    )
    return open_evidence(path)


@pytest.fixture
def chain(tmp_path):
    return Chain(write_chain(tmp_path / "toy.chain.gz"), OLD, NEW, "e.h5", "new.fa")


def rows_of(database):
    return [
        (chrom, *(int(value) for value in row))
        for chrom, peaks in database.peaks.items()
        for row in zip(*peaks, strict=True)
    ]


def test_peaks_are_where_their_sequence_is(tmp_path, chain):
    store = write_toy(tmp_path / "e.h5")
    database, report = lift_evidence(store, chain, NEW, "new1")
    assert rows_of(database) == [
        ("chr1", 200, 300, 0),
        ("chr1", 200, 300, 1),
        ("chr1", 2290, 2400, 0),  # two that meet, as what was between them is gone
        ("chr1", 4900, 5000, 0),
        ("chr2", 100, 200, 2),
        ("chrU", 100, 200, 2),
        ("chrU", 200, 300, 0),
    ]
    assert report.peaks == {
        "kept": 8,
        "lost": 1,
        "split": 1,
        "resized": 1,
        "absent": 1,
        "moved": 2,
        "reversed": 1,
    }
    assert report.intervals["kept"] == 7
    assert report.dropped == 0
    assert report.fraction_kept == pytest.approx(8 / 12)
    assert database.build == "new1"
    assert database.tracks == store.tracks
    assert dict(database.chrom_sizes) == NEW


def test_what_has_no_counterpart_has_no_data(tmp_path, chain):
    database, report = lift_evidence(write_toy(tmp_path / "e.h5"), chain, NEW)
    assert database.regions == (
        Region("chr1", 100, 1100),
        Region("chr1", 1300, 5100),
        Region("chr2", 0, 1000),
        Region("chr2", 1400, 2900),
        Region("chrU", 0, 500),
    )
    assert report.source_bp == 5000 + 3000 + 1000
    assert report.target_bp == sum(end - start for _, start, end in database.regions)


def test_a_track_has_data_where_it_has_for_the_source(tmp_path, chain):
    database, _ = lift_evidence(write_toy(tmp_path / "e.h5"), chain, NEW)
    # chr1, chr2 and chrU, which comes from chr2.
    assert database.has_peaks.tolist() == [[1, 1, 1], [1, 1, 1], [0, 1, 1]]


def test_a_peak_that_moves_to_where_its_track_has_no_data_is_dropped(tmp_path):
    text = (
        "chain 9 chr1 5000 + 0 5000 chr1 5200 + 0 5000 1\n5000\n\n"
        "chain 9 chr2 3000 + 0 200 chr1 5200 + 5000 5200 2\n200\n\n"
    )
    path = write_chain(tmp_path / "toy.chain", text)
    chain = Chain(path, OLD, NEW, "e.h5", "new.fa")
    database, report = lift_evidence(write_toy(tmp_path / "e.h5"), chain, NEW)
    assert report.dropped == report.peaks["moved"] == 1
    assert not (database.peaks["chr1"].track == 2).any()
    assert database.has_peaks[:, 0].tolist() == [True, True, False]


def test_only_the_regions_of_the_evidence_have_data(tmp_path, chain):
    store = write_toy(
        tmp_path / "e.h5", [Region("chr1", 50, 450), Region("chr2", 0, 90)]
    )
    database, _ = lift_evidence(store, chain, NEW)
    found = [region for region in database.regions if region.chrom == "chr1"]
    assert Region("chr1", 150, 550) in found


def test_there_and_back_is_what_it_was(tmp_path, chain):
    store = write_toy(tmp_path / "e.h5")
    there, _ = lift_evidence(store, chain, NEW, "new1")
    write_evidence(tmp_path / "there.h5", there)
    path = write_chain(tmp_path / "back.chain", BACK)
    back = Chain(path, NEW, OLD, "there.h5", "old.fa")
    again, report = lift_evidence(open_evidence(tmp_path / "there.h5"), back, OLD)
    assert set(rows_of(again)) < set(ROWS)
    assert len(rows_of(again)) == 6  # the two that meet are longer now
    assert report.peaks["resized"] == 1


def test_nothing_lifted_is_an_error(tmp_path):
    text = "chain 9 chrX 400 + 0 400 chr2 2900 + 0 400 1\n400\n"
    chain = Chain(write_chain(tmp_path / "x.chain", text), OLD, NEW, "e.h5", "new.fa")
    with pytest.raises(InputFileError, match=r"no peak of e\.h5 has a place"):
        lift_evidence(write_toy(tmp_path / "e.h5"), chain, NEW)


@pytest.fixture
def files(tmp_path):
    write_toy(tmp_path / "e.h5")
    sizes = tmp_path / "new.sizes"
    sizes.write_text("".join(f"{name}\t{size}\n" for name, size in NEW.items()))
    return {
        "evidence": tmp_path / "e.h5",
        "--chain": write_chain(tmp_path / "toy.chain.gz"),
        "--chrom-sizes": sizes,
        "-o": tmp_path / "new.h5",
    }


def _flat(files, **changes):
    evidence, *rest = (files | changes).items()
    return [evidence[1], *[x for item in rest if item[1] is not None for x in item]]


def test_the_verb_counts_and_writes(run, files):
    options = [*_flat(files), "--assembly", "new1"]
    code, out, err = run("evidence", "lift", *options, "--json")
    assert code == 0, err
    told = json.loads(out)
    assert told["peaks"]["kept"] == 8
    assert told["intervals"]["moved"] == 2
    assert told["from"] == "old1"
    assert "warning: only 66.7% of the peaks have a place in new.sizes" in err
    lifted = open_evidence(files["-o"])
    assert lifted.build == "new1"
    assert lifted.digest == told["digest"]
    lifted.check()
    source = lifted.provenance.source
    assert source.startswith("lifted from old1 by toy.chain.gz: peaks kept 8, lost 1,")
    code, out, _ = run("evidence", "lift", *options, "--overwrite")
    assert code == 0
    assert "length changed by more than 10 %" in out
    assert out.splitlines()[-1] == str(files["-o"])


def test_a_chromosome_without_a_chain_is_warned_of(run, files, tmp_path):
    chain = write_chain(tmp_path / "cut.chain", FORWARD.partition("chain 700")[0])
    code, _, err = run("evidence", "lift", *_flat(files, **{"--chain": chain}))
    assert code == 0
    assert "cut.chain has no chain for chr2, chr3: their peaks are lost" in err


def test_the_target_may_be_a_fasta(run, files, tmp_path):
    fasta = tmp_path / "new.fa"
    fasta.write_text("".join(f">{name}\n{'N' * size}\n" for name, size in NEW.items()))
    code, _, err = run(
        "evidence", "lift", *_flat(files, **{"--chrom-sizes": None}), "-g", fasta
    )
    assert code == 0, err
    assert dict(open_evidence(files["-o"]).chrom_sizes) == NEW


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--chrom-sizes": None}, "use --fasta or --chrom-sizes, one of the two"),
        ({"--chain": "none.chain"}, "cannot read the chain file"),
        ({"evidence": "none.h5"}, "no such file"),
        ({"--assembly": "hg 38"}, "white space"),
        ({"--assembly": "hg38"}, "chr1 has 5,200 bp, expected 248,956,422 in hg38"),
    ],
)
def test_what_is_wrong_is_reported_in_one_line(run, files, tmp_path, changes, message):
    code, _, err = run("evidence", "lift", *_flat(files, **changes))
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert not files["-o"].exists()


def test_an_existing_file_is_kept(run, files):
    files["-o"].write_text("mine")
    code, _, err = run("evidence", "lift", *_flat(files))
    assert code == 2
    assert "--overwrite" in err
    assert files["-o"].read_text() == "mine"


@pytest.mark.slow
def test_real_tiles_return_to_where_they_were(shared_data):
    hg19, chains = shared_data / "hg19", shared_data / "hg38" / "chains"
    old = read_chrom_sizes(hg19 / "hg19.chrom.sizes")
    new = {"chr20": 64_444_167, "chr22": 50_818_468}
    there = Chain(chains / "hg19ToHg38.over.chain.gz", old, new, "hg19", "hg38")
    back = Chain(chains / "hg38ToHg19.over.chain.gz", new, old, "hg38", "hg19")
    with np.load(hg19 / "genome_wide" / "tiles_524sets.npz") as tiles:
        chroms = tiles["chrom"].astype(str).tolist()
        offsets, steps = tiles["offsets"], tiles["start_delta"]
    for chrom in new:
        i = chroms.index(chrom)
        start = np.cumsum(steps[offsets[i] : offsets[i + 1]], dtype=np.int64)
        lifted = there.lift(chrom, start, start + 150)
        own = (lifted.outcome == 0) & (lifted.chrom == list(new).index(chrom))
        again = back.lift(chrom, lifted.start[own], lifted.end[own])
        same = (again.outcome == 0) & (again.start == start[own])
        same &= (again.end == start[own] + 150) & (
            again.chrom == list(old).index(chrom)
        )
        assert same.sum() >= 0.99 * len(start)
