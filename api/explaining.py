"""Scores as sums of the contributions of motif instances: inputs, and one call."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from tfimpute_tracks.api.evidence_choice import say_sequence_only
from tfimpute_tracks.api.inputs import (
    Regions,
    choose_genome,
    choose_regions,
    written_regions,
)
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.pair_choice import Pairs, choose_pairs
from tfimpute_tracks.api.progress import Advance, ProgressBar, no_progress
from tfimpute_tracks.api.values import (
    as_path,
    check_model,
    check_number,
    check_texts,
    check_wholes,
    optional_path,
)
from tfimpute_tracks.errors import RegionError, UsageError
from tfimpute_tracks.genome import Region, Sequences
from tfimpute_tracks.interpret import attributions
from tfimpute_tracks.interpret.explain import Explainer, Explanation
from tfimpute_tracks.interpret.filter_table import read_filter_names
from tfimpute_tracks.models import load_model
from tfimpute_tracks.storage import check_output_dir
from tfimpute_tracks.vocabulary import Pair

__all__ = ["ExplainedRegions", "explain_regions"]

_MAX_REGIONS = 2000
_N_SHOWN = 5  # motifs in a summary


class ExplainedRegions(NamedTuple):
    """The best tile of each region, and what its score is made of.

    Attributes
    ----------
    tiles : list of dict
        Pair, tile, log-odds (logit), the part without motifs (baseline), the rest
        (residual), and the largest contributions (motifs).
    files : list of Path
    """

    tiles: list[dict[str, Any]]
    files: list[Path]


def explain_regions(
    regions: Regions,
    out_dir: str | Path,
    *,
    tf: str | None = None,
    cell: str | None = None,
    pairs: Pairs | None = None,
    fasta: str | Path | None = None,
    genes: str | Path | None = None,
    model: str | Path = "default",
    min_contribution: float = 0.25,
    filter_names: str | Path | None = None,
    n_plots: int = 0,
    cache_dir: str | Path | None = None,
    progress: ProgressBar = no_progress,
) -> ExplainedRegions:
    """Explain the highest score in each region by the contributions of motif instances.

    Parameters
    ----------
    regions : str, Path, (chrom, start, end), or iterable of these
        As for :meth:`tfimpute_tracks.Model.scan`; at most 2,000.
    out_dir : str or Path
    tf, cell : str, optional
        One pair.
    pairs : optional
        As for :meth:`tfimpute_tracks.Model.scan`.
    fasta : str or Path, optional
        None: the bundled example region.
    genes : str or Path, optional
        GTF, GFF3 or BED of the genes that `regions` may name.
    model : str or Path
    min_contribution : float
        Motif instances with a smaller change in log-odds are left out.
    filter_names : str or Path, optional
        filters.tsv that `motifs` wrote; by default that of a bundled model.
    n_plots : int
        Tiles of each pair, the first ones, that are drawn.
    cache_dir : str or Path, optional
    progress : ProgressBar

    Returns
    -------
    ExplainedRegions

    Raises
    ------
    UsageError, UnknownNameError, RegionError, InputFileError
        A value, name, region or file is wrong, or no region has a score.
    OutputError, WriteError
        A file cannot be written.

    Examples
    --------
    >>> from tfimpute_tracks.api.explaining import explain_regions
    >>> region = "chr20:48,599,001-48,600,000"
    >>> tiles, files = explain_regions(region, "explained", tf="CTCF", cell="K562")
    >>> len(tiles), len(files)
    (1, 2)
    """
    folder, fasta = as_path(out_dir, "out_dir"), optional_path(fasta, "fasta")
    known, cache_dir = (
        optional_path(genes, "genes"),
        optional_path(cache_dir, "cache_dir"),
    )
    table_of_names = optional_path(filter_names, "filter_names")
    check_model(model)
    check_texts(tf=tf, cell=cell)
    check_number(min_contribution, "min_contribution")
    check_wholes(0, n_plots=n_plots)
    loaded = load_model(model)
    chosen = choose_pairs(loaded.vocabulary, tf, cell, pairs)
    names = read_filter_names(loaded, table_of_names)
    genome = choose_genome(fasta, loaded, cache_dir)
    where = choose_regions(genome, fasta, written_regions(regions), genes=known)
    if len(where) > _MAX_REGIONS:
        raise UsageError(
            f"{len(where):,} regions; use at most {_MAX_REGIONS:,}, such as the "
            "strongest peaks"
        )
    check_output_dir(folder)
    say_sequence_only(loaded, "explaining scores")
    files, tiles = list[Path](), list[dict[str, Any]]()
    for pair in chosen:
        with progress(str(pair), len(where), "regions") as advance:
            found = _explain(Explainer(loaded, pair), genome, where, advance)
        if not found:
            continue
        table = attributions.instance_table(found, names, min_contribution)
        chroms = list(genome.chrom_sizes)
        files += attributions.write_instances(pair, table, chroms, folder)
        for explanation in found[:n_plots]:
            files += attributions.draw_explanation(pair, explanation, table, folder)
        tiles += [_summarize(pair, explanation, table) for explanation in found]
    if not tiles:
        raise RegionError("no region contains a tile with a score; nothing to explain")
    return ExplainedRegions(tiles, files)


def _explain(
    explainer: Explainer,
    genome: Sequences,
    regions: list[Region],
    advance: Advance,
) -> list[Explanation]:
    found = []
    for region in regions:
        try:
            found.append(explainer.explain(genome, explainer.best_tile(genome, region)))
        except RegionError as error:
            log(str(error), warning=True)
        advance(1)
    return found


def _summarize(
    pair: Pair, explanation: Explanation, table: pd.DataFrame
) -> dict[str, Any]:
    own = table[table["tile"] == str(explanation.tile)][:_N_SHOWN]
    return {
        "pair": str(pair),
        "tile": str(explanation.tile),
        "logit": explanation.logit,
        "baseline": explanation.baseline,
        "residual": explanation.residual,
        "motifs": " ".join(
            f"{contribution:+.2f} {name}"
            for contribution, name in zip(own["contribution"], own["name"], strict=True)
        ),
    }
