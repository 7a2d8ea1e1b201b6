"""What each part of the network that reads tracks contributes: training without it.

Embeddings of its own against those of the sequence model, sequence, accessibility, and
tracks left out in training. All learn from the sites that trained nothing of the model;
evaluated on pairs that nothing learned from, on chr20.

    python benchmarks/evidence_ablations.py --data data.h5 --evidence evidence.h5
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tfimpute_tracks.commands.console import print_result
from tfimpute_tracks.commands.inputs import set_threads
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
    EvidenceRecipe,
    sequence_calibration,
    train_evidence,
)
from tfimpute_tracks.training.evidence_sites import read_evidence_sites


@dataclass
class _Way:
    """What differs from the network as it ships."""

    recipe: EvidenceRecipe
    own_embeddings: bool = True
    sequence: bool = True
    accessibility: bool = True


def _network(model: Model, way: _Way, seed: int) -> EvidenceNetwork:
    torch.manual_seed(seed)
    config = EvidenceConfig()
    given = model.checkpoint.weights
    if not way.own_embeddings:
        config = replace(config, embedding_size=given["tf_embedding"].shape[1])
    network = EvidenceNetwork(config, len(model.tfs), len(model.cells))
    if not way.own_embeddings:
        for name in ("tf_embedding", "cell_embedding"):
            parameter = getattr(network, name)
            parameter.requires_grad_(False)
            rows = torch.from_numpy(given[name].copy())
            # As large as those drawn at random, where learning begins.
            parameter.copy_(rows * parameter.std() / rows.std())
    return network


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
    parser.add_argument("--evidence", type=Path, required=True)
    parser.add_argument("--model", default="held-out")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--threads", default="max")
    asked = parser.parse_args()
    torch.set_num_threads(set_threads(asked.threads))
    model, dataset = load_model(asked.model), open_dataset(asked.data)
    split = split_by_chromosome(dataset)
    base, kept = (pair_columns(dataset, role) for role in ("base", "test3"))
    store = open_named(asked.evidence)
    store = store.subset(store.tracks_of(dataset.pairs[i] for i in base))
    indices = model.vocabulary.pair_indices(dataset.pairs[i] for i in kept)
    sequence = site_scorer(model, dataset, split.test, use_evidence=False)(indices)
    evaluation = _Evaluation(model, dataset, split.test, kept, sequence)
    recipe = EvidenceRecipe(epochs=asked.epochs)
    ways = {
        "as it ships": _Way(recipe),
        "embeddings of the sequence model": _Way(recipe, own_embeddings=False),
        "without sequence": _Way(recipe, sequence=False),
        "without accessibility": _Way(recipe, accessibility=False),
        "no tracks left out in training": _Way(replace(recipe, track_dropout=0.0)),
    }
    read = partial(read_evidence_sites, model, dataset=dataset, rows=split.valid)
    width = EvidenceConfig().window
    for name, way in ways.items():
        some = store
        if not way.accessibility:
            measured = [track.pair.tf != ACCESSIBILITY for track in store.tracks]
            some = store.subset(np.array(measured))
        sites = read(store=some, columns=base, width=width)
        if not way.sequence:
            sites = replace(sites, logits=np.zeros_like(sites.logits))
        for seed in range(asked.seeds):
            with torch.no_grad():
                network = _network(model, way, seed)
            given = replace(way.recipe, seed=seed)
            train_evidence(network, sites, given, lambda *_: None, lambda _: None)
            evaluation.report(f"{name}, seed {seed}", network, some, way)


if __name__ == "__main__":
    main()
