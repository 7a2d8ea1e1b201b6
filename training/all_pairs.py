"""All pairs of a model at some sites: thresholds that call peaks, and FDR levels reached.

There may be tens of thousands of pairs, so they are scored a few cell lines at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.models.model import Model

__all__ = [
    "AllPairs",
    "Choose",
    "expected_count_thresholds",
    "log_odds",
    "quantile_thresholds",
]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

Choose = Callable[[Floats], Floats]
"""Chooses thresholds: log-odds, shape (n_sites, n_tfs, n_cells), to probabilities,
float32 (n_tfs, n_cells)."""

_MIN_PROBABILITY = np.float32(1e-6)  # whose log-odds are still finite
_KEPT_BITS = np.uint32(0xFFFFF000)  # sign, exponent and eleven of the mantissa


class AllPairs:
    """Scores of every (TF, cell line) pair of a model at some sites.

    Parameters
    ----------
    model : Model
        Evidence, where it has any, conditions the scores.
    dataset : Dataset
    rows : int64 array
        Sites.
    max_logits : int
        Scores in memory at a time.
    """

    def __init__(
        self, model: Model, dataset: Dataset, rows: Ints, max_logits: int = 1 << 26
    ) -> None:
        self.n_sites = len(rows)
        self._score = site_scorer(model, dataset, rows)
        self._tfs, self._n_cells = model.tfs, len(model.cells)
        # A trunk reads the sequences once for each group of cell lines.
        self._group = max(1, max_logits // (self.n_sites * len(self._tfs)))

    def parts(self) -> Iterator[tuple[range, Floats]]:
        """Score the pairs of some cell lines at a time.

        Yields
        ------
        cells : range
            Rows of the cell lines.
        logits : float32 array, shape (n_sites, n_tfs, len(cells))
            Log-odds.
        """
        n_tfs = len(self._tfs)
        for first in range(0, self._n_cells, self._group):
            cells = range(first, min(self._n_cells, first + self._group))
            pairs = [(tf, cell) for tf in range(n_tfs) for cell in cells]
            yield cells, self._score(pairs).reshape(self.n_sites, n_tfs, len(cells))

    def thresholds(self, choose: Choose, advance: Callable[[int], None]) -> Floats:
        """Find the score that calls peaks, for every pair.

        Parameters
        ----------
        choose : callable
            From :func:`quantile_thresholds`, or :func:`expected_count_thresholds`.
        advance : callable
            Called with the number of cell lines that are done.

        Returns
        -------
        float32 array, shape (n_tfs, n_cells)
            Probabilities. They and their complements have twelve significant bits, so a
            file is smaller.
        """
        found = np.empty((len(self._tfs), self._n_cells), dtype=np.float32)
        for cells, logits in self.parts():
            found[:, cells] = _in_few_bits(choose(logits))
            advance(len(cells))
        return found

    def levels_reached(
        self,
        thresholds: Floats,
        shifts: Mapping[str, float | None],
        min_sites: float,
        advance: Callable[[int], None],
    ) -> dict[str, str]:
        """Count, for every pair, the FDR levels that enough sites reach.

        A shift is calibrated with pairs that call sites by it. Where scarcely a site of
        a pair reaches it, the calibration does not apply: most of those calls are
        wrong.

        Parameters
        ----------
        thresholds : float32 array, shape (n_tfs, n_cells)
            Peak-calling thresholds, in log-odds.
        shifts : mapping of str to float or None
            By level, from
            :func:`~tfimpute_tracks.evaluation.fdr_calibration.calibrate_imputed_pairs`.
        min_sites : float
            Number of sites that must score at least the shift above the threshold.
        advance : callable
            As for :meth:`thresholds`.

        Returns
        -------
        dict of str to str
            Per TF a digit for each cell line: how many levels are reached, highest FDR
            first.
        """
        known = [shift for shift in shifts.values() if shift is not None]
        reached = np.zeros(thresholds.shape, dtype=np.int64)
        for cells, logits in self.parts():
            margins = logits - thresholds[:, cells]
            for shift in known:
                reached[:, cells] += (margins >= shift).sum(axis=0) >= min_sites
            advance(len(cells))
        digits = ("".join(map(str, row)) for row in reached)
        return dict(zip(self._tfs, digits, strict=True))


def quantile_thresholds(fractions: NDArray[np.float64]) -> Choose:
    """Choose the score that a fraction of the sites exceeds, which differs between TFs.

    Parameters
    ----------
    fractions : float64 array, shape (n_tfs,)

    Returns
    -------
    callable
        For :meth:`AllPairs.thresholds`.
    """

    def choose(logits: Floats) -> Floats:
        found = np.empty(logits.shape[1:], dtype=np.float32)
        for tf, fraction in enumerate(fractions):
            found[tf] = np.quantile(logits[:, tf], 1 - fraction, axis=0)
        thresholds: Floats = expit(found)
        return thresholds

    return choose


def expected_count_thresholds(logits: Floats) -> Floats:
    """Choose the score that as many sites exceed as are expected to be bound.

    Parameters
    ----------
    logits : float32 array, shape (n_sites, n_tfs, n_cells)
        Calibrated: the sum of the probabilities is the expected number.

    Returns
    -------
    float32 array, shape (n_tfs, n_cells)
        Probabilities; at least one site reaches each.
    """
    probabilities = np.sort(expit(logits.astype(np.float64)), axis=0)[::-1]
    n_bound = np.clip(probabilities.sum(axis=0).round(), 1, len(logits))
    index = n_bound.astype(np.int64)[None] - 1
    chosen = np.take_along_axis(probabilities, index, axis=0)[0]
    thresholds: Floats = chosen.astype(np.float32)
    return thresholds


def log_odds(probabilities: Floats) -> Floats:
    """Convert thresholds to finite log-odds.

    Parameters
    ----------
    probabilities : float32 array

    Returns
    -------
    float32 array
    """
    found: Floats = logit(
        np.clip(probabilities, _MIN_PROBABILITY, 1 - _MIN_PROBABILITY)
    )
    return found


def _in_few_bits(probabilities: Floats) -> Floats:
    """Round probabilities down, so that they and their complements have few bits.

    Scores near 1 keep their distance from 1; what is rounded up could miss the site that
    it was read from.
    """
    own = np.ascontiguousarray(probabilities, dtype=np.float32)
    complements = (1 - own.astype(np.float64)).astype(np.float32)
    low = (own.view(np.uint32) & _KEPT_BITS).view(np.float32)
    high = ((complements.view(np.uint32) + ~_KEPT_BITS) & _KEPT_BITS).view(np.float32)
    rounded = np.where(own < 0.5, low, 1 - high.astype(np.float64))
    return rounded.astype(np.float32)
