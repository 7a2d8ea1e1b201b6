"""UCSC's rules for track hubs: names, labels and stanzas of ``trackDb`` text.

Source: UCSC's track database definition (trackDb settings) and its help on hubs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

__all__ = [
    "LONG_LABEL",
    "SHORT_LABEL",
    "Setting",
    "label",
    "rgb",
    "stanza",
    "subgroup_members",
    "subgroup_tags",
    "unique_name",
]

SHORT_LABEL, LONG_LABEL = 17, 76
"""Maximum number of characters of a short and of a long label."""

Setting = tuple[str, str]
"""Name and value of a line."""


def stanza(depth: int, *settings: Setting) -> list[str]:
    """Write a stanza.

    Parameters
    ----------
    depth : int
        Level of indentation, for readability only.
    *settings : (name, value)
        The first one names the track.

    Returns
    -------
    list of str
        Lines, the last one empty.
    """
    return [f"{'    ' * depth}{name} {value}" for name, value in settings] + [""]


def label(text: str, max_length: int) -> str:
    """Shorten a text to a label.

    Parameters
    ----------
    text : str
    max_length : int
        In characters.

    Returns
    -------
    str
        One line, never empty.
    """
    line = " ".join(text.split()) or "track"
    return line if len(line) <= max_length else line[:max_length].rstrip()


def unique_name(text: str, used: set[str]) -> str:
    """Make a name of a track or a tag that is not used yet.

    Parameters
    ----------
    text : str
    used : set of str
        Names in use; the new one is added.

    Returns
    -------
    str
        ASCII letters, digits and `_`; no digit or `_` at the start.
    """
    name = re.sub(r"[^A-Za-z0-9_]", "_", text) or "x"
    name = name if name[0].isalpha() else f"x{name}"
    key, number = name, 1
    while key in used:
        number += 1
        key = f"{name}_{number}"
    used.add(key)
    return key


def subgroup_tags(names: Iterable[str]) -> dict[str, str]:
    """Choose a tag for each member of a subgroup.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    dict of str to str
        Tag by name, in the order of names.
    """
    used: set[str] = set()
    return {name: unique_name(name, used) for name in sorted(set(names))}


def subgroup_members(tags: Mapping[str, str]) -> str:
    """Write the members of a subgroup.

    Parameters
    ----------
    tags : mapping of str to str
        Tag by name.

    Returns
    -------
    str
        ``tag=Title`` of each; titles have no white space.
    """
    return " ".join(f"{tag}={'_'.join(name.split())}" for name, tag in tags.items())


def rgb(color: str) -> str:
    """Convert ``#RRGGBB`` to ``R,G,B``.

    Parameters
    ----------
    color : str

    Returns
    -------
    str
    """
    return ",".join(str(int(color[i : i + 2], 16)) for i in (1, 3, 5))
