"""From a finished run to weights with their card.

The card holds what can be known without new experiments: how the weights came about,
with which data, and how well each measured pair is ranked on the test sites.
Each pair, seen or not, has a threshold for calling peaks: the score that as many sites
exceed as its TF binds on average in the cell lines it was trained in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from tfimpute_tracks import __version__
from tfimpute_tracks.dataset import REPLICATE, Dataset, Split
from tfimpute_tracks.engines.numba_backend import NUMBA
from tfimpute_tracks.engines.sites import predict_sites
from tfimpute_tracks.evaluation import evaluate_model
from tfimpute_tracks.evaluation.fdr_calibration import (
    SiteScores,
    calibrate_probabilities,
    calibrate_trained_pairs,
    score_sites,
)
from tfimpute_tracks.evaluation.metrics import role_means
from tfimpute_tracks.models.checkpoint import write_checkpoint
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.training.context_fit import calibration_sites
from tfimpute_tracks.training.fit import TrainingRun

__all__ = [
    "MAX_SITES_RECURRENT",
    "MAX_THRESHOLD_SITES",
    "export_run",
    "pair_thresholds",
    "rounded",
    "spread",
    "tf_bound_fractions",
]

MAX_THRESHOLD_SITES = 6000
"""Validation sites that thresholds are read from."""
MAX_SITES_RECURRENT = 1000
"""So many where every cell line costs a reading: for thresholds, and of each chromosome
that a card tells figures of."""

_ROOM = 1 << 26  # scores in memory at a time
_LEAST_SHARE, _LARGEST_SHARE = 0.001, 0.1  # of sites that may call peaks


def pair_thresholds(
    network: MotifNetwork,
    codes: NDArray[np.uint8],
    shares: NDArray[np.float64],
    advance: Callable[[int], None],
) -> NDArray[np.float32]:
    """Give the score that a TF's share of sites exceeds, for every pair.

    Parameters
    ----------
    network : MotifNetwork
        On the CPU.
    codes : uint8 array, shape (n_sites, L)
        Open-chromatin sites that trained nothing.
    shares : float64 array, shape (n_tfs,)
        From :func:`tf_bound_fractions`.
    advance : callable
        Told how many more cell lines are done.

    Returns
    -------
    float32 array, shape (n_tfs, n_cells)
        Probabilities.
    """
    n_tfs, n_cells = network.n_tfs, network.n_cells
    logits = np.empty((n_tfs, n_cells), dtype=np.float32)
    # Cell lines at a time: a trunk reads the sequences once for each group.
    group = max(1, _ROOM // (len(codes) * n_tfs))
    for first in range(0, n_cells, group):
        cells = range(first, min(n_cells, first + group))
        pairs = [(tf, cell) for tf in range(n_tfs) for cell in cells]
        scores = predict_sites(network, codes, pairs)
        by_tf = scores.reshape(len(codes), n_tfs, len(cells))
        for tf, share in enumerate(shares):
            logits[tf, cells] = np.quantile(by_tf[:, tf], 1 - share, axis=0)
        advance(len(cells))
    thresholds: NDArray[np.float32] = expit(logits)
    return thresholds


def tf_bound_fractions(
    dataset: Dataset, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Give the share of training sites that each TF binds in a cell line.

    Parameters
    ----------
    dataset : Dataset
    rows : int64 array
        Training sites.
    columns : int64 array
        Trained pairs.

    Returns
    -------
    float64 array, shape (n_tfs,)
        The mean over the TF's trained cell lines, within 0.1 % and 10 %.
    """
    n_positive, n_negative = dataset.counts(rows)
    share = n_positive / np.maximum(n_positive + n_negative, 1)
    tfs = np.array(dataset.vocabulary.pair_indices(dataset.pairs[i] for i in columns))[
        :, 0
    ]
    n_tfs = len(dataset.vocabulary.tfs)
    total = np.bincount(tfs, share[columns], n_tfs)
    mean = total / np.maximum(np.bincount(tfs, minlength=n_tfs), 1)
    return np.clip(mean, _LEAST_SHARE, _LARGEST_SHARE)


def export_run(
    path: Path,
    run: TrainingRun,
    dataset: Dataset,
    facts: Mapping[str, Any],
    advance: Callable[[int], None],
) -> dict[str, Any]:
    """Write the weights of a run and their card.

    Parameters
    ----------
    path : Path
        The weights file to write, ending in `.safetensors`.
    run : TrainingRun
    dataset : Dataset
        What the run learned from.
    facts : mapping
        What else the card should say: recipe, build, how to reproduce; JSON values.
    advance : callable
        As for :func:`pair_thresholds`.

    Returns
    -------
    dict
        The card, without the weights' digest.

    Raises
    ------
    OutputError, WriteError
        The place cannot be written to, or the disk is full.
    """
    network = run.network
    network.backend = NUMBA
    recurrent = network.config.pass_per_cell
    most = MAX_SITES_RECURRENT if recurrent else MAX_THRESHOLD_SITES
    judged_on = run.split._replace(
        valid=calibration_sites(dataset, run.split.valid, network)
    )
    rows = spread(judged_on.valid, most)
    if recurrent:
        judged_on = Split(*(spread(sites, most) for sites in judged_on))
    shares = tf_bound_fractions(dataset, run.split.train, run.columns)
    thresholds = pair_thresholds(network, dataset.codes[rows], shares, advance)
    everything = np.arange(len(dataset.pairs))
    valid, test = (
        score_sites(network, dataset.vocabulary, dataset, sites)
        for sites in (judged_on.valid, judged_on.test)
    )
    judged = evaluate_model(
        network,
        dataset,
        dataset.vocabulary,
        judged_on.test,
        everything,
        run.columns,
        lambda _: test.scores,  # every pair of the data set is asked for
    )
    worth, checked = calibrate_trained_pairs(valid, test)
    trained = np.isin(everything, run.columns)
    n_positive, _ = dataset.counts(run.split.train)
    entries = [
        {
            "tf": row.tf,
            "cell": row.cell,
            "role": row.role,
            "trained": bool(trained[i]),
            "training_sites": int(n_positive[i]) if trained[i] else 0,
            "test_auroc": rounded(row.auroc),
            "test_average_precision": rounded(row.average_precision),
            **worth[i],
        }
        for i, row in enumerate(judged.itertuples())
        # A card has one entry for a pair, which is not that of its replicates.
        if row.role != REPLICATE
    ]
    card = {
        "format": "tfimpute-model-card",
        "format-version": 1,
        "created": datetime.now(UTC).strftime("%Y-%m-%d"),
        "tool_version": __version__,
        **facts,
        "network": network.config.to_dict(),
        "data": {
            "sources": dataset.sources,
            "parameters": dataset.parameters,
            "sites": {name: len(rows) for name, rows in run.split._asdict().items()},
            "evaluated_sites": len(judged_on.test),
        },
        "history": run.history,
        **({"context": asdict(run.context)} if run.context else {}),
        "metrics": role_means(judged),
        "fdr": {"sites": checked},
        "calibration": {
            "priors": dict(zip(dataset.vocabulary.tfs, shares.round(6), strict=True)),
            **_calibration(dataset, run, shares, valid, test),
        },
        "pairs": entries,
    }
    weights = {name: p.detach().numpy() for name, p in network.named_parameters()}
    write_checkpoint(
        path,
        network.config,
        dataset.vocabulary,
        weights | {"thresholds": thresholds},
        {
            "build": facts.get("build", "unknown"),
            "chrom_sizes": dict(zip(dataset.chroms, dataset.chrom_sizes, strict=True)),
        },
        card,
    )
    return card


def _calibration(
    dataset: Dataset,
    run: TrainingRun,
    shares: NDArray[np.float64],
    valid: SiteScores,
    test: SiteScores,
) -> dict[str, Any]:
    """Calibrate by `valid2` pairs and check on `test3` pairs, where they were kept."""
    kept = ~np.isin(np.arange(len(dataset.pairs)), run.columns)
    fit, check = (
        np.flatnonzero(kept & (np.array(dataset.roles) == role))
        for role in ("valid2", "test3")
    )
    tfs = np.array(dataset.vocabulary.pair_indices(dataset.pairs))[:, 0]
    try:
        return calibrate_probabilities(
            valid.subset(fit), test.subset(check), shares[tfs[fit]], shares[tfs[check]]
        )
    except ValueError:  # no such pairs, or none with sites of both classes
        return {}


def spread(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Take every so-many-th site, so that there are no more than asked for.

    Parameters
    ----------
    rows : int64 array
        Sites.
    most : int

    Returns
    -------
    int64 array
    """
    return rows[:: max(1, -(-len(rows) // most))]


def rounded(value: float) -> float | None:
    """Give a figure as cards tell it.

    Parameters
    ----------
    value : float

    Returns
    -------
    float or None
        Of four decimals; None for NaN.
    """
    return None if np.isnan(value) else round(float(value), 4)
