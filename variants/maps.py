"""A picture of what an allele does to every TF in every cell line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.models.model import Model
from tfimpute_tracks.plots.effects import effect_map
from tfimpute_tracks.plots.style import save_figure
from tfimpute_tracks.variants.alleles import Variant
from tfimpute_tracks.vocabulary import Pair

__all__ = ["draw_map"]


def draw_map(
    model: Model,
    pairs: list[Pair],
    variant: Variant,
    delta: NDArray[np.float32],
    stem: Path,
) -> Path:
    """Draw the changes of an allele.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    variant : Variant
    delta : float32 array, shape (n_pairs,)
        Probability of the alternative less that of the reference.
    stem : Path
        What the file's name begins with.

    Returns
    -------
    Path
        An SVG.

    Raises
    ------
    WriteError
        The disk is full, or the file cannot be written.
    """
    tfs, cells = (list(dict.fromkeys(names)) for names in zip(*pairs, strict=True))
    deltas = np.full((len(tfs), len(cells)), np.nan)
    data_sets = np.zeros(deltas.shape, dtype=np.int64)
    rows = {tf: row for row, tf in enumerate(tfs)}
    columns = {cell: column for column, cell in enumerate(cells)}
    for pair, value in zip(pairs, delta, strict=True):
        at = rows[pair.tf], columns[pair.cell]
        deltas[at] = value
        data_sets[at] = model.reliability(pair) == "seen"
    figure = effect_map(deltas, tfs, cells, data_sets, str(variant))
    chrom = variant.chrom.replace("/", "_")
    place = f"{chrom}-{variant.start + 1}-{variant.ref}-{variant.alt}"
    dest = stem.with_name(f"{stem.name}.{place}.svg")
    save_figure(figure, dest, f"Effects of {variant}", str(figure.get_label()))
    return dest
