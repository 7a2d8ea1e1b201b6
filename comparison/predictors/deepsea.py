"""DeepSEA: three convolutions and a dense layer, one output per measured pair.

The network of Zhou and Troyanskaya (Nat Methods 2015), which read 1,000 bp; its sizes
are a fifth of the published for sequences of a site: 64, 96 and 192 filters of 8 bp
(320, 480 and 960), pools of 4, 185 hidden units (925). All pairs are trained together,
ignored labels left out of the loss. A pair it was not trained on has no output and takes
that of another cell line of its TF, as in the TFImpute paper: the one with the most bound
training sites, or in the variant the mean over all of them.
"""

from __future__ import annotations

from dataclasses import replace
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
from tfimpute_tracks.comparison.predictors.predictor import (
    Fitted,
    Floats,
    Predictor,
    no_scores,
)
from tfimpute_tracks.comparison.predictors.task import Ints, Task
from tfimpute_tracks.comparison.predictors.training_groups import pooled_sample
from tfimpute_tracks.kernels.encode import one_hot_tensor, reverse_complement

__all__ = ["DeepSea", "DeepSeaNetwork"]

_FILTERS, _LENGTH, _POOL, _HIDDEN = (64, 96, 192), 8, 4, 185
_RECIPE = FitRecipe(
    epochs=10, patience=3, batch_size=64, learning_rate=1e-3, weight_decay=5e-7
)


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
        """Score sequences; in training, half of them as their reverse complement.

        Parameters
        ----------
        codes : uint8 tensor, shape (n, L), values 0..4

        Returns
        -------
        float tensor, shape (n, n_outputs)
            Logits.
        """
        x = one_hot_tensor(codes).transpose(1, 2)  # (n, 4, L)
        if self.training:
            reverse = torch.rand(len(codes), device=codes.device) < 0.5
            x = torch.where(reverse[:, None, None], x.flip(1, 2), x)
        found = self.convolutions(x).flatten(1)
        scores: Tensor = self.outputs(torch.relu(self.hidden(found)))
        return scores


class DeepSea(Predictor):
    """One network for all pairs; held-out pairs use another cell line's output.

    Both variants of a comparison share a network: the first one trains it.

    Parameters
    ----------
    mean : bool
        A held-out pair takes the mean over its TF's cell lines.
    """

    def __init__(self, mean: bool = False) -> None:
        self.name = "deepsea-mean" if mean else "deepsea"
        output = "the mean over the TF's" if mean else "the TF's best-measured"
        self.summary = (
            "DeepSEA's network with sizes for a site, all trained pairs together; a "
            f"held-out pair takes the output of {output} trained cell line"
            + ("s" if mean else "")
        )
        self._mean = mean

    @classmethod
    def of_mean(cls) -> DeepSea:
        """Make the variant that averages over cell lines.

        Returns
        -------
        DeepSea
        """
        return cls(mean=True)

    def settings(self) -> dict[str, Any]:
        """See :meth:`Predictor.settings`."""
        sizes = {"filters": list(_FILTERS), "length": _LENGTH, "hidden": _HIDDEN}
        return sizes | {"pool": _POOL, "mean": self._mean, "recipe": _RECIPE.to_dict()}

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        rows, fitted = pooled_sample(task)
        if not len(rows):
            return fitted
        notes = self._notes(task)
        if "deepsea" in task.shared:
            # Without their number: nothing is trained here, so there is no rate.
            fitted = replace(fitted, n_sequences=None)
            notes = ("its network was trained for the other variant", *notes)
        else:
            task.shared["deepsea"] = _train(task, rows)
        return replace(fitted, state=task.shared["deepsea"], notes=notes)

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        scores = no_scores(rows, columns)
        if fitted.state is None:
            return scores
        codes = task.dataset.codes[rows]
        probabilities = sum(
            expit(predict_network(fitted.state, np.ascontiguousarray(c), task.device))
            for c in (codes, reverse_complement(codes))
        )
        for i, column in enumerate(map(int, columns)):
            sources = self._sources(task, column)
            if len(sources):
                outputs = np.searchsorted(task.trained, sources)
                scores[:, i] = probabilities[:, outputs].mean(axis=1) / 2
        return scores

    def _sources(self, task: Task, column: int) -> Ints:
        """Choose the trained pairs whose outputs a pair takes."""
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
        sources = {int(c): self._sources(task, int(c)) for c in task.scored}
        borrowed = [
            f"{task.pair(c)} by {task.pair(int(found[0]))}"
            for c, found in sources.items()
            if len(found) and found[0] != c
        ]
        return (
            (f"outputs of held-out pairs: {', '.join(borrowed)}",) if borrowed else ()
        )


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
