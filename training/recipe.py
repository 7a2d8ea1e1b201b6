"""Recipes: the hyperparameters of a training run, without network sizes and data.

A recipe is part of the training state and of the model card, so that a run can be
resumed and repeated. Presets are declared with the networks that they train
(:mod:`tfimpute_tracks.models.registry`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from tfimpute_tracks.errors import UsageError

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of a training run.

    Parameters
    ----------
    optimizer : {"adamw", "adadelta"}
    learning_rate : float
        For all parameters except filters and dense layers.
    filter_learning_rate : float
        For the filters and their biases.
    dense_learning_rate : float
        For residual blocks and recurrent layers.
    schedule : {"cosine", "step"}
        `cosine`: at most 200 steps of warm-up, then half a cosine to 1 % over the run.
        `step`: multiply by 1 - `decay` every `decay_every` sequences; with
        `cells_per_step` every so many (sequence, cell line) instances.
    decay, decay_every : float, int
        See `schedule`.
    epochs, batch_size : int
        0 epochs keep the initial weights. Batch size in sequences; the loss is over all
        labelled pairs of each.
    balance_classes : bool
        Weight positives and negatives equally within a pair.
    pair_exponent : float
        A pair's weight is its number of positives to this power; 0 weights all pairs
        equally. Needs `balance_classes`.
    masked_bases : int
        Length in bp of a random segment of each sequence that is replaced by N, so that
        the network learns more than one motif of a site.
    dropout : float
        Dropout rate within a residual trunk.
    cells_per_step : int
        Cell lines drawn for each step, whose pairs make its loss; 0 for all. A
        recurrent network reads every sequence once per cell line.
    weight_decay : float
        Of AdamW; a tenth of it for the filters. It improves TFs with few data sets at
        the cost of some cell-specific detail.
    ema_decay : float
        Decay per step of the exponential moving average of the weights, which becomes
        the model; 0 keeps the last weights.
    filter_std, bias_init : float
        Initial filters are N(0, `filter_std`), initial filter biases `bias_init`.
    teacher_weight : float
        With a teacher: weight of its probability of a site against the label, 0 to 1.
    teacher_pairs : int
        With a teacher: pairs without labels that a step learns.
    seed : int

    Raises
    ------
    UsageError
        `dropout` or `ema_decay` is 1 or more, `teacher_weight` is not within 0
        and 1, `teacher_pairs` is below 0, or `decay_every` is below 1.
    """

    optimizer: Literal["adamw", "adadelta"] = "adamw"
    learning_rate: float = 1.5e-2
    filter_learning_rate: float = 4e-2
    dense_learning_rate: float = 2e-3
    schedule: Literal["cosine", "step"] = "cosine"
    decay: float = 0.0
    decay_every: int = 1
    epochs: int = 12
    batch_size: int = 512
    balance_classes: bool = True
    pair_exponent: float = 0.5
    masked_bases: int = 0
    dropout: float = 0.0
    cells_per_step: int = 0
    weight_decay: float = 0.01
    ema_decay: float = 0.998
    filter_std: float = 0.05
    bias_init: float = 0.0
    teacher_weight: float = 0.5
    teacher_pairs: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("dropout", "ema_decay"):
            if getattr(self, name) >= 1:
                raise UsageError(
                    f"recipe {name}={getattr(self, name):g} is not below 1; "
                    "use 0 or more, and less than 1"
                )
        if not 0 <= self.teacher_weight <= 1 or self.teacher_pairs < 0:
            raise UsageError(
                f"recipe teacher_weight={self.teacher_weight:g}, "
                f"teacher_pairs={self.teacher_pairs} is out of range; use a weight of 0 to "
                "1, and 0 pairs or more"
            )
        if self.decay_every < 1:
            raise UsageError(
                f"recipe decay_every={self.decay_every} is not positive; use 1 or more"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the hyperparameters by name.

        Returns
        -------
        dict of name to JSON value
        """
        return asdict(self)
