"""Genes of a report: the nearest ones of each peak, and a track of those in sight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tfimpute_tracks.errors import listed, size_text
from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.genome.gene_regions import Genes

__all__ = ["gene_track", "genes_at", "nearest_genes"]

_MAX_NAMED = 3


def nearest_genes(genes: Genes, region: Region) -> str:
    """Name the genes at a region, or else the nearest one and its distance.

    Parameters
    ----------
    genes : mapping of str to sequence of Gene
        By chromosome.
    region : Region

    Returns
    -------
    str
        Empty where the chromosome has no gene with a name.
    """
    distances: dict[str, int] = {}
    for gene in genes.get(find_chrom(region.chrom, genes) or "", ()):
        if gene.name:
            apart = max(gene.start - region.end, region.start - gene.end, 0)
            distances[gene.name] = min(apart, distances.get(gene.name, apart))
    if not distances:
        return ""
    least = min(distances.values())
    names = [name for name, apart in distances.items() if apart == least]
    text = ", ".join(names[:_MAX_NAMED])
    if not least:
        return text
    return f"{text} ({size_text(least)})"


def genes_at(genes: Genes, region: Region) -> str:
    """Name the genes that overlap a region.

    Parameters
    ----------
    genes : mapping of str to sequence of Gene
    region : Region

    Returns
    -------
    str
        Empty where there is none with a name.
    """
    own = genes.get(find_chrom(region.chrom, genes) or "", ())
    names = (g.name for g in own if g.start < region.end and region.start < g.end)
    return listed(dict.fromkeys(filter(None, names)), _MAX_NAMED)


def gene_track(genes: Genes, windows: Sequence[Region]) -> dict[str, Any]:
    """Make the track of the genes in windows.

    Parameters
    ----------
    genes : mapping of str to sequence of Gene
    windows : sequence of Region
        Sorted, not overlapping.

    Returns
    -------
    dict
        Of igv.js.
    """
    return {
        "name": "Genes",
        "type": "annotation",
        "displayMode": "EXPANDED",
        "height": 70,
        "color": "#44515c",
        "features": list(_features(genes, windows)),
    }


def _features(genes: Genes, windows: Sequence[Region]) -> Iterator[dict[str, Any]]:
    shown = set()
    for chrom, start, end in windows:
        for gene in genes.get(find_chrom(chrom, genes) or "", ()):
            key = chrom, gene.name, gene.start, gene.end
            if gene.start < end and start < gene.end and key not in shown:
                shown.add(key)
                exons = [{"start": a, "end": b} for a, b in gene.exons]
                values = {"chr": chrom, "start": gene.start, "end": gene.end}
                yield {
                    **values,
                    "name": gene.name,
                    "strand": gene.strand,
                    "exons": exons,
                }
