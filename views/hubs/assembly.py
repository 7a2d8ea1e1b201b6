"""Which assembly the tracks of a folder lie on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome import name_assembly
from tfimpute_tracks.tracks.formats import signal_chroms
from tfimpute_tracks.tracks.record import TrackRecord
from tfimpute_tracks.tracks.track_folder import TrackFolder

__all__ = ["find_assembly"]


def find_assembly(
    folder: TrackFolder,
    training_genome: Mapping[str, Any],
    chrom_sizes: Mapping[str, int] | None = None,
    label: str | None = None,
) -> str:
    """Find the assembly from the receipts, or from the chromosome sizes.

    Parameters
    ----------
    folder : TrackFolder
    training_genome : mapping
        Genome of a model's training data, one of the assemblies that are recognized.
    chrom_sizes : mapping of str to int, optional
        bp by chromosome; by default those of each track's bigWig.
    label : str, optional
        What the user calls it; compared with the chromosome sizes of the first track.

    Returns
    -------
    str
        UCSC name, such as `hg19`.

    Raises
    ------
    UsageError
        The assembly is unknown, or the tracks lie on several ones; or the label is
        wrong.
    """

    def recognize(track: TrackRecord) -> str:
        files = track.signals.values()
        sizes = chrom_sizes
        if sizes is None:
            sizes = next((signal_chroms(folder.path / file) for file in files), {})
        return name_assembly(label, sizes, training_genome)

    if label is not None:
        return recognize(folder.tracks[0])
    builds = {track.build or recognize(track) for track in folder.tracks}
    if builds == {""}:
        raise UsageError(
            "neither the receipts nor the chromosome sizes show which assembly the "
            "tracks are of; use --assembly, such as --assembly hg38"
        )
    if len(builds) > 1:
        names = ", ".join(sorted(build or "unknown" for build in builds))
        raise UsageError(
            f"the tracks are of several assemblies ({names}); use --assembly"
        )
    return builds.pop()
