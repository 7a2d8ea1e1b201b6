"""`query`: the pairs at a locus, from a bulk store or scored at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, show_json
from tfimpute_tracks.commands.tables import show_table
from tfimpute_tracks.errors import UsageError, counted

if TYPE_CHECKING:
    from tfimpute_tracks.genome import Region
    from tfimpute_tracks.impute.query import Ranked

__all__ = ["query"]


def query(
    where: Annotated[
        list[str],
        typer.Argument(
            metavar="[STORE] REGION",
            help="chr:start-end (1-based, both ends included) or a gene, scored at once; "
            "or a folder that `impute` wrote, and a region in it.",
        ),
    ],
    top: Annotated[int, typer.Option(min=0, help="Number of pairs; 0 for all.")] = 20,
    tf: options.Tf = None,
    cell: options.Cell = None,
    cell_accessibility: options.CellAccessibility = None,
    cell_name: options.CellName = None,
    fasta: options.Fasta = None,
    genes: options.RegionGenes = None,
    model: options.ModelName = "default",
    evidence: options.Evidence = "auto",
    cache_dir: options.CacheDir = None,
    as_json: options.Json = False,
) -> None:
    """Rank the pairs at a locus by probability, next to what was measured there."""
    from tfimpute_tracks.api.querying import query_pairs

    if len(where) > 2:
        raise UsageError(
            f"{len(where)} arguments; use `query REGION`, or `query STORE REGION`"
        )
    is_store = len(where) == 2
    if not is_store and Path(where[0]).is_dir():
        raise UsageError(
            f"{where[0]} is a folder, and no region was named; use `query "
            f"{where[0]} chr:start-end`"
        )
    if is_store and not Path(where[0]).is_dir():
        raise UsageError(
            f"{where[0]} is not a folder of a store; for one TF or cell line use `query "
            f"{where[0]} --tf {where[1]}` or `query {where[0]} --cell {where[1]}`"
        )
    region, records = query_pairs(
        where[-1],
        store=where[0] if is_store else None,
        tf=tf,
        cell=cell,
        cell_accessibility=cell_accessibility,
        cell_name=cell_name,
        fasta=fasta,
        genes=genes,
        model=model,
        evidence=evidence,
        cache_dir=cache_dir,
    )
    shown = records[:top] if top else records
    if as_json:
        show_json([record._asdict() for record in shown])
        return
    show_table(
        "",
        [
            *("pair", "status", "measured", "probability", "threshold", "peak"),
            *("expected AUROC", "tile", "overlap (bp)"),
        ],
        [
            [
                *(f"{record.tf}:{record.cell}", record.status, record.measured),
                *(record.probability, record.threshold, record.is_peak),
                "-" if auroc is None else f"{auroc:.2f}",
                f"{region.chrom}:{record.start + 1:,}-{record.end:,}",
                record.overlap,
            ]
            for record in shown
            for auroc in [record.expected_auroc]
        ],
        optional=("overlap (bp)", "tile", "status"),
    )
    print_result(_summary(len(shown), records, region))


def _summary(n_shown: int, records: list[Ranked], region: Region) -> str:
    where = f"at {region.chrom}:{region.start + 1:,}-{region.end:,}"
    n_peaks = sum(record.is_peak for record in records)
    if len(records) == 1:
        return f"1 pair {where}, {'with' if n_peaks else 'without'} a predicted peak"
    shown = f"{counted(len(records), 'pair')} {where}, the most probable first"
    if n_shown < len(records):
        first = "pair" if n_shown == 1 else f"{n_shown:,} pairs"
        shown = f"the most probable {first} of {len(records):,} {where}"
    have = "has" if n_peaks == 1 else "have"
    among = f"{n_peaks:,} of the {len(records):,}" if n_peaks else "none"
    return f"{shown}; {among} {have if n_peaks else 'has'} a predicted peak"
