"""From a network that reads tracks to its weights with their card.

All that the card tells of a pair was found with the pair's own tracks hidden. So what
holds of measured pairs holds of pairs that were never measured, as far as there is as
much to go by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from tfimpute_tracks import __version__
from tfimpute_tracks.dataset import REPLICATE, Dataset
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.evaluation import evaluate_model
from tfimpute_tracks.evaluation.fdr import MIN_SITES
from tfimpute_tracks.evaluation.fdr_calibration import (
    SiteScores,
    calibrate_trained_pairs,
)
from tfimpute_tracks.evaluation.metrics import role_means
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.evidence_weights import (
    EvidenceWeights,
    write_evidence_weights,
)
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.training.evidence_calibration import Scored, expectations, promises
from tfimpute_tracks.training.export_checkpoint import rounded, spread

__all__ = ["EvidenceRun", "expected_count_thresholds", "export_evidence_run"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_LINE_SITES = 6000  # that lines which call peaks are read from
_VALID_SITES = 20_000  # that promises are read from
_CELLS_AT_ONCE = 30
_LEAST = np.float32(1e-6)  # of a probability whose log-odds are asked for


@dataclass(frozen=True)
class EvidenceRun:
    """What was trained, and what it is judged with.

    Parameters
    ----------
    model : Model
        That reads letters.
    evidence : Evidence
        The trained weights, whose thresholds are not known yet, and the tracks of the
        pairs that it learned from.
    dataset : Dataset
    unseen, test : int64 array
        Sites that trained nothing of the model, and those that trained nothing at all.
    judge : mapping
        Card of weights of the same kind from which pairs were kept, for what is
        promised to pairs without data where too few were kept here.
    """

    model: Model
    evidence: Evidence
    dataset: Dataset
    unseen: Ints
    test: Ints
    judge: Mapping[str, Any] = field(default_factory=dict)


def expected_count_thresholds(logits: Floats) -> Floats:
    """Give the score that as many sites exceed as are expected to be bound.

    Parameters
    ----------
    logits : float32 array, shape (n_sites, n_pairs)

    Returns
    -------
    float32 array, shape (n_pairs,)
        Probabilities; at least one site reaches each.
    """
    probabilities = np.sort(expit(logits.astype(np.float64)), axis=0)[::-1]
    n_bound = np.clip(probabilities.sum(axis=0).round(), 1, len(logits))
    rows = n_bound.astype(np.int64) - 1
    lines: Floats = probabilities[rows, np.arange(logits.shape[1])].astype(np.float32)
    return lines


def export_evidence_run(
    path: Path,
    run: EvidenceRun,
    facts: Mapping[str, Any],
    advance: Callable[[int], None],
) -> dict[str, Any]:
    """Judge a network that reads tracks, and write it.

    Parameters
    ----------
    path : Path
        From :func:`~tfimpute_tracks.models.evidence_weights.evidence_path`.
    run : EvidenceRun
    facts : mapping
        What else the card should say; JSON values.
    advance : callable
        Told how many more cell lines have their thresholds.

    Returns
    -------
    dict
        The card.

    Raises
    ------
    OutputError, WriteError
        The place cannot be written to, or the disk is full.
    """
    model, dataset = run.model, run.dataset
    learned = {track.pair for track in run.evidence.store.tracks}
    is_learned = np.array([pair in learned for pair in dataset.pairs])
    valid = spread(run.unseen, _VALID_SITES)
    scored = Scored(dataset, is_learned, _scored(run, valid), _scored(run, run.test))
    tf, cell = np.array(model.vocabulary.pair_indices(dataset.pairs)).T
    every = _Every(run, spread(run.unseen, _LINE_SITES))
    thresholds = every.thresholds(advance)
    told = promises(scored, _log_odds(thresholds)[tf, cell], run.judge)
    worth, checked = calibrate_trained_pairs(scored.valid, scored.test)
    least = MIN_SITES * len(every.rows) / len(valid)
    shifts = told["imputed"]["shifts"]
    reach = every.count_reached_levels(_log_odds(thresholds), shifts, least, advance)
    figures, pairs = _judged(run, scored, worth)
    card = {
        "format": "tfimpute-evidence-card",
        "format-version": 1,
        "created": datetime.now(UTC).strftime("%Y-%m-%d"),
        "tool_version": __version__,
        **facts,
        "evidence": run.evidence.store.digest,
        "data": {
            "sources": dataset.sources,
            "sites": {"held_out": len(run.unseen), "test": len(run.test)},
        },
        "metrics": figures,
        "pairs": pairs,
        "fdr": {
            "sites": checked,
            "imputed": told["imputed"] | {"levels_reached": reach},
        },
        "calibration": told["calibration"],
        "expected": expectations(scored, model, run.evidence, run.judge),
    }
    found = run.evidence.weights
    arrays = {**found.weights, "thresholds": thresholds}
    whole = EvidenceWeights(
        found.config, found.vocabulary, found.sequence_weights, arrays, "", card
    )
    write_evidence_weights(path, whole)
    return card


def _scored(run: EvidenceRun, rows: Ints) -> SiteScores:
    """Score the data set's pairs at sites."""
    model = replace(run.model, evidence=run.evidence)
    score = site_scorer(model, run.dataset, rows)
    indices = run.model.vocabulary.pair_indices(run.dataset.pairs)
    return SiteScores(score(indices), run.dataset.labels(rows))


def _judged(
    run: EvidenceRun, scored: Scored, worth: list[dict[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Give the figures of roles of pairs, and what is told of each pair."""
    dataset, every = run.dataset, np.arange(len(run.dataset.pairs))
    judged = evaluate_model(
        run.model.network(),
        dataset,
        run.model.vocabulary,
        run.test,
        every,
        np.flatnonzero(scored.learned),
        lambda _: scored.test.scores,  # every pair of the data set is asked for
    )
    pairs = [
        {
            "tf": row.tf,
            "cell": row.cell,
            "role": row.role,
            "trained": bool(scored.learned[i]),
            "test_auroc": rounded(row.auroc),
            "test_average_precision": rounded(row.average_precision),
            **worth[i],
        }
        for i, row in enumerate(judged.itertuples())
        if row.role != REPLICATE
    ]
    return role_means(judged), pairs


class _Every:
    """Every pair there is, scored at sites, some cell lines at a time."""

    def __init__(self, run: EvidenceRun, rows: Ints) -> None:
        self.rows, self._model = rows, run.model
        model = replace(run.model, evidence=run.evidence)
        self._score = site_scorer(model, run.dataset, rows)

    def thresholds(self, advance: Callable[[int], None]) -> Floats:
        """Find the line of every pair, float32 (n_tfs, n_cells)."""
        lines = np.empty(self._shape, dtype=np.float32)
        for cells, logits in self._parts(advance):
            lines[:, cells] = expected_count_thresholds(logits).reshape(-1, len(cells))
        return lines

    def count_reached_levels(
        self,
        lines: Floats,
        shifts: Mapping[str, float | None],
        least: float,
        advance: Callable[[int], None],
    ) -> dict[str, str]:
        """Say which shifts enough sites of a pair reach: a digit per cell line."""
        asked = [s for _, s in sorted(shifts.items(), key=lambda i: -float(i[0]))]
        reached = np.zeros(self._shape, dtype=np.int64)
        for cells, logits in self._parts(advance):
            margins = logits - lines[:, cells].ravel()
            for shift in asked:
                if shift is not None:
                    enough = (margins >= shift).sum(axis=0) >= least
                    reached[:, cells] += enough.reshape(-1, len(cells))
        return {
            tf: "".join(map(str, row))
            for tf, row in zip(self._model.tfs, reached.tolist(), strict=True)
        }

    @property
    def _shape(self) -> tuple[int, int]:
        return len(self._model.tfs), len(self._model.cells)

    def _parts(self, advance: Callable[[int], None]) -> Iterator[tuple[range, Floats]]:
        n_tfs, n_cells = self._shape
        for first in range(0, n_cells, _CELLS_AT_ONCE):
            cells = range(first, min(n_cells, first + _CELLS_AT_ONCE))
            yield cells, self._score([(tf, c) for tf in range(n_tfs) for c in cells])
            advance(len(cells))


def _log_odds(probabilities: Floats) -> Floats:
    found: Floats = logit(np.clip(probabilities, _LEAST, 1 - _LEAST))
    return found
