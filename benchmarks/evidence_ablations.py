"""What each part of the network that reads tracks contributes: training without it.

The summary, attention, sequence, accessibility, sites that trained the model, and steps
with new names. The summary of tracks is the model's own, all else is trained again, in
half as many passes as what ships. Evaluated on pairs that nothing learned from, on chr20,
and on pairs of TFs that are as good as new: the mean of all embeddings in place of their
own, and one track.

    python benchmarks/evidence_ablations.py --data data.h5 --evidence encode-hg19
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tfimpute_tracks.api.threads import set_threads
from tfimpute_tracks.commands.console import log, print_result
from tfimpute_tracks.dataset import (
    Dataset,
    open_dataset,
    pair_columns,
    split_by_chromosome,
)
from tfimpute_tracks.engines.evidence import PairEvidence
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.engines.sites import chrom_sites
from tfimpute_tracks.evaluation import pair_aurocs, pair_average_precisions
from tfimpute_tracks.evidence import ACCESSIBILITY, EvidenceStore, open_named
from tfimpute_tracks.models import Model, load_model
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.evidence_network import EvidenceNetwork
from tfimpute_tracks.models.evidence_weights import EvidenceConfig, EvidenceWeights
from tfimpute_tracks.models.extension import EVIDENCE_EMBEDDINGS
from tfimpute_tracks.training.evidence_fit import (
    copy_summary,
    sequence_calibration,
    train_reader,
)
from tfimpute_tracks.training.evidence_recipe import EvidenceRecipe
from tfimpute_tracks.training.evidence_sites import EvidenceSites, read_evidence_sites
from tfimpute_tracks.vocabulary import Pair

Ints = NDArray[np.int64]
_NOTHING = 60.0  # a null logit that outweighs every track


@dataclass
class _Way:
    """What differs from the network as it ships."""

    summary: bool = True
    attention: bool = True
    sequence: bool = True
    accessibility: bool = True
    trained_sites: bool = True
    new_names: bool = True


WAYS = {
    "all parts": _Way(),
    "without the summary": _Way(summary=False),
    "without attention": _Way(attention=False),
    "without sequence": _Way(sequence=False),
    "without accessibility": _Way(accessibility=False),
    "without training sites": _Way(trained_sites=False),
    "without new names": _Way(new_names=False),
}


def _network(
    model: Model,
    trained: EvidenceSites | None,
    sites: EvidenceSites,
    way: _Way,
    asked: EvidenceRecipe,
) -> EvidenceNetwork:
    """Train a network that lacks what the way does."""
    torch.manual_seed(asked.seed)
    rng = np.random.default_rng(asked.seed)
    network = EvidenceNetwork(sites.config, len(model.tfs), len(model.cells))
    assert model.evidence is not None
    copy_summary(network, model.evidence.weights)
    if not way.summary:  # its log-odds are 0
        with torch.no_grad():
            for name, parameter in network.summary.named_parameters():
                if name.startswith("pair_"):
                    parameter.zero_()
    if not way.attention:  # no track counts
        network.null_logit.requires_grad_(False)
        network.null_logit.fill_(_NOTHING)
    train_reader(network, trained, sites, asked, rng, _advance, log)
    return network


def _advance(_done: int, _note: str) -> None:
    """Show no progress."""


def _weights(
    model: Model, network: EvidenceNetwork, new_tf: str = ""
) -> EvidenceWeights:
    """Make weights of a network, in which the embeddings of a TF may be the mean."""
    arrays = {name: p.detach().numpy().copy() for name, p in network.named_parameters()}
    if new_tf:
        row = model.tfs.index(new_tf)
        for name in EVIDENCE_EMBEDDINGS["tf"]:
            arrays[name][row] = arrays[name][: len(model.tfs)].mean(axis=0)
    arrays |= sequence_calibration(model)
    return EvidenceWeights(network.config, model.vocabulary, "", arrays, "", {})


@dataclass
class _Evaluation:
    """Sites of the test chromosome."""

    model: Model
    dataset: Dataset
    rows: Ints

    def report(
        self, name: str, network: EvidenceNetwork, store: EvidenceStore, way: _Way
    ) -> None:
        """Say how well pairs are discriminated: held-out ones, and those of new TFs."""
        weights = _weights(self.model, network)
        kept = pair_columns(self.dataset, "test3")
        found = [self._metrics(kept, weights, store, way)]
        new = []
        for tf, own, others in self._poor_tfs():
            left = [t.pair.tf != tf or t.pair == own for t in store.tracks]
            weights = _weights(self.model, network, tf)
            new.append(
                self._metrics(others, weights, store.subset(np.array(left)), way)
            )
        found.append(np.nanmean(new, axis=0))
        values = "  ".join(f"{auroc:.4f} / {ap:.4f}" for auroc, ap in found)
        print_result(f"{name:<34} {values}")

    def _poor_tfs(self) -> Iterator[tuple[str, Pair, Ints]]:
        """Yield TFs of few pairs, the one with most bound sites, and the others."""
        base = pair_columns(self.dataset, "base")
        n_bound = (self.dataset.labels(self.rows, base) == 1).sum(axis=0)
        by_tf: dict[str, list[int]] = {}
        for place in np.argsort(-n_bound, kind="stable"):
            column = int(base[place])
            by_tf.setdefault(self.dataset.pairs[column].tf, []).append(column)
        for tf, columns in sorted(by_tf.items()):
            if 3 <= len(columns) <= 12:
                yield tf, self.dataset.pairs[columns[0]], np.array(columns[1:])

    def _metrics(
        self, columns: Ints, weights: EvidenceWeights, store: EvidenceStore, way: _Way
    ) -> tuple[float, float]:
        pairs = [self.dataset.pairs[i] for i in columns]
        indices = self.model.vocabulary.pair_indices(pairs)
        scorer = site_scorer(self.model, self.dataset, self.rows, use_evidence=False)
        scores = (
            scorer(indices)
            if way.sequence
            else np.zeros((len(self.rows), len(columns)), np.float32)
        )
        applied = PairEvidence(Evidence(weights, store), indices)
        for chrom, index, centers in chrom_sites(self.dataset, self.rows):
            scores[index] = applied.apply(scores[index], chrom, centers)
        labels = self.dataset.labels(self.rows, columns)
        metrics = pair_aurocs(scores, labels), pair_average_precisions(scores, labels)
        return float(np.nanmean(metrics[0])), float(np.nanmean(metrics[1]))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--evidence", default="encode-hg19")
    parser.add_argument("--model", default="held-out")
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=[*WAYS])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", default="max")
    asked = parser.parse_args()
    torch.set_num_threads(set_threads(asked.threads))
    dataset = open_dataset(asked.data)
    split = split_by_chromosome(dataset)
    base = pair_columns(dataset, "base")
    store = open_named(asked.evidence)
    store = store.subset(store.tracks_of(dataset.pairs[i] for i in base))
    model = load_model(asked.model, store)
    evaluation = _Evaluation(model, dataset, split.test)
    print_result(
        "AUROC / AP of held-out pairs, and of TFs as good as new with one track"
    )
    measured = np.array([track.pair.tf != ACCESSIBILITY for track in store.tracks])
    others = np.setdiff1d(split.train, split.valid)
    rng = np.random.default_rng(0)
    drawn = np.sort(rng.permutation(others)[: EvidenceRecipe.max_trained_sites])

    def read(some: EvidenceStore) -> list[EvidenceSites]:
        return [
            read_evidence_sites(model, some, dataset, rows, base, EvidenceConfig())
            for rows in (drawn, split.valid)
        ]

    stores = {True: store, False: store.subset(measured)}
    sites = {with_access: read(some) for with_access, some in stores.items()}
    for name, way in ((name, WAYS[name]) for name in asked.ways):
        trained, held_out = sites[way.accessibility]
        if not way.sequence:
            trained, held_out = (
                replace(part, logits=np.zeros_like(part.logits))
                for part in (trained, held_out)
            )
        for seed in range(asked.seeds):
            recipe = EvidenceRecipe(seed=seed, epochs=20, trained_epochs=12)
            if not way.new_names:
                recipe = replace(recipe, new_names=0)
            network = _network(
                model, trained if way.trained_sites else None, held_out, way, recipe
            )
            evaluation.report(
                f"{name}, seed {seed}", network, stores[way.accessibility], way
            )


if __name__ == "__main__":
    main()
