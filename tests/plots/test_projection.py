"""Names on a plane."""

import numpy as np

from tfimpute_tracks.plots.projection import draw_projection


def test_names_stand_at_their_places_in_the_colors_of_groups(rng):
    names = list("abcdef")
    groups = ["x", "x", "y", "y", "z", None]
    places = rng.normal(size=(6, 2))
    figure = draw_projection(names, places, groups)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == names
    np.testing.assert_allclose([text.xy for text in axes.texts], places)
    colors = [text.get_color() for text in axes.texts]
    assert colors[0] == colors[1] != colors[2] == colors[3]
    # A group of one is no group.
    assert colors[4] == colors[5]
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["x", "y", "others"]
    n_points = sum(len(points.get_offsets()) for points in axes.collections)
    assert n_points == 6
