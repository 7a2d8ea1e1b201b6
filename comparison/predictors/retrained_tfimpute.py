"""TFImpute trained on the sequences of the comparison, from random weights.

Pretrained weights have used hundreds of thousands of sites, so a comparison with methods
that are given five hundred per TF says little about the methods. Here the default network
is trained on the sequences that the other methods are given for the scored TFs, with the
labels of all trained pairs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tfimpute_tracks.comparison.predictors.predictor import (
    Fitted,
    Floats,
    Predictor,
    no_scores,
)
from tfimpute_tracks.comparison.predictors.task import Ints, Task
from tfimpute_tracks.comparison.predictors.training_groups import pooled_sample
from tfimpute_tracks.engines.numba_backend import NUMBA
from tfimpute_tracks.engines.sites import predict_sites
from tfimpute_tracks.models.config import GatedConfig
from tfimpute_tracks.models.registry import build_network
from tfimpute_tracks.training import Recipe, train_quickly

__all__ = ["RetrainedTFImpute"]

_NETWORK = GatedConfig()
# As in `train`, with smaller batches and masked bases, because sequences are few. Chosen
# on chr22 with 1,000 per TF; more steps overfit.
_RECIPE = Recipe(batch_size=256, masked_bases=30)
_STEPS = 1300


class RetrainedTFImpute(Predictor):
    """The default network, trained on the sequences of this comparison."""

    name = "tfimpute"
    summary = (
        "the default network from random weights, trained on the sequences of all scored "
        "TFs with the labels of all trained pairs"
    )

    def settings(self) -> dict[str, Any]:
        """See :meth:`Predictor.settings`."""
        recipe = _RECIPE.to_dict() | {"epochs": None, "steps": _STEPS}
        return {"network": _NETWORK.to_dict(), "recipe": recipe}

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        rows, fitted = pooled_sample(task)
        if not len(rows):
            return fitted
        vocabulary = task.dataset.vocabulary
        network = build_network(
            replace(_NETWORK, seq_len=task.dataset.seq_len),
            len(vocabulary.tfs),
            len(vocabulary.cells),
        )
        if task.device == "cpu":
            network.backend = NUMBA
        seed = int(task.random(self.name).integers(2**31))
        per_epoch = -(-len(rows) // _RECIPE.batch_size)
        recipe = replace(_RECIPE, seed=seed, epochs=-(-_STEPS // per_epoch))
        train_quickly(network, task.dataset, rows, task.trained, recipe, task.device)
        return replace(fitted, state=network)

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        scores = no_scores(rows, columns)
        if fitted.state is not None:
            pairs = [task.pair(int(c)) for c in columns]
            indices = task.dataset.vocabulary.pair_indices(pairs)
            codes = task.dataset.codes[rows]
            scores = predict_sites(fitted.state, codes, indices, task.device)
            scores[:, [int(c) in fitted.unscored for c in columns]] = float("nan")
        return scores
