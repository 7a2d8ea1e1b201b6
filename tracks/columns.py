"""What a scan keeps of each tile until its files are written: a few numbers, by signal.

For the probability, each pair's own. For other signals log-odds, which tell more than
probabilities near 0 and 1; and for the specificity one number per TF, the mean over all
cell lines of the model. Those are reduced where they are made, so a scan that compares
with ninety cell lines takes no more memory and disk than one that does not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.tracks.rendering import Scores
from tfimpute_tracks.tracks.signals import (
    SignalName,
    calibration_line,
    logits_to_signal,
    mean_probability,
)
from tfimpute_tracks.vocabulary import Pair

__all__ = ["Columns"]

Floats = NDArray[np.float32]


class Columns:
    """The numbers that are kept of a tile.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
        Those to be drawn.
    names : list of str
        What the column of each pair is called.
    signal : str
        Of :data:`tfimpute_tracks.tracks.signals.SIGNALS`.

    Attributes
    ----------
    judged : list of Pair
        Whose log-odds are needed.
    names : list of str
        Of all columns. Those of TFs do not depend on the pairs.

    Raises
    ------
    UsageError
        Calibrated scores are asked for, and the model has no calibration.
    """

    def __init__(
        self, model: Model, pairs: list[Pair], names: list[str], signal: SignalName
    ) -> None:
        self._signal = signal
        self._n_pairs = len(pairs)
        self._n_cells = len(model.cells)
        self.judged, self.names = pairs, names
        self._lines = (
            [calibration_line(model, pair) for pair in pairs]
            if signal == "calibrated"
            else None
        )
        if signal == "specificity":
            tfs = list(dict.fromkeys(pair.tf for pair in pairs))
            self.judged = [Pair(tf, cell) for tf in tfs for cell in model.cells]
            self.names = [*names, *(f"mean.{model.tfs.index(tf)}" for tf in tfs)]
            places = {pair: place for place, pair in enumerate(self.judged)}
            self._own = [places[pair] for pair in pairs]
            self._mean_of = [len(pairs) + tfs.index(pair.tf) for pair in pairs]

    def keep(self, logits: Floats) -> Floats:
        """Reduce log-odds to what is kept.

        Parameters
        ----------
        logits : float32 array, shape (n_tiles, len(judged))

        Returns
        -------
        float32 array, shape (n_tiles, len(names))
        """
        if self._signal == "probability":
            return sigmoid(logits)
        if self._signal in {"log-odds", "calibrated"}:
            return logits
        kept = np.empty((len(logits), len(self.names)), dtype=np.float32)
        kept[:, : self._n_pairs] = logits[:, self._own]
        for place in range(self._n_pairs, len(self.names)):
            first = (place - self._n_pairs) * self._n_cells
            kept[:, place] = mean_probability(logits[:, first : first + self._n_cells])
        return kept

    def of_pair(self, pair: int) -> list[int]:
        """Tell which columns a pair is drawn from.

        Parameters
        ----------
        pair : int
            Its place among the pairs.

        Returns
        -------
        list of int
        """
        return [pair, self._mean_of[pair]] if self._signal == "specificity" else [pair]

    def scores(self, pair: int, tiles: TileRange, kept: Sequence[Floats]) -> Scores:
        """Make scores of what was kept.

        Parameters
        ----------
        pair : int
            Its place among the pairs.
        tiles : TileRange
        kept : sequence of float32 array, shape (n_tiles,)
            The columns of :meth:`of_pair`.

        Returns
        -------
        Scores
        """
        if self._signal == "probability":
            return Scores(tiles, kept[0])
        line = self._lines[pair] if self._lines else None
        mean = kept[1] if len(kept) > 1 else None
        drawn = logits_to_signal(self._signal, kept[0], mean, line)
        return Scores(tiles, sigmoid(kept[0]), drawn)
