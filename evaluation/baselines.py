"""What needs no letters: how often a site was bound in the TF's other cell lines.

A model that remembers how busy a site is reaches no further than this. It is made of
labels only, those of the very sites that are judged, in the cell lines that a model was
trained in: where a TF was measured elsewhere, it is what one would do without a model.
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
    """Give the share of the TF's other trained cell lines in which each site is bound.

    Parameters
    ----------
    dataset : Dataset
    rows : int64 array, shape (n_sites,)
        Sites.
    columns : int64 array, shape (n_pairs,)
        Pairs of the data set to judge.
    trained : int64 array
        Pairs of the data set whose cell lines may be counted. The judged pair itself
        never is, nor a replicate of it.

    Returns
    -------
    float32 array, shape (n_sites, n_pairs)
        0 to 1. Ignored labels are left out of a site's mean; a site of which nothing
        else is left has the mean over the other sites, so it ranks as an average one.
        NaN for a pair whose TF has no other trained cell line, and for a pair with
        sites that were made for it and of which no other cell line says anything: that
        they are unknown elsewhere would tell the pair's own labels.
    """
    judged = [dataset.pairs[i].tf for i in columns.tolist()]
    shares = np.full((len(rows), len(columns)), np.nan, dtype=np.float32)
    every = dataset.labels(rows, trained)
    made = np.zeros(len(rows), dtype=np.bool_)
    if dataset.default_label is not None:
        made = dataset.default_label[rows] < 0
    for_pair = dataset.labels(rows[made], columns) >= 0
    for tf in dict.fromkeys(judged):
        is_of_tf = [dataset.pairs[i].tf == tf for i in trained.tolist()]
        of_tf = [dataset.pairs[i] for i in trained[is_of_tf].tolist()]
        labels = every[:, is_of_tf]
        bound = (labels == 1).sum(axis=1)
        known = (labels >= 0).sum(axis=1)
        for place in (i for i, name in enumerate(judged) if name == tf):
            pair = dataset.pairs[int(columns[place])]
            own = labels[:, [other == pair for other in of_tf]]
            elsewhere = known - (own >= 0).sum(axis=1)
            if (for_pair[:, place] & (elsewhere[made] == 0)).any():
                continue
            share = _mean(bound - (own == 1).sum(axis=1), elsewhere)
            if share is not None:
                shares[:, place] = share
    return shares


def _mean(bound: Ints, known: Ints) -> NDArray[np.float64] | None:
    is_known = known > 0
    if not is_known.any():
        return None
    share = bound / np.maximum(known, 1)
    share[~is_known] = share[is_known].mean()
    return np.asarray(share, dtype=np.float64)
