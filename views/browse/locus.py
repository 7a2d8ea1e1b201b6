"""Positions on the page: where it opens, and what is typed into its position box.

Text from a request is never looked up as a file, unlike that of the command line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Region, Sequences, parse_region
from tfimpute_tracks.genome.bundled import BundledGenome
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.kernels.encode import N_CODE
from tfimpute_tracks.views.browse.genes import GeneIndex

__all__ = ["example_variant", "initial_region", "locate"]

_BUNDLED_LOCUS = Region("chr20", 48_780_000, 48_840_000)  # of CEBPB
_BUNDLED_VARIANT = 48_807_375  # in its promoter
_VIEW, _SEARCH_STEP = 100_000, 1_000_000  # bp
_POSITION = re.compile(r"(\S+):([0-9,]{1,15})")
_AROUND = 500  # bp shown on each side of a position
_TRANSITIONS = ("A>G", "C>T", "G>A", "T>C")  # by the code of the base


def initial_region(genome: Sequences) -> Region:
    """Choose where the page opens.

    Parameters
    ----------
    genome : Sequences

    Returns
    -------
    Region
        CEBPB in the bundled genome; else the first 100 kb whose sequence is known.
    """
    if isinstance(genome, BundledGenome):
        return _BUNDLED_LOCUS
    for chrom, size in genome.chrom_sizes.items():
        for start in range(0, max(size - _VIEW, 1), _SEARCH_STEP):
            end = min(start + _VIEW, size)
            if (genome.codes(chrom, start, end) != N_CODE).mean() > 0.9:
                return Region(chrom, start, end)
    chrom, size = next(iter(genome.chrom_sizes.items()))
    return Region(chrom, 0, min(_VIEW, size))


def locate(
    text: str, sizes: Mapping[str, int], genes: GeneIndex | None, example: Region
) -> Region:
    """Find what was typed into the position box.

    Parameters
    ----------
    text : str
        ``chr20:1,000-2,000``, ``chr20:1,000``, ``chr20`` or the name of a gene.
    sizes : mapping of str to int
        Lengths of the chromosomes in bp.
    genes : GeneIndex, optional
    example : Region
        For messages.

    Returns
    -------
    Region

    Raises
    ------
    RegionError
        It is none of these, or outside of its chromosome.
    """
    name = " ".join(text.split())
    if not name:
        raise RegionError(
            f"no position was typed; use e.g. {example}"
            f"{', or the name of a gene' if genes else ''}"
        )
    position = _POSITION.fullmatch(name)
    if position and find_chrom(name, sizes) is None:
        chrom, at = position.groups()
        name = f"{chrom}:{at}-{at}"
        region = parse_region(name, sizes)
        start = max(0, region.start - _AROUND)
        return region._replace(
            start=start, end=min(region.end + _AROUND, sizes[region.chrom])
        )
    if ":" in name or find_chrom(name, sizes) is not None:
        return parse_region(name, sizes)
    if genes is not None:
        return genes.locate(name)
    raise RegionError(
        f"{name!r} is no position, and no genes are loaded; use e.g. {example}, or start "
        "`browse` with --genes FILE"
    )


def example_variant(genome: Sequences, locus: Region) -> str:
    """Write a variant that is possible in a genome.

    Parameters
    ----------
    genome : Sequences
    locus : Region
        Where the page opens.

    Returns
    -------
    str
        Such as ``chr20:48807376 G>A``; empty where the sequence is unknown.
    """
    chrom, start, end = locus
    at = (start + end) // 2
    if isinstance(genome, BundledGenome) and locus == _BUNDLED_LOCUS:
        at = _BUNDLED_VARIANT
    code = int(genome.codes(chrom, at, at + 1)[0])
    if code >= len(_TRANSITIONS):
        return ""
    return f"{chrom}:{at + 1} {_TRANSITIONS[code]}"
