"""Sessions of IGV and igv.js, which open a folder of tracks in one step.

Files are named relative to the session, so the folder can be moved and shared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote
from xml.etree import ElementTree

from tfimpute_tracks.storage import write_text
from tfimpute_tracks.tracks.record import TrackRecord
from tfimpute_tracks.tracks.signals import shared_axis
from tfimpute_tracks.tracks.track_folder import TrackFolder
from tfimpute_tracks.views.hubs.colors import pair_colors
from tfimpute_tracks.views.hubs.top_peaks import initial_locus
from tfimpute_tracks.views.hubs.trackdb import rgb

__all__ = ["SESSION_MAX_TRACKS", "igv_session", "igvjs_tracks", "write_sessions"]

SESSION_MAX_TRACKS = 50
"""Maximum number of pairs in a session, about what fits on a screen."""
_FLANK = 10_000  # bp on each side of the peak that a session opens at
_HEIGHT, _PEAKS_HEIGHT = 60, 25  # pixels
_NEGATIVE_COLOR = "#7f7f7f"


def write_sessions(
    folder: TrackFolder, genome: str, color_by: str = "family", fasta: str | None = None
) -> list[Path]:
    """Write a session of IGV and one of igv.js into the folder of the tracks.

    Parameters
    ----------
    folder : TrackFolder
        The first ``SESSION_MAX_TRACKS`` pairs are shown.
    genome : str
        Name of an assembly that the viewers have, such as `hg19`.
    color_by : {"family", "tf", "cell"}
        Pairs that agree in this have the same color.
    fasta : str, optional
        Path of a FASTA file relative to the folder, in place of the viewers' genome.

    Returns
    -------
    list of Path

    Raises
    ------
    WriteError
        The disk is full, or a file cannot be written.
    InputFileError
        A narrowPeak file is broken.
    """
    locus = initial_locus(folder, _FLANK)
    colors = pair_colors([track.pair for track in folder.tracks], color_by)
    tracks = [(t, colors[t.pair]) for t in folder.tracks[:SESSION_MAX_TRACKS]]
    files = [folder.path / "igv.session.xml", folder.path / "igvjs.session.json"]
    session = _reference(folder.path, genome, fasta)
    session |= {"locus": locus, "tracks": igvjs_tracks(tracks)}
    write_text(files[0], igv_session(tracks, fasta or genome, locus))
    write_text(files[1], json.dumps(session, indent=2))
    return files


def _reference(folder: Path, genome: str, fasta: str | None) -> dict[str, Any]:
    """Describe the reference genome to igv.js."""
    if fasta is None:
        return {"genome": genome}
    reference: dict[str, Any] = {"id": genome, "fastaURL": quote(fasta)}
    if (folder / f"{fasta}.fai").exists():
        reference["indexURL"] = quote(f"{fasta}.fai")
    else:  # igv.js then reads the whole file
        reference["indexed"] = False
    return {"reference": reference}


class _File(NamedTuple):
    """A file of a session, and how it is shown; peaks have no limits."""

    name: str
    file: str
    color: str
    limits: tuple[float, float] | None
    threshold: float | None = None

    @property
    def summary(self) -> str:
        """How a pixel summarizes its bins, in the words of both viewers."""
        return "max" if self.limits and self.limits[0] == 0 else "mean"


def _files(tracks: list[tuple[TrackRecord, str]]) -> Iterator[_File]:
    thresholds = [track.threshold for track, _ in tracks]
    for track, color in tracks:
        name = f"{track.pair.tf} {track.pair.cell}"
        for signal, file in track.signals.items():
            suffix = "" if signal == "probability" else f" {signal}"
            limits = shared_axis(signal, thresholds)
            line = track.threshold if signal == "probability" else None
            yield _File(name + suffix, file, color, limits, line)
        if track.bigbed:
            yield _File(f"{name} peaks", track.bigbed, color, None)


def igv_session(tracks: list[tuple[TrackRecord, str]], genome: str, locus: str) -> str:
    """Write a session of IGV Desktop.

    Parameters
    ----------
    tracks : list of (TrackRecord, str)
        With colors as ``#RRGGBB``.
    genome : str
        Name of an assembly, or path of a FASTA file relative to the folder.
    locus : str

    Returns
    -------
    str
        XML.
    """
    session = ElementTree.Element(
        "Session", genome=genome, locus=locus, version="8", hasGeneTrack="true"
    )
    resources = ElementTree.SubElement(session, "Resources")
    panel = ElementTree.SubElement(
        session, "Panel", name="DataPanel", height="800", width="1200"
    )
    for shown in _files(tracks):
        ElementTree.SubElement(resources, "Resource", path=shown.file)
        track = ElementTree.SubElement(
            panel,
            "Track",
            id=shown.file,
            name=shown.name,
            color=rgb(shown.color),
            visible="true",
        )
        if shown.limits is None:
            track.attrib |= {"displayMode": "COLLAPSED", "height": str(_PEAKS_HEIGHT)}
            continue
        track.attrib |= {
            "altColor": rgb(_NEGATIVE_COLOR),
            "autoScale": "false",
            "height": str(_HEIGHT),
            "renderer": "BAR_CHART",
            "windowFunction": shown.summary,
        }
        low, high = shown.limits
        ElementTree.SubElement(
            track,
            "DataRange",
            type="LINEAR",
            minimum=f"{low:g}",
            baseline="0",
            maximum=f"{high:g}",
            drawBaseline="true",
            flipAxis="false",
        )
    ElementTree.indent(session)
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
        + ElementTree.tostring(session, encoding="unicode")
        + "\n"
    )


def igvjs_tracks(tracks: list[tuple[TrackRecord, str]]) -> list[dict[str, Any]]:
    """Describe tracks to igv.js.

    Parameters
    ----------
    tracks : list of (TrackRecord, str)
        With colors as ``#RRGGBB``.

    Returns
    -------
    list of dict
        JSON values.
    """
    described: list[dict[str, Any]] = []
    for shown in _files(tracks):
        settings: dict[str, Any] = {
            "name": shown.name,
            "url": quote(shown.file),
            "color": shown.color,
        }
        if shown.limits is None:
            settings |= {"type": "annotation", "format": "bigbed"}
            settings |= {"displayMode": "COLLAPSED", "height": _PEAKS_HEIGHT}
        else:
            low, high = shown.limits
            settings |= {"type": "wig", "format": "bigwig", "min": low, "max": high}
            settings |= {"altColor": _NEGATIVE_COLOR, "height": _HEIGHT}
            settings["windowFunction"] = shown.summary
            if shown.threshold is not None:
                line = {"y": shown.threshold, "color": _NEGATIVE_COLOR, "dotted": True}
                settings["guideLines"] = [line]
        described.append(settings)
    return described
