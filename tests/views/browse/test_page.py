"""The page as a user meets it: typing, clicking and looking, in a real browser."""

from __future__ import annotations

import json
import time

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
from tfimpute_tracks.evidence import measured_peaks, open_shipped
from tfimpute_tracks.genome import bundled_genes, bundled_region, open_bundled
from tfimpute_tracks.kernels.encode import decode
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.loading import load_modes
from tfimpute_tracks.views.browse import (
    GeneIndex,
    LiveScores,
    MeasuredTracks,
    Session,
)
from tfimpute_tracks.views.browse.session import MAX_PAIRS
from tfimpute_tracks.views.browse.window import window_peaks
from tfimpute_tracks.vocabulary import Pair

Keys = pytest.importorskip("selenium.webdriver").Keys

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
    return LiveScores(load_model("default", open_shipped()), open_bundled(), threads=2)


@pytest.fixture
def opened(live, serving, tmp_path):
    """Give the page in a browser, and what the page is about."""
    session = Session(live, VIEW, GeneIndex(bundled_genes(), live.genome))
    session.warm_up()
    with serving(session) as client, open_chromium(tmp_path, (1400, 1000)) as driver:
        driver.get(client.address)
        wait_for(driver, is_ready)
        yield driver, client


FRAMES = "return page.browser.referenceFrameList.map(({start, end}) => ({start, end}));"
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


def search(driver, text):
    """Type into the position box of igv.js."""
    field = by(driver, "#igv").shadow_root.find_element(
        "css selector", "input.igv-search-input"
    )
    field.send_keys(Keys.CONTROL, "a", Keys.NULL, Keys.DELETE, text, Keys.ENTER)


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
    wait_for(
        driver,
        lambda d: f"{found.n_peaks} predicted peaks" in by(d, "#peaks-note").text,
    )
    best = int(np.argmax(found.peaks.score))
    place = by(driver, "#peaks tbody tr:first-child button")
    assert place.text.startswith(f"chr20:{found.peaks.start[best] + 1:,}-")
    place.click()
    wait_for(driver, lambda d: f"{found.peaks.start[best] - 999}" in d.current_url)
    assert complaints(driver) == []


SLOW = """
const [part, ms] = arguments;
const plain = window.fetch;
window.fetch = async (address, ...more) => {
  const answer = await plain(address, ...more);
  if (address.includes(part)) await new Promise(done => setTimeout(done, ms));
  return answer;
};
"""


def test_a_table_and_its_note_appear_together(opened):
    driver, _ = opened
    driver.execute_script(SLOW, "api/measured", 1500)
    add(driver, "CTCF", "K562")
    wait_for(driver, lambda d: "predicted peaks" in by(d, "#peaks-note").text)
    assert by(driver, "#peaks tbody tr:first-child button").is_displayed()


def test_an_answer_that_comes_too_late_is_not_shown(opened):
    driver, _ = opened
    add(driver, "CTCF", "K562")
    wait_for(driver, lambda d: "predicted peaks" in by(d, "#peaks-note").text)
    driver.execute_script(SLOW, "api/peaks", 2500)
    driver.execute_script("page.browser.search('chr20:48,790,000-48,830,000')")
    time.sleep(0.8)  # the table has been asked for
    by(driver, "#chosen li:first-child button").click()
    wait_for(driver, lambda d: "No tracks yet" in by(d, "#peaks-note").text)
    time.sleep(3)
    assert by(driver, "#peaks-note").text == "No tracks yet."
    assert not driver.find_elements("css selector", "#peaks tbody tr")


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


def test_a_link_with_a_variant_keeps_its_locus(opened):
    driver, client = opened
    base = decode(open_bundled().codes("chr20", 48_807_375, 48_807_376))
    variant = f"chr20:48807376:{base}:{'A' if base != 'A' else 'C'}"
    locus = "chr20:48810001-48815000"
    for given, shown in ((f"locus={locus}&", locus), ("", "chr20:48806376-48808375")):
        driver.get("about:blank")
        driver.get(f"{client.address}#{given}tracks=CEBPB:HepG2&variant={variant}")
        wait_for(driver, is_ready)
        assert by(driver, "#effects figcaption").text
        (frame,) = driver.execute_script(FRAMES)
        assert f"chr20:{round(frame['start']) + 1}-{round(frame['end'])}" == shown
        wait_for(driver, lambda d, shown=shown: f"locus={shown}" in d.current_url)
        wait_for(driver, lambda d: "variant=chr20:48807376" in d.current_url)
    assert complaints(driver) == []


def test_genes_are_found_by_name(opened):
    driver, _ = opened
    search(driver, "ptpn1")
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
    wait_for(driver, lambda d: "Add a track first" in by(d, "#variant-note").text)
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
        f"{letter} {pair['ref_best']:.3f} → {other} {pair['alt_best']:.3f}" in caption
    )
    wait_for(driver, lambda d: "locus=chr20:48806376-" in d.current_url)
    type_into(driver, "#rank-name", "HepG2")
    by(driver, "#rank button").click()
    wait_for(driver, lambda d: d.find_elements("css selector", "#ranked tbody tr"))
    by(driver, "#variant button").click()
    rows = wait_for(
        driver, lambda d: d.find_elements("css selector", "#changes tbody tr")
    )
    assert 10 <= len(rows) <= 13  # those that change most, and those named
    assert "of 165 pairs" in by(driver, "#variant-note").text
    assert len(driver.find_elements("css selector", "#effects figure")) == 1


def test_the_view_can_be_taken_home(opened, tmp_path):
    driver, _ = opened
    add(driver, "CTCF", "K562")
    for what in ("svg", "png", "bigwig"):
        by(driver, f"#save option[value={what}]").click()
    names = {"tracks.svg", "tracks.png", "CTCF.K562.chr20_48780001-48840000.bw"}
    wait_for(driver, lambda _: names <= {path.name for path in tmp_path.iterdir()})
    assert colored_pixels(tmp_path / "tracks.png", FIRST_COLOR) > 1000
    assert "<svg" in (tmp_path / "tracks.svg").read_text()


def test_a_wide_window_is_computed_when_asked_for(opened):
    driver, _ = opened
    add(driver, "MAX", "HepG2")
    search = "page.browser.search('chr20').then(arguments[0])"
    driver.execute_async_script(search)
    wait_for(driver, lambda d: "% is computed" in told(d))
    by(driver, "#compute").click()
    wait_for(driver, lambda d: told(d) == "", 60)
    drawn = json.loads(
        driver.execute_async_script(FEATURES, "MAX HepG2", 0, 63_000_000)
    )
    known = bundled_region()
    assert min(f["start"] for f in drawn) == known.start - 50
    assert max(f["end"] for f in drawn) == known.end + 50


def test_all_tfs_of_a_cell_line_are_ranked(opened, live):
    driver, client = opened
    type_into(driver, "#rank-name", "k562")
    by(driver, "#rank button").click()
    rows = wait_for(
        driver, lambda d: d.find_elements("css selector", "#ranked tbody tr")
    )
    _, found = client.json(
        "/api/rank", cell="K562", chrom="chr20", start=VIEW.start, end=VIEW.end
    )
    assert len(rows) == len(found["pairs"]) == len(live.model.tfs)
    first = found["pairs"][0]
    cells = rows[0].find_elements("css selector", "td")
    assert [cell.text for cell in cells[:4]] == [
        *(first["tf"], f"{first['probability']:.3f}", "peak", "bound"),
    ]
    assert f"{found['n_peaks']} of {len(rows)} TFs" in by(driver, "#rank-note").text
    button = rows[2].find_element("css selector", "button")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    wait_for(driver, lambda _: button.get_attribute("aria-pressed") == "true")
    assert f"{button.text} K562" in by(driver, "#chosen").text
    wait_for(driver, lambda d: "rank=cell:K562" in d.current_url)
    button.click()
    wait_for(driver, lambda d: not d.find_elements("css selector", "#chosen li"))
    search(driver, "chr20:48,780,001-48,980,000")
    wait_for(driver, lambda d: "Zoom in to rank: 200 kb" in by(d, "#rank-note").text)
    search(driver, "CEBPB")
    wait_for(driver, lambda d: "48,802,376" in by(d, "#rank-note").text)
    by(driver, "#rank-by option[value=tf]").click()
    type_into(driver, "#rank-name", "CTFC")
    by(driver, "#rank button").click()
    wait_for(driver, lambda d: "did you mean CTCF" in by(d, "#rank-note").text)
    type_into(driver, "#rank-name", "CTCF")
    by(driver, "#rank button").click()
    n_cells = len(live.model.cells)
    wait_for(driver, lambda d: f"of {n_cells} cell lines" in by(d, "#rank-note").text)


def test_measured_peaks_are_a_track(opened):
    driver, _ = opened
    add(driver, "CTCF", "K562")
    add(driver, "GATA1", "NB4")
    names = "return page.browser.trackViews.map(view => view.track.name)"
    shown = driver.execute_script(names)
    assert "CTCF K562 measured" in shown
    assert "GATA1 NB4 measured" not in shown
    drawn = json.loads(
        driver.execute_async_script(
            FEATURES, "CTCF K562 measured", VIEW.start, VIEW.end
        )
    )
    pair = Pair("CTCF", "K562")
    expected = measured_peaks(open_shipped(), pair, VIEW)
    assert [f["start"] for f in drawn] == expected.start.tolist()
    by(driver, "#chosen li button").click()
    wait_for(driver, lambda d: "CTCF K562 measured" not in d.execute_script(names))


def test_wrong_positions_are_explained(opened):
    driver, _ = opened
    for text, expected in (
        ("CEBPX", "did you mean CEBPB?"),
        ("", "No position was typed"),
        ("chr20:1-99,999,999", "ends outside of chr20, which has 63,025,520 bp"),
        ("chr21", "chr21"),
    ):
        search(driver, text)
        wait_for(driver, lambda d, expected=expected: expected in told(d))
        assert by(driver, "#message-text").get_attribute("role") == "alert"
        by(driver, "#dismiss").click()
        assert not by(driver, "#message").is_displayed()
    search(driver, "nonsense")
    wait_for(driver, lambda d: "nonsense" in told(d))
    search(driver, "chr20:48,800,000")
    wait_for(driver, lambda d: "locus=chr20:48799500-48800500" in d.current_url)
    assert told(driver) == ""


def test_evidence_is_seen_at_a_glance(opened):
    driver, _ = opened
    badge = by(driver, "#evidence summary")
    assert badge.text == "Evidence: encode-hg19 (hg19)"
    assert not by(driver, "#evidence-text").is_displayed()
    badge.send_keys("\n")
    text = by(driver, "#evidence-text").text
    assert "548 measured tracks" in text
    assert "From sequence only: AUROC 0.88" in text
    badge.send_keys(Keys.ESCAPE)
    assert not by(driver, "#evidence-text").is_displayed()


def test_sequence_only_is_seen_at_a_glance(live, serving, tmp_path):
    sequence = LiveScores(live.model.sequence_only, live.genome)
    measured = MeasuredTracks(open_shipped(), load_modes("default"))
    session = Session(sequence, VIEW, None, measured)
    with serving(session) as client, open_chromium(tmp_path) as driver:
        driver.get(client.address)
        wait_for(driver, is_ready)
        badge = by(driver, "#evidence")
        assert badge.text == "Sequence only"
        assert badge.get_attribute("data-state") == "off"
        add(driver, "CTCF", "K562")  # measured peaks are shown all the same
        names = "return page.browser.trackViews.map(view => view.track.name)"
        assert "CTCF K562 measured" in driver.execute_script(names)


def test_the_keyboard_moves_and_zooms(opened):
    driver, _ = opened
    tracks = by(driver, "#igv")
    driver.execute_script("arguments[0].focus()", tracks)
    for key, locus in (
        (Keys.ARROW_RIGHT, "chr20:48795001-48855000"),
        ("+", "chr20:48810001-48840000"),
        ("-", "chr20:48795001-48855000"),
        (Keys.ARROW_LEFT, "chr20:48780001-48840000"),
    ):
        driver.switch_to.active_element.send_keys(key)
        wait_for(driver, lambda d, locus=locus: f"locus={locus}" in d.current_url)


def test_the_focus_stays_where_the_keyboard_was(opened):
    driver, _ = opened
    # In one step: the table may be drawn anew between two.
    active = "return document.activeElement.innerText"
    add(driver, "CTCF", "K562")
    add(driver, "MAX", "HepG2")
    place = wait_for(
        driver, lambda d: d.find_elements("css selector", "#peaks tbody button")
    )[0]
    text = place.text
    place.send_keys(Keys.ENTER)
    wait_for(driver, lambda d: d.execute_script(active) == text)
    wait_for(
        driver, lambda d: f"locus={VIEW.chrom}:{VIEW.start + 1}-" not in d.current_url
    )
    wait_for(driver, lambda d: d.execute_script(active) == text)
    for left in ("Remove MAX HepG2", "TF"):
        by(driver, "#chosen li:first-child button").send_keys(Keys.ENTER)
        is_left = f"return (document.activeElement.ariaLabel || 'TF') === '{left}'"
        wait_for(driver, lambda d, is_left=is_left: d.execute_script(is_left))
    assert driver.execute_script("return document.activeElement.id") == "tf"


# In one step: the table may be drawn anew between two.
HEIGHTS_OF_ROWS = """
const rows = document.querySelectorAll("#ranked tbody tr");
return [...rows].map((row) => row.getBoundingClientRect().height);
"""
# What the selector that saves needs for the word that it shows, and what it has.
WIDTHS_OF_SAVE = """
const save = document.getElementById("save"), alone = save.cloneNode();
alone.removeAttribute("id");
alone.append(save.options[0].cloneNode(true));
save.after(alone);
const widths = [alone.offsetWidth, save.offsetWidth];
alone.remove();
return widths;
"""


def test_controls_have_names_and_text_has_contrast(opened):
    driver, _ = opened
    add(driver, "CTCF", "K562")
    type_into(driver, "#rank-name", "K562")
    by(driver, "#rank button").click()
    wait_for(driver, lambda d: d.find_elements("css selector", "#ranked tbody tr"))
    for scheme in ("light", "dark"):
        look(driver, scheme=scheme)
        assert faults(driver) == []
    for width in (400, 700, 1400):
        look(driver, width, 800)
        heights = driver.execute_script(HEIGHTS_OF_ROWS)
        assert len(heights) > 5
        assert all(heights[:5])
        wait_to_fit(driver)
        wait_for(driver, is_zoom_shown, 5)
    look(driver, 1280, 800)
    assert by(driver, "header").size["height"] < 60  # one line
    needed, there = driver.execute_script(WIDTHS_OF_SAVE)
    assert needed <= there
