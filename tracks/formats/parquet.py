"""Parquet: the signal as a table of bins, for pandas, polars, DuckDB and Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError, ValidationError
from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.tracks.formats.bedgraph import known_bins

__all__ = ["write_parquet"]

Piece = tuple[str, int, int, NDArray[np.float32]]


def write_parquet(
    dest: Path, chrom_sizes: Mapping[str, int], signals: Iterable[Piece]
) -> None:
    """Write a table of bins: chrom, start, end, probability; whole or not at all.

    Parameters
    ----------
    dest : Path
    chrom_sizes : mapping of str to int
    signals : iterable of (chrom, start, width, values)
        In the order of the genome; what is not finite is left out.

    Raises
    ------
    UsageError
        pyarrow is not installed.
    WriteError
        The disk is full, or the file cannot be written.
    ValidationError
        The file does not read back as written.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow: pip install 'tfimpute-tracks[parquet]'"
        ) from error
    schema = pa.schema(
        [
            ("chrom", pa.dictionary(pa.int32(), pa.string())),
            ("start", pa.int64()),
            ("end", pa.int64()),
            ("probability", pa.float32()),
        ]
    )
    n_rows = 0
    with atomic_file(dest) as temp:
        with parquet.ParquetWriter(temp, schema, compression="zstd") as writer:
            for chrom, starts, ends, values in known_bins(chrom_sizes, signals):
                names = pa.array([chrom]).dictionary_encode()
                indices = pa.array(np.zeros(len(values), dtype=np.int32))
                column = pa.DictionaryArray.from_arrays(indices, names.dictionary)
                writer.write_table(
                    pa.table([column, starts, ends, values], schema=schema)
                )
                n_rows += len(values)
        read = parquet.read_table(temp, columns=["probability"]).num_rows
        if read != n_rows:
            raise ValidationError(
                f"{dest} reads back with {read} rows, written were {n_rows}; the disk "
                "or the memory of this machine is at fault"
            )
