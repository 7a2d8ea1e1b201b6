"""Hubs keep to UCSC's rules: names unique and plain, labels short, files there."""

import json
import re

import pytest

from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.storage import write_receipt
from tfimpute_tracks.tracks.hub import MATRIX_MOST, find_tracks, write_hub


def _folder(path, pairs, peaks=True):
    path.mkdir()
    for tf, cell in pairs:
        files = [path / f"{tf}.{cell}.bw"] + [path / f"{tf}.{cell}.bb"] * peaks
        for file in files:
            file.write_bytes(b"track")
        told = {
            "pair": f"{tf}:{cell}",
            "reliability": "imputed",
            "threshold": 0.9,
            "peaks": 3,
        }
        write_receipt(
            path / f"{tf}.{cell}.receipt.json",
            {},
            files,
            megabases=1,
            seconds=1,
            parameters=told,
        )
    return path


def _stanzas(text):
    """Give each stanza as a dict, as a reader of trackDb does."""
    parts = re.split(r"\n\s*\n", text.strip())
    pairs = [
        [line.strip().partition(" ")[::2] for line in part.split("\n")]
        for part in parts
    ]
    assert all(len(dict(part)) == len(part) for part in pairs), "a setting twice"
    return [dict(part) for part in pairs]


def _check(folder, stanzas):
    tracks = [stanza for stanza in stanzas if "track" in stanza]
    names = [track["track"] for track in tracks]
    assert len(set(names)) == len(names)
    for track in tracks:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", track["track"])
        assert len(track["shortLabel"]) <= 17
        assert len(track["longLabel"]) <= 76
        if "bigDataUrl" in track:
            assert (folder / track["bigDataUrl"]).exists()
        if "parent" in track:
            assert track["parent"].split()[0] in names
    return tracks


NAMES = [
    ("CTCF", "H1-hESC"),
    ("CTCF", "H1_hESC"),
    ("eGFP-FOS", "K562"),
    ("9-TF", "K562"),
    ("9_TF", "K562"),
    ("STAT5A", "A549 (EtOH 0.02pct)".replace(" ", "_")),
]


def test_few_pairs_make_a_matrix(tmp_path):
    folder = _folder(tmp_path / "t", NAMES)
    files = write_hub(folder, find_tracks(folder), "hg19", "a@b.org")
    assert [file.name for file in files] == ["hub.txt", "hub.html"]
    hub, genome, parent, *rest = _stanzas(files[0].read_text())
    assert hub["useOneFile"] == "on"
    assert genome["genome"] == "hg19"
    tracks = _check(folder, [parent, *rest])
    groups = {name: parent[name].split()[2:] for name in ("subGroup2", "subGroup3")}
    for choices in groups.values():
        tags = [choice.partition("=")[0] for choice in choices]
        assert len(set(tags)) == len(tags)
        assert all(re.fullmatch(r"\w+", tag, re.ASCII) for tag in tags)
    for track in tracks:
        if "subGroups" in track:
            tags = dict(tag.split("=") for tag in track["subGroups"].split())
            assert any(x.startswith(f"{tags['tf']}=") for x in groups["subGroup2"])
            assert any(x.startswith(f"{tags['cell']}=") for x in groups["subGroup3"])
    assert sum("bigDataUrl" in track for track in tracks) == 2 * len(NAMES)
    assert "most are not" in files[1].read_text()


def test_many_pairs_make_a_faceted_composite(tmp_path):
    pairs = [(f"TF{i}", f"C{i % 7}") for i in range(MATRIX_MOST + 1)]
    folder = _folder(tmp_path / "t", pairs, peaks=False)
    files = write_hub(folder, find_tracks(folder), "hg38", "a@b.org")
    stanzas = _stanzas(files[0].read_text())
    tracks = _check(folder, stanzas)
    assert tracks[0]["compositeTrack"] == "faceted"
    head, *rows = [line.split("\t") for line in files[2].read_text().splitlines()]
    assert head[0] == tracks[0]["primaryKey"]
    assert {f"tfimpute_{row[0]}_signal" for row in rows} == {
        track["track"] for track in tracks[1:]
    }


def test_a_folder_without_tracks_and_names_that_break_a_hub_are_refused(tmp_path):
    with pytest.raises(InputFileError, match="no bigWig or bigBed"):
        find_tracks(tmp_path)
    folder = _folder(tmp_path / "t", NAMES[:1])
    with pytest.raises(UsageError, match="white space"):
        write_hub(folder, find_tracks(folder), "hg 19", "a@b.org")
    receipt = folder / "CTCF.H1-hESC.receipt.json"
    (folder / "CTCF.H1-hESC.bw").unlink()
    assert json.loads(receipt.read_text())["outputs"]
    with pytest.raises(InputFileError):
        find_tracks(folder)
