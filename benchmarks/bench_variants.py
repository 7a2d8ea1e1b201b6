"""Variants per second, by model and pairs; whether time is linear, memory flat.

    python benchmarks/bench_variants.py
    python benchmarks/bench_variants.py --stride 10
    python benchmarks/bench_variants.py --long 1000000
    python benchmarks/bench_variants.py --agreement

Single bases of the bundled region, changed at random; all cores; without a
background, which costs what as many variants cost. A line reports the rate of one run and
the peak memory of the process so far: it must not grow with the number of variants,
which doubles from line to line. `--long` runs `default` with one pair, background and
annotated VCF included, over so many. `--agreement` reports how far changes with tiles
some bp apart are those with a tile at every bp: the rank correlation of the changes of
log-odds over variants, of the median pair, and over pairs, of the median variant.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from contextlib import nullcontext
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr
from timing import print_result, seconds, thread_count

from tfimpute_tracks.api.threads import set_threads
from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Sequences, bundled_region, open_bundled
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.variants.alleles import STRIDE, AlleleScorer
from tfimpute_tracks.variants.background import log_odds_change
from tfimpute_tracks.variants.job import BackgroundOptions, VariantJob
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.variants.records import Source, open_variants
from tfimpute_tracks.variants.run import run_variants
from tfimpute_tracks.variants.tables import Layout
from tfimpute_tracks.vocabulary import Pair

# Variants of the shortest run.
_RUNS = {
    "default": {"one pair": 2000, "HepG2": 1000, "all pairs": 100},
    "deep": {"one pair": 200, "HepG2": 200, "all pairs": 20},
}
_LEAST = 0.05  # change of probability, of rows that are written
_BACKGROUND = 1000
_STRIDES, _COMPARED = (5, 10, 15, 30), 300


def write_variants(path: Path, n: int) -> None:
    """Write single bases of the bundled region, changed at random, always the same.

    Parameters
    ----------
    path : Path
        A `.vcf`, or a table.
    n : int
    """
    rng = np.random.default_rng(n)
    chrom, start, end = bundled_region()
    with open_bundled() as genome:
        codes = genome.codes(chrom, start, end)
    places = rng.choice(np.flatnonzero(codes < 4), n, replace=False)
    is_vcf = path.suffix == ".vcf"
    lines = ["chrom\tpos\tref\talt"]
    if is_vcf:
        names = "CHROM POS ID REF ALT QUAL FILTER INFO".replace(" ", "\t")
        lines = ["##fileformat=VCFv4.2", f"##contig=<ID={chrom}>", f"#{names}"]
    for place in np.sort(places).tolist():
        ref = int(codes[place])
        alt = "ACGT"[(ref + int(rng.integers(1, 4))) % 4]
        row = [chrom, str(start + place + 1), "ACGT"[ref], alt]
        if is_vcf:
            row[2:2] = ["."]
            row += ["."] * 3
        lines.append("\t".join(row))
    path.write_text("\n".join([*lines, ""]))


def _pairs(model: Model, what: str) -> list[Pair]:
    every = model.vocabulary.all_pairs()
    if what == "one pair":
        return every[:1]
    return [pair for pair in every if what in ("all pairs", pair.cell)]


def _report(what: str, n: int, taken: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print_result(
        f"{what:<21} {n:>9,} variants  {n / taken:8.1f} a second  {peak:6,.0f} MB at "
        "most so far"
    )


def _agreement(name: str, genome: Sequences, path: Path) -> None:
    model = load_model(name)
    write_variants(path, _COMPARED)
    with open_variants(Source.of(path)) as (records, _):
        variants = [
            Variant(line.chrom, int(line.pos) - 1, line.ref, line.alts[0])
            for line in records
        ]
    changes = {}
    for stride in (1, *_STRIDES):
        scorer = AlleleScorer(model, _pairs(model, "HepG2"), stride)
        curves = []
        for i in range(0, len(variants), scorer.batch_size):
            for one in scorer.scores(genome, variants[i : i + scorer.batch_size]):
                if isinstance(one, RegionError):
                    raise one
                curves.append(one)
        changes[stride] = np.array([log_odds_change(*one.best()) for one in curves])
    for stride in _STRIDES:
        over = [
            np.nanmedian(
                [
                    spearmanr(one, other).statistic
                    for one, other in zip(a, b, strict=True)
                    if np.ptp(other) > 0
                ]
            )
            for a, b in (
                (changes[1].T, changes[stride].T),
                (changes[1], changes[stride]),
            )
        ]
        print_result(f"{name}, tiles every {stride:>2} bp: {over[0]:.2f} {over[1]:.2f}")


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stride", type=int, default=STRIDE, help="bp between tiles")
    parser.add_argument("--long", type=int, default=0, help="variants of one long run")
    parser.add_argument("--agreement", action="store_true", help="of steps")
    asked = parser.parse_args()
    n_threads = set_threads(str(thread_count()))
    with tempfile.TemporaryDirectory() as folder, open_bundled() as genome:

        def measure(name: str, what: str, path: Path, n_background: int = 0) -> float:
            model = load_model(name)
            job = VariantJob(
                model,
                _pairs(model, what),
                Source.of(path),
                Path(folder),
                Layout("tsv", False, _LEAST),
                BackgroundOptions(n_background),
                threads=n_threads,
                stride=asked.stride,
            )
            return seconds(
                lambda: run_variants(
                    job, genome, lambda *_: nullcontext(lambda _: None)
                )
            )

        if asked.agreement:
            for name in _RUNS:
                _agreement(name, genome, Path(folder) / "v.tsv")
            return
        if asked.long:
            path = Path(folder) / "long.vcf"
            write_variants(path, asked.long)
            taken = measure("default", "one pair", path, _BACKGROUND)
            _report("default, one pair", asked.long, taken)
            return
        for name, runs in _RUNS.items():
            for what, least in runs.items():
                for n in (least // 2, least, 2 * least, 4 * least):
                    path = Path(folder) / f"v{n}.tsv"
                    write_variants(path, n)
                    taken = measure(name, what, path)
                    if n >= least:  # the first run compiles
                        _report(f"{name}, {what}", n, taken)


if __name__ == "__main__":
    main()
