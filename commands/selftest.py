"""`selftest`: whether every engine of this machine agrees with the plain network."""

from __future__ import annotations

from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import say, show_json, show_table
from tfimpute_tracks.errors import RunError

__all__ = ["selftest"]


def selftest(
    model: options.ModelName = "default",
    tolerance: Annotated[
        float, typer.Option(help="Largest probability difference that passes.")
    ] = 1e-4,
    seed: options.Seed = 0,
    as_json: options.Json = False,
) -> None:
    """Compare every engine with the plain network on real and on hard sequence."""
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.tracks import check_parity

    records = check_parity(load_model(model), seed)
    if as_json:
        show_json([record._asdict() for record in records])
    else:
        show_table(
            "largest probability difference from the plain network",
            ["engine", "sequence", "stride", "tiles", "pairs", "difference", "seconds"],
            [list(record) for record in records],
        )
    worst = max(records, key=lambda record: record.difference)
    if not worst.difference <= tolerance:
        raise RunError(
            f"engine {worst.engine} differs by {worst.difference:.1e} from the plain "
            f"network on {worst.sequence} at stride {worst.stride}, more than "
            f"{tolerance:g}; report it with the output of `tfimpute-tracks --version`"
        )
    say(f"all engines agree to {worst.difference:.1e}")
