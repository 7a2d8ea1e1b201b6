"""What a folder of tracks holds, by its receipts.

`scan` and `export` leave a receipt per pair and signal. A file that no receipt vouches
for is of unknown meaning, and one that is not as its receipt tells is not whole: both
are named, and left out of what is made of the folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.storage import Receipt, read_receipt
from tfimpute_tracks.tracks.formats import FORMATS
from tfimpute_tracks.tracks.signals import SIGNALS
from tfimpute_tracks.vocabulary import Pair

__all__ = ["TrackFolder", "TrackRecord", "find_tracks"]


@dataclass(frozen=True)
class TrackRecord:
    """The files of a pair, and what is known of them.

    Attributes
    ----------
    pair : Pair
    status : str
        `trained` or `imputed`.
    threshold : float
        The score that called the peaks.
    n_peaks : int
    expected_auroc : float, optional
    expected_interval : tuple of float, optional
        Lower and upper end of what to expect of a pair without data.
    model, weights : str
        Name and digest of what scored.
    evidence_weights, basis : str
        Digest of the weights that read measured tracks, where any count, and what the
        scores go by, in words.
    build, genome : str
        The assembly by its short name, and the file the letters came from, where known.
    regions : tuple of str
        What was scored; empty where it is not told.
    signals : mapping of str to str
        Name of a signal -> name of its bigWig.
    bigbed, narrowpeak : str
        Names of the files of peaks; empty where there is none.
    """

    pair: Pair
    status: str
    threshold: float
    n_peaks: int
    expected_auroc: float | None = None
    expected_interval: tuple[float, float] | None = None
    model: str = ""
    weights: str = ""
    evidence_weights: str = ""
    basis: str = "sequence"
    build: str = ""
    genome: str = ""
    regions: tuple[str, ...] = ()
    signals: Mapping[str, str] = field(default_factory=dict)
    bigbed: str = ""
    narrowpeak: str = ""


@dataclass(frozen=True)
class TrackFolder:
    """The tracks of a folder.

    Attributes
    ----------
    path : Path
    tracks : list of TrackRecord
        One per pair, by TF and cell line.
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
        raise InputFileError(f"{folder} is no folder; give one that `scan` wrote")
    found: dict[Pair, TrackRecord] = {}
    errors: list[str] = []
    named: set[str] = set()
    for path in sorted(folder.glob("*.receipt.json")):
        try:
            receipt = read_receipt(path)
            track = _track(path, receipt)
        except InputFileError as error:
            errors.append(str(error))
            continue
        named.update(output.name for output in receipt.outputs)
        files = set(_whole_files(folder, receipt, errors))
        track = _with_files(track, receipt, files)
        if track.pair in found:
            track = _joined(found[track.pair], track)
        found[track.pair] = track
    suffixes = {entry.suffix for entry in FORMATS.values()}
    stray = (path.name for path in folder.iterdir() if path.suffix in suffixes)
    errors += [
        f"{folder / name}: no receipt tells what it is; `scan` or `export` it again"
        for name in sorted(set(stray) - named)
    ]
    tracks = [track for track in found.values() if track.signals or track.bigbed]
    if not tracks:
        first = f" ({errors[0]})" if errors else ""
        raise InputFileError(
            f"{folder} holds no bigWig or bigBed with a receipt{first}; give a folder "
            "that `scan` or `export` wrote"
        )
    return TrackFolder(folder, sorted(tracks, key=lambda track: track.pair), errors)


def _track(path: Path, receipt: Receipt) -> TrackRecord:
    told = receipt.parameters
    tf, _, cell = str(told.get("pair", "")).partition(":")
    signal = told.get("signal", "probability")
    if not (tf and cell) or signal not in SIGNALS:
        raise InputFileError(
            f"{path}: tells no pair or no signal known here; `scan` or `export` again"
        )
    try:
        auroc, regions = told.get("expected_auroc"), told.get("regions")
        return TrackRecord(
            Pair(tf, cell),
            str(told.get("status", "unknown")),
            float(str(told["threshold"])),
            int(str(told["peaks"])),
            None if auroc is None else float(str(auroc)),
            _interval(told.get("expected_auroc_interval")),
            str(told.get("model") or ""),
            str(told.get("weights") or ""),
            str(told.get("evidence_weights") or ""),
            str(told.get("basis") or "sequence"),
            str(told.get("build") or ""),
            str(told.get("genome") or ""),
            tuple(map(str, regions)) if isinstance(regions, list) else (),
        )
    except (KeyError, ValueError) as error:
        raise InputFileError(
            f"{path}: lacks what describes its track ({error}); `scan` or `export` it "
            "again"
        ) from error


def _interval(told: object) -> tuple[float, float] | None:
    if not isinstance(told, list) or len(told) != 2:
        return None
    return float(str(told[0])), float(str(told[1]))


def _whole_files(folder: Path, receipt: Receipt, errors: list[str]) -> Iterator[str]:
    """Yield the names of files that are as long as the receipt tells."""
    for output in receipt.outputs:
        path = folder / output.name
        if not path.is_file():
            errors.append(f"{path}: is missing, but a receipt names it")
        elif path.stat().st_size != output.size:
            errors.append(
                f"{path}: has {path.stat().st_size:,} bytes and not the "
                f"{output.size:,} that were written; copy or make it again"
            )
        else:
            yield output.name


def _with_files(track: TrackRecord, receipt: Receipt, files: set[str]) -> TrackRecord:
    by_suffix = {Path(name).suffix: name for name in files}
    signal = str(receipt.parameters.get("signal", "probability"))
    signals = {signal: by_suffix[".bw"]} if ".bw" in by_suffix else {}
    bigbed, narrowpeak = (by_suffix.get(name, "") for name in (".bb", ".narrowPeak"))
    return replace(track, signals=signals, bigbed=bigbed, narrowpeak=narrowpeak)


def _joined(one: TrackRecord, other: TrackRecord) -> TrackRecord:
    """Put the files of a pair's receipts together; the probability's tells more."""
    first, second = (one, other) if "probability" in one.signals else (other, one)
    return replace(
        first,
        signals={
            name: first.signals.get(name) or second.signals[name]
            for name in SIGNALS
            if name in first.signals or name in second.signals
        },
        bigbed=first.bigbed or second.bigbed,
        narrowpeak=first.narrowpeak or second.narrowpeak,
    )
