"""Pictures of elements by activity: what they show is what they were given."""

import numpy as np
import pytest

from tfimpute_tracks.plots.enhancers import (
    Association,
    CellExtremes,
    association_figure,
    extremes_figure,
)
from tfimpute_tracks.plots.style import VERMILLION, save_figure


def _texts(axes):
    return [text.get_text() for text in axes.texts]


def test_ends_are_drawn_in_standard_deviations(rng, tmp_path):
    ends = [
        CellExtremes(
            "K562", rng.normal(0, 5, 30), rng.normal(9, 5, 30), 3.2e-9, 0.0123
        ),
        CellExtremes("HepG2", rng.normal(0, 1, 30), rng.normal(0, 1, 30), 0.5, np.nan),
    ]
    figure = extremes_figure(ends, "toy, model x")
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert names == ["K562\nmatched", "HepG2\ncontrol"]
    assert _texts(axes) == [
        "t test p = 3×10⁻⁹\nU test p = 0.012",
        "t test p = 0.5\nU test p unknown",
    ]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    for end, pair in zip(ends, (dots[:2], dots[2:]), strict=True):
        both = np.concatenate([line.get_ydata() for line in pair])
        assert both.mean() == pytest.approx(0, abs=1e-9)
        assert both.std() == pytest.approx(1)
        raw = np.concatenate([end.bottom, end.top])
        assert np.corrcoef(both, raw)[0, 1] == pytest.approx(1)
    assert "30 least and the 30 most active" in figure.get_label()
    save_figure(figure, tmp_path / "a.svg", "a")
    svg = (tmp_path / "a.svg").read_text()
    assert "30 least active" in svg
    assert "two-sided" in svg


def test_cell_lines_stand_in_the_order_of_their_correlation(rng, tmp_path):
    cells = ["K562", "A", "B", "C"]
    rho = np.array([0.3, 0.5, np.nan, -0.1])
    r2 = rng.normal(size=(4, 3))
    first, activities = rng.normal(size=(2, 25))
    figure = association_figure(Association(cells, rho, r2, first, activities), "toy")
    scatter, curves, row = figure.axes
    np.testing.assert_array_equal(scatter.lines[0].get_xdata(), first)
    np.testing.assert_array_equal(scatter.lines[0].get_ydata(), activities)
    assert "25 elements, ρ = 0.30" in scatter.get_title("left")
    names = [label.get_text() for label in row.get_xticklabels()]
    assert names == ["A", "K562", "C", "B"]
    marked = [line for line in row.lines if line.get_color() == VERMILLION]
    assert [line.get_ydata()[0] for line in marked] == [0.3]
    by_label = {line.get_label(): line.get_ydata() for line in curves.lines}
    np.testing.assert_array_equal(by_label["K562"], r2[0])
    median = by_label["median of 3 other cell lines"]
    np.testing.assert_array_equal(median, np.median(r2[1:], axis=0))
    save_figure(figure, tmp_path / "a.svg", "a")


def test_no_controls_and_many_are_drawn(rng, tmp_path):
    for n in (1, 91):
        cells = [f"cell line {i}" for i in range(n)]
        numbers = rng.normal(size=n), rng.normal(size=(n, 40))
        figure = association_figure(
            Association(cells, *numbers, *rng.normal(size=(2, 9))), "toy"
        )
        save_figure(figure, tmp_path / f"{n}.png", "a")
        labels = figure.axes[2].get_xticklabels()
        assert len(labels) == n
        # Names do not lie over each other.
        figure.draw_without_rendering()
        boxes = sorted(label.get_window_extent().x0 for label in labels)
        width = max(label.get_window_extent().width for label in labels)
        assert n == 1 or min(np.diff(boxes)) > 0.9 * width
    ends = [CellExtremes("K562", np.zeros(3), np.zeros(3), np.nan, np.nan)]
    save_figure(extremes_figure(ends, "a"), tmp_path / "e.png", "a", "b")
