"""How a network is trained: everything a run needs beside network and data.

A recipe is a frozen set of numbers that goes into the training state and the model
card, so that a run can be resumed and repeated. Two presets: what trained best here,
and the paper's.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from tfimpute_tracks.errors import UsageError

__all__ = ["RECIPES", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """The numbers of a training run.

    Parameters
    ----------
    optimizer : {"adamw", "adadelta"}
    learning_rate : float
        Of everything but the filters.
    filter_learning_rate : float
        Of the filters and their biases.
    dense_learning_rate : float
        Of residual blocks and recurrent layers.
    schedule : {"cosine", "step"}
        `cosine`: at most 200 steps of warm-up, then half a cosine to 1 % over the run.
        `step`: minus `decay` after every `decay_every` sequences; with `cells_per_step`
        after as many (sequence, cell line) instances.
    decay, decay_every : float, int
        See `schedule`.
    epochs, batch_size : int
        Batches are counted in sequences; each teaches all its labelled pairs.
    balance : bool
        Whether both classes weigh the same within a pair.
    pair_exponent : float
        A pair weighs its positives to this power; 0 makes all pairs equal. Needs
        `balance`.
    hidden : int
        Letters in a row of each sequence that a step does not see: it must make do
        with other motifs.
    dropout : float
        Share of the numbers of a deeper trunk that a step leaves out.
    cells_per_step : int
        Cell lines, drawn anew, whose pairs a step teaches; 0: all. A recurrent network
        reads every sequence once for each.
    weight_decay : float
        Of AdamW; the filters get a tenth of it. It gives up some cell-specific detail
        and finds TFs with few data sets, which is worth more.
    average : float
        Decay per step of the running mean of weights that is kept as the model; 0
        keeps the last weights.
    filter_std, bias : float
        Start of the filters, N(0, filter_std), and of their biases.
    seed : int

    Raises
    ------
    UsageError
        `dropout` or `average` is 1 or more, or `decay_every` none.
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
    balance: bool = True
    pair_exponent: float = 0.5
    hidden: int = 0
    dropout: float = 0.0
    cells_per_step: int = 0
    weight_decay: float = 0.01
    average: float = 0.998
    filter_std: float = 0.05
    bias: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("dropout", "average"):
            if getattr(self, name) >= 1:
                raise UsageError(
                    f"{name}={getattr(self, name):g} in the recipe; give less than 1"
                )
        if self.decay_every < 1:
            raise UsageError("decay_every=0 in the recipe; give a positive integer")

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers by name.

        Returns
        -------
        dict of name to JSON value
        """
        return asdict(self)


RECIPES: dict[str, Recipe] = {
    "default": Recipe(),
    "deep": Recipe(
        learning_rate=1e-2,
        filter_learning_rate=1e-2,
        dense_learning_rate=3e-3,
        epochs=12,
        batch_size=256,
        dropout=0.25,
        hidden=20,
    ),
    "gru": Recipe(
        learning_rate=5e-3,
        filter_learning_rate=1e-2,
        dense_learning_rate=1e-3,
        schedule="step",
        decay=0.01,
        decay_every=200_000,
        epochs=5,
        batch_size=256,
        cells_per_step=4,
    ),
    "paper": Recipe(
        optimizer="adadelta",
        learning_rate=1.0,
        filter_learning_rate=1.0,
        schedule="step",
        decay=0.03,
        decay_every=50_000,
        epochs=10,
        batch_size=32,
        balance=False,
        weight_decay=0.0,
        average=0.0,
        filter_std=0.01,
        bias=-4.0,
    ),
}
"""Presets. `paper` follows the paper's Methods; its `paper-random` trains likewise."""
