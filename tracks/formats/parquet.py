"""Parquet: the signal as a table of bins, for pandas, polars, DuckDB and Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.tracks.formats.bins import gather_bins
from tfimpute_tracks.tracks.formats.validate import Content, check_parquet

__all__ = ["write_parquet"]


def write_parquet(
    dest: Path,
    chrom_sizes: Mapping[str, int],
    signals: Iterable[Signal],
    column: str = "probability",
) -> None:
    """Write a table of bins: chrom, start, end, value; whole or not at all.

    Parameters
    ----------
    dest : Path
    chrom_sizes : mapping of str to int
    signals : iterable of (chrom, start, width, values)
        As :func:`tfimpute_tracks.tracks.formats.bins.gather_bins` takes them.
    column : str
        What the values are called. They are not rounded.

    Raises
    ------
    RegionError, RunError
        As :func:`tfimpute_tracks.tracks.formats.bins.gather_bins`.
    UsageError
        The same, or pyarrow is not installed.
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
            ("chrom", pa.string()),  # a dictionary on disk in any case
            ("start", pa.uint32()),
            ("end", pa.uint32()),
            (column, pa.float32()),
        ]
    )
    content = Content()
    with atomic_file(dest) as temp:
        with parquet.ParquetWriter(temp, schema, compression="zstd") as writer:
            for chrom, _, bins in gather_bins(chrom_sizes, signals, None):
                content.add(chrom, bins)
                columns = [bins[name] for name in ("start", "end", "value")]
                names = pa.repeat(chrom, len(bins))
                writer.write_table(pa.table([names, *columns], schema=schema))
        check_parquet(temp, dest, content)
