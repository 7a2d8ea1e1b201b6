"""Contributions of filters to the log-odds of a TF, and of a cell line.

Where a filter fires most strongly, its contribution is M times the derivative of the logit
with respect to M. In the paper's network, a sum in its best unit, this is exact; in other
networks it is a linear approximation. The contribution to a TF is the mean over cell lines,
and that to a cell line the mean over TFs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.genome import Sequences, read_past_ends
from tfimpute_tracks.interpret.filters import FilterMotif
from tfimpute_tracks.kernels.encode import reverse_complement
from tfimpute_tracks.models.model import Model

__all__ = ["FilterContributions", "filter_contributions"]

Floats = NDArray[np.float32]


class FilterContributions(NamedTuple):
    """Contributions of filters to log-odds, means over the tiles where each fires most.

    Attributes
    ----------
    of_tfs : float32 array, shape (n_tfs, K)
        Mean over cell lines.
    of_cells : float32 array, shape (n_cells, K)
        Mean over TFs.
    """

    of_tfs: Floats
    of_cells: Floats


def filter_contributions(
    model: Model, genome: Sequences, motifs: Sequence[FilterMotif]
) -> FilterContributions:
    """Compute the contribution of each filter to each TF and each cell line.

    Parameters
    ----------
    model : Model
    genome : Sequences
        In which the motifs were found.
    motifs : sequence of FilterMotif
        Of every filter, in order.

    Returns
    -------
    FilterContributions
        Zero for filters that never fire.
    """
    import torch

    network, k = model.network(), len(motifs)
    sizes = len(model.tfs), len(model.cells)
    found = FilterContributions(*(np.zeros((n, k), dtype=np.float32) for n in sizes))
    tiles, filters = _read_tiles(model, genome, motifs)
    if not len(tiles):
        return found
    with torch.no_grad():
        strands = [
            network.motif_features(torch.from_numpy(np.ascontiguousarray(strand)))
            for strand in (tiles, np.stack([reverse_complement(t) for t in tiles]))
        ]
    for features in strands:
        features.requires_grad_()
    own, rows = torch.from_numpy(filters), torch.arange(len(filters))
    counts = np.maximum(np.bincount(filters, minlength=k), 1)
    for is_cell, out in enumerate(found):
        others = torch.arange(sizes[1 - is_cell])
        for i in range(len(out)):
            pair = torch.full((len(others),), i), others
            tf, cell = reversed(pair) if is_cell else pair
            logits = network.head(network.body(*strands), tf, cell)
            slopes = torch.autograd.grad(logits.mean(dim=1).sum(), strands)
            with torch.no_grad():
                forward, reverse = (
                    (m * slope).sum(dim=1)[rows, own]
                    for m, slope in zip(strands, slopes, strict=True)
                )
            total = (forward + reverse).numpy()
            out[i] = np.bincount(filters, total, minlength=k) / counts
    return found


def _read_tiles(
    model: Model, genome: Sequences, motifs: Sequence[FilterMotif]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read the tiles where each filter fires most, and return their filters."""
    length = model.config.seq_len
    tiles, filters = [], []
    for motif in motifs:
        for chrom, start, end in motif.strongest:
            first = (start + end - length) // 2
            tiles.append(read_past_ends(genome, chrom, first, first + length))
            filters.append(motif.number)
    if not tiles:
        return np.empty((0, length), np.uint8), np.empty(0, np.int64)
    return np.stack(tiles), np.array(filters, dtype=np.int64)
