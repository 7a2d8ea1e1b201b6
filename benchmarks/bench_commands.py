"""Whole commands as a user types them: seconds when cold, when warm, and of the CPU.

    python benchmarks/bench_commands.py
    python benchmarks/bench_commands.py --only "scan|^query" --runs 1 --fasta hg19.fa

Cold: no compiled kernel and no tile cache; warm: the median of later runs. `start` is a
Python that does nothing, and `--help` one that reads the options. The lines at the end are
ratios of the rates that `impute` reports, without its start, and of whole scans; a scan from
the cache finds the tiles of the cold one. The region
is the bundled one, 3 Mb; `export` reads the store that `impute` left.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pysam
from bench_variants import write_variants
from child import tfimpute
from timing import print_result

from tfimpute_tracks.genome import bundled_region, open_bundled
from tfimpute_tracks.models import load_model

_LOCUS = "chr20:48599512-48600512"
_PAIR = ("--tf", "CTCF", "--cell", "HepG2")
_VARIANTS = 200
_COLD_LIMIT = 60.0  # seconds: longer commands run once, warm


class _Run(NamedTuple):
    seconds: float
    cpu: float
    output: str


def _run(command: list[str], cache: Path) -> _Run:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache / "kernels")}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, check=False
    )
    taken = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[-300:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _Run(taken, cpu, done.stdout + done.stderr)


def _write_bgzip(path: Path) -> str:
    """Write the bundled sequence as a bgzipped FASTA; a region of 10 kb in it."""
    chrom, start, end = bundled_region()
    with open_bundled() as genome:
        codes = genome.codes(chrom, start, end)
    bases = np.frombuffer(b"ACGTN", dtype=np.uint8)[codes].tobytes().decode()
    plain = path.with_suffix("")
    lines = (bases[i : i + 60] for i in range(0, len(bases), 60))
    plain.write_text(">region\n" + "\n".join(lines) + "\n")
    pysam.tabix_compress(str(plain), str(path))
    return "region:1,400,001-1,410,000"


def _commands(folder: Path, hg19: str) -> dict[str, list[str]]:
    """Give the commands by what they are called in the table."""
    fasta, table = folder / "region.fa.gz", folder / "variants.tsv"
    locus = _write_bgzip(fasta)
    write_variants(table, _VARIANTS)
    chrom, start, _ = bundled_region()
    region = f"{chrom}:{start + 1}-{start + 1_000_000}"
    out = ("-o", folder / "out", "--overwrite")

    def impute(name: str, *more: object) -> list[str]:
        store = ("-o", folder / name, "--overwrite")
        return tfimpute("impute", "--all", "--yes", *store, *more)

    scan = ("scan", *_PAIR, *out, "--no-cache")
    on_chr20 = (*scan, "-g", hg19, "--chroms", "chr20")
    whole = (*on_chr20, "-e", "none")
    chr20 = {
        "scan, chr20": tfimpute(*whole),
        "scan, chr20, evidence": tfimpute(*on_chr20, "-e", "encode-hg19"),
        "scan, chr20, cached": tfimpute(
            *(part for part in whole if part != "--no-cache"),
            *("--cache-dir", folder / "tiles"),
        ),
        "scan, chr20, deep": tfimpute(*whole, "-m", "deep"),
    }
    pairs = [pair for pair in load_model().vocabulary.all_pairs() if pair.tf == "CTCF"]
    named = ";".join(map(str, pairs))
    score = ("variants", table, "--all", "--n-background", 0, "-o", folder / "out")
    return {
        "start": [sys.executable, "-c", "pass"],
        "--help": tfimpute("--help"),
        "scan --help": tfimpute("scan", "--help"),
        "info models": tfimpute("info", "models"),
        "query": tfimpute("query", _LOCUS, "--cell", "HepG2"),
        "scan, 10 kb of bgzip": tfimpute(*scan, "-g", fasta, "-r", locus),
        "scan": tfimpute(*scan),
        "scan, no evidence": tfimpute(*scan, "-e", "none"),
        "scan, deep": tfimpute(*scan, "-e", "none", "-m", "deep"),
        "scan, deep, fast": tfimpute(
            *scan, "-e", "none", "-m", "deep", "--precision", "fast"
        ),
        "impute, 1 Mb": impute("a", "-r", region),
        "impute": impute("b"),
        f"export, {len(pairs)} pairs": tfimpute(
            *("export", folder / "b", "--pairs", named, "--format", "bigwig", *out)
        ),
        "impute, no evidence": impute("c", "-e", "none"),
        "impute, deep, 1 Mb": impute("d", "-e", "none", "-m", "deep", "-r", region),
        "impute, default, 1 Mb": impute("e", "-e", "none", "-r", region),
        f"variants, {_VARIANTS}": tfimpute(*score),
        f"variants, {_VARIANTS}, deep": tfimpute(*score, "-m", "deep"),
        **(chr20 if hg19 else {}),
    }


def _rate(run: _Run) -> float:
    """Read Mb x pairs per second, as `impute` reports them."""
    found = re.search(r"([\d,]+) Mb x pairs/s\n", run.output.split(" written, ")[-1])
    return float(found.group(1).replace(",", "")) if found else float("nan")


def _report_ratios(runs: dict[str, list[_Run]]) -> None:
    for what, a, b in (
        ("impute: without evidence / with it", "impute, no evidence", "impute"),
        ("impute: default / deep", "impute, default, 1 Mb", "impute, deep, 1 Mb"),
    ):
        if a in runs and b in runs:
            rates = _rate(_middle(runs[a])), _rate(_middle(runs[b]))
            print_result(f"{what}, rates: {rates[0] / rates[1]:.2f}")
    for one, other in (
        ("scan, deep", "scan, no evidence"),
        ("scan, chr20, evidence", "scan, chr20"),
        ("scan, chr20, deep", "scan, chr20"),
        ("scan, chr20, cached", "scan, chr20"),
    ):
        if one in runs and other in runs:
            turns = zip(runs[one], runs[other], strict=False)
            ratio = statistics.median(a.seconds / b.seconds for a, b in turns)
            print_result(f"{one} / {other}, whole commands in turn: {ratio:.2f}")


def _middle(runs: list[_Run]) -> _Run:
    return sorted(runs, key=lambda run: run.seconds)[(len(runs) - 1) // 2]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="commands whose name matches this")
    parser.add_argument("--runs", type=int, default=3, help="warm runs of each")
    parser.add_argument("--fasta", default="", help="hg19, whose chr20 is scanned, too")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = {
            what: command
            for what, command in _commands(folder, asked.fasta).items()
            if re.search(asked.only, what)
        }
        cold = {
            what: _run(command, folder / what) for what, command in commands.items()
        }
        warm: dict[str, list[_Run]] = {what: [] for what in commands}
        for turn in range(asked.runs):
            for what, command in commands.items():
                if not turn or warm[what][0].seconds < _COLD_LIMIT:
                    warm[what].append(_run(command, folder / what))
    print_result(f"{'command':<24} {'cold, s':>8} {'warm, s':>8} {'CPU, s':>8}")
    for what, runs in warm.items():
        middle = _middle(runs)
        print_result(
            f"{what:<24} {cold[what].seconds:>8.2f} {middle.seconds:>8.2f} "
            f"{middle.cpu:>8.2f}"
        )
    _report_ratios(warm)


if __name__ == "__main__":
    main()
