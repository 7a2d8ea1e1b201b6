"""Score elements in several cell lines, and compare their signatures with activities.

All cell lines are scored at once, because the motif features of an element are the same
for every pair. Elements that are left out are listed with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import RunError, UsageError, counted
from tfimpute_tracks.interpret.activities import Activities
from tfimpute_tracks.interpret.element_scores import ElementScorer
from tfimpute_tracks.interpret.elements import Element, Elements, Skipped
from tfimpute_tracks.interpret.signature import (
    MIN_ELEMENTS,
    Comparison,
    Signature,
    compare_cells,
    extremes,
    find_signature,
)
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "ElementScores",
    "EnhancerJob",
    "EnhancerResult",
    "analyze_elements",
    "check_input",
    "score_elements",
]

_MIN_SIGNATURE = 3  # elements that principal components need
_MAX_BYTES = 4e9  # of the scores of all elements

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class EnhancerJob:
    """How to analyze elements.

    Parameters
    ----------
    model : Model
    cells : tuple of str
        The cell line of the elements, then those to compare it with.
    pca_input : "log-odds" or "probability"
        Values whose principal components are computed.
    mask_flanks : bool
        Treat the sequence around an element as unknown.
    n_components : int
    n_extremes : int
        Maximum number of most active, and of least active, elements that are compared.
    seed : int
        Of the folds.
    threads : int
    """

    model: Model
    cells: tuple[str, ...]
    pca_input: Literal["log-odds", "probability"] = "log-odds"
    mask_flanks: bool = False
    n_components: int = 10
    n_extremes: int = 100
    seed: int = 0
    threads: int = 1


class ElementScores(NamedTuple):
    """Elements with their scores.

    Attributes
    ----------
    elements : list of Element
        Those that were scored.
    scores : float32 array, shape (n_elements, n_cells, n_tfs)
        Log-odds or probabilities.
    skipped : list of Skipped
        The other ones; those that could not be read come first.
    """

    elements: list[Element]
    scores: NDArray[np.float32]
    skipped: list[Skipped]


class EnhancerResult(NamedTuple):
    """The signature, and its correlation with activities.

    Attributes
    ----------
    signature : Signature
        In the first cell line.
    activities : float64 array, shape (n_elements,)
        NaN if unknown.
    bottom, top : int64 arrays
        Indices of the least and the most active elements.
    comparisons : list of Comparison
        For each cell line; empty without activities.
    """

    signature: Signature
    activities: Doubles
    bottom: Ints
    top: Ints
    comparisons: list[Comparison]

    @property
    def known(self) -> Ints:
        """Indices of the elements with an activity."""
        return np.flatnonzero(~np.isnan(self.activities))

    def spread_controls(self, n: int) -> list[int]:
        """Choose controls that represent all of them, from the largest t to the smallest.

        Parameters
        ----------
        n : int
            Maximum number.

        Returns
        -------
        list of int
            Indices of cell lines, by descending absolute t.
        """
        size = np.abs([comparison.t for comparison in self.comparisons[1:]])
        order = 1 + np.argsort(-np.nan_to_num(size), kind="stable")
        n = min(n, len(order))
        at = np.linspace(0, len(order) - 1, n).round().astype(np.int64)
        chosen: list[int] = order[at].tolist()
        return chosen


def check_input(
    job: EnhancerJob,
    elements: Elements,
    activities: Activities | None,
    max_bytes: float = _MAX_BYTES,
) -> None:
    """Refuse input that cannot be analyzed, before any work.

    Parameters
    ----------
    job : EnhancerJob
    elements : Elements
    activities : Activities, optional
    max_bytes : float
        Memory for the scores.

    Raises
    ------
    RunError
        Fewer than three elements can be scored.
    UsageError
        Too few or too similar activities, or scores that do not fit into memory.
    """
    n = len(elements.found)
    _check_number(n, elements.skipped)
    size = 4 * n * len(job.cells) * len(job.model.tfs)
    if size > max_bytes:
        raise UsageError(
            f"scores of {n:,} elements in {len(job.cells)} cell lines need "
            f"{size / 1e9:.1f} GB, more than {max_bytes / 1e9:.0f} GB; use fewer cell "
            "lines with --control-cells, or fewer elements"
        )
    if activities is None:
        return
    n_values, n_different = len(activities.of), len(set(activities.of.values()))
    if n_values < MIN_ELEMENTS or n_different == 1:
        raise UsageError(
            f"{n_values} of {n} elements have an activity, with "
            f"{counted(n_different, 'different value')}; use at least "
            f"{MIN_ELEMENTS} that are not all the same"
        )


def score_elements(
    job: EnhancerJob, elements: Elements, advance: Callable[[int], None]
) -> ElementScores:
    """Score elements for all TFs of the cell lines.

    Parameters
    ----------
    job : EnhancerJob
    elements : Elements
    advance : callable
        Called with the number of elements that have just been scored.

    Returns
    -------
    ElementScores
    """
    pairs = [Pair(tf, cell) for cell in job.cells for tf in job.model.tfs]
    scorer = ElementScorer(job.model, pairs, job.mask_flanks)
    found = scorer.log_odds(elements.sequences, elements.found, job.threads, advance)
    has_score = ~np.isnan(found[:, 0])
    detail = f"at least {-(-job.model.config.seq_len // 2)} bp are needed"
    skipped = [
        Skipped(element.name, "element", "too few known bases", detail)
        for element, has in zip(elements.found, has_score, strict=True)
        if not has
    ]
    kept = [elements.found[i] for i in np.flatnonzero(has_score)]
    found = found if has_score.all() else found[has_score]
    scores = found if job.pca_input == "log-odds" else sigmoid(found)
    shape = len(kept), len(job.cells), len(job.model.tfs)
    return ElementScores(kept, scores.reshape(shape), elements.skipped + skipped)


def analyze_elements(
    job: EnhancerJob,
    scored: ElementScores,
    activities: Activities | None,
    advance: Callable[[int], None],
) -> EnhancerResult:
    """Find the signature, and compare that of every cell line with activities.

    Parameters
    ----------
    job : EnhancerJob
    scored : ElementScores
    activities : Activities, optional
    advance : callable
        Called with the number of cell lines that are done.

    Returns
    -------
    EnhancerResult

    Raises
    ------
    RunError
        Too few elements were scored, too few of them have an activity, or all are the
        same.
    """
    _check_number(len(scored.elements), scored.skipped)
    signature = find_signature(scored.scores[:, 0], job.n_components)
    of = {} if activities is None else activities.of
    values = np.array([of.get(element.name, np.nan) for element in scored.elements])
    known = np.flatnonzero(~np.isnan(values))
    bottom, top = (known[group] for group in extremes(values[known], job.n_extremes))
    if activities is None:
        return EnhancerResult(signature, values, bottom, top, [])
    if len(known) < MIN_ELEMENTS or len(np.unique(values[known])) == 1:
        raise RunError(
            f"only {counted(len(known), 'element')} with an activity scored; a comparison "
            f"needs at least {MIN_ELEMENTS} with different activities"
        )
    comparisons = compare_cells(
        [scored.scores[:, cell] for cell in range(len(job.cells))],
        *(values, (bottom, top), job.n_components, job.seed, job.threads, advance),
    )
    return EnhancerResult(signature, values, bottom, top, comparisons)


def _check_number(n: int, skipped: list[Skipped]) -> None:
    if n < _MIN_SIGNATURE:
        reasons = "; ".join(sorted({one.reason for one in skipped}))
        raise RunError(
            f"{counted(n, 'element')} can be scored, {len(skipped)} cannot"
            f"{f' ({reasons})' if reasons else ''}; a signature needs at least "
            f"{_MIN_SIGNATURE}"
        )
