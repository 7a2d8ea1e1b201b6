"""The HDF5 file of a peak database: written atomically, read chromosome by chromosome.

The format is `docs/evidence-format.md`; change it there first. The header, which is all
but the peaks, is read at once; the peaks of a chromosome are read when they are needed.
They may be in a file of their own, to which the header has a link.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, RunError, TracksError
from tfimpute_tracks.evidence.intervals import pack_peaks, unpack_peaks
from tfimpute_tracks.evidence.peak_database import (
    PeakDatabase,
    Peaks,
    Provenance,
    Track,
)
from tfimpute_tracks.genome import Region
from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.storage.hdf5_columns import COLUMN, READ_ERRORS, to_bytes, to_text
from tfimpute_tracks.storage.input_paths import why_no_file
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "check_peaks",
    "is_in_package",
    "read_header",
    "read_peaks",
    "unreadable",
    "write_evidence",
]

FORMAT = "tfimpute-evidence"
FORMAT_VERSION = 2

Columns = dict[str, NDArray[Any]]

_PACKAGE = Path(__file__).parent
_BUILD_AGAIN = "build it again with `tfimpute-tracks evidence build`"
_INSTALL_AGAIN = (
    "it comes with the package: `pip install --force-reinstall tfimpute-tracks`; runs "
    "with --evidence none do without it"
)
# Of this version of HDF5 on, everything in a file has a checksum. The columns are more
# compressed than others, as they ship with the package.
_LIBVER = ("v110", "v110")
_PEAKS = {**COLUMN, "compression_opts": 9}
_CHUNK = 2**16  # rows


def is_in_package(path: Path) -> bool:
    """Decide whether a file comes with the package.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool
    """
    return _PACKAGE in path.absolute().parents


def unreadable(path: Path, what: str, remedy: str = _BUILD_AGAIN) -> TracksError:
    """Make the error about a file that is missing or damaged.

    Parameters
    ----------
    path : Path
    what : str
        What is wrong with it.
    remedy : str
        What to do about a file of the user's.

    Returns
    -------
    TracksError
        An InputFileError; a RunError if the file comes with the package, as the request
        was valid.
    """
    if is_in_package(path):
        return RunError(f"{path}: {what}; {_INSTALL_AGAIN}")
    return InputFileError(f"{path}: {what}; {remedy}")


def write_evidence(
    path: str | Path, contents: PeakDatabase, by_chromosome: bool = False
) -> str:
    """Write a peak database atomically.

    Parameters
    ----------
    path : path
        An existing file is replaced.
    contents : PeakDatabase
    by_chromosome : bool
        Write the peaks of each chromosome into a file of its own, next to `path`:
        `name.chr1.h5` for `name.h5`.

    Returns
    -------
    str
        Its digest.

    Raises
    ------
    OutputError, WriteError
        A file cannot be written, or the disk is full.
    """
    path, digest = Path(path), contents.digest()
    attributes: dict[str, Any] = {
        "format": FORMAT,
        "format-version": FORMAT_VERSION,
        "digest": digest,
    }
    packed = {
        chrom: {f"intervals/{chrom}/{k}": v for k, v in pack_peaks(peaks).items()}
        for chrom, peaks in contents.peaks.items()
        if len(peaks.start)
    }
    links = {}
    if by_chromosome:
        for chrom, columns in packed.items():
            part = path.with_name(f"{path.stem}.{chrom}{path.suffix}")
            _write(part, attributes, {}, columns, {})
            links[f"intervals/{chrom}"] = part.name
        packed = {}
    all_peaks = {name: c for columns in packed.values() for name, c in columns.items()}
    attributes |= {"build": contents.build, **contents.provenance._asdict()}
    _write(path, attributes, _columns(contents), all_peaks, links)
    return digest


def _write(
    path: Path,
    attributes: Mapping[str, Any],
    columns: Columns,
    peaks: Columns,
    links: Mapping[str, str],
) -> None:
    """Write one HDF5 file; `links` are names of groups and of files that hold them."""
    needed = sum(column.nbytes for column in (*columns.values(), *peaks.values()))
    with (
        atomic_file(path, needed) as temporary,
        h5py.File(temporary, "w", libver=_LIBVER) as file,
    ):
        for name, value in attributes.items():
            # Checksums do not cover strings of variable length.
            is_text = isinstance(value, str)
            file.attrs[name] = np.array(value.encode()) if is_text else value
        for name, column in columns.items():
            file.create_dataset(name, data=column, **COLUMN)
        for name, column in peaks.items():
            chunks = (min(len(column), _CHUNK),)
            file.create_dataset(name, data=column, chunks=chunks, **_PEAKS)
        # Made by a link, the group would have the time of writing.
        file.require_group("intervals")
        for name, target in links.items():
            file[name] = h5py.ExternalLink(target, name)
        file.attrs["complete"] = 1


def _columns(contents: PeakDatabase) -> Columns:
    tracks, chroms = contents.tracks, list(contents.chrom_sizes)
    number = {name: i for i, name in enumerate(chroms)}
    return {
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
    InputFileError, RunError
        The file is missing, is not evidence, is of another version, is cut short or has
        invalid contents.
    """
    with _reading(path) as file:
        contents, digest = _header(file), _text(file, "digest")
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
    InputFileError, RunError
        The file is gone, damaged, or has changed.
    """
    with _open_peaks(path, digest, chrom) as group:
        return Peaks.none() if group is None else _read_peaks(group, contents, chrom)


def check_peaks(path: Path, digest: str, chrom: str) -> None:
    """Check that the file with the peaks of a chromosome is there and is the right one.

    Its peaks are not read, so this takes a millisecond.

    Parameters
    ----------
    path : Path
    digest : str
        From :func:`read_header`.
    chrom : str

    Raises
    ------
    InputFileError, RunError
        The file is gone, cut short, or another one.
    """
    with _open_peaks(path, digest, chrom):
        pass


@contextmanager
def _open_peaks(path: Path, digest: str, chrom: str) -> Iterator[h5py.Group | None]:
    """Open the peaks of a chromosome, in the file or in a part of it; None without."""
    name = f"intervals/{chrom}"
    with _reading(path) as file:
        if _text(file, "digest") != digest:
            raise InputFileError(f"{path}: has changed since it was opened; run again")
        link = file.get(name, getlink=True)
        if not isinstance(link, h5py.ExternalLink):
            yield file.get(name)
            return
        part = path.with_name(link.filename)
    # Opened by hand, as a message about a link that is broken does not name the file.
    with _reading(part) as file:
        if _text(file, "digest") != digest:
            raise ValueError(f"it does not belong to {path.name}")
        yield file[name]


def _read_peaks(group: h5py.Group, contents: PeakDatabase, chrom: str) -> Peaks:
    peaks = unpack_peaks({name: group[name][:] for name in group})
    if not _is_valid(peaks, contents.chrom_sizes[chrom], len(contents.tracks)):
        raise ValueError(f"invalid peaks on {chrom}")
    return peaks


@contextmanager
def _reading(path: Path) -> Iterator[h5py.File]:
    """Open a file, check what it is, and name it in errors of the block."""
    if not path.is_file():
        remedy = "build one with `tfimpute-tracks evidence build`"
        raise unreadable(path, why_no_file(path), remedy)
    if not h5py.is_hdf5(path):
        remedy = "name one that `tfimpute-tracks evidence build` wrote"
        raise unreadable(path, "not a complete evidence file (it is no HDF5)", remedy)
    try:
        # Without a lock: a file is replaced, never changed.
        with h5py.File(path, "r", locking=False) as file:
            _check_format(file, path)
            yield file
    except READ_ERRORS as error:
        raise unreadable(path, f"not a complete evidence file ({error})") from error


def _check_format(file: h5py.File, path: Path) -> None:
    found = _text(file, "format") if "format" in file.attrs else None
    if found != FORMAT:
        raise unreadable(
            path,
            f"an HDF5 file, but not {FORMAT} (its format is {found!r})",
            "use a file that `tfimpute-tracks evidence build` wrote",
        )
    version = file.attrs.get("format-version")
    if version != FORMAT_VERSION:
        raise unreadable(
            path,
            f"{FORMAT} version {version}, and this program reads version "
            f"{FORMAT_VERSION}",
        )
    if file.attrs.get("complete") != 1:
        raise unreadable(path, "incomplete, writing was interrupted")


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
        build=_text(file, "build"),
        provenance=Provenance(*(_text(file, name) for name in Provenance._fields)),
    )


def _text(file: h5py.File, name: str) -> str:
    """Read an attribute; files of other programs may have it in another type."""
    value = file.attrs[name]
    return value.decode() if isinstance(value, bytes) else str(value)


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
    later, same = start[1:] > start[:-1], start[1:] == start[:-1]
    in_order = start[0] >= 0 and (later | (same & (track[1:] > track[:-1]))).all()
    inside = (start < end).all() and end.max() <= size and track.max() < n_tracks
    return bool(in_order and inside)
