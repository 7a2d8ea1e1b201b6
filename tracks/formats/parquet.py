"""Parquet: the signal as a table of bins, for pandas, polars, DuckDB and Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tfimpute_tracks.errors import check_packages
from tfimpute_tracks.tracks.formats.bins import Batch, SignalStyle
from tfimpute_tracks.tracks.formats.validate import Content, read_back_error

__all__ = ["check_parquet", "write_parquet"]

_ROWS_AT_ONCE = 1 << 16


def write_parquet(
    path: Path,
    chrom_sizes: Mapping[str, int],
    batches: Iterable[Batch],
    style: SignalStyle,
) -> None:
    """Write a table of bins: chrom, start, end, value.

    Parameters
    ----------
    path : Path
    chrom_sizes : mapping of str to int
    batches : iterable of Batch
    style : SignalStyle

    Raises
    ------
    UsageError
        If pyarrow is not installed.
    """
    check_packages("Parquet", "pyarrow")
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema(
        [
            ("chrom", pa.string()),  # a dictionary on disk in any case
            ("start", pa.uint32()),
            ("end", pa.uint32()),
            (style.column, pa.float32()),
        ]
    )
    # Files and not paths: pyarrow takes a name for text, which it need not be.
    with (
        path.open("wb") as file,
        parquet.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        for names, chroms, bins in batches:
            columns = [bins[name] for name in ("start", "end", "value")]
            named = pa.array(names).take(pa.array(chroms))
            writer.write_table(pa.table([named, *columns], schema=schema))


def check_parquet(
    path: Path, dest: Path, chrom_sizes: Mapping[str, int], content: Content
) -> None:
    """Read a Parquet file back and compare it with what was written.

    Parameters
    ----------
    path, dest : Path
        The file, under its temporary name, and the name to use in a message.
    chrom_sizes : mapping of str to int
        Not used: the file does not hold them.
    content : Content

    Raises
    ------
    ValidationError
        The file says anything else.
    """
    import pyarrow
    from pyarrow import parquet

    read = Content()
    try:
        with path.open("rb") as raw, parquet.ParquetFile(raw) as file:
            for batch in file.iter_batches(_ROWS_AT_ONCE):
                columns = (
                    batch.column(i).to_numpy(zero_copy_only=False) for i in range(4)
                )
                read.add_rows(*columns)
    except pyarrow.ArrowException as error:
        raise read_back_error(dest, str(error)) from error
    read.compare(dest, content)
