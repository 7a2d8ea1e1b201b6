"""Which TFs bind here? How well each mode ranks the measured TFs of a cell line at a site.

A biologist asks this of one locus. Sites of chr20 at which 3 to 30 of the cell line's
measured TFs are bound are drawn, and the TFs of each are ranked by the score of a pair:
by the network's own score, by probability from sequence, and by probability from
sequence and evidence. A pair's own tracks are never used for it, so every answer is as
if that pair had not been measured. Printed: means over the sites of AUROC and average
precision within a site, and both for the locus of ``--region``.

    python benchmarks/locus.py --data data.h5
    python benchmarks/locus.py --data data.h5 --model deep --cell K562
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.metrics import average_precision_score, roc_auc_score

from tfimpute_tracks.commands.console import print_result
from tfimpute_tracks.dataset import Dataset, open_dataset, split_by_chromosome
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.sites import chrom_sites
from tfimpute_tracks.engines.tiles import plan_tiles, read_codes
from tfimpute_tracks.genome import Region, open_bundled, parse_region
from tfimpute_tracks.models import Model, load_model
from tfimpute_tracks.vocabulary import Pair

_BOUND = 3, 30  # TFs bound at a site

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Labels = NDArray[np.int8]


class _Mode(NamedTuple):
    """A way to score pairs."""

    name: str
    model: Model
    calibrated: bool

    def at_sites(self, dataset: Dataset, rows: Ints, pairs: list[Pair]) -> Floats:
        """Score sites of a data set, float32 (n_sites, n_pairs)."""
        scorer = Scorer(self.model, pairs, calibrated=self.calibrated)
        parts = chrom_sites(dataset, rows)
        scores: Floats = expit(scorer.score_sites(dataset.codes[rows], parts))
        return scores

    def in_region(self, region: Region, pairs: list[Pair]) -> Floats:
        """Find the highest score of each pair in a region, float32 (n_pairs,)."""
        genome = open_bundled()
        scorer = Scorer(self.model, pairs, calibrated=self.calibrated)
        sizes = scorer.grid.seq_len, scorer.stride
        (tiles,) = plan_tiles([region], dict(genome.chrom_sizes), *sizes)
        logits = scorer.score(read_codes(genome, tiles, scorer.grid), tiles)
        highest: Floats = expit(logits).max(axis=0)
        return highest


def main() -> None:
    """Print a table of the modes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="default")
    parser.add_argument("--evidence", default="encode-hg19")
    parser.add_argument("--cell", default="HepG2")
    parser.add_argument("--region", default="chr20:48,599,512-48,600,512")
    parser.add_argument("--n-sites", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    dataset = open_dataset(asked.data)
    sequence = load_model(asked.model)
    modes = [
        _Mode("score, sequence", sequence, False),
        _Mode("probability, sequence", sequence, True),
        _Mode("probability, evidence", load_model(asked.model, asked.evidence), True),
    ]
    columns = [i for i, pair in enumerate(dataset.pairs) if pair.cell == asked.cell]
    pairs = [dataset.pairs[i] for i in columns]
    test = split_by_chromosome(dataset).test
    labels = dataset.labels(test, np.array(columns))
    chosen = _choose(labels, asked.n_sites, asked.seed)
    region = parse_region(asked.region, dict(open_bundled().chrom_sizes))
    bound = _bound_in(modes[-1].model, region, pairs)
    print_result(
        f"{asked.model}: {len(pairs)} TFs measured in {asked.cell}; {len(chosen)} sites "
        f"of chr20 with {_BOUND[0]} to {_BOUND[1]} of them bound; {region}: "
        f"{bound.sum()} have a peak"
    )
    rows = {}
    for mode in modes:
        scores = mode.at_sites(dataset, test[chosen], pairs)
        within = [_metrics(*x) for x in zip(labels[chosen], scores, strict=True)]
        here = _metrics(bound.astype(np.int8), mode.in_region(region, pairs))
        rows[mode.name] = [*np.nanmean(within, axis=0), *here]
    names = [
        f"{where} {name}" for where in ("sites", "locus") for name in ("AUROC", "AP")
    ]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=names)
    print_result(table.to_string(float_format="{:.3f}".format))


def _choose(labels: Labels, n_sites: int, seed: int) -> Ints:
    n_bound = (labels == 1).sum(axis=1)
    usable = np.flatnonzero((n_bound >= _BOUND[0]) & (n_bound <= _BOUND[1]))
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(usable, min(n_sites, len(usable)), replace=False))


def _bound_in(model: Model, region: Region, pairs: list[Pair]) -> NDArray[np.bool_]:
    """Find the pairs with a measured peak in a region."""
    assert model.evidence is not None
    store = model.evidence.store
    start, end, track = store.peaks(region.chrom)
    inside = (start < region.end) & (end > region.start)
    found = {store.tracks[i].pair for i in np.unique(track[inside])}
    return np.array([pair in found for pair in pairs])


def _metrics(labels: Labels, scores: Floats) -> tuple[float, float]:
    known = labels >= 0
    truth, scores = labels[known] == 1, scores[known]
    if truth.all() or not truth.any():
        return np.nan, np.nan
    return roc_auc_score(truth, scores), average_precision_score(truth, scores)


if __name__ == "__main__":
    main()
