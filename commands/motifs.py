"""`motifs`: the motifs of a model's filters, and the known motifs they match."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import (
    log,
    print_files,
    print_result,
    progress_bar,
    show_json,
)
from tfimpute_tracks.errors import check_packages

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
    from tfimpute_tracks.api import inputs
    from tfimpute_tracks.api.threads import set_threads
    from tfimpute_tracks.interpret import filter_table as tables
    from tfimpute_tracks.interpret.contributions import filter_contributions
    from tfimpute_tracks.interpret.filters import find_motifs, is_informative
    from tfimpute_tracks.interpret.motif_files import write_motifs
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_output_dir

    check_packages("`motifs`", "memelite", "pyjaspar", "torch")
    from tfimpute_tracks.interpret.jaspar import RELEASE, load_matrices
    from tfimpute_tracks.interpret.motif_match import match_motifs

    matrices = load_matrices()
    loaded = load_model(model)
    n_threads = set_threads(threads)
    genome = inputs.choose_genome(fasta, loaded, cache_dir)
    where = inputs.choose_regions(genome, fasta, regions, chroms, genes, min_contig)
    check_output_dir(out_dir)
    n_bp = sum(region.end - region.start for region in where)
    log(f"{loaded.config.n_filters} filters of {loaded.name} in {n_bp:,} bp")
    with progress_bar("motifs", 2 * n_bp, "bp") as advance:
        found = find_motifs(loaded, genome, where, advance)
    matches = match_motifs(found, matrices, n_threads)
    log("computing the contributions of filters to each TF and cell line")
    contributions = filter_contributions(loaded, genome, found)
    filters = tables.filter_table(found, matches)
    listed = {
        kind: tables.contribution_table(names, own, filters, n_filters)
        for kind, names, own in (
            ("tf-filters", loaded.tfs, contributions.of_tfs),
            ("cell-filters", loaded.cells, contributions.of_cells),
        )
    }
    files = write_motifs(
        loaded, found, matches, {"filters": filters, **listed}, out_dir
    )
    summary = {
        "filters": len(found),
        "firing": sum(motif.n_hits > 0 for motif in found),
        "informative": sum(map(is_informative, found)),
        "matched": sum(match is not None for match in matches),
        "groups": tables.count_groups(matches),
        "own": tables.own_motif_test(listed["tf-filters"], matrices)._asdict(),
        "release": RELEASE,
        "files": files,
    }
    if as_json:
        show_json(summary)
        return
    _report(summary, n_filters)
    print_files(files)


def _report(summary: dict[str, Any], n_filters: int) -> None:
    from tfimpute_tracks.interpret.motif_match import MAX_E_VALUE

    groups = ", ".join(f"{group} {n}" for group, n in summary["groups"].items())
    release, own = summary["release"], summary["own"]
    print_result(
        f"{summary['firing']} of {summary['filters']} filters fire strongly here, and "
        f"{summary['informative']} of them often and specifically enough to be compared; "
        f"{summary['matched']} match a motif of {release} (E <= {MAX_E_VALUE}), of "
        f"{len(summary['groups'])} families or zinc fingers: {groups}"
    )
    print_result(
        f"{own['n_own']} of {own['n_tfs']} TFs with a motif in {release} have a filter "
        f"that matches it among their first {n_filters}, {own['expected']:.1f} expected "
        f"(p = {own['p']:.2g})"
    )
