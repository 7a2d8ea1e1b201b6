"""An HTML report of a folder of tracks: inputs, and one call."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.values import (
    as_path,
    check_choice,
    check_ending,
    check_model,
    check_text,
    optional_path,
)
from tfimpute_tracks.genome import bundled_genes, parse_locus
from tfimpute_tracks.genome.genes import read_genes
from tfimpute_tracks.models.loading import load_modes
from tfimpute_tracks.storage import check_output_dir
from tfimpute_tracks.tracks.track_folder import TrackFolder, find_tracks, is_bundled
from tfimpute_tracks.views.hubs.card_lookup import CardLookup
from tfimpute_tracks.views.hubs.report import track_chroms, write_report

__all__ = ["COLORS", "TrackView", "make_report"]

COLORS = ("family", "tf", "cell")
"""What pairs of one color agree in."""


class TrackView(NamedTuple):
    """What was made of a folder of tracks.

    Attributes
    ----------
    tracks : TrackFolder
        Its `errors` list the files that were left out.
    files : list of Path
    """

    tracks: TrackFolder
    files: list[Path]


def make_report(
    folder: str | Path,
    out: str | Path | None = None,
    *,
    region: str | None = None,
    genes: str | Path | None = None,
    color_by: str = "family",
    model: str | Path = "default",
) -> TrackView:
    """Write a self-contained HTML report of a folder of tracks.

    Parameters
    ----------
    folder : str or Path
        Tracks that `scan` or `export` wrote.
    out : str or Path, optional
        HTML file; by default report.html in the folder.
    region : str, optional
        What is shown first: 1-based with both ends included, or a gene.
    genes : str or Path, optional
        GTF, GFF3 or BED; by default that of the bundled example region, for its tracks.
    color_by : {"family", "tf", "cell"}
    model : str or Path
        Whose card describes the pairs.

    Returns
    -------
    TrackView

    Raises
    ------
    UsageError, RegionError, InputFileError
        A value, region or file is wrong.
    OutputError, WriteError
        The file cannot be written.

    Examples
    --------
    >>> from tfimpute_tracks.api.reporting import make_report
    >>> [path.name for path in make_report("tracks").files]
    ['report.html']
    """
    source, known = as_path(folder, "folder"), optional_path(genes, "genes")
    path = optional_path(out, "out") or source / "report.html"
    check_ending(path, ".html")
    check_model(model)
    check_text(region, "region")
    check_choice(color_by, "color_by", COLORS)
    card = CardLookup(load_modes(model))
    tracks = find_tracks(source)
    check_output_dir(path.parent)
    sizes = track_chroms(tracks)
    if known is None and is_bundled(tracks.tracks):
        known = bundled_genes()
    locus = parse_locus(region, sizes, known, log) if region else None
    shown = read_genes(known, sizes) if known else None
    write_report(tracks, path, card, color_by, locus=locus, genes=shown)
    return TrackView(tracks, [path])
