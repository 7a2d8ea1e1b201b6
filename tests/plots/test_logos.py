"""Logos: letters as high as they are told to be."""

import numpy as np
import pytest

from tfimpute_tracks.plots.glyphs import draw_bases, draw_logo
from tfimpute_tracks.plots.logos import logo_figure
from tfimpute_tracks.plots.style import new_figure


@pytest.fixture
def axes():
    return new_figure(80, 40).add_axes((0.1, 0.1, 0.8, 0.8))


def extents(axes):
    return [patch.get_path().get_extents().extents for patch in axes.patches]


def test_letters_fill_their_places(axes):
    codes = np.array([0, 4, 3, 0])
    draw_bases(axes, codes, np.arange(4.0), np.zeros(4), np.array([1.0, 1, 0.5, 0]))
    a, t = extents(axes)  # one patch for A and one for T; N and no height are left out
    np.testing.assert_allclose(a, [-0.45, 0, 0.45, 1], atol=1e-6)
    np.testing.assert_allclose(t, [1.55, 0, 2.45, 0.5], atol=1e-6)


def test_low_letters_are_bars(axes):
    draw_bases(
        axes, np.array([1]), np.zeros(1), np.zeros(1), np.array([0.1]), readable=0.2
    )
    (patch,) = axes.patches
    assert len(patch.get_path().vertices) <= 6
    np.testing.assert_allclose(extents(axes)[0], [-0.45, 0, 0.45, 0.1], atol=1e-6)


def test_stacked_with_the_highest_on_top(axes):
    draw_logo(axes, np.array([[0.2, 0.5, 0.0, 1.0]]))
    a, c, t = extents(axes)
    np.testing.assert_allclose([a[1], a[3]], [0, 0.2], atol=1e-6)
    np.testing.assert_allclose([c[1], c[3]], [0.2, 0.7], atol=1e-6)
    np.testing.assert_allclose([t[1], t[3]], [0.7, 1.7], atol=1e-6)


@pytest.mark.parametrize("n", [1, 4, 9])
def test_a_sheet_of_logos(n, rng):
    logos = list(rng.random((n, 6, 4)) / 2)
    figure = logo_figure(
        logos, [(f"filter{i:03d}", "CTCF") for i in range(n)], "Logos."
    )
    assert len(figure.axes) == n
    assert figure.get_label() == "Logos."
    assert figure.axes[-1].get_title(loc="left") == f"filter{n - 1:03d}"
    assert figure.axes[-1].get_title(loc="right") == "CTCF"
    assert figure.axes[0].get_ylim() == (0, 2)
