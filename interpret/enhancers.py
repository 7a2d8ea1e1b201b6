"""From elements to their signature in a cell line, and how activity goes with it.

All cell lines that are asked for are scored at once: what filters find in an element is
the same for every pair. What was left out, and why, is told beside what came out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import RunError, UsageError
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
    "EnhancerJob",
    "Judged",
    "Scored",
    "check_enough",
    "judge_cells",
    "score_elements",
]

_FEWEST = 3  # elements of which components can be told
_MOST_BYTES = 4e9  # of the scores of all elements

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class EnhancerJob:
    """What to do with elements.

    Parameters
    ----------
    model : Model
    cells : tuple of str
        The cell line of the signature, and those to compare it with.
    values : "log-odds" or "probability"
        What principal components are taken of.
    alone : bool
        Take the letters beside an element for unknown.
    n_components : int
    n_extremes : int
        Most active and least active elements that are compared, each at most.
    seed : int
        Of the folds.
    threads : int
    """

    model: Model
    cells: tuple[str, ...]
    values: Literal["log-odds", "probability"] = "log-odds"
    alone: bool = False
    n_components: int = 10
    n_extremes: int = 100
    seed: int = 0
    threads: int = 1


class Scored(NamedTuple):
    """Elements with their scores.

    Attributes
    ----------
    elements : list of Element
        Those that could be scored.
    scores : float32 array, shape (n_elements, n_cells, n_tfs)
        Log-odds or probabilities.
    skipped : list of Skipped
        Those that could not, the unreadable ones first.
    """

    elements: list[Element]
    scores: NDArray[np.float32]
    skipped: list[Skipped]


class Judged(NamedTuple):
    """The signature, and how activities go with it.

    Attributes
    ----------
    signature : Signature
        In the first cell line.
    activities : float64 array, shape (n_elements,)
        NaN where none is known.
    bottom, top : int64 arrays
        Places of the least and the most active elements.
    cells : list of Comparison
        Of each cell line; empty without activities.
    """

    signature: Signature
    activities: Doubles
    bottom: Ints
    top: Ints
    cells: list[Comparison]

    @property
    def known(self) -> Ints:
        """Places of the elements with an activity."""
        return np.flatnonzero(~np.isnan(self.activities))

    def spread_controls(self, n: int) -> list[int]:
        """Choose controls that stand for all: from the largest t to the smallest.

        Parameters
        ----------
        n : int
            At most.

        Returns
        -------
        list of int
            Places of cell lines, those that tell elements apart best first.
        """
        size = np.abs([found.t for found in self.cells[1:]])
        order = 1 + np.argsort(-np.nan_to_num(size), kind="stable")
        n = min(n, len(order))
        at = np.linspace(0, len(order) - 1, n).round().astype(np.int64)
        chosen: list[int] = order[at].tolist()
        return chosen


def check_enough(
    job: EnhancerJob, elements: Elements, activities: Activities | None
) -> None:
    """Refuse what cannot come to an end, before any work.

    Parameters
    ----------
    job : EnhancerJob
    elements : Elements
    activities : Activities, optional

    Raises
    ------
    RunError
        Fewer than three elements can be scored.
    UsageError
        Too few activities or all the same, or scores that do not fit into memory.
    """
    n = len(elements.found)
    if n < _FEWEST:
        raise _too_few(n, elements.skipped)
    size = 4 * n * len(job.cells) * len(job.model.tfs)
    if size > _MOST_BYTES:
        raise UsageError(
            f"scores of {n:,} elements in {len(job.cells)} cell lines take "
            f"{size / 1e9:.1f} GB, and {_MOST_BYTES / 1e9:.0f} GB is the most; name "
            "fewer cell lines with --controls, or give fewer elements"
        )
    if activities is None:
        return
    n_values, n_different = len(activities.of), len(set(activities.of.values()))
    if n_values < MIN_ELEMENTS or n_different == 1:
        raise UsageError(
            f"{n_values} of {n} elements have an activity, {n_different} different "
            f"one(s); give {MIN_ELEMENTS} at least that are not all the same"
        )


def score_elements(
    job: EnhancerJob, elements: Elements, advance: Callable[[int], None]
) -> Scored:
    """Score elements for all TFs of the cell lines.

    Parameters
    ----------
    job : EnhancerJob
    elements : Elements
    advance : callable
        Told how many more elements are done.

    Returns
    -------
    Scored
    """
    pairs = [Pair(tf, cell) for cell in job.cells for tf in job.model.tfs]
    scorer = ElementScorer(job.model, pairs, job.alone)
    found = scorer.log_odds(elements.sequences, elements.found, job.threads, advance)
    has_value = ~np.isnan(found[:, 0])
    half = -(-job.model.config.seq_len // 2)
    told = f"a tile has a value from {half} on"
    skipped = [
        Skipped(element.name, "element", "too few known letters", told)
        for element, has in zip(elements.found, has_value, strict=True)
        if not has
    ]
    kept = [elements.found[i] for i in np.flatnonzero(has_value)]
    found = found if has_value.all() else found[has_value]
    scores = found if job.values == "log-odds" else sigmoid(found)
    shape = len(kept), len(job.cells), len(job.model.tfs)
    return Scored(kept, scores.reshape(shape), elements.skipped + skipped)


def judge_cells(
    job: EnhancerJob,
    scored: Scored,
    activities: Activities | None,
    advance: Callable[[int], None],
) -> Judged:
    """Find the signature, and hold that of every cell line against activities.

    Parameters
    ----------
    job : EnhancerJob
    scored : Scored
    activities : Activities, optional
    advance : callable
        Told how many more cell lines are done.

    Returns
    -------
    Judged

    Raises
    ------
    RunError
        Too few elements could be scored, or too few with an activity, or all alike.
    """
    if len(scored.elements) < _FEWEST:
        raise _too_few(len(scored.elements), scored.skipped)
    signature = find_signature(scored.scores[:, 0], job.n_components)
    of = {} if activities is None else activities.of
    values = np.array([of.get(element.name, np.nan) for element in scored.elements])
    known = np.flatnonzero(~np.isnan(values))
    bottom, top = (known[end] for end in extremes(values[known], job.n_extremes))
    if activities is None:
        return Judged(signature, values, bottom, top, [])
    if len(known) < MIN_ELEMENTS or len(np.unique(values[known])) == 1:
        raise RunError(
            f"{len(known)} elements with an activity could be scored; {MIN_ELEMENTS} at "
            "least whose activities differ can be compared"
        )
    cells = compare_cells(
        [scored.scores[:, cell] for cell in range(len(job.cells))],
        values,
        (bottom, top),
        job.n_components,
        job.seed,
        job.threads,
        advance,
    )
    return Judged(signature, values, bottom, top, cells)


def _too_few(n: int, skipped: list[Skipped]) -> RunError:
    reasons = sorted({one.reason for one in skipped})
    told = f" ({'; '.join(reasons)})" if reasons else ""
    return RunError(
        f"{n} element(s) can be scored, {len(skipped)} cannot{told}; a signature takes "
        f"{_FEWEST} at least"
    )
