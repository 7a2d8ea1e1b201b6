"""Files of one track, whose names are those of TF and cell line: UniBind, TF.CELL.bed."""

from __future__ import annotations

import re
from pathlib import Path

from tfimpute_tracks.downloads.track import Entry
from tfimpute_tracks.evidence import ACCESSIBILITY
from tfimpute_tracks.vocabulary import Vocabulary

__all__ = ["PEAK_SUFFIXES", "UNIBIND", "parse_file_name", "peak_stem"]

PEAK_SUFFIXES = (
    *("bed", "narrowpeak", "broadpeak", "bigbed", "bb", "bignarrowpeak"),
    *("bigwig", "bw"),
)
"""Suffixes of files of peaks and signals, in lower case."""
UNIBIND = "UniBind sites"
_SIGNALS = (".bigwig", ".bw")
_PLAIN = "peaks, named by their file"
# Versions, accessions and words of other files are no TFs and no cell lines.
_NO_NAME = re.compile(
    r"v?\d+|(?:ENCFF|ENCSR|GSM|GSE|SRX|ERX|DRX)\w+|.*blacklist.*|peaks|summits|final",
    re.IGNORECASE,
)
_MATRIX = re.compile(r"MA\d{4}\.\d+")
_OPEN = frozenset(("accessibility", "dnase", "dnase-seq", "atac", "atac-seq", "open"))
# After the name of a cell line these words describe another one.
_OTHER_CELLS = frozenset(
    (
        *("derived", "differentiated", "resistant", "treated", "transfected", "ra"),
        *("expressing", "knockout", "ko", "mutant", "htert", "clone", "infected"),
    )
)


def peak_stem(path: Path) -> str:
    """Remove the suffixes of a file of peaks.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        Empty if the name has none of :data:`PEAK_SUFFIXES`.
    """
    name = re.sub(r"\.gz$", "", path.name, flags=re.IGNORECASE)
    stem, _, suffix = name.rpartition(".")
    if suffix.lower() not in PEAK_SUFFIXES:
        return ""
    inner, _, suffix = stem.rpartition(".")
    return inner if suffix.lower() in PEAK_SUFFIXES else stem


def parse_file_name(path: Path, vocabulary: Vocabulary) -> tuple[str, Entry] | None:
    """Read TF and cell line from the name of a file.

    Parameters
    ----------
    path : Path
    vocabulary : Vocabulary
        Decides where the cell line ends in a name of UniBind, which a description
        follows.

    Returns
    -------
    (str, Entry) or None
        What the name was recognized as; None if it has no such form.
    """
    parts = peak_stem(path).split(".")
    at = next((i for i in range(3, len(parts) - 1) if _is_matrix(parts, i)), 0)
    if at:
        cell = _unibind_cell(".".join(parts[1 : at - 1]), vocabulary)
        return UNIBIND, Entry(parts[at - 1], cell, path)
    if len(parts) != 2 or not all(parts):
        return None
    tf, cell = parts
    if any(_NO_NAME.fullmatch(part) for part in parts):
        return None
    if cell.lower() in _OPEN or _is_turned(tf, cell, vocabulary):
        tf, cell = cell, tf
    tf = ACCESSIBILITY if tf.lower() in _OPEN else tf
    is_signal = path.suffix.lower() in _SIGNALS
    return _PLAIN, Entry(tf, cell, path, rank=(is_signal,), kind="signals")


def _is_turned(tf: str, cell: str, vocabulary: Vocabulary) -> bool:
    """Check for CELL.TF: a known cell line, or a known TF, in the other's place."""
    if vocabulary.find_alias(tf, "TF") or vocabulary.find_alias(cell, "cell line"):
        return False
    return bool(
        vocabulary.find_alias(tf, "cell line") or vocabulary.find_alias(cell, "TF")
    )


def _is_matrix(parts: list[str], at: int) -> bool:
    return bool(_MATRIX.fullmatch(".".join(parts[at : at + 2])))


def _unibind_cell(described: str, vocabulary: Vocabulary) -> str:
    """Find the cell line that a description begins with."""
    words = described.split("_")
    if _OTHER_CELLS & {word.lower() for word in words}:
        return described.replace("_", " ")
    for n in range(len(words), 0, -1):
        name = "_".join(words[:n])
        if vocabulary.find_alias(name, "cell line"):
            return name
    return described.replace("_", " ")
