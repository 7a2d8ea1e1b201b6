"""Tables of effects: a row per allele and pair, or per allele; as text or as Parquet.

Rows are written as alleles come, and of Parquet a row group at a time: the memory does
not grow with them. Which alleles there are is decided by ``run``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.kernels.text_rows import format_rows, join_names
from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.variants.alleles import Variant
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "COLUMNS",
    "MAX_WIDE_COLUMNS",
    "EffectTable",
    "Layout",
    "ScoredAllele",
    "check_layout",
    "open_table",
]

Floats = NDArray[np.float32]

_PLACE = ("chrom", "pos", "id", "ref", "alt")
_PAIR = ("tf", "cell", "status")
_NUMBERS = {
    "p_ref": 6,
    "p_alt": 6,
    "delta": 6,
    "delta_log_odds": 5,
    "quantile": 4,
}  # digits of each
COLUMNS = (*_PLACE, *_PAIR, *_NUMBERS)
"""Of the long table."""
MAX_WIDE_COLUMNS = 1000
"""Pairs that have a column each: readers, and Parquet's own index, bear few more."""
_GROUP = 1 << 20  # numbers or rows of a row group


class ScoredAllele(NamedTuple):
    """An allele and what it does.

    Attributes
    ----------
    variant : Variant
    name : str
        Its ID; may be empty.
    numbers : float32 array, shape (5, n_pairs)
        Probabilities of the reference and of the alternative, their difference, that
        of the log-odds, and its quantile among the background: NaN without one.
    """

    variant: Variant
    name: str
    numbers: Floats

    @property
    def delta(self) -> Floats:
        """Differences of the probabilities, shape (n_pairs,)."""
        delta: Floats = self.numbers[2]
        return delta


class Layout(NamedTuple):
    """What a table looks like.

    Attributes
    ----------
    ending : str
        `tsv` or `parquet`.
    is_wide : bool
        A row per allele, with a column of each pair's delta.
    least : float
        Rows of which no delta is as large, without its sign, are left out.
    """

    ending: str = "tsv"
    is_wide: bool = False
    least: float = 0.0


class EffectTable(Protocol):
    """A table that is being written."""

    def add(self, allele: ScoredAllele) -> None:
        """Write the rows of an allele.

        Parameters
        ----------
        allele : ScoredAllele
        """


def check_layout(layout: Layout, n_pairs: int) -> None:
    """Refuse a table that cannot be written, before any work.

    Parameters
    ----------
    layout : Layout
    n_pairs : int

    Raises
    ------
    UsageError
        Too many columns, or pyarrow is not installed.
    """
    if layout.is_wide and n_pairs > MAX_WIDE_COLUMNS:
        raise UsageError(
            f"--wide with {n_pairs:,} pairs; at most {MAX_WIDE_COLUMNS:,} have a column each: "
            "name fewer, or leave --wide out"
        )
    if layout.ending == "parquet":
        _arrow()


@contextmanager
def open_table(
    dest: Path, layout: Layout, pairs: Sequence[Pair], status: Sequence[str]
) -> Iterator[EffectTable]:
    """Begin a table; it is there when the block ends well.

    Parameters
    ----------
    dest : Path
    layout : Layout
    pairs : sequence of Pair
    status : sequence of str
        `trained` or `imputed`, of each pair.

    Yields
    ------
    EffectTable

    Raises
    ------
    UsageError
        pyarrow is not installed.
    WriteError
        The disk is full, or the file cannot be written.
    """
    with atomic_file(dest) as temp:
        if layout.ending == "parquet":
            pa, parquet = _arrow()
            made = _Wide if layout.is_wide else _Long
            table = made(pa, layout, pairs, status)
            with parquet.ParquetWriter(temp, table.schema, compression="zstd") as file:
                table.file = file
                yield table
                table.flush()
            return
        with temp.open("wb") as text:
            yield _Text(text, layout, pairs, status)


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow: pip install 'tfimpute-tracks[parquet]'"
        ) from error
    return pyarrow, parquet


class _Text:
    """Tab-separated, long or wide."""

    def __init__(
        self, file: Any, layout: Layout, pairs: Sequence[Pair], status: Sequence[str]
    ) -> None:
        self._file, self._layout = file, layout
        names = [f"\t{p.tf}\t{p.cell}\t{k}" for p, k in zip(pairs, status, strict=True)]
        columns = COLUMNS
        if layout.is_wide:
            names, columns = [""], (*_PLACE, *map(str, pairs))
        self._names = join_names(names)
        file.write(("\t".join(columns) + "\n").encode())

    def add(self, allele: ScoredAllele) -> None:
        chrom, start, ref, alt = allele.variant
        head = "\t".join((chrom, str(start + 1), allele.name, ref, alt))
        rows = np.flatnonzero(np.abs(allele.delta) >= self._layout.least)
        values, digits = allele.numbers, list(_NUMBERS.values())
        if self._layout.is_wide:
            values = allele.delta[:, None]
            digits = [_NUMBERS["delta"]] * len(values)
            rows = np.arange(min(rows.size, 1))
        if rows.size:
            self._file.write(format_rows(head, self._names, rows, values, digits))


class _Long:
    """Parquet, a row per allele and pair."""

    def __init__(
        self, pa: Any, layout: Layout, pairs: Sequence[Pair], status: Sequence[str]
    ) -> None:
        self._pa, self._least = pa, layout.least
        self._pair = [
            pa.array(names).dictionary_encode()
            for names in (
                [pair.tf for pair in pairs],
                [pair.cell for pair in pairs],
                list(status),
            )
        ]
        text = pa.dictionary(pa.int32(), pa.string())
        types = [text, pa.int64(), text, text, text, text, text, text]
        types += [pa.float32()] * len(_NUMBERS)
        self.schema = pa.schema(list(zip(COLUMNS, types, strict=True)))
        self.file: Any = None
        self._waiting: list[tuple[ScoredAllele, NDArray[np.int64]]] = []
        self._n_rows = 0

    def add(self, allele: ScoredAllele) -> None:
        rows = np.flatnonzero(np.abs(allele.delta) >= self._least)
        numbers = allele.numbers[:, rows]
        self._waiting.append((allele._replace(numbers=numbers), rows))
        # An allele takes memory, too, where none of its rows is kept.
        self._n_rows += rows.size + 1
        if self._n_rows >= _GROUP:
            self.flush()

    def flush(self) -> None:
        """Write what waits as a row group."""
        waiting, self._waiting, self._n_rows = self._waiting, [], 0
        kept = [(allele, rows) for allele, rows in waiting if rows.size]
        if not kept:
            return
        pa = self._pa
        sizes = [rows.size for _, rows in kept]
        which = pa.array(np.repeat(np.arange(len(kept), dtype=np.int32), sizes))
        places = zip(*((*a.variant, a.name) for a, _ in kept), strict=True)
        chrom, start, ref, alt, name = (pa.array(column) for column in places)
        chrom, name, ref, alt = (
            column.dictionary_encode().take(which) for column in (chrom, name, ref, alt)
        )
        pos = pa.array(np.asarray(start) + 1).take(which)
        rows = pa.array(np.concatenate([rows for _, rows in kept]))
        numbers = np.concatenate([allele.numbers for allele, _ in kept], axis=1)
        columns = [chrom, pos, name, ref, alt, *(c.take(rows) for c in self._pair)]
        columns += [pa.array(column, from_pandas=True) for column in numbers]
        self.file.write_table(
            pa.table(columns, schema=self.schema), row_group_size=2**30
        )


class _Wide:
    """Parquet, a row per allele."""

    def __init__(
        self, pa: Any, layout: Layout, pairs: Sequence[Pair], status: Sequence[str]
    ) -> None:
        self._pa, self._least = pa, layout.least
        types = [pa.string(), pa.int64(), pa.string(), pa.string(), pa.string()]
        fields = list(zip(_PLACE, types, strict=True))
        fields += [(str(pair), pa.float32()) for pair in pairs]
        self.schema = pa.schema(fields)
        self.file: Any = None
        self._waiting: list[ScoredAllele] = []
        self._most = max(1, _GROUP // max(1, len(pairs)))

    def add(self, allele: ScoredAllele) -> None:
        if np.abs(allele.delta).max(initial=0) >= self._least:
            numbers = allele.numbers[2:3].copy()
            self._waiting.append(allele._replace(numbers=numbers))
        if len(self._waiting) >= self._most:
            self.flush()

    def flush(self) -> None:
        """Write what waits as a row group."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        deltas = np.concatenate([allele.numbers for allele in waiting])
        places = zip(*((*a.variant, a.name) for a in waiting), strict=True)
        chrom, start, ref, alt, name = places
        columns = [chrom, [one + 1 for one in start], name, ref, alt, *deltas.T]
        table = self._pa.table(
            [self._pa.array(column) for column in columns], schema=self.schema
        )
        self.file.write_table(table, row_group_size=2**30)
