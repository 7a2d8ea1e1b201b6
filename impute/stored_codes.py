"""What is read of a store: rows of pairs along the genome, or all pairs at a locus."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.kernels.codes import Scale, decode_codes

__all__ = ["Locus", "Rows"]


class Locus(NamedTuple):
    """Codes of pairs at neighboring tiles.

    Attributes
    ----------
    first_pair : int
        Index of the first one in the plan.
    starts : int64 array, shape (n_tiles,)
        Where each score is drawn: 0-based, bp.
    codes : uint8 array, shape (n_pairs, n_tiles)
        Of :mod:`tfimpute_tracks.kernels.codes`.
    is_missing : bool array, shape (n_tiles,)
    """

    first_pair: int
    starts: NDArray[np.int64]
    codes: NDArray[np.uint8]
    is_missing: NDArray[np.bool_]


class Rows(NamedTuple):
    """Codes of some pairs at the tiles of one range, or of several short ones.

    Attributes
    ----------
    ranges : tuple of TileRange
    codes : uint8 array, shape (n_pairs, n_tiles)
        Of :mod:`tfimpute_tracks.kernels.codes`; the tiles of one range after the other.
    is_missing : bool array, shape (n_tiles,)
    """

    ranges: tuple[TileRange, ...]
    codes: NDArray[np.uint8]
    is_missing: NDArray[np.bool_]

    def log_odds(self, row: int, scale: Scale) -> NDArray[np.float32]:
        """Decode one pair's codes.

        Parameters
        ----------
        row : int
        scale : Scale
            Of this pair alone.

        Returns
        -------
        float32 array, shape (n_tiles,)
            NaN where the tile has no value, minus infinity where no score is stored.
        """
        values: NDArray[np.float32] = decode_codes(self.codes[row : row + 1], scale)[0]
        values[self.is_missing] = np.nan
        return values
