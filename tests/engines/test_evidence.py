"""Evidence as a scan computes it against the definition in plain PyTorch."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from evidence_toys import READER, TRACKS, draw_network, draw_store, draw_weights
from tfimpute_tracks.engines.evidence import PairEvidence
from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.evidence import ACCESSIBILITY
from tfimpute_tracks.genome import Region, bundled_region
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.evidence_network import TrackTensors
from tfimpute_tracks.models.evidence_weights import (
    evidence_path,
    write_evidence_weights,
)
from tfimpute_tracks.vocabulary import Pair
from toys import VOCABULARY, make_model


@pytest.fixture
def evidence(tmp_path, rng):
    return Evidence(draw_weights(draw_network()), draw_store(tmp_path / "e.h5", rng))


def test_a_scan_agrees_with_the_definition(evidence, rng):
    network, store = draw_network(), evidence.store
    pairs = [(tf, cell) for tf in range(3) for cell in range(4)]
    centers = np.arange(40, 4900, 37)
    logits = rng.normal(-2, 2, (len(centers), len(pairs))).astype(np.float32)
    found = PairEvidence(evidence, pairs).apply(logits.copy(), "chr1", centers)
    cover = store.window_coverage("chr1", centers, READER.windows)
    fractions = np.zeros((len(centers), 3, len(TRACKS)), np.float32)
    rows = np.repeat(np.arange(len(centers)), np.diff(cover.indptr))
    fractions[rows, :, cover.track] = cover.fraction
    has_peak = (fractions > 0).any(axis=2)
    assert has_peak[:, 0].sum() > 20
    assert (has_peak[:, 2] & ~has_peak[:, 1]).sum() > 5
    assert not has_peak.any(axis=1).all()
    tf, cell = torch.tensor(pairs).unbind(1)
    names = [*VOCABULARY.tfs, "accessibility"]
    tracks = TrackTensors(
        torch.tensor([names.index(pair.tf) for pair in TRACKS]),
        torch.tensor([VOCABULARY.cells.index(pair.cell) for pair in TRACKS]),
        torch.from_numpy(store.has_peaks("chr1")),
    )
    with torch.no_grad():
        given = torch.from_numpy(logits), torch.from_numpy(fractions)
        expected = network(*given, tf, cell, tracks).numpy()
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_the_own_track_of_a_pair_does_not_count(tmp_path, evidence, rng):
    pair = TRACKS[0]
    (index,) = VOCABULARY.pair_indices([pair])
    centers = np.arange(40, 4900, 37)
    logits = rng.normal(-2, 2, (len(centers), 1)).astype(np.float32)
    others = np.array([other != pair for other in TRACKS])
    without = Evidence(evidence.weights, evidence.store.subset(others))
    both = [
        PairEvidence(some, [index]).apply(logits.copy(), "chr1", centers)
        for some in (evidence, without)
    ]
    np.testing.assert_allclose(*both, atol=1e-5)


def test_a_pair_may_be_there_several_times(evidence, rng):
    pairs = VOCABULARY.pair_indices([TRACKS[0], TRACKS[1], TRACKS[0]])
    centers = np.arange(40, 4900, 37)
    logits = rng.normal(-2, 2, (len(centers), 2)).astype(np.float32)[:, [0, 1, 0]]
    found = PairEvidence(evidence, pairs).apply(logits.copy(), "chr1", centers)
    once = PairEvidence(evidence, pairs[:2]).apply(
        logits[:, :2].copy(), "chr1", centers
    )
    np.testing.assert_array_equal(found, once[:, [0, 1, 0]])
    nothing = PairEvidence(evidence, []).apply(logits[:, :0], "chr1", centers)
    assert nothing.shape == (len(centers), 0)


def test_all_pairs_have_the_scores_of_a_few(rng):
    model = load_model("default", "encode-hg19")
    evidence, place = model.evidence, bundled_region()
    everything = model.vocabulary.pair_indices(model.vocabulary.all_pairs())
    some = np.sort(rng.choice(len(everything), 12_000, replace=False))
    pairs = [everything[i] for i in some] + [everything[some[5]]]
    centers = np.arange(place.start, place.start + 50_000, 900) + 1000
    logits = rng.normal(-2, 2, (len(centers), len(pairs))).astype(np.float32)
    logits[:, -1] = logits[:, 5]
    pair_evidence = PairEvidence(evidence, pairs)
    found = pair_evidence.apply(logits.copy(), place.chrom, centers)
    np.testing.assert_array_equal(found[:, -1], found[:, 5])
    part = slice(11, 24)
    again = pair_evidence.apply(logits[part].copy(), place.chrom, centers[part])
    np.testing.assert_array_equal(again, found[part])
    few = np.flatnonzero(rng.random(len(pairs)) < 0.02)
    own = model.vocabulary.pair_indices(
        [p for p in evidence.pairs if p.tf != ACCESSIBILITY]
    )
    few = np.union1d(few, [pairs.index(pair) for pair in own if pair in pairs][:200])
    alone = PairEvidence(evidence, [pairs[i] for i in few]).apply(
        logits[:, few].copy(), place.chrom, centers
    )
    np.testing.assert_allclose(found[:, few], alone, atol=5e-5)


def test_without_evidence_sequence_scores_stay_as_they_are(evidence, rng):
    pair_evidence = PairEvidence(evidence, [(0, 3)])
    logits = rng.normal(size=(4, 1)).astype(np.float32)
    centers = np.arange(4) * 20 + 100
    for chrom in ("chr20", "chr7"):
        found = pair_evidence.apply(logits.copy(), chrom, centers)
        np.testing.assert_array_equal(found, logits)
    beside = pair_evidence.apply(logits.copy(), "chr1", np.array([5, 10, 4990, 4995]))
    np.testing.assert_array_equal(beside, logits)


def test_without_evidence_sequence_says_how_common_binding_is(evidence, rng):
    given = dict(evidence.weights.weights)
    given["sequence_slope"] = np.full(1, 0.5, np.float32)
    given["sequence_offset"] = rng.normal(size=(3, 4)).astype(np.float32)
    known = Evidence(replace(evidence.weights, weights=given), evidence.store)
    pairs = [(0, 3), (2, 1)]
    logits = rng.normal(size=(4, 2)).astype(np.float32)
    expected = 0.5 * logits + given["sequence_offset"][[0, 2], [3, 1]]
    pair_evidence = PairEvidence(known, pairs)
    found = pair_evidence.apply(logits.copy(), "chr20", np.arange(4) * 20 + 100)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    # One tile begins before the region does.
    centers = np.array([5, 40, 60, 80])
    beside = pair_evidence.apply(logits.copy(), "chr1", centers)
    both = PairEvidence(evidence, pairs).apply(logits.copy(), "chr1", centers)
    np.testing.assert_allclose(beside[0], expected[0], rtol=1e-6)
    np.testing.assert_array_equal(beside[1:], both[1:])


def test_a_model_is_given_evidence_by_its_file(tmp_path, evidence):
    model = make_model(tmp_path)
    path = tmp_path / "toy.safetensors"
    with pytest.raises(UsageError, match="evidence train"):
        load_model(path, evidence.store)
    write_evidence_weights(evidence_path(path), evidence.weights)
    with pytest.raises(InputFileError, match="was trained for other weights"):
        load_model(path, evidence.store)
    own = draw_weights(draw_network(), model.checkpoint.digest)
    write_evidence_weights(evidence_path(path), own)
    given = load_model(path, tmp_path / "e.h5")
    assert set(given.digests) == {"weights", "evidence", "evidence_weights"}
    assert given.threshold(Pair("CTCF", "K562")) == pytest.approx(0.5)
    regions = [Region("chr1", 0, 3000), Region("chr20", 500, 1500)]
    counts = given.evidence.describe_pair(TRACKS[0])
    assert counts["own_tracks"] == 1
    assert counts["tf_tracks"] == 2
    reported = given.evidence.describe(regions)
    assert reported["sequence_only"] == ["chr20"]
    assert reported["fraction_in_coverage"] == 0.75
