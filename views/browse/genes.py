"""Genes next to the tracks, from a user's file, which is read once."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Region, Sequences
from tfimpute_tracks.genome.gene_regions import gene_loci
from tfimpute_tracks.genome.genes import Gene, genes_in, read_genes

__all__ = ["GeneIndex"]

_MAX_GENES = 2000  # in one answer


class GeneIndex:
    """The genes of a GTF, GFF3 or BED file, read when they are first needed.

    Parameters
    ----------
    path : Path
    genome : Sequences
        Genes on its chromosomes are read.
    """

    def __init__(self, path: Path, genome: Sequences) -> None:
        self._path, self._sizes = path, dict(genome.chrom_sizes)
        self._genes: dict[str, list[Gene]] | None = None
        self._lock = Lock()

    def at(self, region: Region) -> list[Gene]:
        """Select the genes that overlap a region.

        Parameters
        ----------
        region : Region

        Returns
        -------
        list of Gene
            By start; the longest where there are more than 2,000.

        Raises
        ------
        InputFileError
            The file is missing or has a broken row.
        """
        try:
            genes = genes_in(self._read(), region)
        except RegionError:  # the file has other chromosomes
            return []
        if len(genes) > _MAX_GENES:
            longest = sorted(genes, key=lambda gene: gene.start - gene.end)[:_MAX_GENES]
            genes = sorted(longest, key=lambda gene: gene.start)
        return genes

    def locate(self, name: str) -> Region:
        """Find a gene by its name, as it is written or else in any case.

        Parameters
        ----------
        name : str

        Returns
        -------
        Region
            With the flanks of `-r GENE`; of the first one, in the order of the genome's
            chromosomes.

        Raises
        ------
        RegionError
            No gene has the name; the message lists similar ones.
        InputFileError
            As :meth:`at`.
        """
        return gene_loci(name, self._read(), self._sizes)[0][1]

    def _read(self) -> dict[str, list[Gene]]:
        with self._lock:  # once, however many requests wait for it
            if self._genes is None:
                self._genes = read_genes(self._path, self._sizes)
            return self._genes
