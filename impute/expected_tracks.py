"""The tracks that `export` would write of a store, before it has."""

from __future__ import annotations

from pathlib import Path

from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.tracks.signals import SIGNALS
from tfimpute_tracks.tracks.track_folder import TrackFolder, TrackRecord
from tfimpute_tracks.vocabulary import Pair

__all__ = ["expected_tracks"]


def expected_tracks(store: Store, folder: Path, pairs: list[Pair]) -> TrackFolder:
    """Give the tracks of pairs as they will be found in a folder.

    Parameters
    ----------
    store : Store
        Complete.
    folder : Path
    pairs : list of Pair

    Returns
    -------
    TrackFolder
        bigWigs of the probability, and bigBeds where a pair has peaks.

    Raises
    ------
    InputFileError
        A shard is missing or damaged.
    UnknownNameError
        A pair is not in the store.
    """
    plan, kind = store.plan, SIGNALS["probability"]
    counts = store.peak_counts().tolist()
    tracks = []
    for pair in pairs:
        place = store.place(pair)
        stem = kind.stem(pair)
        tracks.append(
            TrackRecord(
                pair,
                plan.status[place],
                plan.thresholds[place],
                counts[place],
                plan.aurocs[place],
                model=plan.model,
                weights=plan.weights,
                evidence_weights=plan.evidence.get("evidence_weights", ""),
                basis=plan.basis,
                genome=plan.genome,
                regions=tuple(plan.regions),
                signals={kind.name: f"{stem}.bw"},
                bigbed=f"{stem}.bb" if counts[place] else "",
                narrowpeak=f"{stem}.narrowPeak",
            )
        )
    return TrackFolder(folder, sorted(tracks, key=lambda track: track.pair), [])
