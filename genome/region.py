"""Regions as users type them, and the regions of a run.

A :class:`Region` is 0-based and half-open, as in BED; genome browsers and users write
1-based coordinates with both ends included. They are converted only here. A region that
extends beyond its chromosome is refused and never clipped: it is a typing error or of
another assembly.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.errors import InputFileError, RegionError, listed
from tfimpute_tracks.genome.bed import read_bed
from tfimpute_tracks.genome.chrom_choice import choose_chroms
from tfimpute_tracks.genome.chroms import find_chrom, match_chrom, match_chroms
from tfimpute_tracks.storage.input_paths import is_folder, is_input, why_no_file

__all__ = ["Region", "is_region_file", "parse_region", "resolve_regions"]

_LOG = logging.getLogger(__name__)
_SPAN = re.compile(r"([0-9,]{1,20})\s*-\s*([0-9,]{1,20})")
_PATH_LIKE = re.compile(r"[/\\]|\.(bed|gz|txt|tsv|\w+Peak)$", re.IGNORECASE)


class Region(NamedTuple):
    """An interval of a chromosome; ``str`` writes it as genome browsers do.

    Parameters
    ----------
    chrom : str
    start, end : int
        0-based, half-open, bp.
    """

    chrom: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.chrom}:{self.start + 1}-{self.end}"


def parse_region(text: str, chrom_sizes: Mapping[str, int]) -> Region:
    """Parse a region as genome browsers write it.

    Chromosome sizes are required, so that ``chr20`` alone gets its end, and names that
    contain a colon, such as those of HLA contigs, are recognized.

    Parameters
    ----------
    text : str
        ``chr20:1,000-2,000``, 1-based with both ends included, or ``chr20``.
    chrom_sizes : mapping of str to int
        Lengths of the chromosomes in bp.

    Returns
    -------
    Region
        With the chromosome's name as in `chrom_sizes`.

    Raises
    ------
    RegionError
        Not of this form, an unknown chromosome, or outside of it.
    """
    text = text.strip()
    if not text:
        raise RegionError("an empty region; write e.g. chr20:1,000-2,000, or a gene")
    whole = find_chrom(text, chrom_sizes)
    if whole is not None:
        return Region(whole, 0, chrom_sizes[whole])
    name, separator, span = text.rpartition(":")
    if not separator:
        match_chrom(text, chrom_sizes)
    typed = _SPAN.fullmatch(span.strip())
    if typed is None:
        raise RegionError(
            f"region {text!r} is not of the form chr:start-end; write e.g."
            " chr20:1,000-2,000 (1-based, both ends included) or a chromosome's name"
        )
    first, last = (int(number.replace(",", "") or 0) for number in typed.groups())
    chrom = match_chrom(name, chrom_sizes)
    if last < first:
        raise RegionError(
            f"region {text!r} starts after its end; write the smaller number first"
        )
    if first < 1:
        raise RegionError(
            f"region {text!r} has no bases; count from 1, with both ends included"
        )
    if last > chrom_sizes[chrom]:
        raise RegionError(_outside(f"region {text!r}", chrom, chrom_sizes))
    return Region(chrom, first - 1, last)


def is_region_file(text: str) -> bool:
    """Report whether a value of ``--region`` is a file, or meant to be one.

    Parameters
    ----------
    text : str

    Returns
    -------
    bool
        There is such a file or folder, or the text looks like the path of one.
    """
    is_there = is_input(Path(text)) or is_folder(Path(text))
    return is_there or bool(_PATH_LIKE.search(text))


def resolve_regions(
    specs: Sequence[str],
    chroms: Sequence[str],
    chrom_sizes: Mapping[str, int],
    log: Callable[[str], None] = _LOG.info,
    min_length: int = 0,
) -> list[Region]:
    """Convert command-line values to the regions of a run.

    Parameters
    ----------
    specs : sequence of str
        Paths of BED files, or regions for :func:`parse_region`.
    chroms : sequence of str
        Whole chromosomes, as for
        :func:`~tfimpute_tracks.genome.chrom_choice.choose_chroms`.
    chrom_sizes : mapping of str to int
        Lengths in bp, in genome order.
    log : callable, optional
        Receives a message if ``1`` was matched with ``chr1`` or vice versa, or only some
        chromosomes are used; logged as information by default.
    min_length : int
        Whole chromosomes that are shorter, in bp, are left out, unless they are named.

    Returns
    -------
    list of Region
        In genome order; none overlaps or touches another. Every chromosome if `specs`
        and `chroms` are empty.

    Raises
    ------
    InputFileError
        A BED file is missing or invalid.
    RegionError
        An unknown chromosome, a region outside of its chromosome, or a least length and
        no whole chromosomes.
    """
    if min_length and specs and not chroms:
        raise RegionError(
            "--min-contig concerns whole chromosomes, and only regions are chosen; leave "
            "it out"
        )
    whole: list[str] = []
    if chroms or not specs:
        whole = choose_chroms(chroms, chrom_sizes, min_length, log)
    known = ((name, find_chrom(name, chrom_sizes)) for name in chroms)
    matched = {asked: name for asked, name in known if name is not None}
    regions = [Region(name, 0, chrom_sizes[name]) for name in whole]
    for spec in specs:
        if is_input(Path(spec)):
            read, names = _read_regions(spec, chrom_sizes)
            regions += read
            matched |= names
        elif _is_path(spec, chrom_sizes):
            raise InputFileError(
                f"{spec}: {why_no_file(Path(spec))}; use a BED file or a region such as"
                " chr20:1,000-2,000"
            )
        else:
            region = parse_region(spec, chrom_sizes)
            regions.append(region)
            if not spec.strip().startswith(region.chrom):
                matched[spec.strip().split(":")[0]] = region.chrom
    renamed = [
        f"{asked} for {name}" for asked, name in matched.items() if asked != name
    ]
    if renamed:
        log(f"using {listed(renamed)}")
    return _merged(regions, chrom_sizes) if specs else regions


def _is_path(spec: str, chrom_sizes: Mapping[str, int]) -> bool:
    """Report whether a text was meant as a file: names of contigs may have a slash."""
    name, _, span = spec.strip().rpartition(":")
    is_region = name and _SPAN.fullmatch(span.strip())
    if is_region or find_chrom(spec.strip(), chrom_sizes) is not None:
        return False
    return is_folder(Path(spec)) or bool(_PATH_LIKE.search(spec))


def _read_regions(
    path: str, chrom_sizes: Mapping[str, int]
) -> tuple[list[Region], dict[str, str]]:
    frame = read_bed(path)
    matched = match_chroms(frame["chrom"].unique().tolist(), chrom_sizes, path)
    frame["chrom"] = frame["chrom"].map(matched)
    outside = frame["end"] > frame["chrom"].map(dict(chrom_sizes))
    if outside.any():
        row = frame[outside].iloc[0]
        region = Region(row["chrom"], int(row["start"]), int(row["end"]))
        raise RegionError(_outside(f"{path}: {region}", region.chrom, chrom_sizes))
    columns = (frame[column].tolist() for column in ("chrom", "start", "end"))
    return [Region(*row) for row in zip(*columns, strict=True)], matched


def _merged(regions: Sequence[Region], chrom_sizes: Mapping[str, int]) -> list[Region]:
    """Merge regions that overlap or touch, in genome order.

    Written without pandas, whose import takes longer than the scan of a locus.
    """
    rank = {name: i for i, name in enumerate(chrom_sizes)}
    merged: list[Region] = []
    for region in sorted(regions, key=lambda r: (rank[r.chrom], r.start)):
        last = merged[-1] if merged else None
        if last and last.chrom == region.chrom and region.start <= last.end:
            merged[-1] = last._replace(end=max(last.end, region.end))
        else:
            merged.append(region)
    return merged


def _outside(what: str, chrom: str, chrom_sizes: Mapping[str, int]) -> str:
    return (
        f"{what} ends outside of {chrom}, which has {chrom_sizes[chrom]:,} bp;"
        " shorten it, or check that it is of the same assembly"
    )
