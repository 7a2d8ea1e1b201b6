"""Which tracks a training step leaves out, so that networks also work with few tracks.

Most pairs that nobody measured are of cell lines with one or two tracks, or of TFs
measured in one or two cell lines. Masks imitate them: of a cell line or TF that is drawn,
none to two tracks are left. All tracks of a pair are left out together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["TrackMasks"]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_MAX_LEFT = 2  # tracks of a cell line, or TF, that is measured poorly
_FRACTIONS = (0.05, 0.7)  # of what is drawn
_FEW_OPEN = 0.6  # of the masks lack some accessibility


class TrackMasks:
    """Draws the tracks that are left out.

    Parameters
    ----------
    tf, cell : int64 array, shape (n_tracks,)
        Rows of the vocabulary; accessibility comes after the last TF.
    n_tfs : int
    rng : numpy.random.Generator
    """

    def __init__(
        self, tf: Ints, cell: Ints, n_tfs: int, rng: np.random.Generator
    ) -> None:
        self._rng = rng
        self._is_open = tf == n_tfs
        pairs = tf * (int(cell.max(initial=0)) + 1) + cell
        self._pair = np.unique(pairs, return_inverse=True)[1]
        peaks = ~self._is_open
        self._names = cell, tf
        self._counts = tuple(
            np.bincount(names[peaks], minlength=int(names.max(initial=0)) + 1)
            for names in self._names
        )

    def draw(self, n: int) -> Mask:
        """Draw a mask for each of some sites.

        Parameters
        ----------
        n : int

        Returns
        -------
        bool array, shape (n, n_tracks)
            True for a track to use.
        """
        rng, n_tracks = self._rng, len(self._pair)
        fraction = rng.uniform(*_FRACTIONS, (n, 1)).astype(np.float32)
        way = rng.integers(0, 4, n)
        pair_draw = rng.random((n, int(self._pair.max(initial=0)) + 1), np.float32)
        drawn = pair_draw[:, self._pair]
        kept = np.ones((n, n_tracks), dtype=bool)
        kept[way == 0] = (drawn > fraction)[way == 0]
        for number, (names, counts) in enumerate(
            zip(self._names, self._counts, strict=True)
        ):
            rows = np.flatnonzero(way == 1 + number)
            shape = len(rows), len(counts)
            is_poor = rng.random(shape, np.float32) < fraction[rows]
            n_left = rng.integers(0, _MAX_LEFT + 1, shape)
            left = n_left / np.maximum(counts, 1)
            kept[rows] = ~is_poor[:, names] | (drawn[rows] < left[:, names])
        rows = np.flatnonzero(
            way == 3
        )  # few tracks in some cell lines, and fewer in all
        cells = self._names[0]
        is_poor = rng.random((len(rows), len(self._counts[0])), np.float32) < 0.3
        few = np.where(is_poor[:, cells], drawn[rows] < 0.1, drawn[rows] < 0.85)
        kept[rows] = few
        kept[:, self._is_open] = self._draw_open(n)
        return kept

    def _draw_open(self, n: int) -> Mask:
        """Draw the accessibility to use: mostly all of it, sometimes none."""
        rng = self._rng
        share = rng.choice(
            [1.0, 0.6, 0.1, 0.0], (n, 1), p=[1 - _FEW_OPEN, 0.4, 0.1, 0.1]
        )
        found: Mask = rng.random((n, int(self._is_open.sum()))) < share
        return found

    def draw_shared(self) -> Mask:
        """Draw one mask for a whole batch; some pairs are always left out.

        Returns
        -------
        bool array, shape (n_tracks,)
            True for a track to use.
        """
        rng = self._rng
        fraction = rng.choice([0.03, 0.08, 0.2])
        by_pair = rng.random(int(self._pair.max(initial=0)) + 1) > fraction
        kept: Mask = by_pair[self._pair]
        if rng.random() < 0.5:
            kept &= self.draw(1)[0]
        else:
            kept[self._is_open] = self._draw_open(1)[0]
        peaks = np.flatnonzero(~self._is_open)
        if len(peaks) and kept[peaks].all():
            kept[self._pair == self._pair[rng.choice(peaks)]] = False
        return kept
