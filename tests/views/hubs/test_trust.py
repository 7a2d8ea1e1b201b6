"""The panel on trust states what cards and receipts know, and what could be wrong."""

import dataclasses
import re
from html import unescape

import pytest

from tfimpute_tracks.evidence import open_shipped
from tfimpute_tracks.genome import bundled_region, open_bundled
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.catalog import mean_accuracy
from tfimpute_tracks.models.loading import load_modes
from tfimpute_tracks.tracks.record import RunRecord, TrackOptions, TrackRecord
from tfimpute_tracks.views.hubs.card_lookup import CardLookup
from tfimpute_tracks.views.hubs.trust import trust_panel
from tfimpute_tracks.vocabulary import Pair

REGION = bundled_region()


@pytest.fixture(scope="module")
def card():
    return CardLookup(load_modes("default"))


@pytest.fixture(scope="module")
def tracks():
    """Records of a scan with evidence."""
    model, genome = load_model("default", open_shipped()), open_bundled()
    run = RunRecord.of_run(model, genome, 100)
    return [
        TrackRecord.of_pair(run, model, Pair(*pair), [REGION], TrackOptions())
        for pair in (("CEBPB", "HepG2"), ("CTCF", "K562"), ("CTCF", "NB4"))
    ]


def _text(html):
    return " ".join(unescape(re.sub("<[^>]+>", " ", html)).split())


def _altered(track, **known):
    """Give a track other facts about its evidence."""
    summary = (track.evidence_summary or {}) | known
    return dataclasses.replace(track, evidence_summary=summary)


def test_it_states_what_to_expect_of_each_pair(tracks, card):
    text = _text(trust_panel(tracks, card))
    for track in tracks:
        model = card.find(track)
        precision = model.expected(track.pair, "average_precision")
        shown = f"{track.pair.tf} {track.pair.cell} {track.status} {track.expected_auroc:.2f}"
        assert shown in text
        assert f"{precision:.2f}" in text
    assert "CTCF K562, CTCF NB4 are measured, so the tracks can be compared" in text
    assert "1 pair is imputed" in text
    assert (
        "548 measured tracks of encode-hg19, with data for all of the regions" in text
    )
    assert "eight in ten are bound" in text
    assert "nine of ten held-out pairs are within the interval" in text
    assert "Your cells are in another state" in text


def test_without_evidence_it_says_what_that_costs(tracks, card):
    bare = [
        dataclasses.replace(
            track, evidence="", evidence_weights="", evidence_summary=None
        )
        for track in tracks
    ]
    text = _text(trust_panel(bare, card))
    (worse, _), (better, _) = map(mean_accuracy, card.models)
    assert "None: sequence only." in text
    assert (
        f"the mean AUROC of measured pairs is {better:.2f} in place of {worse:.2f}"
        in text
    )
    assert "Chromatin is closed" in text
    assert "Other tracks" not in text


def test_other_weights_are_not_described_by_this_card(tracks, card):
    foreign = [dataclasses.replace(track, weights="sha256:0") for track in tracks]
    text = _text(trust_panel(foreign, card))
    assert "Its calibration is unknown" in text
    assert "made with other weights" in text
    assert "sites held out from training" in text


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"tf_tracks": 0}, "at most 2 other tracks of the TF"),
        ({"cell_tracks": 2}, "at most 2 other tracks of the cell line"),
        (
            {"accessibility_tracks": 0},
            "the open chromatin of the cell line is not known",
        ),
        ({"sequence_only": ["chrY"]}, "chrY: no measured track, so the sequence only"),
        ({"fraction_in_coverage": 0.5}, "with data for 50.0% of the regions"),
    ],
)
def test_gaps_in_the_evidence_are_named(tracks, card, known, expected):
    (track,) = [track for track in tracks if str(track.pair) == "CEBPB:HepG2"]
    assert expected not in _text(trust_panel([track], card))
    assert expected in _text(trust_panel([_altered(track, **known)], card))


def test_poor_pairs_and_silent_tfs_are_named(tracks, card):
    (track,) = [track for track in tracks if str(track.pair) == "CEBPB:HepG2"]
    poor = dataclasses.replace(track, expected_auroc=0.72)
    assert "the expected AUROC is below 0.8" in _text(trust_panel([poor], card))
    pair = card.models[0].vocabulary.pair("GATA1:HepG2")
    silent = dataclasses.replace(track, pair=pair)
    assert "hardly any RNA of the TF" in _text(trust_panel([silent], card))


def test_many_pairs_are_cut_short(tracks, card):
    text = _text(trust_panel(tracks * 10, card))
    assert "18 more pairs below." in text
