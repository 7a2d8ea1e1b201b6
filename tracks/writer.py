"""The files of one pair: its signal as it is to be drawn, and its peaks.

Scores come block by block and are not kept. Peaks are called on the probability of each
tile, whatever is drawn, and written where the probability is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.kernels.peaks import PeakCaller
from tfimpute_tracks.storage import matches, read_receipt
from tfimpute_tracks.tracks.formats import (
    FORMATS,
    PeakSet,
    SignalStyle,
    choose_formats,
    write_track,
)
from tfimpute_tracks.tracks.rendering import (
    Scores,
    TrackLayout,
    TrackOptions,
    mean_bins,
)
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "PairResult",
    "PeakThreshold",
    "describe",
    "earlier_result",
    "write_pair",
]


Floats = NDArray[np.float32]


@dataclass(frozen=True)
class PairResult:
    """What became of a pair.

    Attributes
    ----------
    pair : Pair
    files : list of Path
        In the order written, the receipt last.
    n_peaks : int
    threshold : float
        The score that called them.
    reused : bool
        True where an earlier run had already done it.
    """

    pair: Pair
    files: list[Path]
    n_peaks: int
    threshold: float
    reused: bool


class PeakThreshold(NamedTuple):
    """What calls the peaks of a pair, and what is known of it.

    Attributes
    ----------
    threshold : float
        The lowest probability of a tile that makes a peak.
    about : str
        A line for the files of peaks, from :func:`describe`; may be empty.
    """

    threshold: float
    about: str = ""


def describe(
    pair: Pair,
    status: str,
    auroc: float | None,
    interval: tuple[float, float] | None = None,
    basis: str = "sequence",
) -> str:
    """Say in a line what is known of a pair: for files that leave their folder.

    Parameters
    ----------
    pair : Pair
    status : str
        `trained` or `imputed`.
    auroc : float, optional
        On test sites, or what to expect of it.
    interval : tuple of float, optional
        Lower and upper end of what to expect.
    basis : str
        What the scores go by.

    Returns
    -------
    str
    """
    text = f"{pair.tf} in {pair.cell}, predicted from {basis}; {status}"
    if auroc is not None:
        what = "AUROC" if status == "trained" else "expected AUROC"
        text += f"; {what} {auroc:.2f}"
    if interval:
        text += f" ({interval[0]:.2f} to {interval[1]:.2f})"
    return text.replace('"', "'")


def write_pair(
    folder: Path,
    pair: Pair,
    layout: TrackLayout,
    line: PeakThreshold,
    scores: Iterable[Scores],
    rendering: TrackOptions | None = None,
    formats: Collection[str] | None = None,
) -> tuple[list[Path], int]:
    """Write a pair's signal and peaks; a bigBed only where there are peaks.

    Parameters
    ----------
    folder : Path
    pair : Pair
        Names the files, and the peaks.
    layout : TrackLayout
    line : PeakLine
    scores : iterable of Scores
        In the order of the genome; read while the signal is written. They are kept in
        memory where the signal is written in several formats.
    rendering : Drawing, optional
        By default the probability of each tile.
    formats : collection of str, optional
        As :func:`tfimpute_tracks.tracks.formats.choose_formats`.

    Returns
    -------
    files : list of Path
    n_peaks : int
        Called on the probability, whether they are written or not.

    Raises
    ------
    UsageError
        As :func:`tfimpute_tracks.tracks.formats.choose_formats`, and
        :meth:`TrackOptions.tiles_per_bin`.
    WriteError, ValidationError
        A file cannot be written, or does not read back as written.
    RunError
        No tile has a value.
    """
    rendering = rendering or TrackOptions()
    names = choose_formats(formats, rendering.signal)
    kind, sizes = rendering.kind, layout.chrom_sizes
    caller = PeakCaller(line.threshold)
    data: dict[str, Any] = {"signal": _pieces(layout, rendering, scores, caller)}
    if [FORMATS[name].kind for name in names].count("signal") != 1:
        data["signal"] = list(data["signal"])
    style = SignalStyle(kind.decimals, rendering.max_zooms, kind.column)
    stem = kind.stem(pair)
    files = []
    for name in names:  # signals first: peaks are called while one is written
        entry = FORMATS[name]
        if entry.kind == "peaks" and "peaks" not in data:
            data["peaks"] = PeakSet.collect(stem, caller.peaks(), sizes, line.about)
        dest = folder / f"{stem}{entry.suffix}"
        if write_track(name, dest, sizes, data[entry.kind], style):
            files.append(dest)
    return files, caller.count()


def _pieces(
    layout: TrackLayout,
    rendering: TrackOptions,
    scores: Iterable[Scores],
    caller: PeakCaller,
) -> Iterable[Signal]:
    """Give what is drawn, and call peaks on the way."""
    per_bin = rendering.tiles_per_bin(layout.stride)

    def drawn() -> Iterator[tuple[TileRange, Floats]]:
        for tiles, values, signal in scores:
            caller.add(*layout.signal(tiles, values))
            yield tiles, values if signal is None else signal

    if per_bin > 1:
        return mean_bins(layout, per_bin, drawn())
    return (layout.signal(*block) for block in drawn())


def earlier_result(
    receipt: Path, pair: Pair, inputs: Mapping[str, str]
) -> PairResult | None:
    """Give what an earlier run left of a pair, where a new one would only repeat it.

    Parameters
    ----------
    receipt : Path
        Where the pair's receipt is, if there is one, beside its files.
    pair : Pair
    inputs : mapping of str to str
        Digests of the inputs of the run about to start.

    Returns
    -------
    PairResult or None
        None where the receipt tells other inputs or vouches for nothing, or a file is
        not as it tells.
    """
    try:
        told = read_receipt(receipt)
    except InputFileError:
        return None  # none, or of another version, or damaged
    if not matches(told, inputs, receipt.parent):
        return None
    files = [receipt.parent / output.name for output in told.outputs]
    return PairResult(
        pair,
        [*files, receipt],
        int(str(told.parameters["peaks"])),
        float(str(told.parameters["threshold"])),
        reused=True,
    )
