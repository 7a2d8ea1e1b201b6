"""New names in a model: what is found of them, and that nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from evidence_toys import TRACKS, draw_network, draw_store, draw_weights
from tfimpute_tracks.engines.evidence import ConditionedPairs, PairEvidence
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evaluation.metrics import pair_aurocs
from tfimpute_tracks.evidence import (
    ACCESSIBILITY,
    JoinedStore,
    PeakDatabase,
    PeakFile,
    Peaks,
    Track,
    build_evidence,
    open_evidence,
    write_evidence,
)
from tfimpute_tracks.evidence.similarity import open_sites, similar_cells
from tfimpute_tracks.genome import Region
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.evidence_weights import (
    IN_BYTES,
    read_evidence_weights,
    write_evidence_weights,
)
from tfimpute_tracks.models.extension import ModelWeights, NewNames, name_vectors
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.models.network import TFImpute
from tfimpute_tracks.models.weights_file import round_to_bytes
from tfimpute_tracks.training.extend_fit import (
    ExtendRecipe,
    fit_sequence,
    name_prior,
)
from tfimpute_tracks.training.extend_inputs import check_tracks
from tfimpute_tracks.vocabulary import Pair, Vocabulary
from toys import AROUND, CONFIG, GENOME, VOCABULARY, make_model

SIZES = GENOME["chrom_sizes"]


@pytest.fixture
def weights(tmp_path):
    checkpoint = make_model(tmp_path, config=AROUND).checkpoint
    return ModelWeights(checkpoint, draw_weights(draw_network(), checkpoint.digest))


def _names(weights, rng, tfs=("NEW1", "NEW2"), cells=("MINE",)):
    sizes = [name_vectors(weights, kind).shape[1] for kind in ("tf", "cell")]
    vectors = (
        rng.normal(size=(len(names), size))
        for names, size in zip((tfs, cells), sizes, strict=True)
    )
    return NewNames(tfs, cells, *vectors)


def _own_store(path, rng, pairs):
    """A store of some pairs, with peaks drawn at random on chr1."""
    start = np.sort(rng.choice(SIZES["chr1"] // 50, 30, replace=False) * 50)
    track = rng.integers(0, len(pairs), len(start)).astype(np.uint16)
    contents = PeakDatabase(
        tuple(Track(pair, "", 9, "sha256:3") for pair in pairs),
        SIZES,
        (Region("chr1", 0, SIZES["chr1"]),),
        np.array([[True, False]] * len(pairs)),
        {"chr1": Peaks(start, start + 40, track)},
    )
    write_evidence(path, contents)
    return open_evidence(path)


def test_known_rows_stay_and_new_ones_follow(weights):
    names = _names(weights, np.random.default_rng(0))
    more = weights.extend(names)
    assert more.vocabulary.tfs == (*VOCABULARY.tfs, "NEW1", "NEW2")
    assert more.vocabulary.cells == (*VOCABULARY.cells, "MINE")
    for kind, vectors in (("tf", names.tf_vectors), ("cell", names.cell_vectors)):
        found = name_vectors(more, kind)
        known = name_vectors(weights, kind)
        np.testing.assert_array_equal(found[: len(known)], known)
        np.testing.assert_allclose(found[len(known) :], vectors, rtol=1e-6)
    # The row of accessibility is still the last.
    old, new = (w.evidence.weights["summary.track_tf"] for w in (weights, more))
    np.testing.assert_array_equal(old[-1], new[-1])
    assert more.evidence.weights["thresholds"].shape == (5, 5)


def test_the_base_of_extended_weights_is_what_was_extended(weights, tmp_path):
    more = weights.extend(_names(weights, np.random.default_rng(0))).evidence
    write_evidence_weights(tmp_path / "m.evidence.safetensors", more)
    base = read_evidence_weights(tmp_path / "m.evidence.safetensors").base()
    assert base.vocabulary == VOCABULARY
    assert base.weights.keys() == weights.evidence.weights.keys()
    for name, array in weights.evidence.weights.items():
        stored = round_to_bytes(array) if name in IN_BYTES else array
        np.testing.assert_array_equal(base.weights[name], stored)
    assert weights.evidence.base() is weights.evidence


def test_known_pairs_do_not_depend_on_added_names(weights, tmp_path):
    rng = np.random.default_rng(1)
    store = draw_store(tmp_path / "e.h5", rng)
    pairs = [Pair("NEW1", "K562"), Pair("CTCF", "MINE"), Pair(ACCESSIBILITY, "MINE")]
    joined = JoinedStore(store, _own_store(tmp_path / "own.h5", rng, pairs))
    more = weights.extend(_names(weights, rng))
    extended = Evidence(more.evidence, joined)
    centers = np.arange(100, 4900, 40)
    index = [(0, 3), (3, 3), (2, 1), (0, 4), (3, 0)]
    logits = rng.normal(size=(len(centers), len(index))).astype(np.float32)
    found = ConditionedPairs(extended, index).apply(logits.copy(), "chr1", centers)
    old = [0, 2]
    before = PairEvidence(Evidence(weights.evidence, store), [(0, 3), (2, 1)])
    expected = before.apply(logits[:, old].copy(), "chr1", centers)
    np.testing.assert_array_equal(found[:, old], expected)
    # New pairs read all tracks.
    new = [1, 3, 4]
    every = PairEvidence(extended, [index[i] for i in new])
    expected = every.apply(logits[:, new].copy(), "chr1", centers)
    np.testing.assert_array_equal(found[:, new], expected)
    some = Evidence(more.evidence, store)
    without = ConditionedPairs(some, index).apply(logits.copy(), "chr1", centers)
    assert (without[:, 1] != found[:, 1]).any()


def test_two_stores_are_one(tmp_path):
    rng = np.random.default_rng(2)
    first = draw_store(tmp_path / "e.h5", rng)
    pairs = [Pair("NEW1", "K562"), Pair(ACCESSIBILITY, "MINE")]
    second = _own_store(tmp_path / "own.h5", rng, pairs)
    joined = JoinedStore(first, second)
    assert [t.pair for t in joined.tracks] == [*TRACKS, *pairs]
    centers = np.arange(50, 4900, 30)
    parts = [
        s.window_coverage("chr1", centers, (30, 90)) for s in (joined, first, second)
    ]
    n_tracks = [len(s.tracks) for s in (joined, first, second)]
    dense = []
    for coverage, n in zip(parts, n_tracks, strict=True):
        matrix = np.zeros((len(centers), n, 2), np.float32)
        rows = np.repeat(np.arange(len(centers)), np.diff(coverage.indptr))
        matrix[rows, coverage.track] = coverage.fraction
        dense.append(matrix)
    np.testing.assert_array_equal(dense[0], np.concatenate(dense[1:], axis=1))
    assert (joined.has_peaks("chr1")[-2:]).all()
    assert joined.subset(np.arange(n_tracks[0]) < n_tracks[1]) is first
    kept = np.arange(n_tracks[0]) % 2 == 0
    some = joined.subset(kept)
    assert some.tracks == joined.tracks[::2]
    assert len({joined.digest, first.digest, second.digest, some.digest}) == 4
    joined.check()


def test_similar_open_chromatin_comes_first(tmp_path):
    rng = np.random.default_rng(3)
    own = rng.random(90) < 0.3
    beds = {}
    for cell, noise in (("MINE", 0.0), ("near", 0.1), ("far", 0.5)):
        is_open = own ^ (rng.random(90) < noise)
        rows = [f"chr1\t{50 * i}\t{50 * i + 30}\n" for i in np.flatnonzero(is_open)]
        beds[cell] = tmp_path / f"{cell}.bed"
        beds[cell].write_text("".join(rows))
    files = [PeakFile(Pair(ACCESSIBILITY, cell), "", bed) for cell, bed in beds.items()]
    contents, _ = build_evidence(files, Vocabulary(["A"], list(beds)), SIZES)
    write_evidence(tmp_path / "o.h5", contents)
    store = open_evidence(tmp_path / "o.h5")
    assert np.diff(open_sites(store, "chr1")).min() >= 100
    found = similar_cells(store, "MINE")
    assert list(found) == ["near", "far"]
    assert found["near"] > 0.5 > abs(found["far"])
    assert similar_cells(store, "unmeasured") == {}


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("chr1\t5\t9\n", "its peaks are on chr1, and the FASTA has chr7; use peaks on"),
        ("chr1\t5\t9\nchr7\t5\t9\n", "1 peak of the accessibility of MINE on the"),
        ("", "is empty; the accessibility of MINE needs peaks"),
    ],
)
def test_unusable_accessibility_is_named_by_its_file(tmp_path, text, reported):
    (tmp_path / "mine.bed").write_text(text)
    (tmp_path / "all.bed").write_text("chr1\t5\t90\n")
    names = {"MINE": "mine.bed", "near": "all.bed"}
    files = [
        PeakFile(Pair(ACCESSIBILITY, cell), "", tmp_path / bed)
        for cell, bed in names.items()
    ]
    sizes = {"chr1": 5000, "chr7": 500}
    contents, _ = build_evidence(files, Vocabulary(["A"], list(names)), sizes)
    with pytest.raises(InputFileError, match=rf"mine\.bed: {reported}"):
        check_tracks(files, contents, {"chr7": 500})


def test_the_prior_is_the_spread_of_known_vectors():
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(40, 6)) @ rng.normal(size=(6, 6)) + 3
    weight = rng.random(40)
    prior = name_prior(vectors, weight, 2)
    np.testing.assert_allclose(prior.mean, [np.average(vectors, 0, weight)] * 2)
    expected = np.cov(vectors.T, aweights=weight, ddof=0)
    error = np.abs(prior.basis.T @ prior.basis - expected).max()
    assert error < 0.03 * np.abs(expected).max()


def test_a_new_tf_is_found_from_what_it_binds():
    """Labels are those of a known TF, which is then unknown; its vector is found again."""
    torch.manual_seed(0)
    rng = np.random.default_rng(5)
    network = TFImpute(CONFIG, 30, 4)
    network.init_weights(0, 1.0, 0.0)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name in {"tf_embedding", "gate_weight"}:
                parameter.mul_(10)
            if name == "unit_weight":
                parameter.mul_(5)
    codes = rng.integers(0, 4, (2000, CONFIG.seq_len)).astype(np.uint8)
    with torch.no_grad():
        logits = network(torch.from_numpy(codes), torch.tensor([29]), torch.tensor([1]))
        network.unit_bias -= logits.quantile(0.9)
    labels = (logits > logits.quantile(0.9)).numpy().astype(np.int8)
    vectors = network.tf_embedding.detach().numpy()[:29].astype(np.float64)
    prior = name_prior(vectors, np.ones(29), 1)
    none = name_prior(vectors, np.ones(29), 0)
    recipe = ExtendRecipe(steps=150, batch_size=256)
    pairs = np.array([29]), np.array([1])

    def auroc():
        with torch.no_grad():
            scores = network(
                torch.from_numpy(codes[1500:]), *map(torch.from_numpy, pairs)
            )
        return float(pair_aurocs(scores.numpy(), labels[1500:])[0])

    known = {n: p.clone() for n, p in network.named_parameters()}
    with torch.no_grad():
        network.tf_embedding[29] = torch.from_numpy(prior.mean[0])
    before, steps = auroc(), []
    found, no_cells = fit_sequence(
        network,
        codes[:1500],
        labels[:1500],
        pairs,
        (prior, none),
        recipe,
        lambda n, note: steps.append(n),
    )
    assert sum(steps) == 150
    assert found.shape == (1, 5)
    assert no_cells.shape == (0, 5)
    assert auroc() > 0.97 > before
    for name, parameter in network.named_parameters():
        rows = slice(0, 29) if name == "tf_embedding" else slice(None)
        np.testing.assert_array_equal(
            parameter[rows].detach(), known[name][rows].detach()
        )


def test_an_extended_model_scores_old_pairs_from_sequence_as_before(weights):
    more = weights.extend(_names(weights, np.random.default_rng(6)))
    old, new = Model("old", weights.sequence), Model("new", more.sequence)
    rng = np.random.default_rng(7)
    codes = rng.integers(0, 4, (5, AROUND.receptive_field)).astype(np.uint8)
    pairs = ["CTCF:K562", "MAX:HepG2"]
    np.testing.assert_array_equal(old.predict(codes, pairs), new.predict(codes, pairs))
    assert new.predict(codes, ["NEW2:MINE"]).shape == (5, 1)
    assert replace(new, name="x").status(Pair("NEW2", "MINE")) == "imputed"
