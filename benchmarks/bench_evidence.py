"""What measured tracks cost: all pairs at a mean tile, and one pair along a region.

    python benchmarks/bench_evidence.py
    python benchmarks/bench_evidence.py EVIDENCE.h5 hg19.fa.gz chr20

Without files, the bundled region and its tracks. Seconds of one core, whatever else the
machine does; medians of turns, and their spread.
"""

from __future__ import annotations

import sys
from functools import partial
from statistics import median
from time import process_time

import numpy as np
import torch
from numba import njit
from timing import alternate, figure, print_result, ratios

from tfimpute_tracks.engines.evidence import PairEvidence
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.summary import PairSummary
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
from tfimpute_tracks.kernels.lanes import (
    add,
    aligned_empty,
    broadcast,
    multiply_add,
    store,
)
from tfimpute_tracks.kernels.pair_groups import group_pairs
from tfimpute_tracks.kernels.row_products import pack_rows
from tfimpute_tracks.kernels.summary import summarize
from tfimpute_tracks.models import Model, load_model
from tfimpute_tracks.tracks.scan import scan_blocks
from tfimpute_tracks.vocabulary import Pair

_TURNS = 7
_TILES = 512
_PAIR = "MAX:GM12891"


def _all_pairs(
    model: Model, genome: Sequences, place: Region, pairs: list[Pair], what: str
) -> None:
    """Say what a mean tile costs by tracks, relative to sequence only."""
    assert model.evidence is not None
    config, evidence, store = model.config, model.evidence, model.evidence.store
    conditioned = PairEvidence(evidence, model.vocabulary.pair_indices(pairs))
    centers = np.arange(
        place.start + config.seq_len // 2, place.end - config.seq_len, config.stride
    )
    windows = evidence.weights.config.windows
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
        clock=process_time,
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
    what = f"{what}, a mean tile with evidence relative to without"
    figure("evidence", what, ratios(both, times["sequence"]), asked="at most 1.3")


def _one_pair(models: dict[str, Model], genome: Sequences, place: Region) -> None:
    """Say what a scan of one pair costs with tracks, relative to one without."""

    def scan(model: Model) -> None:
        scorer = Scorer(model, [_PAIR])
        n_tiles = (place.end - place.start - model.config.seq_len) // scorer.stride
        tiles = TileRange(place.chrom, place.start, n_tiles)
        for _ in scan_blocks(scorer, genome, [tiles], 1):
            pass

    ways = {n: partial(scan, m) for n, m in models.items()}
    times = alternate(ways, 3, clock=process_time)
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


@njit(nogil=True)
def _multiply_adds(turns, out):  # type: ignore[no-untyped-def]
    """Multiply and add twelve sums that do not wait for each other."""
    x, y = broadcast(np.float32(0.999)), broadcast(np.float32(0.001))
    a = b = c = d = e = f = g = h = i = j = k = m = y
    for _ in range(turns):
        a, b, c = multiply_add(a, x, y), multiply_add(b, x, y), multiply_add(c, x, y)
        d, e, f = multiply_add(d, x, y), multiply_add(e, x, y), multiply_add(f, x, y)
        g, h, i = multiply_add(g, x, y), multiply_add(h, x, y), multiply_add(i, x, y)
        j, k, m = multiply_add(j, x, y), multiply_add(k, x, y), multiply_add(m, x, y)
    a, b, c = add(add(a, b), add(c, d)), add(add(e, f), add(g, h)), add(add(i, j), k)
    store(out, 0, add(add(a, b), add(c, m)))


def _summary(model: Model, place: Region, pairs: list[Pair]) -> None:
    """Say how many multiply-adds a summary takes, and what part of the peak they reach."""
    assert model.evidence is not None
    evidence, config = model.evidence, model.evidence.weights.config
    centers = np.arange(place.start + 1000, place.end - 1000, model.config.stride)
    cover = evidence.store.window_coverage(place.chrom, centers, config.windows)
    first = int(np.flatnonzero(np.diff(cover.indptr))[0])
    bias = evidence.weights.weights["summary.summary_bias"]
    constant = evidence.track_vectors[-1].sum(axis=0) + bias
    some = cover.rows(slice(first, first + _TILES))
    sums = summarize(some, evidence.packed_tracks, constant)
    tf, cell = np.array(model.vocabulary.pair_indices(pairs)).T
    summary = PairSummary(evidence, tf, cell, group_pairs(tf, cell))
    out = aligned_empty((16,), np.float32)
    times = alternate(
        {
            "peak": partial(_multiply_adds, 100_000, out),
            "summary": partial(summary.log_odds, sums),
        },
        _TURNS,
        clock=process_time,
    )
    size, n_factors = config.summary, config.summary_embedding + 1
    n_lanes = -(-len(model.vocabulary.cells) // 48) * 48
    n_tfs = -(-len(model.vocabulary.tfs) // 8) * 8
    filled = pack_rows(np.maximum(sums, 0)).counts.mean()
    each = n_factors * n_lanes * (filled + n_tfs)
    peak, reached = (
        n / median(times[name])
        for name, n in (("peak", 12 * 16 * 100_000), ("summary", each * len(sums)))
    )
    print_result(
        f"{'summary':>10}  {median(times['summary']) / len(sums) * 1e3:.4f} ms a tile with peaks "
        f"nearby: {each / 1e6:.1f} M multiply-adds, of {len(pairs) * size / 1e6:.1f} M pair by "
        f"pair; {filled:.0f} of {size} numbers are not zero; {reached / 1e9:.0f} G/s of at "
        f"most {peak / 1e9:.0f}"
    )


def main(arguments: list[str]) -> None:
    """Print the figures.

    Parameters
    ----------
    arguments : list of str
        None, or a store of evidence, a FASTA file and a chromosome.
    """
    torch.set_num_threads(1)
    store, place = open_shipped(), bundled_region()
    genome: Sequences = open_bundled()
    if arguments:
        evidence, fasta, chrom = arguments
        store, genome = open_named(evidence), open_genome(fasta)
        place = Region(chrom, 0, genome.chrom_sizes[chrom])
    # The deeper model takes minutes along a chromosome.
    for name in ("default",) if arguments else ("default", "deep"):
        print_result(name)
        models = {"sequence": load_model(name), "evidence": load_model(name, store)}
        _one_pair(models, genome, place)
        model = models["evidence"]
        assert model.evidence is not None
        pairs = model.vocabulary.all_pairs()
        missing = [pair for pair in pairs if pair not in model.evidence.pairs]
        for some, what in ((pairs, "pairs"), (missing, "pairs without tracks")):
            _all_pairs(model, genome, place, some, f"{len(some):,} {what}")
        _summary(model, place, pairs)


if __name__ == "__main__":
    main(sys.argv[1:])
