"""`plot`: a place and its tracks as a picture for a paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import notify, say, show_json
from tfimpute_tracks.errors import UsageError

__all__ = ["plot"]

_MOST_PAIRS = 40
_BUNDLED_VIEW = "chr20:48,780,001-48,840,000"  # CEBPB's


def plot(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder of tracks. Default: scores are computed."),
    ] = None,
    region: Annotated[
        str | None, typer.Option("-r", "--region", help="chr:start-end.")
    ] = None,
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    fasta: options.Fasta = None,
    genes: Annotated[
        Path | None, typer.Option(help="Genes beneath: GTF, GFF3 or BED.")
    ] = None,
    signal: options.Signal = "probability",
    out: Annotated[
        Path, typer.Option("-o", "--out", help="The picture: .svg, .png or .pdf.")
    ] = Path("locus.svg"),
    width: Annotated[
        float, typer.Option(min=60, max=400, help="In mm; a column is 89, a page 183.")
    ] = 183.0,
    model: options.ModelName = "default",
    cache_dir: options.CacheDir = None,
    as_json: options.Json = False,
) -> None:
    """Draw tracks, peaks and genes of a place, ready for print."""
    from tfimpute_tracks.commands import inputs
    from tfimpute_tracks.genome import parse_region
    from tfimpute_tracks.genome.genes import read_genes
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.plots.locus import Panel, draw_locus
    from tfimpute_tracks.plots.style import check_ending, save_figure
    from tfimpute_tracks.storage import check_writable_dir
    from tfimpute_tracks.tracks.formats import signal_chroms
    from tfimpute_tracks.tracks.shelf import find_tracks
    from tfimpute_tracks.tracks.signals import SIGNALS
    from tfimpute_tracks.tracks.windows import compute_window, read_window

    check_ending(out)
    check_writable_dir(out.parent)
    if region is None and (folder or fasta):
        raise UsageError("--region is missing; give chr:start-end")
    place = region or _BUNDLED_VIEW
    loaded = load_model(model)
    chosen = None
    if folder is None or tf or cell or pairs:
        chosen = inputs.choose_pairs(loaded.vocabulary, tf, cell, pairs)
    if folder is None:
        genome = inputs.choose_genome(fasta, loaded, cache_dir)
        window = parse_region(place, genome.chrom_sizes)
        _check_count(chosen or [])
        tracks = compute_window(loaded, genome, window, chosen or [], signal)
    else:
        shelf = find_tracks(folder)
        for fault in shelf.faults:
            notify(fault, warning=True)
        first = next(iter(shelf.tracks[0].signals.values()), "")
        window = parse_region(place, signal_chroms(folder / first))
        tracks = read_window(shelf, window, chosen, signal)
        _check_count(tracks)
    kind = SIGNALS[signal]
    panels = [
        Panel(
            *track.pair,
            track.reliability,
            track.starts,
            track.ends,
            track.values,
            track.peaks,
            track.threshold if signal == "probability" else None,
            kind.limits,
            kind.label,
        )
        for track in tracks
    ]
    beneath = read_genes(genes, window, notify) if genes else []
    figure = draw_locus(window, panels, beneath, width)
    named = ", ".join(str(track.pair) for track in tracks)
    save_figure(
        figure, out, f"Binding at {window}", f"{kind.label} and peaks of {named}."
    )
    if as_json:
        peaks = {str(track.pair): track.peaks.tolist() for track in tracks}
        show_json({"region": str(window), "peaks": peaks, "files": [str(out)]})
        return
    say(str(out))


def _check_count(pairs: Sequence[object]) -> None:
    if len(pairs) > _MOST_PAIRS:
        raise UsageError(
            f"{len(pairs)} pairs in one picture; at most {_MOST_PAIRS}: name some with "
            "--pairs"
        )
