"""`query`: all pairs at a position, from a bulk store."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, show_json, show_table

__all__ = ["query"]


def query(
    store: options.StoreDir,
    region: Annotated[
        str, typer.Argument(help="chr:start-end (1-based, both ends included).")
    ],
    top: Annotated[int, typer.Option(min=0, help="Number of pairs; 0 for all.")] = 20,
    sort_by: Annotated[
        Literal["above-threshold", "probability"],
        typer.Option(
            "--sort-by",
            help="above-threshold: log-odds above the pair's peak-calling "
            "threshold. probability: highest probability in the region; some "
            "TFs score high everywhere.",
        ),
    ] = "above-threshold",
    tf: options.Tf = None,
    cell: options.Cell = None,
    as_json: options.Json = False,
) -> None:
    """Print the scores of all pairs in a region, with their expected accuracy."""
    from tfimpute_tracks.genome import parse_region
    from tfimpute_tracks.impute.query import rank_pairs
    from tfimpute_tracks.impute.store import Store

    opened = Store(store)
    names = opened.vocabulary
    wanted = names.tf(tf) if tf else None, names.cell(cell) if cell else None
    where = parse_region(region, opened.plan.chrom_sizes)
    records = rank_pairs(opened, where, sort_by, wanted)
    n_peaks = sum(record.is_peak for record in records)
    shown = records[:top] if top else records
    if as_json:
        show_json([record._asdict() for record in shown])
        return
    show_table(
        "",
        [
            "pair",
            "status",
            "expected AUROC",
            "probability",
            "log-odds above threshold",
            "peak",
            "at",
        ],
        [
            [
                f"{record.tf}:{record.cell}",
                record.status,
                "-" if record.expected_auroc is None else record.expected_auroc,
                record.probability,
                f"{record.above_threshold:+.2f}",
                record.is_peak,
                f"{where.chrom}:{record.start + 1:,}",
            ]
            for record in shown
        ],
    )
    print_result(
        f"{len(shown):,} of {len(records):,} pairs at {where}; {n_peaks:,} have a peak "
        "there"
    )
