"""Tracks of any pairs and regions of a bulk store: inputs, and one call."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tfimpute_tracks.api.evidence_choice import report_store_evidence
from tfimpute_tracks.api.inputs import Regions, written_regions
from tfimpute_tracks.api.loci import warn_outside
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.pair_choice import Pairs, choose_pairs
from tfimpute_tracks.api.progress import ProgressBar, no_progress
from tfimpute_tracks.api.scan_files import choose_track_options
from tfimpute_tracks.api.threads import limit_threads
from tfimpute_tracks.api.values import (
    as_path,
    check_texts,
    check_threshold,
    check_wholes,
    optional_path,
)
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome import Region, replace_genes, resolve_regions
from tfimpute_tracks.impute.export import ExportJob, run_export
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.impute.stored_model import check_specificity
from tfimpute_tracks.tracks.signals import SignalName
from tfimpute_tracks.tracks.writer import PairResult

__all__ = ["export_tracks"]

_MANY = 50  # pairs that take longer than processes to start


def export_tracks(
    store: str | Path,
    out_dir: str | Path,
    *,
    tf: str | None = None,
    cell: str | None = None,
    pairs: Pairs | None = None,
    every: bool = False,
    regions: Regions | None = None,
    chroms: list[str] | None = None,
    min_contig: int = 0,
    genes: str | Path | None = None,
    formats: str | Iterable[str] | None = None,
    threshold: float | None = None,
    signal: SignalName = "probability",
    bin_size: int | None = None,
    max_zooms: int = 10,
    threads: int | str = "max",
    processes: bool = False,
    overwrite: bool = False,
    progress: ProgressBar = no_progress,
) -> list[PairResult]:
    """Write tracks of pairs and regions of a bulk store.

    Parameters
    ----------
    store : str or Path
        That `tfimpute-tracks impute` wrote.
    out_dir : str or Path
        Tracks that are there, of the same inputs, are kept.
    tf, cell : str, optional
        One pair.
    pairs : optional
        As for :meth:`tfimpute_tracks.Model.scan`.
    every : bool
        All pairs of the store.
    regions, chroms, min_contig, genes
        As for :func:`tfimpute_tracks.api.scan_files.scan_to_files`; by default all there
        is.
    formats, threshold, signal, bin_size, max_zooms
        As for :func:`tfimpute_tracks.api.scan_files.scan_to_files`.
    threads : int or "max"
    processes : bool
        Write many pairs in processes, which is sooner than in threads. They import the
        program's main module, so a script starts its work under
        ``if __name__ == "__main__":``.
    overwrite : bool
        Make tracks again that are there.
    progress : ProgressBar

    Returns
    -------
    list of PairResult
        The files of each pair.

    Raises
    ------
    UsageError, UnknownNameError, RegionError, InputFileError
        A value, name, region or file is wrong.
    OutputError, WriteError, ValidationError
        A file cannot be written, or does not read back as written.

    Examples
    --------
    >>> from tfimpute_tracks.api.exporting import export_tracks
    >>> done = export_tracks("store", "tracks", pairs=["CTCF:K562", "MAX:K562"])
    >>> [str(result.pair) for result in done]
    ['CTCF:K562', 'MAX:K562']
    """
    folder, dest = as_path(store, "store"), as_path(out_dir, "out_dir")
    known = optional_path(genes, "genes")
    check_texts(tf=tf, cell=cell)
    check_wholes(0, min_contig=min_contig)
    limit = check_threshold(threshold)
    track_options = choose_track_options(signal, bin_size, max_zooms, formats)
    if every and (tf or cell or pairs is not None):
        raise UsageError("use --all, or --tf and --cell, or --pairs, not both")
    opened = Store(folder)
    report_store_evidence(folder, opened.plan)
    chosen = opened.plan.pairs
    if not every:
        chosen = choose_pairs(opened.vocabulary, tf, cell, pairs)
    where: list[Region] | None = None
    if regions or chroms or min_contig:
        sizes = opened.plan.chrom_sizes
        places = replace_genes(written_regions(regions) or [], sizes, known, log)
        where = resolve_regions(places, chroms or [], sizes, log, min_contig)
        warn_outside(opened, where)
    with limit_threads(threads) as n_threads:
        job = ExportJob(
            *(opened, chosen, dest, track_options, where, limit, overwrite, n_threads),
            has_processes=processes and n_threads > 1 and len(chosen) >= _MANY,
        )
        if signal == "specificity" and (warning := check_specificity(opened, chosen)):
            log(warning, warning=True)
        results = []
        with progress("export", len(chosen), "pairs") as advance:
            for result in run_export(job):
                results.append(result)
                advance(1, str(result.pair))
    return results
