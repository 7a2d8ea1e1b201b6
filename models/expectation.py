"""What a card says about the accuracy to expect of every pair, with intervals.

A regression predicts the metric on a scale on which its errors are of similar size:

- `linear`: the metric itself;
- `error`: -log(1 - metric), for an AUROC close to 1;
- `odds`: log(metric / (1 - metric)).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ExpectedMetric", "expected_metrics", "expression", "from_scale", "to_scale"]

Doubles = NDArray[np.float64]

_LEAST = 1e-3  # distance from 0 and 1


def to_scale(metric: Doubles, scale: str) -> Doubles:
    """Convert a metric to a scale.

    Parameters
    ----------
    metric : float64 array
        Within 0 and 1.
    scale : {"linear", "error", "odds"}

    Returns
    -------
    float64 array
    """
    if scale == "linear":
        return metric
    within = np.clip(metric, _LEAST, 1 - _LEAST)
    error = -np.log1p(-within)
    found: Doubles = error if scale == "error" else np.log(within) + error
    return found


def from_scale(values: Doubles, scale: str) -> Doubles:
    """Convert values of a scale to the metric.

    Parameters
    ----------
    values : float64 array
    scale : {"linear", "error", "odds"}

    Returns
    -------
    float64 array
    """
    if scale == "linear":
        return values
    found: Doubles = (
        -np.expm1(-values) if scale == "error" else 1 / (1 + np.exp(-values))
    )
    return found


@dataclass(frozen=True)
class ExpectedMetric:
    """A metric to expect of every pair.

    Parameters
    ----------
    section : mapping
        Of a card: `rows`, of each TF, in thousandths, by cell line; `scale`, `margin`.
    cells : sequence of str
        In the order of the rows.
    """

    section: Mapping[str, Any]
    cells: Sequence[str]

    def of(self, tf: str, cell: str) -> float | None:
        """Return the metric to expect of a pair.

        Parameters
        ----------
        tf, cell : str

        Returns
        -------
        float or None
            None where the card does not say.
        """
        row = self._rows.get(tf)
        return None if row is None else int(row[self._columns[cell]]) / 1000

    def interval(self, tf: str, cell: str) -> tuple[float, float] | None:
        """Return the interval that nine in ten pairs without data lie in.

        Parameters
        ----------
        tf, cell : str

        Returns
        -------
        tuple of float, or None
        """
        expected = self.of(tf, cell)
        if expected is None:
            return None
        if expected not in self._intervals:
            self._intervals[expected] = self._interval(expected)
        return self._intervals[expected]

    def _interval(self, expected: float) -> tuple[float, float]:
        scale, margin = self.section["scale"], float(self.section["margin"])
        center = to_scale(np.array(expected), scale)
        low, high = from_scale(center + np.array([-margin, margin]), scale).tolist()
        return max(0.0, round(low, 3)), min(1.0, round(high, 3))

    @cached_property
    def _rows(self) -> dict[str, list[str]]:
        return {tf: row.split() for tf, row in self.section.get("rows", {}).items()}

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {cell: column for column, cell in enumerate(self.cells)}

    @cached_property
    def _intervals(self) -> dict[float, tuple[float, float]]:
        """Interval of each metric; all pairs have a few hundred different ones."""
        return {}


def expected_metrics(
    card: Mapping[str, Any], cells: Sequence[str]
) -> dict[str, ExpectedMetric]:
    """Read the metrics to expect.

    Parameters
    ----------
    card : mapping
    cells : sequence of str
        Of the model.

    Returns
    -------
    dict of str to ExpectedMetric
        Of `auroc` and `average_precision`.
    """
    sections = card.get("expected", {})
    metrics = ("auroc", "average_precision")
    return {name: ExpectedMetric(sections.get(name, {}), cells) for name in metrics}


def expression(
    card: Mapping[str, Any], cells: Sequence[str], tf: str, cell: str
) -> float | None:
    """Read how much RNA of a TF there is in a cell line.

    Parameters
    ----------
    card : mapping
    cells : sequence of str
        Of the model.
    tf, cell : str

    Returns
    -------
    float or None
        log2(1 + transcripts per million); None where the card does not say.
    """
    row = card.get("expression", {}).get(tf)
    value = row.split()[cells.index(cell)] if row else "-"
    return None if value == "-" else float(value)
