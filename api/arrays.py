"""Tracks as xarray arrays: the layout is the same for scans and for stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.vocabulary import Pair

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["track_array"]


def track_array(
    tracks: Sequence[Sequence[Signal]],
    chrom_sizes: Mapping[str, int],
    pairs: Sequence[Pair],
    about: Mapping[str, Sequence[Any]],
    name: str,
    attrs: Mapping[str, Any],
) -> xr.DataArray:
    """Lay tracks out as one array.

    Parameters
    ----------
    tracks : sequence of sequence of Signal
        The parts of each pair's track, the same intervals for every pair; one pair at
        least.
    chrom_sizes : mapping of str to int
        In bp.
    pairs : sequence of Pair
    about : mapping of str to sequence
        Further coordinates of pairs.
    name : str
        Of the values.
    attrs : mapping
        Of the array.

    Returns
    -------
    DataArray, float32, dimensions (position, pair)
        A position is where a bin starts: 0-based, in bp. Coordinates are `position`,
        `chrom`, `end`, `pair`, `tf`, `cell`, and those of `about`.
    """
    import xarray as xr

    parts = tracks[0]
    lengths = [len(part.values) for part in parts]
    starts = np.concatenate([part.starts for part in parts])
    steps = np.repeat([part.step for part in parts], lengths)
    chroms = np.array([part.chrom for part in parts], dtype=object)
    last = np.repeat([chrom_sizes[part.chrom] for part in parts], lengths)
    columns = [np.concatenate([part.values for part in track]) for track in tracks]
    return xr.DataArray(
        np.stack(columns, axis=1),
        dims=("position", "pair"),
        coords={
            # The first bin may begin before its chromosome, the last end behind it.
            "position": np.maximum(starts, 0),
            "chrom": ("position", np.repeat(chroms, lengths)),
            "end": ("position", np.minimum(starts + steps, last)),
            "pair": [str(pair) for pair in pairs],
            "tf": ("pair", [pair.tf for pair in pairs]),
            "cell": ("pair", [pair.cell for pair in pairs]),
            **{key: ("pair", list(values)) for key, values in about.items()},
        },
        name=name,
        attrs=dict(attrs),
    )
