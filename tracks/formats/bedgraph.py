"""bedGraph: the signal as text, four columns, for programs that read no bigWig."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path

from tfimpute_tracks.tracks.formats.bins import Batch, SignalStyle
from tfimpute_tracks.tracks.formats.validate import Content, read_back_error

__all__ = ["check_bedgraph", "write_bedgraph"]

_ROWS_AT_ONCE = 1 << 16


def write_bedgraph(
    path: Path,
    chrom_sizes: Mapping[str, int],
    batches: Iterable[Batch],
    style: SignalStyle,
) -> None:
    """Write a bedGraph file; an empty one where no bin has a value.

    Parameters
    ----------
    path : Path
    chrom_sizes : mapping of str to int
    batches : iterable of Batch
    style : SignalStyle
    """
    number = "" if style.decimals is None else f".{style.decimals}f"
    with path.open("w", encoding="utf-8") as file:
        for chrom, bins in chain.from_iterable(map(Batch.by_chrom, batches)):
            file.writelines(
                f"{chrom}\t{start}\t{end}\t{value:{number}}\n"
                for start, end, value in bins.tolist()
            )


def check_bedgraph(
    path: Path, dest: Path, chrom_sizes: Mapping[str, int], content: Content
) -> None:
    """Read a bedGraph file back, with pandas, and compare it with what was written.

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
    import pandas as pd

    read = Content()
    if path.stat().st_size:
        names = ["chrom", "start", "end", "value"]
        types = {"chrom": str, "start": "u4", "end": "u4", "value": "f4"}
        try:
            parts = pd.read_csv(
                path,
                sep="\t",
                names=names,
                dtype=types,
                keep_default_na=False,
                chunksize=_ROWS_AT_ONCE,
            )
            for part in parts:
                read.add_rows(*(part[name] for name in names))
        except ValueError as error:  # pandas' own for a broken line
            raise read_back_error(dest, str(error)) from error
    read.compare(dest, content)
