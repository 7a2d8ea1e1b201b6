"""Hyperparameters of a network that reads tracks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.training.summary_fit import SummaryRecipe

__all__ = ["EvidenceRecipe"]


@dataclass(frozen=True)
class EvidenceRecipe:
    """Hyperparameters of a network that reads tracks.

    Parameters
    ----------
    epochs : int
        At held-out sites.
    batch_size : int
        Sites.
    learning_rate, weight_decay : float
        Of AdamW; the rate rises and falls once.
    trained_epochs, trained_learning_rate : int, float
        At the sites that the sequence model was trained on, which come first.
    max_trained_sites : int
        So many of them are drawn.
    negative_fraction : float
        Fraction of the sites without any peak that an epoch samples; their weights make
        up for the others.
    pair_exponent : float
        The weight of a pair is its fraction of bound sites to this power, 0 to 1.
    new_names : float
        Fraction of the steps in which some TFs and cell lines are as good as new.
    seed : int
    summary : SummaryRecipe

    Raises
    ------
    UsageError
        A value is out of range.
    """

    epochs: int = 40
    batch_size: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    trained_epochs: int = 24
    trained_learning_rate: float = 5e-3
    max_trained_sites: int = 140_000
    negative_fraction: float = 0.25
    pair_exponent: float = 0.5
    new_names: float = 0.25
    seed: int = 0
    summary: SummaryRecipe = field(default_factory=SummaryRecipe)

    def __post_init__(self) -> None:
        rates = self.learning_rate, self.trained_learning_rate
        numbers = self.epochs, self.trained_epochs, self.batch_size
        positive = min(*rates, *numbers, self.max_trained_sites) > 0
        fractions = self.negative_fraction, self.new_names, self.pair_exponent
        if not (positive and fractions[0] and all(0 <= f <= 1 for f in fractions)):
            raise UsageError(
                f"{self} is out of range: fractions are within 0 and 1, epochs, batch "
                "size, sites and learning rates are above 0"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the hyperparameters by name.

        Returns
        -------
        dict
        """
        return asdict(self)
