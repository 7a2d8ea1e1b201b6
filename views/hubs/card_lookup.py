"""Facts about tracks from the model card: TF family, training data, false discoveries.

A receipt describes how a track was made. The performance of the model is in its cards,
of scores from sequence and with evidence. A card is used only for tracks that were made
with exactly its weights; the measured tracks themselves are not needed.
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
    """The cards of a model, looked up for tracks.

    Parameters
    ----------
    models : tuple of Model
        The ways in which the model predicts, each with its own card:
        :func:`tfimpute_tracks.models.loading.load_modes`. Empty: only facts that need no
        model are available.
    """

    models: tuple[Model, ...] = ()

    def find(self, track: TrackRecord) -> Model | None:
        """Find what made a track.

        Parameters
        ----------
        track : TrackRecord

        Returns
        -------
        Model or None
            The one with exactly the weights that made the track, whatever measured
            tracks they read; None if there is none.
        """
        for model in self.models:
            read_by = model.digests.get("evidence_weights", "")
            if (track.weights, track.evidence_weights) == (
                model.checkpoint.digest,
                read_by,
            ):
                return model
        return None

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
        model, (tf, cell) = self.find(track), track.pair
        if model is None:
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
        if self.models and all(map(self.find, tracks)):
            return self.models[0].test_sites
        return "sites held out from training"

    def genome_wide_fdr(self, tracks: Iterable[TrackRecord]) -> str:
        """Describe the fraction of false peaks along a whole test chromosome.

        Parameters
        ----------
        tracks : iterable of TrackRecord

        Returns
        -------
        str
            A sentence for each way in which tracks were predicted; none where the card
            has no such data.
        """
        used = {self.find(track) for track in tracks}
        sentences = []
        for model in self.models:
            measured = model.card.get("fdr", {}).get("genome")
            if model not in used or not measured:
                continue
            fdr = measured["peak_fdr"]
            way = "with evidence" if model.evidence else "from sequence"
            sentences.append(
                f"On {measured['chrom']}, {fdr['mean']:.0%} of the peaks called {way} at "
                "the pairs' thresholds overlap no measured peak (mean over "
                f"{fdr['pairs']} measured pairs; 10th and 90th percentile: "
                f"{fdr['p10']:.0%} and {fdr['p90']:.0%})."
            )
        return " ".join(sentences)

    @cached_property
    def n_training_pairs(self) -> int:
        """Number of pairs that the model was trained on."""
        return sum(self._data_sets[0].values())

    @cached_property
    def _data_sets(self) -> tuple[Counter[str], Counter[str]]:
        pairs = self.models[0].measured_pairs.items() if self.models else ()
        trained = [pair for pair, entry in pairs if entry.get("trained")]
        return Counter(tf for tf, _ in trained), Counter(cell for _, cell in trained)
