"""What UCSC's track hubs demand of names, labels and stanzas.

Source: UCSC's track database definition (trackDb settings) and its help on hubs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

__all__ = ["LONG", "SHORT", "choices", "label", "rgb", "stanza", "tags", "unique_name"]

SHORT, LONG = 17, 76
"""Letters of a short and of a long label."""

Setting = tuple[str, str]


def stanza(depth: int, *settings: Setting) -> Iterator[str]:
    """Write a stanza.

    Parameters
    ----------
    depth : int
        How far in, for the eye alone.
    *settings : (name, value)
        The first one names the track.

    Yields
    ------
    str
        Lines, an empty one last.
    """
    for name, value in settings:
        yield f"{'    ' * depth}{name} {value}"
    yield ""


def label(text: str, most: int) -> str:
    """Make a label of a text: one line, not too long.

    Parameters
    ----------
    text : str
    most : int
        Letters.

    Returns
    -------
    str
        Never empty.
    """
    line = " ".join(text.split()) or "track"
    return line if len(line) <= most else line[:most].rstrip()


def unique_name(text: str, taken: set[str]) -> str:
    """Make a name of a track or a tag that was not given before.

    Parameters
    ----------
    text : str
    taken : set of str
        The names given so far; the new one is added.

    Returns
    -------
    str
        ASCII letters, digits and `_`; the first one a letter.
    """
    name = re.sub(r"[^A-Za-z0-9_]", "_", text) or "x"
    name = name if name[0].isalpha() else f"x{name}"
    key, number = name, 1
    while key in taken:
        number += 1
        key = f"{name}_{number}"
    taken.add(key)
    return key


def tags(names: Iterable[str]) -> dict[str, str]:
    """Give each name a tag for a subgroup.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    dict of str to str
        Name -> tag, by name.
    """
    taken: set[str] = set()
    return {name: unique_name(name, taken) for name in sorted(set(names))}


def choices(tagged: Mapping[str, str]) -> str:
    """Write the members of a subgroup.

    Parameters
    ----------
    tagged : mapping of name to tag

    Returns
    -------
    str
        ``tag=Title`` of each, titles without white space.
    """
    return " ".join(f"{tag}={'_'.join(name.split())}" for name, tag in tagged.items())


def rgb(color: str) -> str:
    """Turn ``#RRGGBB`` into ``R,G,B``.

    Parameters
    ----------
    color : str

    Returns
    -------
    str
    """
    return ",".join(str(int(color[i : i + 2], 16)) for i in (1, 3, 5))
