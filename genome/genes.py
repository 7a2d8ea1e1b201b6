"""Genes of a region, from GTF, GFF3 or BED.

A gene is the union of the exons of all its transcripts: that depends neither on the
order of a file nor on which transcript somebody thought the main one, and another first
exon stays where it is. Files are read line by line; of other chromosomes than the
region's only the names are looked at. Rows of the formats are read in ``gene_rows``;
what a gene looks like in a picture is decided in ``plots/``.
"""

from __future__ import annotations

import gzip
import logging
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.errors import InputFileError, RegionError, listed
from tfimpute_tracks.genome.chroms import find_chrom, natural_order
from tfimpute_tracks.genome.gene_rows import (
    GeneDraft,
    GeneKey,
    GeneRows,
    Span,
    rows_like,
)
from tfimpute_tracks.genome.region import Region

__all__ = ["Gene", "read_genes"]

_LOG = logging.getLogger(__name__)
_NO_ROW = ("#", "track", "browser")


class Gene(NamedTuple):
    """A gene that meets the region it was asked for.

    Attributes
    ----------
    name : str
        Empty where the file has none.
    start, end : int
        0-based, half-open, in bp; they may lie outside of the region.
    strand : str
        ``+``, ``-``, or ``.`` where it is not known.
    exons : tuple of (start, end)
        Ascending, at least 1 bp apart; of a gene that reaches beyond the region only
        those that meet it. The whole gene where the file knows no exons of it.
    """

    name: str
    start: int
    end: int
    strand: str
    exons: tuple[Span, ...]


def read_genes(
    path: str | Path, region: Region, log: Callable[[str], None] = _LOG.info
) -> list[Gene]:
    """Read the genes that meet a region.

    Parameters
    ----------
    path : str or Path
        GTF, GFF3, or BED of 3 to 12 columns; plain or gzip. The format is known by the
        first row and not by the name. Rows of a BED that overlap and have the same name
        and strand are one gene.
    region : Region
        Its chromosome is found with or without ``chr``.
    log : callable, optional
        Takes a sentence if no gene meets the region; by default the log gets it.

    Returns
    -------
    list of Gene
        By start.

    Raises
    ------
    InputFileError
        No such file, no rows, or a broken row of this chromosome, with its line.
    RegionError
        The file does not have the chromosome.
    """
    path = Path(path)
    rows: GeneRows | None = None
    names: dict[str, bool] = {}  # is it the chromosome of the region?
    for number, line in _lines(path):
        fields = line.split("\t") if "\t" in line else line.split()
        try:
            if rows is None:
                rows = rows_like(fields, region)
            if fields[0] not in names:
                names[fields[0]] = bool(find_chrom(region.chrom, {fields[0]}))
            if names[fields[0]]:
                rows.add(fields)
        except ValueError as error:
            raise InputFileError(f"{path}:{number}: {error}") from error
    if rows is None:
        raise InputFileError(f"{path}: holds no genes; give a GTF, GFF3 or BED file")
    if not any(names.values()):
        raise RegionError(
            f"{path} has no genes on {region.chrom}; it has "
            f"{listed(sorted(names, key=natural_order))}; give "
            "genes of the same assembly, with its names of chromosomes"
        )
    genes = [
        gene
        for gene in _join(rows.drafts())
        if gene.start < region.end and region.start < gene.end
    ]
    if not genes:
        log(f"{path} has no gene in {region}")
    return sorted(genes, key=lambda gene: (gene.start, gene.end, gene.name))


def _join(drafts: Iterable[tuple[GeneKey, GeneDraft]]) -> Iterator[Gene]:
    """Make one gene of the drafts of a key that overlap.

    The key alone makes no gene: copies of a gene far apart may share theirs.
    """
    groups: dict[GeneKey, list[GeneDraft]] = {}
    for key, draft in drafts:
        groups.setdefault(key, []).append(draft)
    for (_, strand), group in groups.items():
        gene, *others = sorted(group, key=lambda draft: (draft.start, draft.end))
        for draft in others:
            if draft.start <= gene.end:
                gene.take(draft)
            else:
                yield _gene(gene, strand)
                gene = draft
        yield _gene(gene, strand)


def _gene(draft: GeneDraft, strand: str) -> Gene:
    exons = draft.exons if draft.has_pieces else [(draft.start, draft.end)]
    merged: list[Span] = []
    for start, end in sorted(exons):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return Gene(draft.name, draft.start, draft.end, strand, tuple(merged))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the rows of a file with their line numbers."""
    try:
        with path.open("rb") as file:
            is_gzip = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            with gzip.open(file) if is_gzip else nullcontext(file) as lines:
                for number, line in enumerate(lines, start=1):
                    text = line.decode("utf-8", "replace").rstrip("\r\n")
                    if text.startswith("##FASTA"):  # GFF3 may go on with sequence
                        return
                    if text.strip() and not text.startswith(_NO_ROW):
                        yield number, text
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputFileError(
            f"{path}: the gzip file is cut short or damaged ({error}); fetch it again"
        ) from error
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror}); give a GTF, GFF3 or BED file, "
            "plain or .gz"
        ) from error
