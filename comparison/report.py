"""An HTML page of sections, tables and figures, in one file that needs no network.

Text is escaped, figures are inline SVG, a missing value is a dash and never NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfimpute_tracks.plots.style import svg_text
from tfimpute_tracks.storage import write_text
from tfimpute_tracks.storage.page import fill_template

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["ReportTable", "Section", "write_sections"]

_DASH = "–"


@dataclass(frozen=True)
class ReportTable:
    """A table of a page.

    Parameters
    ----------
    columns : sequence of str
    rows : sequence of sequences
        Text, integers, floats (shown with four decimals), or None and NaN (shown as a
        dash), as many as there are columns.
    note : str
        Shown below the table.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""

    @classmethod
    def of(cls, frame: pd.DataFrame, note: str = "") -> ReportTable:
        """Show a data frame.

        Parameters
        ----------
        frame : DataFrame
        note : str

        Returns
        -------
        ReportTable
            Underscores in the names of columns are shown as blanks.
        """
        names = [str(name).replace("_", " ") for name in frame.columns]
        return cls(names, frame.to_numpy(dtype=object).tolist(), note)


@dataclass(frozen=True)
class Section:
    """A section of a page.

    Parameters
    ----------
    title : str
    text : str
        Plain text; an empty line separates paragraphs.
    tables : sequence of ReportTable
    figures : sequence of Figure
        From :func:`tfimpute_tracks.plots.style.new_figure`; the label of each
        (``figure.set_label``) is its caption and its text for screen readers.
    """

    title: str
    text: str = ""
    tables: Sequence[ReportTable] = field(default=())
    figures: Sequence[Figure] = field(default=())


def write_sections(
    path: Path, title: str, lead: str, sections: Sequence[Section]
) -> Path:
    """Write a page.

    Parameters
    ----------
    path : Path
        The file to write, ending in `.html`.
    title : str
    lead : str
        One or two sentences on what the page is about.
    sections : sequence of Section

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    ValueError
        A row of a table has more or fewer cells than the table has columns.
    OutputError, WriteError
        The file cannot be written, or the disk is full.
    """
    parts = {
        "title": escape(title),
        "lead": escape(lead),
        "contents": "".join(
            f'<a href="#part{i}">{escape(section.title)}</a>'
            for i, section in enumerate(sections)
        ),
        "sections": "\n".join(_section(i, s) for i, s in enumerate(sections)),
    }
    write_text(path, fill_template("comparison/report.html", parts))
    return path


def _section(number: int, section: Section) -> str:
    paragraphs = [p for p in section.text.split("\n\n") if p.strip()]
    text = "\n".join(f"<p>{escape(p.strip())}</p>" for p in paragraphs)
    tables = "\n".join(map(_table, section.tables))
    drawn = "\n".join(
        _figure(figure, section.title, f"part{number}-{i}")
        for i, figure in enumerate(section.figures)
    )
    plots = f'<div class="plots">\n{drawn}\n</div>' if drawn else ""
    return (
        f'<h2 id="part{number}">{escape(section.title)}</h2>\n'
        f"<section>\n{text}\n{plots}\n{tables}\n</section>"
    )


def _figure(figure: Figure, title: str, key: str) -> str:
    caption = str(figure.get_label())
    svg = svg_text(figure, title, caption, key)
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def _table(table: ReportTable) -> str:
    for row in table.rows:
        if len(row) != len(table.columns):
            raise ValueError(f"{len(row)} cells for {len(table.columns)} columns")
    # A column without text is aligned as numbers.
    numeric = [
        not any(isinstance(row[i], str) for row in table.rows)
        for i in range(len(table.columns))
    ]
    kinds = [' class="number"' if is_number else "" for is_number in numeric]
    head = "".join(
        f"<th{kind}>{escape(name)}</th>"
        for name, kind in zip(table.columns, kinds, strict=True)
    )
    body = "\n".join(
        "<tr>"
        + "".join(
            f"<td{kind}>{_cell(value)}</td>"
            for value, kind in zip(row, kinds, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>\n{note}"
    )


def _cell(value: Any) -> str:
    if value is None:
        return _DASH
    if isinstance(value, str):
        return escape(value)
    value = value.item() if hasattr(value, "item") else value  # a numpy scalar
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return _DASH if math.isnan(value) else f"{value:.4f}"
