"""Training with a teacher: its probabilities, batches, loss, resuming and refusals."""

import errno
import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from evidence_toys import give_tracks
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.errors import UsageError, WriteError
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.registry import build_network
from tfimpute_tracks.training import Recipe, TrainingJob, train_model
from tfimpute_tracks.training.batches import BatchLoss
from tfimpute_tracks.training.fit import epochs_left
from tfimpute_tracks.training.loss import instance_weights, soft_loss, weighted_loss
from tfimpute_tracks.training.teacher import Teacher, remove_labels
from tfimpute_tracks.vocabulary import Pair
from toys import CONFIG, make_dataset, write_model

RECIPE = Recipe(
    epochs=2, batch_size=8, teacher_pairs=3, filter_std=0.3, teacher_weight=0.25
)
ROWS = np.arange(20, 320)
COLUMNS = np.arange(0, 12, 2)
SIZES = {"chr1": 40_000, "chr20": 90_000}


@pytest.fixture
def dataset():
    return replace(make_dataset(), chrom_sizes=(*SIZES.values(), 10**6))


@pytest.fixture
def teacher(tmp_path, rng):
    write_model(tmp_path / "toy.safetensors", config=CONFIG)
    model = load_model(tmp_path / "toy.safetensors")
    return Teacher(give_tracks(model, tmp_path, rng, SIZES))


@pytest.fixture
def labels(tmp_path, teacher, dataset):
    done = []
    found = teacher.labels(tmp_path, dataset, ROWS, COLUMNS, RECIPE, done.append)
    assert sum(done) == len(ROWS)
    return found


def test_probabilities_are_the_teachers(labels, teacher, dataset):
    trained = dataset.vocabulary.pair_indices([dataset.pairs[i] for i in COLUMNS])
    np.testing.assert_array_equal(np.sort(labels.rows), ROWS)
    size = labels.group_size
    for group in range(len(labels.pairs)):
        rows = labels.rows[group * size : (group + 1) * size]
        more = [tuple(pair) for pair in labels.pairs[group]]
        assert len({*more, *trained}) == len(trained) + 3
        log_odds = site_scorer(teacher.model, dataset, rows)([*trained, *more])
        found = labels.probabilities[group * size : (group + 1) * size]
        np.testing.assert_allclose(found, 1 / (1 + np.exp(-log_odds)), atol=1e-3)
    scorer = site_scorer(teacher.model, dataset, labels.rows, use_evidence=False)
    without = scorer(trained)
    by_sequence = 1 / (1 + np.exp(-without))
    assert np.abs(labels.probabilities[:, : len(trained)] - by_sequence).max() > 0.1


def test_an_epoch_has_every_site_once_and_batches_of_one_group(labels):
    for epoch in range(2):
        batches = list(labels.batches(0, epoch))
        assert len(batches) == -(-len(ROWS) // RECIPE.batch_size)
        np.testing.assert_array_equal(
            np.sort(np.concatenate(batches)), np.arange(len(ROWS))
        )
        for batch in batches:
            assert len(np.unique(batch // labels.group_size)) == 1
    first = next(labels.batches(0, 0))
    assert not np.array_equal(first, batches[0])


def test_the_loss_is_that_of_mixed_targets(labels, dataset):
    network = build_network(CONFIG, 3, 4)
    network.init_weights(0, 0.3, 0.0)
    batches = BatchLoss(
        dataset, ROWS, COLUMNS, RECIPE, "cpu", bfloat16=False, teacher=labels
    )
    batch = next(batches.batches(0))
    loss, n = batches.loss(network, batch, 0)
    rows, group = labels.rows[batch], int(batch[0]) // labels.group_size
    assert n == len(batch) * (len(COLUMNS) + 3)
    indices = dataset.vocabulary.pair_indices([dataset.pairs[i] for i in COLUMNS])
    tf, cell = np.concatenate([indices, labels.pairs[group]]).T
    codes = dataset.codes[rows, CONFIG.input_slice(dataset.seq_len, single=True)]
    with torch.no_grad():
        logits = network(*map(torch.from_numpy, (codes, tf.copy(), cell.copy())))
    targets = labels.probabilities[batch].astype(np.float64)
    known = dataset.labels(rows, COLUMNS)
    for site, pair in np.argwhere(known >= 0):
        targets[site, pair] = 0.25 * targets[site, pair] + 0.75 * known[site, pair]
    bound, unbound = (count[COLUMNS] for count in dataset.counts(ROWS))
    more = labels.expected_bound(group)
    weights = instance_weights(
        np.append(bound, more), np.append(unbound, len(ROWS) - more), True, 0.5
    )
    positive, negative = (w.numpy().astype(np.float64) for w in weights)
    z = logits.numpy().astype(np.float64)
    each = positive * targets * np.logaddexp(0, -z)
    each += negative * (1 - targets) * np.logaddexp(0, z)
    assert loss.item() == pytest.approx(each.mean(), rel=1e-5)


def test_certain_targets_give_the_loss_of_labels(rng):
    logits = torch.from_numpy(rng.normal(size=(7, 5)).astype(np.float32))
    labels = torch.from_numpy(rng.integers(0, 2, (7, 5)).astype(np.int8))
    positive, negative = torch.rand(2, 5)
    soft = soft_loss(logits, labels.float(), positive, negative)
    torch.testing.assert_close(soft, weighted_loss(logits, labels, positive, negative))


def test_a_killed_run_opens_the_probabilities_again(labels, tmp_path, teacher, dataset):
    (first,) = tmp_path.glob("teacher-*.npy")
    before = first.stat().st_mtime_ns
    again = teacher.labels(tmp_path, dataset, ROWS, COLUMNS, RECIPE, print)
    assert first.stat().st_mtime_ns == before
    np.testing.assert_array_equal(again.probabilities, labels.probabilities)
    (tmp_path / ".teacher-0123456789ab.npy.7-aa.tmp").touch()
    for change in ({"seed": 1}, {"teacher_pairs": 2}, {"batch_size": 16}):
        other = replace(RECIPE, **change)
        teacher.labels(tmp_path, dataset, ROWS, COLUMNS, other, print)
        (found,) = tmp_path.glob("*teacher-*")  # those of another run are removed
        assert found != first
    remove_labels(tmp_path)
    assert not list(tmp_path.glob("*teacher-*"))


def test_a_full_disk_is_an_error_and_leaves_nothing(
    tmp_path, teacher, dataset, monkeypatch
):
    def full(self, *_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Teacher, "_score", full)
    with pytest.raises(WriteError, match="teacher-"):
        teacher.labels(tmp_path, dataset, ROWS, COLUMNS, RECIPE, print)
    assert not list(tmp_path.glob("*teacher-*"))


def test_a_resumed_run_ends_with_the_same_weights(tmp_path, teacher, dataset):
    rows = TrainingJob(tmp_path).held_out(0).split(dataset).train
    columns = TrainingJob(tmp_path).columns(dataset)
    own = teacher.labels(tmp_path, dataset, rows, columns, RECIPE, print)

    def train(folder, stop_at=None, **changes):
        def report(progress):
            if progress.step == stop_at:
                raise KeyboardInterrupt

        folder.mkdir(exist_ok=True)
        job = TrainingJob(
            folder,
            teacher=teacher,
            teacher_labels=own,
            save_every=0,
            report_every=0,
            **changes,
        )
        return train_model(dataset, CONFIG, RECIPE, job, report, lambda _: None)

    whole = train(tmp_path / "whole").network.state_dict()
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "part", stop_at=len(rows) // RECIPE.batch_size + 7)
    rest = train(tmp_path / "part", resume=True).network.state_dict()
    for name, tensor in whole.items():
        torch.testing.assert_close(tensor, rest[name], atol=0, rtol=0)
    done = TrainingJob(tmp_path / "part", resume=True, teacher=teacher)
    assert epochs_left(dataset, CONFIG, RECIPE, done) == 0
    job = TrainingJob(tmp_path / "part", resume=True)
    with pytest.raises(UsageError, match="belongs to another run: teacher"):
        train_model(dataset, CONFIG, RECIPE, job, print, print)


def test_a_teacher_needs_evidence_and_all_names(tmp_path, teacher, dataset):
    arguments = (ROWS, COLUMNS, RECIPE, print)
    blind = Teacher(teacher.model.sequence_only)
    with pytest.raises(UsageError, match="reads no evidence here"):
        blind.labels(tmp_path, dataset, *arguments)
    names = replace(dataset.vocabulary)
    object.__setattr__(names, "tfs", ("NEWTF", *names.tfs[1:]))
    pairs = tuple(Pair("NEWTF", p.cell) if p.tf == "CTCF" else p for p in dataset.pairs)
    other = replace(dataset, vocabulary=names, pairs=pairs)
    with pytest.raises(UsageError, match="does not know NEWTF"):
        teacher.labels(tmp_path, other, *arguments)
    others = np.array([i for i, pair in enumerate(pairs) if pair.tf != "NEWTF"][::2])
    found = teacher.labels(tmp_path, other, ROWS, others, RECIPE, print)
    assert (found.pairs[:, :, 0] > 0).all(), "a pair of an unknown TF"
