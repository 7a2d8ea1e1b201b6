"""`selftest`: whether every engine of this machine agrees with the plain network."""

from __future__ import annotations

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, show_json, show_table
from tfimpute_tracks.errors import RunError

__all__ = ["selftest"]


def selftest(
    model: options.ModelName = "default",
    seed: options.Seed = 0,
    as_json: options.Json = False,
) -> None:
    """Compare every engine with the reference network on this machine."""
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.tracks.selfcheck import EXACT_TOLERANCE, run_selfcheck

    records = run_selfcheck(load_model(model), seed)
    if as_json:
        show_json([record._asdict() for record in records])
    else:
        show_table(
            "largest probability difference from the plain network",
            list(records[0]._fields),
            [
                [f"{v:.1e}" if isinstance(v, float) else v for v in record]
                for record in records
            ],
        )
    worst = max(records, key=lambda record: record.difference / record.tolerance)
    if not worst.difference <= worst.tolerance:
        raise RunError(
            f"engine {worst.engine} differs by {worst.difference:.1e} from the plain "
            f"network on {worst.sequence} at stride {worst.stride}, more than "
            f"{worst.tolerance:g}; use another --device or --precision, and report it"
        )
    exact = max(r.difference for r in records if r.tolerance == EXACT_TOLERANCE)
    print_result(f"every engine agrees; the exact ones to {exact:.1e}")
