"""`query`: all pairs at a place, from a bulk store."""

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
    top: Annotated[
        int, typer.Option(min=0, help="How many pairs; 0 for all of them.")
    ] = 20,
    sort_by: Annotated[
        Literal["margin", "probability"],
        typer.Option(
            "--by",
            help="margin: log-odds above the pair's own peak line. probability: as it "
            "stands; some TFs score high everywhere.",
        ),
    ] = "margin",
    tf: options.Tf = None,
    cell: options.Cell = None,
    as_json: options.Json = False,
) -> None:
    """Print every pair at a place: the best tile's score, and how far to trust it."""
    from tfimpute_tracks.genome import parse_region
    from tfimpute_tracks.impute.query import rank_pairs
    from tfimpute_tracks.impute.store import Store

    opened = Store(store)
    names = opened.vocabulary
    wanted = names.tf(tf) if tf else None, names.cell(cell) if cell else None
    place = parse_region(region, opened.plan.chrom_sizes)
    records = rank_pairs(opened, place, sort_by, wanted)
    n_peaks = sum(record.is_peak for record in records)
    shown = records[:top] if top else records
    if as_json:
        show_json([record._asdict() for record in shown])
        return
    show_table(
        "",
        ["pair", "status", "expected AUROC", "probability", "margin", "peak", "at"],
        [
            [
                f"{record.tf}:{record.cell}",
                record.status,
                "-" if record.expected_auroc is None else record.expected_auroc,
                record.probability,
                f"{record.margin:+.2f}",
                record.is_peak,
                f"{place.chrom}:{record.start + 1:,}",
            ]
            for record in shown
        ],
    )
    print_result(
        f"{len(shown):,} of {len(records):,} pairs at {place}; {n_peaks:,} call a peak "
        "there. margin: log-odds above the pair's peak line"
    )
