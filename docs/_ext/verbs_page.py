"""The page of the verbs: their help, as the command line prints it, in tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from typer.main import get_command

from tfimpute_tracks.cli import make_app
from tfimpute_tracks.commands.verbs import VERBS

_PAGE = "verbs.md"
_START = """# Verbs

`tfimpute-tracks VERB --help` prints the same. Options that every verb has stand before
or after its name.
"""


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the page before the sources are read.

    Parameters
    ----------
    app : Sphinx

    Returns
    -------
    dict
        What Sphinx wants to know of an extension.
    """
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write(app: Sphinx) -> None:
    text = "\n".join(_lines())
    path = Path(app.srcdir) / _PAGE
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _lines() -> Iterator[str]:
    command: Any = get_command(make_app(VERBS))
    yield _START
    yield from _options(command)
    panel = ""
    for name, verb in VERBS.items():
        if verb.panel != panel:
            panel = verb.panel
            yield f"## {panel}\n"
        yield f"### {name}\n"
        yield f"{verb.summary}\n"
        own: Any = command
        for word in name.split():
            own = own.commands[word]
        rest = own.help.strip().split("\n\n")[1:]
        yield from (f"{' '.join(part.split())}\n" for part in rest)
        context = own.make_context(name, [], resilient_parsing=True)
        usage = " ".join(own.collect_usage_pieces(context))
        yield f"    tfimpute-tracks {name} {usage}\n"
        yield from _options(own)


def _options(command: Any) -> Iterator[str]:
    rows = [_row(p) for p in command.params if p.name != "help"]
    if rows:
        yield "| option | what it does |\n|---|---|"
        yield "\n".join(rows) + "\n"


def _row(parameter: Any) -> str:
    names = ", ".join(
        f"`{name}`" for name in getattr(parameter, "opts", [parameter.name])
    )
    more = getattr(parameter, "secondary_opts", [])
    names += "".join(f", `{name}`" for name in more)
    text = " ".join((getattr(parameter, "help", None) or "").split())
    return f"| {names} | {text.replace('|', chr(92) + '|')} |"
