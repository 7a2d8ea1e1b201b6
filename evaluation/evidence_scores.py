"""Sites judged by letters and measured tracks together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.engines.numba_backend import NUMBA
from tfimpute_tracks.evaluation.scored_pairs import Score
from tfimpute_tracks.evaluation.predict import predict_sites
from tfimpute_tracks.evidence import EvidenceStore
from tfimpute_tracks.models.evidence import Evidence, PairEvidence
from tfimpute_tracks.models.model import Model

__all__ = [
    "ChromSites",
    "check_dataset",
    "chrom_sites",
    "evidence_score",
    "letters_score",
    "model_score",
]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


class ChromSites(NamedTuple):
    """Sites of one chromosome.

    Attributes
    ----------
    chrom : str
    places : int64 array, shape (n,)
        Which of the sites asked for they are.
    centers : int64 array, shape (n,), ascending
        Where they lie: 0-based, in bp.
    """

    chrom: str
    places: Ints
    centers: Ints


def chrom_sites(dataset: Dataset, rows: Ints) -> Iterator[ChromSites]:
    """Sort sites by where they lie.

    Parameters
    ----------
    dataset : Dataset
    rows : int64 array
        Sites, in any order.

    Yields
    ------
    ChromSites
        Chromosome by chromosome.
    """
    chrom_id = dataset.chrom_id[rows]
    centers = dataset.start[rows] + dataset.seq_len // 2
    for number in np.unique(chrom_id):
        places = np.flatnonzero(chrom_id == number)
        places = places[np.argsort(centers[places], kind="stable")]
        yield ChromSites(dataset.chroms[number], places, centers[places])


def check_dataset(store: EvidenceStore, dataset: Dataset) -> None:
    """Refuse tracks of another genome than a data set's.

    Parameters
    ----------
    store : EvidenceStore
    dataset : Dataset

    Raises
    ------
    InputFileError
        No chromosome is in both, or one has another length.
    """
    sizes = dict(zip(dataset.chroms, dataset.chrom_sizes, strict=True))
    store.check_genome(sizes, "the data set's")


def letters_score(
    model: Model, dataset: Dataset, rows: Ints, device: str = "cpu"
) -> Score:
    """Make what scores pairs at sites by their letters.

    Parameters
    ----------
    model : Model
    dataset : Dataset
    rows : int64 array
        Sites.
    device : str
        A torch device.

    Returns
    -------
    callable
        Gives the log-odds of (TF row, cell-line row) pairs, float32 (n_sites, n_pairs).
    """
    network = model.network()
    if device == "cpu":
        network.backend = NUMBA
    else:
        network.to(device)
    codes = dataset.codes[rows]
    return lambda pairs: predict_sites(network, codes, pairs, device)


def model_score(
    model: Model, dataset: Dataset, rows: Ints, device: str = "cpu"
) -> Score:
    """Make what scores pairs at sites as a model does, by tracks where it has any.

    Parameters
    ----------
    model : Model
    dataset : Dataset
    rows : int64 array
        Sites.
    device : str
        A torch device.

    Returns
    -------
    callable
        As :func:`letters_score` gives it.
    """
    letters = letters_score(model, dataset, rows, device)
    if model.evidence is None:
        return letters
    return evidence_score(letters, model.evidence, dataset, rows)


def evidence_score(
    letters: Score,
    evidence: Evidence,
    dataset: Dataset,
    rows: Ints,
) -> Score:
    """Make what scores pairs at sites by letters and tracks, but those of their own.

    Parameters
    ----------
    letters : callable
        From :func:`letters_score`, of the same sites.
    evidence : Evidence
    dataset : Dataset
    rows : int64 array
        Sites.

    Returns
    -------
    callable
        As :func:`letters_score` gives it.

    Raises
    ------
    InputFileError
        The tracks are of another genome than the data set's.
    """
    check_dataset(evidence.store, dataset)
    parts = list(chrom_sites(dataset, rows))

    def score(pairs: list[tuple[int, int]]) -> Floats:
        logits = letters(pairs)
        judge = PairEvidence(evidence, pairs)
        for chrom, places, centers in parts:
            logits[places] = judge.logits(logits[places], chrom, centers)
        return logits

    return score
