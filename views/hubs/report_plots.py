"""Summary plots of a report. A plot of a single point is left out: a table has its value."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

import numpy as np

from tfimpute_tracks.plots import summary
from tfimpute_tracks.tracks.record import TrackRecord
from tfimpute_tracks.tracks.track_folder import TrackFolder
from tfimpute_tracks.views.hubs.card_lookup import CardLookup
from tfimpute_tracks.views.hubs.summary_stats import (
    bases_with_values,
    peaks_per_chromosome,
    sample_regions,
    score_histogram,
)

__all__ = ["plots_section"]

_MAX_SUMMARIZED = 200  # pairs in the summary plots
_MAX_HISTOGRAMS = 12
_SAMPLE = 10_000_000  # bp whose scores are counted
_MIN_POINTS = 2  # of a plot
# Of probabilities, most of which are small; the first bin is of all lower ones.
_EDGES = np.append(0, np.geomspace(1e-4, 1, 41)[1:])


def plots_section(folder: TrackFolder, card: CardLookup) -> str:
    """Draw the summary plots under a heading that says what they show.

    Parameters
    ----------
    folder : TrackFolder
    card : CardLookup

    Returns
    -------
    str
        HTML; empty where there is nothing to draw.

    Raises
    ------
    InputFileError
        A file of the folder is broken.
    """
    plots = dict(_plots(folder, card))
    if not plots:
        return ""
    shown = "\n".join(plots.values())
    *first, last = plots
    title = f"{', '.join(first)} and {last}" if first else last
    return f"""<h2>{title[0].upper()}{title[1:]}</h2>
<section class="plots">
{shown}
</section>"""


def _plots(folder: TrackFolder, card: CardLookup) -> Iterator[tuple[str, str]]:
    """Draw the summary plots, each with what it shows and a caption."""
    tracks = folder.tracks[:_MAX_SUMMARIZED]
    scored = [track for track in tracks if "probability" in track.signals]
    if scored:
        yield from _score_plots(folder.path, scored)
    if sum(t.expected_auroc is not None for t in tracks) < _MIN_POINTS:
        return  # the table has its value
    yield (
        "expected accuracy",
        _figure(
            summary.expected_accuracy(
                [_name(track) for track in tracks],
                [track.expected_auroc for track in tracks],
                [track.status for track in tracks],
            ),
            "Expected AUROC: for measured pairs, the AUROC on "
            f"{escape(card.test_sites(tracks))}; for imputed pairs, an estimate from the TF "
            "and the cell line.",
        ),
    )


def _score_plots(folder: Path, tracks: list[TrackRecord]) -> Iterator[tuple[str, str]]:
    paths = [folder / track.signals["probability"] for track in tracks]
    names = [_name(track) for track in tracks]
    regions = sample_regions(paths[0], _SAMPLE)
    yield (
        "distribution of probabilities",
        _figure(
            summary.score_distribution(
                names[:_MAX_HISTOGRAMS],
                _EDGES,
                [score_histogram(p, regions, _EDGES) for p in paths[:_MAX_HISTOGRAMS]],
                [track.threshold for track in tracks[:_MAX_HISTOGRAMS]],
            ),
            "Number of tiles by probability, in a sample of regions of long tracks; the first "
            "bar includes all lower ones. The line is the peak-calling threshold.",
        ),
    )
    bases = [bases_with_values(path) for path in paths]
    peaks = [peaks_per_chromosome(folder, track) for track in tracks]
    chroms = list(dict.fromkeys(chrom for counts in bases for chrom in counts))
    if len(chroms) >= _MIN_POINTS:
        yield (
            "peaks by chromosome",
            _figure(
                summary.peaks_per_chromosome(
                    chroms,
                    np.array([max(n.get(c, 0) for n in bases) / 1e6 for c in chroms]),
                    np.array([[counts[c] for c in chroms] for counts in peaks]),
                    names,
                ),
                "Peaks per Mb of known sequence, by chromosome.",
            ),
        )
    n_measured = sum(track.status == "measured" for track in tracks)
    if min(n_measured, len(tracks) - n_measured) < _MIN_POINTS:
        return  # nothing to compare
    megabases = np.array([sum(counts.values()) / 1e6 for counts in bases])
    yield (
        "peaks of measured and imputed pairs",
        _figure(
            summary.peaks_by_status(
                np.array([track.n_peaks for track in tracks]) / megabases,
                [track.status for track in tracks],
            ),
            "Peaks per Mb of known sequence, of measured and imputed pairs.",
        ),
    )


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{caption}</figcaption></figure>"


def _name(track: TrackRecord) -> str:
    return f"{track.pair.tf} {track.pair.cell}"
