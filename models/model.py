"""A trained model: weights, vocabulary, model card and, optionally, evidence.

:meth:`Model.predict` is the definition of a prediction from sequence;
:mod:`tfimpute_tracks.engines` computes the same scores fast, along chromosomes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, check_packages
from tfimpute_tracks.models.calibration import (
    UNCALIBRATED,
    PairCalibration,
    card_calibration,
    fdr_scores,
)
from tfimpute_tracks.models.checkpoint import Checkpoint
from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.expectation import ExpectedMetric, expected_metrics
from tfimpute_tracks.models.input_codes import stack_codes
from tfimpute_tracks.models.registry import build_network
from tfimpute_tracks.vocabulary import Pair, Vocabulary

if TYPE_CHECKING:
    from tfimpute_tracks.genome import Sequences
    from tfimpute_tracks.models.network import MotifNetwork

__all__ = ["Model"]

Floats = NDArray[np.float32]

_BATCH = 512  # tiles: the plain convolution holds n x K x L values
# Sections of a card about scores, which evidence changes.
_SCORE_SECTIONS = frozenset(
    ["pairs", "fdr", "calibration", "expected", "expression", "metrics"]
)


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model; models are equal if their digests are.

    Parameters
    ----------
    name : str
        In records and tracks.
    checkpoint : Checkpoint
    evidence : Evidence, optional
        Measured tracks that condition the scores of genomic positions; not those of
        :meth:`predict`, which has sequence only.
    """

    name: str
    checkpoint: Checkpoint
    evidence: Evidence | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self.digests == other.digests

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.digests.items())))

    @property
    def digests(self) -> dict[str, str]:
        """Digests of everything but the genome that scores depend on."""
        evidence = {} if self.evidence is None else self.evidence.digests
        return {"weights": self.checkpoint.digest, **evidence}

    @property
    def basis(self) -> str:
        """What scores are predicted from, as in "predicted from ..."."""
        if self.evidence is None:
            return "sequence"
        store = self.evidence.store
        return f"sequence and {len(store.tracks):,} measured tracks of {store.name}"

    def check_genome(self, genome: Sequences) -> None:
        """Refuse a genome other than that of the evidence; sequence goes with any.

        Parameters
        ----------
        genome : Sequences

        Raises
        ------
        InputFileError
            No chromosome is in both, or one has another length.
        """
        if self.evidence is not None:
            self.evidence.store.check_genome(genome.chrom_sizes, genome.name)

    @property
    def config(self) -> NetworkConfig:
        """Sizes of the network."""
        return self.checkpoint.config

    @property
    def vocabulary(self) -> Vocabulary:
        """TFs and cell lines, in the order of the embeddings."""
        return self.checkpoint.vocabulary

    @property
    def tfs(self) -> tuple[str, ...]:
        """Names of the TFs."""
        return self.vocabulary.tfs

    @property
    def cells(self) -> tuple[str, ...]:
        """Names of the cell lines."""
        return self.vocabulary.cells

    @cached_property
    def card(self) -> dict[str, Any]:
        """The model card, empty if there is none.

        With evidence, what concerns scores is from the card of the evidence weights.
        """
        card = self.checkpoint.card
        if self.evidence is None:
            return card
        own = self.evidence.weights.card
        card = {k: v for k, v in card.items() if k not in _SCORE_SECTIONS}
        return card | {name: own[name] for name in _SCORE_SECTIONS if name in own}

    @property
    def test_sites(self) -> str:
        """The sites of the card's AUROCs, as in "AUROC on ..."."""
        held_out = self.card.get("hold_out") or {"scheme": "chromosomes", "test": []}
        if held_out["scheme"] == "random":
            return "randomly held-out sites, neighbors of training sites"
        if held_out["scheme"] == "alternating-peaks":
            return "the test peaks of alternating peaks"
        names = ", ".join(held_out["test"])
        if not names:
            return "a test chromosome"
        return f"the test chromosome{'s' * (len(held_out['test']) > 1)} {names}"

    @cached_property
    def measured_pairs(self) -> dict[Pair, dict[str, Any]]:
        """The card's entry of each measured pair: role, training sites, AUROC."""
        return {
            Pair(entry["tf"], entry["cell"]): entry
            for entry in self.card.get("pairs", [])
        }

    def is_trained(self, pair: Pair) -> bool:
        """Report whether the model was trained on the measured sites of a pair.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        bool
        """
        return bool(self.measured_pairs.get(pair, {}).get("trained"))

    def status(self, pair: Pair) -> str:
        """Report whether there are measured peaks of a pair.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        str
            `measured` where the model was trained on the pair, or the evidence has a
            track of it; else `imputed`.
        """
        known = self.evidence is not None and pair in self.evidence.pairs
        return "measured" if known or self.is_trained(pair) else "imputed"

    def expected(self, pair: Pair, metric: str = "auroc") -> float | None:
        """Return the AUROC or average precision of a pair, measured or expected.

        Parameters
        ----------
        pair : Pair
        metric : {"auroc", "average_precision"}

        Returns
        -------
        float or None
            On test sites: the card's where the pair was measured; else what to expect
            (:meth:`expected_interval`); else the mean AUROC of the TF's measured pairs.
            None where the card has none of them.
        """
        measured = self.measured_pairs.get(pair, {}).get(f"test_{metric}")
        if measured is not None:
            return float(measured)
        found = self._expected[metric].of(*pair)
        if found is None and metric == "auroc":
            return self._tf_aurocs.get(pair.tf)
        return found

    def expected_interval(
        self, pair: Pair, metric: str = "auroc"
    ) -> tuple[float, float] | None:
        """Return the interval of the metric to expect of an unmeasured pair.

        Parameters
        ----------
        pair : Pair
        metric : {"auroc", "average_precision"}

        Returns
        -------
        tuple of float, or None
            Lower and upper end; calibrated to contain the metric of nine in ten
            held-out pairs. None where the pair was measured or the card has no
            expectation.
        """
        if self.measured_pairs.get(pair, {}).get(f"test_{metric}") is not None:
            return None
        return self._expected[metric].interval(*pair)

    @property
    def is_calibrated(self) -> bool:
        """Whether probabilities are calibrated; without, they are the scores."""
        return self.evidence is not None or "slope" in self.card.get("calibration", {})

    @cached_property
    def sequence_only(self) -> Model:
        """The same model without evidence."""
        return replace(self, evidence=None) if self.evidence else self

    def calibration(self, pair: Pair) -> PairCalibration:
        """Return what converts a pair's scores to probabilities of being bound.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        PairCalibration
            sigmoid(slope z + offset) is the probability that an open-chromatin site
            is bound, z the log-odds of its score. With evidence scores are calibrated
            already. Slope 1 and offset 0 where the card has no calibration.
        """
        if self.evidence is not None:
            return UNCALIBRATED
        return card_calibration(self.card, pair, self.measured_pairs.get(pair, {}))

    @cached_property
    def _tf_aurocs(self) -> dict[str, float]:
        found: dict[str, list[float]] = {}
        for pair, entry in self.measured_pairs.items():
            if entry.get("test_auroc") is not None:
                found.setdefault(pair.tf, []).append(float(entry["test_auroc"]))
        return {tf: round(sum(all_) / len(all_), 4) for tf, all_ in found.items()}

    @cached_property
    def _expected(self) -> dict[str, ExpectedMetric]:
        return expected_metrics(self.card, self.cells)

    def threshold(self, pair: Pair) -> float:
        """Return the default peak-calling threshold of a pair.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        float
            The probability exceeded by the TF's mean fraction of bound sites, among the
            open-chromatin sites of the validation chromosome.
        """
        return self.calibration(pair).probability(self.score_threshold(pair))

    def score_threshold(self, pair: Pair) -> float:
        """Return the same threshold as a score, as weights contain it.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        float
        """
        ((tf, cell),) = self.vocabulary.pair_indices([pair])
        trained = self.checkpoint if self.evidence is None else self.evidence.weights
        return float(trained.weights["thresholds"][tf, cell])

    def fdr_thresholds(self, pair: Pair) -> dict[float, float | None]:
        """Return the thresholds that control the FDR among open-chromatin sites.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        dict of float to float or None
            False discovery rate -> the lowest probability that achieves it; None where
            none does or the card does not say. Genome-wide, closed chromatin included,
            the false discovery rate is higher.
        """
        calibration = self.calibration(pair)
        ((_, cell),) = self.vocabulary.pair_indices([pair])
        entry = self.measured_pairs.get(pair, {})
        scores = fdr_scores(self.card, pair.tf, cell, entry, self.score_threshold(pair))
        return {
            level: None if score is None else calibration.probability(score)
            for level, score in scores.items()
        }

    def network(self) -> MotifNetwork:
        """Build the reference network with these weights.

        Returns
        -------
        MotifNetwork
            On the CPU, in evaluation mode.

        Raises
        ------
        InputFileError
            The weights do not fit the network.
        """
        check_packages(f"the network of model {self.name}", "torch")
        import torch

        network = build_network(self.config, len(self.tfs), len(self.cells))
        weights = {
            name: torch.from_numpy(array.copy())
            for name, array in self.checkpoint.weights.items()
            if name != "thresholds"
        }
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            raise InputFileError(
                f"the weights of {self.name} do not fit a {self.config.family} network "
                f"({' '.join(str(error).split())}); copy or train them again"
            ) from error
        return network.eval()

    def predict(
        self,
        sequences: Sequence[str] | NDArray[np.uint8],
        pairs: Iterable[str | tuple[str, str]],
        *,
        calibrated: bool = True,
    ) -> Floats:
        """Predict the probability of binding from sequence, with the reference network.

        Parameters
        ----------
        sequences : sequence of str, or uint8 codes of shape (n_sequences, L)
            All of `config.seq_len` bp, or of the `config.receptive_field` bp that the
            scores of a scan depend on; codes are A C G T = 0..3, else 4.
        pairs : iterable of "TF:CELL" or (tf, cell)
        calibrated : bool
            False returns the network's own scores.

        Returns
        -------
        float32 array, shape (n_sequences, n_pairs)
            Probabilities: the larger of the two strands'.

        Raises
        ------
        UsageError
            A sequence has another length, or not all have the same.
        UnknownNameError
            A TF or cell line is unknown.
        """
        network = self.network()
        import torch

        named = [self.vocabulary.pair(pair) for pair in pairs]
        indices = self.vocabulary.pair_indices(named)
        codes = stack_codes(sequences, self.config, self.name)
        model = self.sequence_only
        fits = [model.calibration(p) if calibrated else UNCALIBRATED for p in named]
        slope, offset = torch.tensor(fits).reshape(-1, 2).unbind(1)
        tf, cell = torch.tensor(indices, dtype=torch.int64).reshape(-1, 2).unbind(1)
        n = max(1, _BATCH // self.config.n_tiles(codes.shape[1]))
        with torch.no_grad():
            parts = [
                network(torch.from_numpy(codes[i : i + n]), tf, cell)
                for i in range(0, len(codes), n)
            ]
        if not parts:
            return np.empty((0, len(indices)), dtype=np.float32)
        probabilities: Floats = (slope * torch.cat(parts) + offset).sigmoid().numpy()
        return probabilities
