"""TFImpute on the very sequences that its rivals are given, from random weights.

Shipped weights have seen hundreds of thousands of sites; beside a machine that reads
five hundred per TF they say little of the method. Here the default network learns what
the others read for the judged TFs together, with the labels of all trained pairs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tfimpute_tracks.comparison.predictors.predictor import Fitted, Floats
from tfimpute_tracks.comparison.predictors.task import Ints, Task
from tfimpute_tracks.comparison.predictors.training_groups import tf_units
from tfimpute_tracks.engines.numba_backend import NUMBA
from tfimpute_tracks.engines.sites import predict_sites
from tfimpute_tracks.models.config import GatedConfig
from tfimpute_tracks.models.registry import build_network
from tfimpute_tracks.training import Recipe, train_quickly

__all__ = ["RetrainedTFImpute"]

_NETWORK = GatedConfig()
# As `train` does it, in smaller batches and with letters hidden: sequences are few.
# Chosen by chr22 at 1,000 per TF, where more steps fit them and lose others.
_RECIPE = Recipe(batch_size=256, masked_bases=30)
_STEPS = 1300
_LEAST = 20  # training sequences; with fewer there is nothing to learn


class RetrainedTFImpute:
    """The default network, trained on the sequences of this comparison.

    Attributes
    ----------
    name : str
    needs : tuple of str
    summary : str
    """

    name: str = "tfimpute"
    needs: tuple[str, ...] = ()
    summary: str = (
        "the default network from random weights, on the sequences of all judged TFs "
        "together with the labels of all trained pairs"
    )

    def settings(self) -> dict[str, Any]:
        """See :meth:`Predictor.settings`."""
        recipe = _RECIPE.to_dict() | {"epochs": None, "steps": _STEPS}
        return {"network": _NETWORK.to_dict(), "recipe": recipe}

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        units, silent = tf_units(task)
        samples = [task.sample(unit.columns, unit.name).rows for unit in units]
        rows = np.unique(np.concatenate([np.empty(0, np.int64), *samples]))
        if len(rows) < _LEAST:
            silent = {int(c): "too few training sequences" for c in task.judged}
            return Fitted(None, silent=silent)
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
        return Fitted(network, len(rows), max(map(len, samples)), silent, ())

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        if fitted.state is None:
            return np.full((len(rows), len(columns)), np.nan, dtype=np.float32)
        indices = task.dataset.vocabulary.pair_indices(
            task.pair(int(c)) for c in columns
        )
        codes = task.dataset.codes[rows]
        scores = predict_sites(fitted.state, codes, indices, task.device)
        silent = [int(c) in fitted.silent for c in columns]
        scores[:, silent] = np.nan
        return scores
