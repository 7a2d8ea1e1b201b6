"""The HDF5 file of a peak database: written atomically, read chromosome by chromosome.

The format is `docs/evidence-format.md`; change it there first. The header, which is all
but the peaks, is read at once; the peaks of a chromosome are read when they are needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evidence.peak_database import PeakDatabase, Peaks, Track
from tfimpute_tracks.genome import Region
from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.storage.hdf5_columns import COLUMN, READ_ERRORS, to_bytes, to_text
from tfimpute_tracks.vocabulary import Pair

__all__ = ["FORMAT", "FORMAT_VERSION", "read_header", "read_peaks", "write_evidence"]

FORMAT = "tfimpute-evidence"
FORMAT_VERSION = 1

_BUILD_AGAIN = "build it again with `tfimpute-tracks evidence build`"


def write_evidence(path: str | Path, contents: PeakDatabase) -> str:
    """Write a peak database atomically.

    Parameters
    ----------
    path : path
        An existing file is replaced.
    contents : PeakDatabase

    Returns
    -------
    str
        Its digest.

    Raises
    ------
    OutputError, WriteError
        The file cannot be written, or the disk is full.
    """
    digest, columns = contents.digest(), _columns(contents)
    needed = sum(column.nbytes for column in columns.values())
    with (
        atomic_file(Path(path), needed) as temporary,
        h5py.File(temporary, "w") as file,
    ):
        file.attrs["format"] = FORMAT
        file.attrs["format-version"] = FORMAT_VERSION
        file.attrs["digest"] = digest
        file.attrs["build"] = contents.build
        for name, column in columns.items():
            file.create_dataset(name, data=column, **COLUMN)
        file.attrs["complete"] = 1
    return digest


def _columns(contents: PeakDatabase) -> dict[str, NDArray[Any]]:
    tracks, chroms = contents.tracks, list(contents.chrom_sizes)
    number = {name: i for i, name in enumerate(chroms)}
    columns: dict[str, NDArray[Any]] = {
        "chroms/name": to_bytes(chroms),
        "chroms/size": np.array(list(contents.chrom_sizes.values()), dtype=np.int64),
        "tracks/tf": to_bytes([track.pair.tf for track in tracks]),
        "tracks/cell": to_bytes([track.pair.cell for track in tracks]),
        "tracks/replicate": to_bytes([track.replicate for track in tracks]),
        "tracks/peak-digest": to_bytes([track.digest for track in tracks]),
        "tracks/n-peaks": np.array([track.n_peaks for track in tracks], dtype=np.int64),
        "tracks/has-peaks": contents.has_peaks.astype(np.uint8),
        "regions/chrom": np.array(
            [number[region.chrom] for region in contents.regions], dtype=np.int32
        ),
        "regions/start": np.array([r.start for r in contents.regions], dtype=np.int64),
        "regions/end": np.array([r.end for r in contents.regions], dtype=np.int64),
    }
    for chrom, peaks in contents.peaks.items():
        if len(peaks.start):
            columns |= {
                f"intervals/{chrom}/step": np.diff(peaks.start, prepend=0).astype("i4"),
                f"intervals/{chrom}/length": (peaks.end - peaks.start).astype("i4"),
                f"intervals/{chrom}/track": peaks.track,
            }
    return columns


def read_header(path: Path) -> tuple[PeakDatabase, str]:
    """Read all but the peaks.

    Parameters
    ----------
    path : Path

    Returns
    -------
    contents : PeakDatabase
        Without peaks.
    digest : str
        Of the contents with the peaks, as stored in the file.

    Raises
    ------
    InputFileError
        The file is missing, is not evidence, is of another version, is cut short or has
        invalid contents.
    """
    if not path.is_file():
        raise InputFileError(
            f"{path}: no such file; build one with `tfimpute-tracks evidence build`"
        )
    with _reading(path) as file:
        _check_format(file, path)
        contents, digest = _header(file), str(file.attrs["digest"])
        error = _find_error(contents)
        if error:
            raise ValueError(error)
    return contents, digest


def read_peaks(path: Path, contents: PeakDatabase, digest: str, chrom: str) -> Peaks:
    """Read the peaks of a chromosome.

    Parameters
    ----------
    path : Path
    contents : PeakDatabase
    digest : str
        Both from :func:`read_header`.
    chrom : str
        One of `contents.chrom_sizes`.

    Returns
    -------
    Peaks

    Raises
    ------
    InputFileError
        The file is gone, damaged, or has changed.
    """
    with _reading(path) as file:
        if file.attrs["digest"] != digest:
            raise InputFileError(f"{path}: has changed since it was opened; run again")
        if f"intervals/{chrom}" not in file:
            return Peaks.none()
        group = file[f"intervals/{chrom}"]
        start = np.cumsum(group["step"][:], dtype=np.int64)
        peaks = Peaks(start, start + group["length"][:], group["track"][:])
        if not _is_valid(peaks, contents.chrom_sizes[chrom], len(contents.tracks)):
            raise ValueError(f"invalid peaks on {chrom}")
    return peaks


@contextmanager
def _reading(path: Path) -> Iterator[h5py.File]:
    try:
        # Without a lock: a file is replaced, never changed.
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except READ_ERRORS as error:
        raise InputFileError(
            f"{path}: not a complete evidence file ({error}); {_BUILD_AGAIN}"
        ) from error


def _check_format(file: h5py.File, path: Path) -> None:
    if file.attrs.get("format") != FORMAT:
        raise InputFileError(
            f"{path}: an HDF5 file, but not {FORMAT} (its format is "
            f"{file.attrs.get('format')!r}); use a file that "
            "`tfimpute-tracks evidence build` wrote"
        )
    version = file.attrs.get("format-version")
    if version != FORMAT_VERSION:
        raise InputFileError(
            f"{path}: {FORMAT} version {version}, and this program reads version "
            f"{FORMAT_VERSION}; {_BUILD_AGAIN}"
        )
    if file.attrs.get("complete") != 1:
        raise InputFileError(
            f"{path}: incomplete, writing was interrupted; {_BUILD_AGAIN}"
        )


def _header(file: h5py.File) -> PeakDatabase:
    texts = (
        to_text(file[f"tracks/{name}"][:])
        for name in ("tf", "cell", "replicate", "peak-digest")
    )
    chroms = to_text(file["chroms/name"][:])
    spans = (file[f"regions/{name}"][:].tolist() for name in ("chrom", "start", "end"))
    return PeakDatabase(
        tracks=tuple(
            Track(Pair(tf, cell), replicate, n_peaks, digest)
            for tf, cell, replicate, digest, n_peaks in zip(
                *texts, file["tracks/n-peaks"][:].tolist(), strict=True
            )
        ),
        chrom_sizes=dict(zip(chroms, file["chroms/size"][:].tolist(), strict=True)),
        regions=tuple(
            Region(chroms[chrom], start, end)
            for chrom, start, end in zip(*spans, strict=True)
        ),
        has_peaks=file["tracks/has-peaks"][:].astype(np.bool_),
        peaks={},
        build=str(file.attrs["build"]),
    )


def _find_error(contents: PeakDatabase) -> str:
    """Describe what is invalid in a header; empty if nothing is."""
    sizes, regions = contents.chrom_sizes, contents.regions
    if not contents.tracks:
        return "it has no track"
    if contents.has_peaks.shape != (len(contents.tracks), len(sizes)):
        return "the number of tracks or chromosomes is inconsistent"
    if any(not 0 <= start < end <= sizes[chrom] for chrom, start, end in regions):
        return "a region is outside of its chromosome"
    rank = {name: i for i, name in enumerate(sizes)}
    spans = [(rank[region.chrom], region.start, region.end) for region in regions]
    for (chrom, _, end), (next_chrom, start, _) in pairwise(spans):
        if next_chrom < chrom or (next_chrom == chrom and start <= end):
            return "its regions are not sorted or overlap"
    return ""


def _is_valid(peaks: Peaks, size: int, n_tracks: int) -> bool:
    start, end, track = peaks
    if not 0 < len(start) == len(end) == len(track):
        return False
    in_order = start[0] >= 0 and (start[1:] >= start[:-1]).all()
    inside = (start < end).all() and end.max() <= size and track.max() < n_tracks
    return bool(in_order and inside)
