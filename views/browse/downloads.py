"""The window one looks at as files: what `scan` would write of it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome import Region
from tfimpute_tracks.tracks.formats import FORMATS
from tfimpute_tracks.tracks.rendering import Scores
from tfimpute_tracks.tracks.writer import PeakThreshold, write_pair
from tfimpute_tracks.views.browse.scores import LiveScores
from tfimpute_tracks.views.browse.window import AT_ONCE
from tfimpute_tracks.vocabulary import Pair

__all__ = ["export_window"]


def export_window(
    scores: LiveScores, pairs: list[Pair], region: Region, name: str
) -> tuple[str, bytes]:
    """Write the files of a window, one alone or several in a zip archive.

    Parameters
    ----------
    scores : LiveScores
    pairs : list of Pair
    region : Region
    name : str
        Of :data:`tfimpute_tracks.tracks.formats.FORMATS`.

    Returns
    -------
    name : str
        Of the file.
    content : bytes

    Raises
    ------
    UsageError
        Another format, a window too wide, or one without a peak for `bigbed`.
    RegionError, RunError
        No tile is drawn there, or none has a value.
    """
    if name not in FORMATS:
        raise UsageError(f"no format {name!r}; give one of {', '.join(FORMATS)}")
    if region.end - region.start > AT_ONCE:
        raise UsageError(
            f"{region} is wider than the {AT_ONCE / 1e6:.0f} Mb that are computed at "
            "once; zoom in, or use `tfimpute-tracks scan`"
        )
    with TemporaryDirectory(prefix="tfimpute-tracks-") as folder:
        files: list[Path] = []
        for pair in pairs:
            first, values = scores.signal(pair, "probability", region)
            tiles = TileRange(region.chrom, first, len(values))
            written, _ = write_pair(
                Path(folder),
                pair,
                scores.layout,
                PeakThreshold(scores.model.threshold(pair)),
                [Scores(tiles, values)],
                formats={name},
            )
            files += written
        if not files:
            raise UsageError(f"{region} has no peak of these pairs: no bigBed to write")
        where = f"{region.chrom}_{region.start + 1}-{region.end}"
        if len(files) == 1:
            (file,) = files
            return f"{file.stem}.{where}{file.suffix}", file.read_bytes()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.name)
        return f"{where}.zip", packed.getvalue()
