"""Measured peaks next to predictions, and what the page says about evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from tfimpute_tracks.evidence import (
    EvidenceStore,
    MeasuredPeaks,
    measured_calls,
    measured_peaks,
)
from tfimpute_tracks.genome import Region, Sequences
from tfimpute_tracks.impute.query import Calls
from tfimpute_tracks.models.catalog import mean_accuracy
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = ["MeasuredTracks"]


class MeasuredTracks:
    """Measured tracks of a genome, whether or not the model reads them.

    Parameters
    ----------
    store : EvidenceStore, optional
        None: nothing is known to be measured.
    modes : sequence of Model
        The model from sequence, and with evidence, where it has weights for both: to say
        what evidence is good for.
    """

    def __init__(
        self, store: EvidenceStore | None = None, modes: Sequence[Model] = ()
    ) -> None:
        self._store, self._modes = store, modes

    @classmethod
    def of_model(cls, model: Model) -> MeasuredTracks:
        """Take the tracks that a model reads.

        Parameters
        ----------
        model : Model

        Returns
        -------
        MeasuredTracks
        """
        if model.evidence is None:
            return cls()
        return cls(model.evidence.store, (model.sequence_only, model))

    def n_tracks(self, pair: Pair) -> int:
        """Count the tracks of a pair.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        int
        """
        return self._n_tracks[pair]

    def calls(self, region: Region) -> Calls:
        """Find which pairs have a measured peak in a region.

        Parameters
        ----------
        region : Region

        Returns
        -------
        mapping of Pair to str
        """
        return measured_calls(self._store, region) if self._store else {}

    def peaks(self, pair: Pair, region: Region) -> MeasuredPeaks | None:
        """Read the measured peaks of a pair that overlap a region.

        Parameters
        ----------
        pair : Pair
        region : Region

        Returns
        -------
        MeasuredPeaks or None
            None for a pair without a track.
        """
        if self._store is None or not self._n_tracks[pair]:
            return None
        return measured_peaks(self._store, pair, region)

    def about(self, model: Model, genome: Sequences) -> dict[str, Any]:
        """Describe the evidence of the scores.

        Parameters
        ----------
        model : Model
            Which computes the scores.
        genome : Sequences

        Returns
        -------
        dict
            JSON values: `name`, empty for scores from sequence only; `build`; the number
            of `tracks`; the `chroms` of the genome with data; the name of what is
            `available` for this genome; and the `accuracy` of both ways, None where a
            card lacks it.
        """
        found: dict[str, Any] = {"name": "", "build": "", "tracks": 0, "chroms": []}
        found["available"] = self._store.name if self._store else ""
        if model.evidence is not None:
            store = model.evidence.store
            found |= {
                "name": store.name,
                "build": store.build,
                "tracks": len(store.tracks),
                "chroms": [c for c in genome.chrom_sizes if store.has_peaks(c).any()],
            }
        return found | {"accuracy": self._accuracy()}

    def _accuracy(self) -> dict[str, Any] | None:
        means = [mean_accuracy(mode) for mode in self._modes]
        if len(means) < 2 or None in means:
            return None
        sequence, evidence = means
        sites = self._modes[0].test_sites
        return {"sequence": sequence, "evidence": evidence, "sites": sites}

    @cached_property
    def _n_tracks(self) -> Counter[Pair]:
        tracks = self._store.tracks if self._store else ()
        return Counter(track.pair for track in tracks)
