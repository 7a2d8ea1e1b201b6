"""What a format of track files is, and the table of all of them.

An installed package adds a format through an entry point of the group
`tfimpute_tracks.formats`: its name is that of the format, and it refers to a
:class:`TrackFormat`. Such packages are looked for when a name is not built in, or when all
formats are listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.tracks.formats.bins import SignalStyle

__all__ = ["ENTRY_POINTS", "FormatTable", "TrackFormat"]

ENTRY_POINTS = "tfimpute_tracks.formats"
"""Group of the entry points through which packages add formats."""


@dataclass(frozen=True)
class TrackFormat:
    """A format of track files.

    Attributes
    ----------
    name : str
        As users write it.
    suffix : str
        Of its files, with the dot.
    kind : {"signal", "peaks"}
        What such a file holds.
    write : callable
        ``write(path, chrom_sizes, data, style)`` writes the file; `data` is an iterator
        of Batch, all checked, or a PeakSet, which is checked, too.
    check : callable
        ``check(path, dest, chrom_sizes, written)`` reads the file back, and raises a
        ValidationError that names `dest` where it does not hold what was written, a
        Content or the PeakSet.
    help : str
        In a few words.
    may_be_empty : bool
        Whether readers take a file of peaks without a peak.
    is_default : bool
        Whether it is written unless others are asked for.
    is_rounded : bool
        Whether values are rounded as the style says.
    """

    name: str
    suffix: str
    kind: Literal["signal", "peaks"]
    write: Callable[[Path, Mapping[str, int], Any, SignalStyle], None]
    check: Callable[[Path, Path, Mapping[str, int], Any], None]
    help: str
    may_be_empty: bool = True
    is_default: bool = False
    is_rounded: bool = True


class FormatTable(Mapping[str, TrackFormat]):
    """Formats by name: the built-in ones first, then those of installed packages.

    Parameters
    ----------
    built_in : iterable of TrackFormat
    """

    def __init__(self, built_in: Iterable[TrackFormat]) -> None:
        self._built_in = {entry.name: entry for entry in built_in}

    def __getitem__(self, name: str) -> TrackFormat:
        if name in self._built_in:
            return self._built_in[name]
        return self._installed[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._built_in, **self._installed})

    def __len__(self) -> int:
        return len({**self._built_in, **self._installed})

    @cached_property
    def _installed(self) -> dict[str, TrackFormat]:
        """Load the formats of packages.

        Raises
        ------
        UsageError
            One cannot be loaded, is of another type or name, or writes files with the
            suffix of another format.
        """
        found: dict[str, TrackFormat] = {}
        suffixes = {entry.suffix: name for name, entry in self._built_in.items()}
        for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda p: p.name):
            if point.name in self._built_in:
                continue
            entry = _load(point)
            if entry.suffix in suffixes:
                raise UsageError(
                    f"the formats {suffixes[entry.suffix]} and {point.name} "
                    f"({point.value}) both write files that end in {entry.suffix}; "
                    "uninstall one of the packages"
                )
            found[point.name] = entry
            suffixes[entry.suffix] = point.name
        return found


def _load(point: EntryPoint) -> TrackFormat:
    try:
        entry = point.load()
    except Exception as error:
        raise UsageError(
            f"the format {point.name} ({point.value}) cannot be loaded: "
            f"{' '.join(str(error).split())}; correct or uninstall its package"
        ) from error
    if isinstance(entry, TrackFormat) and entry.name == point.name:
        return entry
    raise UsageError(
        f"entry point {point.name!r} of {ENTRY_POINTS} refers to {point.value}, which is "
        f"not a TrackFormat named {point.name!r}; correct the package that declares it"
    )
