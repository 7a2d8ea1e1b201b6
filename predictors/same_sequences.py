"""TFImpute on the very sequences that its rivals are given, from random weights.

Shipped weights have seen hundreds of thousands of sites; beside a machine that reads
five hundred per TF they say little of the method. Here the default network learns what
the others read for the judged TFs together, with the labels of all trained pairs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tfimpute_tracks.evaluation import predict_sites
from tfimpute_tracks.models import NETWORKS
from tfimpute_tracks.models.families import build_network
from tfimpute_tracks.models.first_weights import draw_first_weights
from tfimpute_tracks.models.network import PLAIN, MotifNetwork
from tfimpute_tracks.models.operations import LOOKUP
from tfimpute_tracks.predictors.fitting import FitRecipe, fit_network
from tfimpute_tracks.predictors.predictor import Fitted, Floats
from tfimpute_tracks.predictors.task import Ints, Task
from tfimpute_tracks.predictors.units import tf_units

__all__ = ["SameSequences"]

_NETWORK = NETWORKS["default"]
_RECIPE = FitRecipe(
    epochs=40, patience=5, batch_size=64, learning_rate=1e-2, weight_decay=1e-4
)
_FILTER_STD = 0.05
_LEAST = 20  # training sequences; with fewer there is nothing to learn


class _TrainedPairs(nn.Module):
    """The network, asked for the trained pairs."""

    def __init__(self, network: MotifNetwork, tf: Tensor, cell: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("tf", tf)
        self.register_buffer("cell", cell)

    def forward(self, codes: Tensor) -> Tensor:
        logits: Tensor = self.network(codes, self.tf, self.cell)
        return logits


class SameSequences:
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
        return {"network": _NETWORK.to_dict(), "recipe": _RECIPE.to_dict()}

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        units, silent = tf_units(task)
        samples = [task.sample(unit.columns, unit.name).rows for unit in units]
        rows = np.unique(np.concatenate([np.empty(0, np.int64), *samples]))
        if len(rows) < _LEAST:
            silent = {int(c): "too few training sequences" for c in task.judged}
            return Fitted(None, silent=silent)
        seed = int(task.random(self.name).integers(2**31))
        fitted = fit_network(
            lambda: _first(task, seed),
            task.dataset.codes[rows],
            task.dataset.labels(rows, task.trained),
            _RECIPE,
            seed,
            task.device,
        )
        assert isinstance(fitted, _TrainedPairs)
        return Fitted(fitted.network, len(rows), max(map(len, samples)), silent, ())

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


def _first(task: Task, seed: int) -> _TrainedPairs:
    vocabulary = task.dataset.vocabulary
    sizes = _NETWORK.to_dict() | {"seq_len": task.dataset.seq_len}
    network = build_network(
        type(_NETWORK).from_dict(sizes),
        len(vocabulary.tfs),
        len(vocabulary.cells),
        LOOKUP if task.device == "cpu" else PLAIN,
    )
    draw_first_weights(network, seed, _FILTER_STD, 0.0)
    indices = vocabulary.pair_indices(task.pair(int(c)) for c in task.trained)
    tf, cell = torch.tensor(indices).reshape(-1, 2).unbind(1)
    return _TrainedPairs(network, tf.contiguous(), cell.contiguous())
