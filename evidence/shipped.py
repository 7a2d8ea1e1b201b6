"""The evidence that comes with the package, and the genomes it is for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evidence.peak_database import PeakDatabase
from tfimpute_tracks.evidence.store import EvidenceStore, open_evidence
from tfimpute_tracks.genome.chroms import describe_mismatch

__all__ = ["SHIPPED", "evidence_for", "no_tracks", "open_named", "open_shipped"]

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
    RunError
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
    RunError
        The file in the package is missing or damaged.
    """
    store = open_shipped()
    return None if describe_mismatch(chrom_sizes, store.chrom_sizes) else store


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
        There is no such file, or as :func:`tfimpute_tracks.evidence.open_evidence`.
    RunError
        As :func:`open_shipped`.
    """
    if str(evidence) == SHIPPED:
        return open_shipped()
    if not Path(evidence).exists():
        raise InputFileError(
            f"evidence {evidence}: no such file; use {SHIPPED}, or a file that "
            "`tfimpute-tracks evidence build` wrote"
        )
    return open_evidence(evidence)


def no_tracks() -> EvidenceStore:
    """Make a store without any track, for what depends on the weights alone.

    Returns
    -------
    EvidenceStore
    """
    nothing = np.zeros((0, 0), dtype=bool)
    contents = PeakDatabase((), {}, (), nothing, {}, "")
    return EvidenceStore(Path("no tracks"), contents, "")
