"""The picture of what substitutions do: rows, scales, letters and dots."""

import numpy as np
import pytest

from tfimpute_tracks.genome import Region
from tfimpute_tracks.plots.mutagenesis import mutagenesis_figure
from tfimpute_tracks.plots.style import SMALL, save_figure


def _toy(rng, n):
    codes = rng.integers(0, 4, n).astype(np.uint8)
    changes = rng.normal(size=(n, 4))
    changes[np.arange(n), codes] = 0
    return changes, codes


def _rows(figure):
    """Give the axes of letters and of cells, row by row."""
    plain = [axes for axes in figure.axes if not axes.get_ylabel().startswith("Change")]
    return list(zip(plain[0::2], plain[1::2], strict=True))


@pytest.mark.parametrize(
    ("n", "lengths"),
    [
        (1, [1]),
        (100, [100]),
        (101, [60, 41]),
        (200, [100, 100]),
        (515, [90] * 5 + [65]),
    ],
)
def test_long_regions_go_on_in_rows(rng, n, lengths):
    changes, codes = _toy(rng, n)
    figure = mutagenesis_figure(changes, codes, Region("chr1", 999, 999 + n), "x")
    rows = _rows(figure)
    drawn = [cells.images[0].get_array().T for _, cells in rows]
    assert [len(part) for part in drawn] == lengths
    np.testing.assert_array_equal(np.concatenate(drawn), changes)
    assert len({cells.images[0].get_clim() for _, cells in rows}) == 1
    assert len({logo.get_ylim() for logo, _ in rows}) == 1
    # Columns are as wide in every row, and nothing leaves the page.
    widths = [
        cells.get_position().width / length
        for (_, cells), length in zip(rows, lengths, strict=True)
    ]
    np.testing.assert_allclose(widths, widths[0])
    assert all(cells.get_position().y0 > 0 for _, cells in rows)
    first = 1000
    for (_, cells), length in zip(rows, lengths, strict=True):
        for tick in cells.get_xticklabels():
            pos = int(tick.get_text().replace(",", ""))
            assert pos == first + tick.get_position()[0]
            assert first <= pos < first + length
            assert tick.get_fontsize() == SMALL
        first += length


def test_dots_stand_on_the_letters_that_are_there(rng):
    changes, codes = _toy(rng, 30)
    changes[7], codes[7] = np.nan, 4
    ((logo, cells),) = _rows(
        mutagenesis_figure(changes, codes, Region("c", 0, 30), "x")
    )
    x, y = cells.lines[0].get_data()
    np.testing.assert_array_equal(x, np.delete(np.arange(30), 7))
    np.testing.assert_array_equal(y, np.delete(codes, 7))
    # Letters fill from 0 to minus the mean change of the three others.
    loss = -np.delete(changes, 7, axis=0).sum(axis=1) / 3
    boxes = [patch.get_path().get_extents() for patch in logo.patches]
    assert max(box.y1 for box in boxes) == pytest.approx(loss.max())
    assert min(box.y0 for box in boxes) == pytest.approx(loss.min())


def test_nothing_that_changes_is_not_blown_up():
    changes, codes = np.zeros((5, 4)), np.zeros(5, np.uint8)
    ((logo, cells),) = _rows(mutagenesis_figure(changes, codes, Region("c", 0, 5), "x"))
    assert cells.images[0].get_clim() == (-0.1, 0.1)
    assert logo.get_ylim()[1] == 0.1


def test_the_same_figure_is_the_same_file(rng, tmp_path):
    changes, codes = _toy(rng, 120)
    for name in ("a.svg", "b.svg"):
        figure = mutagenesis_figure(
            changes, codes, Region("c", 0, 120), "MAX in <K562>"
        )
        save_figure(figure, tmp_path / name, "t")
    text = (tmp_path / "a.svg").read_text()
    assert text == (tmp_path / "b.svg").read_text()
    assert "MAX in &lt;K562&gt;" in text
    assert "<K562>" not in text
