"""`plot`: a place and its tracks as a picture for a paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, show_json
from tfimpute_tracks.errors import UsageError

if TYPE_CHECKING:
    from tfimpute_tracks.genome import Region
    from tfimpute_tracks.models import Model
    from tfimpute_tracks.tracks.signals import SignalName
    from tfimpute_tracks.tracks.windows import WindowTrack

__all__ = ["plot"]

_MOST_PAIRS = 40
_BUNDLED_VIEW = "chr20:48,780,001-48,840,000"  # CEBPB's

Named = tuple[str | None, str | None, str | None]  # --tf, --cell, --pairs


def plot(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder of tracks. Default: scores are computed."),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            "-r",
            "--region",
            help="chr:start-end (1-based, inclusive). Default: CEBPB, in the bundled "
            "stretch of chr20.",
        ),
    ] = None,
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    fasta: options.Fasta = None,
    genes: options.Genes = None,
    signal: options.Signal = "probability",
    out: Annotated[
        Path, typer.Option("-o", "--out", help="The picture: .svg, .png or .pdf.")
    ] = Path("locus.svg"),
    width: Annotated[
        float, typer.Option(min=60, max=400, help="In mm; a column is 89, a page 183.")
    ] = 183.0,
    model: options.ModelName = "default",
    evidence: options.Evidence = None,
    cache_dir: options.CacheDir = None,
    as_json: options.Json = False,
) -> None:
    """Draw tracks, peaks and genes of a place, ready for print."""
    from tfimpute_tracks.genome import bundled_genes
    from tfimpute_tracks.genome.genes import genes_in, read_genes
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.plots.locus import Panel, draw_locus
    from tfimpute_tracks.plots.style import check_suffix, save_figure
    from tfimpute_tracks.storage import check_writable_dir
    from tfimpute_tracks.tracks.signals import SIGNALS

    check_suffix(out)
    check_writable_dir(out.parent)
    if region is None and (folder or fasta):
        raise UsageError("--region is missing; give chr:start-end")
    place, named = region or _BUNDLED_VIEW, (tf, cell, pairs)
    if folder is None:
        loaded = load_model(model, evidence)
        window, tracks = _computed(place, named, (fasta, cache_dir), loaded, signal)
    elif fasta or cache_dir or evidence:
        raise UsageError(
            f"the tracks of {folder} are read as they are, without --fasta, "
            "--cache-dir and --evidence; leave the folder out to have them computed"
        )
    else:
        window, tracks = _read(folder, place, named, model, signal)
    if all(track.bins.is_empty for track in tracks):
        log(f"nothing in {window} has a score: all of it is hatched", warning=True)
    kind = SIGNALS[signal]
    panels = [
        Panel(
            *track.pair,
            track.status,
            track.bins,
            track.peaks,
            track.threshold if signal == "probability" else None,
            kind.limits,
            kind.label,
        )
        for track in tracks
    ]
    if genes is None and folder is None and fasta is None:
        genes = bundled_genes()
    beneath = []
    if genes:
        beneath = genes_in(read_genes(genes, [window.chrom]), window, log)
    figure = draw_locus(window, panels, beneath, width)
    shown = ", ".join(str(track.pair) for track in tracks)
    save_figure(
        figure, out, f"Binding at {window}", f"{kind.label} and peaks of {shown}."
    )
    if as_json:
        peaks = {str(track.pair): track.peaks.tolist() for track in tracks}
        show_json({"region": str(window), "peaks": peaks, "files": [str(out)]})
        return
    print_result(str(out))


def _computed(
    place: str,
    named: Named,
    sequence: tuple[Path | None, Path | None],
    model: Model,
    signal: SignalName,
) -> tuple[Region, list[WindowTrack]]:
    """Score a place; the sequence is a FASTA, if any, and a folder for its index."""
    from tfimpute_tracks.commands import inputs
    from tfimpute_tracks.commands.evidence_report import report_evidence
    from tfimpute_tracks.genome import parse_region
    from tfimpute_tracks.tracks.windows import compute_window

    fasta, cache_dir = sequence
    chosen = inputs.choose_pairs(model.vocabulary, *named)
    _check_count(chosen)
    genome = inputs.choose_genome(fasta, model, cache_dir)
    window = parse_region(place, genome.chrom_sizes)
    report_evidence(model, genome, chosen, [window])
    return window, compute_window(model, genome, window, chosen, signal)


def _read(
    folder: Path, place: str, named: Named, model: str, signal: SignalName
) -> tuple[Region, list[WindowTrack]]:
    """Read a place of tracks in a folder: all of them, or those that are named."""
    from tfimpute_tracks.commands import inputs
    from tfimpute_tracks.genome import parse_region
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.tracks.formats import signal_chroms
    from tfimpute_tracks.tracks.track_folder import find_tracks
    from tfimpute_tracks.tracks.windows import choose_tracks, read_window
    from tfimpute_tracks.vocabulary import Vocabulary

    shelf = find_tracks(folder)
    for fault in shelf.errors:
        log(fault, warning=True)
    chosen = None
    if any(named):
        # The folder's own names as well: another model may have made its tracks.
        tfs, cells = zip(*(track.pair for track in shelf.tracks), strict=True)
        loaded = load_model(model)
        names = Vocabulary(
            list(dict.fromkeys([*tfs, *loaded.tfs])),
            list(dict.fromkeys([*cells, *loaded.cells])),
        )
        chosen = inputs.choose_pairs(names, *named)
    tracks = choose_tracks(shelf, chosen, signal)
    _check_count(tracks)
    for track in tracks:
        if not track.narrowpeak:
            log(f"{folder} has no narrowPeak of {track.pair}: no peaks are drawn")
    window = parse_region(place, signal_chroms(folder / tracks[0].signals[signal]))
    return window, read_window(folder, tracks, window, signal)


def _check_count(pairs: Sequence[object]) -> None:
    if len(pairs) > _MOST_PAIRS:
        raise UsageError(
            f"{len(pairs)} pairs in one picture; at most {_MOST_PAIRS}: name some with "
            "--pairs"
        )
