"""What can be told of a pair beside its files: family, data sets, worth of a score.

Receipts tell what a track was made of. What the model that made it is worth stands in
its card, which is looked up here, if it is the card of those very weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tfimpute_tracks.interpret.tf_families import family_of
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.tracks.track_folder import TrackRecord

__all__ = ["CardLookup", "PairInfo"]


@dataclass(frozen=True)
class PairInfo:
    """What is known of a pair.

    Attributes
    ----------
    family : str
    tf_data_sets, cell_data_sets : int, optional
        Measured pairs of the TF and of the cell line that the model learned from; None
        where the model is not at hand.
    fdr_thresholds : dict of float to float or None
        False discovery rate -> the lowest score that keeps it; None where none does,
        empty where nothing is known.
    peak_fdr : float, optional
        Share of the peaks called along a test chromosome that no measured peak
        confirms; None where that was not looked at.
    """

    family: str
    tf_data_sets: int | None = None
    cell_data_sets: int | None = None
    fdr_thresholds: Mapping[float, float | None] = field(default_factory=dict)
    peak_fdr: float | None = None


@dataclass(frozen=True)
class CardLookup:
    """A model's card, asked about tracks.

    Parameters
    ----------
    model : Model, optional
        None: only what needs no model is told.
    """

    model: Model | None = None

    def of(self, track: TrackRecord) -> PairInfo:
        """Tell what is known of a track.

        Parameters
        ----------
        track : ShelfTrack

        Returns
        -------
        Facts
        """
        model, (tf, cell) = self.model, track.pair
        if model is None or not self.knows(track):
            return PairInfo(family_of(tf))
        tfs, cells = self._data_sets
        own = model.measured_pairs.get(track.pair, {})
        return PairInfo(
            family_of(tf),
            tfs[tf],
            cells[cell],
            model.fdr_thresholds(track.pair),
            own.get("genome", {}).get("peak_fdr"),
        )

    def test_sites(self, tracks: Iterable[TrackRecord]) -> str:
        """Say what AUROCs of measured pairs were found on, as in "AUROC on ...".

        Parameters
        ----------
        tracks : iterable of ShelfTrack

        Returns
        -------
        str
            Less where another model made one of them: its card is not at hand.
        """
        if self.model is not None and all(map(self.knows, tracks)):
            return self.model.test_sites
        return "sites that trained nothing"

    def along_the_genome(self) -> str:
        """Say how many called peaks were confirmed along a whole chromosome.

        Returns
        -------
        str
            A sentence; empty where nothing is known.
        """
        told = self.model.card.get("fdr", {}).get("genome") if self.model else None
        if not told:
            return ""
        found = told["peak_fdr"]
        return (
            f"Along {told['chrom']}, {found['mean']:.0%} of the peaks that are called "
            "at the pairs' thresholds coincide with no measured peak (mean over "
            f"{found['pairs']} measured pairs; a tenth are below {found['p10']:.0%}, a "
            f"tenth above {found['p90']:.0%})."
        )

    def knows(self, track: TrackRecord) -> bool:
        """Tell whether the model is the one that made a track.

        Parameters
        ----------
        track : ShelfTrack

        Returns
        -------
        bool
        """
        model = self.model
        if model is None or track.weights != model.checkpoint.digest:
            return False
        return track.evidence_weights == model.digests.get("evidence_weights", "")

    @cached_property
    def _data_sets(self) -> tuple[Counter[str], Counter[str]]:
        known: Mapping[Any, Mapping[str, Any]] = (
            self.model.measured_pairs if self.model else {}
        )
        seen = [pair for pair, told in known.items() if told.get("trained")]
        return Counter(tf for tf, _ in seen), Counter(cell for _, cell in seen)
