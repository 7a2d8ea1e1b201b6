"""A data set for training, from a table or downloads: inputs, and one call."""

from __future__ import annotations

import resource
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from tfimpute_tracks.api.downloads import (
    DownloadListing,
    Downloads,
    as_paths,
    check_output,
    find_tracks,
    list_download,
    one_input,
    track_files,
)
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.progress import ProgressBar, no_progress
from tfimpute_tracks.api.values import (
    as_path,
    check_choice,
    check_model,
    check_number,
    check_text,
    check_wholes,
    optional_path,
)
from tfimpute_tracks.dataset import BuildConfig, build_dataset
from tfimpute_tracks.downloads import Download, DownloadedTrack
from tfimpute_tracks.errors import UsageError, counted
from tfimpute_tracks.evidence import ACCESSIBILITY
from tfimpute_tracks.genome import name_assembly, open_genome
from tfimpute_tracks.models import load_model

__all__ = ["prepare_data"]


def prepare_data(
    fasta: str | Path,
    out: str | Path | None,
    *,
    pairs_table: str | Path | None = None,
    downloads: Downloads | None = None,
    candidate_sites: str | Path | None = None,
    seq_len: int = 1000,
    blacklist: str | Path | None = None,
    min_known: float = 0.0,
    negatives: Literal["dhs", "shuffle", "matched"] = "dhs",
    top: int | None = None,
    alternate: bool = False,
    allow_unranked: bool = False,
    seed: int = 0,
    assembly: str | None = None,
    model: str | Path = "default",
    signal_threshold: float | None = None,
    keep_peaks: str | Path | None = None,
    dry_run: bool = False,
    overwrite: bool = False,
    progress: ProgressBar = no_progress,
) -> dict[str, Any] | DownloadListing:
    """Make a data set of labeled sites for every TF and cell line of a table.

    Parameters
    ----------
    fasta : str or Path
        FASTA or .2bit file.
    out : str, Path or None
        HDF5 file to write; None to list downloads, or to keep their peaks.
    pairs_table : str or Path, optional
        Tab-separated table: tf, cell, role (base, valid2, test3, test2), bed (peak file,
        relative to the table).
    downloads : str, Path or sequence of these, optional
        In place of the table; as for
        :func:`tfimpute_tracks.api.evidence_files.collect_evidence`.
    candidate_sites : str or Path, optional
        BED of the sites to label.
    seq_len : int
        Length of each sequence, in bp.
    blacklist : str or Path, optional
        BED of excluded regions.
    min_known : float
        Minimum fraction of A, C, G and T in the sequence of a site.
    negatives : {"dhs", "shuffle", "matched"}
        Candidate sites without a peak nearby, positives with their dinucleotides
        shuffled, or windows with the same GC content and fraction of repeats.
    top : int, optional
        Positives are windows around the summits of this many strongest peaks of each
        pair; by default candidate sites under peaks.
    alternate : bool
        Odd-numbered peaks of `top` for training, even-numbered ones for testing.
    allow_unranked : bool
        With `top`, use all peaks of a file without signals or summits.
    seed : int
    assembly : str, optional
        Name of the assembly of downloads.
    model : str or Path
        Whose names of TFs and cell lines downloads get.
    signal_threshold, keep_peaks, dry_run
        As for :func:`tfimpute_tracks.api.evidence_files.collect_evidence`.
    overwrite : bool
        Replace the data set if it exists.
    progress : ProgressBar

    Returns
    -------
    dict or DownloadListing
        Numbers of the data set, and its file; without a file, what the downloads have.

    Raises
    ------
    UsageError, InputFileError, OutputError
        A value is invalid, a file cannot be read, or the data set exists.

    Examples
    --------
    >>> from tfimpute_tracks.api.preparing import prepare_data
    >>> found = prepare_data(
    ...     "genome.fa", "data.h5", pairs_table="pairs.tsv", candidate_sites="sites.bed"
    ... )
    >>> found["n_sites"]
    3
    """
    genome, table = as_path(fasta, "fasta"), optional_path(pairs_table, "pairs_table")
    paths, keep = as_paths(downloads), optional_path(keep_peaks, "keep_peaks")
    sites = optional_path(candidate_sites, "candidate_sites")
    excluded = optional_path(blacklist, "blacklist")
    check_model(model)
    check_text(assembly, "assembly")
    check_choice(negatives, "negatives", ("dhs", "shuffle", "matched"))
    check_number(min_known, "min_known", 0, 1)
    check_wholes(0, seed=seed)
    check_wholes(1, top=top, seq_len=seq_len)
    config = BuildConfig(
        seq_len=seq_len,
        negatives=negatives,
        top=top,
        alternate=alternate,
        allow_unranked=allow_unranked,
        seed=seed,
        min_known=min_known,
    )
    others = {"--signal-threshold": signal_threshold, "--keep-peaks": keep}
    one_input(table, paths, {**others, "--dry-run": dry_run, "--assembly": assembly})
    dest = check_output(optional_path(out, "out"), overwrite, keep, dry_run)
    if dest is not None:
        config.check_candidates(sites is not None)
    began = time.perf_counter()
    left_out: dict[str, int] = {}
    with ExitStack() as stack:
        if paths:
            found = _find_tracks(paths, genome, assembly, model)
            if dest is None:
                kept = None if dry_run else keep
                return list_download(found, kept, signal_threshold, progress)
            tracks, left_out = _of_tfs(found), dict(found.left_out)
            _, table = stack.enter_context(
                track_files(tracks, signal_threshold, keep, progress)
            )
        dest = Path(str(dest))
        report = build_dataset(
            *(genome, str(table), sites, dest), *(config, excluded, log)
        )
    return asdict(report) | {
        **({"left_out_of_download": left_out} if left_out else {}),
        "seconds": round(time.perf_counter() - began, 1),
        "peak_memory_gb": _peak_memory_gb(),
        "file_mb": round(dest.stat().st_size / 1e6, 1),
        "file": str(dest),
    }


def _find_tracks(
    paths: list[Path], fasta: Path, assembly: str | None, model: str | Path
) -> Download:
    """Recognize downloads, and name their tracks as a model does."""
    loaded = load_model(model)
    with open_genome(fasta, log=log) as genome:
        build = name_assembly(
            assembly, dict(genome.chrom_sizes), loaded.checkpoint.genome
        )
    return find_tracks(paths, loaded.vocabulary, build)


def _of_tfs(found: Download) -> tuple[DownloadedTrack, ...]:
    """Leave out accessibility: a data set has labels of TFs only."""
    tracks = [track for track in found.tracks if track.pair.tf != ACCESSIBILITY]
    n_open = len(found.tracks) - len(tracks)
    if not tracks:
        raise UsageError("--from: has accessibility only; add peaks of TFs to train on")
    if n_open:
        log(
            f"left out: {counted(n_open, 'track')} of accessibility; use "
            "`tfimpute-tracks evidence build` for them"
        )
    return tuple(tracks)


def _peak_memory_gb() -> float:
    # Linux counts in KiB.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * 1024 / 1e9, 2)
