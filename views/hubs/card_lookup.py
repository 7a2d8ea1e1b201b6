"""Facts about tracks from the model card: TF family, training data, false discoveries.

A run record describes how a track was made. The performance of the model is in its card,
which is used only for tracks that were made with exactly those weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tfimpute_tracks.interpret.tf_families import family_of
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.tracks.record import TrackRecord

__all__ = ["CardLookup", "PairInfo"]


@dataclass(frozen=True)
class PairInfo:
    """Facts about a pair.

    Attributes
    ----------
    family : str
        DNA-binding family of the TF.
    tf_data_sets, cell_data_sets : int, optional
        Number of training pairs of the TF and of the cell line; None if unknown.
    fdr_thresholds : dict of float to float or None
        False discovery rate -> lowest score that keeps it, None if no score does; empty
        if unknown.
    peak_fdr : float, optional
        Fraction of the peaks called along a test chromosome that overlap no measured
        peak; None if unknown.
    """

    family: str
    tf_data_sets: int | None = None
    cell_data_sets: int | None = None
    fdr_thresholds: Mapping[float, float | None] = field(default_factory=dict)
    peak_fdr: float | None = None


@dataclass(frozen=True)
class CardLookup:
    """A model card, looked up for tracks.

    Parameters
    ----------
    model : Model, optional
        None: only facts that need no model are available.
    """

    model: Model | None = None

    def matches(self, track: TrackRecord) -> bool:
        """Return whether the card belongs to the weights that made a track.

        Parameters
        ----------
        track : TrackRecord

        Returns
        -------
        bool
        """
        model = self.model
        if model is None or track.weights != model.checkpoint.digest:
            return False
        return track.evidence_weights == model.digests.get("evidence_weights", "")

    def info(self, track: TrackRecord) -> PairInfo:
        """Look up a track's pair.

        Parameters
        ----------
        track : TrackRecord

        Returns
        -------
        PairInfo
            The TF family only, where the track was made with other weights.
        """
        model, (tf, cell) = self.model, track.pair
        if model is None or not self.matches(track):
            return PairInfo(family_of(tf))
        tfs, cells = self._data_sets
        entry = model.measured_pairs.get(track.pair, {})
        return PairInfo(
            family_of(tf),
            tfs[tf],
            cells[cell],
            model.fdr_thresholds(track.pair),
            entry.get("genome", {}).get("peak_fdr"),
        )

    def test_sites(self, tracks: Iterable[TrackRecord]) -> str:
        """Name the sites that the AUROCs of measured pairs are from.

        Parameters
        ----------
        tracks : iterable of TrackRecord

        Returns
        -------
        str
            To follow "AUROC on"; general where a track was made with other weights.
        """
        if self.model is not None and all(map(self.matches, tracks)):
            return self.model.test_sites
        return "sites held out from training"

    def genome_wide_fdr(self, tracks: Iterable[TrackRecord]) -> str:
        """Describe the fraction of false peaks along a whole test chromosome.

        Parameters
        ----------
        tracks : iterable of TrackRecord

        Returns
        -------
        str
            A sentence; empty where the card has no such data, or is of none of the
            tracks.
        """
        if self.model is None or not any(map(self.matches, tracks)):
            return ""
        measured = self.model.card.get("fdr", {}).get("genome")
        if not measured:
            return ""
        fdr = measured["peak_fdr"]
        return (
            f"On {measured['chrom']}, {fdr['mean']:.0%} of the peaks called at the "
            "pairs' thresholds overlap no measured peak (mean over "
            f"{fdr['pairs']} measured pairs; 10th and 90th percentile: {fdr['p10']:.0%} "
            f"and {fdr['p90']:.0%})."
        )

    @cached_property
    def n_training_pairs(self) -> int:
        """Number of pairs that the model was trained on."""
        return sum(self._data_sets[0].values())

    @cached_property
    def _data_sets(self) -> tuple[Counter[str], Counter[str]]:
        pairs = self.model.measured_pairs.items() if self.model else ()
        trained = [pair for pair, entry in pairs if entry.get("trained")]
        return Counter(tf for tf, _ in trained), Counter(cell for _, cell in trained)
