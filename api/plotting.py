"""The tracks of a region as a figure: inputs, and one call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.api.evidence_choice import (
    check_evidence,
    choose_evidence,
    report_evidence,
)
from tfimpute_tracks.api.inputs import check_bundled, choose_genome, known_genes
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.pair_choice import Pairs, choose_pairs
from tfimpute_tracks.api.values import (
    as_path,
    check_choice,
    check_model,
    check_number,
    check_texts,
    optional_path,
)
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome import Region, parse_locus
from tfimpute_tracks.genome.genes import genes_in, read_genes
from tfimpute_tracks.models import load_model
from tfimpute_tracks.plots.locus import Panel, draw_locus
from tfimpute_tracks.plots.style import check_suffix, save_figure
from tfimpute_tracks.storage import check_output_dir
from tfimpute_tracks.tracks.formats import signal_chroms
from tfimpute_tracks.tracks.signals import SIGNALS, SignalName
from tfimpute_tracks.tracks.track_folder import TrackFolder, find_tracks, is_bundled
from tfimpute_tracks.tracks.windows import (
    WindowTrack,
    choose_tracks,
    common_axis,
    compute_window,
    read_window,
)
from tfimpute_tracks.vocabulary import Vocabulary

__all__ = ["PlottedRegion", "plot_region"]

_MAX_PAIRS = 40
_EXAMPLE = "chr20:48,780,001-48,840,000"  # around CEBPB
_Named = tuple[str | None, str | None, Pairs | None]  # tf, cell, pairs


class PlottedRegion(NamedTuple):
    """What a figure shows.

    Attributes
    ----------
    region : Region
    tracks : list of WindowTrack
        With the peaks of each pair.
    file : Path
    """

    region: Region
    tracks: list[WindowTrack]
    file: Path


class _Inputs(NamedTuple):
    """What scores are computed from."""

    fasta: Path | None
    cache_dir: Path | None
    model: str | Path
    evidence: str | Path
    genes: Path | None


def plot_region(
    out: str | Path,
    region: str | None = None,
    *,
    folder: str | Path | None = None,
    tf: str | None = None,
    cell: str | None = None,
    pairs: Pairs | None = None,
    fasta: str | Path | None = None,
    genes: str | Path | None = None,
    signal: SignalName = "probability",
    width: float = 183.0,
    model: str | Path = "default",
    evidence: str | Path = "auto",
    cache_dir: str | Path | None = None,
) -> PlottedRegion:
    """Draw the tracks, peaks and genes of a region, ready for print.

    Parameters
    ----------
    out : str or Path
        Figure file: .svg, .png or .pdf.
    region : str, optional
        1-based with both ends included, or a gene; by default around CEBPB, in the
        bundled example region.
    folder : str or Path, optional
        Tracks that `scan` or `export` wrote; by default scores are computed.
    tf, cell : str, optional
        One pair.
    pairs : optional
        As for :meth:`tfimpute_tracks.Model.scan`; at most 40. Of a folder, all by
        default.
    fasta : str or Path, optional
        None: the bundled example region.
    genes : str or Path, optional
        GTF, GFF3 or BED; by default those of the bundled example region, if that is
        shown.
    signal : {"probability", "score", "log-odds", "specificity"}
    width : float
        In mm, 60 to 400.
    model : str or Path
    evidence : str or Path
        `auto`, `none`, or a file.
    cache_dir : str or Path, optional

    Returns
    -------
    PlottedRegion

    Raises
    ------
    UsageError, UnknownNameError, RegionError, InputFileError
        A value, name, region or file is wrong.
    OutputError, WriteError
        The figure cannot be written.

    Examples
    --------
    >>> from tfimpute_tracks.api.plotting import plot_region
    >>> done = plot_region(
    ...     "locus.svg", "chr20:48,595,001-48,605,000", tf="CTCF", cell="K562"
    ... )
    >>> len(done.tracks[0].peaks), done.file.name
    (2, 'locus.svg')
    """
    path, source = as_path(out, "out"), optional_path(folder, "folder")
    fasta, cache_dir = (
        optional_path(fasta, "fasta"),
        optional_path(cache_dir, "cache_dir"),
    )
    known = optional_path(genes, "genes")
    check_model(model)
    check_texts(region=region, tf=tf, cell=cell)
    check_choice(signal, "signal", SIGNALS)
    check_number(width, "width", 60, 400)
    given: object = evidence  # whatever a caller without a type checker passes
    if source is None or not isinstance(given, str | Path):
        check_evidence(given)
    check_suffix(path)
    check_output_dir(path.parent)
    if source and not source.is_dir():
        raise UsageError(
            f"{source} is not a folder of tracks; a region is written as -r {source}"
        )
    found = find_tracks(source) if source else None
    is_example = is_bundled(found.tracks) if found else not fasta
    if region is None and not is_example:
        raise UsageError("--region is missing; use -r chr:start-end")
    known = known_genes(known, None if is_example else source or fasta)
    locus, named = region or _EXAMPLE, (tf, cell, pairs)
    if found is None:
        inputs = _Inputs(fasta, cache_dir, model, evidence, known)
        window, tracks = _compute(locus, named, inputs, signal)
    elif fasta or cache_dir or evidence != "auto":
        raise UsageError(
            f"--fasta, --cache-dir and --evidence do not apply to the tracks of {source}, "
            "which are read; omit the folder to compute scores"
        )
    else:
        window, tracks = _read(found, known, locus, named, model, signal)
    _draw(window, tracks, signal, known, width, path)
    return PlottedRegion(window, tracks, path)


def _draw(
    window: Region,
    tracks: list[WindowTrack],
    signal: SignalName,
    genes: Path | None,
    width: float,
    out: Path,
) -> None:
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


def _compute(
    locus: str, named: _Named, given: _Inputs, signal: SignalName
) -> tuple[Region, list[WindowTrack]]:
    """Score a region."""
    model = load_model(given.model)
    chosen = choose_pairs(model.vocabulary, *named)
    _check_number(chosen)
    genome = choose_genome(given.fasta, model, given.cache_dir)
    sizes = genome.chrom_sizes
    window = parse_locus(locus, sizes, given.genes, log)
    if given.fasta is None:
        check_bundled([window])
    model = choose_evidence(model, given.model, given.evidence, sizes, genome.name)
    report_evidence(model, chosen, [window])
    return window, compute_window(model, genome, window, chosen, signal)


def _read(
    found: TrackFolder,
    genes: Path | None,
    locus: str,
    named: _Named,
    model: str | Path,
    signal: SignalName,
) -> tuple[Region, list[WindowTrack]]:
    """Read a region of the tracks in a folder: all of them, or the selected pairs."""
    folder = found.path
    for error in found.errors:
        log(error, warning=True)
    chosen = None
    if any(name is not None for name in named):
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
