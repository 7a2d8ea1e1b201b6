"""The card of an extended model: thresholds, calibration and accuracy of new pairs.

What the card says of known pairs stays. New pairs that were measured are evaluated at
sites that nothing was fitted to. For the others the regression of the card says what to
expect, from the features that every pair has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset.own_sites import OwnSites
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.evaluation.fdr import MIN_SITES
from tfimpute_tracks.evaluation.metrics import pair_aurocs, pair_average_precisions
from tfimpute_tracks.evaluation.reliability import (
    FEATURES,
    TrainedPairs,
    pair_features,
)
from tfimpute_tracks.evidence import ACCESSIBILITY, EvidenceStore
from tfimpute_tracks.models.expectation import from_scale, to_scale
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.training.all_pairs import (
    expected_count_thresholds,
    log_odds,
    quantile_thresholds,
)
from tfimpute_tracks.training.expected_auroc import read_regression
from tfimpute_tracks.training.pair_scores import subsample
from tfimpute_tracks.vocabulary import Pair

__all__ = ["NewPairs", "bound_fractions", "new_sections"]

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]

_MAX_SITES = 4000  # that all new pairs are scored at
_PAIRS = 256  # scored at a time
_FRACTIONS = (0.001, 0.1)  # of sites that call peaks
_FRACTION = 0.01  # of a TF whose card does not say
_METRICS = ("auroc", "average_precision")
# Of a TF, of a cell line with a track, and with accessibility alone, with evidence: means
# over the 14 TFs, 8 and 9 cell lines that `benchmarks/unseen.py` hides from a model. It
# prints what remains with these.
_EXCESS = {"error": (0.0, 0.6, 1.3), "odds": (0.65, 0.4, 0.7)}


class NewPairs:
    """All new pairs of an extended model, scored at test sites.

    Parameters
    ----------
    model : Model
        Extended, with or without evidence.
    n_base : (int, int)
        TFs and cell lines that are not new.
    sites : OwnSites
    """

    def __init__(self, model: Model, n_base: tuple[int, int], sites: OwnSites) -> None:
        self.n_base = n_tfs, n_cells = n_base
        self.model, self.sites = model, sites
        self.index = [
            (tf, cell)
            for tf in range(len(model.tfs))
            for cell in range(len(model.cells))
            if tf >= n_tfs or cell >= n_cells
        ]
        rows = subsample(sites.test, _MAX_SITES)
        self.n_sites = len(rows)
        score = site_scorer(model, sites.dataset, rows)
        parts = [
            score(self.index[first : first + _PAIRS])
            for first in range(0, len(self.index), _PAIRS)
        ]
        self.logits: Floats = np.concatenate(parts, axis=1)

    @property
    def pairs(self) -> list[Pair]:
        """The new pairs."""
        tfs, cells = self.model.tfs, self.model.cells
        return [Pair(tfs[tf], cells[cell]) for tf, cell in self.index]

    def thresholds(self, fractions: Mapping[str, float]) -> Floats:
        """Find the score that calls peaks, for every new pair.

        Parameters
        ----------
        fractions : mapping of str to float
            Of sites that each TF binds, for scores from sequence.

        Returns
        -------
        float32 array, shape (n_new_pairs,)
            Probabilities: as many sites exceed it as are expected to be bound.
        """
        if self.model.evidence is not None:
            expected: Floats = expected_count_thresholds(self.logits[:, None])[0]
            return expected
        of_pair = [fractions.get(pair.tf, _FRACTION) for pair in self.pairs]
        choose = quantile_thresholds(np.clip(of_pair, *_FRACTIONS))
        thresholds: Floats = choose(self.logits[:, :, None])[:, 0]
        return thresholds

    def levels_reached(
        self, thresholds: Floats, shifts: Mapping[str, float | None]
    ) -> list[int]:
        """Count the FDR levels that enough sites of each new pair reach.

        Parameters
        ----------
        thresholds : float32 array, shape (n_new_pairs,)
        shifts : mapping of str to float or None
            Of the card, by level.

        Returns
        -------
        list of int
        """
        margins = self.logits - log_odds(thresholds)
        known = [shift for shift in shifts.values() if shift is not None]
        least = MIN_SITES * self.n_sites / max(len(self.sites.test), 1)
        reached = np.zeros(len(self.index), dtype=np.int64)
        for shift in known:
            reached += (margins >= shift).sum(axis=0) >= least
        return reached.tolist()


def bound_fractions(sites: OwnSites) -> dict[str, float]:
    """Compute the mean fraction of background sites that each measured TF binds.

    Parameters
    ----------
    sites : OwnSites

    Returns
    -------
    dict of str to float
        Means over its cell lines.
    """
    labels = sites.dataset.labels(np.arange(sites.dataset.n_sites))
    weight = sites.weight[:, None].astype(np.float64)
    bound, known = ((labels == 1) * weight).sum(0), ((labels >= 0) * weight).sum(0)
    fractions: dict[str, list[float]] = {}
    for pair, value in zip(
        sites.dataset.pairs, bound / np.maximum(known, 1), strict=True
    ):
        fractions.setdefault(pair.tf, []).append(float(value))
    return {tf: float(np.mean(values)) for tf, values in fractions.items()}


def new_sections(
    model: Model, new: NewPairs, thresholds: Floats, fractions: Mapping[str, float]
) -> dict[str, Any]:
    """Add new pairs to the sections of a card.

    Parameters
    ----------
    model : Model
        Extended, with the card of the model before; that of its evidence weights, if it
        has evidence.
    new : NewPairs
    thresholds : float32 array, shape (n_new_pairs,)
        From :meth:`NewPairs.thresholds`.
    fractions : mapping of str to float
        From :func:`bound_fractions`.

    Returns
    -------
    dict
        Sections `pairs`, `fdr`, `calibration`, `expected` and `expression`, as far as
        the card has them.
    """
    card, entries = model.card, _entries(model, new)
    found: dict[str, Any] = {"pairs": [*card.get("pairs", []), *entries]}
    imputed = card.get("fdr", {}).get("imputed", {})
    if "levels_reached" in imputed:
        reached = new.levels_reached(thresholds, imputed["shifts"])
        rows = {tf: list(row) for tf, row in imputed["levels_reached"].items()}
        values = list(map(str, reached))
        levels = {tf: "".join(r) for tf, r in _grow(model, rows, new, values).items()}
        found["fdr"] = card["fdr"] | {"imputed": imputed | {"levels_reached": levels}}
    if "priors" in card.get("calibration", {}):
        calibration = card["calibration"]
        more = {
            tf: round(float(np.clip(f, *_FRACTIONS)), 6) for tf, f in fractions.items()
        }
        found["calibration"] = calibration | {"priors": more | calibration["priors"]}
    if "expression" in card:
        rows = {tf: row.split() for tf, row in card["expression"].items()}
        n_more = len(model.cells) - max((len(row) for row in rows.values()), default=0)
        found["expression"] = {
            tf: " ".join([*row, *["-"] * n_more]) for tf, row in rows.items()
        }
    expected = {}
    for metric, section in card.get("expected", {}).items():
        rows = {tf: row.split() for tf, row in section["rows"].items()}
        values = [
            f"{1000 * value:.0f}"
            for value in _expect(model, new, found["pairs"], metric, section)
        ]
        grown = _grow(model, rows, new, values)
        expected[metric] = section | {
            "rows": {tf: " ".join(row) for tf, row in grown.items()}
        }
    if expected:
        found["expected"] = expected
    return found


def _grow(
    model: Model, rows: dict[str, list[str]], new: NewPairs, values: Sequence[str]
) -> dict[str, list[str]]:
    """Add the values of new pairs to rows by TF, cell line by cell line."""
    grown = {tf: list(rows.get(tf, ())) for tf in model.tfs}
    for (tf, _), value in zip(new.index, values, strict=True):
        grown[model.tfs[tf]].append(value)
    return grown


def _entries(model: Model, new: NewPairs) -> list[dict[str, Any]]:
    """Evaluate new pairs that were measured, with their own tracks hidden."""
    dataset, test = new.sites.dataset, new.sites.test
    if not dataset.pairs:
        return []
    labels = dataset.labels(test)
    scores = site_scorer(model, dataset, test)(
        model.vocabulary.pair_indices(dataset.pairs)
    )
    metrics = pair_aurocs(scores, labels), pair_average_precisions(scores, labels)
    bound = (dataset.labels(new.sites.train) == 1) * new.sites.weight[
        new.sites.train, None
    ]
    return [
        {
            "tf": pair.tf,
            "cell": pair.cell,
            "role": "added",
            "trained": True,
            "training_sites": round(float(bound[:, column].sum())),
            **{
                f"test_{name}": _rounded(values[column])
                for name, values in zip(_METRICS, metrics, strict=True)
            },
        }
        for column, pair in enumerate(dataset.pairs)
    ]


def _expect(
    model: Model,
    new: NewPairs,
    pairs: Sequence[Mapping[str, Any]],
    metric: str,
    section: Mapping[str, Any],
) -> list[float]:
    """Return the metric to expect of each new pair; `pairs` are the measured ones."""
    if "center" in section:
        tf, cell = np.array(new.index).T
        features = _features(model, pairs, metric, section)[tf, cell]
        expected = read_regression(section).expect(features)[0]
        scale = section["scale"]
        if scale not in _EXCESS:
            return list(expected)
        return list(from_scale(to_scale(expected, scale) - _excess(new, scale), scale))
    # A card with a regression that is not complete: the mean of the TF's pairs.
    of_tf: dict[str, list[float]] = {
        tf: [int(value) / 1000 for value in row.split()]
        for tf, row in section["rows"].items()
    }
    every = [value for values in of_tf.values() for value in values]
    for entry in pairs:
        value = entry.get(f"test_{metric}")
        if entry["tf"] not in section["rows"] and value is not None:
            of_tf.setdefault(entry["tf"], []).append(value)
    return [float(np.mean(of_tf.get(pair.tf, every))) for pair in new.pairs]


def _excess(new: NewPairs, scale: str) -> Doubles:
    """Look up by how much a regression on known names expects too much of new ones."""
    n_tfs, n_cells = new.n_base
    measured = {pair.cell for pair in new.sites.dataset.pairs}
    of_tf, of_cell, of_open_cell = _EXCESS[scale]
    return np.array(
        [
            of_tf * (tf >= n_tfs)
            + (of_cell if pair.cell in measured else of_open_cell) * (cell >= n_cells)
            for (tf, cell), pair in zip(new.index, new.pairs, strict=True)
        ]
    )


def _features(
    model: Model,
    pairs: Sequence[Mapping[str, Any]],
    metric: str,
    section: Mapping[str, Any],
) -> Doubles:
    """Compute the features of the card's regression, (n_tfs, n_cells, n_features)."""
    shape = len(model.tfs), len(model.cells)
    measured = {
        Pair(entry["tf"], entry["cell"]): entry.get(f"test_{metric}")
        for entry in pairs
        if entry["trained"]
    }
    tf, cell = np.array(model.vocabulary.pair_indices(measured)).T
    values = np.array(
        [np.nan if v is None else v for v in measured.values()], dtype=float
    )
    weights = model.checkpoint.weights
    names, store = list(FEATURES), None
    if model.evidence is not None:
        weights, store = model.evidence.weights.weights, model.evidence.store
        names[-1] = "sequence_expected"
    centers = section["center"]
    known = np.full(shape, centers[names[-1]])
    if store is not None:
        rows = (
            model.checkpoint.card.get("expected", {}).get("auroc", {}).get("rows", {})
        )
        if rows:
            known = np.array([rows[name].split() for name in model.tfs], float) / 1000
    columns = dict(
        zip(
            names,
            np.moveaxis(
                pair_features(
                    TrainedPairs(tf, cell, to_scale(values, section["scale"])),
                    weights["tf_embedding"].astype(np.float64),
                    weights["cell_embedding"].astype(np.float64),
                    known,
                ),
                2,
                0,
            ),
            strict=True,
        )
    )
    if store is not None:
        columns |= _track_features(model, store, columns)
        trained = np.zeros(shape)
        trained[tf, cell] = 1
        columns["trained"] = trained
    return np.stack(
        [
            columns.get(name, np.full(shape, centers[name]))
            for name in section["weights"]
        ],
        axis=2,
    )


def _track_features(
    model: Model, store: EvidenceStore, columns: Mapping[str, Doubles]
) -> dict[str, Doubles]:
    """Say for which pairs there are related tracks."""
    accessible = {t.pair.cell for t in store.tracks if t.pair.tf == ACCESSIBILITY}
    is_open = np.array([cell in accessible for cell in model.cells], dtype=np.float64)
    shape = columns["tf_data_sets"].shape
    return {
        "accessibility": np.broadcast_to(is_open, shape),
        "no_tf_tracks": (columns["tf_data_sets"] == 0).astype(np.float64),
        "no_cell_tracks": (columns["cell_data_sets"] == 0).astype(np.float64),
        "expression": np.zeros(shape),
        "expression_known": np.zeros(shape),
    }


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
