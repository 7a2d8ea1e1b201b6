"""Families of TFs, by the class of their DNA-binding domain."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from tfimpute_tracks.storage.table import read_table

__all__ = ["NOT_DNA_BINDING", "OTHER", "family_of"]

OTHER = "Other"
"""The family of a TF that is not in the bundled table."""
NOT_DNA_BINDING = frozenset(
    {"Chromatin", "Cofactor", "Cohesin", "Transcription machinery"}
)
"""Families of proteins that do not bind DNA directly: they share no motif."""


@cache
def _families() -> dict[str, str]:
    folder = files("tfimpute_tracks") / "interpret" / "data"
    columns = ("tf", "family")
    table = read_table(Path(str(folder / "tf-families.tsv")), "families", columns)
    return {row.fields["tf"]: row.fields["family"] for row in table.rows}


def family_of(tf: str) -> str:
    """Return the family of a TF.

    Parameters
    ----------
    tf : str

    Returns
    -------
    str
        The class of its DNA-binding domain, or its function; `Other` for a TF that is not
        in the bundled table.
    """
    return _families().get(tf, OTHER)
