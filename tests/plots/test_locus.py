"""Pictures hold what they should, and are the same whenever they are drawn."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.errors import OutputError, UsageError
from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.genes import Gene
from tfimpute_tracks.genome.signal import Bins
from tfimpute_tracks.plots.gene_rows import lay_out_genes, pack_rows
from tfimpute_tracks.plots.locus import Panel, draw_locus
from tfimpute_tracks.plots.style import (
    SMALL,
    check_suffix,
    paper_style,
    save_figure,
    text_width,
)

REGION = Region("chr20", 1000, 21_000)
GENES = [
    Gene("UPPER1", 500, 3000, "+", ((500, 900), (1200, 3000))),
    Gene("lower2", 2000, 9000, "-", ((2000, 2500), (8000, 9000))),
    Gene("", 12_000, 12_500, ".", ((12_000, 12_500),)),
]


def _panel(cell="K562", status="measured", limits=(0, 1), gap=True, **changes):
    starts = np.arange(0, 22_000, 100, dtype=np.int64)
    values = (np.sin(starts / 700) / 2 + 0.5).astype(np.float32)
    if limits[0] < 0:
        values = values * 2 - 1
    if gap:
        values[60:80] = np.nan
    peaks = np.array([[2000, 2300], [15_000, 15_400]])
    told = {"threshold": 0.9, "label": "Probability"} | changes
    return Panel(
        "CTCF", cell, status, Bins(starts, starts + 100, values), peaks,
        told["threshold"], limits, told["label"],
    )  # fmt: skip


def _svg(tmp_path, panels, genes=(), name="a.svg", width=183):
    dest = tmp_path / name
    save_figure(draw_locus(REGION, panels, genes, width), dest, "Title", "Words")
    return dest.read_text()


def test_text_is_text_and_says_what_is_shown(tmp_path):
    svg = _svg(tmp_path, [_panel(), _panel("NB4", "imputed")], GENES)
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    for word in (
        "CTCF",
        "K562",
        "NB4",
        "predicted, also measured",
        "imputed",
        "UPPER1",
        "lower2",
    ):
        assert word in texts
    assert "chr20 (kb)" in texts
    assert "<title" in svg
    assert 'width="518' in svg  # 183 mm in pt


def test_a_gap_is_hatched_and_not_zero(tmp_path):
    gap, whole = (
        _svg(tmp_path, [_panel(gap=with_gap)], name=f"{with_gap}.svg")
        for with_gap in (True, False)
    )
    assert "<pattern" in gap
    assert "<pattern" not in whole


def test_signed_signals_have_a_zero_line(tmp_path):
    svg = _svg(tmp_path, [_panel(limits=(-1, 1), threshold=None, label="Specificity")])
    assert "−1" in svg
    assert svg.count(">Specificity<") == 1


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_the_same_figure_is_the_same_file(tmp_path, ending):
    import matplotlib

    before = dict(matplotlib.rcParams)
    contents = []
    for i in range(2):
        dest = tmp_path / f"{i}.{ending}"
        save_figure(draw_locus(REGION, [_panel()], GENES, 89), dest, "T", "D")
        contents.append(dest.read_bytes())
    assert contents[0] == contents[1]
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    ("name", "told"), [("x.jpg", "the suffix '.jpg'"), ("x", "no suffix")]
)
def test_other_suffixes_are_refused(tmp_path, name, told):
    with pytest.raises(UsageError, match=rf"{told}; .*\.png, \.svg, \.pdf"):
        check_suffix(tmp_path / name)


def test_a_folder_is_not_a_place_for_a_figure(tmp_path):
    (tmp_path / "x.svg").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        check_suffix(tmp_path / "x.svg")


def _boxes(figure):
    """Give the extents in pixels of all text of a figure."""
    from matplotlib.text import Text

    figure.draw_without_rendering()
    boxes = {}
    for axes in figure.axes:
        texts = [t for t in axes.findobj(Text) if t.get_text() and t.get_visible()]
        boxes |= {t: t.get_window_extent() for t in texts if axes.axison}
    return boxes


@pytest.mark.parametrize(
    ("width", "n_panels", "limits", "region"),
    [
        (60, 1, (0, 1), REGION),
        (60, 24, (-10, 10), Region("chr1", 248_000_000, 248_100_000)),
        (89, 1, (-1, 1), Region("chr1", 248_000_000, 248_000_400)),
        (89, 40, (0, 1), REGION),
        (183, 2, (0, 1), Region("chr1", 0, 248_100_000)),
    ],
)
def test_no_text_lies_on_other_text_or_is_cut(width, n_panels, limits, region):
    panels = [_panel("MCF10A-Er-Src", limits=limits) for _ in range(n_panels)]
    genes = [
        Gene(f"GENE{i}", region.start + 900 * i, region.start + 900 * i + 99, "+", ())
        for i in range(20)
    ]
    figure = draw_locus(region, panels, genes, width)
    with paper_style():
        boxes = list(_boxes(figure).items())
    for i, (text, box) in enumerate(boxes):
        assert box.x0 >= 0, text
        assert box.x1 <= figure.bbox.width, text
        for other, beside in boxes[:i]:
            # Boxes reach below the line; what is printed does not touch.
            across = min(box.x1, beside.x1) - max(box.x0, beside.x0)
            up = min(box.y1, beside.y1) - max(box.y0, beside.y0)
            assert across <= 0 or up <= 0.35 * box.height, (text, other)


def test_what_is_next_to_a_gap_is_not_covered():
    starts = np.array([5000, 5100])
    panel = _panel()._replace(bins=Bins(starts, starts + 100, np.ones(2, np.float32)))
    figure = draw_locus(REGION, [panel], [], 183)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    left, bottom = figure.axes[0].transData.transform((5020, 0.5))
    right, _ = figure.axes[0].transData.transform((5180, 0.5))
    row = pixels[pixels.shape[0] - int(bottom), int(np.ceil(left)) : int(right)]
    assert len(row)
    assert (row == [0x00, 0x72, 0xB2]).all()


def test_long_names_are_cut():
    figure = draw_locus(REGION, [_panel("x" * 99)], [], 89)
    cut = [t.get_text() for t in _boxes(figure) if t.get_text().startswith("xx")]
    assert len(cut) == 1
    assert cut[0].endswith("…")


def test_single_bases_count_from_one(tmp_path):
    region = Region("chr1", 0, 50)
    dest = tmp_path / "a.svg"
    save_figure(draw_locus(region, [], [], 89), dest, "T", "D")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", dest.read_text())
    assert "chr1 (bp)" in texts
    assert "0" not in texts
    assert "50" in texts


def test_genes_that_do_not_fit_are_counted(tmp_path):
    many = [Gene(f"G{i}", 2000, 20_000, "+", ((2000, 20_000),)) for i in range(9)]
    svg = _svg(tmp_path, [_panel()], many)
    assert "+3 more" in svg


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 200)), max_size=30),
    st.integers(0, 20),
)
def test_packed_spans_do_not_meet(pairs, beside):
    spans = sorted((left, left + length) for left, length in pairs)
    rows = pack_rows(spans, beside)
    for i, (row, span) in enumerate(zip(rows, spans, strict=True)):
        for other, earlier in zip(rows[:i], spans[:i], strict=True):
            assert row != other or earlier[1] + beside <= span[0]


@given(
    st.lists(
        st.tuples(st.integers(0, 22_000), st.integers(1, 9000), st.integers(0, 9)),
        max_size=25,
    )
)
def test_genes_and_their_names_do_not_meet(drawn):
    genes = [
        Gene("N" * n, start, start + length, "-", ((start, start + length),))
        for start, length, n in drawn
        if start < REGION.end and start + length > REGION.start
    ]
    bp_per_mm = 200.0
    laid = lay_out_genes(genes, REGION, bp_per_mm)
    assert len(laid.rows) + laid.n_left_out == len(genes)
    blocks = []
    for gene, row, name_at in laid.rows:
        name = text_width(gene.name, SMALL, style="italic") * bp_per_mm
        left = min(max(gene.start, REGION.start), name_at)
        right = max(min(gene.end, REGION.end), name_at + name)
        assert REGION.start <= left
        blocks.append((row, left, right))
    blocks.sort()
    for (row, _, right), (other, left, _) in itertools.pairwise(blocks):
        assert row != other or right < left
