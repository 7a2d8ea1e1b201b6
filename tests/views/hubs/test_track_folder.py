"""A folder holds what its receipts list, if the files are as listed."""

import json
import shutil

import pytest

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.tracks.track_folder import find_tracks
from tfimpute_tracks.vocabulary import Pair


@pytest.fixture
def folder(tracks_folder, tmp_path):
    """A copy to be damaged."""
    return shutil.copytree(tracks_folder, tmp_path / "copy")


def test_every_pair_is_found_once(tracks_folder):
    folder_found = find_tracks(tracks_folder)
    assert folder_found.errors == []
    assert [str(track.pair) for track in folder_found.tracks] == [
        "CEBPB:HepG2",
        "CTCF:K562",
        "CTCF:NB4",
    ]
    track = folder_found.tracks[1]
    assert dict(track.signals) == {
        "probability": "CTCF.K562.bw",
        "specificity": "CTCF.K562.specificity.bw",
    }
    assert (track.bigbed, track.narrowpeak) == ("CTCF.K562.bb", "CTCF.K562.narrowPeak")
    assert track.status == "measured"
    assert track.model == "default"
    assert track.n_peaks == len(
        (tracks_folder / "CTCF.K562.narrowPeak").read_text().splitlines()[1:]
    )
    assert track.expected_auroc == pytest.approx(0.9, abs=0.1)


def test_what_is_not_whole_or_not_ours_is_named(folder):
    content = (folder / "CTCF.K562.bb").read_bytes()
    (folder / "CTCF.K562.bb").write_bytes(content[:-1])
    (folder / "CTCF.NB4.bw").unlink()
    (folder / "somebody.bw").write_bytes(b"else")
    (folder / "CEBPB.HepG2.receipt.json").write_text("{")
    folder_found = find_tracks(folder)
    k562, nb4 = folder_found.tracks
    assert (k562.pair, k562.bigbed) == (Pair("CTCF", "K562"), "")
    assert (dict(nb4.signals), nb4.bigbed) == ({}, "CTCF.NB4.bb")
    told = " | ".join(folder_found.errors)
    for name in ("CTCF.K562.bb", "CTCF.NB4.bw", "somebody.bw", "CEBPB.HepG2"):
        assert f"{folder / name}" in told
    assert f"has {len(content) - 1:,} bytes instead of the {len(content):,}" in told
    # A damaged receipt lists nothing: its files belong to no receipt.
    assert "CEBPB.HepG2.bw: no receipt" in told


@pytest.mark.parametrize("lost", ["pair", "threshold", "weights"])
def test_a_receipt_that_does_not_describe_its_track_is_named(folder, lost):
    path = folder / "CTCF.NB4.receipt.json"
    receipt = json.loads(path.read_text())
    del receipt["record"][lost]
    path.write_text(json.dumps(receipt))
    folder_found = find_tracks(folder)
    assert len(folder_found.tracks) == 2
    assert any("CTCF.NB4.receipt.json" in error for error in folder_found.errors)


def test_a_receipt_may_lack_what_is_not_needed(folder):
    path = folder / "CTCF.NB4.receipt.json"
    receipt = json.loads(path.read_text())
    for name in ("expected_auroc", "signal", "regions", "genome"):
        receipt["record"].pop(name, None)
    path.write_text(json.dumps(receipt))
    folder_found = find_tracks(folder)
    assert folder_found.errors == []
    assert folder_found.tracks[2].expected_auroc is None


def test_no_folder_and_no_track(tmp_path):
    with pytest.raises(InputFileError, match="is not a folder"):
        find_tracks(tmp_path / "none")
    with pytest.raises(InputFileError, match="no bigWig or bigBed"):
        find_tracks(tmp_path)
    (tmp_path / "x.bw").write_bytes(b"x")
    with pytest.raises(InputFileError, match=r"x\.bw"):
        find_tracks(tmp_path)
