"""Read the records of a VCF, a BCF or a table of variants, one after the other.

htslib reads VCF and BCF. Any other file must be a tab-separated table
with the columns ``chrom pos ref alt``. Records are not checked here; ``validate`` does.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from tfimpute_tracks.errors import InputFileError, WriteError
from tfimpute_tracks.storage.input_paths import is_input, why_no_file
from tfimpute_tracks.storage.table import read_lines
from tfimpute_tracks.variants.normalize import Variant, trim
from tfimpute_tracks.variants.vcf_text import (
    explain_record,
    is_vcf,
    not_utf8,
    readable_vcf,
)

__all__ = [
    "Source",
    "VariantFile",
    "VariantRecord",
    "check_variants",
    "declared_sizes",
    "open_variants",
    "spool_stdin",
]

_COLUMNS = ("chrom", "pos", "ref", "alt")
_VCF_SUFFIXES = (".vcf", ".vcf.gz", ".vcf.bgz", ".bcf")
_TABLE_SUFFIXES = (".tsv", ".tsv.gz", ".txt", ".txt.gz")


class VariantRecord(NamedTuple):
    """A record, as text.

    Attributes
    ----------
    number : int
        Of the record in the file, from 1.
    chrom : str
    pos : str
        1-based.
    name : str
        The ID; empty without one.
    ref : str
    alts : tuple of str
    vcf : pysam.VariantRecord or None
        The record of a VCF, to be written back.
    """

    number: int
    chrom: str
    pos: str
    name: str
    ref: str
    alts: tuple[str, ...]
    vcf: Any = None


class Source(NamedTuple):
    """A file of variants.

    Attributes
    ----------
    path : Path
        VCF or BCF by its suffix or content, otherwise a tab-separated table with a
        header.
    stem : str
        Prefix of the names of all result files.
    label : str
        Name of the source in messages.
    records : tuple of VariantRecord, optional
        The variants that there are instead of a file.
    """

    path: Path
    stem: str
    label: str
    records: tuple[VariantRecord, ...] | None = None

    @classmethod
    def of(cls, path: Path) -> Self:
        """Take the stem from a file's name without its suffix.

        Parameters
        ----------
        path : Path

        Returns
        -------
        Source
            With the stem `1000G.chr1` for `1000G.chr1.vcf.gz`.
        """
        suffixes = sorted((*_VCF_SUFFIXES, *_TABLE_SUFFIXES), key=len, reverse=True)
        name = path.name.lower()
        found = (suffix for suffix in suffixes if name.endswith(suffix))
        stem = path.name[: len(name) - len(next(found, ""))]
        return cls(path, stem, str(path))

    @classmethod
    def of_variant(cls, variant: Variant) -> Self:
        """Make a source of one variant, without a file.

        Parameters
        ----------
        variant : Variant

        Returns
        -------
        Source
            With the stem `chr20-48807376-G-A` for chr20:48807376 G>A.
        """
        chrom, start, ref, alt = trim(variant)
        stem = f"{chrom.replace('/', '_')}-{start + 1}-{ref}-{alt}"
        place = variant.chrom, str(variant.start + 1)
        record = VariantRecord(1, *place, "", variant.ref, (variant.alt,))
        return cls(Path(), stem, str(variant), (record,))


class VariantFile(NamedTuple):
    """An open file.

    Attributes
    ----------
    records : iterator of VariantRecord
    header : pysam.VariantHeader or None
        None for a table.
    """

    records: Iterator[VariantRecord]
    header: Any


@contextmanager
def spool_stdin(stream: IO[bytes], folder: Path) -> Iterator[Source]:
    """Copy a VCF from standard input to a temporary file, because it is read twice.

    Parameters
    ----------
    stream : binary file
        VCF, plain or bgzipped, or BCF.
    folder : Path
        For the temporary file, which is hidden and deleted in the end.

    Yields
    ------
    Source

    Raises
    ------
    WriteError
        The disk is full.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(
                tempfile.NamedTemporaryFile(dir=folder, prefix=".stdin.", suffix=".vcf")
            )
            shutil.copyfileobj(stream, file, 1 << 20)
            file.flush()
        except OSError as error:
            raise WriteError(
                f"cannot copy standard input to {folder}: {error.strerror or error}; "
                "free some space, or use a file instead of -"
            ) from error
        yield Source(Path(file.name), "stdin", "standard input")


@contextmanager
def open_variants(source: Source) -> Iterator[VariantFile]:
    """Open a file of variants.

    Parameters
    ----------
    source : Source

    Yields
    ------
    VariantFile

    Raises
    ------
    InputFileError
        The file is missing, has another format or is truncated. Truncation is noticed
        only when the iterator reaches it.
    """
    path = source.path
    if source.records is not None:
        yield VariantFile(iter(source.records), None)
        return
    if not is_input(path):
        raise InputFileError(
            f"{path}: {why_no_file(path)}; use a VCF, BCF or TSV file, or one variant such as "
            "chr20:48807376:G:A"
        )
    if path.name.lower().endswith(_VCF_SUFFIXES) or is_vcf(path):
        with _open_vcf(source) as found:
            yield found
        return
    yield VariantFile(_table_records(path), None)


def check_variants(source: Source) -> None:
    """Refuse a file without a record.

    Parameters
    ----------
    source : Source

    Raises
    ------
    InputFileError
        It has none, or as :func:`open_variants`.
    """
    with open_variants(source) as (records, _):
        if next(records, None) is None:
            raise InputFileError(
                f"{source.label} has no variants; use a file with some"
            )


def declared_sizes(source: Source) -> dict[str, int]:
    """Read the chromosome lengths that a VCF or BCF declares.

    Parameters
    ----------
    source : Source

    Returns
    -------
    dict of str to int
        In bp; empty for a table, and for a header without them.

    Raises
    ------
    InputFileError
        As :func:`open_variants`.
    """
    with open_variants(source) as file:
        contigs = file.header.contigs.values() if file.header is not None else ()
        return {contig.name: contig.length for contig in contigs if contig.length}


@contextmanager
def _open_vcf(source: Source) -> Iterator[VariantFile]:
    import pysam

    before = pysam.set_verbosity(0)  # our own errors say what htslib would print
    stack = ExitStack()
    try:
        path = stack.enter_context(readable_vcf(source.path, source.label))
        try:
            file = pysam.VariantFile(str(path))
        except (OSError, ValueError) as error:
            raise InputFileError(
                f"{source.label}: not readable as VCF or BCF ({error}); use an intact "
                "file"
            ) from error
        with file:
            try:
                str(file.header)  # which is written again
            except UnicodeDecodeError as error:
                raise not_utf8(source.label, 0) from error
            yield VariantFile(_vcf_records(source, file), file.header)
    finally:
        stack.close()
        pysam.set_verbosity(before)


def _vcf_records(source: Source, file: Any) -> Iterator[VariantRecord]:
    number = 0
    records = iter(file)
    while True:
        number += 1
        try:
            record = next(records, None)
            if record is None:
                return
            found = VariantRecord(
                number,
                record.chrom,
                str(record.pos),
                record.id or "",
                record.ref or "",
                tuple(record.alts or ()),
                record,
            )
        except UnicodeDecodeError as error:
            raise not_utf8(source.label, number) from error
        except (OSError, ValueError) as error:
            raise InputFileError(
                explain_record(source.path, source.label, number)
                or f"{source.label}: cannot be read after variant {number - 1} ({error}): "
                "truncated or damaged; create or copy the file again"
            ) from error
        yield found


def _table_records(path: Path) -> Iterator[VariantRecord]:
    lines = read_lines(path, "table of variants")
    _, first = next(lines, (1, ""))
    header = [name.strip().lstrip("#").lower() for name in first.split("\t")]
    if not set(_COLUMNS) <= set(header):
        raise InputFileError(
            f"{path}: not a VCF, and its first line does not contain the columns "
            f"{', '.join(_COLUMNS)} but {', '.join(header[:6]) or 'nothing'}; "
            "use a VCF (.vcf, .vcf.gz, .bcf) or a tab-separated table with that header"
        )
    twice = [name for name in _COLUMNS if header.count(name) > 1]
    if twice:
        raise InputFileError(
            f"{path}: its first line names the column {twice[0]} twice; keep one of them"
        )
    index = {name: i for i, name in enumerate(header)}
    rows = (line for _, line in lines if line.strip())
    for number, line in enumerate(rows, start=1):
        row = [field.strip() for field in line.split("\t")] + [""] * len(header)
        name = row[index["id"]] if "id" in index else ""
        chrom, pos, ref, alt = (row[index[column]] for column in _COLUMNS)
        yield VariantRecord(number, chrom, pos, name, ref, tuple(alt.split(",")))
