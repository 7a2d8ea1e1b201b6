"""Genes from GTF, GFF3 or BED, for figures and the genome browser page.

A gene is the union of the exons of its transcripts, so it depends neither on the order
of the file nor on a main transcript. No library is used: gffutils builds a database,
gtfparse needs polars, and neither names the line of a broken row or reads BED.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from tfimpute_tracks.errors import InputFileError, RegionError, listed
from tfimpute_tracks.genome.chroms import find_chrom, natural_order
from tfimpute_tracks.genome.region import Region
from tfimpute_tracks.storage.table import explain_number, read_rows

__all__ = ["Gene", "genes_in", "read_genes"]

_LOG = logging.getLogger(__name__)
# Types of GTF and GFF3 rows whose union is the exons, in lower case.
_EXONS = {"exon", "cds", "utr", "5utr", "3utr", "five_prime_utr", "three_prime_utr"}
_EXONS |= {"start_codon", "stop_codon"}
_GTF_VALUE = re.compile(r'(\w+)\s+(?:"([^"]*)"|([^\s;]+))')
_Span = tuple[int, int]


class Gene(NamedTuple):
    """A gene; coordinates are 0-based, half-open.

    Attributes
    ----------
    name : str
        Empty where the file has none.
    start, end : int
    strand : str
        ``+``, ``-``, or ``.`` where it is unknown.
    exons : tuple of (start, end)
        Ascending, at least 1 bp apart; the whole gene where the file lists none.
    """

    name: str
    start: int
    end: int
    strand: str
    exons: tuple[_Span, ...]


@dataclass
class _Draft:
    """Some rows of a gene: drafts of one gene and strand that overlap are joined."""

    gene: str
    strand: str
    name: str
    start: int
    end: int
    exons: list[_Span]
    parent: str = ""  # GFF3: the ID of another draft
    is_gene: bool = True  # GFF3: rows of other types count only with exons


def read_genes(
    path: str | Path, chroms: Collection[str] | None = None
) -> dict[str, list[Gene]]:
    """Read the genes of a file, once.

    Parameters
    ----------
    path : str or Path
        GTF, GFF3, or BED with 3 to 12 columns, plain or gzip; the first row decides.
        BED rows of one name and strand that overlap are one gene.
    chroms : collection of str, optional
        Chromosomes to read, with or without ``chr``; by default all.

    Returns
    -------
    dict of str to list of Gene
        By every chromosome of the file; empty for those not in `chroms`.

    Raises
    ------
    InputFileError
        No such file, no rows, or a broken row of a chromosome to read, with its line.
    """
    parse: Callable[[list[str]], Iterator[tuple[str, _Draft]]] | None = None
    genes: dict[str, dict[str, _Draft]] = {}
    wanted: dict[str, bool] = {}
    skip = ("#", "track", "browser")
    for number, fields in read_rows(Path(path), "genes file", skip, "replace"):
        chrom = fields[0]
        if chrom.startswith(">"):  # sequence at the end of a GFF3
            break
        try:
            parse = parse or _parser(fields)
            if chrom not in genes:
                genes[chrom] = {}
                wanted[chrom] = chroms is None or bool(find_chrom(chrom, chroms))
            for key, draft in parse(fields) if wanted[chrom] else ():
                known = genes[chrom].setdefault(key or f"\n{number}", draft)
                if known is not draft:
                    known.start = min(known.start, draft.start)
                    known.end = max(known.end, draft.end)
                    known.exons += draft.exons
        except ValueError as error:
            raise InputFileError(f"{path}:{number}: {error}") from error
    if not genes:
        raise InputFileError(f"{path}: contains no genes; use a GTF, GFF3 or BED file")
    return {
        chrom: sorted(_join(drafts), key=lambda gene: (gene.start, gene.end, gene.name))
        for chrom, drafts in genes.items()
    }


def genes_in(
    genes: Mapping[str, list[Gene]],
    region: Region,
    log: Callable[[str], None] = _LOG.info,
) -> list[Gene]:
    """Select the genes that overlap a region.

    Parameters
    ----------
    genes : mapping of str to list of Gene
        From :func:`read_genes`.
    region : Region
        Its chromosome is found with or without ``chr``.
    log : callable, optional
        Receives a message if no gene overlaps the region.

    Returns
    -------
    list of Gene
        By start. Genes may extend beyond the region; exons outside of it are removed.

    Raises
    ------
    RegionError
        The file has no row on the chromosome.
    """
    chrom = find_chrom(region.chrom, genes)
    if chrom is None:
        raise RegionError(
            f"no genes on {region.chrom}; the genes file has "
            f"{listed(sorted(genes, key=natural_order))}; use genes of the same assembly"
        )
    found = [
        gene._replace(exons=tuple(exon for exon in gene.exons if _meets(exon, region)))
        for gene in genes[chrom]
        if _meets((gene.start, gene.end), region)
    ]
    if not found:
        log(f"no gene in {region}")
    return found


def _meets(span: _Span, region: Region) -> bool:
    return span[0] < region.end and region.start < span[1]


def _join(drafts: dict[str, _Draft]) -> Iterator[Gene]:
    groups: dict[tuple[str, str], list[_Draft]] = {}
    for draft in drafts.values():
        root, seen = draft, {""}
        while root.parent not in seen and root.parent in drafts:
            seen.add(root.parent)
            root = drafts[root.parent]
        draft.name = root.name
        groups.setdefault((root.gene, root.strand), []).append(draft)
    for (_, strand), group in groups.items():
        group.sort(key=lambda draft: (draft.start, draft.end))
        # Copies of a gene far apart may share a name: only overlapping drafts join.
        for start, end in _merge((draft.start, draft.end) for draft in group):
            gene = [draft for draft in group if start <= draft.start <= end]
            exons = _merge(exon for draft in gene for exon in draft.exons)
            if exons or any(draft.is_gene for draft in gene):
                yield Gene(gene[0].name, start, end, strand, exons or ((start, end),))


def _merge(spans: Iterable[_Span]) -> tuple[_Span, ...]:
    merged: list[_Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return tuple(merged)


def _parser(fields: list[str]) -> Callable[[list[str]], Iterator[tuple[str, _Draft]]]:
    if len(fields) >= 3 and fields[1].isdecimal() and fields[2].isdecimal():
        return _bed
    if len(fields) == 9 and fields[3].isdecimal() and fields[4].isdecimal():
        return _gff3 if re.match(r"\s*[\w.-]+=", fields[8]) else _gtf
    reason = next(filter(None, map(explain_number, fields[1:5])), "")
    raise ValueError(
        reason
        or "not a row of GTF or GFF3 (nine columns, start and end the fourth and fifth) "
        "or BED (chrom, start, end); separate columns by tabs"
    )


def _bed(fields: list[str]) -> Iterator[tuple[str, _Draft]]:
    start, end = _span(fields[1:3], 0)
    name = fields[3] if len(fields) > 3 and fields[3] != "." else ""
    strand = _strand(fields[5]) if len(fields) > 5 else "."
    exons = [(start, end)]
    if len(fields) > 11:
        sizes, offsets = (text.rstrip(",").split(",") for text in fields[10:12])
        try:
            exons = [
                (start + int(offset), start + int(offset) + int(size))
                for offset, size in zip(offsets, sizes, strict=True)
            ]
            fits = int(fields[9]) == len(exons)
        except ValueError:
            fits = False
        if not fits or not all(start <= left < right <= end for left, right in exons):
            raise ValueError(
                f"blockCount, blockSizes and blockStarts {fields[9:12]} do not "
                "describe this number of blocks inside of the row"
            )
    # Rows without a name belong to no gene but their own.
    yield "", _Draft(name or f"\n{fields}", strand, name, start, end, exons)


def _gtf(fields: list[str]) -> Iterator[tuple[str, _Draft]]:
    span, strand = _gff_place(fields)
    values = {key: one or two for key, one, two in _GTF_VALUE.findall(fields[8])}
    gene = values.get("gene_id")
    if not gene:
        raise ValueError('has no gene_id; a GTF row ends with gene_id "..."; ...')
    name = values.get("gene_name") or values.get("gene") or gene
    exons = [span] if fields[2].lower() in _EXONS else []
    key = f"{gene}\t{strand}\t{values.get('transcript_id', '')}"
    yield key, _Draft(gene, strand, name, *span, exons)


def _gff3(fields: list[str]) -> Iterator[tuple[str, _Draft]]:
    span, strand = _gff_place(fields)
    pairs = (text.partition("=") for text in fields[8].split(";"))
    values = {key.strip(): unquote(value) for key, _, value in pairs}
    parents, own = values.get("Parent", "").split(","), values.get("ID")
    if fields[2].lower() in _EXONS:
        for parent in parents:
            gene, name = f"\n{parent}", values.get("gene", parent)
            draft = _Draft(gene, strand, name, *span, [span], parent)
            yield f"{gene}\t{strand}", draft
    elif own:
        names = (values.get(key) for key in ("gene_name", "Name", "gene"))
        name = next(filter(None, names), own.removeprefix("gene:"))
        is_gene = "gene" in fields[2].lower()
        yield own, _Draft(own, strand, name, *span, [], parents[0], is_gene)


def _gff_place(fields: list[str]) -> tuple[_Span, str]:
    if len(fields) != 9:
        raise ValueError(f"has {len(fields)} columns; GTF and GFF3 have nine, by tabs")
    return _span(fields[3:5], 1), _strand(fields[6])


def _span(texts: list[str], base: int) -> _Span:
    """Convert start and end, which count from `base`, to 0-based, half-open."""
    reason = next(filter(None, map(explain_number, texts)), "")
    if reason or len(texts) < 2 or not all(text.isdecimal() for text in texts):
        raise ValueError(
            reason or f"start and end are {texts}; use two integers from 0 on"
        )
    start, end = int(texts[0]) - base, int(texts[1])
    if int(texts[0]) > end:
        raise ValueError(
            f"start {texts[0]} is after end {texts[1]}; write the smaller first"
        )
    if not 0 <= start < end:
        counts = "from 1, both ends included" if base else "from 0, the end excluded"
        raise ValueError(f"start {texts[0]}, end {texts[1]}: no bases; count {counts}")
    return start, end


def _strand(text: str) -> str:
    if text not in ("+", "-", ".", "?"):
        raise ValueError(f"strand {text!r}; use + or -, or . where it is unknown")
    return text.replace("?", ".")
