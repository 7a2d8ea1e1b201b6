"""Motif instances below each other."""

from tfimpute_tracks.genome import Region
from tfimpute_tracks.plots.explanation import Bar, attribution_figure

TILE = Region("chr1", 100, 300)


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_the_strongest_stands_on_top():
    bars = [
        Bar(120, 140, "+", "weak", -0.5),
        Bar(121, 141, "-", "strong", 3.0),
        Bar(122, 142, "+", "pale", 0.001),
    ]
    figure = attribution_figure(TILE, bars, "CTCF:K562", "log-odds 2.5")
    assert texts(figure) == [
        "strong \N{LEFTWARDS ARROW} +3.00",
        "weak \N{RIGHTWARDS ARROW} -0.50",
    ]
    rows = [patch for patch in figure.axes[0].patches if patch.get_height() < 0.9]
    assert [(patch.get_x(), patch.get_width()) for patch in rows] == [
        (121, 20),
        (120, 20),
    ]
    assert rows[0].get_y() < rows[1].get_y()
    assert rows[0].get_facecolor()[:3] != rows[1].get_facecolor()[:3]


def test_what_does_not_overlap_shares_a_row():
    bars = [Bar(105, 125, "+", "a", 1.0), Bar(250, 270, "+", "b", 0.9)]
    figure = attribution_figure(TILE, bars, "", "")
    rows = [patch for patch in figure.axes[0].patches if patch.get_height() < 0.9]
    assert rows[0].get_y() == rows[1].get_y()


def test_rows_are_not_endless():
    bars = [Bar(150, 170, "+", f"m{i}", 1.0 + i / 100) for i in range(40)]
    figure = attribution_figure(TILE, bars, "", "")
    assert texts(figure)[0].startswith("m39 ")
    assert len(texts(figure)) == 12
