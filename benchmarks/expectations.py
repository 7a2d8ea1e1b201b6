"""Make anew what the cards of the shipped models expect of every pair.

A few models of other seeds are trained without some of the base pairs and without most
of the chromosomes. What became of those pairs teaches which AUROC to expect of a pair
by what is known of it beforehand; how the models disagree is part of that. They learned
less than the shipped ones: how much better those are is read from `valid2` pairs of
`held-out` and `deep-held-out`. The check is on their `test3` pairs, on a chromosome
that no model has seen.

    python benchmarks/expectations.py --data around.h5 -o seeds

The data set has sequences of 920: the deeper models look at a site's surroundings.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from shipped import chosen_models, judge_of, network_of, valid_sites

from tfimpute_tracks.commands.console import print_result
from tfimpute_tracks.commands.inputs import set_threads
from tfimpute_tracks.dataset import Dataset, open_dataset, split_by_chromosome
from tfimpute_tracks.engines.numba_backend import NUMBA
from tfimpute_tracks.engines.sites import predict_sites
from tfimpute_tracks.evaluation import pair_aurocs
from tfimpute_tracks.evaluation.reliability import (
    COVERAGE,
    FEATURES,
    Expectation,
    TrainedPairs,
    check_expectation,
    fit_expectation,
    pair_features,
    seed_disagreement,
)
from tfimpute_tracks.models import GatedConfig, Model, pretrained_models
from tfimpute_tracks.storage import write_json
from tfimpute_tracks.training import Recipe, TrainingJob, train_model

_KEPT = 60  # base pairs that the models of other seeds do not learn from
_TRAINED_ON = ("chr18", "chr19", "chr21", "chrX")
_SITES = 1500  # of the validation chromosome, to rank by
_CELLS_AT_ONCE = 10


def _keep_some(dataset: Dataset, seed: int) -> Dataset:
    """Take base pairs out whose TF and cell line have others left."""
    roles = np.array(dataset.roles, dtype=object)
    order = np.random.default_rng(seed).permutation(np.flatnonzero(roles == "base"))
    kept = 0
    for i in order:
        pair = dataset.pairs[i]
        others = [p for j, p in enumerate(dataset.pairs) if roles[j] == "base"]
        n_tf = sum(p.tf == pair.tf for p in others)
        n_cell = sum(p.cell == pair.cell for p in others)
        if n_tf > 1 and n_cell > 1 and kept < _KEPT:
            roles[i], kept = "valid2", kept + 1
    return replace(dataset, roles=tuple(roles))


def _train(dataset: Dataset, folder: Path, seed: int, epochs: int):
    recipe = Recipe(seed=seed, epochs=epochs)
    names = [dataset.chroms[i] for i in np.unique(dataset.chrom_id)]
    others = tuple(n for n in names if n not in {*_TRAINED_ON, "chr22"})
    job = TrainingJob(folder, resume=True, test_chroms=others)
    folder.mkdir(parents=True, exist_ok=True)
    run = train_model(
        dataset,
        GatedConfig(),
        recipe,
        job,
        lambda _: None,
        lambda e: print_result(str(e)),
    )
    run.network.backend = NUMBA
    return run.network


def _every_pair(network, codes):
    """Score all pairs there are, TF by TF."""
    n_tfs, n_cells = network.n_tfs, network.n_cells
    scores = np.empty((len(codes), n_tfs, n_cells), dtype=np.float32)
    for first in range(0, n_cells, _CELLS_AT_ONCE):
        cells = range(first, min(n_cells, first + _CELLS_AT_ONCE))
        pairs = [(tf, cell) for tf in range(n_tfs) for cell in cells]
        found = predict_sites(network, codes, pairs)
        scores[:, :, cells] = found.reshape(len(codes), n_tfs, len(cells))
    return scores.reshape(len(codes), -1)


def _aurocs(network, dataset: Dataset, rows) -> np.ndarray:
    indices = dataset.vocabulary.pair_indices(dataset.pairs)
    scores = predict_sites(network, dataset.codes[rows], indices)
    return pair_aurocs(scores, dataset.labels(rows))


def _features(network, dataset: Dataset, trained, aurocs, disagreement):
    tf, cell = np.array(dataset.vocabulary.pair_indices(dataset.pairs)).T
    return pair_features(
        TrainedPairs(tf[trained], cell[trained], aurocs[trained]),
        network.tf_embedding.detach().numpy().astype(float),
        network.cell_embedding.detach().numpy().astype(float),
        disagreement,
    )


def _learn(dataset: Dataset, networks, valid, disagreement) -> Expectation:
    trained = np.flatnonzero(np.array(dataset.roles) == "base")
    kept = np.flatnonzero(np.array(dataset.roles) == "valid2")
    tf, cell = np.array(dataset.vocabulary.pair_indices(dataset.pairs)).T
    aurocs = [_aurocs(network, dataset, valid) for network in networks]
    features = np.mean(
        [
            _features(network, dataset, trained, found, disagreement)
            for network, found in zip(networks, aurocs, strict=True)
        ],
        axis=0,
    )
    known = features[tf[kept], cell[kept]]
    return fit_expectation(known, np.mean(aurocs, axis=0)[kept], tf[kept])


def main() -> None:
    """Update the cards."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--out-dir", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--threads", default="max")
    parser.add_argument("--dry-run", action="store_true", help="leave the cards alone")
    asked = parser.parse_args()
    set_threads(asked.threads)
    whole = open_dataset(asked.data)
    dataset = _keep_some(whole, 0)
    networks = [
        _train(dataset, asked.out_dir / f"seed-{seed}", seed, asked.epochs)
        for seed in range(1, asked.seeds + 1)
    ]
    split = split_by_chromosome(whole)
    some = split.valid[:: -(-len(split.valid) // _SITES)]
    scores = [_every_pair(network, whole.codes[some]) for network in networks]
    shape = len(whole.vocabulary.tfs), len(whole.vocabulary.cells)
    disagreement = seed_disagreement(scores).reshape(shape)
    fitted = _learn(dataset, networks, split.valid, disagreement)
    weights = dict(zip(FEATURES, fitted.weights.round(4).tolist(), strict=True))
    print_result(
        f"{fitted.n_pairs} pairs, mean {fitted.mean:.3f}, margin {fitted.margin:.3f}"
    )
    print_result(f"per standard deviation: {weights}")
    for family in _families().values():
        _tell(whole, fitted, weights, disagreement, family, asked.dry_run)


def _families() -> dict[str, dict[str, Model]]:
    """Give the shipped models by the one that they are judged by, it first."""
    families: dict[str, dict[str, Model]] = {}
    for name, model in chosen_models(None).items():
        families.setdefault(judge_of(name), {})[name] = model
    return families


def _tell(
    whole: Dataset,
    fitted: Expectation,
    weights: dict[str, float],
    disagreement,
    models: dict[str, Model],
    dry_run: bool,
) -> None:
    """Write what to expect of every pair of models that share a judge."""
    shape = len(whole.vocabulary.tfs), len(whole.vocabulary.cells)
    tf, cell = np.array(whole.vocabulary.pair_indices(whole.pairs)).T
    roles, known = np.array(whole.roles), {}
    judge = next(iter(models))
    for name, model in models.items():
        network = network_of(model)
        trained = np.flatnonzero([model.status(p) == "trained" for p in whole.pairs])
        valid = _aurocs(network, whole, valid_sites(model, whole))
        features = _features(network, whole, trained, valid, disagreement)
        known[name] = features.reshape(-1, len(FEATURES))
        if name == judge:
            at = np.flatnonzero((roles == "valid2") & ~np.isnan(valid))
            found = fitted.expect(features[tf[at], cell[at]])[0]
            lift = float((valid[at] - found).mean())
            print_result(f"{judge} is better by {lift:.3f}")
    lifted = replace(fitted, mean=fitted.mean + lift)
    test = _aurocs(network_of(models[judge]), whole, split_by_chromosome(whole).test)
    told = {}
    for role in ("test3", "valid2"):
        at = np.flatnonzero((roles == role) & ~np.isnan(test))
        interval = lifted.expect(known[judge].reshape(*shape, -1)[tf[at], cell[at]])
        told[role] = check_expectation(*interval, test[at])
        print_result(f"{judge}, {role}: {told[role]}")
    for name, model in models.items():
        values = lifted.expect(known[name])[0].reshape(shape)
        card = model.card
        card["expected"] = {
            "margin": round(fitted.margin, 4),
            "coverage": COVERAGE,
            "n_pairs": fitted.n_pairs,
            "weights": weights,
            "check": told,
            "auroc": {
                t: " ".join(str(int(v)) for v in (1000 * row).round())
                for t, row in zip(whole.vocabulary.tfs, values, strict=True)
            },
        }
        if not dry_run:
            write_json(pretrained_models()[name].with_suffix(".json"), card)


if __name__ == "__main__":
    main()
