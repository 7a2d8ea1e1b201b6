"""Filters as motifs, their known counterparts and contributions: inputs, and one call."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from tfimpute_tracks.api.inputs import (
    Regions,
    choose_genome,
    choose_regions,
    written_regions,
)
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.progress import ProgressBar, no_progress
from tfimpute_tracks.api.threads import limit_threads
from tfimpute_tracks.api.values import (
    as_path,
    check_model,
    check_wholes,
    optional_path,
)
from tfimpute_tracks.errors import check_packages
from tfimpute_tracks.interpret import filter_table as tables
from tfimpute_tracks.interpret.contributions import filter_contributions
from tfimpute_tracks.interpret.filters import find_motifs, is_informative
from tfimpute_tracks.interpret.motif_files import write_motifs
from tfimpute_tracks.models import load_model
from tfimpute_tracks.storage import check_output_dir

__all__ = ["DescribedFilters", "describe_filters"]


class DescribedFilters(NamedTuple):
    """What the filters of a model have learned.

    Attributes
    ----------
    summary : dict
        Numbers of filters, of matched families, and of TFs whose own motif is found;
        `files` are those written.
    max_e_value : float
        Of a match.
    """

    summary: dict[str, Any]
    max_e_value: float


def describe_filters(
    out_dir: str | Path,
    *,
    model: str | Path = "default",
    fasta: str | Path | None = None,
    regions: Regions | None = None,
    chroms: list[str] | None = None,
    min_contig: int = 0,
    genes: str | Path | None = None,
    n_filters: int = 5,
    threads: int | str = "max",
    cache_dir: str | Path | None = None,
    progress: ProgressBar = no_progress,
) -> DescribedFilters:
    """Turn filters into motifs, match them with JASPAR, and list their contributions.

    Parameters
    ----------
    out_dir : str or Path
    model : str or Path
    fasta : str or Path, optional
        None: the bundled example region.
    regions, chroms, min_contig, genes
        As for :func:`tfimpute_tracks.api.scan_files.scan_to_files`.
    n_filters : int
        Filters that are listed for each TF and each cell line.
    threads : int or "max"
    cache_dir : str or Path, optional
    progress : ProgressBar

    Returns
    -------
    DescribedFilters

    Raises
    ------
    UsageError
        A value is invalid, or the known motifs are not installed.
    RegionError, InputFileError, OutputError, WriteError
        A region or file is wrong, or a file cannot be written.
    """
    check_packages("`motifs`", "memelite", "pyjaspar", "torch")
    from tfimpute_tracks.interpret.jaspar import RELEASE, load_matrices
    from tfimpute_tracks.interpret.motif_match import MAX_E_VALUE, match_motifs

    matrices = load_matrices()
    folder, fasta = as_path(out_dir, "out_dir"), optional_path(fasta, "fasta")
    known, cache_dir = (
        optional_path(genes, "genes"),
        optional_path(cache_dir, "cache_dir"),
    )
    check_model(model)
    check_wholes(0, min_contig=min_contig)
    check_wholes(1, n_filters=n_filters)
    loaded = load_model(model)
    with limit_threads(threads) as n_threads:
        genome = choose_genome(fasta, loaded, cache_dir)
        written = written_regions(regions)
        where = choose_regions(genome, fasta, written, chroms, known, min_contig)
        check_output_dir(folder)
        n_bp = sum(region.end - region.start for region in where)
        log(f"{loaded.config.n_filters} filters of {loaded.name} in {n_bp:,} bp")
        with progress("motifs", 2 * n_bp, "bp") as advance:
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
    files = write_motifs(loaded, found, matches, {"filters": filters, **listed}, folder)
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
    return DescribedFilters(summary, MAX_E_VALUE)
