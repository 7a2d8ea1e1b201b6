"""`cache`: the size of the tile cache, and ways to reduce it."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, show_json
from tfimpute_tracks.errors import counted

__all__ = ["cache"]


def cache(
    action: Annotated[
        Literal["info", "prune", "clear"],
        typer.Argument(
            help="info: show the size. prune: delete down to --cache-limit. clear: "
            "delete all."
        ),
    ] = "info",
    cache_dir: options.CacheDir = None,
    cache_limit: options.CacheLimit = 5.0,
    as_json: options.Json = False,
) -> None:
    """Show the size of the tile cache, prune it to a limit, or clear it."""
    from tfimpute_tracks.api.inputs import choose_cache

    tiles = choose_cache(cache_dir, cache_limit)
    if action == "info":
        state, verb = tiles.state(), "contains"
    else:
        state, verb = tiles.prune(0 if action == "clear" else None), "deleted"
    if as_json:
        show_json({"folder": tiles.folder, "limit": tiles.limit, **state._asdict()})
        return
    print_result(
        f"{tiles.folder} {verb} {counted(state.files, 'block')} of tiles, "
        f"{state.size / 1e9:.3f} GB (limit {tiles.limit / 1e9:g} GB)"
    )
