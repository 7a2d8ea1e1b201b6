"""A self-contained HTML report of a folder of tracks: no network, no other files.

It contains igv.js with the tracks around their highest peaks, summary plots, a table of
pairs with expected accuracy, and the run records. It leaves out the rest of the tracks,
so it is small enough to share.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from tfimpute_tracks.errors import RunError, counted, listed
from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.gene_regions import Genes
from tfimpute_tracks.plots import summary
from tfimpute_tracks.storage import write_text
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
from tfimpute_tracks.views.hubs.report_genes import gene_track, nearest_genes
from tfimpute_tracks.views.hubs.sessions import igvjs_tracks
from tfimpute_tracks.views.hubs.summary_stats import (
    bases_with_values,
    peaks_per_chromosome,
    sample_regions,
    score_histogram,
)
from tfimpute_tracks.views.hubs.top_peaks import TopPeak, top_peaks

__all__ = ["MAX_BYTES", "track_chroms", "write_report"]

MAX_BYTES = 5_000_000
"""Maximum size of a report."""
_MAX_SHOWN = 30  # pairs in the genome browser
_MAX_SUMMARIZED = 200  # pairs in the summary plots
_MAX_HISTOGRAMS = 12
_SAMPLE = 10_000_000  # bp whose scores are counted
_MAX_PEAKS = 30
_FLANK = 5_000  # bp shown on each side of a peak
_MAX_RECORDS = 30
_MIN_POINTS = 2  # of a plot
# Of probabilities, most of which are small; the first bin is of all lower ones.
_EDGES = np.append(0, np.geomspace(1e-4, 1, 41)[1:])


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
        "subtitle": f"{counted(len(tracks), 'pair')} of TF and cell line, predicted by "
        f"TFImpute from {basis_text(tracks)}.",
        "excerpts": _describe(tracks, peaks, locus),
        "plots": "\n".join(_plots(folder, card)),
        "pairs": pair_table(tracks, card),
        "guide": reading_guide(tracks),
        "methods": methods_section(tracks, card),
        "records": "\n".join(_records(folder.path)),
        "igvjs": _igvjs(),
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


def _describe(
    tracks: list[TrackRecord],
    peaks: list[tuple[TrackRecord, TopPeak]],
    locus: Region | None,
) -> str:
    where = f"in {locus}, and " if locus else ""
    if not peaks:
        no_region = f"only {locus}" if locus else "no region"
        return f"No pair has a peak, so {no_region} is shown."
    some = f" of the first {_MAX_SHOWN} pairs" if len(tracks) > _MAX_SHOWN else ""
    return (
        f"Tracks{some} {where}within {_FLANK / 1000:g} kb of {len(peaks)} of the highest peaks. "
        "This page has no data for other regions: an empty track there does not mean 0."
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
                "peak": str(peak.peak),
                "probability": f"{peak.score:.3f}",
                "gene": nearest_genes(genes, peak.peak) if genes else None,
                "locus": str(peak.window(_FLANK)),
            }
            for track, peak in peaks
        ],
        "asked": str(locus) if locus else None,
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


def _plots(folder: TrackFolder, card: CardLookup) -> Iterator[str]:
    """Draw the summary plots, each with a caption."""
    tracks = folder.tracks[:_MAX_SUMMARIZED]
    scored = [track for track in tracks if "probability" in track.signals]
    if scored:
        yield from _score_plots(folder.path, scored)
    if len(tracks) < _MIN_POINTS:  # the table has its value
        return
    yield _figure(
        summary.expected_accuracy(
            [_name(track) for track in tracks],
            [track.expected_auroc for track in tracks],
            [track.status for track in tracks],
        ),
        "Expected AUROC: for measured pairs, the AUROC on "
        f"{escape(card.test_sites(tracks))}; for imputed pairs, an estimate from the TF "
        "and the cell line.",
    )


def _score_plots(folder: Path, tracks: list[TrackRecord]) -> Iterator[str]:
    paths = [folder / track.signals["probability"] for track in tracks]
    names = [_name(track) for track in tracks]
    regions = sample_regions(paths[0], _SAMPLE)
    yield _figure(
        summary.score_distribution(
            names[:_MAX_HISTOGRAMS],
            _EDGES,
            [score_histogram(p, regions, _EDGES) for p in paths[:_MAX_HISTOGRAMS]],
            [track.threshold for track in tracks[:_MAX_HISTOGRAMS]],
        ),
        "Number of tiles by probability, in a sample of regions of long tracks; the first "
        "bar includes all lower ones. The line is the peak-calling threshold.",
    )
    bases = [bases_with_values(path) for path in paths]
    peaks = [peaks_per_chromosome(folder, track) for track in tracks]
    chroms = list(dict.fromkeys(chrom for counts in bases for chrom in counts))
    if len(chroms) >= _MIN_POINTS:
        yield _figure(
            summary.peaks_per_chromosome(
                chroms,
                np.array([max(n.get(c, 0) for n in bases) / 1e6 for c in chroms]),
                np.array([[counts[c] for c in chroms] for counts in peaks]),
                names,
            ),
            "Peaks per Mb of known sequence, by chromosome.",
        )
    if len(tracks) < _MIN_POINTS:
        return
    megabases = np.array([sum(counts.values()) / 1e6 for counts in bases])
    yield _figure(
        summary.peaks_by_status(
            np.array([track.n_peaks for track in tracks]) / megabases,
            [track.status for track in tracks],
        ),
        "Peaks per Mb of known sequence, of trained and imputed pairs.",
    )


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{caption}</figcaption></figure>"


def _records(folder: Path) -> Iterator[str]:
    paths = sorted(folder.glob("*.receipt.json"))
    for path in paths[:_MAX_RECORDS]:
        text = escape(path.read_text(encoding="utf-8", errors="replace"))
        summary_line = f"<summary>{escape(path.name)}</summary>"
        yield f"<details>{summary_line}<pre>{text}</pre></details>"
    if len(paths) > _MAX_RECORDS:
        yield f"<p>and {len(paths) - _MAX_RECORDS:,} more in the folder.</p>"


def _igvjs() -> str:
    """Read igv.js in a form that is valid inside a script element."""
    script = files("tfimpute_tracks") / "views" / "data" / "igv.min.js"
    text = script.read_text(encoding="utf-8").rpartition("//# sourceMappingURL")[0]
    return text.replace("</script", "<\\/script")
