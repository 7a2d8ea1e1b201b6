"""Pages: whole, offline, and true to what was put in."""

from html.parser import HTMLParser

import numpy as np
import pytest

from tfimpute_tracks.comparison.report import ReportTable, Section, write_sections
from tfimpute_tracks.plots.style import new_figure, paper_style

VOID = {"meta", "link", "br", "img"}


class _Page(HTMLParser):
    """Collect elements, their attributes and their texts; refuse what does not nest."""

    def __init__(self):
        super().__init__()
        self.open, self.elements, self.cells, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


def _read(path):
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    assert page.open == []
    return page


def _figure(label):
    with paper_style():
        figure = new_figure(40, 30)
        axes = figure.add_axes((0.2, 0.2, 0.7, 0.7))
        axes.plot([0, 1], [0, 1])
        axes.set_xlabel("x < y")
    figure.set_label(label)
    return figure


@pytest.fixture
def page(tmp_path):
    table = ReportTable(
        ["name", "n", "share", "known"],
        [
            ["<b>&", 12345, 0.5, True],
            ["{{title}}", np.int64(2), np.nan, False],
            ["c", 3, None, np.bool_(True)],
        ],
        "a note < here",
    )
    sections = [
        Section("First & <last>", "One.\n\nTwo <i>.", [table], [_figure("a < b")]),
        Section("Second", figures=[_figure("c"), _figure("d")]),
        Section("Empty"),
    ]
    path = write_sections(
        tmp_path / "report.html", "T < 1", "lead & {{sections}}", sections
    )
    return _read(path)


def test_cells_are_shown_and_what_is_missing_is_a_dash(page):
    assert page.cells[:4] == ["name", "n", "share", "known"]
    assert page.cells[4:8] == ["<b>&", "12,345", "0.5000", "yes"]
    assert page.cells[8:12] == ["{{title}}", "2", "–", "no"]
    assert page.cells[12:] == ["c", "3", "–", "yes"]


def test_text_is_text(page):
    text = "".join(page.text)
    for told in ("T < 1", "First & <last>", "Two <i>.", "a note < here", "a < b"):
        assert told in text
    assert "lead & {{sections}}" in text
    assert not {"b", "i", "script"} & {tag for tag, _ in page.elements}
    assert sum(tag == "p" for tag, _ in page.elements) == 4


def test_it_needs_nothing_from_anywhere(page):
    for tag, attrs in page.elements:
        for name in ("src", "href", "xlink:href", "action", "srcset"):
            target = attrs.get(name, "")
            assert target.startswith(("#", "data:")) or not target, (tag, target)
        assert "url(http" not in attrs.get("style", "")
    assert sum(tag == "svg" for tag, _ in page.elements) == 3


def test_names_inside_are_unique_and_lead_somewhere(page):
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in page.elements:
        for name in ("href", "xlink:href"):
            if attrs.get(name, "").startswith("#"):
                assert attrs[name][1:] in ids


def test_figures_have_alternative_texts(page):
    pictures = [attrs for tag, attrs in page.elements if tag == "svg"]
    assert all(attrs["role"] == "img" for attrs in pictures)
    assert "".join(page.text).count("a < b") == 2  # in the picture, and beneath it


def test_a_row_that_does_not_fit_is_refused(tmp_path):
    section = Section("s", tables=[ReportTable(["a", "b"], [[1]])])
    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        write_sections(tmp_path / "report.html", "t", "l", [section])
    assert not (tmp_path / "report.html").exists()


def test_the_same_page_is_the_same_file(tmp_path):
    first, second = (
        write_sections(
            tmp_path / name, "t", "l", [Section("s", figures=[_figure("f")])]
        ).read_bytes()
        for name in ("a.html", "b.html")
    )
    assert first == second
