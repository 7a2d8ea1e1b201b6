"""The style of all figures: colors, fonts and sizes, and how figures are saved.

Figures are made for print: text of 6 to 7.5 pt, the width of a column or of a page, and
the color-blind safe palette of Okabe and Ito. The same figure is the same file, byte for
byte: no dates, fixed identifiers, and DejaVu Sans, which comes with matplotlib, so that
the layout does not depend on installed fonts. In SVG, text stays text. matplotlib is
imported only where it is needed, and its settings are restored; pyplot, which keeps
figures for the whole process, is not used.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tfimpute_tracks.errors import OutputError, UsageError
from tfimpute_tracks.storage import atomic_file, write_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

__all__ = [
    "BLACK",
    "BLUE",
    "COLOR_OF",
    "DOUBLE_COLUMN",
    "GRAY",
    "GREEN",
    "LIGHT_GRAY",
    "MARKER_OF",
    "ORANGE",
    "PALETTE",
    "PURPLE",
    "SINGLE_COLUMN",
    "SKY_BLUE",
    "SMALL",
    "STATUSES",
    "SUFFIXES",
    "TEXT",
    "VERMILLION",
    "YELLOW",
    "add_axes",
    "check_suffix",
    "color_bar",
    "new_figure",
    "paper_style",
    "save_figure",
    "svg_text",
    "text_width",
]

# Okabe and Ito, "Color universal design", 2008.
BLACK = "#000000"
ORANGE = "#E69F00"
SKY_BLUE = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"
PALETTE = (BLUE, VERMILLION, GREEN, PURPLE, SKY_BLUE, ORANGE, YELLOW, BLACK)
"""The order in which colors are used for series."""
GRAY = "#5A5A5A"
LIGHT_GRAY = "#D9D9D9"

STATUSES = ("measured", "imputed")
"""Of a pair: whether there are measured peaks of it."""
COLOR_OF = {"measured": BLUE, "imputed": VERMILLION}
"""Color of a pair by its status; text or marker show the status as well."""
MARKER_OF = {"measured": "o", "imputed": "D"}

TEXT, SMALL = 7.5, 6.0
"""Font sizes in pt."""
SINGLE_COLUMN, DOUBLE_COLUMN = 89.0, 183.0
"""Widths of journal figures in mm."""
SUFFIXES = (".png", ".svg", ".pdf")
"""Formats of :func:`save_figure`."""

_MM_PER_INCH, _PT_PER_INCH = 25.4, 72.0
_DPI = 300
_SETTINGS: Any = {  # matplotlib types each of its 300 names
    "font.family": "sans-serif",
    # Widths are measured with the first one; the others are narrower.
    "font.sans-serif": ["DejaVu Sans", "Arial", "Helvetica"],
    "font.size": TEXT,
    "axes.labelsize": TEXT,
    "axes.titlesize": TEXT,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "axes.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.major.width": 0.5,
    "xtick.major.size": 2.0,
    "xtick.major.pad": 1.5,
    "ytick.major.width": 0.5,
    "ytick.major.size": 2.0,
    "ytick.major.pad": 1.5,
    "lines.linewidth": 0.75,
    "hatch.linewidth": 0.4,
    "svg.fonttype": "none",
    "svg.hashsalt": "tfimpute-tracks",
    "pdf.fonttype": 42,
    "path.simplify": False,
}


@contextmanager
def paper_style() -> Iterator[None]:
    """Apply the style to matplotlib, and restore its settings when the block ends.

    Yields
    ------
    None
    """
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # ignore the user's own settings
        matplotlib.rcParams.update(_SETTINGS)
        yield


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure.

    Parameters
    ----------
    width, height : float
        In mm.

    Returns
    -------
    Figure
        Without pyplot state; fill and save it within :func:`paper_style`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = width / _MM_PER_INCH, height / _MM_PER_INCH
    figure = Figure(figsize=size, dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def add_axes(
    figure: Figure, left: float, bottom: float, width: float, height: float
) -> Axes:
    """Add axes to a figure.

    Parameters
    ----------
    figure : Figure
    left, bottom, width, height : float
        In mm, from the lower left corner.

    Returns
    -------
    Axes
    """
    across, up = (float(size) * _MM_PER_INCH for size in figure.get_size_inches())
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def color_bar(
    figure: Figure,
    mesh: ScalarMappable,
    place: tuple[float, float, float, float],
    label: str,
) -> None:
    """Draw the scale of a heatmap.

    Parameters
    ----------
    figure : Figure
    mesh : ScalarMappable
        The heatmap.
    place : (left, bottom, width, height)
        In mm, as for :func:`add_axes`.
    label : str
    """
    bar = figure.colorbar(mesh, cax=add_axes(figure, *place))
    bar.ax.tick_params(labelsize=SMALL, length=2)
    bar.set_label(label, fontsize=SMALL)


def text_width(
    text: str,
    size: float = TEXT,
    weight: Literal["normal", "bold"] = "normal",
    style: Literal["normal", "italic"] = "normal",
) -> float:
    """Measure a line of text.

    Parameters
    ----------
    text : str
    size : float
        In pt.
    weight, style : str

    Returns
    -------
    float
        Its width in mm, in DejaVu Sans.
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", style=style, weight=weight, size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / _PT_PER_INCH * _MM_PER_INCH


def check_suffix(dest: Path) -> None:
    """Refuse a figure that cannot be written, before any work.

    Parameters
    ----------
    dest : Path

    Raises
    ------
    UsageError
        Its suffix is not in :data:`SUFFIXES`.
    OutputError
        It is a folder.
    """
    if dest.suffix.lower() not in SUFFIXES:
        suffix = f"the suffix {dest.suffix!r}" if dest.suffix else "no suffix"
        raise UsageError(f"{dest} has {suffix}; use one of {', '.join(SUFFIXES)}")
    if dest.is_dir():
        raise OutputError(f"{dest} is a folder; use a file name")


def save_figure(
    figure: Figure, dest: Path, title: str, description: str | None = None
) -> None:
    """Write a figure atomically, and the same bytes each time.

    Parameters
    ----------
    figure : Figure
        From :func:`new_figure`.
    dest : Path
        With one of the :data:`SUFFIXES`.
    title : str
    description : str, optional
        What it shows, for those who cannot see it. Default: the label of the figure,
        which the functions of this package set to a caption.

    Raises
    ------
    UsageError
        Another suffix.
    WriteError
        The disk is full, or the file cannot be written.
    """
    check_suffix(dest)
    description = str(figure.get_label()) if description is None else description
    kind = dest.suffix.lower()[1:]
    if kind == "svg":
        declaration = '<?xml version="1.0" encoding="utf-8" standalone="no"?>\n'
        write_text(dest, declaration + svg_text(figure, title, description))
        return
    metadata: dict[str, str | None] = {"Title": title}
    metadata |= (
        {"CreationDate": None} if kind == "pdf" else {"Description": description}
    )
    with paper_style(), atomic_file(dest) as temp:
        figure.savefig(temp, format=kind, metadata=metadata)


def svg_text(figure: Figure, title: str, description: str, key: str = "") -> str:
    """Render a figure as SVG, for a file or for an HTML page.

    Parameters
    ----------
    figure : Figure
        From :func:`new_figure`.
    title, description : str
        As for :func:`save_figure`.
    key : str
        Prefix of every identifier, so that a page can hold several figures: letters,
        digits and ``-``, a different one for each figure.

    Returns
    -------
    str
        An ``svg`` element, at most as wide as its container.
    """
    buffer = io.StringIO()
    with paper_style():
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    # Metadata and styles of a whole document do not belong into a page.
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
    if key:
        svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{key}-", svg)
        key = f"{key}-"
    style = "stroke-linejoin:round;stroke-linecap:butt;max-width:100%;height:auto"
    names = f"{key}title {key}desc"
    svg = svg.replace(
        "<svg ", f'<svg role="img" aria-labelledby="{names}" style="{style}" ', 1
    )
    tag, _, body = svg.partition(">\n")
    return (
        f'{tag}>\n <title id="{key}title">{escape(title)}</title>\n'
        f' <desc id="{key}desc">{escape(description)}</desc>\n{body}'
    )
