"""`impute`: all missing pairs, or any, over whole genomes, into a bulk store."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, progress_bar, show_json
from tfimpute_tracks.errors import UsageError, counted

if TYPE_CHECKING:
    from tfimpute_tracks.api.bulk import Imputed

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
    from tfimpute_tracks.api.bulk import impute_pairs

    if keep_below is not None and not sparse:
        raise UsageError("--keep-below-threshold applies only with --sparse")
    lowest = _KEEP_BELOW if keep_below is None else keep_below
    done = impute_pairs(
        out_dir,
        missing=missing,
        every=every,
        tf=tf,
        cell=cell,
        pairs=pairs,
        cell_accessibility=cell_accessibility,
        cell_name=cell_name,
        fasta=fasta,
        assembly=assembly,
        regions=regions or None,
        chroms=chroms,
        min_contig=min_contig,
        genes=genes,
        model=model,
        evidence=evidence,
        stride=stride,
        keep_below=lowest if sparse else None,
        engine=engine,
        scheduler=scheduler,
        part=part,
        workers=workers,
        threads=threads,
        device=device,
        precision=precision,
        cache_dir=cache_dir,
        tiles_per_shard=tiles_per_shard,
        pairs_per_shard=pairs_per_shard,
        verify=verify,
        overwrite=overwrite,
        dry_run=dry_run,
        confirm=None if yes else _confirm,
        progress=progress_bar,
    )
    _show(done, as_json)


def _confirm(what: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(f"this takes about {what}; use --yes to start it")
    typer.confirm(f"This takes about {what}. Start?", abort=True, err=True)


def _show(done: Imputed, as_json: bool) -> None:
    store, result = done.store, done.result
    if result is None:
        if as_json:
            show_json(asdict(done.cost))
        else:
            print_result("dry run: nothing was written")
        return
    if as_json:
        show_json(asdict(result) | {"store": str(store)})
    else:
        n_failed = len(result.failed)
        n_planned = result.n_made + result.n_reused + n_failed
        print_result(
            f"{counted(result.n_made, 'shard')} made, {result.n_reused:,} kept, "
            f"{n_failed:,} failed, of {n_planned:,}; {result.n_bytes / 1e9:.3f} GB "
            f"written, {result.seconds:.1f} s, {result.rate:,.0f} Mb x pairs/s"
        )
        print_result(f"tracks: `tfimpute-tracks export {store} --tf TF --cell CELL`")
        print_result(str(store))
    done.check()
