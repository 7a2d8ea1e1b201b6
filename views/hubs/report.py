"""A self-contained HTML report of a folder of tracks: no network, no other files.

It contains igv.js with the tracks around their highest peaks, summary plots, a table of
pairs with expected accuracy, and the receipts. It leaves out the rest of the tracks,
so it is small enough to share.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tfimpute_tracks.errors import RunError, counted, listed, size_text
from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.gene_regions import Genes
from tfimpute_tracks.storage import RECEIPT_ENDING, write_text
from tfimpute_tracks.storage.page import fill_template, script_json
from tfimpute_tracks.tracks.formats import signal_chroms
from tfimpute_tracks.tracks.record import TrackRecord
from tfimpute_tracks.tracks.signals import SIGNALS
from tfimpute_tracks.tracks.track_folder import TrackFolder
from tfimpute_tracks.views.hubs.card_lookup import CardLookup
from tfimpute_tracks.views.hubs.colors import pair_colors
from tfimpute_tracks.views.hubs.excerpts import (
    bigwig_excerpt,
    merge_windows,
    peak_excerpt,
)
from tfimpute_tracks.views.hubs.pages import (
    basis_text,
    methods_section,
    pair_table,
    reading_guide,
)
from tfimpute_tracks.views.hubs.report_genes import (
    gene_track,
    genes_at,
    nearest_genes,
)
from tfimpute_tracks.views.hubs.report_plots import plots_section
from tfimpute_tracks.views.hubs.sessions import igvjs_tracks
from tfimpute_tracks.views.hubs.top_peaks import TopPeak, peak_scores, top_peaks
from tfimpute_tracks.views.hubs.trust import trust_panel

__all__ = ["MAX_BYTES", "track_chroms", "write_report"]

MAX_BYTES = 5_000_000
"""Maximum size of a report."""
_MAX_SHOWN = 30  # pairs in the genome browser
_MAX_PEAKS = 30
_MAX_NAMED = 6  # pairs in a sentence
_FLANK = 5_000  # bp shown on each side of a peak
_MAX_RECORDS = 30


def write_report(
    folder: TrackFolder,
    path: Path,
    card: CardLookup,
    color_by: str = "family",
    max_bytes: int = MAX_BYTES,
    locus: Region | None = None,
    genes: Genes | None = None,
) -> Path:
    """Write the report of a folder.

    Parameters
    ----------
    folder : TrackFolder
    path : Path
        HTML file to write.
    card : CardLookup
        Card of the model that made the tracks.
    color_by : {"family", "tf", "cell"}
        Pairs that agree in this have the same color.
    max_bytes : int
        Maximum size of the file.
    locus : Region, optional
        Shown first.
    genes : mapping of str to sequence of Gene, optional
        By chromosome.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    InputFileError
        A file of the folder is broken.
    WriteError
        The disk is full, or the file cannot be written.
    RunError
        The report would be larger than `max_bytes`.
    """
    tracks = folder.tracks
    peaks = _highest_peaks(folder)
    values = {
        "title": f"Predicted TF binding: {escape(listed(map(_name, tracks), 3))}",
        "subtitle": _subtitle(tracks),
        "where": _where(peaks, locus, genes),
        "excerpts": _describe(folder, peaks, locus),
        "trust": trust_panel(tracks, card),
        "plots": plots_section(folder, card),
        "pairs": pair_table(tracks, card),
        "guide": reading_guide(tracks),
        "methods": methods_section(tracks, card),
        "records": "\n".join(_records(folder.path)),
        "igvjs": _igvjs(),
        "igvcss": _data("igv-narrow.css"),
        "view": script_json(_view(folder, peaks, color_by, locus, genes)),
    }
    text = fill_template("views/hubs/report.html", values)
    size = len(text.encode())
    if size > max_bytes:
        raise RunError(
            f"the report would have {size:,} bytes, more than {max_bytes:,}; use a "
            f"folder with fewer pairs{', or a shorter --region' if locus else ''}"
        )
    write_text(path, text)
    return path


def _name(track: TrackRecord) -> str:
    return f"{track.pair.tf} {track.pair.cell}"


def _subtitle(tracks: list[TrackRecord]) -> str:
    spans = dict.fromkeys(text for track in tracks for text in track.regions)
    regions = [_with_commas(text) for text in spans]
    builds = sorted({track.build or track.genome for track in tracks} - {""})
    where = f" in {escape(listed(regions, 3))}" if regions else ""
    of = f" of {escape(listed(builds))}" if builds else ""
    return (
        f"{counted(len(tracks), 'pair')} of TF and cell line{where}{of}, predicted by "
        f"TFImpute from {basis_text(tracks)}."
    )


def _where(
    peaks: list[tuple[TrackRecord, TopPeak]], locus: Region | None, genes: Genes | None
) -> str:
    """Head the tracks: the region that was asked for, by its genes."""
    highest = "the highest peaks" if peaks else ""
    if locus is None:
        return f"Tracks around {highest}" if peaks else "Tracks"
    name = genes_at(genes, locus) if genes else ""
    shown = escape(f"{name} ({_readable(locus)})" if name else _readable(locus))
    return f"{shown}, and {highest}" if peaks else shown


def _with_commas(text: str) -> str:
    """Write the positions of a receipt's region as a reader expects them."""
    chrom, colon, span = text.rpartition(":")
    return f"{chrom}{colon}{re.sub('[0-9]+', lambda n: f'{int(n[0]):,}', span)}"


def _readable(region: Region) -> str:
    return f"{region.chrom}:{region.start + 1:,}-{region.end:,}"


def _peaks_at(folder: TrackFolder, locus: Region) -> str:
    """Say which of the pairs have a peak in the region that was asked for."""
    found, none = [], []
    for track in folder.tracks[:_MAX_SHOWN]:
        scores = peak_scores(folder.path, track, locus)
        if scores:
            n_peaks = counted(len(scores), "peak")
            found.append(f"{_name(track)} {n_peaks} (up to {max(scores):.3f})")
        else:
            none.append(_name(track))
    parts = [f"{listed(found, _MAX_NAMED)}."] if found else []
    if none:
        parts.append(f"No peak of {listed(none, _MAX_NAMED)}.")
    return escape(f"In the region asked for: {' '.join(parts)} ")


def _describe(
    folder: TrackFolder,
    peaks: list[tuple[TrackRecord, TopPeak]],
    locus: Region | None,
) -> str:
    tracks = folder.tracks
    where = f"in {_readable(locus)}, and " if locus else ""
    if not peaks:
        no_region = f"only {_readable(locus)}" if locus else "no region"
        return f"No pair has a peak, so {no_region} is shown."
    some = f" of the first {_MAX_SHOWN} pairs" if len(tracks) > _MAX_SHOWN else ""
    asked = _peaks_at(folder, locus) if locus else ""
    return (
        f"{asked}Tracks{some} {where}within {size_text(_FLANK)} of {len(peaks)} of the "
        "highest peaks. This page has no data for other regions: an empty track there "
        "does not mean 0."
    )


def _highest_peaks(folder: TrackFolder) -> list[tuple[TrackRecord, TopPeak]]:
    """Choose the highest peaks of all pairs: each pair's first, then its second, ..."""
    shown = folder.tracks[:_MAX_SHOWN]
    n = -(-_MAX_PEAKS // max(len(shown), 1))
    ranked = [
        (rank, track, peak)
        for track in shown
        for rank, peak in enumerate(top_peaks(folder.path, track, n))
    ]
    ranked.sort(key=lambda entry: entry[0])
    return [(track, peak) for _, track, peak in ranked[:_MAX_PEAKS]]


def _view(
    folder: TrackFolder,
    peaks: list[tuple[TrackRecord, TopPeak]],
    color_by: str,
    locus: Region | None,
    genes: Genes | None,
) -> dict[str, Any]:
    """Make the configuration of igv.js, with its data, and the list of peaks."""
    shown = [track for track in folder.tracks[:_MAX_SHOWN] if track.signals]
    sizes = track_chroms(folder)
    around = [peak.window(_FLANK) for _, peak in peaks]
    windows = merge_windows([*([locus] if locus else []), *around], sizes)
    tracks = list(_excerpts(folder.path, shown, windows, color_by))
    if genes:
        tracks.insert(0, gene_track(genes, windows))
    first = locus or (around[0] if peaks else None)
    # igv.js accepts a FASTA of excerpts: here one base and the chromosome's length.
    fasta = "".join(f">{c}:1-1 @len={size}\nN\n" for c, size in sizes.items())
    encoded = base64.b64encode(fasta.encode()).decode("ascii")
    return {
        "browser": {
            "loadDefaultGenomes": False,
            "search": False,
            "reference": {
                "id": "tracks",
                "name": (shown[0].build if shown else "") or "genome",
                "wholeGenomeView": False,
                "fastaURL": f"data:text/plain;base64,{encoded}",
            },
            "locus": str(first) if first else "all",
            "tracks": tracks,
        },
        "peaks": [
            {
                "pair": _name(track),
                "peak": _readable(peak.peak),
                "probability": f"{peak.score:.3f}",
                "gene": nearest_genes(genes, peak.peak) if genes else None,
                "locus": str(peak.window(_FLANK)),
            }
            for track, peak in peaks
        ],
        "asked": str(locus) if locus else None,
        "shown": _readable(locus) if locus else None,
    }


def track_chroms(folder: TrackFolder) -> dict[str, int]:
    """Read the chromosomes of the tracks that a report shows.

    Parameters
    ----------
    folder : TrackFolder

    Returns
    -------
    dict of str to int
        Lengths in bp.

    Raises
    ------
    InputFileError
        A file of the folder is broken.
    """
    # Tracks of one folder may come from different FASTA files.
    sizes: dict[str, int] = {}
    for track in folder.tracks[:_MAX_SHOWN]:
        if track.signals:
            sizes |= signal_chroms(folder.path / next(iter(track.signals.values())))
    return sizes


def _excerpts(
    folder: Path, shown: list[TrackRecord], windows: list[Region], color_by: str
) -> Iterator[dict[str, Any]]:
    """Yield the tracks of a session, with the data of the windows in them."""
    colors = pair_colors([track.pair for track in shown], color_by)
    narrowpeaks = {track.bigbed: track.narrowpeak for track in shown}
    decimals = {
        file: SIGNALS[signal].decimals
        for track in shown
        for signal, file in track.signals.items()
    }
    for track in igvjs_tracks([(t, colors[t.pair]) for t in shown]):
        file = unquote(track.pop("url"))
        if file in decimals:
            track["url"] = bigwig_excerpt(folder / file, windows, decimals[file])
            if track["url"]:
                yield track
        elif narrowpeaks[file]:
            del track["format"]
            track["features"] = peak_excerpt(folder / narrowpeaks[file], windows)
            yield track


def _records(folder: Path) -> Iterator[str]:
    paths = sorted(folder.glob(f"*{RECEIPT_ENDING}"))
    for path in paths[:_MAX_RECORDS]:
        text = escape(path.read_text(encoding="utf-8", errors="replace"))
        summary_line = f"<summary>{escape(path.name)}</summary>"
        yield f"<details>{summary_line}<pre>{text}</pre></details>"
    if len(paths) > _MAX_RECORDS:
        yield f"<p>and {len(paths) - _MAX_RECORDS:,} more in the folder.</p>"


def _igvjs() -> str:
    """Read igv.js in a form that is valid inside a script element."""
    text = _data("igv.min.js").rpartition("//# sourceMappingURL")[0]
    return text.replace("</script", "<\\/script")


def _data(name: str) -> str:
    file = files("tfimpute_tracks") / "views" / "data" / name
    return file.read_text(encoding="utf-8")
