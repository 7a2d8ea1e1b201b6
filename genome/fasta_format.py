"""Whether a file is a FASTA of DNA, by its beginning, and how it is compressed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.storage.input_paths import why_no_file
from tfimpute_tracks.storage.table import open_unpacked

__all__ = ["detect_format"]

_BASES = b"ACGTUNRYSWKMBDHV"  # with the codes of IUPAC for several bases
_RESIDUES = b"EFIJLOPQZ"  # amino acids whose codes stand for no base
# First bytes of files that are used instead of a FASTA.
_OTHERS = {
    b"BAM\1": "a BAM file of reads; use the FASTA they were aligned to",
    b"CRAM": "a CRAM file of reads; use the FASTA they were aligned to",
    b"@": "FASTQ or SAM, which hold reads; use the FASTA of the genome",
    b"##": "a VCF or a GFF; use the FASTA of the genome",
    b"BZh": "compressed with bzip2; unpack it with bunzip2",
    b"PK\3\4": "a zip archive; unpack it with unzip",
    b"\xfd7zXZ": "compressed with xz; unpack it with unxz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it with unzstd",
    b"\x1a\x41\x27\x43": "a compressed .2bit file; unpack it with gunzip",
    b"\x43\x27\x41\x1a": "a compressed .2bit file; unpack it with gunzip",
    b"\xef\xbb\xbf": "text with a byte order mark; save it without one",
}


def detect_format(path: Path) -> Literal["plain", "bgzip", "gzip"]:
    """Detect the compression of a FASTA from its first bytes, whatever its name.

    Parameters
    ----------
    path : Path

    Returns
    -------
    "plain", "bgzip" (gzip in blocks, which can be read from any position) or "gzip"

    Raises
    ------
    InputFileError
        No such file, not a file, empty, or not a FASTA.
    """
    if path.exists() and not path.is_file():
        why = "is a pipe" if path.is_fifo() else why_no_file(path)
        raise InputFileError(f"{path}: {why}; use a FASTA file")
    with open_unpacked(path, "FASTA") as file:
        text = file.read(1 << 16)
    _check_text(path, text)
    with path.open("rb") as file:
        magic = file.read(14)
    if magic.startswith(b"\x1f\x8b"):
        # bgzip has an extra field (flag 4) called BC: the size of the block.
        return "bgzip" if magic[3] & 4 and magic[12:] == b"BC" else "gzip"
    if path.suffix.lower() in {".gz", ".bgz", ".bz2", ".zip"}:
        raise InputFileError(
            f"{path}: is plain text in spite of its name; rename it to end in .fa"
        )
    return "plain"


def _check_text(path: Path, text: bytes) -> None:
    """Refuse what is no FASTA of DNA, by the first bytes of its text."""
    lines = [line for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(b";")]
    if not lines:
        raise InputFileError(f"{path}: is empty; use a FASTA with sequences in it")
    if not lines[0].startswith(b">"):
        begin = lines[0][:20].decode("utf-8", "replace")
        what = f"begins with {begin!r}; a FASTA begins with > and a name"
        if not lines[0].strip().upper().strip(_BASES):
            what = "bases without a name; write a line such as >chr1 before them"
        known = (name for magic, name in _OTHERS.items() if text.startswith(magic))
        raise InputFileError(f"{path}: is not a FASTA but {next(known, what)}")
    if b"\r" in text and b"\n" not in text:
        raise InputFileError(
            f"{path}: its lines end in CR, as on old Macs; convert it, as with "
            f"`tr '\\r' '\\n' < {path.name} > lf.fa`"
        )
    for line in lines:
        if b">" in line[1:] and not line.startswith(b">"):
            raise InputFileError(
                f"{path}: a name (>) among the bases {line[:20].decode('utf-8', 'replace')!r}: "
                "the line before it has no end; begin a new line there"
            )
        found = set(line.upper()) & set(_RESIDUES)
        if found and not line.startswith(b">"):
            raise InputFileError(
                f"{path}: {' and '.join(map(chr, sorted(found)[:2]))} among its "
                "sequences are no bases: of a protein? Use a FASTA of DNA"
            )
