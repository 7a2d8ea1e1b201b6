"""The files of one pair: its signal as it is to be drawn, and its peaks.

Scores come block by block and are not kept. Peaks are called on the probability of each
tile, whatever is drawn, and written where the probability is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.kernels.peaks import PeakCaller
from tfimpute_tracks.storage import matches, read_receipt
from tfimpute_tracks.tracks.formats import (
    PeakSet,
    write_bedgraph,
    write_bigbed,
    write_bigwig,
    write_narrowpeak,
    write_parquet,
)
from tfimpute_tracks.tracks.rendering import (
    Scores,
    TrackLayout,
    TrackOptions,
    mean_bins,
)
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "FORMATS",
    "PairResult",
    "PeakThreshold",
    "check_formats",
    "describe",
    "earlier_result",
    "usual_formats",
    "write_pair",
]

FORMATS = ("bigwig", "bed", "bigbed", "bedgraph", "parquet")
"""What a pair can be written as; `bed` is narrowPeak, `bed` and `bigbed` are peaks."""
_PEAKS = frozenset({"bed", "bigbed"})

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


def usual_formats(rendering: TrackOptions) -> frozenset[str]:
    """Give what is written unless the user says otherwise.

    Parameters
    ----------
    rendering : Drawing

    Returns
    -------
    frozenset of str
        Of :data:`FORMATS`: peaks beside the probability, not beside other signals.
    """
    if rendering.signal == "probability":
        return frozenset({"bigwig"}) | _PEAKS
    return frozenset({"bigwig"})


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


def check_formats(formats: Set[str], rendering: TrackOptions) -> None:
    """Refuse formats that are none, and peaks of another signal than the probability.

    Parameters
    ----------
    formats : set of str
    rendering : Drawing

    Raises
    ------
    UsageError
    """
    for name in sorted(formats):
        if name not in FORMATS:
            raise UsageError(f"--format {name!r}; give of {', '.join(FORMATS)}")
        if name in _PEAKS and rendering.signal != "probability":
            raise UsageError(
                f"--format {name} with --signal {rendering.signal}: peaks are those of "
                "the probability; give --signal probability, or another format"
            )


def write_pair(
    folder: Path,
    pair: Pair,
    layout: TrackLayout,
    line: PeakThreshold,
    scores: Iterable[Scores],
    rendering: TrackOptions | None = None,
    formats: Set[str] | None = None,
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
        In the order of the genome; taken while the signal is written. What comes
        several times in different formats is gone through once and kept meanwhile.
    rendering : Drawing, optional
        By default the probability of each tile.
    formats : set of str, optional
        By default :func:`usual_formats`.

    Returns
    -------
    files : list of Path
    n_peaks : int
        Called on the probability, whether they are written or not.

    Raises
    ------
    UsageError
        As :func:`check_formats`, and :meth:`TrackOptions.tiles_per_bin`.
    WriteError, ValidationError
        A file cannot be written, or does not read back as written.
    RunError
        No tile has a value.
    """
    rendering = rendering or TrackOptions()
    formats = usual_formats(rendering) if formats is None else formats
    check_formats(formats, rendering)
    caller = PeakCaller(line.threshold)
    pieces = _pieces(layout, rendering, scores, caller)
    files = []
    stem = rendering.kind.stem(pair)
    signals = [name for name in _SIGNALS if name in formats]
    if len(signals) != 1:  # several files, or none: the scores are needed all the same
        pieces = list(pieces)
    for name in signals:
        ending, write = _SIGNALS[name]
        files.append(folder / f"{stem}.{ending}")
        write(files[-1], layout, pieces, rendering)
    if not formats & _PEAKS:
        return files, caller.count()
    peaks = PeakSet.collect(stem, caller.peaks(), layout.chrom_sizes, line.about)
    if "bed" in formats:
        files.append(folder / f"{stem}.narrowPeak")
        write_narrowpeak(files[-1], peaks)
    path = folder / f"{stem}.bb"
    if "bigbed" in formats and write_bigbed(path, layout.chrom_sizes, peaks):
        files.append(path)
    return files, len(peaks)


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


def _bigwig(
    dest: Path, layout: TrackLayout, pieces: Iterable[Signal], rendering: TrackOptions
) -> None:
    sizes, decimals = layout.chrom_sizes, rendering.kind.decimals
    write_bigwig(dest, sizes, pieces, decimals, rendering.max_zooms)


def _bedgraph(
    dest: Path, layout: TrackLayout, pieces: Iterable[Signal], rendering: TrackOptions
) -> None:
    write_bedgraph(dest, layout.chrom_sizes, pieces, rendering.kind.decimals)


def _parquet(
    dest: Path, layout: TrackLayout, pieces: Iterable[Signal], rendering: TrackOptions
) -> None:
    write_parquet(dest, layout.chrom_sizes, pieces, rendering.kind.column)


_Write = Callable[[Path, TrackLayout, Iterable[Signal], TrackOptions], None]
_SIGNALS: dict[str, tuple[str, _Write]] = {
    "bigwig": ("bw", _bigwig),
    "bedgraph": ("bedGraph", _bedgraph),
    "parquet": ("parquet", _parquet),
}


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
