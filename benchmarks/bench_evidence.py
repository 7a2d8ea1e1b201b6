"""What measured tracks cost: all pairs at a mean tile, and one pair along a region.

    python benchmarks/bench_evidence.py
    python benchmarks/bench_evidence.py EVIDENCE.h5 hg19.fa.gz chr20

Without files, the bundled region and its tracks. One core; medians of turns, and
their spread.
"""

from __future__ import annotations

import sys
from functools import partial
from statistics import median

import numpy as np
import torch
from timing import alternate, figure, print_result, ratios

from tfimpute_tracks.engines.evidence import PairEvidence
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import TileRange, read_codes
from tfimpute_tracks.evidence import open_named, open_shipped
from tfimpute_tracks.genome import (
    Region,
    Sequences,
    bundled_region,
    open_bundled,
    open_genome,
)
from tfimpute_tracks.kernels.coverage import Coverage
from tfimpute_tracks.models import Model, load_model
from tfimpute_tracks.tracks.scan import scan_blocks

_TURNS = 7
_TILES = 512
_PAIR = "MAX:GM12891"


def _all_pairs(model: Model, genome: Sequences, place: Region) -> None:
    """Say what a mean tile costs by tracks, relative to sequence only."""
    config, store = model.config, model.evidence.store
    pairs = [p for p in model.vocabulary.all_pairs() if p not in model.evidence.pairs]
    conditioned = PairEvidence(model.evidence, model.vocabulary.pair_indices(pairs))
    centers = np.arange(
        place.start + config.seq_len // 2, place.end - config.seq_len, config.stride
    )
    windows = model.evidence.weights.config.windows
    cover = store.window_coverage(place.chrom, centers, windows)
    n_peaks = np.diff(cover.indptr)
    is_busy = n_peaks > 0
    in_coverage, measured = np.ones(_TILES, dtype=bool), store.has_peaks(place.chrom)
    rng = np.random.default_rng(0)
    busy, quiet = (
        np.sort(rng.choice(np.flatnonzero(some), _TILES, replace=False))
        for some in (is_busy, ~is_busy)
    )
    print_result(
        f"{store.name}, {place}: {is_busy.mean():.1%} of {len(centers):,} tiles have a "
        f"peak nearby, {n_peaks[is_busy].mean():.1f} each"
    )
    logits = np.full((_TILES, len(pairs)), -3, dtype=np.float32)

    def apply_evidence(rows: np.ndarray) -> None:
        entries = [np.arange(cover.indptr[r], cover.indptr[r + 1]) for r in rows]
        chosen = np.concatenate(entries).astype(np.int64)
        indptr = np.concatenate([[0], np.cumsum([len(some) for some in entries])])
        some = Coverage(indptr, cover.track[chosen], cover.fraction[chosen])
        conditioned.apply_coverage(logits, in_coverage, some, measured)

    sequence_only = Scorer(model, pairs, use_evidence=False)
    tiles = TileRange(place.chrom, (place.start + place.end) // 2, _TILES)
    codes = read_codes(genome, tiles, sequence_only.grid)
    times = alternate(
        {
            "sequence": partial(sequence_only.score, codes, tiles),
            "busy": partial(apply_evidence, busy),
            "quiet": partial(apply_evidence, quiet),
        },
        _TURNS,
    )
    for name, taken in times.items():
        print_result(
            f"{name:>10}  {median(taken) / _TILES * 1e3:.4f} ms a tile, all these pairs"
        )
    share = is_busy.mean()
    both = [
        alone + share * with_peaks + (1 - share) * without
        for alone, with_peaks, without in zip(*times.values(), strict=True)
    ]
    what = f"{len(pairs):,} pairs without tracks, a mean tile with evidence relative to without"
    figure("evidence", what, ratios(both, times["sequence"]), asked="at most 1.3")


def _one_pair(models: dict[str, Model], genome: Sequences, place: Region) -> None:
    """Say what a scan of one pair costs with tracks, relative to one without."""

    def scan(model: Model) -> None:
        scorer = Scorer(model, [_PAIR])
        n_tiles = (place.end - place.start - model.config.seq_len) // scorer.stride
        tiles = TileRange(place.chrom, place.start, n_tiles)
        for _ in scan_blocks(scorer, genome, [tiles], 1):
            pass

    times = alternate({n: partial(scan, m) for n, m in models.items()}, 3)
    what = (
        f"one pair along {place.chrom}, scores only, with evidence relative to without"
    )
    figure(
        "evidence",
        what,
        ratios(times["evidence"], times["sequence"]),
        asked="at most 1.3",
        detail=f"{median(times['evidence']):.2f} s, {median(times['sequence']):.2f} s",
    )


def main(arguments: list[str]) -> None:
    """Print the figures.

    Parameters
    ----------
    arguments : list of str
        None, or a store of evidence, a FASTA file and a chromosome.
    """
    torch.set_num_threads(1)
    store, genome, place = open_shipped(), open_bundled(), bundled_region()
    if arguments:
        evidence, fasta, chrom = arguments
        store, genome = open_named(evidence), open_genome(fasta)
        place = Region(chrom, 0, genome.chrom_sizes[chrom])
    # The deeper model takes minutes along a chromosome.
    for name in ("default",) if arguments else ("default", "deep"):
        print_result(name)
        models = {"sequence": load_model(name), "evidence": load_model(name, store)}
        _one_pair(models, genome, place)
        _all_pairs(models["evidence"], genome, place)


if __name__ == "__main__":
    main(sys.argv[1:])
