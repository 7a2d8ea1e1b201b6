"""The results in docs/benchmarks.md: lists and a plot, made from a file of results."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import asdict
from pathlib import Path

from timing import Figure

__all__ = ["METRICS", "read_figures", "write_figures", "write_page"]

_DOCS = Path(__file__).resolve().parents[1] / "docs"
METRICS = _DOCS / "benchmarks" / "figures.json"
"""Where the figures of the last whole run are kept."""
_PAGE = _DOCS / "benchmarks.md"
_PLOT = _DOCS / "benchmarks" / "ratios.png"
_BEGIN, _END = "<!-- figures -->", "<!-- end of figures -->"
# Okabe and Ito's blue and vermilion, distinct for every eye and in gray.
_BLUE, _VERMILION = "#0072B2", "#D55E00"


def write_figures(path: Path, machine: str, figures: list[Figure]) -> None:
    """Keep figures in a file.

    Parameters
    ----------
    path : Path
    machine : str
        The line that says where they are from.
    figures : list of Figure
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine, "figures": [asdict(f) for f in figures]}
    text = json.dumps(content, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_figures(path: Path) -> tuple[str, list[Figure]]:
    """Read what :func:`write_figures` wrote.

    Parameters
    ----------
    path : Path

    Returns
    -------
    machine : str
    figures : list of Figure
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    return content["machine"], [Figure(**entry) for entry in content["figures"]]


def write_page(path: Path) -> None:
    """Put the figures of a file into the page, and draw its plot.

    Parameters
    ----------
    path : Path
    """
    machine, figures = read_figures(path)
    text = _PAGE.read_text(encoding="utf-8")
    block = "\n\n".join([_BEGIN, textwrap.fill(machine, 116), *_lists(figures), _END])
    pattern = f"{re.escape(_BEGIN)}.*?{re.escape(_END)}"
    text, n = re.subn(pattern, lambda _: block, text, flags=re.DOTALL)
    if n != 1:
        raise ValueError(f"{_PAGE}: no place for the results between {_BEGIN}, {_END}")
    _PAGE.write_text(text, encoding="utf-8")
    _draw([f for f in figures if f.unit == "x"])


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:#.2g}"


def _lists(figures: list[Figure]) -> list[str]:
    """Lay out the ratios and, in a list of their own, the values with a unit."""
    parts = []
    for title, own in (
        ("## Ratios", [f for f in figures if f.unit == "x"]),
        ("## Values", [f for f in figures if f.unit != "x"]),
    ):
        if own:
            parts.append("\n".join([f"{title}\n", *map(_entry, own)]))
    return parts


def _entry(f: Figure) -> str:
    unit = "" if f.unit in ("", "x") else f" {f.unit}"
    spread = f"{_number(f.low)} to {_number(f.high)}, {f.runs} run{'s'[: f.runs > 1]}"
    target = f"; target {f.asked}" if f.asked else ""
    detail = f" {f.detail}." if f.detail else ""
    text = f"`{f.group}` {f.what}: **{_number(f.value)}{unit}** ({spread}{target}).{detail}"
    return textwrap.fill(
        text,
        116,
        initial_indent="- ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _draw(figures: list[Figure]) -> None:
    """Draw the ratios as bars on logarithmic axes, gains above and costs below."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    panels = [
        (
            "Rate relative to the other method: further right is better",
            "more",
            _BLUE,
        ),
        (
            "Cost relative to the other method: further left is better",
            "less",
            _VERMILION,
        ),
    ]
    groups = [[f for f in figures if f.better == better] for _, better, _ in panels]
    shown = [(p, g) for p, g in zip(panels, groups, strict=True) if g]
    if not shown:
        return
    heights = [len(g) + 1.5 for _, g in shown]
    drawn, all_axes = plt.subplots(
        len(shown),
        1,
        figsize=(9, 0.34 * sum(heights) + 0.4),
        height_ratios=heights,
        layout="constrained",
        squeeze=False,
    )
    for axes, ((title, _, color), own) in zip(all_axes[:, 0], shown, strict=True):
        _bars(axes, own, color)
        axes.set_title(title, loc="left", fontsize=10)
    drawn.savefig(_PLOT, dpi=110)
    plt.close(drawn)


def _bars(axes, figures: list[Figure], color: str) -> None:  # type: ignore[no-untyped-def]
    places = range(len(figures))
    values = [f.value for f in figures]
    # On a logarithmic axis a bar begins at 1, where nothing is gained or lost.
    axes.barh(places, [v - 1 for v in values], left=1, color=color, height=0.62)
    for place, f in zip(places, figures, strict=True):
        axes.plot([f.low, f.high], [place, place], color="black", linewidth=1)
        right = max(f.value, f.high, 1)
        axes.annotate(
            _number(f.value),
            (right, place),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    axes.set_xscale("log")
    low = min(*(f.low for f in figures), 1)
    high = max(*(f.high for f in figures), 1)
    axes.set_xlim(low / 1.3, high * (high / low) ** 0.12 * 1.2)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    if high / low < 30:
        axes.xaxis.set_minor_formatter(
            lambda x, _: f"{x:g}" if f"{x:g}"[-1] in "25" else ""
        )
        axes.tick_params(axis="x", which="minor", labelsize=8)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(list(places), [_label(f) for f in figures], fontsize=8)
    axes.invert_yaxis()
    axes.grid(axis="x", color="0.85", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", labelsize=8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _label(made: Figure) -> str:
    """Give what a bar is: without code marks, brackets and the rest of a sentence."""
    text = re.sub(r" \(.*?\)|, whose.*", "", made.what.replace("`", ""))
    return f"{made.group}: {text}"
