"""A report of a folder of tracks: one page that needs no network and no other file.

It holds igv.js with the tracks' windows at their highest peaks, summaries of all of
them, what is known of each pair, and the receipts. Whole tracks are not in it: it can
be mailed.
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

from tfimpute_tracks.errors import RunError, listed
from tfimpute_tracks.genome import Region
from tfimpute_tracks.plots import summary
from tfimpute_tracks.storage import write_text
from tfimpute_tracks.storage.page import fill_template, script_json
from tfimpute_tracks.tracks.formats import signal_chroms
from tfimpute_tracks.tracks.signals import SIGNALS
from tfimpute_tracks.tracks.track_folder import TrackFolder, TrackRecord
from tfimpute_tracks.views.hubs.card_lookup import CardLookup
from tfimpute_tracks.views.hubs.colors import pair_colors
from tfimpute_tracks.views.hubs.excerpts import merge_windows, slice_bigwig, slice_peaks
from tfimpute_tracks.views.hubs.pages import how_to_read, origin, pair_table
from tfimpute_tracks.views.hubs.sessions import igvjs_tracks
from tfimpute_tracks.views.hubs.summary_stats import (
    count_peaks,
    count_scores,
    known_bases,
    sample_stretches,
)
from tfimpute_tracks.views.hubs.top_peaks import Place, top_places

__all__ = ["LARGEST", "write_report"]

LARGEST = 5_000_000
"""Bytes of a report at most."""
_DRAWN = 30  # pairs whose tracks are in the page
_TALLIED = 200  # pairs that the summaries go through
_HISTOGRAMS = 12
_SAMPLE = 10_000_000  # bp whose scores are counted
_PLACES = 30
_BESIDE = 5_000  # bp on each side of a peak
_RECEIPTS = 30
_EDGES = np.linspace(0, 1, 51)


def write_report(
    shelf: TrackFolder, dest: Path, knowledge: CardLookup, color_by: str = "family"
) -> Path:
    """Write the report of a folder.

    Parameters
    ----------
    shelf : Shelf
    dest : Path
        The page to write.
    knowledge : Knowledge
    color_by : str
        Of :data:`tfimpute_tracks.views.hubs.colors.COLOR_BY`.

    Returns
    -------
    Path
        `dest`.

    Raises
    ------
    InputFileError
        A file of the folder is broken.
    WriteError
        The disk is full, or the file cannot be written.
    RunError
        The report would be larger than ``LARGEST``.
    """
    tracks = shelf.tracks
    places = _places(shelf)
    parts = {
        "title": f"Predicted binding: {_named(tracks)}",
        "subtitle": f"{len(tracks):,} pairs of TF and cell line, predicted from "
        "sequence by TFImpute.",
        "look": _look(tracks, places),
        "plots": "\n".join(_plots(shelf, knowledge)),
        "pairs": pair_table(tracks, knowledge),
        "reading": how_to_read(tracks),
        "origin": origin(tracks, knowledge),
        "receipts": "\n".join(_receipts(shelf)),
        "igvjs": _script(),
        "view": script_json(_view(shelf, places, color_by)),
    }
    text = fill_template("views/hubs/report.html", parts)
    size = len(text.encode())
    if size > LARGEST:
        raise RunError(
            f"the report would have {size:,} bytes, more than {LARGEST:,}; make it of "
            "a folder with fewer pairs"
        )
    write_text(dest, text)
    return dest


def _named(tracks: list[TrackRecord]) -> str:
    return escape(listed((track.pair for track in tracks), 3))


def _look(tracks: list[TrackRecord], places: list[tuple[TrackRecord, Place]]) -> str:
    some = ""
    if len(tracks) > _DRAWN:
        some = f" of the first {_DRAWN} pairs"
    if not places:
        return "No pair has a peak: there is no place to show."
    return (
        f"Tracks{some} within {_BESIDE / 1000:g} kb of {len(places)} of the highest "
        "peaks; elsewhere they are left out of this page, and not zero."
    )


def _places(shelf: TrackFolder) -> list[tuple[TrackRecord, Place]]:
    """Take the highest peaks of each pair in turn, until there are enough."""
    drawn = shelf.tracks[:_DRAWN]
    each = -(-_PLACES // max(len(drawn), 1))
    tops = {t.pair: top_places(shelf.folder, t, each) for t in drawn}
    rounds = (
        (track, tops[track.pair][i])
        for i in range(each)
        for track in drawn
        if i < len(tops[track.pair])
    )
    return list(rounds)[:_PLACES]


def _view(
    shelf: TrackFolder, places: list[tuple[TrackRecord, Place]], color_by: str
) -> dict[str, Any]:
    """Give igv.js' own configuration, with the data in it, and the places to go to."""
    drawn = [track for track in shelf.tracks[:_DRAWN] if track.signals]
    # Tracks of one folder may come from different FASTA files.
    sizes: dict[str, int] = {}
    for track in drawn:
        sizes |= signal_chroms(shelf.folder / next(iter(track.signals.values())))
    windows = merge_windows([place.window(_BESIDE) for _, place in places], sizes)
    locus = str(places[0][1].window(_BESIDE)) if places else "all"
    # A letter and the length of each chromosome, as igv.js reads pieces of a FASTA.
    fasta = "".join(f">{c}:1-1 @len={size}\nN\n" for c, size in sizes.items())
    letters = base64.b64encode(fasta.encode()).decode("ascii")
    return {
        "browser": {
            "loadDefaultGenomes": False,
            "search": False,
            "reference": {
                "id": "tracks",
                "name": (drawn[0].build if drawn else "") or "genome",
                "wholeGenomeView": False,
                "fastaURL": f"data:text/plain;base64,{letters}",
            },
            "locus": locus,
            "tracks": list(_sliced(shelf.folder, drawn, windows, color_by)),
        },
        "places": [
            {
                "label": f"{track.pair.tf} {track.pair.cell} {place.peak} "
                f"({place.score:.3f})",
                "locus": str(place.window(_BESIDE)),
            }
            for track, place in places
        ],
    }


def _sliced(
    folder: Path, drawn: list[TrackRecord], windows: list[Region], color_by: str
) -> Iterator[dict[str, Any]]:
    """Give the tracks of a session, cut to windows and with their data inside."""
    colors = pair_colors([track.pair for track in drawn], color_by)
    narrowpeaks = {track.bigbed: track.narrowpeak for track in drawn}
    decimals = {
        file: SIGNALS[signal].decimals
        for track in drawn
        for signal, file in track.signals.items()
    }
    for track in igvjs_tracks([(t, colors[t.pair]) for t in drawn]):
        file = unquote(track.pop("url"))
        if file in decimals:
            track["url"] = slice_bigwig(folder / file, windows, decimals[file])
            if track["url"]:
                yield track
        elif narrowpeaks[file]:
            del track["format"]
            track["features"] = slice_peaks(folder / narrowpeaks[file], windows)
            yield track


def _plots(shelf: TrackFolder, knowledge: CardLookup) -> Iterator[str]:
    """Draw the summaries, each with a caption."""
    tracks = shelf.tracks[:_TALLIED]
    names = [f"{track.pair.tf} {track.pair.cell}" for track in tracks]
    kinds = [track.status for track in tracks]
    scored = [i for i, track in enumerate(tracks) if "probability" in track.signals]
    if scored:
        paths = {i: shelf.folder / tracks[i].signals["probability"] for i in scored}
        first = scored[:_HISTOGRAMS]
        stretches = sample_stretches(paths[first[0]], _SAMPLE)
        yield _figure(
            summary.score_distribution(
                [names[i] for i in first],
                _EDGES,
                [count_scores(paths[i], stretches, _EDGES) for i in first],
                [tracks[i].threshold for i in first],
            ),
            "How many tiles have which probability (a sample, where the tracks are "
            "long); the line is the threshold that calls peaks.",
        )
        known = {i: known_bases(paths[i]) for i in scored}
        peaks = {i: count_peaks(shelf.folder, tracks[i]) for i in scored}
        chroms = list(dict.fromkeys(chrom for some in known.values() for chrom in some))
        yield _figure(
            summary.peaks_per_chromosome(
                chroms,
                np.array(
                    [max(k.get(c, 0) for k in known.values()) / 1e6 for c in chroms]
                ),
                np.array([[peaks[i][c] for c in chroms] for i in scored]),
                [names[i] for i in scored],
            ),
            "Peaks per Mb of known sequence, by chromosome.",
        )
        megabases = [sum(known[i].values()) / 1e6 for i in scored]
        n_peaks = [tracks[i].n_peaks for i in scored]
        yield _figure(
            summary.known_and_imputed(
                np.array(n_peaks) / np.array(megabases), [kinds[i] for i in scored]
            ),
            "Peaks per Mb of known sequence, of pairs that were measured and of "
            "imputed ones.",
        )
    tests = escape(knowledge.test_sites(tracks))
    yield _figure(
        summary.expected_accuracy(names, [t.expected_auroc for t in tracks], kinds),
        f"Expected AUROC: of a measured pair that on {tests}; of an imputed one what "
        "to expect by what is known of its TF and its cell line.",
    )


def _figure(picture: str, caption: str) -> str:
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def _receipts(shelf: TrackFolder) -> Iterator[str]:
    paths = sorted(shelf.folder.glob("*.receipt.json"))
    for path in paths[:_RECEIPTS]:
        text = escape(path.read_text(encoding="utf-8"))
        head = f"<summary>{escape(path.name)}</summary>"
        yield f"<details>{head}<pre>{text}</pre></details>"
    if len(paths) > _RECEIPTS:
        yield f"<p>{len(paths) - _RECEIPTS:,} more lie beside the tracks.</p>"


def _script() -> str:
    """Give igv.js so that it can stand in a page."""
    script = files("tfimpute_tracks") / "views" / "data" / "igv.min.js"
    text = script.read_text(encoding="utf-8").rpartition("//# sourceMappingURL")[0]
    return text.replace("</script", "<\\/script")
