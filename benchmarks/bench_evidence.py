"""What measured tracks cost: looking up what they cover, and going by it.

    python benchmarks/bench_evidence.py [EVIDENCE.h5]

Without a file, the tracks of the stretch that ships; weights are drawn at random, for
their values do not change the work. One core; medians, and the spread of five rounds.
"""

from __future__ import annotations

import sys
from functools import partial
from statistics import median

import numpy as np
import torch
from timing import say, seconds

from tfimpute_tracks.evidence import EvidenceStore, bundled_evidence, open_evidence
from tfimpute_tracks.genome import bundled_region, open_bundled
from tfimpute_tracks.models import Model, load_model
from tfimpute_tracks.models.cpu_engine import LookupEngine
from tfimpute_tracks.models.evidence import Evidence, PairEvidence
from tfimpute_tracks.models.evidence_network import EvidenceNetwork
from tfimpute_tracks.models.evidence_weights import EvidenceConfig, EvidenceWeights
from tfimpute_tracks.models.tile_grid import tile_grid

_ROUNDS = 5
_TILES = 512


def _drawn_weights(model: Model) -> EvidenceWeights:
    torch.manual_seed(0)
    config = EvidenceConfig()
    network = EvidenceNetwork(config, len(model.tfs), len(model.cells))
    arrays = {name: p.detach().numpy() for name, p in network.named_parameters()}
    digest = model.checkpoint.digest
    return EvidenceWeights(config, model.vocabulary, digest, arrays, "", {})


def _tell(what: str, work, per: float) -> float:
    work()
    each = [seconds(work) / per * 1e3 for _ in range(_ROUNDS)]
    say(f"{what:<52} {median(each):9.4f} ms ({min(each):.4f} to {max(each):.4f})")
    return median(each)


def main(store: EvidenceStore) -> None:
    """Print the figures.

    Parameters
    ----------
    store : EvidenceStore
    """
    torch.set_num_threads(1)
    model = load_model("default")
    stride, seq_len = model.config.stride, model.config.seq_len
    chrom, start, end = bundled_region()
    pairs = model.vocabulary.pair_indices(model.vocabulary.all_pairs())
    judge = PairEvidence(Evidence(_drawn_weights(model), store), pairs)
    centres = np.arange(start + seq_len // 2, end - seq_len, stride)
    cover = store.coverage(chrom, centres - 75, 150)
    n_peaks = np.diff(cover.indptr)
    busy, quiet = (
        np.flatnonzero(mask)[:_TILES] for mask in (n_peaks > 0, n_peaks == 0)
    )
    say(
        f"{store.name}, {chrom}: {(n_peaks > 0).mean():.1%} of {len(centres):,} tiles "
        f"have a peak, {n_peaks[busy].mean():.1f} of those timed"
    )
    look = partial(store.coverage, chrom, centres - 75, 150)
    _tell("1,000 tiles: what tracks cover", look, len(centres) / 1000)
    logits = np.full((_TILES, len(pairs)), -3, dtype=np.float32)
    cost = {}
    for name, rows in (("with", busy), ("without", quiet)):
        some = partial(judge.logits, logits[: len(rows)], chrom, centres[rows])
        cost[name] = _tell(
            f"a tile {name} peaks, all {len(pairs):,} pairs", some, len(rows)
        )
    share = (n_peaks > 0).mean()
    added = share * cost["with"] + (1 - share) * cost["without"]
    engine = LookupEngine(
        model, model.vocabulary.all_pairs(), tile_grid(model.config, stride)
    )
    with open_bundled() as genome:
        codes = genome.codes(chrom, start, start + (_TILES - 1) * stride + seq_len)
    letters = _tell(
        "a tile by letters, all pairs", partial(engine.logits, codes, _TILES), _TILES
    )
    say(f"a mean tile: {added:.4f} ms more, {1 + added / letters:.2f} times letters")


if __name__ == "__main__":
    main(open_evidence(sys.argv[1]) if sys.argv[1:] else bundled_evidence())
