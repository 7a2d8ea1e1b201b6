"""What the page is made of, read once when the program starts."""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple

__all__ = ["PAGE_FILES", "PageFile"]

_KINDS = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "LICENSE": "text/plain; charset=utf-8",
}


class PageFile(NamedTuple):
    """A file of the page: its content, and what kind of thing it is."""

    content: bytes
    kind: str


def _read() -> dict[str, PageFile]:
    package = files("tfimpute_tracks")
    folders = [package / "views" / "browse" / "page", package / "views" / "data"]
    found = {
        file.name: PageFile(file.read_bytes(), _KINDS[file.name.rpartition(".")[2]])
        for folder in folders
        for file in folder.iterdir()
        if file.name.rpartition(".")[2] in _KINDS
    }
    return dict(sorted(found.items()))


PAGE_FILES = _read()
"""Name -> file; nothing else is ever served."""
