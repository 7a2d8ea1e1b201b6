"""The evidence that comes with the package, and the genomes it is for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tfimpute_tracks.evidence.store import EvidenceStore, open_evidence
from tfimpute_tracks.genome import check_build
from tfimpute_tracks.genome.chroms import find_chrom

__all__ = ["SHIPPED", "evidence_for", "open_named", "open_shipped"]

SHIPPED = "encode-hg19"
"""Name of the evidence that comes with the package."""

_FILE = Path(__file__).parent / "data" / SHIPPED / f"{SHIPPED}.h5"


def open_shipped() -> EvidenceStore:
    """Open the evidence that comes with the package.

    Returns
    -------
    EvidenceStore
        Named :data:`SHIPPED`.

    Raises
    ------
    InputFileError
        The file in the package is missing or damaged.
    """
    return open_evidence(_FILE)


def evidence_for(chrom_sizes: Mapping[str, int]) -> EvidenceStore | None:
    """Open the evidence that comes with the package, if it is of a genome.

    Parameters
    ----------
    chrom_sizes : mapping of str to int
        Chromosomes of the genome, with or without ``chr``, and their lengths in bp.
        They may be a subset of the assembly, and include contigs that the evidence does
        not know.

    Returns
    -------
    EvidenceStore or None
        None if a chromosome that both have is of another length, or they share none.

    Raises
    ------
    InputFileError
        The file in the package is missing or damaged.
    """
    store = open_shipped()
    own = store.chrom_sizes
    is_any = any(find_chrom(name, own) is not None for name in chrom_sizes)
    return store if is_any and not check_build(chrom_sizes, own) else None


def open_named(evidence: str | Path) -> EvidenceStore:
    """Open the evidence that a user names.

    Parameters
    ----------
    evidence : str or Path
        :data:`SHIPPED`, or the path of an evidence file.

    Returns
    -------
    EvidenceStore

    Raises
    ------
    InputFileError
        As :func:`tfimpute_tracks.evidence.open_evidence`.
    """
    if str(evidence) == SHIPPED:
        return open_shipped()
    return open_evidence(evidence)
