"""Many pairs over whole genomes, into a bulk store: inputs, and one call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from tfimpute_tracks.api.context_report import warn_stride
from tfimpute_tracks.api.evidence_choice import (
    check_evidence,
    evidence_name,
    report_evidence,
)
from tfimpute_tracks.api.inputs import (
    Regions,
    choose_genome,
    choose_regions,
    read_part,
    written_regions,
)
from tfimpute_tracks.api.loaded import LoadedModel
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.own_cell import add_cell
from tfimpute_tracks.api.pair_choice import Pairs, choose_many_pairs
from tfimpute_tracks.api.progress import Advance, ProgressBar, no_progress
from tfimpute_tracks.api.threads import count_threads, limit_threads
from tfimpute_tracks.api.values import (
    as_path,
    check_choice,
    check_model,
    check_number,
    check_text,
    check_texts,
    check_wholes,
    optional_path,
)
from tfimpute_tracks.engines.engine import list_devices
from tfimpute_tracks.errors import RunError, UsageError, counted, listed
from tfimpute_tracks.impute import (
    BulkJob,
    Cluster,
    ShardSize,
    WorkerSpec,
    check_disk,
    make_plan,
    prepare_bulk,
    run_bulk,
)
from tfimpute_tracks.impute.estimate import Estimate
from tfimpute_tracks.impute.events import Event, Failed, Note
from tfimpute_tracks.impute.plan import TILES_PER_SHARD
from tfimpute_tracks.impute.run import BulkResult, Prepared
from tfimpute_tracks.impute.status import Status
from tfimpute_tracks.storage import check_store_dir

__all__ = ["Imputed", "impute_pairs"]


class Imputed(NamedTuple):
    """A bulk run.

    Attributes
    ----------
    store : Path
        For :func:`tfimpute_tracks.open_store`.
    cost : Estimate
        Time, disk and memory, as expected before the run.
    result : BulkResult, optional
        None after a dry run.
    """

    store: Path
    cost: Estimate
    result: BulkResult | None

    def check(self) -> None:
        """Refuse a store with shards that failed.

        Raises
        ------
        RunError
            With the reasons; the same call makes the missing ones.
        """
        done = self.result
        if done is None or not done.failed:
            return
        shown = listed((done.failed[i] for i in sorted(done.failed)), separator="; ")
        n_planned = done.n_made + done.n_reused + len(done.failed)
        raise RunError(
            f"{len(done.failed):,} of {n_planned:,} shards failed: {shown}; all other shards "
            f"are in {self.store}, whose status file lists the failed ones; run the same "
            "command again to retry them"
        )


def impute_pairs(
    out_dir: str | Path,
    *,
    missing: bool = False,
    every: bool = False,
    tf: str | None = None,
    cell: str | None = None,
    pairs: Pairs | None = None,
    cell_accessibility: str | Path | None = None,
    cell_name: str | None = None,
    fasta: str | Path | None = None,
    assembly: str | None = None,
    regions: Regions | None = None,
    chroms: list[str] | None = None,
    min_contig: int = 0,
    genes: str | Path | None = None,
    model: str | Path = "default",
    evidence: str | Path = "auto",
    stride: int | None = None,
    keep_below: float | None = None,
    engine: Literal["local", "dask"] = "local",
    scheduler: str | None = None,
    part: str = "1/1",
    workers: int | None = None,
    threads: int | str = "max",
    device: str = "auto",
    precision: Literal["exact", "fast"] = "exact",
    cache_dir: str | Path | None = None,
    tiles_per_shard: int | None = None,
    pairs_per_shard: int = 0,
    verify: bool = False,
    overwrite: bool = False,
    dry_run: bool = False,
    confirm: Callable[[str], None] | None = None,
    progress: ProgressBar = no_progress,
) -> Imputed:
    """Impute many pairs at once into a store.

    More than a few seconds of work run in processes of their own: a script calls this
    below ``if __name__ == "__main__":``.

    Parameters
    ----------
    out_dir : str or Path
        The store; one that is there is completed.
    missing, every : bool
        All unmeasured pairs, or all pairs.
    tf, cell : str, optional
        One pair; one of the two alone means all its pairs, with `missing` the unmeasured
        ones.
    pairs : optional
        As for :meth:`tfimpute_tracks.Model.scan`.
    cell_accessibility, cell_name : optional
        Peaks of a cell type that the model does not know, and its name.
    fasta : str or Path, optional
        None: the bundled example region.
    assembly : str, optional
        Its name; by default recognized by its chromosomes.
    regions : optional
        As for :meth:`tfimpute_tracks.Model.scan`.
    chroms : list of str, optional
        Names or patterns of whole chromosomes.
    min_contig : int
        Shorter contigs that are not named are left out, in bp.
    genes : str or Path, optional
        GTF, GFF3 or BED of the genes that `regions` may name.
    model : str or Path
    evidence : str or Path
        `auto`, `none`, or a file.
    stride : int, optional
        bp between tile starts.
    keep_below : float, optional
        Store only scores down to so many log-odds below the peak-calling threshold.
    engine : {"local", "dask"}
    scheduler : str, optional
        Address of a Dask cluster; by default one on this machine is started.
    part : str
        `i/n`: only that part of the run.
    workers : int, optional
        Number of processes.
    threads : int or "max"
    device : str
        `auto`, `cpu` or `cuda`.
    precision : {"exact", "fast"}
    cache_dir : str or Path, optional
    tiles_per_shard, pairs_per_shard : int, optional
        Sizes of a shard; 0 pairs stand for all.
    verify : bool
        Check existing shards, and make damaged ones again.
    overwrite : bool
        Replace a store of another run.
    dry_run : bool
        Only estimate.
    confirm : callable, optional
        Receives what a run of more than an hour or 10 GB takes, before it starts; it
        raises to prevent it.
    progress : ProgressBar

    Returns
    -------
    Imputed
        Shards that failed are in its result, and :meth:`Imputed.check` raises for them.

    Raises
    ------
    UsageError, UnknownNameError, RegionError, InputFileError
        A value, name, region or file is wrong, or the store is of another run.
    OutputError, WriteError, DeviceError
        The store cannot be written, or there is no such device.

    Examples
    --------
    >>> from tfimpute_tracks import open_store
    >>> from tfimpute_tracks.api.bulk import impute_pairs
    >>> region = "chr20:48,590,001-48,600,000"
    >>> done = impute_pairs("some-pairs", cell="K562", regions=region)
    >>> done.check()
    >>> open_store(done.store)
    Store('some-pairs', 165 pairs, 101 positions)
    """
    store, fasta = as_path(out_dir, "out_dir"), optional_path(fasta, "fasta")
    cache_dir = optional_path(cache_dir, "cache_dir")
    known = optional_path(genes, "genes")
    peaks = optional_path(cell_accessibility, "cell_accessibility")
    check_model(model)
    check_evidence(evidence)
    check_texts(tf=tf, cell=cell, cell_name=cell_name, assembly=assembly, part=part)
    check_text(device, "device")
    check_choice(precision, "precision", ("exact", "fast"))
    check_wholes(0, min_contig=min_contig, pairs_per_shard=pairs_per_shard)
    check_wholes(1, stride=stride, workers=workers)
    check_wholes(2, tiles_per_shard=tiles_per_shard)
    given: object = keep_below  # whatever a caller without a type checker passes
    if not isinstance(given, int | float | None):
        check_number(given, "keep_below")
    check_store_dir(store)
    _check_engine(engine, scheduler)
    source = add_cell(model, peaks, cell_name, fasta, evidence, cache_dir)
    opened = LoadedModel(source, evidence)
    chosen = choose_many_pairs(
        opened.core, missing, every, (tf, cell or cell_name, pairs)
    )
    parts = read_part(part)
    with limit_threads(threads) as n_threads:
        slots = _slots(device, workers, n_threads)
        genome = choose_genome(fasta, opened.core, cache_dir, assembly)
        loaded = opened.on(genome)
        written = written_regions(regions)
        where = choose_regions(genome, fasta, written, chroms, known, min_contig)
        stride = stride or loaded.config.stride
        warn_stride(loaded.config, stride)
        report_evidence(loaded, chosen, where)
        plan = make_plan(
            *(loaded, chosen, where, genome, stride),
            device=slots[0],
            fast=precision == "fast",
            keep_below=keep_below,
            shard_size=ShardSize(tiles_per_shard or TILES_PER_SHARD, pairs_per_shard),
            threads=n_threads,
            assembly=assembly,
        )
        per_worker = max(1, n_threads // len(slots))
        used = evidence_name(loaded, source, evidence)
        spec = WorkerSpec(
            *(store, str(source), fasta, cache_dir, slots[0], per_worker, used)
        )
        cluster = Cluster(scheduler, len(slots)) if engine == "dask" else None
        may_stay = workers is None  # who gives a number of processes gets them
        job = BulkJob(plan, spec, slots, parts, overwrite, verify, cluster, may_stay)
        prepared = prepare_bulk(job, loaded, genome)
        _log_plan(job, prepared.cost)
        result = None if dry_run else _run(job, prepared, confirm, progress)
        return Imputed(store, prepared.cost, result)


def _check_engine(engine: str, scheduler: str | None) -> None:
    check_choice(engine, "engine", ("local", "dask"))
    check_text(scheduler, "scheduler")
    if scheduler and engine != "dask":
        raise UsageError("--scheduler applies only with --engine dask")


def _slots(device: str, workers: int | None, n_threads: int) -> list[str]:
    """List the device of each process."""
    devices = list_devices(device)
    n_cpus = count_threads("max")
    if workers and workers > n_cpus:
        seen = counted(n_cpus, "CPU")
        log(f"{workers} processes share {seen}; each takes memory", warning=True)
    n_workers = workers or (n_threads if devices == ["cpu"] else len(devices))
    return [devices[i % len(devices)] for i in range(n_workers)]


def _log_plan(job: BulkJob, cost: Estimate) -> None:
    if not cost.n_shards:
        log("nothing to compute: all shards are there, or belong to other parts")
        return
    plan = job.plan
    n_imputed = plan.status.count("imputed")
    form = "dense"
    if plan.is_sparse:
        form = f"sparse, down to {plan.keep_below:g} log-odds below the threshold"
    where = "Dask" if job.cluster else ", ".join(dict.fromkeys(job.devices))
    log(
        f"{counted(len(plan.tfs), 'pair')} ({n_imputed:,} imputed), "
        f"{cost.megabases:.2f} Mb with sequence, tiles of {plan.seq_len} bp every "
        f"{plan.stride} bp, model {plan.model}"
    )
    log(
        f"{counted(cost.n_shards, 'shard')} to make, {cost.n_reused:,} exist or belong "
        f"to other parts; a full one takes {cost.largest_shard[0]:.0f} s and "
        f"{cost.largest_shard[1] / 1e6:.0f} MB"
    )
    log(
        f"about {_duration(cost.seconds)} with "
        f"{counted(len(job.devices), 'process', 'processes')} on {where}, "
        f"at {cost.rate:,.0f} Mb x pairs/s each, measured on a sample"
    )
    log(
        f"{form}: about {cost.n_bytes / 1e9:.2f} GB on disk, "
        f"{cost.bytes_free / 1e9:.0f} GB free; {cost.memory / 1e9:.1f} GB of memory"
    )


def _run(
    job: BulkJob,
    prepared: Prepared,
    confirm: Callable[[str], None] | None,
    progress: ProgressBar,
) -> BulkResult:
    cost = prepared.cost
    check_disk(cost, job.spec.store)
    if cost.is_large() and confirm is not None:
        confirm(f"{_duration(cost.seconds)} and {cost.n_bytes / 1e9:.0f} GB")
    stride = job.plan.stride
    total = stride * sum(shard.n_scores for shard in prepared.todo.shards)
    with progress("impute", total, "Mb x pairs", 1e6) as advance:
        return run_bulk(job, _watch(advance, stride), prepared)


def _watch(advance: Advance, stride: int) -> Callable[[Event, Status], None]:
    n_shown = 0

    def watch(event: Event, status: Status) -> None:
        nonlocal n_shown
        note = f"{status.n_done} shards, {status.n_bytes / 1e9:.2f} GB"
        advance((status.n_scores - n_shown) * stride, note)
        n_shown = status.n_scores
        if isinstance(event, Failed):
            log(f"failed: {event.reason}", warning=True)
        elif isinstance(event, Note):
            log(event.text)

    return watch


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
