"""Families of TFs, by the class of what binds DNA."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["BINDS_NO_SEQUENCE", "OTHER", "family_of"]

OTHER = "Other"
"""The family of a TF that does not come with the package."""
BINDS_NO_SEQUENCE = frozenset(
    {"Chromatin", "Cofactor", "Cohesin", "Transcription machinery"}
)
"""Families of proteins that others bring to DNA: they share no motif."""


@cache
def _families() -> dict[str, str]:
    table = files("tfimpute_tracks") / "interpret" / "data" / "tf-families.tsv"
    _, *rows = table.read_text(encoding="utf-8").splitlines()
    return dict(row.split("\t") for row in rows)


def family_of(tf: str) -> str:
    """Give the family of a TF.

    Parameters
    ----------
    tf : str

    Returns
    -------
    str
        The class of its DNA-binding domain, or what else it is; `Other` for a TF that
        does not come with the package.
    """
    return _families().get(tf, OTHER)
