"""Peaks of any format, merged to one BED or narrowPeak file per track."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from tfimpute_tracks.downloads.track import DownloadedTrack, TrackFile
from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.genome import merge_intervals, read_bed, read_narrowpeak
from tfimpute_tracks.genome.many_tracks import (
    Key,
    find_layout,
    first_rows,
    read_keys,
)
from tfimpute_tracks.genome.track_files import is_binary
from tfimpute_tracks.storage import atomic_file, check_output_dir
from tfimpute_tracks.storage.table import read_lines
from tfimpute_tracks.tracks.formats.reading import (
    open_bbi_file,
    read_signal,
    signal_chroms,
    without_panics,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MAX_GAP", "MIN_LENGTH", "call_signal_peaks", "read_peaks", "write_tracks"]

MAX_GAP = 30
"""bp below the threshold that do not end a peak of a signal: as `macs3 bdgpeakcall`."""
MIN_LENGTH = 200
"""Shorter peaks of a signal, in bp, are dropped: as `macs3 bdgpeakcall`."""

_NARROW = 10  # columns
_COLUMNS = ["chrom", "start", "end", "signal", "summit"]


def write_tracks(
    tracks: Sequence[DownloadedTrack],
    folder: Path,
    threshold: float | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> list[TrackFile]:
    """Give every track one file of peaks.

    Parameters
    ----------
    tracks : sequence of DownloadedTrack
    folder : Path
        Gets `TF.CELL.bed` or `TF.CELL.narrowPeak` of tracks that are not yet a file of
        their own; made if it is missing.
    threshold : float, optional
        Lowest value of a bigWig in a peak.
    advance : callable
        Called with the number of tracks done since the last call.

    Returns
    -------
    list of TrackFile
        In the order of the tracks.

    Raises
    ------
    InputFileError
        A file cannot be read, or a track has none.
    UsageError
        A bigWig, and no threshold.
    """
    lists = [entry for track in tracks for entry in track.entries if entry.path is None]
    if lists:
        raise InputFileError(
            f"{lists[0].tf} in {lists[0].cell} is from a list of names, which has no "
            "peaks; download the files that it lists into its "
            "folder, or use --dry-run to see how its names are matched"
        )
    check_output_dir(folder)
    of_key = _read_shared(tracks)
    files = []
    for number, track in enumerate(tracks):
        path = _plain_file(track)
        if path is None:
            whole = [entry.path for entry in track.entries if entry.key is None]
            frames = [
                *of_key.get(number, ()),
                *(read_peaks(file, threshold) for file in whole if file is not None),
            ]
            # Rows that name several tracks can make the peaks of two pairs the same.
            is_named = any(entry.key is not None for entry in track.entries)
            path = folder / f"{track.pair.tf}.{track.pair.cell}.bed"
            path = _write(_merge(frames), path, str(track.pair) if is_named else "")
        files.append(TrackFile(track.pair, path, track.is_known))
        advance(1)
    return files


def _plain_file(track: DownloadedTrack) -> Path | None:
    """Return the file of a track that needs no change."""
    (entry, *others) = track.entries
    if others or entry.key is not None or entry.path is None or is_binary(entry.path):
        return None
    rows = first_rows(entry.path)
    return None if rows and _has_bin(rows) else entry.path


def _read_shared(tracks: Sequence[DownloadedTrack]) -> dict[int, list[pd.DataFrame]]:
    """Read files of many tracks, each once; tables by index of the track."""
    wanted: dict[Path, dict[Key, int]] = {}
    for number, track in enumerate(tracks):
        for entry in track.entries:
            if entry.key is not None and entry.path is not None:
                wanted.setdefault(entry.path, {})[entry.key] = number
    found: dict[int, list[pd.DataFrame]] = {}
    for path, keys in wanted.items():
        layout = find_layout(path, first_rows(path))
        if layout is not None:
            for number, peaks in read_keys(path, layout, keys).items():
                found.setdefault(number, []).append(peaks)
    return found


def read_peaks(path: Path, threshold: float | None = None) -> pd.DataFrame:
    """Read peaks: BED, narrowPeak, broadPeak, bigBed, bigNarrowPeak, or of a bigWig.

    Parameters
    ----------
    path : Path
    threshold : float, optional
        Lowest value of a bigWig in a peak.

    Returns
    -------
    pandas.DataFrame
        chrom, start, end (0-based, half-open), and where the file has them signal
        (float) and summit (bp from start, -1 if missing).

    Raises
    ------
    InputFileError
        The file cannot be read.
    UsageError
        A bigWig, and no threshold.
    """
    import pandas as pd

    if is_binary(path):
        return _read_binary(path, threshold)
    rows = first_rows(path)
    if not rows:
        return pd.DataFrame({"chrom": [], "start": [], "end": []})
    if not _has_bin(rows):
        return _read_text(path, len(rows[0]), rows)
    with TemporaryDirectory() as folder:
        plain = Path(folder, path.name.removesuffix(".gz"))
        with plain.open("w", encoding="utf-8") as file:
            for _, line in read_lines(path, "BED file", "replace"):
                if line.strip() and not line.startswith("#"):
                    file.write(line.partition("\t")[2] + "\n")
        return _read_text(plain, len(rows[0]) - 1, [row[1:] for row in rows])


def _has_bin(rows: list[list[str]]) -> bool:
    """Check for the column `bin` that tables of UCSC have before the chromosome."""
    return all(
        len(row) > 3 and row[0].isdecimal() and not row[1].isdecimal() for row in rows
    )


def _read_text(path: Path, n_columns: int, rows: list[list[str]]) -> pd.DataFrame:
    if n_columns >= _NARROW and all(_is_narrow(row) for row in rows):
        peaks = read_narrowpeak(path, allow_empty=True)
        return peaks.rename(columns={"signal_value": "signal"})[_COLUMNS]
    return read_bed(path, allow_empty=True)


def _is_narrow(row: Sequence[Any]) -> bool:
    """Check for numbers where narrowPeak has the signal, p, q and the summit."""
    try:
        return [float(value) for value in row[6:9]] != [] and int(row[9]) >= -1
    except (ValueError, IndexError):
        return False


def _read_binary(path: Path, threshold: float | None) -> pd.DataFrame:
    """Read a bigBed, or call the peaks of a bigWig."""
    import pandas as pd

    def fault(reason: str) -> InputFileError:
        return InputFileError(f"cannot read {path}: {reason}; download it again")

    with without_panics(), open_bbi_file(path, fault) as bbi:
        is_signal = bool(bbi.is_bigwig)
        records = (
            []
            if is_signal
            else [
                (chrom, start, end, *_split(rest))
                for chrom in bbi.chroms()
                for start, end, *rest in bbi.records(chrom)
            ]
        )
    if not is_signal:
        n_columns = min(map(len, records), default=0)
        rows = [row[:_NARROW] for row in records]
        if n_columns >= _NARROW and all(map(_is_narrow, rows)):
            peaks = (
                pd.DataFrame(rows).iloc[:, [0, 1, 2, 6, 9]].set_axis(_COLUMNS, axis=1)
            )
            return peaks.astype({"signal": float, "summit": "int64"})
        return pd.DataFrame([row[:3] for row in rows], columns=_COLUMNS[:3])
    if threshold is None:
        raise UsageError(
            f"{path}: is a signal; set --signal-threshold to the lowest value of a peak "
            "(such as 5 for fold change over control or -log10 p), or use a file of peaks"
        )
    return call_signal_peaks(path, threshold)


def _split(rest: list[str]) -> list[str]:
    return [field for text in rest for field in text.split("\t")]


def call_signal_peaks(path: Path, threshold: float) -> pd.DataFrame:
    """Call the peaks of a bigWig: runs of values at or above a threshold.

    Parameters
    ----------
    path : Path
    threshold : float
        Shorter gaps than :data:`MAX_GAP` are part of a peak.

    Returns
    -------
    pandas.DataFrame
        chrom, start, end (0-based, half-open), signal (the highest value) and summit
        (its middle, bp from start); at least :data:`MIN_LENGTH` long.

    Raises
    ------
    InputFileError
        The file is no bigWig, or is broken.
    """
    import pandas as pd

    frames = []
    for chrom in signal_chroms(path):
        bins = read_signal(path, chrom)
        high = bins.values >= threshold
        start, end, value = bins.starts[high], bins.ends[high], bins.values[high]
        if not len(start):
            continue
        first = np.flatnonzero(np.append(True, start[1:] - end[:-1] > MAX_GAP))
        run = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(start))))
        top = np.maximum.reduceat(value, first)
        # The first of the highest bins of each run.
        highest = np.flatnonzero(value == top[run])
        _, at = np.unique(run[highest], return_index=True)
        best = highest[at]
        peaks = pd.DataFrame({"chrom": chrom, "start": start[first]})
        peaks["end"] = end[np.append(first[1:], len(start)) - 1]
        peaks["signal"] = top.astype(float)
        peaks["summit"] = (start[best] + end[best]) // 2 - start[first]
        frames.append(peaks[peaks["end"] - peaks["start"] >= MIN_LENGTH])
    if not frames:
        return pd.DataFrame({name: [] for name in _COLUMNS})
    return pd.concat(frames, ignore_index=True)


def _merge(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Merge peaks that overlap or touch; with the summit of the strongest."""
    import pandas as pd

    frames = [frame for frame in frames if len(frame)]
    if not frames:
        return pd.DataFrame({"chrom": [], "start": [], "end": []})
    peaks = pd.concat(frames, ignore_index=True)
    merged = merge_intervals(peaks)
    if not {"signal", "summit"} <= set(peaks.columns) or peaks.isna().any(axis=None):
        return merged
    ranks = {name: i for i, name in enumerate(merged["chrom"].unique())}
    width = int(merged["end"].max()) + 1
    begins = merged["chrom"].map(ranks).to_numpy() * width + merged["start"].to_numpy()
    own = peaks["chrom"].map(ranks).to_numpy() * width + peaks["start"].to_numpy()
    peaks["run"] = np.searchsorted(begins, own, side="right") - 1
    best = peaks.sort_values("signal", ascending=False, kind="stable")
    best = best.drop_duplicates("run").sort_values("run")
    merged["signal"] = best["signal"].to_numpy()
    shift = best["start"].to_numpy() - merged["start"].to_numpy()
    summit = best["summit"].to_numpy()
    merged["summit"] = np.where(summit < 0, -1, summit + shift)
    return merged


def _write(peaks: pd.DataFrame, path: Path, about: str) -> Path:
    """Write BED, or narrowPeak where there are summits, below a line about it."""
    if "summit" in peaks:
        path = path.with_name(f"{path.name.removesuffix('.bed')}.narrowPeak")
        peaks = peaks.assign(name=".", score=0, strand=".", p=-1, q=-1)
        more = ["name", "score", "strand", "signal", "p", "q", "summit"]
        peaks = peaks[[*_COLUMNS[:3], *more]]
    with (
        atomic_file(path, sync=False) as temporary,
        temporary.open("w", encoding="utf-8") as file,
    ):
        file.write(f"# {about}\n" if about else "")
        peaks.to_csv(file, sep="\t", header=False, index=False)
    return path
