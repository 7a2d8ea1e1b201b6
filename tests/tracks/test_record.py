"""The record of a track: what decides its content, what describes it."""

import dataclasses
import typing

import numpy as np
import pytest

from tfimpute_tracks.commands import options
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.models.calibration import PairCalibration
from tfimpute_tracks.tracks.formats import FORMATS
from tfimpute_tracks.tracks.record import RunRecord, TrackOptions, TrackRecord
from tfimpute_tracks.vocabulary import Pair
from toys import make_record

RECORD = make_record(Pair("CTCF", "K562"))
# Another value of each field, and whether a track with it is another track.
CHANGES = {
    "tool_version": ("99.1", True),
    "weights": ("sha256:1", True),
    "evidence": ("sha256:1", True),
    "evidence_weights": ("sha256:1", True),
    "device": ("cuda", True),
    "precision": ("fast", True),
    "stride": (40, True),
    "signal": ("log-odds", True),
    "bin_size": (40, True),
    "max_zooms": (3, True),
    "formats": (("parquet",), True),
    "pair": (Pair("CTCF", "NB4"), True),
    "threshold": (0.6, True),
    "calibration": (PairCalibration(0.7, -3.0), True),
    "regions": (("chr1:1-10",), True),
    "sequence": ("sha256:1", True),
    "store": ("sha256:1", True),
    "model": ("renamed", False),
    "basis": ("sequence and 3 measured tracks of x", False),
    "genome": ("renamed.fa", False),
    "build": ("hg19", False),
    "seq_len": (61, False),
    "status": ("measured", False),
    "expected_auroc": (0.9, False),
    "expected_interval": ((0.8, 0.95), False),
    "mean_over_cells": (4, False),
    "evidence_summary": ({"tracks": 3}, False),
    "n_peaks": (3, False),
    "signals": ({"probability": "a.bw"}, False),
    "bigbed": ("a.bb", False),
    "narrowpeak": ("a.narrowPeak", False),
}


def test_each_field_is_listed_here():
    assert set(CHANGES) == {field.name for field in dataclasses.fields(TrackRecord)}


@pytest.mark.parametrize("name", CHANGES)
def test_fields_decide_the_content_or_do_not(name):
    value, counts = CHANGES[name]
    changed = dataclasses.replace(RECORD, **{name: value})
    assert (changed.digest != RECORD.digest) == counts
    assert TrackRecord.from_json(changed.to_json()) == changed


def test_a_record_holds_its_run_and_its_options():
    assert set(RECORD.values_of(RunRecord)) < set(CHANGES)
    assert TrackOptions(**RECORD.values_of(TrackOptions)).max_zooms == RECORD.max_zooms


@pytest.mark.parametrize(
    ("size", "said"), [(150, "100 or 200"), (60, "100 or 200"), (1999, "1900 or 2000")]
)
def test_a_bin_of_parts_of_tiles_is_refused(size, said):
    with pytest.raises(UsageError, match=f"--bin-size {size}.*use {said}"):
        TrackOptions(bin_size=size).resolved(100)


def test_what_is_left_open_is_what_it_stands_for():
    options = TrackOptions(bin_size=100, formats=("bigwig", "bed", "bigbed"))
    assert TrackOptions().resolved(100) == options
    assert options.resolved(100) == options


@pytest.mark.parametrize("stride", [20, 60, 100])
def test_a_score_is_drawn_at_the_center_of_its_tile(stride):
    record = dataclasses.replace(RECORD, stride=stride)
    assert record.offset == (60 - stride) // 2
    record = dataclasses.replace(record, bin_size=3 * stride)
    assert record.tiles_per_bin == 3


def test_the_title_says_what_is_known():
    assert RECORD.title() == "CTCF in K562, predicted from sequence; imputed"
    known = dataclasses.replace(
        RECORD, expected_auroc=0.876, expected_interval=(np.float64(0.8), 0.9)
    )
    assert known.title().endswith("; imputed; expected AUROC 0.88 (0.80 to 0.90)")
    measured = dataclasses.replace(RECORD, status="measured", expected_auroc=0.876)
    assert measured.title().endswith("; measured; AUROC 0.88")


def test_the_help_of_the_formats_names_each():
    about = typing.get_args(options.Formats)[1].help
    assert all(name in about for name in FORMATS)
