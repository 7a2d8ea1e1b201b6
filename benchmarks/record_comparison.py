"""Two recordings, key by key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from recording import Recording, say


class Difference(NamedTuple):
    """One key of two recordings."""

    key: str
    state: str  # equal, differs, missing, added
    how: str = ""


def compare_numbers(
    before: dict[str, NDArray[Any]], after: dict[str, NDArray[Any]]
) -> list[Difference]:
    """Compare arrays bit for bit."""
    return _compare(before, after, _array_difference)


def compare_texts(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """Compare names or sentences."""
    return _compare(before, after, _text_difference)


def _compare(
    before: dict[str, Any], after: dict[str, Any], differ: Callable[[Any, Any], str]
) -> list[Difference]:
    """Compare key by key; `differ` gives an empty text for equal values."""
    found = []
    for key in sorted(before.keys() | after.keys()):
        if key not in after:
            found.append(Difference(key, "missing"))
        elif key not in before:
            found.append(Difference(key, "added"))
        else:
            how = differ(before[key], after[key])
            found.append(Difference(key, "differs" if how else "equal", how))
    return found


def _array_difference(a: NDArray[Any], b: NDArray[Any]) -> str:
    if a.shape != b.shape:
        return f"shape {a.shape}, {b.shape}"
    if a.dtype != b.dtype:
        return f"type {a.dtype}, {b.dtype}; {_largest(a, b)}"
    return "" if a.tobytes() == b.tobytes() else _largest(a, b)


def _text_difference(a: Any, b: Any) -> str:
    return "" if a == b else _first_other(a, b)


def _largest(a: NDArray[Any], b: NDArray[Any]) -> str:
    """Say how far two arrays of a shape are apart."""
    x, y = a.astype(float), b.astype(float)
    holes = int((np.isnan(x) != np.isnan(y)).sum())
    with np.errstate(invalid="ignore"):
        apart = np.where((x == y) | np.isnan(x) | np.isnan(y), 0, np.abs(x - y))
    largest = float(apart.max(initial=0))
    n = int((apart > 0).sum())
    found = f"max abs difference {largest:.3g}, {n:,} of {a.size:,} values"
    return found + (f", {holes:,} with a value in one only" if holes else "")


def _first_other(a: Any, b: Any) -> str:
    """Show where two texts, or two lists of names, part."""
    ours, theirs = (x.splitlines() if isinstance(x, str) else x for x in (a, b))
    pairs = zip(ours, theirs, strict=False)
    first = next(((x, y) for x, y in pairs if x != y), (len(ours), len(theirs)))
    return " | ".join(str(one)[:90] for one in first)


def compare(before: Path, after: Path, show_equal: bool) -> int:
    """Print how two recordings differ; give 1 if a number does or is missing."""
    a, b = Recording.read(before), Recording.read(after)
    numbers = compare_numbers(a.numbers, b.numbers)
    _print_differences("numbers", numbers, show_equal)
    for what, ours, theirs in (
        ("names (not failing)", a.names, b.names),
        ("wording differences (not failing)", a.wording, b.wording),
    ):
        _print_differences(what, compare_texts(ours, theirs), show_equal)
    wrong = [one for one in numbers if one.state in {"differs", "missing"}]
    values = sum(array.size for array in a.numbers.values())
    verdict = (
        f"{len(wrong):,} differ or are missing" if wrong else "all equal, bit for bit"
    )
    say(f"== {len(a.numbers):,} arrays of {values:,} numbers: {verdict}")
    return 1 if wrong else 0


def _print_differences(what: str, found: list[Difference], show_equal: bool) -> None:
    counts = {
        s: sum(one.state == s for one in found)
        for s in ("equal", "differs", "missing", "added")
    }
    say(f"== {what}: " + ", ".join(f"{n:,} {state}" for state, n in counts.items()))
    for one in found:
        if show_equal or one.state != "equal":
            say(f"{one.state:8s} {one.key}  {one.how}".rstrip())
