"""The tracks of a folder, by its receipts.

`scan` and `export` leave a receipt per pair and signal. Files that no receipt lists, and
files that are not as listed, are reported and left out of what is made of the folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.genome import open_bundled
from tfimpute_tracks.storage import RECEIPT_ENDING, Receipt, read_receipt
from tfimpute_tracks.tracks.formats import FORMATS
from tfimpute_tracks.tracks.record import TrackRecord
from tfimpute_tracks.tracks.signals import SIGNALS
from tfimpute_tracks.vocabulary import Pair

__all__ = ["TrackFolder", "find_tracks", "is_bundled"]


@dataclass(frozen=True)
class TrackFolder:
    """The tracks of a folder.

    Attributes
    ----------
    path : Path
    tracks : list of TrackRecord
        One per pair, by TF and cell line, with all its signals.
    errors : list of str
        What is wrong with each file that is left out.
    """

    path: Path
    tracks: list[TrackRecord]
    errors: list[str]


def find_tracks(folder: Path) -> TrackFolder:
    """Find what `scan` or `export` wrote.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    TrackFolder

    Raises
    ------
    InputFileError
        There is no such folder, or no track in it.
    """
    if not folder.is_dir():
        raise InputFileError(f"{folder} is not a folder; use one that `scan` wrote")
    found: dict[Pair, TrackRecord] = {}
    errors: list[str] = []
    listed: set[str] = set()
    for path in sorted(folder.glob(f"*{RECEIPT_ENDING}")):
        try:
            receipt = read_receipt(path, TrackRecord)
        except InputFileError as error:
            errors.append(str(error))
            continue
        listed.update(output.name for output in receipt.outputs)
        track = _with_files(receipt.record, set(_intact(folder, receipt, errors)))
        if track.pair in found:
            track = _merged(found[track.pair], track)
        found[track.pair] = track
    suffixes = {entry.suffix for entry in FORMATS.values()}
    stray = {path.name for path in folder.iterdir() if path.suffix in suffixes}
    errors += [
        f"{folder / name}: no receipt lists it; `scan` or `export` it again"
        for name in sorted(stray - listed)
    ]
    tracks = [track for track in found.values() if track.signals or track.bigbed]
    if not tracks:
        first = f" ({errors[0]})" if errors else ""
        remedy = "use a folder that `scan` or `export` wrote"
        if (folder / "shards").is_dir():
            remedy = f"`export` tracks of the bulk store first: `export {folder}`"
        raise InputFileError(
            f"{folder} contains no bigWig or bigBed with a receipt{first}; {remedy}"
        )
    return TrackFolder(folder, sorted(tracks, key=lambda track: track.pair), errors)


def _intact(
    folder: Path, receipt: Receipt[TrackRecord], errors: list[str]
) -> Iterator[str]:
    """Yield the names of files that have the size listed."""
    for output in receipt.outputs:
        path = folder / output.name
        if not path.is_file():
            errors.append(f"{path}: is missing, but a receipt lists it")
        elif path.stat().st_size != output.size:
            errors.append(
                f"{path}: has {path.stat().st_size:,} bytes instead of the "
                f"{output.size:,} that were written; copy it or write it again"
            )
        else:
            yield output.name


def _with_files(track: TrackRecord, files: set[str]) -> TrackRecord:
    """Leave out the files that are not intact."""
    return replace(
        track,
        signals={name: file for name, file in track.signals.items() if file in files},
        bigbed=track.bigbed if track.bigbed in files else "",
        narrowpeak=track.narrowpeak if track.narrowpeak in files else "",
    )


def _merged(one: TrackRecord, other: TrackRecord) -> TrackRecord:
    """Combine a pair's signals; other facts are those of the probability."""
    first, second = (one, other) if "probability" in one.signals else (other, one)
    signals = second.signals | first.signals
    return replace(
        first,
        signals={name: signals[name] for name in SIGNALS if name in signals},
        bigbed=first.bigbed or second.bigbed,
        narrowpeak=first.narrowpeak or second.narrowpeak,
    )


def is_bundled(tracks: list[TrackRecord]) -> bool:
    """Report whether tracks are of the bundled example region, whose genes are known.

    Parameters
    ----------
    tracks : list of TrackRecord

    Returns
    -------
    bool
    """
    with open_bundled() as genome:
        return bool(tracks) and all(track.genome == genome.name for track in tracks)
