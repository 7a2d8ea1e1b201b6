"""The file of a data set: one HDF5 file, written atomically and checked as it is read.

The format is documented in `docs/dataset-format.md`; change both together. A file is
read as a whole, because training reads sites in random order: half a million sites of
200 bp are 100 MB. ``build.py`` makes the labels.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset.dataset import FOLDS, Dataset, PairLists
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.kernels.encode import N_CODE, pack_2bit, unpack_2bit
from tfimpute_tracks.storage.atomic import atomic_file
from tfimpute_tracks.storage.hdf5_columns import COLUMN, READ_ERRORS, to_bytes, to_text
from tfimpute_tracks.storage.input_paths import why_no_file
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = ["FORMAT", "FORMAT_VERSION", "open_dataset", "write_dataset"]

FORMAT = "tfimpute-dataset"
FORMAT_VERSION = 1

# Most of the file is packed sequence, which compression does not make smaller.
_SEQUENCE: dict[str, Any] = {"fletcher32": True}
_REMEDY = "make it again with `tfimpute-tracks prepare`"


def write_dataset(path: str | Path, dataset: Dataset) -> None:
    """Write a data set atomically.

    Parameters
    ----------
    path : path
        An existing file is replaced.
    dataset : Dataset

    Raises
    ------
    OutputError, WriteError
        The path cannot be written to, or the disk filled up.
    """
    # Space for the sequences is checked beforehand: where the disk fills up, HDF5
    # raises and then crashes at exit.
    needed = dataset.codes.size // 4
    with (
        atomic_file(Path(path), needed) as temporary,
        h5py.File(temporary, "w") as file,
    ):
        file.attrs["format"] = FORMAT
        file.attrs["format-version"] = FORMAT_VERSION
        file.attrs["seq-len"] = dataset.seq_len
        file.attrs["parameters"] = json.dumps(dataset.parameters, sort_keys=True)
        file.attrs["sources"] = json.dumps(dataset.sources, sort_keys=True)
        for name, column in _columns(dataset).items():
            file.create_dataset(name, data=column, **COLUMN)
        file.create_dataset(
            "sites/sequence", data=pack_2bit(dataset.codes), **_SEQUENCE
        )
        file.attrs["complete"] = 1


def _columns(dataset: Dataset) -> dict[str, NDArray[Any]]:
    indices = np.array(dataset.vocabulary.pair_indices(dataset.pairs), dtype=np.int32)
    n_positive, n_negative = dataset.counts()
    columns = {
        "chroms/name": to_bytes(dataset.chroms),
        "chroms/size": np.array(dataset.chrom_sizes, dtype=np.int64),
        "tfs/name": to_bytes(dataset.vocabulary.tfs),
        "cells/name": to_bytes(dataset.vocabulary.cells),
        "pairs/tf": indices[:, 0],
        "pairs/cell": indices[:, 1],
        "pairs/role": to_bytes(dataset.roles),
        "pairs/peak-digest": to_bytes(dataset.peak_digests),
        "pairs/n-positive": n_positive,
        "pairs/n-negative": n_negative,
        "sites/chrom": dataset.chrom_id.astype(np.int32),
        "sites/start": dataset.start.astype(np.int64),
        **_unknown_runs(dataset.codes),
    }
    for name in ("positive", "ignored", "negative"):
        lists = getattr(dataset, name)
        if lists is not None:
            columns |= {f"{name}/indptr": lists.indptr, f"{name}/pair": lists.pair}
    if dataset.default_label is not None:
        columns["sites/default-label"] = dataset.default_label
    if dataset.fold is not None:
        columns["sites/fold"] = dataset.fold
    if dataset.shuffled is not None:
        columns["sites/shuffled"] = dataset.shuffled.astype(np.uint8)
    if dataset.replicates is not None:
        columns["pairs/replicate"] = to_bytes(dataset.replicates)
    return columns


def _unknown_runs(
    codes: NDArray[np.uint8], block: int = 1 << 15
) -> dict[str, NDArray[Any]]:
    """Find the runs of unknown bases, `block` sites at a time."""
    parts = [np.empty((3, 0), np.int64)]
    for first in range(0, len(codes), block):
        unknown = codes[first : first + block] == N_CODE
        edges = np.diff(np.pad(unknown, ((0, 0), (1, 1))).view(np.int8), axis=1)
        rows, starts = np.nonzero(edges == 1)
        _, ends = np.nonzero(edges == -1)  # in the same order
        parts.append(np.stack([rows + first, starts, ends - starts]))
    sites, positions, lengths = np.concatenate(parts, axis=1)
    return {
        "unknown/site": sites.astype(np.int32),
        "unknown/position": positions.astype(np.int16),
        "unknown/length": lengths.astype(np.int16),
    }


def _fill_unknown(
    codes: NDArray[np.uint8], file: h5py.File, block: int = 1 << 15
) -> None:
    """Undo :func:`_unknown_runs`, in place."""
    sites = file["unknown/site"][:]
    starts = file["unknown/position"][:].astype(np.int64)
    ends = starts + file["unknown/length"][:]
    # Runs are looked up in the order of their sites, and marked at both ends.
    is_next = (sites[1:] > sites[:-1]) | (starts[1:] > ends[:-1])
    inside = (starts >= 0) & (starts < ends) & (ends <= codes.shape[1])
    if not (is_next & (sites[1:] >= sites[:-1])).all() or not inside.all():
        raise ValueError("runs of unknown bases that are not in order or within a site")
    if len(sites) and not 0 <= sites[0] <= sites[-1] < len(codes):
        raise ValueError(f"unknown bases of sites that are none of {len(codes)}")
    for first in range(0, len(codes), block):
        some = codes[first : first + block]
        runs = slice(*np.searchsorted(sites, [first, first + len(some)]))
        edges = np.zeros((len(some), some.shape[1] + 1), dtype=np.int8)
        edges[sites[runs] - first, starts[runs]] = 1
        edges[sites[runs] - first, ends[runs]] = -1
        some[np.cumsum(edges[:, :-1], axis=1, dtype=np.int8) > 0] = N_CODE


def open_dataset(path: str | Path) -> Dataset:
    """Read a data set into memory.

    Parameters
    ----------
    path : path
        A file that `tfimpute-tracks prepare` wrote.

    Returns
    -------
    Dataset

    Raises
    ------
    InputFileError
        The file is missing, not a data set, of another version, truncated or
        inconsistent.
    """
    path = Path(path)
    if not path.is_file():
        raise InputFileError(
            f"{path}: {why_no_file(path)}; make a data set with `tfimpute-tracks prepare`"
        )
    try:
        with h5py.File(path, "r") as file:
            _check_format(file, path)
            dataset = _read(file)
            counts = [file[f"pairs/n-{name}"][:] for name in ("positive", "negative")]
    except READ_ERRORS as error:
        raise InputFileError(
            f"{path}: not a complete HDF5 data set ({error}); {_REMEDY}"
        ) from error
    fault = _find_fault(dataset)
    if not fault and not np.array_equal(dataset.counts(), counts):
        fault = "the counts of its labels do not match its labels"
    if fault:
        raise InputFileError(f"{path}: {fault}; {_REMEDY}")
    return dataset


def _check_format(file: h5py.File, path: Path) -> None:
    if file.attrs.get("format") != FORMAT:
        raise InputFileError(
            f"{path}: an HDF5 file, but not a {FORMAT} "
            f"(its format is {file.attrs.get('format')!r}); "
            f"use a file that `tfimpute-tracks prepare` wrote"
        )
    version = file.attrs.get("format-version")
    if version != FORMAT_VERSION:
        raise InputFileError(
            f"{path}: {FORMAT} version {version}, and this program reads version "
            f"{FORMAT_VERSION}; {_REMEDY}"
        )
    if file.attrs.get("complete") != 1:
        raise InputFileError(f"{path}: its writing was interrupted; {_REMEDY}")


def _read(file: h5py.File) -> Dataset:
    tfs, cells = to_text(file["tfs/name"][:]), to_text(file["cells/name"][:])
    packed, seq_len = file["sites/sequence"][:], int(file.attrs["seq-len"])
    if packed.shape[1] != -(-seq_len // 4):
        raise ValueError(f"sequences of {seq_len} bp in {packed.shape[1]} bytes")
    codes = unpack_2bit(packed, seq_len)
    _fill_unknown(codes, file)
    tf_of, cell_of = file["pairs/tf"][:], file["pairs/cell"][:]
    return Dataset(
        codes=codes,
        chrom_id=file["sites/chrom"][:],
        start=file["sites/start"][:],
        chroms=to_text(file["chroms/name"][:]),
        chrom_sizes=tuple(file["chroms/size"][:].tolist()),
        pairs=tuple(
            Pair(tfs[i], cells[j]) for i, j in zip(tf_of, cell_of, strict=True)
        ),
        roles=to_text(file["pairs/role"][:]),
        peak_digests=to_text(file["pairs/peak-digest"][:]),
        vocabulary=Vocabulary(tfs, cells),
        positive=_read_lists(file, "positive"),
        ignored=_read_lists(file, "ignored"),
        parameters=json.loads(file.attrs["parameters"]),
        sources=json.loads(file.attrs["sources"]),
        **_read_optional(file),
    )


def _read_lists(file: h5py.File, name: str) -> PairLists:
    return PairLists(file[f"{name}/indptr"][:], file[f"{name}/pair"][:])


def _read_optional(file: h5py.File) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "negative" in file:
        found["negative"] = _read_lists(file, "negative")
    if "sites/default-label" in file:
        found["default_label"] = file["sites/default-label"][:]
    if "sites/fold" in file:
        found["fold"] = file["sites/fold"][:]
    if "sites/shuffled" in file:
        found["shuffled"] = file["sites/shuffled"][:].astype(np.bool_)
    if "pairs/replicate" in file:
        found["replicates"] = to_text(file["pairs/replicate"][:])
    return found


def _find_fault(dataset: Dataset) -> str:
    """Return what is inconsistent in a data set, or an empty string."""
    n = dataset.n_sites
    columns: dict[str, NDArray[Any] | None] = {
        "chromosomes": dataset.chrom_id,
        "starts": dataset.start,
        "default labels": dataset.default_label,
        "folds": dataset.fold,
        "marks of shuffled sequences": dataset.shuffled,
    }
    for name, column in columns.items():
        if not n or (column is not None and len(column) != n):
            return f"{len(() if column is None else column)} {name} for {n} sites"
    if not 0 <= dataset.chrom_id.min() <= dataset.chrom_id.max() < len(dataset.chroms):
        return "a site is on a chromosome that is not in its list"
    for name in ("positive", "ignored", "negative"):
        lists = getattr(dataset, name)
        if lists is None:
            continue
        steps = np.diff(lists.indptr, prepend=0, append=len(lists.pair))
        if len(lists.indptr) != n + 1 or steps[0] or steps[-1] or steps.min() < 0:
            return f"the offsets of its {name} labels do not match its sites"
        if np.any(lists.pair >= len(dataset.pairs)):
            return f"a {name} label names a pair that is not in its list"
    default, fold, names = dataset.default_label, dataset.fold, dataset.replicates
    if default is not None and not np.isin(default, (0, -1)).all():
        return "a default label is neither 0 nor -1"
    if fold is not None and np.any(fold >= len(FOLDS)):
        return f"a fold is not in 0..{len(FOLDS) - 1}"
    if names is not None and len(names) != len(dataset.pairs):
        return f"{len(names)} names of replicates for {len(dataset.pairs)} pairs"
    return _find_conflict(dataset)


def _find_conflict(dataset: Dataset) -> str:
    if dataset.negative is None:
        return ""
    rows = np.arange(dataset.n_sites)
    lists_of = (dataset.positive, dataset.ignored, dataset.negative)
    entries = np.concatenate(
        [(index << 16) | pairs for index, pairs in (x.entries(rows) for x in lists_of)]
    )
    if len(np.unique(entries)) < len(entries):
        return "a site has two labels for one pair"
    return ""
