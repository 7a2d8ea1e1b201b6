"""The page as a user meets it: typing, clicking and looking, in a real browser."""

from __future__ import annotations

import json

import numpy as np
import pytest

from chromium import colored_pixels, complaints, open_chromium, wait_for
from tfimpute_tracks.genome import bundled_genes, bundled_region, open_bundled
from tfimpute_tracks.kernels.encode import decode
from tfimpute_tracks.models import load_model
from tfimpute_tracks.views.browse import GeneIndex, LiveScores, Session
from tfimpute_tracks.views.browse.session import MAX_PAIRS
from tfimpute_tracks.views.browse.window import window_peaks
from tfimpute_tracks.vocabulary import Pair

pytestmark = pytest.mark.browser

VIEW = bundled_region()._replace(start=48_780_000, end=48_840_000)
FIRST_COLOR, SECOND_COLOR = (0, 114, 178), (213, 94, 0)
FEATURES = """
const [name, start, end, done] = arguments;
const view = page.browser.trackViews.find(view => view.track.name === name);
view.track.featureSource.getFeatures({chr: "chr20", start, end, bpPerPixel: 1})
  .then(features => done(JSON.stringify(features)), e => done("fault: " + e));
"""


@pytest.fixture(scope="module")
def live():
    """The shipped model over the shipped sequence."""
    return LiveScores(load_model("default"), open_bundled(), threads=2)


@pytest.fixture
def opened(live, serving, tmp_path):
    """Give the page in a browser, and what the page is about."""
    session = Session(live, VIEW, GeneIndex(bundled_genes(), live.genome))
    session.warm_up()
    with serving(session) as client, open_chromium(tmp_path, (1400, 1000)) as driver:
        driver.get(client.address)
        wait_for(driver, is_ready)
        yield driver, client


SIGNALS_SHOWN = """
return page.browser.trackViews.filter(view => /-signal$/.test(view.track.id)).length;
"""


def is_ready(driver):
    return driver.execute_script("return document.body.dataset.ready") == "yes"


def by(driver, selector):
    return driver.find_element("css selector", selector)


def type_into(driver, selector, text):
    field = by(driver, selector)
    field.clear()
    field.send_keys(text)


def add(driver, tf, cell, signal="probability"):
    n = len(driver.find_elements("css selector", "#chosen li"))
    type_into(driver, "#tf", tf)
    type_into(driver, "#cell", cell)
    by(driver, f"#signal option[value={signal}]").click()
    by(driver, "#add button").click()
    wait_for(
        driver, lambda d: len(d.find_elements("css selector", "#chosen li")) == n + 1
    )
    wait_for(
        driver,
        lambda d: d.execute_script(SIGNALS_SHOWN) == n + 1,
    )


def told(driver):
    return by(driver, "#message").text


def test_a_track_is_typed_drawn_and_right(opened, live, tmp_path):
    driver, _ = opened
    add(driver, "ctcf", "k562")
    assert "CTCF K562" in by(driver, "#chosen").text
    assert "measured" in by(driver, "#chosen").text
    drawn = json.loads(
        driver.execute_async_script(FEATURES, "CTCF K562", VIEW.start, VIEW.end)
    )
    signal = live.signal(Pair("CTCF", "K562"), "probability", VIEW)
    starts, values = signal.starts, signal.values
    assert [f["start"] for f in drawn] == starts.tolist()
    assert [f["end"] for f in drawn] == (starts + 100).tolist()
    np.testing.assert_array_equal([f["value"] for f in drawn], values)
    path = tmp_path / "page.png"

    def is_drawn(driver):
        by(driver, "#igv").screenshot(str(path))
        return colored_pixels(path, FIRST_COLOR) > 1000

    wait_for(driver, is_drawn, 20)
    found = window_peaks(live, Pair("CTCF", "K562"), VIEW)
    wait_for(driver, lambda d: f"{found.n_peaks} peaks" in by(d, "#peaks-note").text)
    best = int(np.argmax(found.peaks.score))
    place = by(driver, "#peaks tbody tr:first-child button")
    assert place.text.startswith(f"chr20:{found.peaks.start[best] + 1:,}-")
    place.click()
    wait_for(driver, lambda d: f"{found.peaks.start[best] - 999}" in d.current_url)
    assert complaints(driver) == []


def test_several_signals_and_removing_them(opened, tmp_path):
    driver, _ = opened
    add(driver, "CTCF", "K562")
    add(driver, "CEBPB", "HepG2", "specificity")
    add(driver, "CEBPB", "HepG2", "log-odds")
    assert "specificity, imputed" in by(driver, "#chosen").text
    by(driver, "#add button").click()
    wait_for(driver, lambda d: "CEBPB:HepG2 is already shown" in told(d))
    by(driver, "#chosen li:first-child button").click()
    wait_for(driver, lambda d: len(d.find_elements("css selector", "#chosen li")) == 2)
    path = tmp_path / "page.png"

    def is_drawn(driver):
        by(driver, "#igv").screenshot(str(path))
        is_gone = colored_pixels(path, FIRST_COLOR) == 0
        return is_gone and colored_pixels(path, SECOND_COLOR) > 50

    wait_for(driver, is_drawn, 20)
    assert complaints(driver) == []


def test_a_link_restores_the_view(opened):
    driver, client = opened
    address = (
        f"{client.address}#locus=chr20:48800001-48810000"
        "&tracks=MAX:HepG2,GATA1:K562:specificity"
    )
    driver.get("about:blank")
    driver.get(address)
    wait_for(driver, is_ready)
    wait_for(driver, lambda d: len(d.find_elements("css selector", "#chosen li")) == 2)
    assert "chr20:48800001-48810000" in driver.current_url
    assert "GATA1 K562\nspecificity, measured" in by(driver, "#chosen").text.replace(
        " specificity", "\nspecificity"
    )
    by(driver, "#chosen li:last-child button").click()
    wait_for(driver, lambda d: "GATA1" not in d.current_url)
    assert "tracks=MAX:HepG2" in driver.current_url
    driver.get("about:blank")
    many = ",".join(f"CTCF:{cell}" for cell in client.json("/api/about")[1]["cells"])
    driver.get(f"{client.address}#tracks={many}")
    wait_for(driver, is_ready)
    wait_for(driver, lambda d: d.execute_script(SIGNALS_SHOWN) == MAX_PAIRS)
    assert f"a page shows at most {MAX_PAIRS} tracks" in told(driver)
    driver.get("about:blank")
    driver.get(f"{client.address}#locus=chr99:1-2&tracks=NOBODY:K562")
    wait_for(driver, is_ready)
    wait_for(driver, lambda d: "NOBODY" in told(d))


def test_genes_are_found_by_name(opened):
    driver, _ = opened
    field = by(driver, "#igv").shadow_root.find_element(
        "css selector", "input.igv-search-input"
    )
    field.clear()
    field.send_keys("ptpn1\n")
    wait_for(driver, lambda d: "locus=chr20:491" in d.current_url)
    found = json.loads(
        driver.execute_async_script(FEATURES, "genes", 49_100_000, 49_210_000)
    )
    assert "PTPN1" in {gene["name"] for gene in found}
    assert len(found[0]["exons"]) > 1
    assert complaints(driver) == []


def test_alleles_are_compared(opened):
    driver, client = opened
    letter = decode(open_bundled().codes("chr20", 48_807_375, 48_807_376))
    other = "A" if letter != "A" else "C"
    type_into(driver, "#alleles", "chr20:48807376")
    by(driver, "#variant button").click()
    wait_for(driver, lambda d: "add a track first" in by(d, "#variant-note").text)
    add(driver, "CEBPB", "HepG2")
    type_into(driver, "#alleles", f"chr20:48807376 {other}>{letter}")
    by(driver, "#variant button").click()
    wait_for(driver, lambda d: "did you mean" in by(d, "#variant-note").text)
    type_into(driver, "#alleles", f"chr20:48807376 {letter}>{other}")
    by(driver, "#variant button").click()
    caption = wait_for(
        driver, lambda d: d.find_elements("css selector", "#effects figcaption")
    )[0].text
    _, answer = client.json(
        "/api/variant", pair="CEBPB:HepG2", variant=f"chr20:48807376 {letter}>{other}"
    )
    (pair,) = answer["pairs"]
    assert (
        f"{letter} {pair['ref_best']:#.3g} → {other} {pair['alt_best']:#.3g}" in caption
    )
    wait_for(driver, lambda d: "locus=chr20:48806376-" in d.current_url)


def test_the_view_can_be_taken_home(opened, tmp_path):
    driver, _ = opened
    add(driver, "CTCF", "K562")
    by(driver, "#svg").click()
    by(driver, "#png").click()
    by(driver, "#format option[value=bigwig]").click()
    names = {"tracks.svg", "tracks.png", "CTCF.K562.chr20_48780001-48840000.bw"}
    wait_for(driver, lambda _: names <= {path.name for path in tmp_path.iterdir()})
    assert colored_pixels(tmp_path / "tracks.png", FIRST_COLOR) > 1000
    assert "<svg" in (tmp_path / "tracks.svg").read_text()


def test_a_wide_window_is_computed_when_asked_for(opened):
    driver, _ = opened
    add(driver, "MAX", "HepG2")
    search = "page.browser.search('chr20').then(arguments[0])"
    driver.execute_async_script(search)
    wait_for(driver, lambda d: "of it is computed" in told(d))
    by(driver, "#compute").click()
    wait_for(driver, lambda d: told(d) == "", 60)
    drawn = json.loads(
        driver.execute_async_script(FEATURES, "MAX HepG2", 0, 63_000_000)
    )
    known = bundled_region()
    assert min(f["start"] for f in drawn) == known.start - 50
    assert max(f["end"] for f in drawn) == known.end + 50
