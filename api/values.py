"""Values that a caller in Python may pass, whatever they are: checked before any work.

The command line parses texts into types; here nothing has, and a wrong one is a
:class:`~tfimpute_tracks.errors.UsageError` that names it.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from tfimpute_tracks.errors import UsageError, shown

__all__ = [
    "MAX_SEED",
    "as_path",
    "check_choice",
    "check_ending",
    "check_model",
    "check_number",
    "check_text",
    "check_texts",
    "check_threshold",
    "check_top",
    "check_whole",
    "check_wholes",
    "is_finite",
    "join_texts",
    "optional_path",
]

MAX_SEED = 2**63 - 1
"""The highest seed that torch takes."""


def as_path(value: object, name: str) -> Path:
    """Return a path.

    Parameters
    ----------
    value : object
    name : str
        Of the argument, for the message.

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        It is neither a text nor a path.
    """
    try:
        if isinstance(value, str | PathLike):
            return Path(value)
    except TypeError:  # a path of bytes
        pass
    raise UsageError(f"{name} {shown(value)}; use a path")


def optional_path(value: object, name: str) -> Path | None:
    """Return a path, or None for None.

    Parameters
    ----------
    value : object
    name : str
        Of the argument, for the message.

    Returns
    -------
    Path or None

    Raises
    ------
    UsageError
        As :func:`as_path`.
    """
    return None if value is None else as_path(value, name)


def check_model(value: object) -> None:
    """Refuse what is neither the name nor the path of a model.

    Parameters
    ----------
    value : object

    Raises
    ------
    UsageError
        It is neither a text nor a path.
    """
    if not isinstance(value, str | Path):
        raise UsageError(
            f"model {shown(value)}; use a name such as 'default', or the path of a "
            ".safetensors file"
        )


def check_ending(path: Path, ending: str) -> None:
    """Refuse a name of a file to write that is not of its kind.

    Parameters
    ----------
    path : Path
    ending : str
        With the dot.

    Raises
    ------
    UsageError
        It ends otherwise: it may be the name of an input.
    """
    if path.suffix != ending:
        raise UsageError(f"-o {path} does not end in {ending}; use such a name")


def check_text(value: object, name: str) -> None:
    """Refuse what is neither a text nor None.

    Parameters
    ----------
    value : object
    name : str
        Of the argument, for the message.

    Raises
    ------
    UsageError
        It is something else.
    """
    if not (value is None or isinstance(value, str)):
        raise UsageError(f"{name} {shown(value)}; use a text")


def check_texts(**values: object) -> None:
    """Refuse what is neither a text nor None.

    Parameters
    ----------
    **values : object
        Arguments by their names.

    Raises
    ------
    UsageError
        One is something else.
    """
    for name, value in values.items():
        check_text(value, name)


def join_texts(value: object, name: str) -> str:
    """Write a text, or several, as the command line takes them: with commas.

    Parameters
    ----------
    value : object
    name : str
        Of the argument, for the message.

    Returns
    -------
    str

    Raises
    ------
    UsageError
        It is neither a text nor texts.
    """
    if isinstance(value, str):
        return value
    several = list(value) if isinstance(value, Iterable) else [value]
    texts = [text for text in several if isinstance(text, str)]
    if not texts or len(texts) < len(several):
        raise UsageError(f"{name} {shown(value)}; use a text, or a list of texts")
    return ",".join(texts)


def check_choice(value: object, name: str, choices: Iterable[str]) -> None:
    """Refuse what is not one of some texts.

    Parameters
    ----------
    value : object
    name : str
        Of the argument, for the message.
    choices : iterable of str

    Raises
    ------
    UsageError
        With all of them.
    """
    names = list(choices)
    if not (isinstance(value, str) and value in names):
        raise UsageError(
            f"{name} {shown(value)}; use {', '.join(names[:-1])} or {names[-1]}"
        )


def check_whole(
    value: object, name: str, lowest: int = 0, highest: float = math.inf
) -> None:
    """Refuse what is not a whole number in a range.

    Parameters
    ----------
    value : object
    name : str
        Of the argument, for the message.
    lowest, highest : float

    Raises
    ------
    UsageError
        With the range.
    """
    if not _is_whole(value, lowest, highest):
        end = " or more" if highest == math.inf else f" to {highest:,}"
        raise UsageError(f"{name} {shown(value)}; use a whole number, {lowest}{end}")


def check_wholes(lowest: int, **values: object) -> None:
    """Refuse what is neither a whole number from `lowest` on nor None.

    Parameters
    ----------
    lowest : int
    **values : object
        Arguments by their names.

    Raises
    ------
    UsageError
        One is something else.
    """
    for name, value in values.items():
        if value is not None:
            check_whole(value, name, lowest)


def check_number(
    value: object, name: str, lowest: float = 0, highest: float = math.inf
) -> float:
    """Refuse what is not a number in a range.

    Parameters
    ----------
    value : object
    name : str
        Of the argument, for the message.
    lowest, highest : float

    Returns
    -------
    float

    Raises
    ------
    UsageError
        With the range.
    """
    number = _as_float(value)
    if lowest <= number <= highest and number < math.inf:
        return number
    end = f", {lowest:g} or more"
    if highest < math.inf:
        end = f" from {lowest:g} to {highest:g}"
    raise UsageError(f"{name} {shown(value)}; use a number{end}")


def is_finite(value: object) -> bool:
    """Discriminate a finite number from anything else.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool
    """
    return math.isfinite(_as_float(value))


def check_threshold(threshold: object) -> float | None:
    """Refuse a threshold that is not a probability.

    Parameters
    ----------
    threshold : object
        None stands for the model's own.

    Returns
    -------
    float or None

    Raises
    ------
    UsageError
        Not a number from 0 to 1.
    """
    return None if threshold is None else check_number(threshold, "threshold", 0, 1)


def check_top(top: object) -> None:
    """Refuse what is not a number of pairs.

    Parameters
    ----------
    top : object
        0 for all.

    Raises
    ------
    UsageError
        Not a whole number, or below 0.
    """
    if not _is_whole(top, 0):
        raise UsageError(f"top {shown(top)}; use a number of pairs, 0 for all")


def _is_whole(value: object, lowest: int, highest: float = math.inf) -> bool:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        return False
    return lowest <= int(value) <= highest


def _as_float(value: object) -> float:
    """Return a number as a float; NaN, which is in no range, for what is none."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:  # an integer beyond every float
        return math.nan
