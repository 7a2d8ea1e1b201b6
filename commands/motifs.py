"""`motifs`: the motifs of a model's filters, and the known motifs they match."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import (
    print_files,
    print_result,
    progress_bar,
    show_json,
)

if TYPE_CHECKING:
    from tfimpute_tracks.api.motifs import DescribedFilters

__all__ = ["motifs"]


def motifs(
    model: options.ModelName = "default",
    fasta: options.Fasta = None,
    regions: options.Regions = None,
    chroms: options.Chroms = None,
    min_contig: options.MinContig = 0,
    genes: options.RegionGenes = None,
    n_filters: Annotated[
        int,
        typer.Option(
            min=1, help="Number of filters to list for each TF and each cell line."
        ),
    ] = 5,
    out_dir: options.OutDir = Path("motifs-out"),
    threads: options.Threads = "max",
    cache_dir: options.CacheDir = None,
    as_json: options.Json = False,
) -> None:
    """Turn filters into motifs, match them with JASPAR, and list their contributions."""
    from tfimpute_tracks.api.motifs import describe_filters

    done = describe_filters(
        out_dir,
        model=model,
        fasta=fasta,
        regions=regions or None,
        chroms=chroms,
        min_contig=min_contig,
        genes=genes,
        n_filters=n_filters,
        threads=threads,
        cache_dir=cache_dir,
        progress=progress_bar,
    )
    if as_json:
        show_json(done.summary)
        return
    _report(done, n_filters)
    print_files(done.summary["files"])


def _report(done: DescribedFilters, n_filters: int) -> None:
    summary = done.summary
    groups = ", ".join(f"{group} {n}" for group, n in summary["groups"].items())
    release, own = summary["release"], summary["own"]
    print_result(
        f"{summary['firing']} of {summary['filters']} filters fire strongly here, and "
        f"{summary['informative']} of them often and specifically enough to be compared; "
        f"{summary['matched']} match a motif of {release} (E <= {done.max_e_value}), of "
        f"{len(summary['groups'])} families or zinc fingers: {groups}"
    )
    print_result(
        f"{own['n_own']} of {own['n_tfs']} TFs with a motif in {release} have a filter "
        f"that matches it among their first {n_filters}, {own['expected']:.1f} expected "
        f"(p = {own['p']:.2g})"
    )
