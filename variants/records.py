"""Lines of a VCF, a BCF or a table of variants, one after the other.

VCF and BCF are read by htslib, plain or bgzipped; whatever else has a head with
``chrom pos ref alt`` is a table. Nothing is judged here but whether the file is one.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from tfimpute_tracks.errors import InputFileError, WriteError
from tfimpute_tracks.storage.table import read_lines

__all__ = ["Line", "Source", "VariantLines", "open_variants", "spooled"]

_COLUMNS = ("chrom", "pos", "ref", "alt")
_VCF_SUFFIXES = (".vcf", ".vcf.gz", ".vcf.bgz", ".bcf")
_TABLE_SUFFIXES = (".tsv", ".tsv.gz", ".txt", ".txt.gz")


class Source(NamedTuple):
    """A file of variants.

    Attributes
    ----------
    path : Path
        VCF or BCF by its ending, else a tab-separated table with a head.
    stem : str
        What the names of results begin with.
    told : str
        What messages call it.
    """

    path: Path
    stem: str
    told: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """Name a file's results after all but its ending.

        Parameters
        ----------
        path : Path

        Returns
        -------
        Source
            `1000G.chr1` of `1000G.chr1.vcf.gz`.
        """
        endings = sorted((*_VCF_SUFFIXES, *_TABLE_SUFFIXES), key=len, reverse=True)
        found = (ending for ending in endings if path.name.endswith(ending))
        return cls(path, path.name.removesuffix(next(found, "")), str(path))


class Line(NamedTuple):
    """A line.

    Attributes
    ----------
    number : int
        Of the line among those of variants, from 1.
    chrom : str
    pos : str
        Counts from 1, as it stands there.
    name : str
        Its ID; empty without one.
    ref : str
    alts : tuple of str
    record : pysam.VariantRecord or None
        What a VCF's line is written back as.
    """

    number: int
    chrom: str
    pos: str
    name: str
    ref: str
    alts: tuple[str, ...]
    record: Any = None


class VariantLines(NamedTuple):
    """An open file.

    Attributes
    ----------
    lines : iterator of Line
    header : pysam.VariantHeader or None
        Of a VCF; None of a table.
    """

    lines: Iterator[Line]
    header: Any


@contextmanager
def spooled(stream: IO[bytes], folder: Path) -> Iterator[Source]:
    """Keep a VCF that comes through a pipe while it is read, for it is read twice.

    Parameters
    ----------
    stream : binary file
        VCF, plain or bgzipped, or BCF.
    folder : Path
        Where the hidden file lies meanwhile.

    Yields
    ------
    Source

    Raises
    ------
    WriteError
        There is no room for it.
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
                f"cannot keep standard input in {folder}: {error.strerror or error}; "
                "make room, or give a file instead of -"
            ) from error
        yield Source(Path(file.name), "stdin", "standard input")


@contextmanager
def open_variants(source: Source) -> Iterator[VariantLines]:
    """Open a file of variants.

    Parameters
    ----------
    source : Source

    Yields
    ------
    VariantLines

    Raises
    ------
    InputFileError
        Missing, no such file, or cut short; the last only where it ends.
    """
    path = source.path
    if not path.is_file():
        raise InputFileError(f"{path}: no such file; give a VCF, BCF or TSV file")
    if path.name.endswith(_VCF_SUFFIXES):
        with _open_vcf(source) as found:
            yield found
        return
    yield VariantLines(_table_lines(path), None)


@contextmanager
def _open_vcf(source: Source) -> Iterator[VariantLines]:
    import pysam

    before = pysam.set_verbosity(0)  # what it would print stands in our errors
    try:
        try:
            file = pysam.VariantFile(str(source.path))
        except (OSError, ValueError) as error:
            raise InputFileError(
                f"{source.told}: not readable as VCF or BCF ({error}); give a "
                "whole file"
            ) from error
        with file:
            yield VariantLines(_vcf_lines(source.told, file), file.header)
    finally:
        pysam.set_verbosity(before)


def _vcf_lines(told: str, file: Any) -> Iterator[Line]:
    number = 0
    records = iter(file)
    while True:
        try:
            record = next(records)
        except StopIteration:
            return
        except (OSError, ValueError) as error:
            raise InputFileError(
                f"{told}: cannot be read behind variant {number} ({error}): cut short "
                "or damaged; make or copy it again"
            ) from error
        number += 1
        yield Line(
            number,
            record.chrom,
            str(record.pos),
            record.id or "",
            record.ref or "",
            tuple(record.alts or ()),
            record,
        )


def _table_lines(path: Path) -> Iterator[Line]:
    lines = read_lines(path, "table of variants")
    _, first = next(lines, (1, ""))
    header = [name.strip().lstrip("#").lower() for name in first.split("\t")]
    if not set(_COLUMNS) <= set(header):
        raise InputFileError(
            f"{path}: not a VCF by its suffix, and its first line has no columns "
            f"{', '.join(_COLUMNS)} but {', '.join(header[:6]) or 'nothing'}; use a VCF "
            "(.vcf, .vcf.gz, .bcf) or a tab-separated table with that header"
        )
    index = {name: i for i, name in enumerate(header)}
    rows = (line for _, line in lines if line.strip())
    for number, line in enumerate(rows, start=1):
        row = [field.strip() for field in line.split("\t")] + [""] * len(header)
        name = row[index["id"]] if "id" in index else ""
        chrom, pos, ref, alt = (row[index[column]] for column in _COLUMNS)
        yield Line(number, chrom, pos, name, ref, tuple(alt.split(",")))
