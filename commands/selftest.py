"""`selftest`: whether every engine of this machine agrees with the reference network."""

from __future__ import annotations

from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, show_json
from tfimpute_tracks.commands.tables import show_table

__all__ = ["selftest"]


def selftest(
    model: options.ModelName = "default",
    seed: options.Seed = 0,
    tolerance: Annotated[
        float,
        typer.Option(
            min=1e-12, help="Maximum probability difference of the exact engines."
        ),
    ] = 1e-4,
    as_json: options.Json = False,
) -> None:
    """Compare every engine with the reference network on this machine."""
    from tfimpute_tracks.api.engine_check import check_engines

    done = check_engines(model, seed=seed, tolerance=tolerance)
    records = done.records
    if as_json:
        show_json([record._asdict() for record in records])
    else:
        rows = [
            [f"{value:.1e}" if isinstance(value, float) else value for value in record]
            for record in records
        ]
        title = "Maximum probability difference from the reference network"
        show_table(title, list(records[0]._fields), rows)
    done.check()
    print_result(f"all engines agree; the exact ones to {done.exact:.1e}")
