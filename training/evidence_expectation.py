"""The accuracy to expect of every pair with evidence, before its track is made.

Pairs that nobody measured have fewer related tracks than measured ones. So tracks are
left out as in training: pairs, and most tracks of some cell lines and TFs. How well the
pairs are predicted from what is left shows what to expect of a pair with as many tracks.
The regression is fitted at validation sites and checked at test sites.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import REPLICATE, Dataset
from tfimpute_tracks.engines.evidence import PairEvidence
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.engines.sites import chrom_sites
from tfimpute_tracks.evaluation.metrics import pair_aurocs, pair_average_precisions
from tfimpute_tracks.evaluation.reliability import (
    FEATURES as SEQUENCE_FEATURES,
)
from tfimpute_tracks.evaluation.reliability import (
    Expectation,
    TrainedPairs,
    check_expectation,
    fit_expectation,
    pair_features,
)
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.expectation import to_scale
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.training.expected_auroc import metric_section, read_regression
from tfimpute_tracks.training.pair_scores import subsample
from tfimpute_tracks.training.track_masks import TrackMasks

__all__ = ["FEATURES", "ExpectationInputs", "expectation_sections"]

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

FEATURES = (
    *SEQUENCE_FEATURES[:-1],
    "sequence_expected",
    "accessibility",
    "no_tf_tracks",
    "no_cell_tracks",
    "expression",
    "expression_known",
    "trained",
)
"""Those of sequence only, without the disagreement of models; the AUROC expected from
sequence only; whether the cell line's accessibility was measured, and no other track of
the TF, or of the cell line; log2(1 + RNA) of the TF in the cell line; whether the
sequence model was trained on the pair."""

_SCALES = {"auroc": "error", "average_precision": "odds"}
_MASKS = 60  # at validation sites, and half as many at test sites
_MAX_SITES = 7000
_MIN_BOUND = 5  # sites of a pair whose metrics count
_MAX_EXPRESSION = 5.0  # log2: more RNA does not mean more binding
_GROUPS = {
    "0": (0, 0),
    "1": (1, 1),
    "2": (2, 2),
    "3 to 5": (3, 5),
    "6 or more": (6, np.inf),
}


@dataclass(frozen=True)
class ExpectationInputs:
    """What the expectation is fitted to.

    Parameters
    ----------
    model : Model
        That reads sequence.
    evidence : Evidence
        Tracks of the trained pairs.
    dataset : Dataset
    valid, test : int64 array
        Sites to fit it at, and to check it at.
    is_trained : bool array, shape (n_pairs,)
        Pairs of the data set that the model was trained on.
    expression : float64 array, shape (n_tfs, n_cells)
        log2(1 + RNA); NaN where unknown.
    """

    model: Model
    evidence: Evidence
    dataset: Dataset
    valid: Ints
    test: Ints
    is_trained: Mask
    expression: Doubles

    @cached_property
    def rows(self) -> Ints:
        """TF and cell line of each pair of the data set, int64 (n_pairs, 2)."""
        return np.array(self.model.vocabulary.pair_indices(self.dataset.pairs))


class _Points(NamedTuple):
    """Pairs, each predicted without some tracks.

    Attributes
    ----------
    kept : bool array, shape (n_tracks,)
        Tracks that were used.
    columns : int64 array, shape (n,)
        Pairs of the data set with enough bound sites.
    metrics : dict of str to float64 array, shape (n,)
    """

    kept: Mask
    columns: Ints
    metrics: dict[str, Doubles]


def expectation_sections(
    inputs: ExpectationInputs, reference: Mapping[str, Any], seed: int = 0
) -> dict[str, Any]:
    """Compute the AUROC and average precision to expect of every pair.

    Parameters
    ----------
    inputs : ExpectationInputs
    reference : mapping
        Card of evidence weights of a model that was trained without the held-out pairs:
        its regression and checks are used. Empty to fit them here.
    seed : int, optional
        Of the tracks that are left out.

    Returns
    -------
    dict
        Sections of a card: `expected`, `by_tracks` and `expression`. `expected` is empty
        where too few pairs were trained on.
    """
    rng = np.random.default_rng(seed)
    track_tf, track_cell = inputs.evidence.track_rows
    masks = TrackMasks(track_tf, track_cell, len(inputs.model.tfs), rng)
    every = np.ones(len(track_tf), dtype=bool)
    known = reference.get("expected", {})
    n_masks = 0 if known else _MASKS
    at_valid = _points(inputs, inputs.valid, masks, n_masks)
    expected = {}
    if known:
        for metric, section in known.items():
            expected[metric] = metric_section(
                read_regression(section),
                _Features(inputs, at_valid[0], metric)(every),
                FEATURES,
                inputs.model.tfs,
                section["check"],
            )
        by_tracks = reference["by_tracks"]
    else:
        at_test = _points(inputs, inputs.test, masks, _MASKS // 2)
        for metric in _SCALES:
            features = _Features(inputs, at_valid[0], metric)
            try:
                fitted = _fit(inputs, features, at_valid[1:], metric)
            except ValueError:  # too few pairs
                continue
            expected[metric] = metric_section(
                fitted,
                features(every),
                FEATURES,
                inputs.model.tfs,
                _check(inputs, fitted, features, at_test, metric),
            )
        by_tracks = _by_tracks(inputs, at_test)
    rows = {
        tf: " ".join("-" if np.isnan(v) else f"{v:.1f}" for v in row)
        for tf, row in zip(inputs.model.tfs, inputs.expression, strict=True)
        if not np.isnan(row).all()
    }
    return {"expected": expected, "by_tracks": by_tracks, "expression": rows}


class _Features:
    """Features of all pairs, given the tracks that are used."""

    def __init__(self, inputs: ExpectationInputs, every: _Points, metric: str) -> None:
        self._inputs = inputs
        model = inputs.model
        self._shape = len(model.tfs), len(model.cells)
        self._metric = np.full(self._shape, np.nan)
        trained = inputs.is_trained[every.columns]
        tf, cell = inputs.rows[every.columns[trained]].T
        values = every.metrics[metric][trained]
        self._metric[tf, cell] = to_scale(values, _SCALES[metric])
        self._trained = np.zeros(self._shape)
        tf, cell = inputs.rows[inputs.is_trained].T
        self._trained[tf, cell] = 1
        self._sequence = _sequence_expected(model)
        expression = np.minimum(inputs.expression, _MAX_EXPRESSION)
        is_known = ~np.isnan(expression)
        center = expression[is_known].mean() if is_known.any() else 0.0
        self._expression = np.where(is_known, expression - center, 0.0)
        self._expression_known = is_known.astype(np.float64)

    def __call__(self, kept: Mask) -> Doubles:
        """Compute the features, float64 (n_tfs, n_cells, n_features)."""
        weights = self._inputs.evidence.weights.weights
        track_tf, track_cell = self._inputs.evidence.track_rows
        is_open = track_tf == self._shape[0]
        there = np.zeros(self._shape, dtype=bool)
        peaks = kept & ~is_open
        there[track_tf[peaks], track_cell[peaks]] = True
        tf, cell = np.nonzero(there)
        found = pair_features(
            TrainedPairs(tf, cell, self._metric[tf, cell]),
            weights["tf_embedding"].astype(np.float64),
            weights["cell_embedding"].astype(np.float64),
            self._sequence,
        )
        accessible = np.zeros(self._shape)
        accessible[:, track_cell[kept & is_open]] = 1
        n_cells, n_tfs = (
            found[..., FEATURES.index(name)]
            for name in ("tf_data_sets", "cell_data_sets")
        )
        columns = (
            accessible,
            n_cells == 0,
            n_tfs == 0,
            self._expression,
            self._expression_known,
            self._trained,
        )
        more = np.stack([column.astype(np.float64) for column in columns], axis=2)
        return np.concatenate([found, more], axis=2)


def _sequence_expected(model: Model) -> Doubles:
    """Read the AUROC expected from sequence, (n_tfs, n_cells); 0 where unknown.

    It is not the pair's own AUROC, which nobody knows of a pair that is left out.
    """
    rows = model.card.get("expected", {}).get("auroc", {}).get("rows", {})
    if not set(model.tfs) <= set(rows):
        return np.zeros((len(model.tfs), len(model.cells)))
    return np.array([rows[tf].split() for tf in model.tfs], dtype=np.float64) / 1000


def _points(
    inputs: ExpectationInputs, rows: Ints, masks: TrackMasks, n_masks: int
) -> list[_Points]:
    """Predict all pairs without their own tracks, then those that random masks hide.

    Pairs of the role `test3` are for checks: masks leave them out.
    """
    rows = subsample(rows, _MAX_SITES)
    dataset, evidence = inputs.dataset, inputs.evidence
    roles = np.array(dataset.roles)
    usable = np.flatnonzero(roles != REPLICATE)
    indices = [tuple(row) for row in inputs.rows[usable].tolist()]
    scorer = site_scorer(inputs.model, dataset, rows, use_evidence=False)
    sequence, labels = scorer(indices), dataset.labels(rows, usable)
    enough = (labels == 1).sum(axis=0) >= _MIN_BOUND
    sites = list(chrom_sites(dataset, rows))
    track = evidence.track_rows
    every = np.ones(len(track[0]), dtype=bool)
    found = []
    for kept in [every, *(masks.draw_shared() for _ in range(n_masks))]:
        used = set(zip(*(names[kept].tolist() for names in track), strict=True))
        out = [
            i
            for i, pair in enumerate(indices)
            if enough[i]
            and (kept.all() or (pair not in used and roles[usable[i]] != "test3"))
        ]
        applied = PairEvidence(evidence, [indices[i] for i in out])
        scores = sequence[:, out].copy()
        for chrom, places, centers in sites:
            scores[places] = applied.apply(scores[places], chrom, centers, kept)
        metrics = {
            "auroc": pair_aurocs(scores, labels[:, out]),
            "average_precision": pair_average_precisions(scores, labels[:, out]),
        }
        found.append(_Points(kept, usable[out], metrics))
    return found


def _table(
    inputs: ExpectationInputs, features: _Features, points: list[_Points], metric: str
) -> tuple[Doubles, Doubles, Ints, Ints]:
    """Stack the features, metrics and pairs (TF, cell line) of points."""
    x, y, pairs = [], [], []
    for point in points:
        tf, cell = inputs.rows[point.columns].T
        x.append(features(point.kept)[tf, cell])
        y.append(point.metrics[metric])
        pairs.append(inputs.rows[point.columns])
    tf, cell = np.concatenate(pairs).T
    return np.concatenate(x), np.concatenate(y), tf, cell


def _fit(
    inputs: ExpectationInputs, features: _Features, points: list[_Points], metric: str
) -> Expectation:
    x, y, tf, cell = _table(inputs, features, points, metric)
    _, pair, counts = np.unique(
        tf * len(inputs.model.cells) + cell, return_inverse=True, return_counts=True
    )
    # A pair that was left out often counts no more than others.
    return fit_expectation(x, y, tf, _SCALES[metric], 1 / counts[pair])


def _check(
    inputs: ExpectationInputs,
    fitted: Expectation,
    features: _Features,
    points: list[_Points],
    metric: str,
) -> dict[str, Any]:
    """Compare expected and observed metrics at test sites, by kind of pair."""
    roles = np.array(inputs.dataset.roles)
    x, y, _, _ = _table(inputs, features, points[1:], metric)
    few = np.log1p(2) + 1e-6
    n_cells, n_tfs = (
        x[:, FEATURES.index(name)] for name in ("tf_data_sets", "cell_data_sets")
    )
    kinds = {
        "left_out": np.ones(len(y), dtype=bool),
        "cell_line_with_two_tracks_or_fewer": n_tfs <= few,
        "tf_with_two_tracks_or_fewer": n_cells <= few,
    }
    check = {
        name: check_expectation(*fitted.expect(x[which]), y[which])
        for name, which in kinds.items()
        if which.any()
    }
    x, y, _, _ = _table(inputs, features, points[:1], metric)
    column = points[0].columns
    for role in ("test3", "valid2"):
        which = (roles[column] == role) & ~inputs.is_trained[column]
        if which.any():
            check[role] = check_expectation(*fitted.expect(x[which]), y[which])
    return check


def _by_tracks(inputs: ExpectationInputs, points: list[_Points]) -> dict[str, Any]:
    """Average the metrics by the number of tracks of the cell line and of the TF.

    Groups differ in pairs: next to each mean is that of the same pairs with all tracks.
    """
    n_tfs = len(inputs.model.tfs)
    track_tf, track_cell = inputs.evidence.track_rows
    every, masked = points[0], points[1:]
    where = np.full(len(inputs.rows), -1)
    where[every.columns] = np.arange(len(every.columns))
    counts: dict[str, list[Ints]] = {"cell": [], "tf": []}
    for point in masked:
        tf, cell = inputs.rows[point.columns].T
        used = np.zeros((n_tfs + 1, len(inputs.model.cells)))
        used[track_tf[point.kept], track_cell[point.kept]] = 1
        used = used[:n_tfs]
        counts["cell"].append(used.sum(axis=0)[cell])
        counts["tf"].append(used.sum(axis=1)[tf])
    if not masked:
        return {}
    pair = np.concatenate([point.columns for point in masked])
    metrics = {}
    for name in _SCALES:
        metrics[name] = np.concatenate([point.metrics[name] for point in masked])
        metrics[f"{name}_all_tracks"] = every.metrics[name][where[pair]]
    found: dict[str, Any] = {}
    for name, numbers in counts.items():
        count = np.concatenate(numbers)
        found[name] = []
        for label, (low, high) in _GROUPS.items():
            which = (count >= low) & (count <= high)
            if which.any():
                means = {key: float(v[which].mean()) for key, v in metrics.items()}
                found[name].append(
                    {
                        "tracks": label,
                        "pairs": len(np.unique(pair[which])),
                        **{key: round(value, 4) for key, value in means.items()},
                    }
                )
    return found
