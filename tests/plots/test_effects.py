"""The map of what a variant does to TFs and cell lines."""

import numpy as np

from tfimpute_tracks.plots.effects import effect_heatmap
from tfimpute_tracks.plots.style import save_figure

TFS = [f"TF{i}" for i in range(60)]
CELLS = [f"cell{i}" for i in range(7)]


def _labels(figure):
    axes = figure.axes[0]
    rows = [text.get_text() for text in axes.get_yticklabels()]
    return rows, [text.get_text() for text in axes.get_xticklabels()]


def test_rows_that_change_most_are_drawn_and_alike_ones_meet(rng):
    deltas = rng.normal(0, 0.01, (60, 7))
    strong = [5, 20, 50]
    deltas[strong] = [0.5, 0.1, -0.2, 0.3, 0.0, 0.2, 0.4]
    deltas[20] *= -1
    data_sets = np.zeros((60, 7), dtype=int)
    data_sets[5, 2], data_sets[5, 4] = 1, 2
    auroc = np.full((60, 7), 0.9, np.float32)
    figure = effect_heatmap(deltas, TFS, CELLS, data_sets, "chr1:5 A>G", auroc)
    rows, columns = _labels(figure)
    assert len(rows) == 45
    assert {"TF5 (3)", "TF20 (0)", "TF50 (0)"} <= set(rows)
    assert sorted(columns) == CELLS
    # Rows that are the same stand together.
    assert abs(rows.index("TF5 (3)") - rows.index("TF50 (0)")) == 1
    image = figure.axes[0].images[0].get_array()
    at = rows.index("TF5 (3)"), columns.index("cell0")
    assert image[at] == 0.5
    told = {(t.get_position(), t.get_text()) for t in figure.axes[0].texts}
    row = rows.index("TF5 (3)")
    assert told == {
        ((columns.index("cell2"), row), "1"),
        ((columns.index("cell4"), row), "2"),
    }
    assert "chr1:5 A>G" in figure.get_label()


def test_few_pairs_and_none_that_changes_are_drawn():
    deltas = np.array([[0.0, np.nan]])
    known = np.full((1, 2), 0.9)
    figure = effect_heatmap(deltas, ["MAX"], CELLS[:2], np.zeros((1, 2), int), "x", known)
    assert _labels(figure) == (["MAX (0)"], CELLS[:2])
    low, high = figure.axes[0].images[0].get_clim()
    assert (low, high) == (-0.02, 0.02)


def test_pairs_of_which_little_is_expected_are_crossed_out(rng):
    deltas = rng.normal(size=(3, 4))
    auroc = np.array(
        [[0.79, 0.8, np.nan, 0.5], [0.9] * 4, [0.9, 0.9, 0.9, 0.1]], np.float32
    )
    deltas[2, 3] = np.nan  # not asked for
    none = np.zeros((3, 4), int)
    figure = effect_heatmap(deltas, TFS[:3], CELLS[:4], none, "x", auroc)
    (patch,) = figure.axes[0].patches
    strokes = patch.get_path().vertices.reshape(-1, 2, 2).mean(axis=1)
    rows, columns = _labels(figure)
    told = {(rows[round(y)], columns[round(x)]) for x, y in strokes.tolist()}
    assert told == {("TF0 (0)", "cell0"), ("TF0 (0)", "cell3")}
    assert "below 0.8" in figure.get_label()


def test_a_title_is_no_formula(tmp_path):
    known = np.full((1, 2), 0.9)
    title = r"$\frac{a$, <b>:5 A>G"
    figure = effect_heatmap(
        np.zeros((1, 2)), ["MAX"], CELLS[:2], np.zeros((1, 2), int), title, known
    )
    save_figure(figure, tmp_path / "a.svg", title, str(figure.get_label()))
    text = (tmp_path / "a.svg").read_text()
    assert r"$\frac{a$, &lt;b&gt;:5 A&gt;G" in text
    assert "<b>" not in text
