"""HTML pages from templates that ship with the package.

A template is an HTML file with ``{{name}}`` where a value goes. Values are inserted as
they are: the caller escapes text and makes JSON with :func:`script_json`. ``{{head}}`` is
the beginning that the pages share, ``head.html``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

__all__ = ["fill_template", "script_json"]


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """Insert values into a template of the package.

    Parameters
    ----------
    template : str
        Path of the HTML file inside the package, such as `comparison/report.html`.
    values : mapping of str to str
        HTML by name. Each is inserted once per ``{{name}}`` and is not searched for
        further names, so its text may contain braces.

    Returns
    -------
    str
        The page.

    Raises
    ------
    KeyError
        The template has a name without a value.
    """
    text = _read(template).replace("{{head}}", _read("storage/head.html"))
    page, *parts = text.split("{{")
    for part in parts:
        name, _, rest = part.partition("}}")
        page += values[name] + rest
    return page


def _read(template: str) -> str:
    source = files("tfimpute_tracks").joinpath(*template.split("/"))
    return source.read_text(encoding="utf-8")


def script_json(value: Any) -> str:
    """Write JSON that can stand inside a script element.

    Parameters
    ----------
    value : object
        JSON values.

    Returns
    -------
    str
        JSON without `<`, so that no text in it can close the element.
    """
    return json.dumps(value).replace("<", "\\u003c")
