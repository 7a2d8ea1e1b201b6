"""Write tables of effects: a row per allele and pair, or per allele; TSV or Parquet.

Text rows are written as the alleles come, and Parquet one row group at a time, so memory
does not grow with the number of alleles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError, check_packages
from tfimpute_tracks.kernels.text_rows import format_rows, join_names
from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "COLUMNS",
    "MAX_WIDE_COLUMNS",
    "ROW_GROUP",
    "EffectTable",
    "Layout",
    "ScoredAllele",
    "check_layout",
    "open_table",
]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_VARIANT = ("chrom", "pos", "id", "ref", "alt", "swapped")
_PAIR = ("tf", "cell", "status")
_DIGITS = {"p_ref": 6, "p_alt": 6, "delta": 6, "delta_log_odds": 5, "quantile": 4}
COLUMNS = (*_VARIANT, *_PAIR, *_DIGITS)
"""Columns of the long table."""
MAX_WIDE_COLUMNS = 1000
"""Pairs with a column each: readers, and Parquet's own index, slow down beyond that."""
ROW_GROUP = 1 << 20
"""Rows of a long table, or values of a wide one, that are written at once."""


class ScoredAllele(NamedTuple):
    """An allele and its effects.

    Attributes
    ----------
    variant : Variant
    name : str
        The ID; may be empty.
    effects : float32 array, shape (5, n_pairs)
        Probability of the reference allele, probability of the alternate allele, their
        difference, the difference of the log-odds, and the quantile of that among
        background variants (NaN without a background).
    is_swapped : bool
        Whether the file has another REF than the genome, which has one of its ALTs.
    """

    variant: Variant
    name: str
    effects: Floats
    is_swapped: bool = False

    @property
    def delta(self) -> Floats:
        """Differences of the probabilities, shape (n_pairs,)."""
        delta: Floats = self.effects[2]
        return delta


class Layout(NamedTuple):
    """The layout of a table.

    Attributes
    ----------
    suffix : str
        `tsv` or `parquet`.
    is_wide : bool
        One row per allele, with a column of each pair's delta.
    min_delta : float
        Rows are left out if the absolute value of every delta is smaller.
    """

    suffix: str = "tsv"
    is_wide: bool = False
    min_delta: float = 0.0


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
            f"--wide with {n_pairs:,} pairs; at most {MAX_WIDE_COLUMNS:,} can have a "
            "column each: select fewer pairs, or omit --wide"
        )
    if layout.suffix == "parquet":
        _pyarrow()


@contextmanager
def open_table(
    dest: Path,
    layout: Layout,
    pairs: Sequence[Pair],
    status: Sequence[str],
    row_group: int = ROW_GROUP,
) -> Iterator[EffectTable]:
    """Create a table; it appears under its name when the block ends well.

    Parameters
    ----------
    dest : Path
    layout : Layout
    pairs : sequence of Pair
    status : sequence of str
        `measured` or `imputed`, for each pair.
    row_group : int
        Of Parquet: rows of a long table, or values of a wide one.

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
        if layout.suffix == "parquet":
            _, parquet = _pyarrow()
            table = _Parquet(layout, pairs, status, row_group)
            with parquet.ParquetWriter(temp, table.schema, compression="zstd") as file:
                table.file = file
                yield table
                table.flush()
            return
        with temp.open("wb") as text:
            yield _Text(text, layout, pairs, status)


def _pyarrow() -> tuple[Any, Any]:
    check_packages("Parquet", "pyarrow")
    import pyarrow
    from pyarrow import parquet

    return pyarrow, parquet


class _Text:
    """Tab-separated, long or wide."""

    def __init__(
        self, file: Any, layout: Layout, pairs: Sequence[Pair], status: Sequence[str]
    ) -> None:
        self._file, self._layout = file, layout
        names = [f"\t{p.tf}\t{p.cell}\t{s}" for p, s in zip(pairs, status, strict=True)]
        columns = COLUMNS
        if layout.is_wide:
            names, columns = [""], (*_VARIANT, *map(str, pairs))
        self._names = join_names(names)
        file.write(("\t".join(columns) + "\n").encode())

    def add(self, allele: ScoredAllele) -> None:
        chrom, start, ref, alt = allele.variant
        swapped = "true" if allele.is_swapped else "false"
        prefix = "\t".join((chrom, str(start + 1), allele.name, ref, alt, swapped))
        rows = np.flatnonzero(np.abs(allele.delta) >= self._layout.min_delta)
        values, digits = allele.effects, list(_DIGITS.values())
        if self._layout.is_wide:
            values = allele.delta[:, None]
            digits = [_DIGITS["delta"]] * len(values)
            rows = np.arange(min(rows.size, 1))
        if rows.size:
            self._file.write(format_rows(prefix, self._names, rows, values, digits))


class _Parquet:
    """Parquet, long or wide; rows wait until there are enough for a row group."""

    def __init__(
        self,
        layout: Layout,
        pairs: Sequence[Pair],
        status: Sequence[str],
        row_group: int,
    ) -> None:
        self._pa, _ = _pyarrow()
        self._layout, self._row_group = layout, row_group
        self.file: Any = None
        self._waiting: list[tuple[ScoredAllele, Ints]] = []
        self._n_waiting = 0
        names = [p.tf for p in pairs], [p.cell for p in pairs], list(status)
        self._pair = [self._pa.array(column).dictionary_encode() for column in names]
        self.schema = self._schema(pairs)

    def _schema(self, pairs: Sequence[Pair]) -> Any:
        pa = self._pa
        text, number = pa.string(), pa.float32()
        if self._layout.is_wide:
            types = [text, pa.int64(), text, text, text, pa.bool_()]
            fields = zip(_VARIANT, types, strict=True)
            return pa.schema([*fields, *((str(pair), number) for pair in pairs)])
        text = pa.dictionary(pa.int32(), text)
        types = [text, pa.int64(), *[text] * 3, pa.bool_(), *[text] * len(_PAIR)]
        types += [number] * len(_DIGITS)
        return pa.schema(list(zip(COLUMNS, types, strict=True)))

    def add(self, allele: ScoredAllele) -> None:
        rows = np.flatnonzero(np.abs(allele.delta) >= self._layout.min_delta)
        if not rows.size:
            return
        which = slice(2, 3) if self._layout.is_wide else (slice(None), rows)
        effects = allele.effects[which].copy()
        self._waiting.append((allele._replace(effects=effects), rows))
        self._n_waiting += effects.shape[1]
        if self._n_waiting >= self._row_group:
            self.flush()

    def flush(self) -> None:
        """Write what waits as a row group."""
        waiting, self._waiting, self._n_waiting = self._waiting, [], 0
        if waiting:
            fill = self._wide_columns if self._layout.is_wide else self._long_columns
            table = self._pa.table(fill(waiting), schema=self.schema)
            self.file.write_table(table, row_group_size=2**30)

    def _wide_columns(self, waiting: list[tuple[ScoredAllele, Ints]]) -> list[Any]:
        deltas = np.concatenate([allele.effects for allele, _ in waiting])
        columns = [*_variant_columns(allele for allele, _ in waiting), *deltas.T]
        return [self._pa.array(column) for column in columns]

    def _long_columns(self, waiting: list[tuple[ScoredAllele, Ints]]) -> list[Any]:
        pa = self._pa
        sizes = [rows.size for _, rows in waiting]
        which = pa.array(np.repeat(np.arange(len(waiting), dtype=np.int32), sizes))
        columns = _variant_columns(allele for allele, _ in waiting)
        chrom, pos, *texts, swapped = columns
        encoded = [
            pa.array(column).dictionary_encode().take(which)
            for column in (chrom, *texts)
        ]
        rows = pa.array(np.concatenate([rows for _, rows in waiting]))
        effects = np.concatenate([allele.effects for allele, _ in waiting], axis=1)
        return [
            *(encoded[0], pa.array(pos).take(which), *encoded[1:]),
            pa.array(swapped).take(which),
            *(column.take(rows) for column in self._pair),
            *(pa.array(column, from_pandas=True) for column in effects),
        ]


def _variant_columns(alleles: Iterator[ScoredAllele]) -> Iterator[Sequence[Any]]:
    """Return the columns :data:`_VARIANT`, one entry per allele."""
    rows = (
        (v.chrom, v.start + 1, name, v.ref, v.alt, is_swapped)
        for v, name, _, is_swapped in alleles
    )
    return zip(*rows, strict=True)
