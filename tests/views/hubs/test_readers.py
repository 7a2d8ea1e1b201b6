"""The viewers themselves: IGV, igv.js in Chromium, and a parser of hubs in Node."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from chromium import (
    IGV,
    colored_pixels,
    complaints,
    open_chromium,
    serve_folder,
    wait_for,
)
from igv_desktop import snapshot
from tfimpute_tracks.models import load_model
from tfimpute_tracks.tracks.formats import read_signal
from tfimpute_tracks.tracks.track_folder import find_tracks
from tfimpute_tracks.views.hubs.card_lookup import CardLookup
from tfimpute_tracks.views.hubs.hub import HubSettings, write_hub
from tfimpute_tracks.views.hubs.sessions import write_sessions

pytestmark = pytest.mark.browser

MODULES = Path(__file__).parents[2] / "web" / "node_modules"
BLUE, VERMILLION = (0, 114, 178), (213, 94, 0)
PAGE = """<!doctype html><meta charset="utf-8"><title>loading</title>
<link rel="icon" href="data:,">
<div id="igv"></div><script src="igv.min.js"></script>
<script>
const open = session => igv.createBrowser(
  document.getElementById("igv"), {loadDefaultGenomes: false, ...session});
fetch("igvjs.session.json").then(r => r.json()).then(open)
  .then(browser => { window.browser = browser; document.title = "ready"; })
  .catch(e => { document.title = "failed: " + e; });
</script>
"""
FEATURES = """
const [name, start, end, done] = arguments;
const view = browser.trackViews.find(view => view.track.name === name);
view.track.featureSource.getFeatures({chr: "chr20", start, end, bpPerPixel: 1})
  .then(features => done(JSON.stringify(features)), e => done("fault: " + e));
"""


@pytest.fixture
def mailed(tracks_folder, tmp_path):
    """The folder with sessions, somewhere else than where it was made."""
    write_sessions(find_tracks(tracks_folder), "hg19", fasta="chr20.fa")
    return shutil.copytree(tracks_folder, tmp_path / "mailed")


def test_igv_opens_the_session(mailed, tmp_path):
    picture = snapshot(tmp_path, mailed / "chr20.fa", [mailed / "igv.session.xml"])
    assert colored_pixels(picture, BLUE) > 1000
    assert colored_pixels(picture, VERMILLION) > 300


def test_igv_opens_each_kind_of_file(mailed, tmp_path):
    files = [mailed / f"CTCF.K562.{end}" for end in ("bw", "narrowPeak", "bb")]
    place = "chr20:48,800,000-48,900,000"
    picture = snapshot(tmp_path, mailed / "chr20.fa", files, place)
    assert colored_pixels(picture, (0, 0, 178), near=10) > 500  # IGV's own blue


def test_igvjs_opens_the_session(mailed, tmp_path):
    shutil.copy(IGV, mailed)
    (mailed / "index.html").write_text(PAGE)
    session = json.loads((mailed / "igvjs.session.json").read_text())
    with serve_folder(mailed) as address, open_chromium(tmp_path) as driver:
        driver.get(f"{address}/index.html")
        wait_for(driver, lambda driver: driver.title != "loading")
        assert driver.title == "ready"
        shown = driver.execute_script(
            "return browser.trackViews.map(view => view.track.name)"
        )
        named = [track["name"] for track in session["tracks"]]
        assert [name for name in shown if name in named] == named
        start, end = 48_750_000, 48_800_000
        found = json.loads(
            driver.execute_async_script(FEATURES, "CTCF K562 specificity", start, end)
        )
        signal = read_signal(mailed / "CTCF.K562.specificity.bw", "chr20", start, end)
        inside = [f for f in found if f["end"] > start and f["start"] < end]
        assert [f["value"] for f in inside] == pytest.approx(signal.values.tolist())
        peaks = json.loads(
            driver.execute_async_script(FEATURES, "CTCF K562 peaks", start, end)
        )
        assert peaks
        assert all(peak["name"].startswith("CTCF.K562.peak") for peak in peaks)
        path = tmp_path / "page.png"

        def is_drawn(driver):
            driver.save_screenshot(str(path))
            return min(colored_pixels(path, color) for color in (BLUE, VERMILLION))

        wait_for(driver, lambda driver: is_drawn(driver) > 500, 20)
        assert complaints(driver) == []


def read_hub(path):
    """Give what @gmod/ucsc-hub finds in a hub."""
    node = shutil.which("node")
    if not (node and MODULES.is_dir()):
        pytest.skip("no Node, or `npm install` was not run in tests/web")
    script = Path(__file__).with_name("read_hub.mjs")
    done = subprocess.run(
        [node, script, MODULES, path],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["tracks"]


def test_a_parser_reads_the_hub(tracks_folder):
    files = write_hub(find_tracks(tracks_folder), HubSettings("hg19", "a@b.org"))
    tracks = read_hub(files[0])
    leaf = tracks["CTCF_K562_peaks"]
    assert leaf["type"] == "bigNarrowPeak"
    assert leaf["bigDataUrl"] == "CTCF.K562.bb"
    assert leaf["parent"] == "tfimpute_peaks on"
    assert sum("bigDataUrl" in track for track in tracks.values()) == 7


def test_a_parser_reads_the_hub_of_all_pairs(folder_of):
    model = load_model("default")
    folder = folder_of(model.vocabulary.all_pairs())
    files = write_hub(
        folder, HubSettings("hg19", "a@b.org", "tf", CardLookup((model,)))
    )
    tracks = read_hub(files[0])
    assert len(tracks) == 1 + 2 * 15_015
    hub_of_tf = next(file for file in files if file.name == "CTCF.hub.txt")
    assert sum("bigDataUrl" in t for t in read_hub(hub_of_tf).values()) == 2 * 91
