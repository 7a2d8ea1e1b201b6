"""The visible window as track files, equal to those that `scan` writes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from tfimpute_tracks.errors import UsageError, size_text
from tfimpute_tracks.genome import Region
from tfimpute_tracks.tracks.formats import FORMATS
from tfimpute_tracks.tracks.record import TrackOptions, TrackRecord
from tfimpute_tracks.tracks.writer import Scores, write_pair
from tfimpute_tracks.views.browse.scores import LiveScores
from tfimpute_tracks.vocabulary import Pair

__all__ = ["export_window"]


def export_window(
    scores: LiveScores, pairs: list[Pair], region: Region, name: str
) -> tuple[str, bytes]:
    """Write the track files of a window: one file, or a zip archive of several.

    Parameters
    ----------
    scores : LiveScores
    pairs : list of Pair
    region : Region
    name : str
        Format, of :data:`tfimpute_tracks.tracks.formats.FORMATS`.

    Returns
    -------
    name : str
        File name.
    content : bytes

    Raises
    ------
    UsageError
        The format is unknown, the window is too wide, or it has no peak for `bigbed`.
    RegionError, RunError
        No tile is centered there, or none has a value.
    """
    if name not in FORMATS:
        raise UsageError(f"no format {name!r}; use one of {', '.join(FORMATS)}")
    if region.end - region.start > scores.max_bp:
        raise UsageError(
            f"{region} is longer than {size_text(scores.max_bp)}, the maximum of a "
            "download; zoom in, or use `tfimpute-tracks scan`"
        )
    sizes = scores.genome.chrom_sizes
    with TemporaryDirectory(prefix="tfimpute-tracks-") as folder:
        files: list[Path] = []
        for pair in pairs:
            record = TrackRecord.of_pair(
                scores.run, scores.model, pair, [region], TrackOptions(formats=(name,))
            )
            signal = scores.signal(pair, "probability", region)
            blocks = [Scores(signal, signal)]
            _, written = write_pair(Path(folder), record, sizes, blocks)
            files += written
        if not files:
            raise UsageError(
                f"no pair has a peak in {region}, so there is no bigBed to write"
            )
        where = f"{region.chrom}_{region.start + 1}-{region.end}"
        if len(files) == 1:
            (file,) = files
            return f"{file.stem}.{where}{file.suffix}", file.read_bytes()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.name)
        return f"{where}.zip", packed.getvalue()
