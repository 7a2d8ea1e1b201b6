"""Rows of GTF, GFF3 and BED, as drafts of genes.

The three formats tell the same in different words: a GTF row names its gene and its
transcript, a GFF3 row its parent, and a BED row is a transcript with exons as blocks.
Each class here takes rows of one chromosome and keeps the spans of transcripts, and of
exons those that meet the region. Which drafts are one gene is decided in ``genes``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from urllib.parse import unquote

from tfimpute_tracks.genome.region import Region

__all__ = ["GeneDraft", "GeneKey", "GeneRows", "Span", "rows_like"]

Span = tuple[int, int]
"""Start and end: 0-based, half-open, in bp."""
GeneKey = tuple[str, str]
"""What the drafts of a gene have in common: its identifier, and its strand."""

_STRANDS = {"+": "+", "-": "-", ".": ".", "?": "."}
# Rows of GTF and GFF3 that are exons or pieces of them; their union is the exons.
_PIECES = {
    *("exon", "CDS", "UTR", "5UTR", "3UTR", "five_prime_UTR", "three_prime_UTR"),
    *("five_prime_utr", "three_prime_utr", "start_codon", "stop_codon"),
}
_GTF_VALUE = re.compile(r'(\w+)\s+(?:"([^"]*)"|([^\s;]+))')


@dataclass
class GeneDraft:
    """A transcript, or a gene's own row, as far as it was read.

    Attributes
    ----------
    name : str
        Of the gene; empty where there is none.
    start, end : int
        0-based, half-open, in bp.
    exons : list of (start, end)
        Exons and pieces of them that meet the region, in any order.
    has_pieces : bool
        The file knows exons, wherever they are.
    """

    name: str
    start: int
    end: int
    exons: list[Span] = field(default_factory=list)
    has_pieces: bool = False

    def cover(self, start: int, end: int) -> None:
        """Grow over a span.

        Parameters
        ----------
        start, end : int
            0-based, half-open, in bp.
        """
        self.start, self.end = min(self.start, start), max(self.end, end)

    def take(self, other: GeneDraft) -> None:
        """Take another draft in.

        Parameters
        ----------
        other : GeneDraft
            Of the same gene.
        """
        self.cover(other.start, other.end)
        self.exons += other.exons
        self.has_pieces |= other.has_pieces

    def add_piece(self, start: int, end: int, region: Region) -> None:
        """Take an exon in, or a piece of one.

        Parameters
        ----------
        start, end : int
            0-based, half-open, in bp.
        region : Region
            It is kept only where it meets this.
        """
        self.cover(start, end)
        self.has_pieces = True
        if start < region.end and region.start < end:
            self.exons.append((start, end))


class GeneRows(Protocol):
    """Rows of one format and one chromosome, which are drafts of genes in the end."""

    def add(self, fields: list[str]) -> None:
        """Read a row.

        Parameters
        ----------
        fields : list of str
            Its columns.

        Raises
        ------
        ValueError
            The row is broken; the message says how.
        """

    def drafts(self) -> Iterable[tuple[GeneKey, GeneDraft]]:
        """Give what was read.

        Returns
        -------
        iterable of (GeneKey, GeneDraft)
        """


def rows_like(fields: list[str], region: Region) -> GeneRows:
    """Tell the format by a row.

    Parameters
    ----------
    fields : list of str
        Its columns.
    region : Region
        That exons must meet to be kept.

    Returns
    -------
    GeneRows
        Without a row.

    Raises
    ------
    ValueError
        The row is of none of the formats.
    """
    if len(fields) >= 3 and fields[1].isdecimal() and fields[2].isdecimal():
        return _Bed(region)
    if len(fields) == 9 and fields[3].isdecimal() and fields[4].isdecimal():
        is_gff3 = re.match(r"\s*[\w.-]+=", fields[8]) is not None
        return _Gff3(region) if is_gff3 else _Gtf(region)
    raise ValueError(
        "is no row of GTF or GFF3 (nine columns, start and end the fourth and fifth) "
        "or BED (chrom, start, end); columns are parted by tabs"
    )


class _Bed:
    def __init__(self, region: Region) -> None:
        self._region = region
        self._drafts: list[tuple[GeneKey, GeneDraft]] = []

    def add(self, fields: list[str]) -> None:
        """See :meth:`GeneRows.add`."""
        start, end = _span(fields, 1, 0)
        name = fields[3] if len(fields) > 3 and fields[3] != "." else ""
        strand = _strand(fields[5]) if len(fields) > 5 else "."
        draft = GeneDraft(name, start, end)
        blocks = _blocks(fields, start, end) if len(fields) > 11 else [(start, end)]
        for block in blocks:
            draft.add_piece(*block, self._region)
        # Nobody knows which rows without a name belong together.
        key = name or f"\n{len(self._drafts)}"
        self._drafts.append(((key, strand), draft))

    def drafts(self) -> Iterable[tuple[GeneKey, GeneDraft]]:
        """See :meth:`GeneRows.drafts`."""
        return self._drafts


class _Gtf:
    def __init__(self, region: Region) -> None:
        self._region = region
        self._drafts: dict[tuple[str, str, str], GeneDraft] = {}

    def add(self, fields: list[str]) -> None:
        """See :meth:`GeneRows.add`."""
        span = _gff_span(fields)
        strand = _strand(fields[6])
        told = {key: one or two for key, one, two in _GTF_VALUE.findall(fields[8])}
        gene = told.get("gene_id")
        if not gene:
            raise ValueError('has no gene_id; a GTF row ends with gene_id "..."; ...')
        key = gene, strand, told.get("transcript_id", "")
        draft = self._drafts.get(key)
        if draft is None:
            name = told.get("gene_name") or told.get("gene") or gene
            draft = self._drafts[key] = GeneDraft(name, *span)
        if fields[2] in _PIECES:
            draft.add_piece(*span, self._region)
        else:
            draft.cover(*span)

    def drafts(self) -> Iterable[tuple[GeneKey, GeneDraft]]:
        """See :meth:`GeneRows.drafts`."""
        return (
            ((gene, strand), draft) for (gene, strand, _), draft in self._drafts.items()
        )


class _Feature(NamedTuple):
    """A row of GFF3 that others may belong to."""

    kind: str
    name: str
    strand: str
    span: Span
    parent: str


class _Gff3:
    """Parents may stand behind their children, so all wait until the end."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._features: dict[str, _Feature] = {}
        self._pieces: dict[tuple[str, str], GeneDraft] = {}  # by parent and strand

    def add(self, fields: list[str]) -> None:
        """See :meth:`GeneRows.add`."""
        span = _gff_span(fields)
        strand = _strand(fields[6])
        attributes = (text.partition("=") for text in fields[8].split(";"))
        told = {key.strip(): unquote(value) for key, _, value in attributes}
        parents = told.get("Parent", "").split(",")
        if fields[2] in _PIECES:
            for parent in parents:
                draft = GeneDraft(told.get("gene", parent), *span)
                draft = self._pieces.setdefault((parent, strand), draft)
                draft.add_piece(*span, self._region)
        elif "ID" in told:
            own = told["ID"]
            names = (told.get(key) for key in ("gene_name", "Name", "gene"))
            name = next(filter(None, names), own.removeprefix("gene:"))
            self._features[own] = _Feature(fields[2], name, strand, span, parents[0])

    def drafts(self) -> Iterable[tuple[GeneKey, GeneDraft]]:
        """See :meth:`GeneRows.drafts`."""
        found: dict[GeneKey, GeneDraft] = {}
        for own, feature in self._features.items():
            root = self._root(own)
            name, strand = self._features[root].name, self._features[root].strand
            draft = GeneDraft(name, *self._features[root].span)
            found.setdefault((root, strand), draft).cover(*feature.span)
        for (parent, strand), pieces in self._pieces.items():
            if parent in self._features:
                root = self._root(parent)
                found[root, self._features[root].strand].take(pieces)
            else:  # exons without a row of what they belong to
                found[f"\n{parent}", strand] = pieces
        return (
            (key, draft)
            for key, draft in found.items()
            # Chromosomes, repeats and alignments have rows with an ID, too.
            if draft.has_pieces or "gene" in self._features[key[0]].kind.lower()
        )

    def _root(self, own: str) -> str:
        seen = set()
        while own not in seen:  # a broken file may be a ring
            seen.add(own)
            if self._features[own].parent not in self._features:
                break
            own = self._features[own].parent
        return own


def _gff_span(fields: list[str]) -> Span:
    if len(fields) != 9:
        raise ValueError(
            f"has {len(fields)} columns; GTF and GFF3 have nine, parted by tabs"
        )
    return _span(fields, 3, 1)


def _span(fields: list[str], column: int, base: int) -> Span:
    """Read start and end, which count from `base`, as 0-based and half-open."""
    texts = fields[column : column + 2]
    if len(texts) < 2 or not all(text.isdecimal() for text in texts):
        raise ValueError(f"start and end are {texts}, no two integers from 0 on")
    start, end = int(texts[0]) - base, int(texts[1])
    if not 0 <= start < end:
        counts = "from 1, both ends included" if base else "from 0, the end left out"
        raise ValueError(f"start {texts[0]}, end {texts[1]}: no bases; count {counts}")
    return start, end


def _strand(text: str) -> str:
    if text not in _STRANDS:
        raise ValueError(f"strand {text!r}; it is + or -, or . where it is unknown")
    return _STRANDS[text]


def _blocks(fields: list[str], start: int, end: int) -> list[Span]:
    """Read the blocks of a BED12 row."""
    texts = [text.rstrip(",").split(",") for text in fields[9:12]]
    if not all(text.strip().isdecimal() for column in texts for text in column):
        raise ValueError("blockCount, blockSizes and blockStarts are no integers")
    counts, sizes, offsets = ([int(text) for text in column] for column in texts)
    if not counts[0] == len(sizes) == len(offsets):
        raise ValueError(
            f"blockCount is {counts[0]}, but there are {len(sizes)} blockSizes and "
            f"{len(offsets)} blockStarts"
        )
    blocks = [
        (start + offset, start + offset + size)
        for offset, size in zip(offsets, sizes, strict=True)
    ]
    if not all(left < right <= end for left, right in blocks):
        raise ValueError(f"a block is empty or reaches beyond the row's end, {end}")
    return blocks
