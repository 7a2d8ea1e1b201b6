"""DeepBind: motif detectors, their strongest response, and a small dense layer.

The network of Alipanahi et al. (Nat Biotechnol 2015) for one protein: filters over the
sequence, a threshold, the maximum along it, dropout, one hidden layer, a score, and the
larger of the scores of both strands. They drew the settings of each protein at random and
used the best of thirty; here all share one setting, and the optimizer is Adam. There is
one network per trained pair, and one per TF, its cell lines pooled, for held-out pairs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tfimpute_tracks.comparison.predictors.fitting import (
    FitRecipe,
    fit_network,
    predict_network,
    reverse_complement,
)
from tfimpute_tracks.comparison.predictors.predictor import (
    Fitted,
    Floats,
    Predictor,
    no_scores,
)
from tfimpute_tracks.comparison.predictors.task import Ints, Task
from tfimpute_tracks.comparison.predictors.training_groups import (
    fit_groups,
    pair_or_tf_groups,
)
from tfimpute_tracks.engines.numba_backend import NUMBA
from tfimpute_tracks.kernels.encode import N_CODE
from tfimpute_tracks.models.network import TORCH

__all__ = ["DeepBind", "DeepBindNetwork"]

_FILTERS, _LENGTH, _HIDDEN, _DROPOUT = 16, 24, 32, 0.5
_RECIPE = FitRecipe(
    epochs=40, patience=8, batch_size=64, learning_rate=5e-3, weight_decay=1e-6
)


class DeepBindNetwork(nn.Module):
    """The network of one protein.

    Parameters
    ----------
    n_filters : int
        Motif detectors.
    length : int
        bp of a detector.
    n_hidden : int
        Units of the dense layer.
    dropout : float
    """

    def __init__(
        self,
        n_filters: int = _FILTERS,
        length: int = _LENGTH,
        n_hidden: int = _HIDDEN,
        dropout: float = _DROPOUT,
    ) -> None:
        super().__init__()
        self.detectors = nn.Parameter(torch.randn(n_filters, length, 4) * 0.1)
        self.threshold = nn.Parameter(torch.zeros(n_filters))
        self.hidden = nn.Linear(n_filters, n_hidden)
        self.score = nn.Linear(n_hidden, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, codes: Tensor) -> Tensor:
        """Score sequences.

        Parameters
        ----------
        codes : uint8 tensor, shape (n, L), values 0..4

        Returns
        -------
        float tensor, shape (n, 1)
            Logits: the larger of both strands'.
        """
        both = torch.cat([codes, reverse_complement(codes)])
        # So that a motif may extend over an end of the sequence.
        flank = self.detectors.shape[1] - 1
        padded = functional.pad(both, (flank, flank), value=N_CODE)
        # The maximum along the sequence is one window; thresholds do not move it.
        backend = TORCH if codes.is_cuda else NUMBA
        windows = backend.pooled_convolution(padded, self.detectors, padded.shape[1])
        found = torch.relu(windows[:, 0] - self.threshold)  # (2n, n_filters)
        hidden = torch.relu(self.hidden(self.dropout(found)))
        scores = self.score(hidden).reshape(2, len(codes), 1)
        larger: Tensor = scores.amax(dim=0)
        return larger


class DeepBind(Predictor):
    """One network per trained pair; one per TF for held-out pairs."""

    name = "deepbind"
    summary = (
        f"DeepBind's network ({_FILTERS} detectors of {_LENGTH} bp, {_HIDDEN} hidden "
        "units), one per trained pair, one per TF for held-out pairs"
    )

    def settings(self) -> dict[str, Any]:
        """See :meth:`Predictor.settings`."""
        sizes = {"filters": _FILTERS, "length": _LENGTH, "hidden": _HIDDEN}
        return sizes | {"dropout": _DROPOUT, "recipe": _RECIPE.to_dict()}

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""

        def train(
            name: str, codes: NDArray[np.uint8], bound: NDArray[np.bool_]
        ) -> nn.Module:
            seed = int(task.random(f"deepbind {name}").integers(2**31))
            labels = bound.astype(np.int8)[:, None]
            return fit_network(
                DeepBindNetwork, codes, labels, _RECIPE, seed, task.device
            )

        return fit_groups(task, pair_or_tf_groups(task), train)

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        scores = no_scores(rows, columns)
        codes = task.dataset.codes[rows]
        # Held-out pairs of a TF share a network, which runs once.
        done: dict[int, Floats] = {}
        for i, column in enumerate(map(int, columns)):
            if column in fitted.state:
                network = fitted.state[column]
                if id(network) not in done:
                    found = predict_network(network, codes, task.device)
                    done[id(network)] = found[:, 0]
                scores[:, i] = done[id(network)]
        return scores
