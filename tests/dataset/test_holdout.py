"""A hold-out scheme is made again from its record, also from that in a model card."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tfimpute_tracks.dataset import (
    RANDOM_TEST_FRACTION,
    RANDOM_VALID_FRACTION,
    Dataset,
    HoldOut,
    hold_out_options,
    split_by_fold,
    split_randomly,
    trained_sites,
)
from tfimpute_tracks.errors import UsageError

SCHEMES = [
    HoldOut(),
    HoldOut(test_chroms=("chr1",), valid_chroms=("22",)),
    HoldOut("random"),
    HoldOut("random", seed=5),
    HoldOut("alternating-peaks"),
    HoldOut("alternating-peaks", seed=5),
]


@pytest.fixture
def dataset(make_random):
    """Sites with folds, of which none validates, as alternate peaks have them."""
    random, _ = make_random(n_sites=2000, per_pair=True)
    return Dataset(**vars(random) | {"fold": np.where(random.fold == 2, 2, 0)})


def card_of(kept, dataset):
    """Give what a card tells, as it comes out of its file."""
    data = {"sources": dataset.sources, "parameters": dataset.parameters}
    return json.loads(json.dumps({"hold_out": kept.to_dict(), "data": data}))


@pytest.mark.parametrize("kept", SCHEMES)
@pytest.mark.parametrize("chosen", SCHEMES)
def test_a_card_leads_to_the_sites_that_trained(dataset, kept, chosen):
    train = kept.split(dataset).train
    found = trained_sites(card_of(kept, dataset), dataset, chosen)
    np.testing.assert_array_equal(found.rows, train)
    assert found.caveat == ""
    judged = chosen.split(dataset).test
    assert found.count(judged) == len(set(judged.tolist()) & set(train.tolist()))
    if chosen == kept:
        assert found.count(judged) == 0
    elif {chosen.scheme, kept.scheme} != {"alternating-peaks"}:  # the same test sites
        assert found.count(judged) > 0


@pytest.mark.parametrize("kept", SCHEMES)
def test_parts_are_full_and_share_nothing(dataset, kept):
    split = kept.split(dataset)
    together = np.sort(np.concatenate(split))
    np.testing.assert_array_equal(together, np.arange(dataset.n_sites))
    assert min(map(len, split)) > 0


@pytest.mark.parametrize("kept", SCHEMES)
def test_the_options_make_the_same_parts(dataset, kept):
    record = json.loads(json.dumps(kept.to_dict()))
    given = hold_out_options(record)
    again = HoldOut(
        given["hold-out"],
        tuple(given.get("test-chroms", "chr20").split(",")),
        tuple(given.get("valid-chroms", "chr22").split(",")),
        int(given.get("seed", 0)),
    )
    assert again.to_dict() == record
    for ours, rows in zip(again.split(dataset), kept.split(dataset), strict=True):
        np.testing.assert_array_equal(ours, rows)


def test_a_random_split_has_the_fractions_of_its_record(dataset):
    split = HoldOut("random").split(dataset)
    assert len(split.test) == round(RANDOM_TEST_FRACTION * 2000)
    assert len(split.valid) == round(RANDOM_VALID_FRACTION * 2000)
    held_out = HoldOut("random", seed=3)
    assert held_out.to_dict() == {
        "scheme": "random",
        "test_fraction": RANDOM_TEST_FRACTION,
        "valid_fraction": RANDOM_VALID_FRACTION,
        "seed": 3,
    }
    assert "10% test, 5% validation, seed 3" in held_out.describe("test")


def test_some_training_peaks_validate(dataset):
    split = HoldOut("alternating-peaks").split(dataset)
    np.testing.assert_array_equal(split.test, np.flatnonzero(dataset.fold == 2))
    drawn = split_randomly(dataset, 0.0, RANDOM_VALID_FRACTION).valid
    assert set(split.valid) == set(drawn) - set(split.test)
    # What was made to validate does so, and nothing is drawn.
    made = Dataset(**vars(dataset) | {"fold": np.arange(2000, dtype=np.uint8) % 3})
    for ours, plain in zip(
        HoldOut("alternating-peaks").split(made), split_by_fold(made), strict=True
    ):
        np.testing.assert_array_equal(ours, plain)


@pytest.mark.parametrize("kept", [HoldOut("random"), HoldOut("alternating-peaks")])
def test_of_another_data_set_all_places_may_have_trained(dataset, kept):
    card = card_of(kept, dataset)
    card["data"]["sources"] = {"fasta": "sha256:9"}
    found = trained_sites(card, dataset, kept)
    assert len(found.rows) == dataset.n_sites
    assert "another data set" in found.caveat


def test_chromosomes_are_known_on_any_data_set(dataset):
    card = card_of(HoldOut(test_chroms=("chr9",), valid_chroms=("chr22",)), dataset)
    card["data"]["sources"] = {"fasta": "sha256:9"}
    found = trained_sites(card, dataset, HoldOut())
    on_22 = dataset.chrom_id == dataset.chroms.index("chr22")
    np.testing.assert_array_equal(found.rows, np.flatnonzero(~on_22))
    assert found.caveat == ""


def test_without_a_record_in_the_card_training_sites_are_assumed(dataset):
    chosen = HoldOut(test_chroms=("chr1",), valid_chroms=("chr22",))
    found = trained_sites({}, dataset, chosen)
    np.testing.assert_array_equal(found.rows, chosen.split(dataset).train)
    assert "does not list" in found.caveat
    found = trained_sites({}, dataset, HoldOut("random"))
    assert len(found.rows) == dataset.n_sites
    assert "all are assumed" in found.caveat


def test_impossible_splits_are_refused(dataset, make_random):
    with pytest.raises(UsageError, match="have no effect with --hold-out random"):
        HoldOut("random", test_chroms=("chr1",))
    with pytest.raises(UsageError, match=r"leaves no site of 4 for valid and test"):
        HoldOut("random").split(make_random(n_sites=4)[0])
    with pytest.raises(UsageError, match="has no folds"):
        HoldOut("alternating-peaks").split(make_random()[0])
    only = Dataset(**vars(dataset) | {"fold": np.zeros(2000, dtype=np.uint8)})
    with pytest.raises(UsageError, match="no site of 2,000 for test"):
        HoldOut("alternating-peaks").split(only)
