"""Records of the tracks that `export` writes of a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tfimpute_tracks.genome import Region
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.tracks.record import RunRecord, TrackOptions, TrackRecord
from tfimpute_tracks.tracks.track_folder import TrackFolder
from tfimpute_tracks.vocabulary import Pair

__all__ = ["expected_tracks", "stored_track"]


def stored_track(
    store: Store,
    pair: Pair,
    options: TrackOptions,
    regions: Sequence[Region] = (),
    threshold: float | None = None,
) -> TrackRecord:
    """Make the record of a pair's track, before it is written.

    Parameters
    ----------
    store : Store
    pair : Pair
    options : TrackOptions
    regions : sequence of Region
        By default all the store has.
    threshold : float, optional
        By default the pair's own.

    Returns
    -------
    TrackRecord

    Raises
    ------
    UnknownNameError
        The pair is not in the store.
    UsageError
        As :meth:`tfimpute_tracks.tracks.record.TrackOptions.resolved`.
    """
    plan, index = store.plan, store.index(pair)
    return TrackRecord(
        **plan.values_of(RunRecord),
        **options.resolved(plan.stride).values_of(TrackOptions),
        pair=pair,
        status=plan.status[index],
        expected_auroc=plan.expected_aurocs[index],
        expected_interval=plan.expected_intervals[index],
        threshold=plan.thresholds[index] if threshold is None else threshold,
        calibration=plan.calibrations[index],
        mean_over_cells=(
            store.n_cells(pair.tf) if options.signal == "specificity" else None
        ),
        regions=tuple(map(str, regions or plan.regions)),
        store=plan.digest,
        evidence_summary=plan.evidence_summary,
    )


def expected_tracks(store: Store, folder: Path, pairs: list[Pair]) -> TrackFolder:
    """List the tracks of pairs that `export` will write to a folder.

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
    counts, tracks = store.peak_counts().tolist(), []
    for pair in sorted(pairs):
        track = stored_track(store, pair, TrackOptions())
        n_peaks = counts[store.index(pair)]
        tracks.append(
            replace(
                track,
                n_peaks=n_peaks,
                signals={track.signal: f"{track.stem}.bw"},
                bigbed=f"{track.stem}.bb" if n_peaks else "",
                narrowpeak=f"{track.stem}.narrowPeak",
            )
        )
    return TrackFolder(folder, tracks, [])
