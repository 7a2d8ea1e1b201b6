"""The files of one pair: its signal and its peaks.

Scores come block by block and are not kept. Peaks are called on the probability of each
tile, whatever the signal is, and written with the probability.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.genome.signal import Signal, SignalPack
from tfimpute_tracks.kernels.peaks import PeakCaller
from tfimpute_tracks.storage import (
    RECEIPT_ENDING,
    read_receipt,
    remove_leftovers,
    write_receipt,
)
from tfimpute_tracks.tracks.binning import mean_bins
from tfimpute_tracks.tracks.formats import FORMATS, PeakSet, write_track
from tfimpute_tracks.tracks.record import RunRecord, TrackRecord
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "PairResult",
    "Scores",
    "clear_leftovers",
    "finish_pair",
    "lay_out",
    "receipt_path",
    "reusable",
    "write_pair",
]

# After so long nobody writes a temporary file any more.
_IDLE_SECONDS = 600.0


class Scores(NamedTuple):
    """One pair's scores of neighboring tiles, a bin per tile.

    Attributes
    ----------
    probability : Signal or SignalPack
        What peaks are called on.
    drawn : Signal or SignalPack
        What the track holds: the same, or another signal of the same bins.
    """

    probability: Signal | SignalPack
    drawn: Signal | SignalPack


@dataclass(frozen=True)
class PairResult:
    """A pair's track, written or kept.

    Attributes
    ----------
    record : TrackRecord
    files : list of Path
        In the order written, the receipt last.
    reused : bool
        True where an earlier run had already written it.
    """

    record: TrackRecord
    files: list[Path]
    reused: bool

    @property
    def pair(self) -> Pair:
        """TF and cell line."""
        return self.record.pair


def receipt_path(folder: Path, record: TrackRecord) -> Path:
    """Return where the receipt of a track is.

    Parameters
    ----------
    folder : Path
    record : TrackRecord

    Returns
    -------
    Path
    """
    return folder / f"{record.stem}{RECEIPT_ENDING}"


def clear_leftovers(folder: Path, records: Iterable[TrackRecord]) -> None:
    """Remove what a killed run left of tracks that are about to be written.

    Parameters
    ----------
    folder : Path
    records : iterable of TrackRecord
    """
    endings = [RECEIPT_ENDING, *(FORMATS[name].suffix for name in FORMATS)]
    names = {f"{record.stem}{ending}" for record in records for ending in endings}
    remove_leftovers(folder, names, _IDLE_SECONDS)


def reusable(folder: Path, record: TrackRecord) -> PairResult | None:
    """Find the track that an earlier run wrote, where a new one would only repeat it.

    Parameters
    ----------
    folder : Path
    record : TrackRecord
        Of the run about to start.

    Returns
    -------
    PairResult or None
        None where there is no receipt, its record differs in what decides the content,
        or a file is not as listed.
    """
    path = receipt_path(folder, record)
    try:
        receipt = read_receipt(path, TrackRecord)
    except InputFileError:
        return None  # none, or of another version, or damaged
    if not receipt.is_up_to_date(record, folder):
        return None
    files = [folder / output.name for output in receipt.outputs]
    return PairResult(receipt.record, [*files, path], reused=True)


def lay_out(
    record: RunRecord,
    ranges: Iterable[TileRange],
    probability: NDArray[np.float32],
    drawn: NDArray[np.float32],
) -> Scores:
    """Lay a pair's scores out along the chromosomes.

    Parameters
    ----------
    record : RunRecord
    ranges : iterable of TileRange
    probability, drawn : float32 arrays, shape (n_tiles,)
        Of the tiles of all ranges, one range after the other.

    Returns
    -------
    Scores
    """
    pack = record.signals_of(ranges, probability)
    return Scores(pack, pack._replace(values=drawn))


def write_pair(
    folder: Path,
    record: TrackRecord,
    chrom_sizes: Mapping[str, int],
    scores: Iterable[Scores],
) -> tuple[TrackRecord, list[Path]]:
    """Write a pair's signal and peaks; a bigBed only where there are peaks.

    Parameters
    ----------
    folder : Path
    record : TrackRecord
        What to write, with its options resolved.
    chrom_sizes : mapping of str to int
        Chromosome -> bp, in the order of the files.
    scores : iterable of Scores
        In the order of the genome; read while the signal is written. They are kept in
        memory where the signal is written in several formats, or in none.

    Returns
    -------
    record : TrackRecord
        With the number of peaks and the names of the files.
    files : list of Path

    Raises
    ------
    WriteError, ValidationError
        A file cannot be written, or does not read back as written.
    RunError
        No tile has a value.
    """
    caller = PeakCaller(record.threshold)
    data: dict[str, Any] = {"signal": _drawn(record, scores, caller)}
    if [FORMATS[name].kind for name in record.formats].count("signal") != 1:
        data["signal"] = list(data["signal"])
    files: dict[str, Path] = {}
    for name in record.formats:  # signals first: peaks are called while one is written
        entry = FORMATS[name]
        if entry.kind == "peaks" and "peaks" not in data:
            data["peaks"] = PeakSet.collect(
                record.stem, caller.peaks(), chrom_sizes, record.title()
            )
        dest = folder / f"{record.stem}{entry.suffix}"
        if write_track(name, dest, chrom_sizes, data[entry.kind], record.style):
            files[name] = dest
    names = {name: path.name for name, path in files.items()}
    record = replace(
        record,
        n_peaks=caller.count(),
        signals={record.signal: names["bigwig"]} if "bigwig" in names else {},
        bigbed=names.get("bigbed", ""),
        narrowpeak=names.get("bed", ""),
    )
    return record, list(files.values())


def finish_pair(
    folder: Path,
    record: TrackRecord,
    files: list[Path],
    megabases: float,
    seconds: float,
) -> PairResult:
    """Write the receipt of a track, last of its files.

    Parameters
    ----------
    folder : Path
    record : TrackRecord
    files : list of Path
    megabases, seconds : float
        Sequence read, in Mb, and wall time, in s.

    Returns
    -------
    PairResult

    Raises
    ------
    WriteError
        The disk is full, or the file cannot be written.
    """
    path = receipt_path(folder, record)
    write_receipt(path, record, files, megabases=megabases, seconds=seconds)
    return PairResult(record, [*files, path], reused=False)


def _drawn(
    record: TrackRecord, scores: Iterable[Scores], caller: PeakCaller
) -> Iterator[Signal | SignalPack]:
    """Yield the signal to draw, and call its peaks."""

    def tiles() -> Iterator[SignalPack]:
        for probability, drawn in scores:
            caller.add_pack(*probability.packed())
            yield drawn.packed()

    if record.tiles_per_bin == 1:
        return tiles()
    signals = chain.from_iterable(map(SignalPack.signals, tiles()))
    return mean_bins(signals, record.tiles_per_bin, record.offset)
