"""Genes where a region is expected: `-r GATA1` in place of coordinates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from tfimpute_tracks.errors import RegionError, listed
from tfimpute_tracks.genome.bundled import bundled_genes
from tfimpute_tracks.genome.chroms import find_chrom, match_chrom
from tfimpute_tracks.genome.genes import Gene, read_genes
from tfimpute_tracks.genome.region import Region, is_region_file, parse_region

__all__ = [
    "GENE_FLANK",
    "Genes",
    "find_gene",
    "gene_loci",
    "parse_locus",
    "replace_genes",
]

GENE_FLANK = 5_000
"""bp on either side of a gene that belong to its region: promoter and near enhancers."""

Genes = Mapping[str, Sequence[Gene]]
"""Genes by chromosome, from :func:`~tfimpute_tracks.genome.genes.read_genes`."""


def find_gene(name: str, genes: Genes, sizes: Mapping[str, int]) -> list[Region]:
    """Find a gene by its name.

    Parameters
    ----------
    name : str
        As in the file, or else in any case.
    genes : mapping of str to sequence of Gene
        By chromosome, from :func:`~tfimpute_tracks.genome.genes.read_genes`.
    sizes : mapping of str to int
        Chromosomes of the genome and their lengths in bp.

    Returns
    -------
    list of Region
        Without flanks, in genome order: several where genes share the name.

    Raises
    ------
    RegionError
        No gene has the name; the message lists similar ones. Or its chromosome is not in
        the genome.
    """
    folded = name.casefold()
    same = [
        (chrom, gene)
        for chrom, some in genes.items()
        for gene in some
        if gene.name.casefold() == folded
    ]
    exact = [(chrom, gene) for chrom, gene in same if gene.name == name]
    found = exact or same
    if not found:
        raise RegionError(
            f"no gene or chromosome is called {name!r}{_similar(name, genes, sizes)}"
        )
    rank = {chrom: i for i, chrom in enumerate(sizes)}
    regions = [
        Region(ours, gene.start, min(gene.end, sizes[ours]))
        for chrom, gene in found
        if (ours := find_chrom(chrom, sizes)) and gene.start < sizes[ours]
    ]
    if not regions:
        raise RegionError(
            f"{name} is on {found[0][0]}; known chromosomes: {listed(sizes)}; use a genome "
            "with this chromosome, or genes of the same assembly"
        )
    return sorted(regions, key=lambda region: (rank[region.chrom], region.start))


def gene_loci(
    name: str, genes: Genes, sizes: Mapping[str, int]
) -> list[tuple[Region, Region]]:
    """Find a gene, and what belongs to it.

    Parameters
    ----------
    name, genes, sizes
        As for :func:`find_gene`, with its errors.

    Returns
    -------
    list of (Region, Region)
        The gene, and the gene with :data:`GENE_FLANK` on either side, as far as the
        chromosome reaches.
    """
    return [
        (
            gene,
            Region(
                gene.chrom,
                max(0, gene.start - GENE_FLANK),
                min(sizes[gene.chrom], gene.end + GENE_FLANK),
            ),
        )
        for gene in find_gene(name, genes, sizes)
    ]


def replace_genes(
    specs: Iterable[str],
    sizes: Mapping[str, int],
    genes: Path | None,
    log: Callable[[str], None],
) -> list[str]:
    """Replace names of genes among regions.

    Parameters
    ----------
    specs : iterable of str
        Regions, chromosomes, BED files or names of genes. A chromosome of the name of a
        gene is the chromosome.
    sizes : mapping of str to int
        Lengths in bp.
    genes : Path, optional
        Read only where a name of a gene is looked up.
    log : callable
        Receives where a gene is.

    Returns
    -------
    list of str
        A gene is its region with :data:`GENE_FLANK` on either side, as far as the
        chromosome reaches; what is no gene is unchanged.

    Raises
    ------
    RegionError
        Neither a chromosome nor a gene has the name.
    InputFileError
        The genes cannot be read.
    """
    known: Genes | None = None
    replaced: list[str] = []
    for spec in specs:
        name = spec.strip()
        if not _may_be_gene(name, sizes):
            replaced.append(spec)
            continue
        if genes is None:
            try:
                match_chrom(name, sizes)
            except RegionError as error:
                raise RegionError(f"{error}; for a gene, add --genes FILE") from None
            continue
        known = known or read_genes(genes)
        try:
            loci = gene_loci(name, known, sizes)
        except RegionError as error:
            if genes != bundled_genes():
                raise
            raise RegionError(
                f"{error}; only genes of the bundled example are known without -g FASTA "
                "and --genes FILE"
            ) from None
        for region, wide in loci:
            log(f"{name} is at {region}; using {wide}")
            replaced.append(str(wide))
    return replaced


def parse_locus(
    text: str,
    sizes: Mapping[str, int],
    genes: Path | None,
    log: Callable[[str], None],
) -> Region:
    """Parse one region, or find one gene.

    Parameters
    ----------
    text, sizes, genes, log
        As for :func:`replace_genes`, with its errors and those of
        :func:`~tfimpute_tracks.genome.region.parse_region`. Of several genes of one name
        the first is taken.

    Returns
    -------
    Region

    Raises
    ------
    RegionError
        Also if the text is a file or a folder.
    """
    name = text.strip()
    if find_chrom(name, sizes) is None and ":" not in name and is_region_file(name):
        raise RegionError(
            f"{name}: one region or gene is needed here, not a file; write e.g. "
            "chr20:1,000-2,000"
        )
    return parse_region(replace_genes([text], sizes, genes, log)[0], sizes)


def _may_be_gene(name: str, sizes: Mapping[str, int]) -> bool:
    """Report whether a text is neither a chromosome, an interval nor a file."""
    is_known = find_chrom(name, sizes) is not None
    return not (is_known or ":" in name or is_region_file(name))


def _similar(name: str, genes: Genes, sizes: Mapping[str, int]) -> str:
    names = {gene.name.upper(): gene.name for some in genes.values() for gene in some}
    close = [names[key] for key in get_close_matches(name.upper(), names, 4, 0.6)]
    if close:
        return f"; did you mean {', '.join(close)}?"
    known = listed(filter(None, names.values()), 4)
    genes_text = f"known genes: {known}" if known else "the genes have no names"
    return f"; known chromosomes: {listed(sizes, 3)}; {genes_text}"
