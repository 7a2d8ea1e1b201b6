"""The scale of a heatmap has room for its numbers and its label, whatever the values."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from tfimpute_tracks.genome import Region
from tfimpute_tracks.plots.effects import effect_heatmap
from tfimpute_tracks.plots.mutagenesis import mutagenesis_figure


def _assert_label_is_inside(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (bar,) = (a for a in figure.axes if a.get_ylabel().startswith("Change in"))
    label = bar.yaxis.label.get_window_extent(canvas.get_renderer())
    assert figure.bbox.x0 < label.x0
    assert label.x1 < figure.bbox.x1


@pytest.mark.parametrize(
    ("span", "n_tfs"),
    [(0.001, 1), (0.0074, 45), (0.17, 45)],  # the second has the longest: -0.0075
)
def test_effects(span, n_tfs):
    deltas = np.linspace(-span, span, 3 * n_tfs).reshape(n_tfs, 3)
    tfs = [f"TF{i}" for i in range(n_tfs)]
    none = np.zeros((n_tfs, 3), dtype=bool)
    auroc = np.full((n_tfs, 3), 0.9, np.float32)
    _assert_label_is_inside(effect_heatmap(deltas, tfs, list("abc"), none, "x", auroc))


@pytest.mark.parametrize(("span", "n"), [(0.01, 100), (12.0, 1)])
def test_mutagenesis(span, n):
    changes = np.full((n, 4), -span)
    codes = np.zeros(n, dtype=np.uint8)
    changes[:, 0] = 0
    region = Region("chr1", 0, n)
    _assert_label_is_inside(mutagenesis_figure(changes, codes, region, "x"))
