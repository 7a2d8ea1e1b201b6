"""`impute`: all missing pairs, or any, over whole genomes, into a bulk store."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, progress_bar, show_json
from tfimpute_tracks.errors import RunError, UsageError, listed

if TYPE_CHECKING:
    from tfimpute_tracks.impute import BulkJob
    from tfimpute_tracks.impute.estimate import Estimate
    from tfimpute_tracks.impute.events import Event
    from tfimpute_tracks.impute.status import Status

__all__ = ["impute"]

_MARGIN = 2.0  # log-odds
_LONG, _LARGE = 3600, 10e9  # seconds and bytes that nobody starts by mistake


def impute(
    missing: Annotated[
        bool, typer.Option("--missing", help="Every pair that was never measured.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Every pair, measured ones too.")
    ] = False,
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    fasta: options.Fasta = None,
    regions: options.Regions = None,
    chroms: options.Chroms = None,
    out_dir: options.OutDir = Path("store"),
    model: options.ModelName = "default",
    evidence: options.Evidence = None,
    stride: options.Stride = None,
    sparse: Annotated[
        bool, typer.Option("--sparse", help="Keep only tiles near or above peaks.")
    ] = False,
    margin: Annotated[
        float | None,
        typer.Option(
            help="With --sparse: log-odds below a pair's peak line that are kept. "
            "Default: 2."
        ),
    ] = None,
    engine: Annotated[
        Literal["local", "dask"],
        typer.Option(help="local: processes of this machine. dask: a Dask cluster."),
    ] = "local",
    scheduler: Annotated[
        str | None,
        typer.Option(help="With --engine dask: tcp://HOST:PORT. Default: start one."),
    ] = None,
    part: Annotated[
        str, typer.Option(help="Compute part i of n only: i/n, for job arrays.")
    ] = "1/1",
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes; with --scheduler, how many to reckon with. Default: one "
            "per thread, or per GPU.",
        ),
    ] = None,
    threads: options.Threads = "max",
    device: options.Device = "auto",
    precision: options.Precision = "exact",
    cache_dir: options.CacheDir = None,
    tiles_per_shard: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Tiles of a shard; a crash costs one per worker. Default: 16384.",
        ),
    ] = None,
    pairs_per_shard: Annotated[
        int, typer.Option(min=0, help="Pairs of a shard; 0 for all of them.")
    ] = 0,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Read what is there, remake what is damaged."),
    ] = False,
    overwrite: options.Overwrite = False,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Impute many pairs at once into a store that `export` and `query` read."""
    from tfimpute_tracks.commands import inputs
    from tfimpute_tracks.commands.context_report import warn_stride
    from tfimpute_tracks.commands.evidence_report import report_evidence
    from tfimpute_tracks.engines.engine import list_devices
    from tfimpute_tracks.impute import (
        BulkJob,
        Cluster,
        ShardSize,
        WorkerSpec,
        check_disk,
        check_store,
        estimate,
        make_plan,
        missing_shards,
        run_bulk,
    )
    from tfimpute_tracks.impute.plan import TILES_PER_SHARD
    from tfimpute_tracks.models import load_model

    if scheduler and engine != "dask":
        raise UsageError("--scheduler goes with --engine dask")
    loaded = load_model(model, evidence)
    chosen = inputs.choose_many_pairs(loaded, missing, every, (tf, cell, pairs))
    share = inputs.read_part(part)
    n_threads = inputs.set_threads(threads)
    devices = list_devices(device)
    n_workers = workers or (n_threads if devices == ["cpu"] else len(devices))
    places = [devices[i % len(devices)] for i in range(n_workers)]
    genome = inputs.choose_genome(fasta, loaded, cache_dir)
    where = inputs.choose_regions(genome, fasta, regions or [], chroms or [])
    step = stride or loaded.config.stride
    warn_stride(loaded.config, step)
    report_evidence(loaded, genome, chosen, where)
    plan = make_plan(
        loaded,
        chosen,
        where,
        genome,
        step,
        device=places[0],
        fast=precision == "fast",
        sparse=_kept_below(sparse, margin),
        shard_size=ShardSize(tiles_per_shard or TILES_PER_SHARD, pairs_per_shard),
        threads=n_threads,
    )
    spec = WorkerSpec(
        out_dir,
        model,
        fasta,
        cache_dir,
        places[0],
        max(1, n_threads // n_workers),
        evidence,
    )
    cluster = Cluster(scheduler, n_workers) if engine == "dask" else None
    job = BulkJob(plan, spec, places, share, overwrite, verify, cluster)
    check_store(out_dir, plan)
    todo = missing_shards(job)
    cost = estimate(loaded, plan, genome, todo.shards, out_dir, places)
    _tell_plan(job, cost)
    if dry_run:
        show_json(asdict(cost)) if as_json else print_result(
            "dry run: nothing was written"
        )
        return
    check_disk(cost, out_dir)
    _ask(cost, yes)
    total = plan.stride * sum(shard.n_scores for shard in todo.shards)
    with progress_bar("impute", total, "Mb x pairs", 1e6) as advance:
        result = run_bulk(job, _watch(advance, plan.stride), todo)
    _tell_end(job, asdict(result), as_json)


def _kept_below(sparse: bool, margin: float | None) -> float | None:
    if margin is not None and not sparse:
        raise UsageError("--margin goes with --sparse")
    return (_MARGIN if margin is None else margin) if sparse else None


def _tell_plan(job: BulkJob, cost: Estimate) -> None:
    plan = job.plan
    n_imputed = plan.status.count("imputed")
    form = f"sparse, margin {plan.margin:g}" if plan.is_sparse else "dense"
    where = "Dask" if job.cluster else ", ".join(dict.fromkeys(job.devices))
    log(
        f"{len(plan.tfs):,} pairs ({n_imputed:,} imputed), {cost.megabases:.2f} Mb "
        f"with sequence, tiles of {plan.seq_len} bp every {plan.stride} bp, "
        f"model {plan.model}"
    )
    log(
        f"{cost.n_shards:,} shards to make, {cost.n_reused:,} there already or of "
        f"other shares; a full one takes {cost.largest_shard[0]:.0f} s and "
        f"{cost.largest_shard[1] / 1e6:.0f} MB"
    )
    log(
        f"about {_duration(cost.seconds)} with {len(job.devices)} process(es) on "
        f"{where}, each {cost.rate:,.0f} Mb x pairs/s as measured just now"
    )
    log(
        f"{form}: about {cost.n_bytes / 1e9:.2f} GB on disk, "
        f"{cost.bytes_free / 1e9:.0f} GB free; {cost.memory / 1e9:.1f} GB of memory"
    )


def _ask(cost: Estimate, yes: bool) -> None:
    if yes or (cost.seconds < _LONG and cost.n_bytes < _LARGE):
        return
    what = f"{_duration(cost.seconds)} and {cost.n_bytes / 1e9:.0f} GB"
    if not sys.stdin.isatty():
        raise UsageError(f"this takes about {what}; give --yes to start it")
    typer.confirm(f"This takes about {what}. Start?", abort=True, err=True)


def _watch(
    advance: Callable[[int, str], None], stride: int
) -> Callable[[Event, Status], None]:
    from tfimpute_tracks.impute.events import Failed, Note

    told = 0

    def watch(event: Event, status: Status) -> None:
        nonlocal told
        note = f"{status.n_done} shards, {status.n_bytes / 1e9:.2f} GB"
        advance((status.n_scores - told) * stride, note)
        told = status.n_scores
        if isinstance(event, Failed):
            log(f"given up: {event.reason}", warning=True)
        elif isinstance(event, Note):
            log(event.text)

    return watch


def _tell_end(job: BulkJob, result: dict[str, Any], as_json: bool) -> None:
    n_planned = result["n_made"] + result["n_reused"] + len(result["failed"])
    failed = result["failed"]
    summary = (
        f"{result['n_made']:,} shards made, {result['n_reused']:,} kept, "
        f"{len(failed):,} failed, of {n_planned:,}; {result['n_bytes'] / 1e9:.3f} GB "
        f"written, {result['seconds']:.1f} s, {result['rate']:,.0f} Mb x pairs/s"
    )
    if as_json:
        show_json(result | {"store": str(job.spec.store)})
    else:
        print_result(summary)
        print_result(
            f"tracks: `tfimpute-tracks export {job.spec.store} --tf TF --cell CELL`"
        )
        print_result(str(job.spec.store))
    if failed:
        shown = listed((failed[i] for i in sorted(failed)), separator="; ")
        raise RunError(
            f"{len(failed):,} of {n_planned:,} shards failed: {shown}; all other shards "
            f"are in {job.spec.store}, whose status file lists the failed ones; run the "
            "same command again to retry them"
        )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
