"""Figures of speed and size, as ratios of medians measured in turn in one run.

kernel      the look-up kernel against convolutions, a bfloat16 product, and its bound
tangermeme  FASTA to tracks against the same weights driven by tangermeme
selene      the same against Selene's predictor of windows, or the usual one
chromosome  the rate of a whole command
motif       the whole network against the scan of one motif
pairs       what more pairs cost in one scan
writing     what the files cost next to the scores
size        what a bigWig takes, rounded and not, and whether rounding can be seen
cache       another pair from the tile cache on disk
memory      peak memory of scans of short and long chromosomes
contigs     very many short contigs, against one of the same length
bulk        every pair at once, against one by one and against the bare products
store       what a bulk store takes on disk, what sparse ones lose, how soon it is read
dask        a bulk run by a Dask cluster, against processes of our own
browse      views of the browser page
hub         the text of a hub of all pairs

A run of all of them at full size also writes the page of the documentation.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from timing import Figure, Unavailable, print_result, thread_count

# Before anything starts its threads: both sides get the same number.
os.environ.setdefault("OMP_NUM_THREADS", str(thread_count()))

import bench_bulk
import bench_contigs
import bench_kernel
import bench_process
import bench_scan
import bench_size
import bench_viewers
import torch
from page import METRICS, read_figures, write_figures, write_page

from tfimpute_tracks.models import load_model

BENCHMARKS: dict[str, Callable[[bool], list[Figure]]] = {
    "kernel": bench_kernel.kernel,
    "tangermeme": bench_scan.tangermeme,
    "selene": bench_scan.selene,
    "chromosome": bench_scan.chromosome,
    "motif": bench_scan.motif,
    "pairs": bench_scan.pairs,
    "writing": bench_process.writing,
    "size": bench_size.size,
    "cache": bench_process.cache,
    "memory": bench_process.memory,
    "contigs": bench_contigs.contigs,
    "bulk": bench_bulk.bulk,
    "store": bench_bulk.store,
    "dask": bench_bulk.dask,
    "browse": bench_viewers.browse,
    "hub": bench_viewers.hub,
}


def _machine() -> str:
    """Say what the figures were measured on, in one line."""
    name = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        models = [line for line in lines if line.startswith("model name")]
        name = models[0].partition(":")[2].strip() if models else name
    config = load_model("default").config
    return (
        f"{name}, {thread_count()} threads, Python {platform.python_version()}, "
        f"torch {torch.__version__}; default weights: {config.n_filters} filters of "
        f"{config.filter_length} bases, tiles of {config.seq_len} bp every "
        f"{config.pool} bp."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"what to run, of {', '.join(BENCHMARKS)}; default: all",
    )
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, to see that all of it runs"
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="keep the figures there; those of other benchmarks in it stay. A full run "
        "of all keeps them in docs/benchmarks/figures.json",
    )
    parser.add_argument(
        "--page",
        action="store_true",
        help="run nothing; make the table and the plot of docs/benchmarks.md from the "
        "figures in --json FILE, or those of the last full run",
    )
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"unknown benchmark {unknown[0]}; give of {', '.join(BENCHMARKS)}")
    return arguments


def main() -> int:
    """Run what was asked for.

    Returns
    -------
    int
        0, or 1 where a benchmark failed.
    """
    arguments = _arguments()
    if arguments.page:
        write_page(arguments.json or METRICS)
        return 0
    torch.set_num_threads(thread_count())
    names = arguments.names or list(BENCHMARKS)
    whole_run = not arguments.names and not arguments.quick
    target = arguments.json or (METRICS if whole_run else None)
    machine = _machine() + (" A quick run, small sizes." if arguments.quick else "")
    print_result(machine)
    kept: dict[str, list[Figure]] = {name: [] for name in BENCHMARKS}
    if arguments.names and target and target.exists():
        for made in read_figures(target)[1]:
            kept[made.group].append(made)
    failed = 0
    for name in names:
        try:
            kept[name] = BENCHMARKS[name](arguments.quick)
        except Unavailable as error:
            print_result(f"{name:>10}  left out: {error}")
        except RuntimeError as error:  # a command failed: the others may still run
            print_result(f"{name:>10}  FAILED: {error}")
            failed = 1
        if target:  # after each, so that a run cut short has not run for nothing
            figures = [made for group in kept.values() for made in group]
            write_figures(target, machine, figures)
    if whole_run and target and not failed:
        write_page(target)
    return failed


if __name__ == "__main__":
    sys.exit(main())
