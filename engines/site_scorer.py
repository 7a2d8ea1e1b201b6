"""The sites of a data set, scored for any pairs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.sites import chrom_sites
from tfimpute_tracks.models.model import Model

__all__ = ["site_scorer"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def site_scorer(
    model: Model,
    dataset: Dataset,
    rows: Ints,
    device: str = "cpu",
    *,
    use_evidence: bool = True,
) -> Callable[[list[tuple[int, int]]], Floats]:
    """Set a model up to score any pairs at labeled sites.

    Parameters
    ----------
    model : Model
    dataset : Dataset
    rows : int64 array
        Sites.
    device : str
        A torch device.
    use_evidence : bool
        False scores by sequence alone.

    Returns
    -------
    callable
        Maps (TF row, cell-line row) pairs to log-odds of the score, before calibration,
        float32 (n_sites, n_pairs).

    Raises
    ------
    InputFileError
        The evidence is of another genome than the data set.
    """
    if use_evidence and model.evidence is not None:
        sizes = dict(zip(dataset.chroms, dataset.chrom_sizes, strict=True))
        model.evidence.store.check_genome(sizes, "the data set's")
    codes, sites = dataset.codes[rows], list(chrom_sites(dataset, rows))
    tfs, cells = model.tfs, model.cells

    def score(pairs: list[tuple[int, int]]) -> Floats:
        named = [(tfs[tf], cells[cell]) for tf, cell in pairs]
        scorer = Scorer(
            model, named, device=device, use_evidence=use_evidence, calibrated=False
        )
        return scorer.score_sites(codes, sites)

    return score
