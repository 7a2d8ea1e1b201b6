"""Track files: one table of the formats, and one function that writes any of them.

A format is a module here and a line of :data:`FORMATS`, or an entry point of another
package (``track_format``). `scan`, `export`, the downloads of the browser page and folders
of tracks read the table. ``bbi``, ``blocks`` and
``zoom`` are the container that bigWig and bigBed share, ``reading`` reads it, and
``validate`` holds what the checks share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tfimpute_tracks.errors import RunError, UsageError
from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.tracks.formats import (
    bedgraph,
    bigbed,
    bigwig,
    bins,
    narrowpeak,
    parquet,
    validate,
)
from tfimpute_tracks.tracks.formats.bins import SignalStyle
from tfimpute_tracks.tracks.formats.narrowpeak import NarrowPeak, PeakSet
from tfimpute_tracks.tracks.formats.reading import (
    covered_spans,
    read_signal,
    signal_chroms,
)
from tfimpute_tracks.tracks.formats.track_format import FormatTable, TrackFormat

__all__ = [
    "FORMATS",
    "FormatTable",
    "NarrowPeak",
    "PeakSet",
    "SignalStyle",
    "TrackFormat",
    "choose_formats",
    "covered_spans",
    "read_signal",
    "signal_chroms",
    "write_track",
]


_TABLE = (
    TrackFormat(
        "bigwig",
        ".bw",
        "signal",
        bigwig.write_bigwig,
        bigwig.check_bigwig,
        "signal",
        is_default=True,
    ),
    TrackFormat(
        "bedgraph",
        ".bedGraph",
        "signal",
        bedgraph.write_bedgraph,
        bedgraph.check_bedgraph,
        "signal, text",
    ),
    TrackFormat(
        "parquet",
        ".parquet",
        "signal",
        parquet.write_parquet,
        parquet.check_parquet,
        "signal, a table",
        is_rounded=False,
    ),
    TrackFormat(
        "bed",
        ".narrowPeak",
        "peaks",
        narrowpeak.write_narrowpeak,
        narrowpeak.check_narrowpeak,
        "peaks, narrowPeak",
        is_default=True,
    ),
    TrackFormat(
        "bigbed",
        ".bb",
        "peaks",
        bigbed.write_bigbed,
        bigbed.check_bigbed,
        "peaks",
        may_be_empty=False,
        is_default=True,
    ),
)
FORMATS = FormatTable(_TABLE)
"""Every format by its name, in the order in which files are written."""


def choose_formats(
    names: Iterable[str] | None, signal: str = "probability"
) -> tuple[str, ...]:
    """Choose what to write.

    Parameters
    ----------
    names : iterable of str, optional
        Names of formats, each perhaps several with commas. By default the bigWig, and
        the peaks with the probability.
    signal : str
        What the track holds, of :data:`tfimpute_tracks.tracks.signals.SIGNALS`.

    Returns
    -------
    tuple of str
        Each once, in the order of the table.

    Raises
    ------
    UsageError
        There is no such format, or peaks are asked for with another signal than the
        probability, on which they are called.
    """
    wanted = {name.strip() for text in names or () for name in text.split(",")} - {""}
    if not wanted:
        return tuple(
            entry.name
            for entry in _TABLE
            if entry.is_default and (entry.kind == "signal" or signal == "probability")
        )
    for name in sorted(wanted):
        if name not in FORMATS:
            raise UsageError(f"--format {name!r}; use some of {', '.join(FORMATS)}")
        if FORMATS[name].kind == "peaks" and signal != "probability":
            raise UsageError(
                f"--format {name} with --signal {signal}: peaks are called on the "
                "probability; use --signal probability, or another format"
            )
    return tuple(name for name in FORMATS if name in wanted)


def write_track(
    name: str,
    dest: Path,
    chrom_sizes: Mapping[str, int],
    data: Any,
    style: SignalStyle | None = None,
) -> bool:
    """Write a file atomically: it is read back and compared before it gets its name.

    Parameters
    ----------
    name : str
        Of :data:`FORMATS`.
    dest : Path
        The file to make or to replace.
    chrom_sizes : mapping of str to int
        Chromosome -> bp, in the order of the file.
    data : iterable of Signal, or PeakSet
        By the kind of the format.
    style : SignalStyle, optional

    Returns
    -------
    bool
        False where there is no peak and the format has no empty files: then none is
        written, and one that an earlier run left is removed.

    Raises
    ------
    RegionError, UsageError, RunError
        The data are out of order or do not fit their chromosomes, or there are none.
    WriteError
        The disk is full, or the file cannot be written.
    ValidationError
        The file does not read back as written.
    """
    entry = FORMATS[name]
    if not (entry.may_be_empty or data):
        dest.unlink(missing_ok=True)
        return False
    style = style or SignalStyle()
    written = data
    if entry.kind == "signal":
        decimals = style.decimals if entry.is_rounded else None
        written = validate.Content()
        data = written.watch(bins.gather_bins(chrom_sizes, data, decimals))
    else:
        narrowpeak.check_rows(chrom_sizes, data.rows)
    with atomic_file(dest) as temp:
        try:
            entry.write(temp, chrom_sizes, data, style)
        except RunError as error:
            raise RunError(f"{dest}: {error}") from error
        entry.check(temp, dest, chrom_sizes, written)
    return True
