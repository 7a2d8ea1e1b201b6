"""Summaries show every number they are given, and stand in one page."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from tfimpute_tracks.plots import summary
from tfimpute_tracks.plots.style import COLOR_OF

EDGES = np.linspace(0, 1, 11)


@pytest.fixture
def pictures(rng):
    names = [f"TF{i} cell {i}" for i in range(14)]
    kinds = ["measured", "imputed"] * 7
    counts = [rng.integers(0, 900, 10) for _ in names]
    peaks = rng.integers(0, 50, (14, 2))
    return [
        summary.score_distribution(names[:12], EDGES, counts[:12], [0.9] * 12),
        summary.peaks_per_chromosome(["chr1", "chr2"], np.ones(2), peaks, names),
        summary.peaks_by_status(rng.random(14) * 30, kinds),
        summary.expected_accuracy(names, [0.7] * 14, kinds),
    ]


def _texts(picture):
    return re.findall(r"<text[^>]*>([^<]*)</text>", picture)


def _dots(picture, color):
    """Give x and y of each marker of a color; legends have them, too."""
    uses = re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)" style="([^"]*)"', picture)
    return [(float(x), float(y)) for x, y, style in uses if color.lower() in style]


def test_each_is_named_for_those_who_cannot_see_it(pictures):
    for picture in pictures:
        tree = ET.fromstring(picture)
        assert tree.get("role") == "img"
        title, desc, *_ = (element.text for element in tree)
        assert title
        assert desc


def test_all_stand_in_one_page(pictures):
    ids = [name for p in pictures for name in re.findall(r' id="([^"]+)"', p)]
    assert len(ids) == len(set(ids))
    assert all(ref in ids for p in pictures for ref in re.findall(r'"#([^"]+)"', p))


def test_the_same_numbers_give_the_same_bytes():
    density = np.array([1.0, 20.0, 3.0])
    kinds = ["measured", "imputed", "measured"]
    first, second = (summary.peaks_by_status(density, kinds) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("n_pairs", [1, 3, 12])
def test_scores_have_a_figure_per_pair(n_pairs):
    names = [f"TF{i}" for i in range(n_pairs)]
    counts = [np.zeros(10, dtype=np.int64)] * n_pairs
    texts = _texts(summary.score_distribution(names, EDGES, counts, [0.5] * n_pairs))
    assert all(texts.count(name) == 1 for name in names)
    assert "Probability" in texts


def test_long_names_of_chromosomes_are_turned():
    def turned(chroms):
        n = len(chroms)
        peaks = np.ones((2, n), dtype=np.int64)
        picture = summary.peaks_per_chromosome(chroms, np.ones(n), peaks, ["a", "b"])
        labels = re.findall(r"<text[^>]*>chr[^<]*</text>", picture)
        assert len(labels) == n
        return all("rotate(-90" in label for label in labels)

    assert not turned(["chr1", "chr2"])
    assert turned([f"chr{i}_gl000220_random" for i in range(6)])
    assert turned([f"chr{i}" for i in range(24)])


def test_of_many_chromosomes_the_largest_are_drawn():
    known = np.ones(60)
    known[[3, 59]] = 100
    chroms = [f"chr{i}" for i in range(60)]
    peaks = np.ones((1, 60), dtype=np.int64)
    texts = _texts(summary.peaks_per_chromosome(chroms, known, peaks, ["a"]))
    shown = [text for text in texts if text.startswith("chr")]
    assert len(shown) == 40
    assert shown[3] == "chr3"
    assert shown[-1] == "chr59"
    assert "+20 shorter ones" in texts


def test_pairs_without_a_peak_are_drawn_too():
    picture = summary.peaks_by_status(np.array([0.0, 4.0, 9.0]), ["imputed"] * 3)
    dots = _dots(picture, COLOR_OF["imputed"])
    assert len(dots) == 3
    assert max(y for _, y in dots) == dots[0][1]  # y grows downwards
    assert "measured (0)" in _texts(picture)
    only = summary.peaks_by_status(np.zeros(1), ["imputed"])
    assert len(_dots(only, COLOR_OF["imputed"])) == 1


def test_accuracy_is_sorted_and_nobody_is_cut_off():
    aurocs = [0.9, 0.31, None, 1.0, 0.6]
    picture = summary.expected_accuracy(list("abcde"), aurocs, ["measured"] * 5)
    texts = _texts(picture)
    assert [text for text in texts if text in list("abcde")] == ["d", "a", "e", "b"]
    assert "unknown for 1 pair" in texts
    dots = _dots(picture, COLOR_OF["measured"])
    assert len(dots) == 5  # one is the legend's
    sides = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', picture)
    assert all(0 < x < float(sides[1]) for x, _ in dots)
    xs = [x for x, y in sorted(dots, key=lambda dot: dot[1])][1:]
    assert xs == sorted(xs, reverse=True)


@pytest.mark.parametrize(("n", "named"), [(0, True), (40, True), (41, False)])
def test_names_are_left_out_where_they_do_not_fit(n, named):
    names = [f"pair {i}" for i in range(n)]
    texts = _texts(summary.expected_accuracy(names, [0.7] * n, ["imputed"] * n))
    assert sum(text in names for text in texts) == (n if named else 0)
    assert (f"{n} pairs" in texts) == (not named)
