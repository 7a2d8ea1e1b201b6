"""FASTA files of every kind, and the codes they hold, letter by letter."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import pysam

KINDS = ("plain", "bgzip", "gzip")
TOY = {"chr1": "ACGTNacgtnRYryACG", "chr10": "T", "chr2": "NNNNGATTACA" * 7}
NAIVE = {"A": 0, "C": 1, "G": 2, "T": 3}


def naive_codes(letters):
    return [NAIVE.get(letter.upper(), 4) for letter in letters]


def fasta_text(sequences, width=10, newline="\n"):
    lines = []
    for name, letters in sequences.items():
        lines.append(f">{name} a description")
        lines += [letters[i : i + width] for i in range(0, len(letters), width)]
    return newline.join([*lines, ""])


def write_fasta(path, text, kind="plain"):
    """Write text as a FASTA of a kind; name it .fa or .fa.gz."""
    data = text if isinstance(text, bytes) else text.encode()
    if kind == "plain":
        path.write_bytes(data)
        return path
    path = path.with_name(f"{path.name}.gz")
    if kind == "gzip":
        path.write_bytes(gzip.compress(data))
        return path
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        raw.write_bytes(data)
        pysam.tabix_compress(str(raw), str(path), force=True)
    return path


GOOD = ">a\nACGTACGTAC\nACGT\n"
