"""The real stretch of hg19 that ships with the package, at its true coordinates.

So that a first scan needs no download and its picture can be laid over any browser of
hg19. 3 Mb of chr20 without a gap, dense in genes (PTPN1, CEBPB, SNAI1, NFATC2) and in
binding sites of many TFs; chr20 is the chromosome kept for tests. ``genome/data/README.md``
says where it comes from.
"""

from __future__ import annotations

import gzip
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
from tfimpute_tracks.kernels.encode import N_CODE, encode

__all__ = ["BundledGenome", "bundled_genes", "bundled_region", "open_bundled"]

_FILE, _GENES = "hg19.chr20.fa.gz", "hg19.chr20.genes.bed"
_REGION = Region("chr20", 47_200_000, 50_200_000)
_CHROM_SIZES = {"chr20": 63_025_520}


class BundledGenome:
    """hg19 chr20, N but for :func:`bundled_region`; satisfies ``sequences.Sequences``.

    Attributes
    ----------
    name : str
    chrom_sizes : mapping of str to int
        Lengths in bp.
    ambiguous : mapping of str to int
        Empty: the stretch holds A, C, G and T only.
    """

    def __init__(self) -> None:
        self.name = f"bundled hg19 {_REGION}"
        self.chrom_sizes: Mapping[str, int] = MappingProxyType(_CHROM_SIZES)
        self.ambiguous: Mapping[str, int] = MappingProxyType({})

    def codes(
        self, chrom: str, start: int = 0, end: int | None = None
    ) -> NDArray[np.uint8]:
        """Read a stretch.

        Parameters
        ----------
        chrom : str
            ``chr20``.
        start, end : int
            0-based, half-open, bp; the whole chromosome if not given.

        Returns
        -------
        uint8 array, shape (end - start,)
            A, C, G, T = 0..3; 4 outside of :func:`bundled_region`.

        Raises
        ------
        RegionError
            Another chromosome, or not inside of it.
        """
        start, end = resolve_span(self.chrom_sizes, chrom, start, end)
        codes = np.full(end - start, N_CODE, dtype=np.uint8)
        first, last = max(start, _REGION.start), min(end, _REGION.end)
        if first < last:
            known = _known_codes()[first - _REGION.start : last - _REGION.start]
            codes[first - start : last - start] = known
        return codes

    def close(self) -> None:
        """Do nothing: no file is held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return open_bundled, ()


def open_bundled() -> BundledGenome:
    """Open the stretch of hg19 that ships.

    Returns
    -------
    BundledGenome
    """
    return BundledGenome()


def bundled_genes() -> Path:
    """Give the genes of the stretch.

    Returns
    -------
    Path
        A BED file for :func:`tfimpute_tracks.genome.genes.read_genes`.
    """
    return Path(str(files("tfimpute_tracks") / "genome" / "data" / _GENES))


def bundled_region() -> Region:
    """Give the part of hg19 chr20 that ships.

    Returns
    -------
    Region
        0-based, half-open.
    """
    return _REGION


@cache
def _known_codes() -> NDArray[np.uint8]:
    packed = (files("tfimpute_tracks") / "genome" / "data" / _FILE).read_bytes()
    _, _, text = gzip.decompress(packed).partition(b"\n")
    codes = encode(text.replace(b"\n", b""))
    codes.setflags(write=False)
    return codes
