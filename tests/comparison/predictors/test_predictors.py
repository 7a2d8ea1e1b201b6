"""Each predictor finds what is planted, and finds nothing where nothing is."""

import dataclasses

import numpy as np
import pytest
import torch

from task_toys import make_task, shuffle_sites
from tfimpute_tracks.comparison.predictors.average_activity import AverageActivity
from tfimpute_tracks.comparison.predictors.deepbind import DeepBind, DeepBindNetwork
from tfimpute_tracks.comparison.predictors.deepsea import DeepSea
from tfimpute_tracks.comparison.predictors.fitting import (
    masked_loss,
    reverse_complement,
)
from tfimpute_tracks.comparison.predictors.gkm_svm import GkmSvm
from tfimpute_tracks.comparison.predictors.retrained_tfimpute import RetrainedTFImpute
from tfimpute_tracks.comparison.predictors.tfimpute import (
    TFImputePredictor,
    TfMeanPredictor,
)
from tfimpute_tracks.comparison.predictors.training_groups import pooled_sample
from tfimpute_tracks.errors import UsageError
from toys import make_dataset, make_model


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("make", "n_sites", "n_sequences"), [(GkmSvm, 1500, 100), (DeepBind, 4800, 800)]
)
def test_a_planted_motif_is_found(make, n_sites, n_sequences, aurocs):
    dataset = make_dataset(n_sites)
    planted, shuffled = (
        make_task(d, scored=[9], n_sequences=n_sequences)
        for d in (dataset, shuffle_sites(dataset))
    )
    assert aurocs(make(), planted)[0] > 0.75
    assert 0.35 < aurocs(make(), shuffled)[0] < 0.65


@pytest.mark.slow
def test_planted_motifs_of_all_pairs_are_found_at_once(aurocs):
    # A held-out pair borrows the output of another cell line; a trained one has one.
    planted = make_task(make_dataset(6000), scored=[8, 9], n_sequences=4000)
    assert aurocs(DeepSea(), planted).min() > 0.75


@pytest.mark.slow
def test_tfimpute_is_trained_on_the_same_sequences(aurocs):
    # Small motifs in sequences of 60: long filters find them slowly.
    planted = make_task(make_dataset(6000), scored=[2, 9], n_sequences=4000)
    fitted = RetrainedTFImpute().fit(planted)
    assert fitted.n_sequences <= 3 * 4000
    assert aurocs(RetrainedTFImpute(), planted).min() > 0.75


@pytest.mark.slow
def test_deepsea_finds_nothing_in_permuted_labels(aurocs):
    dataset = shuffle_sites(make_dataset(7200))
    found = aurocs(DeepSea(), make_task(dataset, scored=[8, 9], n_sequences=4000))
    assert 0.4 < found.min() <= found.max() < 0.6


def test_both_variants_of_deepsea_share_a_network(task):
    task = dataclasses.replace(task, n_sequences=60)
    nearest, mean = DeepSea(), DeepSea(mean=True)
    first, second = nearest.fit(task), mean.fit(task)
    assert first.state is second.state
    assert (first.n_sequences, second.n_sequences) == (
        len(pooled_sample(task)[0]),
        None,
    )
    a, b = (
        p.score(task, f, task.test_rows, task.scored)
        for p, f in ((nearest, first), (mean, second))
    )
    assert not np.array_equal(a, b)


def test_the_same_seed_gives_the_same_scores(task):
    task = dataclasses.replace(task, n_sequences=40)
    runs = []
    for _ in range(2):
        fitted = DeepBind().fit(task)
        runs.append(DeepBind().score(task, fitted, task.test_rows, task.scored))
    np.testing.assert_array_equal(*runs)


def test_a_held_out_pair_has_no_machine_of_its_own(task):
    mixed = dataclasses.replace(task, scored=np.array([8, 9]), n_sequences=40)
    fitted = GkmSvm(per_pair=True).fit(mixed)
    assert set(fitted.unscored) == {9}
    assert "held out" in fitted.unscored[9]


def test_models_are_scored_as_they_predict(tmp_path, task):
    model = make_model(tmp_path)
    model_itself, mean = TFImputePredictor(model), TfMeanPredictor(model)
    rows, columns = task.test_rows[:50], task.scored
    pairs = [task.pair(int(c)) for c in columns]
    expected = model.predict(task.dataset.codes[rows], pairs)
    logits = model_itself.score(task, model_itself.fit(task), rows, columns)
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), expected, atol=1e-5)
    cells = [task.pair(int(c)) for c in task.cells_of("MAX")]
    expected = model.predict(task.dataset.codes[rows], cells).mean(axis=1)
    means = mean.score(task, mean.fit(task), rows, columns)
    np.testing.assert_allclose(means[:, 2], expected, atol=1e-5)


def test_another_length_of_sequences_is_refused(tmp_path, task):
    short = dataclasses.replace(task, dataset=make_dataset(100, seq_len=50))
    with pytest.raises(UsageError, match="prepare --seq-len 60"):
        TFImputePredictor(make_model(tmp_path)).score(
            short, None, np.arange(5), task.scored
        )


def test_average_activity_reads_the_labels_of_other_cell_lines(task):
    fitted = AverageActivity().fit(task)
    scores = AverageActivity().score(task, fitted, task.test_rows, task.scored)
    labels = task.dataset.labels(task.test_rows)
    for place, column in enumerate(task.scored):
        cells = task.cells_of(task.pair(int(column)).tf)
        for row in range(40):
            known = [v for v in labels[row, cells] if v >= 0]
            assert scores[row, place] == pytest.approx(np.mean(np.array(known) == 1))
    assert "no sequence is used" in AverageActivity().fit(task).notes[0]


def test_a_detector_reads_both_strands_alike():
    torch.manual_seed(1)
    network = DeepBindNetwork().eval()
    codes = torch.randint(0, 5, (7, 33), dtype=torch.uint8)
    with torch.inference_mode():
        torch.testing.assert_close(network(codes), network(reverse_complement(codes)))


def test_ignored_labels_cost_nothing():
    logits = torch.tensor([[0.3, -2.0], [5.0, 1.0]])
    known = masked_loss(logits[:, :1], torch.tensor([[1], [0]], dtype=torch.int8))
    labels = torch.tensor([[1, -1], [0, -1]], dtype=torch.int8)
    torch.testing.assert_close(masked_loss(logits, labels), known)
    assert masked_loss(logits, torch.full((2, 2), -1, dtype=torch.int8)) == 0
