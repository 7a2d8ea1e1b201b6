"""`explain`: which motifs carried a score, as a track for the browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, progress_bar, show_json
from tfimpute_tracks.errors import RegionError, RunError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from tfimpute_tracks.genome import Region, Sequences
    from tfimpute_tracks.interpret.explain import Explainer, Explanation
    from tfimpute_tracks.vocabulary import Pair

__all__ = ["explain"]

_MOST_REGIONS = 2000
_SHOWN = 5


def explain(
    regions: Annotated[
        list[str],
        typer.Option(
            "-r",
            "--region",
            help="chr:start-end (1-based, inclusive), or peaks as BED or narrowPeak: "
            "of each the tile of the highest score is explained. Repeatable.",
        ),
    ],
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    fasta: options.Fasta = None,
    out_dir: options.OutDir = Path("explain-out"),
    model: options.ModelName = "default",
    least: Annotated[
        float,
        typer.Option(min=0, help="Leave motifs out that change log-odds by less."),
    ] = 0.25,
    names: Annotated[
        Path | None,
        typer.Option(
            "--names",
            help="filters.tsv of `motifs`, by which filters are called. Shipped models "
            "have theirs.",
        ),
    ] = None,
    pictures: Annotated[
        int, typer.Option(min=0, max=100, help="Draw so many tiles of each pair.")
    ] = 0,
    cache_dir: options.CacheDir = None,
    as_json: options.Json = False,
) -> None:
    """Take scores apart into the motif instances that made them: BED and a table."""
    from tfimpute_tracks.commands import inputs
    from tfimpute_tracks.interpret.attributions import bed_text, instances_table
    from tfimpute_tracks.interpret.explain import Explainer
    from tfimpute_tracks.interpret.filter_table import read_names
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_writable_dir, write_text

    loaded = load_model(model)
    chosen = inputs.choose_pairs(loaded.vocabulary, tf, cell, pairs)
    called = read_names(loaded, names)
    genome = inputs.choose_genome(fasta, loaded, cache_dir)
    where = inputs.choose_regions(genome, fasta, regions, [])
    if len(where) > _MOST_REGIONS:
        raise UsageError(
            f"{len(where):,} regions; at most {_MOST_REGIONS:,} are explained: give "
            "the strongest peaks"
        )
    check_writable_dir(out_dir)
    files, told = [], []
    for pair in chosen:
        with progress_bar(str(pair), len(where), "regions") as advance:
            found = _explanations(Explainer(loaded, pair), genome, where, advance)
        if not found:
            continue
        table = instances_table(found, called, least)
        stem = f"{pair.tf}.{pair.cell}.motifs"
        files += [out_dir / f"{stem}.tsv", out_dir / f"{stem}.bed"]
        text = table.to_csv(sep="\t", index=False, float_format="%.5g")
        write_text(files[-2], text)
        write_text(files[-1], bed_text(table, list(genome.chrom_sizes)))
        for explained in found[:pictures]:
            files += _draw(pair, explained, table, out_dir)
        told += [_told(pair, explained, table) for explained in found]
    if not told:
        raise RunError("no region holds a tile with a value; nothing is explained")
    if as_json:
        show_json({"tiles": told, "files": [str(file) for file in files]})
        return
    for one in told[:_SHOWN]:
        print_result(
            f"{one['pair']} {one['tile']}: log-odds {one['logit']:.2f} = "
            f"{one['base']:.2f} without motifs {one['motifs']}"
        )
    if len(told) > _SHOWN:
        print_result(f"... and {len(told) - _SHOWN:,} more tiles")
    print_result(" ".join(map(str, files)))


def _explanations(
    explainer: Explainer,
    genome: Sequences,
    regions: list[Region],
    advance: Callable[[int, str], None],
) -> list[Explanation]:
    found = []
    for region in regions:
        try:
            found.append(explainer.explain(genome, explainer.best_tile(genome, region)))
        except RegionError as error:
            log(str(error), warning=True)
        advance(1, "")
    return found


def _draw(
    pair: Pair, explained: Explanation, table: pd.DataFrame, out_dir: Path
) -> list[Path]:
    from tfimpute_tracks.plots.explanation import Bar, attribution_figure
    from tfimpute_tracks.plots.style import save_figure

    tile, logit, base, _ = explained
    own = table[table["tile"] == str(tile)]
    columns = ["start", "end", "strand", "name", "part"]
    bars = [Bar(*row) for row in own[columns].itertuples(index=False)]
    if not bars:
        return []
    title = f"{pair} at {tile}"
    about = f"log-odds {logit:.2f}, {base:.2f} of them without any motif"
    figure = attribution_figure(tile, bars, title, about)
    stem = f"{pair.tf}.{pair.cell}.{tile.chrom.replace('/', '_')}-{tile.start + 1}"
    dest = out_dir / f"{stem}.svg"
    save_figure(figure, dest, title)
    return [dest]


def _told(pair: Pair, explained: Explanation, table: pd.DataFrame) -> dict[str, Any]:
    own = table[table["tile"] == str(explained.tile)][:_SHOWN]
    return {
        "pair": str(pair),
        "tile": str(explained.tile),
        "logit": explained.logit,
        "base": explained.base,
        "rest": explained.rest,
        "motifs": " ".join(
            f"{part:+.2f} {name}"
            for part, name in zip(own["part"], own["name"], strict=True)
        ),
    }
