"""Complete the card of a trained model: what its scores mean for every pair.

`train` writes a card with the metrics and thresholds of measured pairs. What holds for
pairs without measurement is estimated with pairs that were held out from a reference: a
model of the same kind that was trained without them, or the model itself. Sections:

- `calibration`: the probability of being bound that a score corresponds to.
- `fdr`: how far above its peak-calling threshold an unmeasured pair must score to keep a
  false discovery rate (FDR) among open-chromatin sites.
- `genome`: the FDR of both kinds of thresholds along a whole chromosome.
- `expected`: the AUROC to expect of every pair, with an interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from tfimpute_tracks.dataset import Dataset, Split, split_from_record
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.evaluation.fdr import MIN_PAIRS, MIN_SITES
from tfimpute_tracks.evaluation.fdr_calibration import calibrate_imputed_pairs
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.training.all_pairs import AllPairs, log_odds
from tfimpute_tracks.training.expected_auroc import (
    AuxiliarySettings,
    auroc_section,
    fit_expected_auroc,
)
from tfimpute_tracks.training.export_checkpoint import evaluation_sites
from tfimpute_tracks.training.genome_fdr import (
    MeasuredChrom,
    compare_chrom,
    summarize_counts,
)
from tfimpute_tracks.training.pair_scores import (
    PairScores,
    calibrate_held_out,
    score_dataset,
    subsample,
    tf_bound_fractions,
)
from tfimpute_tracks.vocabulary import Pair

__all__ = ["SECTIONS", "CardInputs", "complete_card", "complete_evidence_card"]

SECTIONS = ("calibration", "fdr", "genome", "expected")
"""Sections that :func:`complete_card` computes."""

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Log = Callable[[str], None]

_MAX_SITES = 20_000  # that all pairs are scored at


class _CardModel:
    """A model with its scores at the sites of its card, computed when needed."""

    def __init__(self, model: Model, dataset: Dataset) -> None:
        self.model, self.dataset = model, dataset

    @cached_property
    def split(self) -> Split:
        return split_from_record(self.dataset, self.model.card["hold_out"])

    @cached_property
    def sites(self) -> Split:
        return evaluation_sites(self.dataset, self.split, self.model.config)

    @cached_property
    def is_trained(self) -> NDArray[np.bool_]:
        pairs = self.dataset.pairs
        return np.array([self.model.is_trained(pair) for pair in pairs])

    @cached_property
    def scores(self) -> PairScores:
        sites = self.sites
        return score_dataset(
            self.model, self.dataset, self.is_trained, sites.valid, sites.test
        )

    @property
    def fractions(self) -> Doubles:
        trained = np.flatnonzero(self.is_trained)
        priors = self.model.card.get("calibration", {}).get("priors", {})
        return tf_bound_fractions(self.dataset, self.split.train, trained, priors)

    def held_out_pairs(self) -> list[Pair]:
        held_out = self.scores.held_out()
        if len(held_out) < MIN_PAIRS:
            raise UsageError(
                f"{self.model.name} was trained on all but {len(held_out)} pairs of the "
                f"data set, and thresholds of unmeasured pairs need {MIN_PAIRS} "
                "held-out pairs; use --held-out-model with a model that was trained "
                "without some (`--roles base` after `tfimpute-tracks split`)"
            )
        return [self.dataset.pairs[i] for i in held_out]

    def imputed_thresholds(self) -> tuple[Floats, dict[str, Any]]:
        """Calibrate the thresholds of held-out pairs, log-odds (n_pairs, n_levels)."""
        pairs, scores = self.held_out_pairs(), self.scores
        held_out = scores.held_out()
        own = [self.model.score_threshold(pair) for pair in pairs]
        return calibrate_imputed_pairs(
            scores.valid.subset(held_out),
            scores.test.subset(held_out),
            log_odds(np.array(own)).astype(np.float32),
        )


@dataclass(frozen=True)
class CardInputs:
    """What a card is completed with.

    Attributes
    ----------
    model : Model
        The model of the card.
    reference : Model
        Of the same kind, trained without some pairs; may be the same.
    dataset : Dataset
    measured : MeasuredChrom, optional
        For the section `genome`.
    auxiliary : AuxiliarySettings, optional
        For the section `expected`.
    n_threads : int
    """

    model: Model
    reference: Model
    dataset: Dataset
    measured: MeasuredChrom | None = None
    auxiliary: AuxiliarySettings | None = None
    n_threads: int = 1

    def need_measured(self) -> MeasuredChrom:
        """Return the measured peaks.

        Returns
        -------
        MeasuredChrom

        Raises
        ------
        UsageError
            There are none.
        """
        if self.measured is None:
            raise UsageError(
                "the section genome compares a scan with measured peaks; use --fasta "
                "and --pairs-table"
            )
        return self.measured


def complete_card(
    inputs: CardInputs, sections: Sequence[str], log: Log
) -> dict[str, Any]:
    """Compute sections of the card of a model that reads sequence.

    Parameters
    ----------
    inputs : CardInputs
    sections : sequence of str
        Of :data:`SECTIONS`.
    log : callable
        Called with lines about progress.

    Returns
    -------
    dict
        The whole card.

    Raises
    ------
    UsageError
        A section cannot be computed from the inputs.
    InputFileError
        A file cannot be read.
    """
    unknown = sorted(set(sections) - set(SECTIONS))
    if unknown:
        raise UsageError(
            f"unknown section {', '.join(unknown)}; use some of {', '.join(SECTIONS)}"
        )
    for model in (inputs.model, inputs.reference):
        if "hold_out" not in model.card:
            raise UsageError(
                f"{model.name} has no card of `tfimpute-tracks train` next to its "
                "weights, which lists the sites it was trained on; train it again"
            )
    # The model may keep names of its initial weights that the data set lacks.
    dataset = replace(inputs.dataset, vocabulary=inputs.model.vocabulary)
    own = _CardModel(inputs.model, dataset)
    reference = own
    if inputs.reference is not inputs.model:
        reference = _CardModel(inputs.reference, dataset)
    card = dict(inputs.model.card)
    if "calibration" in sections:
        log("calibration of probabilities")
        card["calibration"] = calibrate_held_out(
            reference.scores, reference.fractions, own.fractions
        )
    fdr = dict(card["fdr"])
    if "fdr" in sections:
        log("thresholds of unmeasured pairs")
        fdr["imputed"] = _imputed(own, reference, fdr.get("imputed", {}))
    if "genome" in sections:
        card["pairs"], found = _genome(own, reference, inputs, log)
        fdr["genome"] = found["genome"]
        if "imputed" in fdr:
            fdr["imputed"] = fdr["imputed"] | {"genome": found["imputed"]}
    card["fdr"] = fdr
    if "expected" in sections:
        if inputs.auxiliary is None:
            raise UsageError("the section expected needs settings of auxiliary models")
        fitted = fit_expected_auroc(inputs.model, dataset, inputs.auxiliary, log)
        both = [(x.model, x.scores) for x in (own, reference)]
        card["expected"] = auroc_section(fitted, *both)
    return card


def complete_evidence_card(inputs: CardInputs, log: Log) -> dict[str, Any]:
    """Compute the section `genome` of the card of evidence weights.

    All other sections are computed by `evidence train`.

    Parameters
    ----------
    inputs : CardInputs
        Both models have evidence; each is given the tracks of its trained pairs only,
        and no pair its own.
    log : callable
        Called with lines about progress.

    Returns
    -------
    dict
        The whole card.

    Raises
    ------
    UsageError
        There are no measured peaks.
    """
    measured, model = inputs.need_measured(), inputs.model
    if model.evidence is None:
        raise UsageError(f"{model.name} has no evidence; use --evidence")
    card = dict(model.evidence.weights.card)
    card["pairs"], summary = _evidence_genome(model, measured, inputs, log)
    fdr = card["fdr"] | {"genome": summary["trained"]}
    if inputs.reference is not model:
        _, summary = _evidence_genome(inputs.reference, measured, inputs, log)
    if summary["held_out"] is not None:
        fdr["imputed"] = fdr["imputed"] | {"genome": summary["held_out"]}
    return card | {"fdr": fdr}


def _imputed(
    own: _CardModel, reference: _CardModel, before: Mapping[str, Any]
) -> dict[str, Any]:
    """Calibrate thresholds of unmeasured pairs, and count the levels they reach."""
    _, section = reference.imputed_thresholds()
    rows = subsample(own.sites.valid, _MAX_SITES)
    levels = AllPairs(own.model, own.dataset, rows).levels_reached(
        log_odds(own.model.checkpoint.weights["thresholds"]),
        section["shifts"],
        MIN_SITES,
        lambda _: None,
    )
    if "genome" in before and before["shifts"] == section["shifts"]:
        section["genome"] = before["genome"]
    return section | {"levels_reached": levels}


def _genome(
    own: _CardModel, reference: _CardModel, inputs: CardInputs, log: Log
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Compare scans with measured peaks: entries of pairs, and summaries."""
    measured = inputs.need_measured()
    entries = [dict(entry) for entry in own.model.card["pairs"]]
    found = _compare_entries(own.model, entries, measured, inputs, log)
    for entry, counts in zip(entries, found, strict=True):
        entry["genome"] = counts.peak_metrics()
    summaries = {"genome": summarize_counts(found, measured.chrom)}
    if len(reference.scores.held_out()) >= MIN_PAIRS:
        thresholds, _ = reference.imputed_thresholds()
        counts_of = compare_chrom(
            reference.model,
            reference.held_out_pairs(),
            expit(thresholds),
            measured,
            inputs.n_threads,
            log,
        )
        summaries["imputed"] = summarize_counts(list(counts_of), measured.chrom)
    return entries, summaries


def _evidence_genome(
    model: Model, measured: MeasuredChrom, inputs: CardInputs, log: Log
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    assert model.evidence is not None
    entries = [dict(entry) for entry in model.card["pairs"]]
    trained = [Pair(e["tf"], e["cell"]) for e in entries if e["trained"]]
    model = replace(model, evidence=model.evidence.subset(trained))
    found = _compare_entries(model, entries, measured, inputs, log)
    for entry, counts in zip(entries, found, strict=True):
        entry["genome"] = counts.peak_metrics()
    groups = {
        name: [c for c, e in zip(found, entries, strict=True) if e["trained"] == wanted]
        for name, wanted in (("trained", True), ("held_out", False))
    }
    return entries, {
        name: summarize_counts(group, measured.chrom) if group else None
        for name, group in groups.items()
    }


def _compare_entries(
    model: Model,
    entries: Sequence[Mapping[str, Any]],
    measured: MeasuredChrom,
    inputs: CardInputs,
    log: Log,
) -> list[Any]:
    """Compare the pairs of a card, at their own thresholds."""
    pairs = [Pair(entry["tf"], entry["cell"]) for entry in entries]
    thresholds = [list(entry["fdr_thresholds"].values()) for entry in entries]
    found = compare_chrom(
        model,
        pairs,
        np.array(thresholds, dtype=np.float32),
        measured,
        inputs.n_threads,
        log,
    )
    return list(found)
