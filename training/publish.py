"""From a finished run to weights with their card.

The card holds what can be known without new experiments: how the weights came about,
with which data, and how well each measured pair is ranked on the test chromosomes.
Thresholds for calling peaks are found without labels, so that each of all pairs, seen
or not, has one on the same footing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from tfimpute_tracks import __version__
from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.evaluation import evaluate_model, predict_sites
from tfimpute_tracks.models.checkpoint import write_checkpoint
from tfimpute_tracks.models.network import TFImpute
from tfimpute_tracks.models.operations import LOOKUP
from tfimpute_tracks.training.fit import TrainingRun

__all__ = ["THRESHOLD_SITES", "pair_thresholds", "publish"]

THRESHOLD_SITES = 6000
"""Sites of the validation chromosomes that thresholds are read from."""

_EXCEEDED_BY = 0.01  # share of open-chromatin sites that calls a peak


def pair_thresholds(
    network: TFImpute,
    codes: NDArray[np.uint8],
    advance: Callable[[int], None],
) -> NDArray[np.float32]:
    """Give the score that one in a hundred sites exceeds, for every pair.

    Parameters
    ----------
    network : TFImpute
        On the CPU.
    codes : uint8 array, shape (n_sites, L)
        Open-chromatin sites that trained nothing.
    advance : callable
        Told each TF that is done, as 1.

    Returns
    -------
    float32 array, shape (n_tfs, n_cells)
        Probabilities.
    """
    n_tfs, n_cells = len(network.tf_embedding), len(network.cell_embedding)
    logits = np.empty((n_tfs, n_cells), dtype=np.float32)
    group = 20  # TFs at a time: sequences are convolved once per group
    for first in range(0, n_tfs, group):
        tfs = range(first, min(n_tfs, first + group))
        pairs = [(tf, cell) for tf in tfs for cell in range(n_cells)]
        scores = predict_sites(network, codes, pairs)
        quantiles = np.quantile(scores, 1 - _EXCEEDED_BY, axis=0)
        logits[first : first + group] = quantiles.reshape(len(tfs), n_cells)
        advance(len(tfs))
    thresholds: NDArray[np.float32] = expit(logits)
    return thresholds


def publish(
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
    network.operations = LOOKUP
    rows = run.split.valid
    if len(rows) > THRESHOLD_SITES:
        rows = rows[:: -(-len(rows) // THRESHOLD_SITES)]
    thresholds = pair_thresholds(network, dataset.codes[rows], advance)
    everything = np.arange(len(dataset.pairs))
    judged = evaluate_model(
        network,
        dataset,
        dataset.vocabulary,
        run.split.test,
        everything,
        run.columns,
    )
    trained = np.isin(everything, run.columns)
    n_positive, _ = dataset.counts(run.split.train)
    entries = [
        {
            "tf": row.tf,
            "cell": row.cell,
            "role": row.role,
            "trained": bool(trained[i]),
            "training_sites": int(n_positive[i]) if trained[i] else 0,
            "test_auroc": _rounded(row.auroc),
            "test_average_precision": _rounded(row.average_precision),
        }
        for i, row in enumerate(judged.pairs.itertuples())
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
        },
        "history": run.history,
        "figures": judged.by_role(),
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


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
