"""Evidence as a scan computes it against the definition in plain PyTorch."""

import numpy as np
import pytest
import torch

from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.evidence import Contents, Peaks, Track, open_evidence
from tfimpute_tracks.evidence import write_evidence as write_store
from tfimpute_tracks.genome import Region
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.evidence import Evidence, PairEvidence
from tfimpute_tracks.models.evidence_network import EvidenceNetwork, TrackTensors
from tfimpute_tracks.models.evidence_weights import (
    EvidenceConfig,
    EvidenceWeights,
    evidence_path,
    write_evidence_weights,
)
from tfimpute_tracks.vocabulary import Pair
from toys import VOCABULARY, make_model

CONFIG = EvidenceConfig(heads=5, hidden=7, depth=3, embedding_size=4, width=30)
TRACKS = [
    *[Pair(tf, cell) for tf in VOCABULARY.tfs for cell in VOCABULARY.cells[:3]],
    Pair("accessibility", "K562"),
]
SIZES = {"chr1": 5000, "chr20": 2000}


def _network(seed=0):
    torch.manual_seed(seed)
    network = EvidenceNetwork(CONFIG, len(VOCABULARY.tfs), len(VOCABULARY.cells))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return network


def _weights(network, digest="sha256:0"):
    arrays = {n: p.detach().numpy() for n, p in network.named_parameters()}
    shape = len(VOCABULARY.tfs), len(VOCABULARY.cells)
    arrays["thresholds"] = np.full(shape, 0.5, np.float32)
    return EvidenceWeights(CONFIG, VOCABULARY, digest, arrays, "sha256:1", {})


def _store(path, rng, n_peaks=60):
    start = np.sort(rng.choice(4900, n_peaks, replace=False)).astype(np.int64)
    track = rng.integers(0, len(TRACKS), n_peaks).astype(np.uint16)
    # Disjoint, whatever the track.
    end = np.minimum(start + 25, np.append(start[1:], 5000))
    measured = np.zeros((len(TRACKS), 2), bool)
    measured[:, 0] = np.isin(np.arange(len(TRACKS)), track)
    tracks = tuple(Track(pair, "", 1, "sha256:2") for pair in TRACKS)
    regions = (Region("chr1", 0, 5000),)
    contents = Contents(
        tracks, SIZES, regions, measured, {"chr1": Peaks(start, end, track)}
    )
    write_store(path, contents)
    return open_evidence(path)


@pytest.fixture
def evidence(tmp_path, rng):
    return Evidence(_weights(_network()), _store(tmp_path / "e.h5", rng))


def test_a_scan_agrees_with_the_definition(evidence, rng):
    network, store = _network(), evidence.store
    pairs = [(tf, cell) for tf in range(3) for cell in range(4)]
    centres = np.arange(40, 4900, 37)
    logits = rng.normal(-2, 2, (len(centres), len(pairs))).astype(np.float32)
    found = PairEvidence(evidence, pairs).logits(logits, "chr1", centres)
    cover = store.coverage("chr1", centres - 15, 30)
    shares = np.zeros((len(centres), len(TRACKS)), np.float32)
    rows = np.repeat(np.arange(len(centres)), np.diff(cover.indptr))
    shares[rows, cover.track] = cover.share
    assert (shares > 0).any(axis=1).sum() > 20
    tf, cell = torch.tensor(pairs).unbind(1)
    names = [*VOCABULARY.tfs, "accessibility"]
    tracks = TrackTensors(
        torch.tensor([names.index(pair.tf) for pair in TRACKS]),
        torch.tensor([VOCABULARY.cells.index(pair.cell) for pair in TRACKS]),
        torch.from_numpy(store.measured("chr1")),
    )
    with torch.no_grad():
        told = torch.from_numpy(logits), torch.from_numpy(shares)
        expected = network(*told, tf, cell, tracks).numpy()
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_the_own_track_of_a_pair_does_not_count(tmp_path, evidence, rng):
    pair = TRACKS[0]
    (index,) = VOCABULARY.pair_indices([pair])
    centres = np.arange(40, 4900, 37)
    logits = rng.normal(-2, 2, (len(centres), 1)).astype(np.float32)
    others = np.array([other != pair for other in TRACKS])
    without = Evidence(evidence.weights, evidence.store.take(others))
    both = [
        PairEvidence(some, [index]).logits(logits, "chr1", centres)
        for some in (evidence, without)
    ]
    np.testing.assert_allclose(*both, atol=1e-5)


def test_where_nothing_is_told_letters_stay_as_they_are(evidence, rng):
    judge = PairEvidence(evidence, [(0, 3)])
    logits = rng.normal(size=(4, 1)).astype(np.float32)
    centres = np.arange(4) * 20 + 100
    for chrom in ("chr20", "chr7"):
        found = judge.logits(logits, chrom, centres)
        np.testing.assert_array_equal(found, logits)
    beside = judge.logits(logits, "chr1", np.array([5, 10, 4990, 4995]))
    np.testing.assert_array_equal(beside, logits)


def test_a_model_is_given_evidence_by_its_file(tmp_path, evidence):
    model = make_model(tmp_path)
    path = tmp_path / "toy.safetensors"
    with pytest.raises(UsageError, match="evidence train"):
        load_model(path, evidence.store)
    write_evidence_weights(evidence_path(path), evidence.weights)
    with pytest.raises(InputFileError, match="belongs to other weights"):
        load_model(path, evidence.store)
    own = _weights(_network(), model.checkpoint.digest)
    write_evidence_weights(evidence_path(path), own)
    given = load_model(path, tmp_path / "e.h5")
    assert set(given.digests) == {"weights", "evidence", "evidence_weights"}
    assert given.threshold(Pair("CTCF", "K562")) == pytest.approx(0.5)
    told = given.evidence.about(TRACKS[0], ["chr1", "chr20"])
    assert told["own_tracks"] == 1
    assert told["tf_tracks"] == 2
    assert told["letters_only"] == ["chr20"]
