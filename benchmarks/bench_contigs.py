"""A genome of very many contigs, as assemblies of non-model species are."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from bench_scan import PAIR
from child import Child, run_child, tfimpute
from timing import Figure, figure, print_result

__all__ = ["contigs"]

_SIZE, _LINE = 300, 60  # bp of a contig, and of a line


def contigs(quick: bool) -> list[Figure]:
    """Time of `scan` of many contigs, relative to one of the same length.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    list of Figure
    """
    n, n_runs = (2_000, 1) if quick else (20_000, 7)
    bases = np.random.default_rng(0).choice(list("ACGT"), n * _SIZE)
    tf, cell = PAIR.split(":")
    walls, cpus, seconds = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("one.fa", "many.fa")]
        text = "".join(bases)
        lines = [text[i : i + _LINE] for i in range(0, len(text), _LINE)]
        files[0].write_text(">c\n" + "\n".join(lines) + "\n")
        for i in range(n):
            lines[i * _SIZE // _LINE] = f">c{i}\n{lines[i * _SIZE // _LINE]}"
        files[1].write_text("\n".join(lines) + "\n")

        def scan(file: Path, *options: object) -> Child:
            where = ("-g", file, "-o", f"{folder}/out", "--no-cache", "--overwrite")
            return run_child(
                tfimpute("scan", "--tf", tf, "--cell", cell, *where, *options)
            )

        for file in files:
            scan(file)  # compiles, and makes the index
        for _ in range(n_runs):
            one, many = (scan(file) for file in files)
            walls.append(many.seconds / one.seconds)
            one, many = (scan(file, "-p", 1) for file in files)
            cpus.append(many.cpu_seconds / one.cpu_seconds)
            seconds.append(many.cpu_seconds)
    print_result(f"{'':>10}  {n:,} contigs of {_SIZE} bp, whole commands")
    what = f"{n:,} contigs of {_SIZE} bp relative to one of the same length"
    return [
        figure(
            *("contigs", f"{what}, wall time", walls),
            unit="x",
            better="less",
            asked="at most 2",
        ),
        figure(
            *("contigs", f"{what}, CPU time of one thread", cpus),
            unit="x",
            better="less",
        ),
        figure("contigs", "CPU time of the many", seconds, unit="s", better="less"),
    ]
