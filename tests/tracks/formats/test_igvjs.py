"""Our files in igv.js, in a real browser: its decoders read them, and it draws them.

Needs a Chromium with its driver, and ``npm install`` run once in tests/web. The pages
come from a server on this machine; nothing else is asked for anything.
"""

from __future__ import annotations

import functools
import http.server
import json
import re
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from tfimpute_tracks.kernels.peaks import call_peaks
from tfimpute_tracks.tracks.formats import (
    PeakSet,
    write_bigbed,
    write_bigwig,
    write_narrowpeak,
)

pytestmark = pytest.mark.browser

IGV = Path(__file__).parents[2] / "web" / "node_modules" / "igv" / "dist" / "igv.min.js"
FLAGS = (
    "--headless=new",
    "--window-size=1300,700",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
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


class RangeHandler(http.server.SimpleHTTPRequestHandler):
    """Serve byte ranges, as a hub's server has to: igv.js asks for pieces of files."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not (asked and path.is_file()):
            super().do_GET()
            return
        data = path.read_bytes()
        first = int(asked[1])
        piece = data[first : int(asked[2]) + 1 if asked[2] else None]
        self.send_response(206)
        last = first + len(piece) - 1
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Content-Length", str(len(piece)))
        self.end_headers()
        self.wfile.write(piece)


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
    found = [
        (chrom, call_peaks(np.arange(len(v)) * STEP, v, STEP, 0.5, STEP))
        for chrom, v in signals.items()
    ]
    return PeakSet.collect("CTCF.K562", found, SIZES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, signals, peaks):
    """A folder with a page, a toy genome, and our three files."""
    folder = tmp_path_factory.mktemp("igv")
    if not IGV.exists():
        pytest.skip("no igv.js: run `npm install` in tests/web")
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
    pieces = [(chrom, 0, STEP, values) for chrom, values in signals.items()]
    write_bigwig(folder / "CTCF.K562.bw", SIZES, pieces)
    write_narrowpeak(folder / "CTCF.K562.narrowPeak", peaks)
    write_bigbed(folder / "CTCF.K562.bb", SIZES, peaks)
    return folder


@pytest.fixture(scope="module")
def address(folder):
    handler = functools.partial(RangeHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def driver(address, tmp_path_factory):
    """A browser with the page loaded."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="no selenium")
    support = pytest.importorskip("selenium.webdriver.support.ui")
    names = ("chromium", "chromium-browser", "google-chrome")
    binary = next(filter(None, map(shutil.which, names)), None)
    chromedriver = shutil.which("chromedriver")
    if not (binary and chromedriver):
        pytest.skip("no Chromium with chromedriver on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    profile = tmp_path_factory.mktemp("profile")
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    service = webdriver.ChromeService(chromedriver)
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.set_script_timeout(30)
        driver.get(address)
        wait = support.WebDriverWait(driver, 60)
        wait.until(lambda driver: driver.title in ("ready", "failed"))
        assert driver.execute_script("return faults") == []
        yield driver
    finally:
        driver.quit()


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


@pytest.mark.parametrize("bp_per_pixel", [1000, 4000, 20_000])
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
    """Count pixels of the colour of each track."""
    path = tmp_path / "igv.png"
    colours = {"bigWig": (0, 120, 60), "narrowPeak": (200, 0, 0), "bigBed": (0, 0, 200)}

    def n_drawn(colour):
        driver.save_screenshot(str(path))
        image = (imread(path)[..., :3] * 255).round()
        return int((np.abs(image - colour).max(axis=2) < 12).sum())

    wait = driver.execute_async_script
    for _ in range(20):
        drawn = {name: n_drawn(colour) for name, colour in colours.items()}
        if min(drawn.values()) > 200:
            break
        wait("setTimeout(arguments[arguments.length - 1], 250)")
    assert drawn["bigWig"] > 5000
    assert drawn["narrowPeak"] > 500
    assert drawn["bigBed"] > 500
