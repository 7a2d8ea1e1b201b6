"""Export a finished run: weights and their model card.

The card describes how the weights were made, with which data, and how well each pair of
the data set is predicted at the test sites. Each pair, trained or not, has a threshold
that calls peaks: the score exceeded by the mean fraction of sites that its TF binds in
the cell lines it was trained in. ``card.py`` adds what needs more work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tfimpute_tracks import __version__
from tfimpute_tracks.dataset import Dataset, Split
from tfimpute_tracks.models.checkpoint import Checkpoint, write_checkpoint
from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.training.all_pairs import AllPairs, quantile_thresholds
from tfimpute_tracks.training.context_fit import calibration_sites
from tfimpute_tracks.training.fit import TrainingRun
from tfimpute_tracks.training.pair_scores import (
    calibrate_held_out,
    pair_sections,
    score_dataset,
    subsample,
    tf_bound_fractions,
)

__all__ = ["card_header", "evaluation_sites", "export_run", "network_model"]

_MAX_SITES = 6000  # validation sites that thresholds are computed on
_MAX_SITES_RECURRENT = 1000  # where every cell line costs a pass over the sequences


def card_header(kind: str) -> dict[str, Any]:
    """Start a card.

    Parameters
    ----------
    kind : str
        Name of the format.

    Returns
    -------
    dict
    """
    return {
        "format": kind,
        "format-version": 1,
        "created": datetime.now(UTC).strftime("%Y-%m-%d"),
        "tool_version": __version__,
    }


def network_model(
    network: MotifNetwork, dataset: Dataset, name: str, build: str = "unknown"
) -> Model:
    """Make a model of a trained network, without thresholds and card.

    Parameters
    ----------
    network : MotifNetwork
        On the CPU.
    dataset : Dataset
        That it was trained on.
    name, build : str
        Of the model and the genome.

    Returns
    -------
    Model
    """
    weights = {n: p.detach().numpy() for n, p in network.named_parameters()}
    shape = len(dataset.vocabulary.tfs), len(dataset.vocabulary.cells)
    weights["thresholds"] = np.zeros(shape, dtype=np.float32)
    sizes = dict(zip(dataset.chroms, dataset.chrom_sizes, strict=True))
    genome = {"build": build, "chrom_sizes": sizes}
    return Model(
        name,
        Checkpoint(network.config, dataset.vocabulary, weights, genome, "", {}),
    )


def evaluation_sites(dataset: Dataset, split: Split, config: NetworkConfig) -> Split:
    """Choose the sites that a card is computed on.

    Parameters
    ----------
    dataset : Dataset
    split : Split
        Of the training run.
    config : NetworkConfig

    Returns
    -------
    Split
        Validation sites with known context, where the network reads it; a sample of all
        sites where the network passes over the sequences once per cell line.
    """
    valid = calibration_sites(dataset, split.valid, config)
    sites = split._replace(valid=valid)
    if config.pass_per_cell:
        return Split(*(subsample(rows, _MAX_SITES_RECURRENT) for rows in sites))
    return sites


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
        That the run was trained on.
    facts : mapping
        Further entries of the card: recipe, build, how to reproduce; JSON values.
    advance : callable
        Called with the number of cell lines whose thresholds are done.

    Returns
    -------
    dict
        The card, without the weights' digest.

    Raises
    ------
    OutputError, WriteError
        The path cannot be written to, or the disk is full.
    """
    config, build = run.network.config, facts.get("build", "unknown")
    model = network_model(run.network, dataset, path.stem, build)
    sites = evaluation_sites(dataset, run.split, config)
    is_trained = np.isin(np.arange(len(dataset.pairs)), run.columns)
    fractions = tf_bound_fractions(dataset, run.split.train, run.columns, run.priors)
    every = AllPairs(model, dataset, subsample(sites.valid, _MAX_SITES))
    thresholds = every.thresholds(quantile_thresholds(fractions), advance)
    scores = score_dataset(model, dataset, is_trained, sites.valid, sites.test)
    n_positive = np.where(is_trained, dataset.counts(run.split.train)[0], 0)
    more = {"training_sites": n_positive.tolist()}
    sections = pair_sections(scores, dataset.vocabulary, more)
    card = {
        **card_header("tfimpute-model-card"),
        **facts,
        "network": config.to_dict(),
        "data": {
            "sources": dataset.sources,
            "parameters": dataset.parameters,
            "sites": {name: len(rows) for name, rows in run.split._asdict().items()},
            "evaluated_sites": len(sites.test),
        },
        "history": run.history,
        **({"context": asdict(run.context)} if run.context else {}),
        "calibration": calibrate_held_out(scores, fractions, fractions),
        **sections,
    }
    checkpoint = model.checkpoint
    weights = {**checkpoint.weights, "thresholds": thresholds}
    write_checkpoint(path, config, dataset.vocabulary, weights, checkpoint.genome, card)
    return card
