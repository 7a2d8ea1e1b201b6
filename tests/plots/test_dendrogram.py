"""Trees of names."""

import numpy as np

from tfimpute_tracks.plots.dendrogram import draw_dendrogram


def test_alike_names_meet_first(rng):
    places = np.array([0.0, 10.0, 0.1, 10.2, 5.0])
    distances = np.abs(places[:, None] - places)
    figure = draw_dendrogram(list("abcde"), distances, list("vwxyz"))
    axes = figure.axes[0]
    texts = [text.get_text() for text in axes.texts]
    names, words = texts[::2], texts[1::2]
    assert sorted(names) == list("abcde")
    assert words == ["vwxyz"["abcde".index(name)] for name in names]
    assert abs(names.index("a") - names.index("c")) == 1
    assert abs(names.index("b") - names.index("d")) == 1
    lines = axes.collections[0].get_segments()
    assert len(lines) == 4
    # The first two branches meet where their leaves are that far apart.
    first = min(lines, key=lambda line: line[:, 0].max())
    assert np.isclose(first[:, 0].max(), 0.1)
    rows = sorted({round(float(y), 3) for y in first[:, 1]})
    assert rows == sorted([names.index("a"), names.index("c")])


def test_two_names_make_a_tree():
    figure = draw_dendrogram(["a", "b"], np.array([[0, 1.0], [1.0, 0]]), [])
    assert [text.get_text() for text in figure.axes[0].texts] == ["a", "b"]
