"""DeepSEA: three convolutions and a dense layer, one output per measured pair.

The network of Zhou and Troyanskaya (Nat Methods 2015), which read 1,000 bp; its sizes
are a fifth of the published for sequences of a site: 64, 96 and 192 filters of 8 bp
(320, 480 and 960), pools of 4, 185 hidden units (925). All trained pairs are learned at
once, ignored labels left out of the loss. A pair it was not trained on has no output,
so it takes that of another cell line of its TF, as the paper of TFImpute did: the one
with most bound training sites, or in the variant the mean over all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor, nn

from tfimpute_tracks.comparison.predictors.fitting import (
    FitRecipe,
    fit_network,
    predict_network,
)
from tfimpute_tracks.comparison.predictors.predictor import Fitted, Floats
from tfimpute_tracks.comparison.predictors.task import Ints, Task
from tfimpute_tracks.comparison.predictors.training_groups import tf_units
from tfimpute_tracks.kernels.encode import one_hot_tensor

__all__ = ["DeepSea", "DeepSeaNetwork"]

_FILTERS, _LENGTH, _POOL, _HIDDEN = (64, 96, 192), 8, 4, 185
_RECIPE = FitRecipe(
    epochs=10, patience=3, batch_size=64, learning_rate=1e-3, weight_decay=5e-7
)
_LEAST = 20  # training sequences; with fewer there is nothing to learn


class DeepSeaNetwork(nn.Module):
    """The network of all trained pairs.

    Parameters
    ----------
    seq_len : int
        bp of a sequence.
    n_outputs : int
        Pairs.
    """

    def __init__(self, seq_len: int, n_outputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        n_channels, length = 4, seq_len
        for i, n_filters in enumerate(_FILTERS):
            # Padded, because a site is too short to lose an end at each layer.
            layers += [nn.ConstantPad1d((_LENGTH // 2, (_LENGTH - 1) // 2), 0)]
            layers += [nn.Conv1d(n_channels, n_filters, _LENGTH), nn.ReLU()]
            if i < len(_FILTERS) - 1:
                layers += [nn.MaxPool1d(_POOL, ceil_mode=True), nn.Dropout(0.2)]
                length = -(-length // _POOL)
            n_channels = n_filters
        self.convolutions = nn.Sequential(*layers, nn.Dropout(0.5))
        self.hidden = nn.Linear(n_channels * length, _HIDDEN)
        self.outputs = nn.Linear(_HIDDEN, n_outputs)

    def forward(self, codes: Tensor) -> Tensor:
        """Score sequences as they are read; in training, half of them turned round.

        Parameters
        ----------
        codes : uint8 tensor, shape (n, L), values 0..4

        Returns
        -------
        float tensor, shape (n, n_outputs)
            Logits.
        """
        letters = one_hot_tensor(codes).transpose(1, 2)
        if self.training:
            turned = torch.rand(len(codes), device=codes.device) < 0.5
            letters = torch.where(turned[:, None, None], letters.flip(1, 2), letters)
        found = self.convolutions(letters).flatten(1)
        scores: Tensor = self.outputs(torch.relu(self.hidden(found)))
        return scores


class DeepSea:
    """One network for all pairs; held-out pairs borrow another cell line's output.

    Parameters
    ----------
    mean : bool
        A held-out pair takes the mean over its TF's cell lines.
    trained : dict, optional
        Networks by task, to be shared by the two ways of one comparison: what the
        first has trained the other takes.

    Attributes
    ----------
    name : str
    needs : tuple of str
    summary : str
    """

    needs: tuple[str, ...] = ()

    def __init__(
        self, mean: bool = False, trained: dict[Task, nn.Module] | None = None
    ) -> None:
        self._trained = {} if trained is None else trained
        self.name = "deepsea-mean" if mean else "deepsea"
        taken = "the mean over the TF's" if mean else "the TF's best-measured"
        self.summary = (
            "DeepSEA's network with sizes for a site, all trained pairs at once; a "
            f"held-out pair takes the output of {taken} trained cell line"
            + ("s" if mean else "")
        )
        self._mean = mean

    def settings(self) -> dict[str, Any]:
        """See :meth:`Predictor.settings`."""
        sizes = {"filters": list(_FILTERS), "length": _LENGTH, "hidden": _HIDDEN}
        return sizes | {"pool": _POOL, "mean": self._mean, "recipe": _RECIPE.to_dict()}

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        # It reads what the others read for the judged TFs, all of it, and learns the
        # labels of every trained pair.
        units, silent = tf_units(task)
        samples = [task.sample(unit.columns, unit.name).rows for unit in units]
        rows = np.unique(np.concatenate([np.empty(0, np.int64), *samples]))
        if len(rows) < _LEAST:
            silent = {int(c): "too few training sequences" for c in task.judged}
            return Fitted(None, silent=silent)
        notes = self._notes(task)
        n_read: int | None = len(rows)
        if task in self._trained:
            # No number, or a rate would be told of a training that took no time.
            n_read = None
            notes = ("its network was trained for the other way, in that time", *notes)
        else:
            self._trained[task] = _train(task, rows)
        per_unit = max(map(len, samples))
        return Fitted(self._trained[task], n_read, per_unit, silent, notes)

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        scores = np.full((len(rows), len(columns)), np.nan, dtype=np.float32)
        if fitted.state is None:
            return scores
        codes = task.dataset.codes[rows]
        turned = np.where(codes < 4, 3 - codes, codes)[:, ::-1]
        probabilities = sum(
            expit(predict_network(fitted.state, np.ascontiguousarray(c), task.device))
            for c in (codes, turned)
        )
        for place, column in enumerate(map(int, columns)):
            taken = self._outputs(task, column)
            if len(taken):
                outputs = np.searchsorted(task.trained, taken)
                scores[:, place] = probabilities[:, outputs].mean(axis=1) / 2
        return scores

    def _outputs(self, task: Task, column: int) -> Ints:
        """Give the trained pairs whose outputs stand for a pair."""
        if column in task.trained:
            return np.array([column], dtype=np.int64)
        cells = task.cells_of(task.pair(column).tf)
        if self._mean or not len(cells):
            return cells
        n_bound = [task.n_bound(int(c)) for c in cells]
        return cells[[int(np.argmax(n_bound))]]

    def _notes(self, task: Task) -> tuple[str, ...]:
        if self._mean:
            return ()
        taken = {int(c): self._outputs(task, int(c)) for c in task.judged}
        told = [
            f"{task.pair(c)} by {task.pair(int(found[0]))}"
            for c, found in taken.items()
            if len(found) and found[0] != c
        ]
        return (f"outputs of held-out pairs: {', '.join(told)}",) if told else ()


def _train(task: Task, rows: Ints) -> nn.Module:
    n_outputs, seq_len = len(task.trained), task.dataset.seq_len
    return fit_network(
        lambda: DeepSeaNetwork(seq_len, n_outputs),
        task.dataset.codes[rows],
        task.dataset.labels(rows, task.trained),
        _RECIPE,
        int(task.random("deepsea").integers(2**31)),
        task.device,
    )
