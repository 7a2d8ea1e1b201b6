"""`explain`: the motif instances that contribute to a score, as a track."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import (
    log,
    print_files,
    print_result,
    progress_bar,
    show_json,
)
from tfimpute_tracks.errors import RegionError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from tfimpute_tracks.genome import Region, Sequences
    from tfimpute_tracks.interpret.explain import Explainer, Explanation
    from tfimpute_tracks.vocabulary import Pair

__all__ = ["explain"]

_MAX_REGIONS = 2000
_N_SHOWN = 5


def explain(
    regions: Annotated[
        list[str],
        typer.Option(
            "-r",
            "--region",
            help="Region: chr:start-end (1-based, inclusive), or peaks as BED or "
            "narrowPeak. The tile with the highest score in each is explained. "
            "Repeatable.",
        ),
    ],
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    fasta: options.Fasta = None,
    genes: options.RegionGenes = None,
    out_dir: options.OutDir = Path("explain-out"),
    model: options.ModelName = "default",
    min_contribution: Annotated[
        float,
        typer.Option(
            min=0, help="Omit motif instances with a smaller change in log-odds."
        ),
    ] = 0.25,
    filter_names: Annotated[
        Path | None,
        typer.Option(
            help="filters.tsv written by `motifs`, with the names of filters. Default: "
            "that of a bundled model."
        ),
    ] = None,
    plots: Annotated[
        int, typer.Option(min=0, max=100, help="Draw the first N tiles of each pair.")
    ] = 0,
    cache_dir: options.CacheDir = None,
    as_json: options.Json = False,
) -> None:
    """Explain scores by the contributions of motif instances: BED and a table."""
    from tfimpute_tracks.api import inputs
    from tfimpute_tracks.api.evidence_choice import say_sequence_only
    from tfimpute_tracks.api.pair_choice import choose_pairs
    from tfimpute_tracks.interpret import attributions
    from tfimpute_tracks.interpret.explain import Explainer
    from tfimpute_tracks.interpret.filter_table import read_filter_names
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_output_dir

    loaded = load_model(model)
    chosen = choose_pairs(loaded.vocabulary, tf, cell, pairs)
    names = read_filter_names(loaded, filter_names)
    genome = inputs.choose_genome(fasta, loaded, cache_dir)
    where = inputs.choose_regions(genome, fasta, regions, genes=genes)
    if len(where) > _MAX_REGIONS:
        raise UsageError(
            f"{len(where):,} regions; use at most {_MAX_REGIONS:,}, such as the "
            "strongest peaks"
        )
    check_output_dir(out_dir)
    say_sequence_only(loaded, "explaining scores")
    files, tiles = list[Path](), list[dict[str, Any]]()
    for pair in chosen:
        with progress_bar(str(pair), len(where), "regions") as advance:
            found = _explain(Explainer(loaded, pair), genome, where, advance)
        if not found:
            continue
        table = attributions.instance_table(found, names, min_contribution)
        chroms = list(genome.chrom_sizes)
        files += attributions.write_instances(pair, table, chroms, out_dir)
        for explanation in found[:plots]:
            files += attributions.draw_explanation(pair, explanation, table, out_dir)
        tiles += [_summarize(pair, explanation, table) for explanation in found]
    if not tiles:
        raise RegionError("no region contains a tile with a score; nothing to explain")
    if as_json:
        show_json({"tiles": tiles, "files": files})
        return
    for tile in tiles[:_N_SHOWN]:
        print_result(
            f"{tile['pair']} {tile['tile']}: log-odds {tile['logit']:.2f} = "
            f"{tile['baseline']:.2f} without motifs {tile['motifs']}"
        )
    if len(tiles) > _N_SHOWN:
        print_result(f"... and {len(tiles) - _N_SHOWN:,} more tiles")
    print_files(files)


def _explain(
    explainer: Explainer,
    genome: Sequences,
    regions: list[Region],
    advance: Callable[[int], None],
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
