"""Evidence of one assembly, for another one: inputs, and one call."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

from tfimpute_tracks.api.evidence_info import describe_file
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.progress import ProgressBar, no_progress
from tfimpute_tracks.api.values import as_path, check_text, optional_path
from tfimpute_tracks.errors import UsageError, listed
from tfimpute_tracks.evidence import open_named, write_evidence
from tfimpute_tracks.evidence.lift import lift_evidence
from tfimpute_tracks.genome import name_assembly, open_genome, read_chrom_sizes
from tfimpute_tracks.genome.chain import Chain
from tfimpute_tracks.storage import check_output_dir

__all__ = ["LiftedEvidence", "lift_evidence_file"]

_FEW = 0.9  # fraction of lifted peaks below which a warning is due


class LiftedEvidence(NamedTuple):
    """What became of the peaks of an evidence file.

    Attributes
    ----------
    name : str
        Of the file that was lifted.
    target : str
        The assembly, or the file that its lengths are from.
    summary : dict
        Numbers of intervals and of peaks by what became of them, and the new file.
    """

    name: str
    target: str
    summary: dict[str, Any]


def lift_evidence_file(
    evidence: str | Path,
    chain: str | Path,
    out: str | Path,
    *,
    fasta: str | Path | None = None,
    chrom_sizes: str | Path | None = None,
    assembly: str | None = None,
    cache_dir: str | Path | None = None,
    overwrite: bool = False,
    progress: ProgressBar = no_progress,
) -> LiftedEvidence:
    """Lift an evidence file to another assembly.

    Parameters
    ----------
    evidence : str or Path
        `encode-hg19`, or a file.
    chain : str or Path
        Chain file from its assembly to the target, plain or gzip.
    out : str or Path
        HDF5 file to write.
    fasta, chrom_sizes : str or Path, optional
        The target, or its table of chromosomes: one of the two.
    assembly : str, optional
        Name of the target; by default recognized by its chromosomes.
    cache_dir : str or Path, optional
    overwrite : bool
        Replace the file if it exists.
    progress : ProgressBar

    Returns
    -------
    LiftedEvidence

    Raises
    ------
    UsageError, InputFileError, OutputError
        A value is invalid, a file cannot be read, or the file to write exists.

    Examples
    --------
    >>> from tfimpute_tracks.api.evidence_lift import lift_evidence_file
    >>> done = lift_evidence_file("mine.h5", "up.chain", "up.h5", chrom_sizes="up.sizes")
    >>> done.summary["peaks"]["kept"]
    1
    """
    path, dest = as_path(chain, "chain"), as_path(out, "out")
    fasta, table = (
        optional_path(fasta, "fasta"),
        optional_path(chrom_sizes, "chrom_sizes"),
    )
    cache_dir = optional_path(cache_dir, "cache_dir")
    check_text(assembly, "assembly")
    source = as_path(evidence, "evidence")
    if dest.exists() and not overwrite:
        raise UsageError(f"{dest} exists; use another -o, or --overwrite to replace it")
    check_output_dir(dest.parent)
    start = time.perf_counter()
    store = open_named(source)
    sizes, target = _target(fasta, table, cache_dir)
    build = name_assembly(assembly, sizes, {})
    opened = Chain(path, store.chrom_sizes, sizes, store.name, target)
    with progress("lift", len(store.chrom_sizes), "chromosomes") as advance:
        database, report = lift_evidence(store, opened, sizes, build, advance)
    digest = write_evidence(dest, database)
    lost = [region.chrom for region in store.regions if region.chrom in opened.missing]
    if lost:
        log(
            f"{path} has no chain for {listed(dict.fromkeys(lost))}: their peaks are lost",
            warning=True,
        )
    if report.fraction_kept < _FEW:
        log(
            f"only {report.fraction_kept:.1%} of the peaks have a place in {target}: is it "
            "of another species, or a part of its assembly? How accurate predictions "
            "are with so few was not measured",
            warning=True,
        )
    summary = report.summary() | {
        "from": store.build,
        "build": build,
        **describe_file(dest, digest, start),
    }
    return LiftedEvidence(store.name, build or target, summary)


def _target(
    fasta: Path | None, table: Path | None, cache_dir: Path | None
) -> tuple[dict[str, int], str]:
    """Find the chromosome lengths of the target, and what messages call it."""
    if (fasta is None) == (table is None):
        raise UsageError(
            "the chromosome lengths of the target are needed: use --fasta or "
            "--chrom-sizes, one of the two"
        )
    if table is not None:
        return read_chrom_sizes(table), table.name
    assert fasta is not None
    with open_genome(fasta, cache_dir, log) as genome:
        return dict(genome.chrom_sizes), fasta.name
