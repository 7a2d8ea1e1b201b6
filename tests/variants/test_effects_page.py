"""The picture and the page of an allele: what they hold, and the page in use."""

import base64
import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from chromium import complaints, open_chromium, wait_for, wait_to_fit
from tfimpute_tracks.interpret.tf_families import family_of
from tfimpute_tracks.models import load_model
from tfimpute_tracks.variants.heatmaps import draw_heatmap
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.vocabulary import Pair

VARIANT = Variant("<b>/1", 99, "G", "T")
NAME = "</script><script>document.title='taken'</script>$rs{{view}}"


def _view(page):
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="view">(.*?)</script>', text, re.DOTALL)[1])


def _grid(view, name, kind="<f4"):
    numbers = np.frombuffer(base64.b64decode(view[name]), kind)
    return numbers.reshape(len(view["tfs"]), len(view["cells"]))


def _values(page, model):
    """Give what the page holds of each pair."""
    view = _view(page)
    grids = [_grid(view, name) for name in ("ref", "alt", "auroc")]
    grids.append(_grid(view, "measured", "u1"))
    return {
        Pair(tf, cell): [grid[i, j] for grid in grids]
        for i, tf in enumerate(view["tfs"])
        for j, cell in enumerate(view["cells"])
    }


def _score(pairs, rng):
    ref, alt = rng.random((2, len(pairs))).astype(np.float32)
    return ref, alt


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Every pair of a shipped model."""
    model, rng = load_model("default"), np.random.default_rng(3)
    pairs = list(model.vocabulary.all_pairs())
    best = _score(pairs, rng)
    stem = tmp_path_factory.mktemp("maps") / "v"
    files = draw_heatmap(model, pairs, VARIANT, best, stem, NAME)
    return model, pairs, best, files


def test_the_page_holds_every_pair(whole):
    model, pairs, best, (picture, page) = whole
    assert picture.name == "v.<b>_1-100-G-T.svg"
    assert page.name == "v.<b>_1-100-G-T.html"
    assert page.stat().st_size < 1_000_000
    values = _values(page, model)
    assert len(values) == len(pairs) == 15_015
    for pair, ref, alt in zip(pairs, *best, strict=True):
        own_ref, own_alt, auroc, seen = values[pair]
        assert (own_ref, own_alt) == (ref, alt)
        assert auroc == pytest.approx(model.expected(pair), abs=1e-6)
        assert bool(seen) == (model.status(pair) == "measured")
    view = _view(page)
    assert view["families"] == [family_of(tf) for tf in view["tfs"]]
    for order, names in (("rowOrder", "tfs"), ("columnOrder", "cells")):
        assert sorted(view[order]) == list(range(len(view[names])))


def test_names_of_the_vcf_are_text(whole):
    *_, (picture, page) = whole
    text = page.read_text(encoding="utf-8")
    assert "&lt;/script&gt;&lt;script&gt;document.title" in text
    assert "<script>document" not in text
    assert "<b>/1" not in text
    assert text.count("</script>") == 2
    assert "$rs{{view}}" in text  # what is put in is not filled in again
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert "http" not in text
    ET.parse(picture)  # well-formed
    assert "<script" not in picture.read_text(encoding="utf-8")


def test_pairs_that_were_not_asked_for_are_missing(toy, tmp_path, rng):
    pairs = [Pair("CTCF", "K562"), Pair("MAX", "HepG2"), Pair("MAX", "K562")]
    best = _score(pairs, rng)
    variant = Variant("chr1", 5, "A", "C")
    _, page = draw_heatmap(toy[0], pairs, variant, best, tmp_path / "v")
    values = _values(page, toy[0])
    assert set(values) == {*pairs, Pair("CTCF", "HepG2")}
    assert np.isnan(values[Pair("CTCF", "HepG2")][:2]).all()
    assert values[pairs[1]][1] == best[1][1]
    assert np.isnan(values[pairs[0]][2])  # a model without a card
    assert "<h1>Effects of chr1:6 A&gt;C</h1>" in page.read_text()


@pytest.mark.parametrize("n", [1, 2])
def test_one_pair_has_a_map(toy, tmp_path, rng, n):
    pairs = [Pair("CTCF", "K562"), Pair("MAX", "K562")][:n]
    variant = Variant("chr1", 5, "A", "C")
    files = draw_heatmap(
        toy[0], pairs, variant, _score(pairs, rng), tmp_path / "v", "."
    )
    assert all(file.is_file() for file in files)


@pytest.fixture
def opened(whole, tmp_path):
    *_, (_, page) = whole
    with open_chromium(tmp_path, (1300, 1000)) as driver:
        driver.get(page.as_uri())
        wait_for(
            driver, lambda d: d.execute_script("return document.body.dataset.ready")
        )
        yield driver


def _by(driver, selector):
    return driver.find_element("css selector", selector)


def _choose(driver, selector, value):
    _by(driver, f"{selector} option[value={value}]").click()


def _shown(driver):
    """Give the names of rows and columns as they stand."""
    return driver.execute_script(
        "return [rows.map(i => view.tfs[i]), columns.map(i => view.cells[i])]"
    )


def _point_at(driver, row, column):
    """Move the mouse over a cell, and give what is told of it."""
    from selenium.webdriver import ActionChains

    x, y = driver.execute_script(
        "const [row, column] = arguments;"
        "document.getElementById('heatmap').scrollTo(0, 0); window.scrollTo(0, 0);"
        "const box = document.getElementById('cells').getBoundingClientRect();"
        "return [box.left + (column + .5) * size.w, box.top + (row + .5) * size.h]",
        row,
        column,
    )
    actions = ActionChains(driver)
    actions.w3c_actions.pointer_action.move_to_location(int(x), int(y))
    actions.perform()
    return _by(driver, "#tip").text.splitlines()


def _signed(value):
    return f"{'−' if value < 0 else '+'}{abs(value):.4f}"


@pytest.mark.browser
def test_a_pair_is_shown_where_one_points(whole, opened):
    model, pairs, best, _ = whole
    rows, columns = _shown(opened)
    for row, column in ((0, 0), (7, 30), (25, 90)):
        pair = Pair(rows[row], columns[column])
        ref, alt = (side[pairs.index(pair)] for side in best)
        word = model.status(pair)
        told = _point_at(opened, row, column)
        assert told == [
            f"{pair.tf} in {pair.cell}",
            family_of(pair.tf),
            f"p, reference {ref:.4f}",
            f"p, alternate {alt:.4f}",
            f"change {_signed(alt - ref)}",
            f"{word}, expected AUROC {model.expected(pair):.3f}",
        ]
    assert _by(opened, "#status").text.startswith(told[0])
    assert opened.title != "taken"
    assert complaints(opened) == []


@pytest.mark.browser
def test_colors_are_those_of_the_changes(whole, opened):
    model, pairs, best, _ = whole
    rows, columns = _shown(opened)
    delta = dict(zip(pairs, best[1] - best[0], strict=True))
    for row in range(0, len(rows), 17):
        for column in range(0, len(columns), 13):
            pixel = opened.execute_script(
                "const [row, column] = arguments, k = devicePixelRatio;"
                "return Array.from(document.getElementById('cells').getContext('2d')"
                ".getImageData((column * size.w + 1) * k, (row * size.h + 1) * k, 1, 1)"
                ".data)",
                row,
                column,
            )
            pair = Pair(rows[row], columns[column])
            if abs(delta[pair]) > 0.2:
                is_red = pixel[0] > pixel[2]
                assert is_red == (delta[pair] > 0), (pair, pixel)
            if model.expected(pair) < 0.8:
                assert min(pixel[:3]) >= 160  # pale


@pytest.mark.browser
def test_rows_are_sorted_searched_and_held_against_the_line(whole, opened):
    model, pairs, best, _ = whole
    change = dict(zip(pairs, abs(best[1] - best[0]), strict=True))

    def largest(tf, least):
        return max(
            (
                change[Pair(tf, cell)]
                for cell in model.cells
                if model.expected(Pair(tf, cell)) >= least
            ),
            default=0,
        )

    _choose(opened, "#row-order", "name")
    rows, _ = _shown(opened)
    assert [row.lower() for row in rows[:2]] == sorted(map(str.lower, model.tfs))[:2]
    _choose(opened, "#row-order", "family")
    rows, _ = _shown(opened)
    families = [family_of(row) for row in rows]
    assert families == sorted(families, key=str.lower)
    _choose(opened, "#row-order", "change")
    rows, _ = _shown(opened)
    most = [largest(row, 0.8) for row in rows]
    assert most == sorted(most, reverse=True)
    opened.execute_script(
        "const least = document.getElementById('min-auroc');"
        "least.value = 0.93; least.dispatchEvent(new Event('input'))"
    )
    rows, _ = _shown(opened)
    most = [largest(row, 0.93) for row in rows]
    assert most == sorted(most, reverse=True)
    kept = [pair for pair in pairs if model.expected(pair) >= 0.93]
    assert f"of {len(kept):,} pairs" in _by(opened, "#table-note").text
    first = _by(opened, "#largest tbody tr").text
    best_pair = max(kept, key=change.get)
    assert first.startswith(best_pair.tf)
    assert best_pair.cell in first
    _choose(opened, "#status-filter", "measured")
    kept = [pair for pair in kept if model.status(pair) == "measured"]
    assert f"of {len(kept):,} pairs" in _by(opened, "#table-note").text
    _by(opened, "#find").send_keys("cebp")
    rows, _ = _shown(opened)
    assert sorted(rows) == sorted(tf for tf in model.tfs if "CEBP" in tf)
    _by(opened, "#find").send_keys("?")
    assert _shown(opened)[0] == []
    assert complaints(opened) == []


@pytest.mark.browser
def test_it_is_walked_by_arrow_keys_and_fits_a_narrow_window(opened):
    opened.set_window_size(500, 900)
    wait_to_fit(opened)
    rows, columns = _shown(opened)
    cells = _by(opened, "#cells")
    cells.send_keys("\ue015")  # down
    assert _by(opened, "#status").text.startswith(f"{rows[0]} in {columns[0]}:")
    cells.send_keys("\ue015\ue014\ue014\ue013")  # down, right, right, up
    assert _by(opened, "#status").text.startswith(f"{rows[0]} in {columns[2]}:")
    cells.send_keys("\ue00c")  # escape
    assert "Point at a pair" in _by(opened, "#status").text
