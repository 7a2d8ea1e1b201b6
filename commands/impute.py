"""`impute`: all missing pairs, or any, over whole genomes, into a bulk store."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, progress_bar, show_json
from tfimpute_tracks.errors import RunError, UsageError, counted, listed

if TYPE_CHECKING:
    from tfimpute_tracks.genome import Region
    from tfimpute_tracks.impute import BulkJob
    from tfimpute_tracks.impute.estimate import Estimate
    from tfimpute_tracks.impute.events import Event
    from tfimpute_tracks.impute.run import BulkResult, Prepared
    from tfimpute_tracks.impute.status import Status
    from tfimpute_tracks.models import Model
    from tfimpute_tracks.vocabulary import Pair

__all__ = ["impute"]

_KEEP_BELOW = 2.0  # log-odds


def impute(
    missing: Annotated[
        bool, typer.Option("--missing", help="Impute all unmeasured pairs.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Impute all pairs, including measured ones.")
    ] = False,
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    cell_accessibility: options.CellAccessibility = None,
    cell_name: options.CellName = None,
    fasta: options.Fasta = None,
    assembly: options.Assembly = None,
    regions: options.Regions = None,
    chroms: options.Chroms = None,
    min_contig: options.MinContig = 0,
    genes: options.RegionGenes = None,
    out_dir: options.OutDir = Path("store"),
    model: options.ModelName = "default",
    evidence: options.Evidence = "auto",
    stride: options.Stride = None,
    sparse: Annotated[
        bool,
        typer.Option(
            "--sparse",
            help="Store only scores near or above the peak-calling threshold.",
        ),
    ] = False,
    keep_below: Annotated[
        float | None,
        typer.Option(
            "--keep-below-threshold",
            help="With --sparse: also store scores at most this many log-odds below "
            "the peak-calling threshold. Default: 2.",
        ),
    ] = None,
    engine: Annotated[
        Literal["local", "dask"],
        typer.Option(
            "--engine", help="local: processes on this machine. dask: a Dask cluster."
        ),
    ] = "local",
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler",
            help="With --engine dask: address of the scheduler, tcp://HOST:PORT. "
            "Default: start a local cluster.",
        ),
    ] = None,
    part: Annotated[
        str,
        typer.Option(
            "--part", help="Compute only part i of n, for job arrays, such as 1/8."
        ),
    ] = "1/1",
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            help="Number of processes; with --scheduler, for the estimate only. "
            "Default: one per thread, or per GPU; none for a run of seconds.",
        ),
    ] = None,
    threads: options.Threads = "max",
    device: options.Device = "auto",
    precision: options.Precision = "exact",
    cache_dir: options.CacheDir = None,
    tiles_per_shard: Annotated[
        int | None,
        typer.Option(
            "--tiles-per-shard",
            min=2,
            help="Tiles per shard. A crash loses one shard per worker. Default: 16384.",
        ),
    ] = None,
    pairs_per_shard: Annotated[
        int, typer.Option("--pairs-per-shard", min=0, help="Pairs per shard; 0: all.")
    ] = 0,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Check existing shards and recompute damaged ones."
        ),
    ] = False,
    overwrite: options.Overwrite = False,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Impute many pairs at once into a store that `export` and `query` read."""
    from tfimpute_tracks.api import inputs
    from tfimpute_tracks.api.evidence_choice import evidence_name
    from tfimpute_tracks.api.model import load_model
    from tfimpute_tracks.api.pair_choice import choose_many_pairs
    from tfimpute_tracks.api.threads import set_threads
    from tfimpute_tracks.commands.own_cell import add_cell
    from tfimpute_tracks.engines.engine import list_devices
    from tfimpute_tracks.impute import (
        BulkJob,
        Cluster,
        ShardSize,
        WorkerSpec,
        make_plan,
        prepare_bulk,
    )
    from tfimpute_tracks.impute.plan import TILES_PER_SHARD

    _check_options(out_dir, bool(scheduler), engine, keep_below is not None, sparse)
    model = add_cell(model, cell_accessibility, cell_name, fasta, evidence, cache_dir)
    opened = load_model(model, evidence)
    chosen = choose_many_pairs(
        opened.core, missing, every, (tf, cell or cell_name, pairs)
    )
    parts, n_threads = inputs.read_part(part), set_threads(threads)
    devices = list_devices(device)
    n_workers = workers or (n_threads if devices == ["cpu"] else len(devices))
    slots = [devices[i % len(devices)] for i in range(n_workers)]
    genome = inputs.choose_genome(fasta, opened.core, cache_dir, assembly)
    loaded = opened.on(genome)
    where = inputs.choose_regions(genome, fasta, regions, chroms, genes, min_contig)
    stride = stride or loaded.config.stride
    _report(loaded, chosen, where, stride)
    lowest = _KEEP_BELOW if keep_below is None else keep_below
    plan = make_plan(
        loaded,
        chosen,
        where,
        genome,
        stride,
        device=slots[0],
        fast=precision == "fast",
        keep_below=lowest if sparse else None,
        shard_size=ShardSize(tiles_per_shard or TILES_PER_SHARD, pairs_per_shard),
        threads=n_threads,
        assembly=assembly,
    )
    per_worker = max(1, n_threads // n_workers)
    used = evidence_name(loaded, model, evidence)
    spec = WorkerSpec(out_dir, model, fasta, cache_dir, slots[0], per_worker, used)
    cluster = Cluster(scheduler, n_workers) if engine == "dask" else None
    may_stay = workers is None  # who gives a number of processes gets them
    job = BulkJob(plan, spec, slots, parts, overwrite, verify, cluster, may_stay)
    prepared = prepare_bulk(job, loaded, genome)
    _log_plan(job, prepared.cost)
    if not dry_run:
        _run(job, prepared, yes, as_json)
    elif as_json:
        show_json(asdict(prepared.cost))
    else:
        print_result("dry run: nothing was written")


def _check_options(
    out_dir: Path, has_scheduler: bool, engine: str, has_keep_below: bool, sparse: bool
) -> None:
    """Refuse options that have no effect, and a folder, before the sequence is read."""
    from tfimpute_tracks.storage import check_store_dir

    check_store_dir(out_dir)
    if has_scheduler and engine != "dask":
        raise UsageError("--scheduler applies only with --engine dask")
    if has_keep_below and not sparse:
        raise UsageError("--keep-below-threshold applies only with --sparse")


def _report(
    model: Model, pairs: list[Pair], regions: list[Region], stride: int
) -> None:
    from tfimpute_tracks.api.context_report import warn_stride
    from tfimpute_tracks.api.evidence_choice import report_evidence

    warn_stride(model.config, stride)
    report_evidence(model, pairs, regions)


def _log_plan(job: BulkJob, cost: Estimate) -> None:
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


def _run(job: BulkJob, prepared: Prepared, yes: bool, as_json: bool) -> None:
    from tfimpute_tracks.impute import check_disk, run_bulk

    cost = prepared.cost
    check_disk(cost, job.spec.store)
    if cost.is_large() and not yes:
        what = f"{_duration(cost.seconds)} and {cost.n_bytes / 1e9:.0f} GB"
        if not sys.stdin.isatty():
            raise UsageError(f"this takes about {what}; use --yes to start it")
        typer.confirm(f"This takes about {what}. Start?", abort=True, err=True)
    stride = job.plan.stride
    total = stride * sum(shard.n_scores for shard in prepared.todo.shards)
    with progress_bar("impute", total, "Mb x pairs", 1e6) as advance:
        result = run_bulk(job, _watch(advance, stride), prepared)
    _show_result(job, result, as_json)


def _watch(
    advance: Callable[[int, str], None], stride: int
) -> Callable[[Event, Status], None]:
    from tfimpute_tracks.impute.events import Failed, Note

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


def _show_result(job: BulkJob, result: BulkResult, as_json: bool) -> None:
    store, failed = job.spec.store, result.failed
    n_planned = result.n_made + result.n_reused + len(failed)
    if as_json:
        show_json(asdict(result) | {"store": str(store)})
    else:
        print_result(
            f"{counted(result.n_made, 'shard')} made, {result.n_reused:,} kept, "
            f"{len(failed):,} failed, of {n_planned:,}; {result.n_bytes / 1e9:.3f} GB "
            f"written, {result.seconds:.1f} s, {result.rate:,.0f} Mb x pairs/s"
        )
        print_result(f"tracks: `tfimpute-tracks export {store} --tf TF --cell CELL`")
        print_result(str(store))
    if failed:
        shown = listed((failed[i] for i in sorted(failed)), separator="; ")
        raise RunError(
            f"{len(failed):,} of {n_planned:,} shards failed: {shown}; all other shards "
            f"are in {store}, whose status file lists the failed ones; run the same "
            "command again to retry them"
        )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
