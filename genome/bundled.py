"""The bundled example region: 3 Mb of hg19 chr20, at their true coordinates.

A first scan needs no download, and its tracks can be loaded into any browser of hg19.
The region has no gap and is dense in genes (PTPN1, CEBPB, SNAI1, NFATC2) and in binding
sites of many TFs; chr20 is the chromosome held out for tests. ``genome/data/README.md``
states its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.genome.region import Region
from tfimpute_tracks.genome.sequences import resolve_span
from tfimpute_tracks.genome.two_bit import TwoBitFile
from tfimpute_tracks.kernels.encode import N_CODE

__all__ = ["BundledGenome", "bundled_genes", "bundled_region", "open_bundled"]

_FILE, _GENES = "hg19.chr20.2bit", "hg19.chr20.genes.bed"
_REGION = Region("chr20", 47_200_000, 50_200_000)
_CHROM_SIZES = {"chr20": 63_025_520}


class BundledGenome:
    """hg19 chr20, N except in :func:`bundled_region`; satisfies ``sequences.Sequences``.

    Attributes
    ----------
    name : str
    chrom_sizes : mapping of str to int
        Lengths in bp.
    ambiguous : mapping of str to int
        Empty: the region consists of A, C, G and T only.
    """

    def __init__(self) -> None:
        self.name = f"bundled hg19 {_REGION}"
        self.chrom_sizes: Mapping[str, int] = MappingProxyType(_CHROM_SIZES)
        self.ambiguous: Mapping[str, int] = MappingProxyType({})

    def codes(
        self, chrom: str, start: int = 0, end: int | None = None
    ) -> NDArray[np.uint8]:
        """See :meth:`tfimpute_tracks.genome.sequences.Sequences.codes`."""
        start, end = resolve_span(self.chrom_sizes, chrom, start, end)
        codes = np.full(end - start, N_CODE, dtype=np.uint8)
        first, last = max(start, _REGION.start), min(end, _REGION.end)
        if first < last:
            known = _known_codes()[first - _REGION.start : last - _REGION.start]
            codes[first - start : last - start] = known
        return codes

    def close(self) -> None:
        """Do nothing: no file is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return open_bundled, ()


def open_bundled() -> BundledGenome:
    """Open the bundled example region.

    Returns
    -------
    BundledGenome
    """
    return BundledGenome()


def bundled_genes() -> Path:
    """Locate the genes of the bundled example region.

    Returns
    -------
    Path
        A BED file for :func:`tfimpute_tracks.genome.genes.read_genes`.
    """
    return _path(_GENES)


def bundled_region() -> Region:
    """Return the coordinates of the bundled example region.

    Returns
    -------
    Region
        0-based, half-open.
    """
    return _REGION


@cache
def _known_codes() -> NDArray[np.uint8]:
    file = TwoBitFile(_path(_FILE), lambda _: None)
    (name,) = file.sizes
    codes = file.codes(name, 0, file.sizes[name])
    codes.setflags(write=False)
    return codes


def _path(name: str) -> Path:
    return Path(str(files("tfimpute_tracks") / "genome" / "data" / name))
