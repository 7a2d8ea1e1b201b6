"""`plot`: the tracks of a region as a figure for a paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, show_json
from tfimpute_tracks.errors import UsageError

if TYPE_CHECKING:
    from tfimpute_tracks.genome import Region
    from tfimpute_tracks.tracks.signals import SignalName
    from tfimpute_tracks.tracks.windows import WindowTrack

__all__ = ["plot"]

_MAX_PAIRS = 40
_EXAMPLE = "chr20:48,780,001-48,840,000"  # around CEBPB


class _Inputs(NamedTuple):
    """Values of --fasta, --cache-dir, --model, --evidence and --genes."""

    fasta: Path | None
    cache_dir: Path | None
    model: str
    evidence: str
    genes: Path | None


Named = tuple[str | None, str | None, str | None]  # --tf, --cell, --pairs


def plot(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder of tracks. Default: compute the scores."),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            "-r",
            "--region",
            help="Region: chr:start-end (1-based, inclusive), or a gene. Default: around "
            "CEBPB, in the bundled example region.",
        ),
    ] = None,
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    fasta: options.Fasta = None,
    genes: options.Genes = None,
    signal: options.Signal = "probability",
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Figure file: .svg, .png or .pdf.")
    ] = Path("locus.svg"),
    width: Annotated[
        float,
        typer.Option(
            min=60, max=400, help="Width in mm; a column is 89, a page is 183."
        ),
    ] = 183.0,
    model: options.ModelName = "default",
    evidence: options.Evidence = "auto",
    cache_dir: options.CacheDir = None,
    as_json: options.Json = False,
) -> None:
    """Draw the tracks, peaks and genes of a region, ready for print."""
    from tfimpute_tracks.api import inputs
    from tfimpute_tracks.genome.genes import genes_in, read_genes
    from tfimpute_tracks.plots.locus import Panel, draw_locus
    from tfimpute_tracks.plots.style import check_suffix, save_figure
    from tfimpute_tracks.storage import check_output_dir
    from tfimpute_tracks.tracks.signals import SIGNALS
    from tfimpute_tracks.tracks.windows import common_axis

    if folder is None:
        genes = inputs.known_genes(genes, fasta)
    check_suffix(out)
    check_output_dir(out.parent)
    if folder and not folder.is_dir():
        raise UsageError(
            f"{folder} is not a folder of tracks; a region is written as -r {folder}"
        )
    if region is None and (folder or fasta):
        raise UsageError("--region is missing; use -r chr:start-end")
    locus, named = region or _EXAMPLE, (tf, cell, pairs)
    if folder is None:
        given = _Inputs(fasta, cache_dir, model, evidence, genes)
        window, tracks = _compute(locus, named, given, signal)
    elif fasta or cache_dir or evidence != "auto":
        raise UsageError(
            f"--fasta, --cache-dir and --evidence do not apply to the tracks of {folder}, "
            "which are read; omit the folder to compute scores"
        )
    else:
        window, tracks = _read((folder, genes), locus, named, model, signal)
    if all(track.bins.is_empty for track in tracks):
        log(f"no position of {window} has a score: all of it is hatched", warning=True)
    kind, limits = SIGNALS[signal], common_axis(signal, tracks)
    panels = [
        Panel(
            *(*track.pair, track.status, track.bins, track.peaks),
            track.threshold if signal == "probability" else None,
            *(limits, kind.label),
        )
        for track in tracks
    ]
    shown = genes_in(read_genes(genes, [window.chrom]), window, log) if genes else []
    figure = draw_locus(window, panels, shown, width)
    names = ", ".join(str(track.pair) for track in tracks)
    description = f"{kind.label} and peaks of {names}."
    save_figure(figure, out, f"Binding at {window}", description)
    if as_json:
        peaks = {str(track.pair): track.peaks.tolist() for track in tracks}
        show_json({"region": str(window), "peaks": peaks, "files": [out]})
        return
    print_result(str(out))


def _compute(
    locus: str, named: Named, given: _Inputs, signal: SignalName
) -> tuple[Region, list[WindowTrack]]:
    """Score a region."""
    from tfimpute_tracks.api import inputs
    from tfimpute_tracks.api.evidence_choice import (
        choose_evidence,
        report_evidence,
    )
    from tfimpute_tracks.api.pair_choice import choose_pairs
    from tfimpute_tracks.genome import parse_locus
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.tracks.windows import compute_window

    model = load_model(given.model)
    chosen = choose_pairs(model.vocabulary, *named)
    _check_number(chosen)
    genome = inputs.choose_genome(given.fasta, model, given.cache_dir)
    sizes = genome.chrom_sizes
    window = parse_locus(locus, sizes, given.genes, log)
    model = choose_evidence(model, given.model, given.evidence, sizes, genome.name)
    report_evidence(model, chosen, [window])
    return window, compute_window(model, genome, window, chosen, signal)


def _read(
    given: tuple[Path, Path | None],
    locus: str,
    named: Named,
    model: str,
    signal: SignalName,
) -> tuple[Region, list[WindowTrack]]:
    """Read a region of the tracks in a folder: all of them, or the selected pairs."""
    from tfimpute_tracks.api.pair_choice import choose_pairs
    from tfimpute_tracks.genome import parse_locus
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.tracks.formats import signal_chroms
    from tfimpute_tracks.tracks.track_folder import find_tracks
    from tfimpute_tracks.tracks.windows import choose_tracks, read_window
    from tfimpute_tracks.vocabulary import Vocabulary

    folder, genes = given
    found = find_tracks(folder)
    for error in found.errors:
        log(error, warning=True)
    chosen = None
    if any(named):
        # Also the folder's own names: its tracks may be from another model.
        tfs, cells = zip(*(track.pair for track in found.tracks), strict=True)
        loaded = load_model(model)
        names = Vocabulary(
            list(dict.fromkeys([*tfs, *loaded.tfs])),
            list(dict.fromkeys([*cells, *loaded.cells])),
        )
        chosen = choose_pairs(names, *named)
    tracks = choose_tracks(found, chosen, signal)
    _check_number(tracks)
    for track in tracks:
        if not track.narrowpeak:
            log(f"{folder} has no narrowPeak of {track.pair}: no peaks are drawn")
    sizes = signal_chroms(folder / tracks[0].signals[signal])
    window = parse_locus(locus, sizes, genes, log)
    return window, read_window(folder, tracks, window, signal)


def _check_number(pairs: Sequence[object]) -> None:
    if len(pairs) > _MAX_PAIRS:
        raise UsageError(
            f"{len(pairs)} pairs in one figure; select at most {_MAX_PAIRS} with --pairs"
        )
