"""A run is repeated unless inputs and outputs are those of its receipt, to the byte."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from datetime import UTC, datetime

import pytest

import tfimpute_tracks
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.storage import (
    digest_file,
    matches,
    read_receipt,
    write_receipt,
)

INPUTS = {"weights": "sha256:aa", "sequence": "sha256:bb", "parameters": "sha256:cc"}


@pytest.fixture
def run(tmp_path):
    """A folder with two outputs and the receipt of the run that wrote them."""
    track, peaks = tmp_path / "CTCF.K562.bw", tmp_path / "peaks" / "CTCF.K562.bed"
    peaks.parent.mkdir()
    track.write_bytes(b"signal")
    peaks.write_bytes(b"peaks")
    write_receipt(
        tmp_path / "receipt.json",
        INPUTS,
        [track, peaks],
        megabases=59.5,
        seconds=7,
        parameters={"stride": 100},
    )
    return tmp_path


def test_receipt_tells_all(run):
    text = json.loads((run / "receipt.json").read_text())
    assert text["format"] == "tfimpute-tracks receipt"
    assert text["format_version"] == 1
    assert text["tool_version"] == tfimpute_tracks.__version__
    assert text["inputs"] == INPUTS
    assert text["parameters"] == {"stride": 100}
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


def test_receipt_reads_back(run):
    path = run / "receipt.json"
    receipt = read_receipt(path)
    again = write_receipt(
        run / "again.json",
        receipt.inputs,
        [run / output.name for output in receipt.outputs],
        megabases=receipt.megabases,
        seconds=receipt.seconds,
        parameters=receipt.parameters,
    )
    assert read_receipt(run / "again.json") == again
    assert dataclasses.replace(again, created=receipt.created) == receipt


def test_no_seconds_no_rate(tmp_path):
    receipt = write_receipt(tmp_path / "r", {}, [], megabases=1, seconds=0)
    assert receipt.megabases_per_second == 0


def test_same_inputs_and_intact_outputs_match(run):
    receipt = read_receipt(run / "receipt.json")
    assert matches(receipt, INPUTS, run)
    assert matches(receipt, dict(reversed(INPUTS.items())), run)


@pytest.mark.parametrize(
    "inputs",
    [
        INPUTS | {"weights": "sha256:ab"},
        INPUTS | {"evidence": "sha256:dd"},
        {"weights": "sha256:aa"},
        {},
    ],
)
def test_other_inputs_do_not_match(run, inputs):
    assert not matches(read_receipt(run / "receipt.json"), inputs, run)


@pytest.mark.parametrize("content", [None, b"sigmal", b"signal\n", b"sig", b""])
def test_changed_or_missing_output_does_not_match(run, content):
    path = run / "CTCF.K562.bw"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert not matches(read_receipt(run / "receipt.json"), INPUTS, run)


def test_date_of_an_output_does_not_count(run):
    (run / "CTCF.K562.bw").touch()
    assert matches(read_receipt(run / "receipt.json"), INPUTS, run)


def test_moved_folder_still_matches(run, tmp_path_factory):
    moved = tmp_path_factory.mktemp("elsewhere") / "moved"
    run.rename(moved)
    assert matches(read_receipt(moved / "receipt.json"), INPUTS, moved)
    moved.rename(run)


def test_missing_output_cannot_be_signed_for(tmp_path):
    with pytest.raises(InputFileError, match="none"):
        write_receipt(tmp_path / "r", {}, [tmp_path / "none"], megabases=1, seconds=1)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        "\x00",
        '{"format": "tfimpute-tracks receipt", "format_version": 1}',
        '{"format": "tfimpute-tracks receipt", "format_version": 1, "outputs": [3]}',
    ],
)
def test_what_is_no_receipt_is_refused(tmp_path, text):
    path = tmp_path / "receipt.json"
    path.write_text(text)
    with pytest.raises(InputFileError, match="not a receipt"):
        read_receipt(path)


def test_unknown_version_is_refused_by_name(run):
    path = run / "receipt.json"
    fields = json.loads(path.read_text()) | {"format_version": 2}
    path.write_text(json.dumps(fields))
    with pytest.raises(InputFileError, match=r"version 2; this release reads .* 1"):
        read_receipt(path)


def test_missing_receipt_is_named(tmp_path):
    with pytest.raises(InputFileError, match="none: No such file"):
        read_receipt(tmp_path / "none")


def test_writing_one_does_not_load_torch(tmp_path):
    code = (
        "import sys, pathlib\n"
        "from tfimpute_tracks.storage import write_receipt\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "r = write_receipt(path, {}, [], megabases=1, seconds=1)\n"
        "print(*sorted(r.versions), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "r"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["numpy", "python", "False"]
