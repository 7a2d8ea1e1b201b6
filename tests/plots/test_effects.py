"""The heatmap of the effects of a variant on TFs and cell lines."""

import numpy as np
import pytest

from tfimpute_tracks.plots.effects import effect_heatmap
from tfimpute_tracks.plots.style import save_figure

TFS = [f"TF{i}" for i in range(60)]
CELLS = [f"cell{i}" for i in range(7)]


def _labels(figure):
    axes = figure.axes[0]
    rows = [text.get_text() for text in axes.get_yticklabels()]
    return rows, [text.get_text() for text in axes.get_xticklabels()]


def test_rows_that_change_most_are_drawn_and_similar_ones_are_neighbors(rng):
    deltas = rng.normal(0, 0.01, (60, 7))
    strong = [5, 20, 50]
    deltas[strong] = [0.5, 0.1, -0.2, 0.3, 0.0, 0.2, 0.4]
    deltas[20] *= -1
    is_trained = np.zeros((60, 7), dtype=bool)
    is_trained[5, 2] = is_trained[5, 4] = True
    auroc = np.full((60, 7), 0.9, np.float32)
    figure = effect_heatmap(deltas, TFS, CELLS, is_trained, "chr1:5 A>G", auroc)
    rows, columns = _labels(figure)
    assert len(rows) == 45
    assert {"TF5 (2)", "TF20 (0)", "TF50 (0)"} <= set(rows)
    assert sorted(columns) == CELLS
    # Rows that are the same stand together.
    assert abs(rows.index("TF5 (2)") - rows.index("TF50 (0)")) == 1
    image = figure.axes[0].images[0].get_array()
    at = rows.index("TF5 (2)"), columns.index("cell0")
    assert image[at] == 0.5
    dots = np.concatenate([line.get_xydata() for line in figure.axes[0].lines])
    row = rows.index("TF5 (2)")
    expected = {(columns.index(cell), row) for cell in ("cell2", "cell4")}
    assert {(x, y) for x, y in dots.tolist()} == expected
    assert "chr1:5 A>G" in figure.get_label()


def test_few_pairs_and_none_that_changes_are_drawn():
    deltas = np.array([[0.0, np.nan]])
    known = np.full((1, 2), 0.9)
    figure = effect_heatmap(
        deltas, ["MAX"], CELLS[:2], np.zeros((1, 2), bool), "x", known
    )
    assert _labels(figure) == (["MAX (0)"], CELLS[:2])
    low, high = figure.axes[0].images[0].get_clim()
    assert (low, high) == (-0.005, 0.005)
    width = figure.axes[0].get_position().width * figure.get_figwidth() * 25.4
    assert width == pytest.approx(2 * 8)  # mm: cells are not stretched


def test_pairs_with_a_low_expected_auroc_are_crossed_out(rng):
    deltas = rng.normal(size=(3, 4))
    auroc = np.array(
        [[0.79, 0.8, np.nan, 0.5], [0.9] * 4, [0.9, 0.9, 0.9, 0.1]], np.float32
    )
    deltas[2, 3] = np.nan  # not scored
    none = np.zeros((3, 4), bool)
    figure = effect_heatmap(deltas, TFS[:3], CELLS[:4], none, "x", auroc)
    (patch,) = figure.axes[0].patches
    strokes = patch.get_path().vertices.reshape(-1, 2, 2).mean(axis=1)
    rows, columns = _labels(figure)
    told = {(rows[round(y)], columns[round(x)]) for x, y in strokes.tolist()}
    assert told == {("TF0 (0)", "cell0"), ("TF0 (0)", "cell3")}
    assert "below 0.8" in figure.get_label()


def test_a_title_is_not_parsed_as_a_formula(tmp_path):
    known = np.full((1, 2), 0.9)
    title = r"$\frac{a$, <b>:5 A>G"
    figure = effect_heatmap(
        np.zeros((1, 2)), ["MAX"], CELLS[:2], np.zeros((1, 2), bool), title, known
    )
    save_figure(figure, tmp_path / "a.svg", title)
    text = (tmp_path / "a.svg").read_text()
    assert r"$\frac{a$, &lt;b&gt;:5 A&gt;G" in text
    assert "<b>" not in text
