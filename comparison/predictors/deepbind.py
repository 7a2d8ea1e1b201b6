"""DeepBind: motif detectors, their strongest response, and a small dense layer.

The network of Alipanahi et al. (Nat Biotechnol 2015) for one protein: filters over the
sequence, a threshold, the maximum along it, dropout, one hidden layer, a score, and the
larger of both strands' scores. They drew the settings of each protein at random and
kept the best of thirty; here one setting serves all, and the optimizer is Adam. There
is one network per trained pair, and one per TF, its cell lines pooled, for pairs that
were held out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tfimpute_tracks.comparison.predictors.fitting import (
    FitRecipe,
    fit_network,
    predict_network,
    reverse_complement,
)
from tfimpute_tracks.comparison.predictors.predictor import Fitted, Floats
from tfimpute_tracks.comparison.predictors.task import Ints, Task
from tfimpute_tracks.comparison.predictors.training_groups import pairs_or_tfs
from tfimpute_tracks.engines.numba_backend import NUMBA
from tfimpute_tracks.kernels.encode import N_CODE
from tfimpute_tracks.models.network import TORCH

__all__ = ["DeepBind", "DeepBindNetwork"]

_FILTERS, _LENGTH, _HIDDEN, _DROPOUT = 16, 24, 32, 0.5
_RECIPE = FitRecipe(
    epochs=40, patience=8, batch_size=64, learning_rate=5e-3, weight_decay=1e-6
)
_LEAST = 20  # training sequences; with fewer there is nothing to learn


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
        # So that a motif may reach over an end of the sequence.
        reach = self.detectors.shape[1] - 1
        letters = functional.pad(both, (reach, reach), value=N_CODE)
        # The maximum along the sequence is one window; thresholds leave it in place.
        backend = TORCH if codes.is_cuda else NUMBA
        windows = backend.pooled_convolution(letters, self.detectors, letters.shape[1])
        found = torch.relu(windows[:, 0] - self.threshold)  # (2n, n_filters)
        hidden = torch.relu(self.hidden(self.dropout(found)))
        scores = self.score(hidden).reshape(2, len(codes), 1)
        larger: Tensor = scores.amax(dim=0)
        return larger


class DeepBind:
    """One network per trained pair; per TF for held-out pairs.

    Attributes
    ----------
    name : str
    needs : tuple of str
    summary : str
    """

    name: str = "deepbind"
    needs: tuple[str, ...] = ()
    summary: str = (
        f"DeepBind's network ({_FILTERS} detectors of {_LENGTH} bp, {_HIDDEN} hidden "
        "units), one per trained pair, one per TF for held-out pairs"
    )

    def settings(self) -> dict[str, Any]:
        """See :meth:`Predictor.settings`."""
        sizes = {"filters": _FILTERS, "length": _LENGTH, "hidden": _HIDDEN}
        return sizes | {"dropout": _DROPOUT, "recipe": _RECIPE.to_dict()}

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        units, silent = pairs_or_tfs(task)
        networks: dict[int, nn.Module] = {}
        read: list[Ints] = []
        for unit in units:
            sample = task.sample(unit.columns, unit.name)
            if len(sample.rows) < _LEAST:
                silent |= dict.fromkeys(unit.judged, "too few training sequences")
                continue
            seed = int(task.random(f"deepbind {unit.name}").integers(2**31))
            labels = sample.bound.astype(np.int8)[:, None]
            codes = task.dataset.codes[sample.rows]
            network = fit_network(
                DeepBindNetwork, codes, labels, _RECIPE, seed, task.device
            )
            networks |= dict.fromkeys(unit.judged, network)
            read.append(sample.rows)
        return Fitted(
            networks,
            n_sequences=len(np.unique(np.concatenate(read))) if read else 0,
            per_unit=max(map(len, read), default=0),
            silent=silent,
        )

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        scores = np.full((len(rows), len(columns)), np.nan, dtype=np.float32)
        codes = task.dataset.codes[rows]
        # Held-out pairs of a TF share a network, which is run once.
        done: dict[int, Floats] = {}
        for place, column in enumerate(map(int, columns)):
            if column in fitted.state:
                network = fitted.state[column]
                if id(network) not in done:
                    found = predict_network(network, codes, task.device)
                    done[id(network)] = found[:, 0]
                scores[:, place] = done[id(network)]
        return scores
