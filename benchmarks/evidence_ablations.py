"""What each part of the network that reads tracks contributes: training without it.

The summary, attention, sequence, accessibility, sites that trained the model, and steps
with new names. The summary of tracks is the model's own, all else is trained again.
Evaluated on pairs that nothing learned from, on chr20.

    python benchmarks/evidence_ablations.py --data data.h5 --evidence encode-hg19
"""

from __future__ import annotations

import argparse
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
from tfimpute_tracks.training.evidence_fit import (
    copy_summary,
    sequence_calibration,
    train_reader,
)
from tfimpute_tracks.training.evidence_recipe import EvidenceRecipe
from tfimpute_tracks.training.evidence_sites import EvidenceSites, read_evidence_sites

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
    "as it ships": _Way(),
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


def _weights(model: Model, network: EvidenceNetwork) -> EvidenceWeights:
    arrays = {name: p.detach().numpy() for name, p in network.named_parameters()}
    arrays |= sequence_calibration(model)
    return EvidenceWeights(network.config, model.vocabulary, "", arrays, "", {})


@dataclass
class _Evaluation:
    """Kept pairs at sites of the test chromosome."""

    model: Model
    dataset: Dataset
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    sequence: NDArray[np.float32]

    def report(
        self, name: str, network: EvidenceNetwork, store: EvidenceStore, way: _Way
    ) -> None:
        """Say how well pairs are discriminated."""
        sequence = self.sequence if way.sequence else np.zeros_like(self.sequence)
        evidence = Evidence(_weights(self.model, network), store)
        pairs = [self.dataset.pairs[i] for i in self.columns]
        applied = PairEvidence(evidence, self.model.vocabulary.pair_indices(pairs))
        scores = sequence.copy()
        for chrom, index, centers in chrom_sites(self.dataset, self.rows):
            scores[index] = applied.apply(scores[index], chrom, centers)
        labels = self.dataset.labels(self.rows, self.columns)
        auroc = np.nanmean(pair_aurocs(scores, labels))
        precision = np.nanmean(pair_average_precisions(scores, labels))
        print_result(f"{name:<34} AUROC {auroc:.4f}  AP {precision:.4f}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--evidence", default="encode-hg19")
    parser.add_argument("--model", default="held-out")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", default="max")
    asked = parser.parse_args()
    torch.set_num_threads(set_threads(asked.threads))
    dataset = open_dataset(asked.data)
    split = split_by_chromosome(dataset)
    base, kept = (pair_columns(dataset, role) for role in ("base", "test3"))
    store = open_named(asked.evidence)
    store = store.subset(store.tracks_of(dataset.pairs[i] for i in base))
    model = load_model(asked.model, store)
    indices = model.vocabulary.pair_indices(dataset.pairs[i] for i in kept)
    sequence = site_scorer(model, dataset, split.test, use_evidence=False)(indices)
    evaluation = _Evaluation(model, dataset, split.test, kept, sequence)
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
    for name, way in WAYS.items():
        trained, held_out = sites[way.accessibility]
        if not way.sequence:
            trained, held_out = (
                replace(part, logits=np.zeros_like(part.logits))
                for part in (trained, held_out)
            )
        for seed in range(asked.seeds):
            recipe = EvidenceRecipe(seed=seed)
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
