"""`selftest`: whether every engine of this machine agrees with the reference network."""

from __future__ import annotations

from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, show_json, show_table
from tfimpute_tracks.errors import RunError, check_packages

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
    check_packages("`selftest`", "torch")
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.tracks.selfcheck import run_selfcheck

    records = run_selfcheck(load_model(model), seed, tolerance)
    if as_json:
        show_json([record._asdict() for record in records])
    else:
        rows = [
            [f"{value:.1e}" if isinstance(value, float) else value for value in record]
            for record in records
        ]
        title = "Maximum probability difference from the reference network"
        show_table(title, list(records[0]._fields), rows)
    worst = max(records, key=lambda record: record.difference / record.tolerance)
    if not worst.difference <= worst.tolerance:
        raise RunError(
            f"engine {worst.engine} differs by {worst.difference:.1e} from the reference "
            f"network on {worst.sequence} at stride {worst.stride}, more than "
            f"{worst.tolerance:g}; use another --device or --precision, and report it"
        )
    exact = max(r.difference for r in records if r.engine.endswith("exact"))
    print_result(f"all engines agree; the exact ones to {exact:.1e}")
