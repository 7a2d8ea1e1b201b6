"""The file of a data set: one HDF5 file, written whole and checked as it is read.

The format is `docs/dataset-format.md`; whatever changes here changes there first. The
whole of it is read at once, for training takes sites in random order: half a million
sites of 200 bp are 100 MB. How labels come about is the business of ``build.py``.
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
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = [
    "FORMAT",
    "FORMAT_VERSIONS",
    "open_dataset",
    "write_dataset",
]

FORMAT = "tfimpute-dataset"
FORMAT_VERSIONS = (1, 2, 3)
"""Versions that are read. What needs nothing of a later one is written as version 1."""

# Most of the file is packed sequence, which no codec makes smaller.
_SEQUENCE: dict[str, Any] = {"fletcher32": True}
_ROWS = 1 << 15  # sites that are looked through at a time


def write_dataset(path: str | Path, dataset: Dataset) -> None:
    """Write a data set, complete or not at all.

    Parameters
    ----------
    path : path
        An existing file is replaced.
    dataset : Dataset

    Raises
    ------
    OutputError, WriteError
        The place cannot be written to, or the disk filled up.
    """
    # Room for the sequences is asked for beforehand: where the disk fills up under it,
    # HDF5 raises and then crashes at exit.
    needed = dataset.codes.size // 4
    with (
        atomic_file(Path(path), needed) as temporary,
        h5py.File(temporary, "w") as file,
    ):
        file.attrs["format"] = FORMAT
        columns, later = _columns(dataset), _later_columns(dataset)
        version = 3 if "unknown/length" in columns else 2 if later else 1
        file.attrs["format-version"] = version
        file.attrs["seq-len"] = dataset.seq_len
        file.attrs["parameters"] = json.dumps(dataset.parameters, sort_keys=True)
        file.attrs["sources"] = json.dumps(dataset.sources, sort_keys=True)
        for name, column in (columns | later).items():
            file.create_dataset(name, data=column, **COLUMN)
        file.create_dataset(
            "sites/sequence", data=pack_2bit(dataset.codes), **_SEQUENCE
        )
        file.attrs["complete"] = 1


def _columns(dataset: Dataset) -> dict[str, NDArray[Any]]:
    indices = np.array(dataset.vocabulary.pair_indices(dataset.pairs), dtype=np.int32)
    n_positive, n_negative = dataset.counts()
    return {
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
        **_unknown(dataset.codes),
        "positive/indptr": dataset.positive.indptr,
        "positive/pair": dataset.positive.pair,
        "ignored/indptr": dataset.ignored.indptr,
        "ignored/pair": dataset.ignored.pair,
    }


def _unknown(codes: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """Give the places of unknown letters: one by one where they are few, else runs."""
    parts = []
    for first in range(0, len(codes), _ROWS):
        unknown = codes[first : first + _ROWS] == N_CODE
        edges = np.diff(np.pad(unknown, ((0, 0), (1, 1))).view(np.int8), axis=1)
        rows, starts = np.nonzero(edges == 1)
        _, ends = np.nonzero(edges == -1)  # in the same order
        parts.append(np.stack([rows + first, starts, ends - starts]))
    sites, places, lengths = np.concatenate([np.empty((3, 0), np.int64), *parts], 1)
    if lengths.sum() <= len(codes):
        within = np.arange(lengths.sum()) - np.repeat(
            np.cumsum(lengths) - lengths, lengths
        )
        sites, places = np.repeat(sites, lengths), np.repeat(places, lengths) + within
        lengths = None
    columns: dict[str, NDArray[Any]] = {
        "unknown/site": sites.astype(np.int32),
        "unknown/place": places.astype(np.int16),
    }
    if lengths is not None:
        columns["unknown/length"] = lengths.astype(np.int16)
    return columns


def _make_unknown(codes: NDArray[np.uint8], file: h5py.File) -> None:
    """Undo :func:`_unknown`."""
    sites, places = file["unknown/site"][:], file["unknown/place"][:].astype(np.int64)
    if "unknown/length" not in file:
        codes[sites, places] = N_CODE
        return
    ends = places + file["unknown/length"][:]
    # Runs are looked for in the order of their sites, and marked at both ends.
    ordered_map = (sites[1:] > sites[:-1]) | (places[1:] > ends[:-1])
    inside = (places >= 0) & (places < ends) & (ends <= codes.shape[1])
    if not (ordered_map & (sites[1:] >= sites[:-1])).all() or not inside.all():
        raise ValueError("runs of unknown letters that are out of turn or of a site")
    if len(sites) and not 0 <= sites[0] <= sites[-1] < len(codes):
        raise ValueError(f"unknown letters of sites that are none of {len(codes)}")
    for first in range(0, len(codes), _ROWS):
        block = codes[first : first + _ROWS]
        some = slice(*np.searchsorted(sites, [first, first + len(block)]))
        edges = np.zeros((len(block), block.shape[1] + 1), dtype=np.int8)
        edges[sites[some] - first, places[some]] = 1
        edges[sites[some] - first, ends[some]] = -1
        block[np.cumsum(edges[:, :-1], axis=1, dtype=np.int8) > 0] = N_CODE


def _later_columns(dataset: Dataset) -> dict[str, NDArray[Any]]:
    """Give the columns that version 2 added, of which each may be missing."""
    columns: dict[str, NDArray[Any]] = {}
    if dataset.negative is not None:
        columns["negative/indptr"] = dataset.negative.indptr
        columns["negative/pair"] = dataset.negative.pair
    if dataset.default_label is not None:
        columns["sites/default"] = dataset.default_label
    if dataset.fold is not None:
        columns["sites/fold"] = dataset.fold
    if dataset.shuffled is not None:
        columns["sites/shuffled"] = dataset.shuffled.astype(np.uint8)
    if dataset.replicates is not None:
        columns["pairs/replicate"] = to_bytes(dataset.replicates)
    return columns


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
        The file is missing, is no data set, is of another version, is cut short or
        holds what cannot be true.
    """
    path = Path(path)
    if not path.is_file():
        raise InputFileError(
            f"{path}: no such file; make a data set with `tfimpute-tracks prepare`"
        )
    try:
        with h5py.File(path, "r") as file:
            _check_format(file, path)
            dataset, expected = _read(file)
    except READ_ERRORS as error:
        raise InputFileError(
            f"{path}: not a whole HDF5 data set ({error}); "
            f"make it again with `tfimpute-tracks prepare`"
        ) from error
    fault = _find_fault(dataset, expected)
    if fault:
        raise InputFileError(
            f"{path}: {fault}; make it again with `tfimpute-tracks prepare`"
        )
    return dataset


def _check_format(file: h5py.File, path: Path) -> None:
    if file.attrs.get("format") != FORMAT:
        raise InputFileError(
            f"{path}: an HDF5 file, but no {FORMAT} "
            f"(its format is {file.attrs.get('format')!r}); "
            f"give the file that `tfimpute-tracks prepare` wrote"
        )
    version = file.attrs.get("format-version")
    if version not in FORMAT_VERSIONS:
        raise InputFileError(
            f"{path}: {FORMAT} version {version}, and this program reads versions "
            f"{', '.join(map(str, FORMAT_VERSIONS))}; "
            f"make it again with `tfimpute-tracks prepare`"
        )
    if file.attrs.get("complete") != 1:
        raise InputFileError(
            f"{path}: its writing never ended; "
            f"make it again with `tfimpute-tracks prepare`"
        )


def _read(file: h5py.File) -> tuple[Dataset, dict[str, NDArray[np.int64]]]:
    tfs, cells = to_text(file["tfs/name"][:]), to_text(file["cells/name"][:])
    packed, seq_len = file["sites/sequence"][:], int(file.attrs["seq-len"])
    if packed.shape[1] != -(-seq_len // 4):
        raise ValueError(f"sequences of {seq_len} bp in {packed.shape[1]} bytes")
    codes = unpack_2bit(packed, seq_len)
    _make_unknown(codes, file)
    tf_of, cell_of = file["pairs/tf"][:], file["pairs/cell"][:]
    dataset = Dataset(
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
        **_read_later(file),
    )
    expected = {name: file[f"pairs/n-{name}"][:] for name in ("positive", "negative")}
    return dataset, expected


def _read_lists(file: h5py.File, name: str) -> PairLists:
    return PairLists(file[f"{name}/indptr"][:], file[f"{name}/pair"][:])


def _read_later(file: h5py.File) -> dict[str, Any]:
    """Read what version 2 added; none of it is looked for in version 1."""
    later: dict[str, Any] = {}
    if file.attrs["format-version"] == 1:
        return later
    if "negative" in file:
        later["negative"] = _read_lists(file, "negative")
    if "sites/default" in file:
        later["default_label"] = file["sites/default"][:]
    if "sites/fold" in file:
        later["fold"] = file["sites/fold"][:]
    if "sites/shuffled" in file:
        later["shuffled"] = file["sites/shuffled"][:].astype(np.bool_)
    if "pairs/replicate" in file:
        later["replicates"] = to_text(file["pairs/replicate"][:])
    return later


def _find_fault(dataset: Dataset, expected: dict[str, NDArray[np.int64]]) -> str:
    """Say what cannot be true of a data set, or nothing."""
    n = dataset.n_sites
    if not 0 < n == len(dataset.chrom_id) == len(dataset.start):
        return f"{n} sequences for {len(dataset.start)} sites"
    if not 0 <= dataset.chrom_id.min() <= dataset.chrom_id.max() < len(dataset.chroms):
        return "a site lies on a chromosome that it does not list"
    named = {
        "positive": dataset.positive,
        "ignored": dataset.ignored,
        "negative": dataset.negative,
    }
    for name, lists in named.items():
        if lists is None:
            continue
        steps = np.diff(lists.indptr, prepend=0, append=len(lists.pair))
        if len(lists.indptr) != n + 1 or steps[0] or steps[-1] or steps.min() < 0:
            return f"the offsets of its {name} labels do not fit its sites"
        if np.any(lists.pair >= len(dataset.pairs)):
            return f"a {name} label names a pair that it does not list"
    fault = _find_later_fault(dataset)
    if fault:
        return fault
    n_positive, n_negative = dataset.counts()
    if not (
        np.array_equal(n_positive, expected["positive"])
        and np.array_equal(n_negative, expected["negative"])
    ):
        return "its labels are not as many as it says"
    return ""


def _find_later_fault(dataset: Dataset) -> str:
    """Say what cannot be true of the columns that version 2 added, or nothing."""
    per_site = {
        "default labels": dataset.default_label,
        "folds": dataset.fold,
        "marks of shuffled sequences": dataset.shuffled,
    }
    for name, column in per_site.items():
        if column is not None and len(column) != dataset.n_sites:
            return f"{len(column)} {name} for {dataset.n_sites} sites"
    default, fold = dataset.default_label, dataset.fold
    if default is not None and not np.isin(default, (0, -1)).all():
        return "a default label is neither 0 nor -1"
    if fold is not None and np.any(fold >= len(FOLDS)):
        return f"a fold is none of 0 to {len(FOLDS) - 1}"
    names = dataset.replicates or ()
    if dataset.replicates is not None and len(names) != len(dataset.pairs):
        return f"{len(names)} names of replicates for {len(dataset.pairs)} pairs"
    if dataset.negative is not None:
        lists_of = (dataset.positive, dataset.ignored, dataset.negative)
        rows = np.arange(dataset.n_sites)
        entries = np.concatenate(
            [
                (places << 16) | pairs
                for places, pairs in (x.entries(rows) for x in lists_of)
            ]
        )
        if len(np.unique(entries)) < len(entries):
            return "a site has two labels for one pair"
    return ""
