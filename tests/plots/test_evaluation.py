"""Pictures of figures: every pair is there, and counts are right."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_hex

from tfimpute_tracks.plots.evaluation import (
    fdr_recall_bars,
    metric_by_tf,
    metric_scatter,
    predictor_boxes,
)
from tfimpute_tracks.plots.style import COLOR_OF, PALETTE


def _texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def _dots(axes, color=None):
    """Give the markers of an axes: x, y of each."""
    lines = [line for line in axes.lines if line.get_marker() not in (None, "None", "")]
    if color:
        lines = [line for line in lines if to_hex(line.get_color()) == color.lower()]
    points = [np.stack(line.get_data(), axis=1) for line in lines]
    return np.concatenate([*points, np.empty((0, 2))])


def test_pairs_lie_where_their_figures_say(rng):
    ours, other = rng.random(20), rng.random(20)
    ours[3], other[4], ours[5] = np.nan, np.nan, other[5]
    kinds = ["measured", "imputed"] * 10
    figure = metric_scatter(ours, other, ("this", "that"), kinds)
    known = ~np.isnan(ours + other)
    (axes,) = figure.axes
    expected = np.stack([other, ours], axis=1)[known]
    found = _dots(axes)
    assert sorted(map(tuple, found)) == sorted(map(tuple, expected))
    imputed = known & (np.array(kinds) == "imputed")
    assert len(_dots(axes, COLOR_OF["imputed"])) == imputed.sum()
    above = (ours[known] > other[known]).sum()
    below = (ours[known] < other[known]).sum()
    assert above + below == 17
    assert _texts(figure) == [f"{above} above", f"{below} below"]
    assert axes.get_xlim() == axes.get_ylim()
    assert axes.get_xlim()[0] <= expected.min()
    assert "that" in axes.get_xlabel()
    assert "this" in axes.get_ylabel()
    assert "2 pairs without both" in figure.get_label()
    diagonal = axes.lines[0].get_data()
    assert np.array_equal(*diagonal)


def test_the_legend_counts_the_kinds():
    values = np.array([0.7, 0.8, 0.9])
    figure = metric_scatter(
        values, values, ("a", "b"), ["measured", "measured", "imputed"]
    )
    legend = figure.axes[0].get_legend()
    assert [t.get_text() for t in legend.get_texts()] == ["measured (2)", "imputed (1)"]
    assert metric_scatter(values, values, ("a", "b")).axes[0].get_legend() is None


def test_tfs_are_sorted_and_all_are_named(rng):
    tfs = [f"TF{i % 130}" for i in range(300)]
    values = rng.random(300)
    values[0] = np.nan
    figure = metric_by_tf(tfs, values)
    assert len(figure.axes) == 3
    named = [t.get_text() for axes in figure.axes for t in axes.get_xticklabels()]
    means = [np.nanmean(values[[tf == name for tf in tfs]]) for name in named]
    assert sorted(named) == sorted(set(tfs))
    assert means == sorted(means, reverse=True)
    heights = np.concatenate([_dots(axes)[:, 1] for axes in figure.axes])
    assert sorted(heights) == sorted(values[1:])
    assert "1 pair without a value" in figure.get_label()


def test_dots_stand_over_the_name_of_their_tf():
    tfs, values = ["A", "B", "A", "C"], np.array([0.9, 0.5, 0.7, 0.95])
    figure = metric_by_tf(tfs, values, ["measured", "imputed", "measured", "measured"])
    (axes,) = figure.axes
    assert [t.get_text() for t in axes.get_xticklabels()] == ["C", "A", "B"]
    places = {round(y, 6): round(x) for x, y in _dots(axes)}
    assert places == {0.95: 0, 0.9: 1, 0.7: 1, 0.5: 2}
    assert len(_dots(axes, COLOR_OF["imputed"])) == 1
    assert (0, 0.95) in set(map(tuple, _dots(axes)))  # alone, so in the middle


def test_tf_rows_do_not_lie_on_each_other(rng):
    names = [f"LONGNAME{i}" for i in range(160)]
    figure = metric_by_tf(names, rng.random(160))
    boxes = [axes.get_tightbbox(figure.canvas.get_renderer()) for axes in figure.axes]
    assert all(a.y0 >= b.y1 for a, b in pairwise(boxes))
    size = figure.bbox
    assert all(0 <= box.x0 < box.x1 <= size.x1 and box.y0 >= 0 for box in boxes)


def test_bars_are_means_and_lines_the_middle_half(rng):
    levels = [0.1, 0.5]
    recalls = {"a": rng.random((9, 2)), "b": rng.random((7, 2))}
    recalls["b"][2] = np.nan
    figure = fdr_recall_bars(levels, recalls)
    (axes,) = figure.axes
    for name, bars, color in zip("ab", axes.containers, PALETTE, strict=False):
        known = recalls[name][~np.isnan(recalls[name]).any(axis=1)]
        heights = [bar.get_height() for bar in bars]
        np.testing.assert_allclose(heights, known.mean(axis=0))
        assert to_hex(bars[0].get_facecolor()) == color.lower()
    ends = axes.collections[0].get_segments()
    np.testing.assert_allclose(
        [end[:, 1] for end in ends], np.quantile(recalls["a"], [0.25, 0.75], axis=0).T
    )
    words = [t.get_text() for t in axes.get_legend().get_texts()]
    assert words == ["a (9 pairs)", "b (6 pairs)"]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["10%", "50%"]


def test_boxes_hold_the_middle_half_and_dots_every_pair(rng):
    values = {
        "one": rng.random(30),
        "another one": rng.random(12),
        "none": np.array([np.nan]),
    }
    values["one"][4] = np.nan
    figure = predictor_boxes(values)
    (axes,) = figure.axes
    assert [t.get_text() for t in axes.get_yticklabels()] == [
        "one (29)",
        "another one (12)",
        "none (0)",
    ]
    for row, (name, bars) in enumerate(zip(values, axes.containers, strict=False)):
        known = values[name][~np.isnan(values[name])]
        first, third = np.quantile(known, [0.25, 0.75])
        assert bars[0].get_x() == pytest.approx(first)
        assert bars[0].get_width() == pytest.approx(third - first)
        dots = [x for x, y in _dots(axes) if round(y) == row]
        assert sorted(dots) == sorted(known)
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first stands on top


@pytest.mark.parametrize(
    "draw",
    [
        lambda: metric_scatter(
            np.array([np.nan]), np.array([0.5]), ("a", "b"), ["measured"]
        ),
        lambda: metric_by_tf(["A"], np.array([np.nan])),
        lambda: fdr_recall_bars([0.1], {"a": np.array([[np.nan]])}),
        lambda: predictor_boxes({"a": np.array([np.nan])}),
        lambda: predictor_boxes({}),
    ],
)
def test_nothing_to_draw_is_no_error(draw):
    figure = draw()
    figure.canvas.draw()
    assert figure.get_label()
    assert sum(len(_dots(axes)) for axes in figure.axes) == 0
