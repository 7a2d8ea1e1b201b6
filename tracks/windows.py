"""Tracks of a window in memory, to be drawn: computed, or read from a folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import plan_tiles
from tfimpute_tracks.errors import UsageError, listed
from tfimpute_tracks.genome import Region, Sequences, read_narrowpeak
from tfimpute_tracks.genome.signal import Bins
from tfimpute_tracks.kernels.peaks import call_peaks
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.tracks.columns import Columns
from tfimpute_tracks.tracks.formats import read_signal
from tfimpute_tracks.tracks.record import TrackRecord
from tfimpute_tracks.tracks.scan import scan_blocks
from tfimpute_tracks.tracks.signals import SIGNALS, SignalName
from tfimpute_tracks.tracks.track_folder import TrackFolder
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "WindowTrack",
    "choose_tracks",
    "common_axis",
    "compute_window",
    "read_window",
]

Ints = NDArray[np.int64]


class WindowTrack(NamedTuple):
    """A pair's track in a window.

    Attributes
    ----------
    pair : Pair
    status : str
        `measured` or `imputed`.
    threshold : float
        The probability that called the peaks.
    bins : Bins
        The signal.
    peaks : int64 array, shape (n_peaks, 2)
        Start and end.
    """

    pair: Pair
    status: str
    threshold: float
    bins: Bins
    peaks: Ints


def compute_window(
    model: Model,
    genome: Sequences,
    region: Region,
    pairs: list[Pair],
    signal: SignalName = "probability",
) -> list[WindowTrack]:
    """Score a window, and call its peaks as a scan of it does.

    Parameters
    ----------
    model : Model
    genome : Sequences
    region : Region
    pairs : list of Pair
    signal : str
        Of :data:`tfimpute_tracks.tracks.signals.SIGNALS`.

    Returns
    -------
    list of WindowTrack
        In the order of the pairs.

    Raises
    ------
    RegionError
        No tile is drawn there.
    """
    columns = Columns(model, pairs, list(map(str, pairs)), signal)
    scorer = Scorer(model, columns.required_pairs)
    stride, seq_len = scorer.stride, model.config.seq_len
    (tiles,) = plan_tiles([region], dict(genome.chrom_sizes), seq_len, stride)
    blocks = scan_blocks(scorer, genome, [tiles], reduce=columns.reduce)
    kept = np.concatenate([b.scores for b in blocks if b.scores is not None])
    found = []
    for index, pair in enumerate(pairs):
        own = [kept[:, column] for column in columns.columns_for(index)]
        scores, drawn = columns.scores(index, own)
        threshold = model.threshold(pair)
        laid = tiles.signal(drawn, stride, seq_len)
        peaks = call_peaks(laid.start, stride, scores, threshold)
        spans = np.stack([peaks.start, peaks.end], axis=1)
        status = model.status(pair)
        found.append(WindowTrack(pair, status, threshold, laid.bins(), spans))
    return found


def common_axis(signal: SignalName, tracks: list[WindowTrack]) -> tuple[float, float]:
    """Choose an axis that fits all values, and the thresholds of the probability.

    Parameters
    ----------
    signal : str
        Of :data:`tfimpute_tracks.tracks.signals.SIGNALS`.
    tracks : list of WindowTrack

    Returns
    -------
    low, high : float
    """
    highest = [
        float(np.abs(np.nan_to_num(track.bins.values)).max(initial=0))
        for track in tracks
    ]
    if signal == "probability":
        highest += [track.threshold for track in tracks]
    return SIGNALS[signal].axis(max(highest))


def choose_tracks(
    folder: TrackFolder, pairs: list[Pair] | None, signal: SignalName
) -> list[TrackRecord]:
    """Choose tracks of a folder.

    Parameters
    ----------
    folder : TrackFolder
    pairs : list of Pair, optional
        By default all that have the signal.
    signal : str
        Of :data:`tfimpute_tracks.tracks.signals.SIGNALS`.

    Returns
    -------
    list of TrackRecord
        One at least; in the order of the pairs.

    Raises
    ------
    UsageError
        A pair is not there, or has no such signal.
    """
    there = {t.pair: t for t in folder.tracks if signal in t.signals}
    missing = [pair for pair in pairs or [] if pair not in there]
    if missing or not there:
        what = f"{missing[0]}; it has it of {listed(there)}" if there else "any pair"
        raise UsageError(
            f"{folder.path} has no {signal} of {what}: `scan` or `export` it first"
        )
    return [there[pair] for pair in pairs or there]


def read_window(
    folder: Path, tracks: Iterable[TrackRecord], region: Region, signal: SignalName
) -> list[WindowTrack]:
    """Read a window of a folder's tracks.

    Parameters
    ----------
    folder : Path
    tracks : iterable of TrackRecord
        Those of :func:`choose_tracks`.
    region : Region
    signal : str

    Returns
    -------
    list of WindowTrack
        In the order of the tracks. Of peaks those that meet the region, whole; none
        where the track has no file of them.

    Raises
    ------
    InputFileError
        A file is broken, or lacks the chromosome.
    """
    found = []
    for track in tracks:
        bins = read_signal(folder / track.signals[signal], *region)
        peaks = np.empty((0, 2), dtype=np.int64)
        if track.narrowpeak:
            frame = read_narrowpeak(folder / track.narrowpeak, allow_empty=True)
            rows = frame[
                (frame["chrom"] == region.chrom)
                & (frame["end"] > region.start)
                & (frame["start"] < region.end)
            ]
            peaks = rows[["start", "end"]].to_numpy(dtype=np.int64)
        found.append(
            WindowTrack(track.pair, track.status, track.threshold, bins, peaks)
        )
    return found
