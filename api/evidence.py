"""Evidence in Python: open it, or build it from peak files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.api.inputs import Regions, written_regions
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.progress import ProgressBar, no_progress
from tfimpute_tracks.api.values import (
    as_path,
    check_model,
    check_text,
    join_texts,
    optional_path,
)
from tfimpute_tracks.dataset import ROLES, PairsTable, read_pairs_table
from tfimpute_tracks.errors import UsageError, counted, listed
from tfimpute_tracks.evidence import (
    SHIPPED,
    BuildReport,
    EvidenceStore,
    PeakDatabase,
    PeakFile,
    open_named,
    read_accessibility,
    write_evidence,
)
from tfimpute_tracks.evidence import build_evidence as build_database
from tfimpute_tracks.genome import (
    Region,
    name_assembly,
    open_genome,
    read_chrom_sizes,
    resolve_regions,
    whole_assembly,
)
from tfimpute_tracks.models import Model, load_model

__all__ = [
    "PeakGenome",
    "build_evidence",
    "choose_peak_genome",
    "collect_peaks",
    "open_evidence",
    "peak_files",
    "read_peak_files",
]


class PeakGenome(NamedTuple):
    """What peaks are on, and where they are kept.

    Attributes
    ----------
    sizes : dict of str to int
        Chromosome -> bp.
    regions : list of Region, optional
        None: everywhere.
    build : str
        Name of the assembly; may be empty.
    """

    sizes: dict[str, int]
    regions: list[Region] | None
    build: str


def open_evidence(name_or_path: str | Path = SHIPPED) -> EvidenceStore:
    """Open measured tracks.

    Parameters
    ----------
    name_or_path : str or Path
        `encode-hg19` for those of the package, or a file from :func:`build_evidence`.

    Returns
    -------
    EvidenceStore
        For :func:`tfimpute_tracks.load_model`; it also has `tracks`, `peaks` and
        `coverage`.

    Raises
    ------
    InputFileError
        There is no such file, or it is not evidence.

    Examples
    --------
    >>> from tfimpute_tracks import open_evidence
    >>> store = open_evidence()
    >>> len(store.tracks), store.build
    (548, 'hg19')
    """
    return open_named(as_path(name_or_path, "evidence"))


def build_evidence(
    pairs_table: str | Path | None,
    out: str | Path,
    *,
    accessibility: str | Path | None = None,
    fasta: str | Path | None = None,
    chrom_sizes: str | Path | None = None,
    model: str | Path = "default",
    regions: Regions | None = None,
    roles: str | Iterable[str] | None = None,
    assembly: str | None = None,
    overwrite: bool = False,
) -> EvidenceStore:
    """Collect the peaks of measured pairs in one file.

    Parameters
    ----------
    pairs_table : str, Path or None
        Tab-separated table with the columns tf, cell and bed (peak file, relative to the
        table), and optionally role and replicate.
    out : str or Path
        HDF5 file to write.
    accessibility : str or Path, optional
        The same of open chromatin: cell and bed.
    fasta, chrom_sizes : str or Path, optional
        The genome of the peaks, or its table of chromosomes; by default the assembly
        that the model was trained on.
    model : str or Path
        Whose TFs and cell lines are kept.
    regions : optional
        Where peaks are kept; as for :meth:`tfimpute_tracks.Model.scan`.
    roles : str or iterable of str, optional
        Use pairs of these roles only.
    assembly : str, optional
        Name of the assembly.
    overwrite : bool
        Replace the file if it exists.

    Returns
    -------
    EvidenceStore
        The open file.

    Raises
    ------
    UsageError, InputFileError, OutputError
        A value is invalid, a file cannot be read, or the file to write exists.

    Examples
    --------
    >>> from tfimpute_tracks import build_evidence
    >>> store = build_evidence("pairs.tsv", "mine.h5")
    >>> [str(track.pair) for track in store.tracks]
    ['CTCF:K562']
    """
    dest, opened = as_path(out, "out"), optional_path(accessibility, "accessibility")
    pairs = optional_path(pairs_table, "pairs_table")
    if pairs is None and opened is None:
        raise UsageError("no peaks; use pairs_table, accessibility, or both")
    if dest.exists() and not overwrite:
        raise UsageError(f"{dest} exists; use another file, or overwrite=True")
    check_model(model)
    check_text(assembly, "assembly")
    wanted = None if roles is None else join_texts(roles, "roles")
    sequence = optional_path(fasta, "fasta")
    table = optional_path(chrom_sizes, "chrom_sizes")
    files = [] if pairs is None else read_peak_files(pairs, wanted)
    files += [] if opened is None else read_accessibility(opened)
    loaded = load_model(model)
    where = written_regions(regions)
    genome = choose_peak_genome(sequence, table, loaded, where, assembly)
    collect_peaks(files, dest, loaded, genome)
    return open_named(dest)


def collect_peaks(
    files: list[PeakFile],
    out: Path,
    model: Model,
    genome: PeakGenome,
    progress: ProgressBar = no_progress,
) -> tuple[PeakDatabase, BuildReport, str]:
    """Read peak files and write evidence; warn of everything that is left out.

    Parameters
    ----------
    files : list of PeakFile
    out : Path
    model : Model
        Whose TFs and cell lines are kept.
    genome : PeakGenome
    progress : ProgressBar

    Returns
    -------
    database : PeakDatabase
    report : BuildReport
    digest : str
        Of the file.

    Raises
    ------
    UsageError, InputFileError, WriteError
        As :func:`tfimpute_tracks.evidence.build_evidence`, no peak lies in the regions,
        or the file cannot be written.
    """
    with progress("peaks", len(files), "files") as advance:
        database, report = build_database(
            files, model.vocabulary, genome.sizes, genome.regions, genome.build, advance
        )
    if not any(len(peaks.start) for peaks in database.peaks.values()):
        raise UsageError(
            f"no peak lies in {listed(database.regions, 3)}; use other regions, or all "
            "by leaving --region out"
        )
    digest = write_evidence(out, database)
    _warn(report, model.name)
    return database, report, digest


def read_peak_files(path: Path, roles: str | None) -> list[PeakFile]:
    """Read the rows of a pairs table that have the wanted roles.

    Parameters
    ----------
    path : Path
    roles : str, optional
        Comma-separated; by default all.

    Returns
    -------
    list of PeakFile

    Raises
    ------
    UsageError
        A role is unknown, or no row has one of them.
    InputFileError
        The table cannot be read.
    """
    table = read_pairs_table(path)
    wanted = ROLES if roles is None else tuple(r.strip() for r in roles.split(","))
    unknown = [role for role in wanted if role not in ROLES]
    if unknown:
        raise UsageError(
            f"--roles {roles!r}: unknown role {unknown[0]!r}; use some of "
            f"{', '.join(ROLES)}, comma-separated"
        )
    rows = zip(peak_files(table), table.roles, strict=True)
    found = [file for file, role in rows if role in wanted]
    if not found:
        raise UsageError(
            f"{path} has no pair of the roles {roles}; it has "
            f"{', '.join(sorted(set(table.roles)))}"
        )
    return found


def peak_files(table: PairsTable) -> list[PeakFile]:
    """List the peak files of a pairs table.

    Parameters
    ----------
    table : PairsTable

    Returns
    -------
    list of PeakFile
        One for each row.
    """
    rows = zip(table.pairs, table.replicate_names, table.beds, strict=True)
    return [PeakFile(*row) for row in rows]


def choose_peak_genome(
    fasta: Path | None,
    table: Path | None,
    model: Model,
    regions: list[str] | None,
    assembly: str | None,
    cache_dir: Path | None = None,
) -> PeakGenome:
    """Find the genome that peaks are of, and where they are kept.

    Parameters
    ----------
    fasta, table : Path, optional
        A genome, or a table of names and sizes; by default the genome that the model was
        trained on.
    model : Model
    regions : list of str, optional
        By default everywhere.
    assembly : str, optional
        Name of the assembly; by default recognized by its chromosomes.
    cache_dir : Path, optional

    Returns
    -------
    PeakGenome

    Raises
    ------
    UsageError
        Both `fasta` and `table` are given, or neither and the model does not know; or
        the assembly has another name.
    RegionError
        A region is not in the genome.
    InputFileError
        A file cannot be read.
    """
    sizes = _find_sizes(fasta, table, model, cache_dir)
    where = resolve_regions(regions, [], sizes, log) if regions else None
    build = name_assembly(assembly, sizes, model.checkpoint.genome)
    return PeakGenome(sizes, where, build)


def _find_sizes(
    fasta: Path | None, table: Path | None, model: Model, cache_dir: Path | None
) -> dict[str, int]:
    if fasta is not None and table is not None:
        raise UsageError("use --fasta or --chrom-sizes, not both")
    if table is not None:
        return read_chrom_sizes(table)
    if fasta is not None:
        with open_genome(fasta, cache_dir, log) as genome:
            return dict(genome.chrom_sizes)
    trained_on = model.checkpoint.genome
    sizes = whole_assembly(trained_on)
    if not sizes:
        raise UsageError(
            f"the model {model.name} has no chromosome sizes; use --fasta or "
            "--chrom-sizes"
        )
    log(
        f"no --fasta or --chrom-sizes: using the {counted(len(sizes), 'chromosome')} of "
        f"{trained_on.get('build') or 'the genome'}, the assembly of {model.name}"
    )
    return sizes


def _warn(report: BuildReport, model: str) -> None:
    """Warn of everything that was left out."""
    for reason in report.unknown:
        log(f"left out, unknown to the model {model}: {reason}", warning=True)
    if report.empty:
        log(f"left out, empty: {'; '.join(report.empty)}", warning=True)
    if report.elsewhere:
        log(f"left out: {listed(report.elsewhere, 2, '; ')}", warning=True)
    for text in report.renamed:
        log(text, warning=True)
    if report.unknown_chromosomes:
        n_peaks = sum(report.unknown_chromosomes.values())
        log(
            f"left out: {counted(n_peaks, 'peak')} on chromosomes that the genome lacks "
            f"({listed(report.unknown_chromosomes)})",
            warning=True,
        )
