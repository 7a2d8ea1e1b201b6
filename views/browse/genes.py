"""Genes beside the tracks, from a user's file: read when a chromosome is seen."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from threading import Lock

from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Region, Sequences
from tfimpute_tracks.genome.genes import Gene, read_genes

__all__ = ["GeneIndex"]

_MOST = 2000  # genes in one answer


class GeneIndex:
    """The genes of a GTF, GFF3 or BED file, chromosome by chromosome.

    Parameters
    ----------
    path : Path
    genome : Sequences

    Raises
    ------
    InputFileError
        The file is missing, or no such file.
    """

    def __init__(self, path: Path, genome: Sequences) -> None:
        self._path, self._sizes = path, dict(genome.chrom_sizes)
        self._read: dict[str, list[Gene]] = {}
        # One reading per chromosome, however many ask for it at once.
        self._locks: defaultdict[str, Lock] = defaultdict(Lock)

    def at(self, region: Region) -> list[Gene]:
        """Give the genes that meet a region.

        Parameters
        ----------
        region : Region

        Returns
        -------
        list of Gene
            By start; the longest where they are many.

        Raises
        ------
        InputFileError
            A row is broken.
        """
        genes = [
            gene
            for gene in self._of_chrom(region.chrom)
            if gene.start < region.end and gene.end > region.start
        ]
        if len(genes) > _MOST:
            longest = sorted(genes, key=lambda gene: gene.start - gene.end)[:_MOST]
            genes = sorted(longest, key=lambda gene: gene.start)
        return genes

    def find(self, name: str) -> Region | None:
        """Find a gene by its name, in any case.

        Parameters
        ----------
        name : str

        Returns
        -------
        Region or None
            Of the first one; chromosomes that were seen are searched first.

        Raises
        ------
        InputFileError
            A row is broken.
        """
        wanted = name.upper()
        others = [chrom for chrom in self._sizes if chrom not in self._read]
        for chrom in [*self._read, *others]:
            for gene in self._of_chrom(chrom):
                if gene.name.upper() == wanted:
                    return Region(chrom, gene.start, gene.end)
        return None

    def _of_chrom(self, chrom: str) -> list[Gene]:
        with self._locks[chrom]:
            if chrom not in self._read:
                whole = Region(chrom, 0, self._sizes[chrom])
                try:
                    self._read[chrom] = read_genes(self._path, whole)
                except RegionError:  # the file has other chromosomes
                    self._read[chrom] = []
            return self._read[chrom]
