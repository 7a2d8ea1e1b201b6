"""What filters add to the log-odds of a TF, and of a cell line.

Where a filter fires most strongly, M times the slope of the logit by M is its part in
the logit: with the paper's network, which is a sum in its winning unit, just that;
with others what it is at the margin. The mean over cell lines is a TF's, the mean over
TFs a cell line's.
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
    """Parts of filters in log-odds, the mean of the tiles where each fires most.

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
    """Find out what each filter adds for each TF and each cell line.

    Parameters
    ----------
    model : Model
    genome : Sequences
    motifs : sequence of FilterMotif
        Of every filter, in order; what they were found in is read again.

    Returns
    -------
    Drives
        Zero for filters that never fire.
    """
    import torch

    network = model.network()
    tiles, owners = _tiles(model, genome, motifs)
    n_tfs, n_cells = len(model.tfs), len(model.cells)
    k = len(motifs)
    found = FilterContributions(
        np.zeros((n_tfs, k), dtype=np.float32), np.zeros((n_cells, k), np.float32)
    )
    if not len(tiles):
        return found
    with torch.no_grad():
        forward, reverse = (
            network.motif_features(torch.from_numpy(np.ascontiguousarray(strand)))
            for strand in (tiles, np.stack([reverse_complement(t) for t in tiles]))
        )
    forward.requires_grad_()
    reverse.requires_grad_()
    which = torch.from_numpy(owners)
    rows = torch.arange(len(owners))
    counts = np.maximum(np.bincount(owners, minlength=k), 1)
    for out, n_others, kind in (
        (found.of_tfs, n_cells, "tf"),
        (found.of_cells, n_tfs, "cell"),
    ):
        others = torch.arange(n_others)
        for i in range(len(out)):
            own = torch.full((n_others,), i)
            pair = (own, others) if kind == "tf" else (others, own)
            logits = network.head(network.body(forward, reverse), *pair)
            slopes = torch.autograd.grad(logits.mean(dim=1).sum(), (forward, reverse))
            with torch.no_grad():
                parts = sum(
                    (m * slope).sum(dim=1)[rows, which]
                    for m, slope in zip((forward, reverse), slopes, strict=True)
                )
            assert isinstance(parts, torch.Tensor)
            out[i] = np.bincount(owners, parts.numpy(), minlength=k) / counts
    return found


def _tiles(
    model: Model, genome: Sequences, motifs: Sequence[FilterMotif]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read the tiles about the places of each filter, and whose they are."""
    length = model.config.seq_len
    tiles, owners = [], []
    for motif in motifs:
        for chrom, start, end in motif.places:
            first = (start + end - length) // 2
            tiles.append(read_past_ends(genome, chrom, first, first + length))
            owners.append(motif.number)
    if not tiles:
        return np.empty((0, length), np.uint8), np.empty(0, np.int64)
    return np.stack(tiles), np.array(owners, dtype=np.int64)
