"""One variant on the command line: what it changes most, on the screen."""

from __future__ import annotations

from typing import Any

from tfimpute_tracks.commands.console import print_result
from tfimpute_tracks.commands.tables import show_table

__all__ = ["show_variant"]

_TITLES = {
    "p_ref": "p(ref)",
    "p_alt": "p(alt)",
    "delta_log_odds": "delta log-odds",
    "expected_auroc": "expected AUROC",
}


def show_variant(summary: dict[str, Any]) -> None:
    """Print what :func:`tfimpute_tracks.variants.summary.summarize_variant` found.

    Parameters
    ----------
    summary : dict
    """
    columns = ["pair", "binding", "p_ref", "p_alt", "delta_log_odds", "quantile"]
    columns += ["expected_auroc", "status"]
    rows = [
        [_rounded(column, row[column]) for column in columns]
        for row in summary["largest"]
    ]
    titles = [_TITLES.get(column, column) for column in columns]
    show_table("", titles, rows, optional=("status", "delta log-odds"))
    print_result(summary["meaning"])


def _rounded(column: str, value: Any) -> Any:
    if value is None:
        return "-"
    decimals = {"p_ref": 3, "p_alt": 3, "delta_log_odds": 3}.get(column, 2)
    return f"{value:.{decimals}f}" if isinstance(value, float) else value
