"""A run is repeated unless content and files are those of its receipt, to the byte."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import pytest

import tfimpute_tracks
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.storage import (
    CONTENT,
    Record,
    digest_file,
    digest_json,
    read_receipt,
    write_receipt,
)


class Name(NamedTuple):
    """A part of a record."""

    tf: str
    cells: list[str]


@dataclass(frozen=True, kw_only=True)
class Facts(Record):
    """A record with a field of each kind."""

    weights: str = field(metadata=CONTENT)
    stride: int = field(default=100, metadata=CONTENT)
    threshold: float = field(default=0.5, metadata=CONTENT)
    names: list[Name] = field(default_factory=list, metadata=CONTENT)
    signal: Literal["probability", "log-odds"] = field(
        default="probability", metadata=CONTENT
    )
    interval: tuple[float, float] | None = field(default=None, metadata=CONTENT)
    regions: tuple[str, ...] = field(default=(), metadata=CONTENT)
    sizes: dict[str, int] = field(default_factory=dict, metadata=CONTENT)
    model: str = ""
    about: dict[str, Any] | None = None
    is_new: bool = False


@dataclass(frozen=True, kw_only=True)
class More(Facts):
    """A record with the fields of another."""

    pair: str = field(metadata=CONTENT)


FACTS = Facts(
    weights="sha256:aa",
    names=[Name("CTCF", ["K562", "NB4"]), Name("MAX", [])],
    interval=(0.5, 1.0),
    regions=("chr1:1-10",),
    sizes={"chr1": 10},
    about={"tracks": 3, "chroms": ["chr1"]},
)
# Another value of each field, and whether it changes the digest.
CHANGES = [
    ({"weights": "sha256:ab"}, True),
    ({"stride": 101}, True),
    ({"threshold": 0.6}, True),
    ({"names": []}, True),
    ({"signal": "log-odds"}, True),
    ({"interval": None}, True),
    ({"regions": ()}, True),
    ({"sizes": {"chr1": 11}}, True),
    ({"model": "renamed"}, False),
    ({"about": None}, False),
    ({"is_new": True}, False),
]


def test_a_record_is_read_back_as_it_was_written():
    values = json.loads(json.dumps(FACTS.to_json()))
    assert Facts.from_json(values) == FACTS
    assert Facts.from_json({"weights": "a", "threshold": 1}).threshold == 1.0


@pytest.mark.parametrize(("change", "counts"), CHANGES)
def test_the_digest_covers_what_is_marked_and_nothing_else(change, counts):
    assert (replace(FACTS, **change).digest != FACTS.digest) == counts
    ((name, _),) = change.items()
    assert (name in FACTS.content()) == counts


def test_each_field_is_tried():
    tried = {name for change, _ in CHANGES for name in change}
    assert tried == {field.name for field in dataclasses.fields(Facts)}


def test_the_digest_is_of_the_json():
    assert FACTS.digest == digest_json(FACTS.content())
    assert Facts.from_json(FACTS.to_json()).digest == FACTS.digest


def test_a_record_is_made_of_the_values_of_another():
    more = More(**FACTS.values_of(Facts), pair="CTCF:K562")
    assert more.values_of(Facts) == FACTS.values_of(Facts)
    assert set(more.content()) == {*FACTS.content(), "pair"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "weights"),
        ({"weights": 3}, "weights: 3 is not of type str"),
        ({"weights": "a", "stride": "100"}, "stride: '100'"),
        ({"weights": "a", "stride": True}, "stride: True"),
        ({"weights": "a", "threshold": None}, "threshold: None"),
        ({"weights": "a", "interval": [1.0]}, "interval: .* has not 2 items"),
        ({"weights": "a", "signal": "odds"}, "signal: 'odds'"),
        ({"weights": "a", "names": [["CTCF"]]}, "names: .* has not 2 items"),
        ({"weights": "a", "sizes": {"chr1": "x"}}, "sizes: 'x'"),
        ({"weights": "a", "color": "red"}, "unknown field 'color'"),
    ],
)
def test_what_is_not_a_record_is_refused(values, words):
    with pytest.raises(ValueError, match=words):
        Facts.from_json(values)


@pytest.fixture
def run(tmp_path):
    """A folder with two outputs and the receipt of the run that wrote them."""
    track, peaks = tmp_path / "CTCF.K562.bw", tmp_path / "peaks" / "CTCF.K562.bed"
    peaks.parent.mkdir()
    track.write_bytes(b"signal")
    peaks.write_bytes(b"peaks")
    path = tmp_path / "receipt.json"
    write_receipt(path, FACTS, [track, peaks], megabases=59.5, seconds=7)
    return tmp_path


def test_a_receipt_lists_all(run):
    text = json.loads((run / "receipt.json").read_text())
    assert text["format"] == "tfimpute-tracks receipt"
    assert text["format_version"] == 2
    assert text["versions"]["tfimpute-tracks"] == tfimpute_tracks.__version__
    assert text["record"] == FACTS.to_json()
    assert text["digest"] == FACTS.digest
    assert text["outputs"][1] == {
        "name": "peaks/CTCF.K562.bed",
        "size": 5,
        "digest": digest_file(run / "peaks" / "CTCF.K562.bed"),
    }
    assert text["megabases_per_second"] == pytest.approx(8.5)
    assert text["seconds"] == 7
    age = datetime.now(UTC) - datetime.fromisoformat(text["created"])
    assert 0 <= age.total_seconds() < 60
    assert re.fullmatch(r"3\.\d+\.\d+\S*", text["versions"]["python"])
    assert text["versions"]["numpy"]


def test_a_receipt_reads_back(run):
    path = run / "receipt.json"
    receipt = read_receipt(path, Facts)
    again = write_receipt(
        run / "again.json",
        receipt.record,
        [run / output.name for output in receipt.outputs],
        megabases=receipt.megabases,
        seconds=receipt.seconds,
    )
    assert read_receipt(run / "again.json", Facts) == again
    assert replace(again, created=receipt.created) == receipt


def test_no_seconds_no_rate(tmp_path):
    receipt = write_receipt(tmp_path / "r", FACTS, [], megabases=1, seconds=0)
    assert receipt.megabases_per_second == 0


def _is_up_to_date(run, record=FACTS):
    return read_receipt(run / "receipt.json", Facts).is_up_to_date(record, run)


@pytest.mark.parametrize(("change", "counts"), CHANGES)
def test_the_same_content_and_intact_outputs_are_up_to_date(run, change, counts):
    assert _is_up_to_date(run)
    assert _is_up_to_date(run, replace(FACTS, **change)) != counts


@pytest.mark.parametrize("content", [None, b"sigmal", b"signal\n", b"sig", b""])
def test_a_changed_or_missing_output_is_not_up_to_date(run, content):
    path = run / "CTCF.K562.bw"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert not _is_up_to_date(run)


def test_the_date_of_an_output_does_not_count(run):
    (run / "CTCF.K562.bw").touch()
    assert _is_up_to_date(run)


def test_a_moved_folder_is_up_to_date(run, tmp_path_factory):
    moved = tmp_path_factory.mktemp("elsewhere") / "moved"
    run.rename(moved)
    assert _is_up_to_date(moved)
    moved.rename(run)


def test_a_missing_output_cannot_be_listed(tmp_path):
    with pytest.raises(InputFileError, match="none"):
        write_receipt(
            tmp_path / "r", FACTS, [tmp_path / "none"], megabases=1, seconds=1
        )
    assert not (tmp_path / "r").exists()


HEADER = '"format": "tfimpute-tracks receipt", "format_version": 2'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        "\x00",
        f"{{{HEADER}}}",
        f'{{{HEADER}, "digest": "", "outputs": [3], "record": {{}}}}',
        f'{{{HEADER}, "digest": "", "outputs": [], "record": {{"stride": 3}}}}',
    ],
)
def test_what_is_not_a_receipt_is_refused(tmp_path, text):
    path = tmp_path / "receipt.json"
    path.write_text(text)
    with pytest.raises(InputFileError, match="not a receipt"):
        read_receipt(path, Facts)


def test_an_unknown_version_is_refused_by_name(run):
    path = run / "receipt.json"
    values = json.loads(path.read_text()) | {"format_version": 3}
    path.write_text(json.dumps(values))
    with pytest.raises(InputFileError, match=r"version 3; this release reads .* 2"):
        read_receipt(path, Facts)


def test_a_missing_receipt_is_named(tmp_path):
    with pytest.raises(InputFileError, match="none: No such file"):
        read_receipt(tmp_path / "none", Facts)


def test_writing_one_does_not_load_torch(tmp_path):
    code = (
        "import sys, pathlib\n"
        "from tfimpute_tracks.storage import Record, write_receipt\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "r = write_receipt(path, Record(), [], megabases=1, seconds=1)\n"
        "print(*sorted(r.versions), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "r"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["numpy", "python", "tfimpute-tracks", "False"]
