"""Average activity: how often a site is bound in the TF's other cell lines.

A baseline without sequence, made of the labels of the evaluated sites in the cell lines
that a model was trained in. Where a TF was measured elsewhere, it is what one would use
without a model; a model that only memorizes the overall occupancy of sites gets no
further.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import Dataset

__all__ = ["average_activity"]

Ints = NDArray[np.int64]


def average_activity(
    dataset: Dataset, rows: Ints, columns: Ints, trained: Ints
) -> NDArray[np.float32]:
    """Compute the fraction of the TF's other trained cell lines that bind each site.

    Parameters
    ----------
    dataset : Dataset
    rows : int64 array, shape (n_sites,)
        Sites.
    columns : int64 array, shape (n_pairs,)
        Pairs of the data set to score.
    trained : int64 array
        Pairs of the data set whose cell lines are counted. The scored pair itself never
        is, nor a replicate of it.

    Returns
    -------
    float32 array, shape (n_sites, n_pairs)
        0 to 1. Ignored labels are left out of a site's mean; a site without any other
        label gets the mean over the other sites, so it ranks as an average one. NaN for
        a pair whose TF has no other trained cell line, and for a pair with sites that
        were made for it and are unlabeled in all other cell lines: that they are
        unlabeled elsewhere would give away the pair's own labels.
    """
    tfs = [dataset.pairs[i].tf for i in columns.tolist()]
    activity = np.full((len(rows), len(columns)), np.nan, dtype=np.float32)
    trained_labels = dataset.labels(rows, trained)
    made = np.zeros(len(rows), dtype=np.bool_)
    if dataset.default_label is not None:
        made = dataset.default_label[rows] < 0
    for_pair = dataset.labels(rows[made], columns) >= 0
    for tf in dict.fromkeys(tfs):
        is_of_tf = [dataset.pairs[i].tf == tf for i in trained.tolist()]
        of_tf = [dataset.pairs[i] for i in trained[is_of_tf].tolist()]
        labels = trained_labels[:, is_of_tf]
        bound = (labels == 1).sum(axis=1)
        known = (labels >= 0).sum(axis=1)
        for i in (i for i, name in enumerate(tfs) if name == tf):
            pair = dataset.pairs[int(columns[i])]
            own = labels[:, [other == pair for other in of_tf]]
            n_known = known - (own >= 0).sum(axis=1)
            if (for_pair[:, i] & (n_known[made] == 0)).any() or not n_known.any():
                continue
            mean = (bound - (own == 1).sum(axis=1)) / np.maximum(n_known, 1)
            mean[n_known == 0] = mean[n_known > 0].mean()
            activity[:, i] = mean
    return activity
