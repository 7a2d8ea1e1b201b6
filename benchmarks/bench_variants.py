"""Variants per second, for one pair and for all; whether time is linear, memory flat.

    python benchmarks/bench_variants.py

Single letters of the stretch that ships, changed at random; all cores. A line tells the
rate of one run and the peak memory of the process so far: it must not grow with the
number of variants, which doubles from line to line.
"""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path

import numpy as np
from timing import say, seconds, thread_count

from tfimpute_tracks.commands.inputs import set_threads
from tfimpute_tracks.genome import bundled_region, open_bundled
from tfimpute_tracks.models import load_model
from tfimpute_tracks.variants.run import VariantJob, run_variants

_RUNS = {"one pair": (1000, 2000, 4000), "all pairs": (50, 100, 200)}
_LEAST = 0.5  # change of probability, of rows that are written


def _write_variants(path: Path, n: int) -> None:
    rng = np.random.default_rng(n)
    chrom, start, end = bundled_region()
    with open_bundled() as genome:
        codes = genome.codes(chrom, start, end)
    places = rng.choice(np.flatnonzero(codes < 4), n, replace=False)
    lines = ["chrom\tpos\tref\talt"]
    for place in np.sort(places).tolist():
        ref = int(codes[place])
        alt = "ACGT"[(ref + int(rng.integers(1, 4))) % 4]
        lines.append(f"{chrom}\t{start + place + 1}\t{'ACGT'[ref]}\t{alt}")
    path.write_text("\n".join([*lines, ""]))


def main() -> None:
    """Print the rates."""
    n_threads = set_threads(str(thread_count()))
    for name in ("default", "deep"):
        model = load_model(name)
        every = model.vocabulary.all_pairs()
        with tempfile.TemporaryDirectory() as folder, open_bundled() as genome:
            for what, numbers in _RUNS.items():
                pairs = every[:1] if what == "one pair" else every
                for n in (numbers[0] // 2, *numbers):  # the first compiles
                    path = Path(folder) / f"v{n}.tsv"
                    _write_variants(path, n)
                    job = VariantJob(
                        model, pairs, path, Path(folder), _LEAST, threads=n_threads
                    )

                    def work(job=job, genome=genome) -> None:
                        run_variants(job, genome, lambda _: None)

                    taken = seconds(work)
                    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
                    if n >= numbers[0]:
                        say(
                            f"{name:>8}, {what:<9}  {n:>5,} variants  "
                            f"{n / taken:8.1f} a second  {peak:,.0f} MB at most so far"
                        )


if __name__ == "__main__":
    main()
