"""What a scan keeps of each tile until its files are written: a few values, by signal.

For the probability it is each pair's own. For other signals it is log-odds, which keep
differences between probabilities near 0 and 1; and for the specificity one value per TF,
the mean over all cell lines of the model. Those are reduced where they are computed, so
a scan that compares with ninety cell lines takes no more memory and disk than one that
does not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.tracks.signals import (
    SignalName,
    logits_to_signal,
    mean_probability,
)
from tfimpute_tracks.vocabulary import Pair

__all__ = ["Columns"]

Floats = NDArray[np.float32]


class Columns:
    """The values that are kept of a tile.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
        Whose tracks are made.
    names : list of str
        Name of each pair's column.
    signal : str
        Of :data:`tfimpute_tracks.tracks.signals.SIGNALS`.

    Attributes
    ----------
    required_pairs : list of Pair
        Whose log-odds are needed.
    names : list of str
        Of all columns. Those of TFs do not depend on the pairs.
    """

    def __init__(
        self, model: Model, pairs: list[Pair], names: list[str], signal: SignalName
    ) -> None:
        self._signal = signal
        self._n_pairs = len(pairs)
        self._n_cells = len(model.cells)
        self.required_pairs, self.names = pairs, names
        self._calibrations = [model.calibration(pair) for pair in pairs]
        if signal == "specificity":
            tfs = list(dict.fromkeys(pair.tf for pair in pairs))
            self.required_pairs = [Pair(tf, cell) for tf in tfs for cell in model.cells]
            self.names = [*names, *(f"mean.{model.tfs.index(tf)}" for tf in tfs)]
            index = {pair: i for i, pair in enumerate(self.required_pairs)}
            self._own = [index[pair] for pair in pairs]
            self._mean_of = [len(pairs) + tfs.index(pair.tf) for pair in pairs]

    def reduce(self, logits: Floats) -> Floats:
        """Reduce log-odds to what is kept.

        Parameters
        ----------
        logits : float32 array, shape (n_tiles, len(required_pairs))

        Returns
        -------
        float32 array, shape (n_tiles, len(names))
        """
        if self._signal == "probability":
            return sigmoid(logits)
        if self._signal in {"log-odds", "score"}:
            return logits
        kept = np.empty((len(logits), len(self.names)), dtype=np.float32)
        kept[:, : self._n_pairs] = logits[:, self._own]
        for column in range(self._n_pairs, len(self.names)):
            first = (column - self._n_pairs) * self._n_cells
            kept[:, column] = mean_probability(logits[:, first : first + self._n_cells])
        return kept

    def columns_for(self, index: int) -> list[int]:
        """Return the columns that a pair's signal is made of.

        Parameters
        ----------
        index : int
            Of the pair.

        Returns
        -------
        list of int
        """
        return (
            [index, self._mean_of[index]] if self._signal == "specificity" else [index]
        )

    def scores(self, index: int, kept: Sequence[Floats]) -> tuple[Floats, Floats]:
        """Make a pair's probabilities and signal of what was kept.

        Parameters
        ----------
        index : int
            Of the pair.
        kept : sequence of float32 array, shape (n_tiles,)
            The columns of :meth:`columns_for`.

        Returns
        -------
        probability, drawn : float32 arrays, shape (n_tiles,)
        """
        if self._signal == "probability":
            return kept[0], kept[0]
        mean = kept[1] if len(kept) > 1 else None
        drawn = logits_to_signal(self._signal, kept[0], mean, self._calibrations[index])
        return sigmoid(kept[0]), drawn
