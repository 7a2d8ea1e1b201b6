"""Hubs keep to UCSC's rules: names unique and plain, labels short, files there."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chromium import faults, look, open_chromium, wait_to_fit
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.tracks.track_folder import find_tracks
from tfimpute_tracks.views.hubs.hub import MATRIX_MAX_TRACKS, HubSettings, write_hub
from tfimpute_tracks.views.hubs.sessions import write_sessions
from tfimpute_tracks.views.hubs.trackdb import (
    LONG_LABEL,
    SHORT_LABEL,
    label,
    subgroup_tags,
    unique_name,
)

SETTINGS = HubSettings("hg19", "a@b.org")
NAMES = [
    ("CTCF", "H1-hESC"),
    ("CTCF", "H1_hESC"),
    ("eGFP-FOS", "K562"),
    ("9-TF", "K562"),
    ("9_TF", "K562"),
    ("<b>&TF", "K562"),
    ("Zif\u00e9", "cell \u03b1"),
    ("STAT5A", "A549 (EtOH 0.02pct) with a name much longer than any label may be"),
]


def stanzas(text):
    """Give each stanza as a dict, as a reader of trackDb does."""
    parts = re.split(r"\n\s*\n", text.strip())
    pairs = [
        [line.strip().partition(" ")[::2] for line in part.split("\n")]
        for part in parts
    ]
    assert all(len(dict(part)) == len(part) for part in pairs), "a setting twice"
    return [dict(part) for part in pairs]


def check(text):
    """Check a hub's text by the rules, and give its tracks."""
    hub, genome, *tracks = stanzas(text)
    assert hub["useOneFile"] == "on"
    assert len(hub["shortLabel"]) <= SHORT_LABEL
    assert len(hub["longLabel"]) <= 80
    assert genome == {"genome": "hg19"}
    names = [track["track"] for track in tracks]
    assert len(set(names)) == len(names)
    for track in tracks:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", track["track"])
        assert 0 < len(track["shortLabel"]) <= SHORT_LABEL
        assert 0 < len(track["longLabel"]) <= LONG_LABEL
        if "bigDataUrl" in track:
            assert track["type"].split()[0] in {"bigWig", "bigNarrowPeak"}
            assert re.fullmatch(r"\d{1,3},\d{1,3},\d{1,3}", track["color"])
        if "parent" in track:
            assert track["parent"].split()[0] in names
    return tracks


def test_few_pairs_make_a_matrix(folder_of):
    folder = folder_of(NAMES)
    files = write_hub(folder, SETTINGS)
    tracks = check(files[0].read_text())
    parent = tracks[0]
    members = {
        number: parent[number].split()[2:] for number in parent if "subGroup" in number
    }
    assert list(members) == [f"subGroup{i}" for i in range(1, 6)]
    for choices in members.values():
        some = [choice.partition("=")[0] for choice in choices]
        assert len(set(some)) == len(some)
        assert all(re.fullmatch(r"\w+", tag, re.ASCII) for tag in some)
    titles = {parent[number].split()[0]: members[number] for number in members}
    leaves = [track for track in tracks if "bigDataUrl" in track]
    assert len(leaves) == 2 * len(NAMES)
    for leaf in leaves:
        groups = dict(tag.split("=") for tag in leaf["subGroups"].split())
        assert groups.keys() == titles.keys()
        for group, tag in groups.items():
            assert any(x.startswith(f"{tag}=") for x in titles[group])
    assert not (folder.path / "hub.tsv").exists()


def test_addresses_are_such_whatever_the_names(folder_of):
    folder = folder_of([("T#F", "A549 (EtOH 0.02%)")])
    write_hub(folder, SETTINGS)
    write_sessions(folder, "hg19")
    tracks = check((folder.path / "hub.txt").read_text())
    address = "T%23F.A549%20%28EtOH%200.02%25%29.bw"
    assert address in {track.get("bigDataUrl") for track in tracks}
    session = json.loads((folder.path / "igvjs.session.json").read_text())
    assert session["tracks"][0]["url"] == address
    # A path is none.
    assert "T#F.A549 (EtOH 0.02%).bw" in (folder.path / "igv.session.xml").read_text()


def test_what_is_named_is_there(tracks_folder):
    folder = find_tracks(tracks_folder)
    files = write_hub(folder, SETTINGS)
    assert all(file.exists() for file in files)
    tracks = check(files[0].read_text())
    leaves = [track for track in tracks if "bigDataUrl" in track]
    assert len(leaves) == 7
    for track in leaves:
        assert (tracks_folder / track["bigDataUrl"]).exists()
        assert (tracks_folder / f"{track['html']}.html").exists()
    by_view = {track["view"]: track for track in tracks if "view" in track}
    low, high = map(float, by_view["specificity"]["viewLimits"].split(":"))
    assert -low == high >= min(1, max(track.threshold for track in folder.tracks))
    assert by_view["probability"]["windowingFunction"] == "maximum"
    lines = [float(track["yLineMark"]) for track in leaves if "yLineMark" in track]
    thresholds = [t.threshold for t in folder.tracks if "probability" in t.signals]
    assert sorted(lines) == pytest.approx(sorted(thresholds), rel=1e-4)
    page = (tracks_folder / "by-tf" / "CTCF.html").read_text()
    for text in (
        "In closed chromatin fewer sites are bound",
        "NB4",
        "zinc finger",
        "10.1371/journal.pcbi.1005403",
    ):
        assert text in page
    assert "specific to this cell line" in page
    assert "CEBPB" not in page


def test_many_pairs_make_a_faceted_composite_and_hubs_of_tfs(folder_of):
    pairs = [(f"TF{i % 5}", f"C{i}") for i in range(MATRIX_MAX_TRACKS + 1)]
    folder = folder_of(pairs)
    files = {file.name: file for file in write_hub(folder, SETTINGS)}
    tracks = check(files["hub.txt"].read_text())
    parent = tracks[0]
    assert parent["compositeTrack"] == "faceted"
    head, *rows = [
        line.split("\t") for line in files["hub.tsv"].read_text().splitlines()
    ]
    assert head[0] == parent["primaryKey"]
    assert len(rows) == len(pairs)
    assert all(len(row) == len(head) for row in rows)
    # Exactly <parent>_<key>_<dataType>.
    views = [part.partition("|")[0] for part in parent["dataTypes"].split('" ')]
    named = {f"tfimpute_{row[0]}_{view}" for row in rows for view in views}
    assert named == {track["track"] for track in tracks[1:]}
    assert not any("subGroups" in track for track in tracks)
    assert all(track["parent"] == "tfimpute off" for track in tracks[1:])
    first = folder.path / "by-tf" / "TF0.hub.txt"
    leaves = [track for track in check(first.read_text()) if "bigDataUrl" in track]
    assert len(leaves) == 2 * 41
    assert leaves[0]["bigDataUrl"] == "../TF0.C0.bw"
    assert sum(leaf["parent"].endswith(" on") for leaf in leaves) == 2 * 12
    assert check(first.read_text())[0]["html"] == "../hub"


@pytest.mark.browser
def test_pages_fit_and_are_dark_at_night(folder_of, tmp_path):
    folder = folder_of([("CTCF", "K562"), ("MAX", "HepG2"), ("MAX", "GM12878")])
    write_hub(folder, SETTINGS)
    ground = "return getComputedStyle(document.documentElement).backgroundColor"
    with open_chromium(tmp_path / "browser") as driver:
        for page in (folder.path / "hub.html", folder.path / "by-tf" / "MAX.html"):
            driver.get(f"file://{page}")
            grounds = set()
            for width in (400, 1280):
                for scheme in ("light", "dark"):
                    look(driver, width, 800, scheme)
                    wait_to_fit(driver)
                    assert faults(driver) == []
                    grounds.add(driver.execute_script(ground))
            assert len(grounds) == 2
            # Inside of a page of UCSC's, colors are that page's.
            driver.execute_script("document.body.append(document.createElement('p'))")
            assert driver.execute_script(ground) == "rgba(0, 0, 0, 0)"


def test_text_is_escaped(folder_of):
    folder = folder_of(NAMES)
    write_hub(folder, SETTINGS)
    for page in folder.path.rglob("*.html"):
        assert "<b>&TF" not in page.read_text()
    assert "&lt;b&gt;&amp;TF" in (folder.path / "hub.html").read_text()


def test_colors_stand_for_what_was_asked(folder_of):
    pairs = [("CTCF", "A"), ("CTCF", "B"), ("REST", "A"), ("MAX", "A")]

    def colors(by):
        folder = folder_of(pairs)
        write_hub(folder, HubSettings("hg19", "a@b.org", by))
        tracks = check((folder.path / "hub.txt").read_text())
        return {
            track["shortLabel"]: track["color"]
            for track in tracks
            if "bigDataUrl" in track
        }

    family = colors("family")
    assert family["CTCF A"] == family["REST A"] != family["MAX A"]
    tf = colors("tf")
    assert tf["CTCF A"] == tf["CTCF B"] != tf["REST A"]
    cell = colors("cell")
    assert cell["CTCF A"] == cell["REST A"] != cell["CTCF B"]
    with pytest.raises(UsageError, match="--color-by"):
        colors("size")


@pytest.mark.parametrize("wrong", ["hg 19", "", "a\tb"])
def test_words_that_break_a_stanza_are_refused(wrong):
    with pytest.raises(UsageError, match="white space"):
        HubSettings(wrong, "a@b.org")
    with pytest.raises(UsageError, match="white space"):
        HubSettings("hg19", wrong)


@given(st.lists(st.text(min_size=1, max_size=40), unique=True))
def test_any_names_become_unique_and_plain(names):
    taken = set()
    made = [unique_name(name, taken) for name in names]
    assert len(set(made)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) for name in made)
    assert len(set(subgroup_tags(names).values())) == len(names)
    for name in names:
        assert 0 < len(label(name, SHORT_LABEL)) <= SHORT_LABEL
        assert "\n" not in label(name, SHORT_LABEL)
