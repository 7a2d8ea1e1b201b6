"""Training steps in which some TFs and cell lines are as good as new.

`extend` adds names that the network has not seen: their embeddings are fitted to one or a
few tracks, and lie near the mean. A network that always had the embedding of every name
reads the tracks of such a name badly. So in some steps the embeddings of some names are
moved towards the mean, few of their tracks are left, and mostly their pairs are predicted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tfimpute_tracks.models.evidence_network import EvidenceNetwork
from tfimpute_tracks.models.extension import EVIDENCE_EMBEDDINGS, Kind

__all__ = ["NewNamesStep"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_FRACTION = 0.15  # of the names
_MAX_LEFT = 2  # tracks of a name
_PREDICTED = 2 / 3  # of the pairs that a step predicts, at most


@dataclass(frozen=True)
class NewNamesStep:
    """Which TFs and cell lines are new in a step.

    Attributes
    ----------
    tfs, cells : float32 array, shape (n_tfs,), (n_cells,)
        How much of a name's distance from the mean is left: 1 for a known name.
    """

    tfs: Floats
    cells: Floats

    @classmethod
    def draw(cls, n_tfs: int, n_cells: int, rng: np.random.Generator) -> NewNamesStep:
        """Draw new names.

        Parameters
        ----------
        n_tfs, n_cells : int
        rng : numpy.random.Generator

        Returns
        -------
        NewNamesStep
        """

        def left(n: int) -> Floats:
            is_new = rng.random(n) < _FRACTION
            return np.where(is_new, rng.random(n), 1).astype(np.float32)

        return cls(left(n_tfs), left(n_cells))

    def leave_few(
        self, kept: Mask, tf: Ints, cell: Ints, rng: np.random.Generator
    ) -> Mask:
        """Leave none to two tracks of each new name.

        Parameters
        ----------
        kept : bool array, shape (n_tracks,)
            True for a track to use.
        tf, cell : int64 array, shape (n_tracks,)
            Rows of the vocabulary; accessibility, which comes after the last TF, stays.
        rng : numpy.random.Generator

        Returns
        -------
        bool array, shape (n_tracks,)
        """
        is_peaks = tf < len(self.tfs)
        found = kept.copy()
        for left, names in ((self.tfs, tf), (self.cells, cell)):
            for name in np.flatnonzero(left < 1):
                own = rng.permutation(
                    np.flatnonzero(found & is_peaks & (names == name))
                )
                found[own[rng.integers(0, _MAX_LEFT + 1) :]] = False
        return found

    def choose(
        self, pairs: Ints, tf: Ints, cell: Ints, n: int, rng: np.random.Generator
    ) -> Ints:
        """Choose pairs to predict, most of them of new names.

        Parameters
        ----------
        pairs : int64 array
            To choose from.
        tf, cell : int64 array
            Rows of the vocabulary of every pair.
        n : int
            At most.
        rng : numpy.random.Generator

        Returns
        -------
        int64 array
        """
        drawn = rng.permutation(pairs)
        is_new = (self.tfs[tf[drawn]] < 1) | (self.cells[cell[drawn]] < 1)
        new = drawn[is_new][: int(_PREDICTED * n)]
        return np.concatenate([new, drawn[~is_new][: n - len(new)]])

    def embeddings(self, network: EvidenceNetwork) -> dict[str, Tensor]:
        """Move the embeddings of new names towards the mean.

        Parameters
        ----------
        network : EvidenceNetwork

        Returns
        -------
        dict of str to float32 tensor
            Parameters in place of the network's; gradients reach the network's.
        """
        parameters = dict(network.named_parameters())
        found = {}
        kinds: tuple[tuple[Kind, Floats], ...] = ("tf", self.tfs), ("cell", self.cells)
        for kind, left in kinds:
            weight = torch.from_numpy(left)[:, None]
            for name in EVIDENCE_EMBEDDINGS[kind]:
                vectors = parameters[name]
                known = vectors[: len(left)]  # without that of accessibility
                mean = known.mean(0, keepdim=True)
                moved = mean + weight * (known - mean)
                found[name] = torch.cat([moved, vectors[len(left) :]])
        return found
