"""The data set: labelled sites in memory, and the one HDF5 file they travel in.

The format is `docs/dataset-format.md`; whatever changes here changes there first. The
whole of it is read at once, for training takes sites in random order: half a million
sites of 200 bp are 100 MB. How labels come about is the business of ``build.py``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.kernels.encode import N_CODE, pack_2bit, unpack_2bit
from tfimpute_tracks.storage.atomic import atomic_file
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "Dataset",
    "PairLists",
    "open_dataset",
    "write_dataset",
]

FORMAT = "tfimpute-dataset"
FORMAT_VERSION = 1

# gzip, and not a faster codec, because every HDF5 reader has it. Most of the file is
# packed sequence, which no codec makes smaller. The checksum finds a flipped bit.
_COLUMN: dict[str, Any] = {
    "compression": "gzip",
    "compression_opts": 4,
    "shuffle": True,
    "fletcher32": True,
}
_SEQUENCE: dict[str, Any] = {"fletcher32": True}
_READ_ERRORS = (
    OSError,
    RuntimeError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


class PairLists(NamedTuple):
    """A list of pairs per site, as one flat array and offsets.

    Parameters
    ----------
    indptr : int64 array, shape (n_sites + 1,)
        The pairs of site i are pair[indptr[i]:indptr[i + 1]].
    pair : uint16 array, shape (indptr[-1],)
        Columns of `Dataset.pairs`, ascending within a site.
    """

    indptr: NDArray[np.int64]
    pair: NDArray[np.uint16]

    def entries(
        self, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
        """List every pair of the given sites.

        Parameters
        ----------
        rows : int64 array, shape (n,)
            Sites, in any order, repeated or not.

        Returns
        -------
        places : int64 array, shape (m,)
            Indices into `rows`.
        pairs : uint16 array, shape (m,)
            The pairs found there.
        """
        first = self.indptr[rows]
        n_pairs = self.indptr[rows + 1] - first
        shift = np.repeat(first - n_pairs.cumsum() + n_pairs, n_pairs)
        places = np.repeat(np.arange(len(rows)), n_pairs)
        return places, self.pair[np.arange(len(shift)) + shift]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Sites with their sequences and their labels for every pair, in memory.

    Parameters
    ----------
    codes : uint8 array, shape (n_sites, L), values 0..4
        The sequence of each site, forward strand.
    chrom_id : int32 array, shape (n_sites,)
        Ascending indices into `chroms`.
    start : int64 array, shape (n_sites,)
        Where the sequence begins, 0-based, ascending within a chromosome; below zero
        where it reaches over the chromosome's beginning (N there).
    chroms : tuple of str
        The chromosomes of the genome.
    chrom_sizes : tuple of int
        Their lengths in bp.
    pairs : tuple of Pair
        The columns of the labels, in the order of the pairs table.
    roles : tuple of str
        What each pair is for: base, valid2 or test3.
    peak_digests : tuple of str
        Digest of the peak file of each pair.
    vocabulary : Vocabulary
        Every TF and cell line of the pairs, sorted.
    positive, ignored : PairLists
        The pairs each site is positive for, and those it says nothing about. It is
        negative for all others.
    parameters : dict
        What the sites and labels were made with; JSON values.
    sources : dict of str
        Digests of the genome, the background and the pairs table.
    """

    codes: NDArray[np.uint8]
    chrom_id: NDArray[np.int32]
    start: NDArray[np.int64]
    chroms: tuple[str, ...]
    chrom_sizes: tuple[int, ...]
    pairs: tuple[Pair, ...]
    roles: tuple[str, ...]
    peak_digests: tuple[str, ...]
    vocabulary: Vocabulary
    positive: PairLists
    ignored: PairLists
    parameters: dict[str, Any]
    sources: dict[str, str]

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.codes)

    @property
    def seq_len(self) -> int:
        """Length of each sequence, in bp."""
        return int(self.codes.shape[1])

    def labels(
        self, rows: NDArray[np.int64], pair_columns: NDArray[np.int64] | None = None
    ) -> NDArray[np.int8]:
        """Give the labels of some sites.

        Parameters
        ----------
        rows : int64 array, shape (n,)
            Sites, 0..n_sites - 1, in any order.
        pair_columns : int64 array, shape (m,), optional
            Columns of `pairs`; by default all.

        Returns
        -------
        int8 array, shape (n, m), contiguous
            1 positive, 0 negative, -1 ignored.
        """
        labels = np.zeros((len(rows), len(self.pairs)), dtype=np.int8)
        for lists, value in ((self.positive, 1), (self.ignored, -1)):
            places, pairs = lists.entries(rows)
            labels[places, pairs] = value
        # Not labels[:, pair_columns]: that lies in memory column by column.
        return labels if pair_columns is None else labels.take(pair_columns, axis=1)

    def counts(
        self, rows: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Count positives and negatives of every pair.

        Parameters
        ----------
        rows : int64 array, shape (n,), optional
            Sites to count over; by default all.

        Returns
        -------
        n_positive, n_negative : int64 arrays, shape (n_pairs,)
            Ignored sites are in neither.
        """
        if rows is None:
            rows = np.arange(self.n_sites)
        n_positive, n_ignored = (
            np.bincount(lists.entries(rows)[1], minlength=len(self.pairs))
            for lists in (self.positive, self.ignored)
        )
        return n_positive, len(rows) - n_positive - n_ignored


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
        file.attrs["format-version"] = FORMAT_VERSION
        file.attrs["seq-len"] = dataset.seq_len
        file.attrs["parameters"] = json.dumps(dataset.parameters, sort_keys=True)
        file.attrs["sources"] = json.dumps(dataset.sources, sort_keys=True)
        for name, column in _columns(dataset).items():
            file.create_dataset(name, data=column, **_COLUMN)
        file.create_dataset(
            "sites/sequence", data=pack_2bit(dataset.codes), **_SEQUENCE
        )
        file.attrs["complete"] = 1


def _columns(dataset: Dataset) -> dict[str, NDArray[Any]]:
    rows, columns = np.nonzero(dataset.codes == N_CODE)
    indices = np.array(dataset.vocabulary.pair_indices(dataset.pairs), dtype=np.int32)
    n_positive, n_negative = dataset.counts()
    return {
        "chroms/name": _to_bytes(dataset.chroms),
        "chroms/size": np.array(dataset.chrom_sizes, dtype=np.int64),
        "tfs/name": _to_bytes(dataset.vocabulary.tfs),
        "cells/name": _to_bytes(dataset.vocabulary.cells),
        "pairs/tf": indices[:, 0],
        "pairs/cell": indices[:, 1],
        "pairs/role": _to_bytes(dataset.roles),
        "pairs/peak-digest": _to_bytes(dataset.peak_digests),
        "pairs/n-positive": n_positive,
        "pairs/n-negative": n_negative,
        "sites/chrom": dataset.chrom_id.astype(np.int32),
        "sites/start": dataset.start.astype(np.int64),
        "unknown/site": rows.astype(np.int32),
        "unknown/place": columns.astype(np.int16),
        "positive/indptr": dataset.positive.indptr,
        "positive/pair": dataset.positive.pair,
        "ignored/indptr": dataset.ignored.indptr,
        "ignored/pair": dataset.ignored.pair,
    }


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
    except _READ_ERRORS as error:
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
    if version != FORMAT_VERSION:
        raise InputFileError(
            f"{path}: {FORMAT} version {version}, and this program reads version "
            f"{FORMAT_VERSION}; make it again with `tfimpute-tracks prepare`"
        )
    if file.attrs.get("complete") != 1:
        raise InputFileError(
            f"{path}: its writing never ended; "
            f"make it again with `tfimpute-tracks prepare`"
        )


def _read(file: h5py.File) -> tuple[Dataset, dict[str, NDArray[np.int64]]]:
    tfs, cells = _to_text(file["tfs/name"][:]), _to_text(file["cells/name"][:])
    packed, seq_len = file["sites/sequence"][:], int(file.attrs["seq-len"])
    if packed.shape[1] != -(-seq_len // 4):
        raise ValueError(f"sequences of {seq_len} bp in {packed.shape[1]} bytes")
    codes = unpack_2bit(packed, seq_len)
    codes[file["unknown/site"][:], file["unknown/place"][:]] = N_CODE
    tf_of, cell_of = file["pairs/tf"][:], file["pairs/cell"][:]
    dataset = Dataset(
        codes=codes,
        chrom_id=file["sites/chrom"][:],
        start=file["sites/start"][:],
        chroms=_to_text(file["chroms/name"][:]),
        chrom_sizes=tuple(file["chroms/size"][:].tolist()),
        pairs=tuple(
            Pair(tfs[i], cells[j]) for i, j in zip(tf_of, cell_of, strict=True)
        ),
        roles=_to_text(file["pairs/role"][:]),
        peak_digests=_to_text(file["pairs/peak-digest"][:]),
        vocabulary=Vocabulary(tfs, cells),
        positive=PairLists(file["positive/indptr"][:], file["positive/pair"][:]),
        ignored=PairLists(file["ignored/indptr"][:], file["ignored/pair"][:]),
        parameters=json.loads(file.attrs["parameters"]),
        sources=json.loads(file.attrs["sources"]),
    )
    expected = {name: file[f"pairs/n-{name}"][:] for name in ("positive", "negative")}
    return dataset, expected


def _find_fault(dataset: Dataset, expected: dict[str, NDArray[np.int64]]) -> str:
    """Say what cannot be true of a data set, or nothing."""
    n = dataset.n_sites
    if not 0 < n == len(dataset.chrom_id) == len(dataset.start):
        return f"{n} sequences for {len(dataset.start)} sites"
    if not 0 <= dataset.chrom_id.min() <= dataset.chrom_id.max() < len(dataset.chroms):
        return "a site lies on a chromosome that it does not list"
    for name, lists in (("positive", dataset.positive), ("ignored", dataset.ignored)):
        steps = np.diff(lists.indptr, prepend=0, append=len(lists.pair))
        if len(lists.indptr) != n + 1 or steps[0] or steps[-1] or steps.min() < 0:
            return f"the offsets of its {name} labels do not fit its sites"
        if np.any(lists.pair >= len(dataset.pairs)):
            return f"a {name} label names a pair that it does not list"
    n_positive, n_negative = dataset.counts()
    if not (
        np.array_equal(n_positive, expected["positive"])
        and np.array_equal(n_negative, expected["negative"])
    ):
        return "its labels are not as many as it says"
    return ""


def _to_bytes(texts: tuple[str, ...]) -> NDArray[np.bytes_]:
    # Fixed length: a checksum does not reach strings of variable length.
    return np.array([text.encode() for text in texts], dtype=np.bytes_)


def _to_text(column: NDArray[np.bytes_]) -> tuple[str, ...]:
    return tuple(value.decode() for value in column.tolist())
