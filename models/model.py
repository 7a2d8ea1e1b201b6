"""A trained model as its users hold it: names in, probabilities out.

:class:`Model` is a checkpoint with a plain `predict`. Whole chromosomes are scanned by
:mod:`tfimpute_tracks.tracks`, through :mod:`tfimpute_tracks.engines.engine`; `predict`
is the definition that a scan must agree with.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.kernels.encode import encode
from tfimpute_tracks.models.checkpoint import Checkpoint
from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.vocabulary import Pair, Vocabulary

if TYPE_CHECKING:
    from tfimpute_tracks.genome import Sequences
    from tfimpute_tracks.models.evidence import Evidence
    from tfimpute_tracks.models.network import MotifNetwork

__all__ = ["Model"]

Floats = NDArray[np.float32]

_BATCH = 512  # tiles; the plain convolution stores n x K x L numbers


@dataclass(frozen=True)
class Model:
    """Trained weights with their names.

    Parameters
    ----------
    name : str
        What receipts and tracks call the model.
    checkpoint : Checkpoint
    evidence : Evidence, optional
        Measured tracks that it goes by beside letters; `predict` alone, which knows no
        place, does without.
    """

    name: str
    checkpoint: Checkpoint
    evidence: Evidence | None = None

    @property
    def digests(self) -> dict[str, str]:
        """Digests of what scores depend on beside letters, for receipts."""
        told = {} if self.evidence is None else self.evidence.digests
        return {"weights": self.checkpoint.digest, **told}

    @property
    def basis(self) -> str:
        """What scores go by, as in "predicted from ..."."""
        if self.evidence is None:
            return "sequence"
        store = self.evidence.store
        return f"sequence and {len(store.tracks):,} measured tracks of {store.name}"

    def check_genome(self, genome: Sequences) -> None:
        """Refuse a genome that the evidence does not lie on; letters go with any.

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

    @property
    def card(self) -> dict[str, Any]:
        """The model card, empty where the weights have none."""
        return self.checkpoint.card

    @property
    def test_sites(self) -> str:
        """What the card's AUROCs were found on, as in "AUROC on ..."."""
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
    def known_pairs(self) -> dict[Pair, dict[str, Any]]:
        """What the card says of each measured pair: role, sites, AUROC."""
        return {
            Pair(entry["tf"], entry["cell"]): entry
            for entry in self.card.get("pairs", [])
        }

    def status(self, pair: Pair) -> str:
        """Report whether a pair was in the training set.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        str
            `trained` where the model was trained on the pair's measured sites, else
            `imputed`.
        """
        return "trained" if self.known_pairs.get(pair, {}).get("trained") else "imputed"

    def expected_auroc(self, pair: Pair) -> float | None:
        """Say how well a pair is told apart on test sites, as far as known.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        float or None
            The card's AUROC where the pair was measured, else what to expect of it
            (:meth:`expected_interval`), else the mean over the measured pairs of its
            TF; None where there is none.
        """
        own = self.known_pairs.get(pair, {}).get("test_auroc")
        if own is not None:
            return float(own)
        expected = self._expectation(pair)
        return self._tf_aurocs.get(pair.tf) if expected is None else expected

    def expected_interval(self, pair: Pair) -> tuple[float, float] | None:
        """Give the interval of the AUROC to expect of a pair without data.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        tuple of float, or None
            Lower and upper end; nine of ten pairs that were kept from a model lie
            within theirs. None where the pair was measured or the card tells nothing.
        """
        own = self.known_pairs.get(pair, {}).get("test_auroc")
        expected = self._expectation(pair)
        if expected is None or own is not None:
            return None
        margin = float(self.card["expected"]["margin"])
        return max(0.0, round(expected - margin, 3)), min(
            1.0, round(expected + margin, 3)
        )

    def calibration(self, pair: Pair) -> tuple[float, float] | None:
        """Give what turns a pair's log-odds into those of being bound.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        slope, offset : float
            sigmoid(slope z + offset) is the probability that an open-chromatin site
            with log-odds z is bound; the offset holds the pair's own share of bound
            sites, or that of its TF, where scores do not know it by themselves. None
            where the card tells nothing.
        """
        told = self.card.get("calibration", {})
        if "slope" in told and "priors" not in told:
            return float(told["slope"]), float(told["intercept"])
        share = told.get("priors", {}).get(pair.tf)
        if share is None or "slope" not in told:
            return None
        known = self.known_pairs.get(pair, {})
        n_sites = self.card.get("data", {}).get("sites", {}).get("train", 0)
        if known.get("trained") and known.get("training_sites") and n_sites:
            share = known["training_sites"] / n_sites
        offset = float(told["intercept"]) + math.log(share / (1 - share))
        return float(told["slope"]), offset

    @cached_property
    def _tf_aurocs(self) -> dict[str, float]:
        found: dict[str, list[float]] = {}
        for pair, entry in self.known_pairs.items():
            if entry.get("test_auroc") is not None:
                found.setdefault(pair.tf, []).append(float(entry["test_auroc"]))
        return {tf: round(sum(all_) / len(all_), 4) for tf, all_ in found.items()}

    def _expectation(self, pair: Pair) -> float | None:
        row = self.card.get("expected", {}).get("auroc", {}).get(pair.tf)
        if row is None:
            return None
        # In thousandths, one per cell line in their order.
        return float(row.split()[self.cells.index(pair.cell)]) / 1000

    def threshold(self, pair: Pair) -> float:
        """Give the score that calls a peak of a pair unless the user says otherwise.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        float
            The probability that as many open-chromatin sites of the validation
            chromosome exceed as the TF binds on average where it was measured.
        """
        ((tf, cell),) = self.vocabulary.pair_indices([pair])
        return float(self.checkpoint.weights["thresholds"][tf, cell])

    def fdr_thresholds(self, pair: Pair) -> dict[float, float | None]:
        """Give scores that keep a false discovery rate among open-chromatin sites.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        dict of float to float or None
            False discovery rate -> the lowest probability that keeps it; None where no
            score does or nobody knows. A measured pair's own, from sites that trained
            nothing; for another pair what held on average for pairs that were kept from
            a model of the same recipe, where enough of its sites score so high. Empty
            where the card tells nothing. Along a whole genome, closed chromatin
            included, more calls are wrong.
        """
        own = self.known_pairs.get(pair, {}).get("fdr_thresholds")
        if own is not None:
            return {float(level): value for level, value in own.items()}
        told = self.card.get("fdr", {})
        imputed = told.get("imputed") or {}
        ((tf, cell),) = self.vocabulary.pair_indices([pair])
        # A digit per cell line: how many of the rates it reaches, the highest first.
        digits = imputed.get("levels_reached", {}).get(self.tfs[tf])
        levels = sorted(map(float, told.get("sites", {})))
        reached = levels[-int(digits[cell]) :] if digits and digits[cell] != "0" else []
        line = self.threshold(pair)
        return {
            level: _raised(line, imputed["shifts"][str(level)])
            if level in reached
            else None
            for level in levels
        }

    def network(self) -> MotifNetwork:
        """Build the plain network with these weights.

        Returns
        -------
        MotifNetwork
            On the CPU, in evaluation mode.
        """
        import torch

        from tfimpute_tracks.models.registry import build_network

        network = build_network(self.config, len(self.tfs), len(self.cells))
        weights = self.checkpoint.weights
        network.load_state_dict(
            {
                name: torch.from_numpy(weights[name].copy())
                for name in network.state_dict()
            }
        )
        return network.eval()

    def predict(
        self,
        sequences: Sequence[str] | NDArray[np.uint8],
        pairs: Iterable[str | tuple[str, str]],
    ) -> Floats:
        """Predict binding by the plain definition of the network, both strands.

        Parameters
        ----------
        sequences : sequence of str, or uint8 codes of shape (n_sequences, L)
            All of `config.seq_len` letters, or of the `config.span` that the scores
            of a scan depend on; codes are A C G T = 0..3, else 4.
        pairs : iterable of "TF:CELL" or (tf, cell)

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
        import torch

        indices = self.vocabulary.pair_indices(pairs)
        codes = self._codes(sequences)
        tf, cell = torch.tensor(indices, dtype=torch.int64).reshape(-1, 2).unbind(1)
        network = self.network()
        at_once = max(1, _BATCH // self.config.tiles_read(codes.shape[1]))
        with torch.no_grad():
            parts = [
                network(torch.from_numpy(codes[i : i + at_once]), tf, cell).sigmoid()
                for i in range(0, len(codes), at_once)
            ]
        if not parts:
            return np.empty((0, len(indices)), dtype=np.float32)
        probabilities: Floats = torch.cat(parts).numpy()
        return probabilities

    def _codes(self, sequences: Sequence[str] | NDArray[np.uint8]) -> NDArray[np.uint8]:
        lengths = [self.config.seq_len]
        if self.config.reach:
            lengths.append(self.config.span)
        if isinstance(sequences, np.ndarray):
            rows = [np.asarray(row, dtype=np.uint8) for row in sequences]
        else:
            rows = [encode(sequence) for sequence in sequences]
        for index, row in enumerate(rows):
            if row.shape != rows[0].shape or row.size not in lengths:
                raise UsageError(
                    f"sequence {index} has {row.size} letters; the model {self.name} "
                    f"reads {' or '.join(map(str, lengths))}: cut or pad every "
                    "sequence to that length"
                )
        return np.stack(rows) if rows else np.empty((0, lengths[0]), dtype=np.uint8)


def _raised(probability: float, shift: float) -> float:
    """Give the probability whose log-odds are higher by a shift."""
    odds = probability / max(1 - probability, 1e-9) * math.exp(shift)
    return odds / (1 + odds)
