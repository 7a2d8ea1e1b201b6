"""A way to keep sites is made again from its record, and a card is believed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tfimpute_tracks.dataset import (
    CHANCE_TEST,
    CHANCE_VALID,
    Dataset,
    HoldOut,
    hold_out_options,
    split_by_chance,
    split_by_fold,
    split_rows,
    trained_sites,
)
from tfimpute_tracks.errors import UsageError

WAYS = [
    HoldOut(),
    HoldOut(test_chroms=("chr1",), valid_chroms=("22",)),
    HoldOut("chance"),
    HoldOut("chance", seed=5),
    HoldOut("fold"),
    HoldOut("fold", seed=5),
]


@pytest.fixture
def dataset(make_random):
    """Sites with folds, of which none validates, as alternate peaks have them."""
    random, _ = make_random(n_sites=2000, per_pair=True)
    return Dataset(**vars(random) | {"fold": np.where(random.fold == 2, 2, 0)})


def card_of(kept, dataset):
    """Give what a card tells, as it comes out of its file."""
    data = {"sources": dataset.sources, "parameters": dataset.parameters}
    return json.loads(json.dumps({"hold_out": kept.record(), "data": data}))


@pytest.mark.parametrize("kept", WAYS)
@pytest.mark.parametrize("chosen", WAYS)
def test_a_card_leads_to_the_sites_that_trained(dataset, kept, chosen):
    train = kept.split(dataset).train
    found = trained_sites(card_of(kept, dataset), dataset, chosen)
    np.testing.assert_array_equal(found.rows, train)
    assert found.doubt == ""
    judged = chosen.split(dataset).test
    assert found.count(judged) == len(set(judged.tolist()) & set(train.tolist()))
    if chosen == kept:
        assert found.count(judged) == 0
    elif chosen.way != "fold" or kept.way != "fold":  # folds share their test sites
        assert found.count(judged) > 0


@pytest.mark.parametrize("kept", WAYS)
def test_parts_are_full_and_share_nothing(dataset, kept):
    split = kept.split(dataset)
    together = np.sort(np.concatenate(split))
    np.testing.assert_array_equal(together, np.arange(dataset.n_sites))
    assert min(map(len, split)) > 0


@pytest.mark.parametrize("kept", WAYS)
def test_the_options_make_the_same_parts(dataset, kept):
    record = json.loads(json.dumps(kept.record()))
    given = hold_out_options(record)
    again = HoldOut(
        given["hold-out"],
        tuple(given.get("test-chroms", "chr20").split(",")),
        tuple(given.get("valid-chroms", "chr22").split(",")),
        int(given.get("seed", 0)),
    )
    assert again.record() == record
    for ours, rows in zip(again.split(dataset), kept.split(dataset), strict=True):
        np.testing.assert_array_equal(ours, rows)


def test_chance_has_the_shares_that_it_tells(dataset):
    split = HoldOut("chance").split(dataset)
    assert len(split.test) == round(CHANCE_TEST * 2000)
    assert len(split.valid) == round(CHANCE_VALID * 2000)
    told = HoldOut("chance", seed=3).record()
    assert told == {
        "way": "chance",
        "test_share": CHANCE_TEST,
        "valid_share": CHANCE_VALID,
        "seed": 3,
    }
    assert "10% test and 5% validate, seed 3" in HoldOut("chance", seed=3).part("test")


def test_training_places_of_a_fold_are_drawn_to_validate(dataset):
    split = HoldOut("fold").split(dataset)
    np.testing.assert_array_equal(split.test, np.flatnonzero(dataset.fold == 2))
    drawn = split_by_chance(dataset, 0.0, CHANCE_VALID).valid
    assert set(split.valid) == set(drawn) - set(split.test)
    # What was made to validate does so, and nothing is drawn.
    made = Dataset(**vars(dataset) | {"fold": np.arange(2000, dtype=np.uint8) % 3})
    for ours, plain in zip(
        HoldOut("fold").split(made), split_by_fold(made), strict=True
    ):
        np.testing.assert_array_equal(ours, plain)


@pytest.mark.parametrize("kept", [HoldOut("chance"), HoldOut("fold")])
def test_of_another_data_set_all_places_may_have_trained(dataset, kept):
    card = card_of(kept, dataset)
    card["data"]["sources"] = {"fasta": "sha256:9"}
    found = trained_sites(card, dataset, kept)
    assert len(found.rows) == dataset.n_sites
    assert "another data set" in found.doubt


def test_chromosomes_are_known_on_any_data_set(dataset):
    card = card_of(HoldOut(test_chroms=("chr9",), valid_chroms=("chr22",)), dataset)
    card["data"]["sources"] = {"fasta": "sha256:9"}
    found = trained_sites(card, dataset, HoldOut())
    on_22 = dataset.chrom_id == dataset.chroms.index("chr22")
    np.testing.assert_array_equal(found.rows, np.flatnonzero(~on_22))
    assert found.doubt == ""


def test_a_card_that_is_silent_is_doubted(dataset):
    chosen = HoldOut(test_chroms=("chr1",), valid_chroms=("chr22",))
    found = trained_sites({}, dataset, chosen)
    np.testing.assert_array_equal(found.rows, chosen.split(dataset).train)
    assert "does not tell" in found.doubt
    found = trained_sites({}, dataset, HoldOut("chance"))
    np.testing.assert_array_equal(found.rows, split_rows(dataset).train)
    assert "chr20, chr22" in found.doubt


def test_requests_without_sense_are_refused(dataset, make_random):
    with pytest.raises(UsageError, match="say nothing with --hold-out chance"):
        HoldOut("chance", test_chroms=("chr1",))
    with pytest.raises(UsageError, match=r"leaves no site of 4 for valid and test"):
        HoldOut("chance").split(make_random(n_sites=4)[0])
    with pytest.raises(UsageError, match="has no folds"):
        HoldOut("fold").split(make_random()[0])
    only = Dataset(**vars(dataset) | {"fold": np.zeros(2000, dtype=np.uint8)})
    with pytest.raises(UsageError, match="no site of 2,000 for test"):
        HoldOut("fold").split(only)
