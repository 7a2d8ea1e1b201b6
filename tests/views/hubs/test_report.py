"""The report stands alone, tells all, and shows what the files hold."""

import base64
import dataclasses
import json
import re
from html import unescape

import numpy as np
import pytest

from chromium import (
    colored_pixels,
    complaints,
    faults,
    is_zoom_shown,
    look,
    open_chromium,
    wait_for,
    wait_to_fit,
)
from tfimpute_tracks.dataset import HoldOut
from tfimpute_tracks.errors import InputFileError, RunError
from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.bundled import bundled_genes
from tfimpute_tracks.genome.genes import Gene, read_genes
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.models.loading import load_modes
from tfimpute_tracks.tracks.formats import (
    SignalStyle,
    read_signal,
    signal_chroms,
    write_track,
)
from tfimpute_tracks.tracks.track_folder import TrackFolder, find_tracks
from tfimpute_tracks.views.hubs.card_lookup import CardLookup
from tfimpute_tracks.views.hubs.excerpts import bigwig_excerpt, merge_windows
from tfimpute_tracks.views.hubs.pages import overview_page
from tfimpute_tracks.views.hubs.report import MAX_BYTES, write_report
from tfimpute_tracks.views.hubs.report_genes import nearest_genes
from tfimpute_tracks.views.hubs.summary_stats import (
    bases_with_values,
    peaks_per_chromosome,
    sample_regions,
    score_histogram,
)
from tfimpute_tracks.views.hubs.top_peaks import peak_scores
from toys import make_model, make_record


@pytest.fixture(scope="module")
def page(tracks_folder, tmp_path_factory):
    dest = tmp_path_factory.mktemp("report") / "report.html"
    return write_report(
        find_tracks(tracks_folder), dest, CardLookup(load_modes("default"))
    )


def _view(page):
    text = page.read_text()
    found = re.search(r'id="view">(.*?)</script>', text, re.DOTALL)
    return json.loads(found[1])


def test_it_holds_everything_and_asks_for_nothing(page):
    text = page.read_text()
    assert len(text.encode()) <= MAX_BYTES
    assert "{{" not in text.partition("<script>")[0]
    outside = text.partition("<script>")[0]
    assert not re.search(r'(src|href)="(?!data:|#|https://doi)', outside)
    for told in ("CTCF", "NB4", "FDR 10%", "expected AUROC", "10.1371", "receipt.json"):
        assert told in outside
    # Of one chromosome no chart of chromosomes, of one imputed pair none of statuses.
    assert outside.count("<svg") == 2
    headings = [unescape(text) for text in re.findall(r"<h2>(.*?)</h2>", outside)]
    assert headings == [
        "Tracks around the highest peaks",
        "How far to trust it",
        "Distribution of probabilities and expected accuracy",
        "Thresholds and false discovery rates",
        "How to read the tracks",
        "Methods and citation",
        "Receipts",
    ]


def test_listed_peaks_are_the_highest_peaks(page, tracks_folder):
    view = _view(page)
    rows = [
        line.split("\t")
        for line in (tracks_folder / "CTCF.K562.narrowPeak").read_text().splitlines()
        if not line.startswith("#")
    ]
    best = max(rows, key=lambda row: float(row[6]))
    place = f"{best[0]}:{int(best[1]) + 1:,}-{int(best[2]):,}"
    assert ("CTCF K562", place) in {(p["pair"], p["peak"]) for p in view["peaks"]}
    assert {p["gene"] for p in view["peaks"]} == {None}
    assert len(view["browser"]["tracks"]) == 7


def test_excerpts_equal_the_tracks(tracks_folder, tmp_path):
    windows = [
        Region("chr20", 48_750_000, 48_760_030),
        Region("chr20", 49_000_000, 49_001_000),
    ]
    path = tracks_folder / "CTCF.K562.bw"
    address = bigwig_excerpt(path, windows, 5)
    sliced = tmp_path / "slice.bw"
    sliced.write_bytes(base64.b64decode(address.partition("base64,")[2]))
    found = read_signal(sliced, "chr20")
    expected = [read_signal(path, *window) for window in windows]
    for got, parts in zip(found, zip(*expected, strict=True), strict=True):
        np.testing.assert_array_equal(got, np.concatenate(parts))
    assert bigwig_excerpt(path, [Region("chr20", 0, 1000)], 4) == ""


def test_windows_are_joined_and_cut():
    sizes = {"b": 1000, "a": 500}
    windows = [
        Region("a", 400, 900),
        Region("b", 50, 150),
        Region("b", 0, 60),
        Region("c", 0, 5),
        Region("b", 151, 200),
    ]
    assert merge_windows(windows, sizes) == [
        Region("b", 0, 150),
        Region("b", 151, 200),
        Region("a", 400, 500),
    ]


def test_summary_statistics_are_sums(tracks_folder):
    (track,) = [t for t in find_tracks(tracks_folder).tracks if t.pair.cell == "NB4"]
    edges = np.linspace(0, 1, 11)
    path = tracks_folder / "CTCF.NB4.bw"
    starts, ends, values = read_signal(path, "chr20")
    assert bases_with_values(path) == {"chr20": int((ends - starts).sum())}
    every = sample_regions(path, 10**9)
    expected = np.histogram(values, edges)[0]
    np.testing.assert_array_equal(score_histogram(path, every, edges), expected)
    some = sample_regions(path, 200_000)
    assert 0 < len(some) < len(every)
    assert set(some) <= set(every)
    assert peaks_per_chromosome(tracks_folder, track) == {"chr20": track.n_peaks}


def test_tracks_without_zoom_levels_are_summed_up_too(tmp_path):
    path = tmp_path / "a.bw"
    values = np.array([0.1, np.nan, 0.9], dtype=np.float32)
    signals = [Signal("a", 10, 20, values)]
    style = SignalStyle(max_zooms=0)
    write_track("bigwig", path, {"a": 100, "b": 50}, signals, style)
    assert bases_with_values(path) == {"a": 40}
    regions = sample_regions(path, 1000)
    assert score_histogram(path, regions, np.array([0, 0.5, 1])).tolist() == [1, 1]


def test_pairs_without_files_or_peaks_are_reported(folder_of, tmp_path):
    folder = folder_of([("A", "<b>"), ("B", "c")])
    bare = [make_record(track.pair, threshold=0.9) for track in folder.tracks]
    dest = tmp_path / "bare.html"
    write_report(TrackFolder(tmp_path, bare, []), dest, CardLookup())
    assert "No pair has a peak" in dest.read_text()
    assert "<b>" not in dest.read_text().partition("<h2>Tracks")[0]
    with pytest.raises(RunError, match="fewer pairs"):
        write_report(
            TrackFolder(tmp_path, bare, []),
            tmp_path / "large.html",
            CardLookup(),
            max_bytes=1000,
        )
    assert not (tmp_path / "large.html").exists()


@pytest.mark.parametrize("scheme", ["chromosomes", "random", "alternating-peaks"])
def test_pages_report_what_aurocs_were_found_on(folder_of, tmp_path, scheme):
    model = make_model(tmp_path, card={"hold_out": HoldOut(scheme).to_dict()})
    folder = folder_of([("CTCF", "K562"), ("MAX", "HepG2")])
    own, foreign = (
        [
            dataclasses.replace(track, weights=weights, signals={}, bigbed="")
            for track in folder.tracks
        ]
        for weights in (model.checkpoint.digest, "sha256:0")
    )
    expected = {
        "chromosomes": "the test chromosome chr20",
        "random": "randomly held-out sites, neighbors of training sites",
        "alternating-peaks": "the test peaks of alternating peaks",
    }[scheme]
    for tracks, told in ((own, expected), (foreign, "sites held out from training")):
        card, dest = CardLookup((model,)), tmp_path / "report.html"
        write_report(TrackFolder(tmp_path, tracks, []), dest, card)
        report_text = dest.read_text()
        caption = f"Expected AUROC: for measured pairs, the AUROC on {told};"
        assert caption in report_text
        for page in (report_text, overview_page(tracks, card)):
            text = "</i>: for measured pairs, the AUROC on " + told + ";"
            assert text in " ".join(page.split())
            assert "on a test chromosome" not in page


@pytest.mark.browser
def test_it_opens_from_a_file(page, tracks_folder, tmp_path):
    with open_chromium(tmp_path, (1300, 1000)) as driver:
        driver.get(f"file://{page}")
        wait_for(
            driver, lambda d: d.execute_script("return document.body.dataset.ready")
        )
        assert driver.execute_script("return document.body.dataset.ready") == "yes"
        view = _view(page)
        chrom, span = view["browser"]["locus"].split(":")
        first, last = map(int, span.split("-"))
        found = json.loads(
            driver.execute_async_script(
                "const [name, start, end, done] = arguments;"
                "browser.trackViews.find(view => view.track.name === name).track"
                ".featureSource.getFeatures({chr: 'chr20', start, end, bpPerPixel: 1})"
                ".then(f => done(JSON.stringify(f)), e => done(String(e)))",
                *("CTCF K562", first - 1, last),
            )
        )
        signal = read_signal(tracks_folder / "CTCF.K562.bw", chrom, first - 1, last)
        got = [f["value"] for f in found if f["end"] > first - 1 and f["start"] < last]
        assert got == pytest.approx(signal.values.tolist())
        place = driver.find_elements("css selector", "#peaks button")[3]
        place.click()
        wanted = int(re.split("[:-]", view["peaks"][3]["locus"])[1])
        start = "return browser.referenceFrameList[0].start"
        wait_for(driver, lambda d: abs(d.execute_script(start) - wanted) < 1000, 20)
        picture = tmp_path / "report.png"

        def is_drawn(driver):
            driver.save_screenshot(str(picture))
            return colored_pixels(picture, (0, 114, 178)) > 2000

        wait_for(driver, is_drawn, 20)
        for width, scheme in ((1300, "light"), (1300, "dark"), (400, "dark")):
            look(driver, width, 800, scheme)
            assert faults(driver) == []
            wait_to_fit(driver)
            wait_for(driver, is_zoom_shown, 5)
        assert complaints(driver) == []


@pytest.mark.parametrize("look", [signal_chroms, bases_with_values])
def test_what_is_not_a_bigwig_is_reported(tracks_folder, tmp_path, look):
    with pytest.raises(InputFileError, match="it is a bigBed"):
        look(tracks_folder / "CTCF.K562.bb")
    broken = tmp_path / "broken.bw"
    broken.write_bytes((tracks_folder / "CTCF.K562.bw").read_bytes()[:50])
    for path in (broken, tmp_path / "none.bw"):
        with pytest.raises(InputFileError, match=path.name):
            look(path)


def test_a_locus_and_genes_are_shown(tracks_folder, tmp_path):
    folder, sizes = find_tracks(tracks_folder), {"chr20": 63_025_520}
    genes = read_genes(bundled_genes(), sizes)
    locus = Region("chr20", 48_806_000, 48_810_000)
    dest = tmp_path / "genes.html"
    write_report(folder, dest, CardLookup(), locus=locus, genes=genes)
    view = _view(dest)
    assert view["browser"]["locus"] == view["asked"] == str(locus)
    text = dest.read_text()
    assert "<h2>CEBPB (chr20:48,806,001-48,810,000), and the highest peaks</h2>" in text
    assert "Tracks in chr20:48,806,001-48,810,000, and within 5 kb" in text
    (track,) = [t for t in folder.tracks if str(t.pair) == "CTCF:K562"]
    scores = peak_scores(folder.path, track, locus)
    assert f"CTCF K562 {len(scores)} peaks (up to {max(scores):.3f})" in text
    track = view["browser"]["tracks"][0]
    assert track["name"] == "Genes"
    names = {gene["name"] for gene in track["features"]}
    assert names
    known = {gene.name for gene in genes["chr20"]}
    for peak in view["peaks"]:
        found = peak["gene"].partition(" (")[0].split(", ")
        assert found
        assert set(found) <= known


def test_the_nearest_gene_is_named():
    genes = {
        "20": [
            Gene("A", 100, 200, "+", ((100, 200),)),
            Gene("B", 150, 400, "-", ((150, 400),)),
            Gene("", 5000, 5100, ".", ((5000, 5100),)),
        ]
    }
    at = ((120, 130, "A"), (160, 170, "A, B"), (900, 950, "B (500 bp)"))
    for start, end, said in at:
        assert nearest_genes(genes, Region("chr20", start, end)) == said
    assert nearest_genes(genes, Region("chr20", 12_900, 13_000)) == "B (12.5 kb)"
    assert nearest_genes(genes, Region("chr1", 0, 10)) == ""


def test_a_single_pair_has_no_chart_of_one_point(tracks_folder, tmp_path):
    folder = find_tracks(tracks_folder)
    alone = dataclasses.replace(folder, tracks=folder.tracks[:1])
    dest = write_report(alone, tmp_path / "one.html", CardLookup())
    outside = dest.read_text().partition("<script>")[0]
    assert "<h2>Distribution of probabilities</h2>" in outside
    assert outside.count("<svg") == 1
