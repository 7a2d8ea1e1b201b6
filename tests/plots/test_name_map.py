"""Names on a plane."""

import numpy as np

from tfimpute_tracks.plots.name_map import map_of


def test_names_stand_at_their_places_in_the_colours_of_groups(rng):
    names = list("abcdef")
    groups = ["x", "x", "y", "y", "z", None]
    places = rng.normal(size=(6, 2))
    figure = map_of(names, places, groups)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == names
    np.testing.assert_allclose([text.xy for text in axes.texts], places)
    colours = [text.get_color() for text in axes.texts]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    # A group of one is no group.
    assert colours[4] == colours[5]
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["x", "y", "others"]
    n_points = sum(len(points.get_offsets()) for points in axes.collections)
    assert n_points == 6
