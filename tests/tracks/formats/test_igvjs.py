"""Our files in igv.js, in a real browser: its decoders read them, and it draws them.

Needs a Chromium with its driver. The pages come from a server on this machine; nothing
else is asked for anything.
"""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from chromium import IGV, colored_pixels, open_chromium, serve_folder, wait_for
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.kernels.peaks import call_peaks
from tfimpute_tracks.tracks.formats import (
    PeakSet,
    write_track,
)

pytestmark = pytest.mark.browser

# More chromosomes than a leaf of the chromosome tree holds.
SIZES = {f"scaffold_{i}": 1000 for i in range(300)} | {"chr7": 400_010, "chr21": 90_000}
STEP = 50
PAGE = """<!doctype html><meta charset="utf-8"><title>loading</title>
<div id="igv"></div>
<script src="igv.min.js"></script>
<script>
window.faults = [];
window.addEventListener("unhandledrejection", e => faults.push(String(e.reason)));
igv.createBrowser(document.getElementById("igv"), {
  loadDefaultGenomes: false,
  reference: {id: "toy", fastaURL: "genome.fa", indexURL: "genome.fa.fai"},
  locus: "chr7:1-400010",
  tracks: [
    {name: "bigWig", type: "wig", format: "bigwig", url: "CTCF.K562.bw",
     min: 0, max: 1, height: 120, color: "rgb(0,120,60)"},
    {name: "narrowPeak", type: "annotation", format: "narrowpeak",
     url: "CTCF.K562.narrowPeak", indexed: false, color: "rgb(200,0,0)"},
    {name: "bigBed", type: "annotation", format: "bigbed", url: "CTCF.K562.bb",
     color: "rgb(0,0,200)"},
  ],
}).then(browser => { window.browser = browser; document.title = "ready"; })
  .catch(e => { faults.push(String(e)); document.title = "failed"; });
</script>
"""
FEATURES = """
const [name, chr, start, end, bpPerPixel, done] = arguments;
const view = browser.trackViews.find(view => view.track.name === name);
const request = {chr, start, end, bpPerPixel, visibilityWindow: -1};
view.track.featureSource.getFeatures(request).then(
  features => done(JSON.stringify(features)), e => done("fault: " + e));
"""


@pytest.fixture(scope="module")
def signals():
    """chrom -> scores of its bins: three hills and a gap, or a single hill."""
    rng = np.random.default_rng(7)
    values = {}
    for chrom, hills in (("chr7", (50_000, 200_000, 390_000)), ("chr21", (30_000,))):
        at = np.arange(0, SIZES[chrom], STEP)
        hill = sum(np.exp(-(((at - h) / 9000) ** 2)) for h in hills)
        values[chrom] = (0.9 * hill + 0.05 * rng.random(len(at))).astype(np.float32)
    values["chr7"][2000:2500] = np.nan
    return values


@pytest.fixture(scope="module")
def peaks(signals):
    found = [(chrom, call_peaks(0, STEP, v, 0.5)) for chrom, v in signals.items()]
    return PeakSet.collect("CTCF.K562", found, SIZES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, signals, peaks):
    """A folder with a page, a toy genome, and our three files."""
    folder = tmp_path_factory.mktemp("igv")
    shutil.copy(IGV, folder)
    (folder / "index.html").write_text(PAGE)
    letters = np.random.default_rng(7)
    index, text = "", ""
    for chrom in signals:
        text += f">{chrom}\n"
        size = SIZES[chrom]
        index += f"{chrom}\t{size}\t{len(text)}\t{size}\t{size + 1}\n"
        text += "".join(letters.choice(list("ACGT"), size)) + "\n"
    (folder / "genome.fa").write_text(text)
    (folder / "genome.fa.fai").write_text(index)
    pieces = [Signal(chrom, 0, STEP, values) for chrom, values in signals.items()]
    write_track("bigwig", folder / "CTCF.K562.bw", SIZES, pieces)
    write_track("bed", folder / "CTCF.K562.narrowPeak", SIZES, peaks)
    write_track("bigbed", folder / "CTCF.K562.bb", SIZES, peaks)
    return folder


@pytest.fixture(scope="module")
def driver(folder, tmp_path_factory):
    """A browser with the page loaded."""
    profile = tmp_path_factory.mktemp("profile")
    with serve_folder(folder) as address, open_chromium(profile) as driver:
        driver.get(f"{address}/index.html")
        wait_for(driver, lambda driver: driver.title in ("ready", "failed"))
        assert driver.execute_script("return faults") == []
        yield driver


@pytest.fixture
def features(driver):
    """What igv.js decodes: features(track, chrom, start, end, bp_per_pixel)."""

    def features(track, chrom, start, end, bp_per_pixel=0.5):
        text = driver.execute_async_script(
            FEATURES, track, chrom, start, end, bp_per_pixel
        )
        assert not text.startswith("fault"), text
        return [f for f in json.loads(text) if f["end"] > start and f["start"] < end]

    return features


def expected_bins(values, size):
    """Rounded bins that have a value, the last one cut at the end."""
    values = np.round(values.astype(np.float64), 4).astype(np.float32)
    return [
        (i * STEP, min((i + 1) * STEP, size), float(value))
        for i, value in enumerate(values)
        if not np.isnan(value)
    ]


@pytest.mark.parametrize("chrom", ["chr7", "chr21"])
def test_every_bin_is_read(features, signals, chrom):
    size = SIZES[chrom]
    found = features("bigWig", chrom, 0, size)
    bins = [(f["start"], f["end"], f["value"]) for f in found]
    assert bins == expected_bins(signals[chrom], size)


def test_a_view_gets_its_bins(features, signals):
    found = features("bigWig", "chr7", 198_000, 201_000)
    bins = {(f["start"], f["end"], f["value"]) for f in found}
    expected = {
        b for b in expected_bins(signals["chr7"], SIZES["chr7"])
        if b[1] > 198_000 and b[0] < 201_000
    }  # fmt: skip
    assert bins >= expected


@pytest.mark.parametrize("bp_per_pixel", [2000, 7000, 30_000])
def test_zoomed_out_means_are_right(features, signals, bp_per_pixel):
    size = SIZES["chr7"]
    found = features("bigWig", "chr7", 0, size, bp_per_pixel)
    bins = np.array(expected_bins(signals["chr7"], size))
    assert 1 < len(found) < len(bins) / 10
    for feature in found:
        inside = (bins[:, 0] >= feature["start"]) & (bins[:, 1] <= feature["end"])
        widths = bins[inside, 1] - bins[inside, 0]
        mean = np.average(bins[inside, 2], weights=widths)
        assert feature["value"] == pytest.approx(mean, rel=1e-5)


def test_narrowpeak_columns(features, peaks):
    rows = [row for row in peaks.rows if row.chrom == "chr7"]
    found = features("narrowPeak", "chr7", 0, SIZES["chr7"])
    assert len(found) == len(rows) >= 3
    for feature, row in zip(found, rows, strict=True):
        assert (feature["start"], feature["end"]) == (row.start, row.end)
        assert (feature["name"], feature["score"]) == (row.name, row.score)
        assert feature["signal"] == pytest.approx(row.signal, rel=1e-5)
        assert feature["peak"] == row.summit


def test_bigbed_columns(features, peaks):
    """Fails for a definedFieldCount of 10: igv.js then reads a gene."""
    rows = [row for row in peaks.rows if row.chrom == "chr7"]
    found = features("bigBed", "chr7", 0, SIZES["chr7"])
    assert len(found) == len(rows)
    for feature, row in zip(found, rows, strict=True):
        assert (feature["start"], feature["end"]) == (row.start, row.end)
        assert (feature["name"], feature["score"]) == (row.name, row.score)
        assert float(feature["signalValue"]) == pytest.approx(row.signal, rel=1e-5)
        assert int(feature["peak"]) == row.summit
        assert "cdStart" not in feature


def test_tracks_are_drawn(driver, tmp_path):
    """Count pixels of the color of each track."""
    path = tmp_path / "igv.png"
    colors = {"bigWig": (0, 120, 60), "narrowPeak": (200, 0, 0), "bigBed": (0, 0, 200)}

    def n_drawn(color):
        driver.save_screenshot(str(path))
        return colored_pixels(path, color, near=11)

    wait = driver.execute_async_script
    for _ in range(20):
        drawn = {name: n_drawn(color) for name, color in colors.items()}
        if min(drawn.values()) > 200:
            break
        wait("setTimeout(arguments[arguments.length - 1], 250)")
    assert drawn["bigWig"] > 5000
    assert drawn["narrowPeak"] > 500
    assert drawn["bigBed"] > 500
