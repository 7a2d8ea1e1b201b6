"""Evidence files, collected from tables or downloads: inputs, and one call."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tfimpute_tracks.api.downloads import (
    DownloadListing,
    Downloads,
    as_paths,
    check_output,
    find_tracks,
    list_download,
    log_candidates,
    one_input,
    track_files,
)
from tfimpute_tracks.api.evidence import (
    PeakGenome,
    choose_peak_genome,
    collect_peaks,
    read_peak_files,
)
from tfimpute_tracks.api.evidence_info import describe_file
from tfimpute_tracks.api.inputs import Regions, written_regions
from tfimpute_tracks.api.progress import ProgressBar, no_progress
from tfimpute_tracks.api.values import (
    check_model,
    check_texts,
    join_texts,
    optional_path,
)
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.evidence import (
    PeakFile,
    read_accessibility,
    summarize_build,
)
from tfimpute_tracks.models import Model, load_model

__all__ = ["collect_evidence"]


def collect_evidence(
    out: str | Path | None,
    *,
    pairs_table: str | Path | None = None,
    downloads: Downloads | None = None,
    accessibility: str | Path | None = None,
    fasta: str | Path | None = None,
    chrom_sizes: str | Path | None = None,
    assembly: str | None = None,
    model: str | Path = "default",
    regions: Regions | None = None,
    roles: str | Iterable[str] | None = None,
    signal_threshold: float | None = None,
    keep_peaks: str | Path | None = None,
    dry_run: bool = False,
    cache_dir: str | Path | None = None,
    overwrite: bool = False,
    progress: ProgressBar = no_progress,
) -> dict[str, Any] | DownloadListing:
    """Collect the peaks of measured pairs in one file, from a table or from downloads.

    :func:`tfimpute_tracks.build_evidence` makes the same file of a table.

    Parameters
    ----------
    out : str, Path or None
        HDF5 file to write; None to list downloads, or to keep their peaks.
    pairs_table : str or Path, optional
        As for :func:`tfimpute_tracks.build_evidence`.
    downloads : str, Path or sequence of these, optional
        In place of the table: files or folders as downloaded from ENCODE, ReMap,
        ChIP-Atlas, UniBind, Cistrome or UCSC, or folders of files named TF.CELL.bed.
    accessibility, fasta, chrom_sizes, assembly, model, regions, roles
        As for :func:`tfimpute_tracks.build_evidence`.
    signal_threshold : float, optional
        Lowest value of a bigWig in a peak.
    keep_peaks : str or Path, optional
        New folder for the peaks of downloads, and a pairs table of them.
    dry_run : bool
        Only list what downloads are recognized as.
    cache_dir : str or Path, optional
    overwrite : bool
        Replace the file if it exists.
    progress : ProgressBar

    Returns
    -------
    dict or DownloadListing
        A summary of the file; without a file, what the downloads have.

    Raises
    ------
    UsageError, InputFileError, OutputError
        A value is invalid, a file cannot be read, or the file to write exists.

    Examples
    --------
    >>> from tfimpute_tracks.api.evidence_files import collect_evidence
    >>> found = collect_evidence(None, downloads="downloaded", dry_run=True)
    >>> [str(track.pair) for track in found.download.tracks]
    ['CTCF:K562']
    >>> collect_evidence("from-downloads.h5", downloads="downloaded")["peaks"]
    1
    """
    start = time.perf_counter()
    table, keep = (
        optional_path(pairs_table, "pairs_table"),
        optional_path(keep_peaks, "keep_peaks"),
    )
    paths = as_paths(downloads)
    check_model(model)
    check_texts(assembly=assembly)
    wanted = None if roles is None else join_texts(roles, "roles")
    fasta, opened = (
        optional_path(fasta, "fasta"),
        optional_path(accessibility, "accessibility"),
    )
    sizes = optional_path(chrom_sizes, "chrom_sizes")
    cache = optional_path(cache_dir, "cache_dir")
    others = {"--signal-threshold": signal_threshold, "--keep-peaks": keep}
    one_input(table, paths, {**others, "--dry-run": dry_run})
    if paths and wanted:
        raise UsageError("--roles needs --pairs-table: a download has no roles")
    dest = check_output(optional_path(out, "out"), overwrite, keep, dry_run)
    files = [] if table is None else read_peak_files(table, wanted)
    files += read_accessibility(opened) if opened else []
    loaded = load_model(model)
    where = written_regions(regions)
    genome = choose_peak_genome(fasta, sizes, loaded, where, assembly, cache)
    left_out: dict[str, int] = {}
    with ExitStack() as stack:
        if paths:
            found = find_tracks(paths, loaded.vocabulary, genome.build)
            if dest is None:
                kept = None if dry_run else keep
                return list_download(found, kept, signal_threshold, progress)
            log_candidates(found)
            tracks = found.tracks if keep else found.known
            written, _ = stack.enter_context(
                track_files(tracks, signal_threshold, keep, progress)
            )
            files += [PeakFile(f.pair, "", f.path) for f in written if f.is_known]
            left_out = dict(found.left_out)
        if not files:
            raise UsageError(
                f"no track of a TF and a cell line that {loaded.name} has; --keep-peaks "
                "FOLDER without -o writes a pairs table of the others, for `extend`"
            )
        path = Path(str(dest))
        return _collect((files, left_out), path, loaded, genome, start, progress)


def _collect(
    inputs: tuple[list[PeakFile], dict[str, int]],
    out: Path,
    model: Model,
    genome: PeakGenome,
    start: float,
    progress: ProgressBar,
) -> dict[str, Any]:
    """Build and write the evidence; return its summary."""
    files, left_out = inputs
    database, report, digest = collect_peaks(files, out, model, genome, progress)
    return summarize_build(database) | {
        "left_out": {
            "files_of_unknown_names": report.unknown,
            "files_without_peaks": report.empty,
            "files_without_peaks_on_the_genome": report.elsewhere,
            "peaks_on_unknown_chromosomes": report.unknown_chromosomes,
        },
        **({"left_out_of_download": left_out} if left_out else {}),
        "renamed": report.renamed,
        **describe_file(out, digest, start),
    }
