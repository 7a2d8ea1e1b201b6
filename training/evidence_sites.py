"""Training data of a network that reads tracks: scores, peaks and labels of sites."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from torch import Tensor

from tfimpute_tracks.dataset import Dataset, HoldOut, trained_sites
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.engines.sites import chrom_sites
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.evidence import EvidenceStore
from tfimpute_tracks.models.evidence import track_rows
from tfimpute_tracks.models.evidence_weights import EvidenceConfig
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.training.track_sites import window_matrices

__all__ = [
    "EvidenceSites",
    "held_out_sites",
    "read_evidence_sites",
    "trained_columns",
]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class EvidenceSites:
    """Sites to train on.

    Attributes
    ----------
    logits : float32 array, shape (n_sites, n_pairs)
        Log-odds from sequence only.
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 unknown.
    windows : list of sparse float32 array, shape (n_sites, n_tracks)
        Fraction of each window of a site under the peaks of each track.
    tf, cell : int64 tensor, shape (n_pairs,)
        Rows of the vocabulary.
    track_tf, track_cell : int64 tensor, shape (n_tracks,)
        The same of the tracks; accessibility comes after the last TF.
    config : EvidenceConfig
    """

    logits: NDArray[np.float32]
    labels: NDArray[np.int8]
    windows: list[csr_matrix]
    tf: Tensor
    cell: Tensor
    track_tf: Tensor
    track_cell: Tensor
    config: EvidenceConfig


def trained_columns(model: Model, dataset: Dataset) -> Ints:
    """Find the pairs of a data set that a model was trained on.

    Parameters
    ----------
    model : Model
        A model whose card lists no trained pair counts as trained on the base pairs.
    dataset : Dataset

    Returns
    -------
    int64 array
        Columns.
    """
    trained = [model.is_trained(pair) for pair in dataset.pairs]
    if not any(trained):
        trained = [role == "base" for role in dataset.roles]
    return np.flatnonzero(trained)


def held_out_sites(
    model: Model, dataset: Dataset, test_chroms: tuple[str, ...]
) -> tuple[Ints, Ints]:
    """Find the sites that a model was not trained on.

    Parameters
    ----------
    model : Model
    dataset : Dataset
    test_chroms : tuple of str

    Returns
    -------
    train, test : int64 array
        Held-out sites outside the test chromosomes, to train on, and those of the test
        chromosomes.

    Raises
    ------
    UsageError
        The model was trained on all sites outside the test chromosomes.
    RegionError
        A test chromosome has no site.
    """
    hold_out = HoldOut("chromosomes", test_chroms)
    test = hold_out.split(dataset).test
    used = trained_sites(model.card, dataset, hold_out).rows
    train = np.setdiff1d(np.arange(dataset.n_sites), np.union1d(used, test))
    if not len(train):
        raise UsageError(
            f"{model.name} was trained on every site outside {', '.join(test_chroms)}, "
            "and its scores of training sites are too good to learn from; use a data "
            "set with a validation chromosome of the model"
        )
    return train, test


def read_evidence_sites(
    model: Model,
    store: EvidenceStore,
    dataset: Dataset,
    rows: Ints,
    columns: Ints,
    config: EvidenceConfig,
) -> EvidenceSites:
    """Read the sites to train on.

    Parameters
    ----------
    model : Model
        That reads sequence.
    store : EvidenceStore
    dataset : Dataset
    rows : int64 array
        Sites, best those that the model was not trained on: its scores of training
        sites are too good.
    columns : int64 array
        Training pairs.
    config : EvidenceConfig

    Returns
    -------
    EvidenceSites

    Raises
    ------
    UsageError
        The tracks have no data for any of the sites.
    InputFileError
        They are of another genome.
    """
    parts: list[list[csr_matrix]] = []
    index = []
    for chrom, some, centers in chrom_sites(dataset, rows):
        if not store.has_peaks(chrom).any():
            continue
        starts = centers - config.window // 2
        covered = store.in_coverage(chrom, starts, config.window)
        coverage = store.window_coverage(chrom, centers, config.windows)
        matrices = window_matrices(coverage, len(store.tracks))
        parts.append([matrix[covered] for matrix in matrices])
        index.append(some[covered])
    if not sum(map(len, index)):
        raise UsageError(
            f"{store.name} has no data for the {len(rows):,} training sites; build it "
            "from peaks of the same genome, without --region"
        )
    sizes = dict(zip(dataset.chroms, dataset.chrom_sizes, strict=True))
    store.check_genome(sizes, "the data set's")
    chosen = rows[np.concatenate(index)]
    pairs = model.vocabulary.pair_indices([dataset.pairs[i] for i in columns])
    tf, cell = torch.tensor(pairs).reshape(-1, 2).unbind(1)
    track_tf, track_cell = map(torch.from_numpy, track_rows(store, model.vocabulary))
    return EvidenceSites(
        site_scorer(model, dataset, chosen, use_evidence=False)(pairs),
        dataset.labels(chosen, columns),
        [vstack(each, format="csr") for each in zip(*parts, strict=True)],
        tf,
        cell,
        track_tf,
        track_cell,
        config,
    )
