"""What a scan returns: the tracks of some pairs along regions, in memory."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfimpute_tracks.api.arrays import track_array
from tfimpute_tracks.api.values import (
    as_path,
    check_choice,
    check_threshold,
    check_whole,
    join_texts,
)
from tfimpute_tracks.engines.engine import pick_device
from tfimpute_tracks.errors import counted
from tfimpute_tracks.tracks import ScanJob
from tfimpute_tracks.tracks.in_memory import ScannedTracks

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from tfimpute_tracks.api.loaded import LoadedModel
    from tfimpute_tracks.genome import Region, Sequences
    from tfimpute_tracks.vocabulary import Pair

__all__ = ["Scan", "scan_job"]

_MAX_STRIDE = 1_000_000_000

_PEAK_COLUMNS = (
    *("chrom", "start", "end", "tf", "cell", "name", "score", "probability", "summit"),
)


class Scan:
    """Tracks of pairs along regions; :meth:`tfimpute_tracks.Model.scan` makes them.

    Parameters
    ----------
    scanned : ScannedTracks

    Examples
    --------
    >>> from tfimpute_tracks import load_model
    >>> scan = load_model().scan(None, "chr20:48,599,001-48,601,000", "CTCF:K562")
    >>> scan
    Scan(1 pair, 21 positions, probability)
    """

    def __init__(self, scanned: ScannedTracks) -> None:
        self._scanned = scanned

    @property
    def pairs(self) -> list[str]:
        """The pairs, as "TF:CELL"."""
        return [str(pair) for pair in self._scanned.job.pairs]

    @property
    def regions(self) -> list[str]:
        """What was scored, 1-based with both ends included."""
        return [str(region) for region in self._scanned.job.regions]

    @cached_property
    def array(self) -> xr.DataArray:
        """The signal, float32 with the dimensions (position, pair).

        A position is where a bin starts: 0-based, in bp. Its coordinates are `position`,
        `chrom` and `end`; those of a pair are `pair`, `tf`, `cell`, `status` and
        `threshold`. NaN means that the sequence is unknown. The attributes say which
        model and genome it is of.

        Examples
        --------
        >>> from tfimpute_tracks import load_model
        >>> scan = load_model().scan(None, "chr20:48,599,001-48,601,000", "CTCF:K562")
        >>> track = scan.array.sel(pair="CTCF:K562")
        >>> track.sizes
        Frozen({'position': 21})
        """
        scanned = self._scanned
        job, run = scanned.job, scanned.run
        drawn = [
            [
                signal
                for _, drawn in scanned.scores(index)
                for signal in drawn.packed().signals()
            ]
            for index in range(len(job.pairs))
        ]
        records = [scanned.record(index) for index in range(len(job.pairs))]
        about: dict[str, list[Any]] = {
            "status": [record.status for record in records],
            "threshold": [record.threshold for record in records],
        }
        attrs = {
            "model": run.model,
            "predicted_from": run.basis,
            "genome": run.genome,
            "assembly": run.build,
            "stride": job.stride,
            "regions": self.regions,
        }
        name = job.options.kind.column
        return track_array(drawn, scanned.chrom_sizes, job.pairs, about, name, attrs)

    def call_peaks(self, threshold: float | None = None) -> pd.DataFrame:
        """Call the peaks of all pairs, as a scan's files hold them.

        Parameters
        ----------
        threshold : float, optional
            The lowest probability of a peak. By default that of the scan, or else the
            model's own for each pair.

        Returns
        -------
        DataFrame
            A row per peak, pair by pair in genome order: chrom, start, end (0-based,
            half-open), tf, cell, name, score (0 to 1000), probability (at the summit)
            and summit (0-based position).

        Raises
        ------
        UsageError
            The threshold is not a number from 0 to 1.

        Examples
        --------
        >>> from tfimpute_tracks import load_model
        >>> scan = load_model().scan(None, "chr20:48,599,001-48,601,000", "CTCF:K562")
        >>> scan.call_peaks()[["chrom", "start", "end"]]
           chrom     start       end
        0  chr20  48598950  48599750
        """
        import pandas as pd

        threshold = check_threshold(threshold)
        rows = [
            (
                *(peak.chrom, peak.start, peak.end, *pair, peak.name, peak.score),
                *(peak.signal, peak.start + peak.summit),
            )
            for index, pair in enumerate(self._scanned.job.pairs)
            for peak in self._scanned.peaks(index, threshold).rows
        ]
        return pd.DataFrame(rows, columns=list(_PEAK_COLUMNS))

    def to_bigwig(self, out_dir: str | Path) -> list[Path]:
        """Write a bigWig of each pair.

        Parameters
        ----------
        out_dir : str or Path
            Created if missing.

        Returns
        -------
        list of Path
            ``TF.CELL.bw`` of each pair, in the order of the pairs; a receipt lies next
            to each.

        Raises
        ------
        OutputError, WriteError, ValidationError
            As :meth:`write`.

        Examples
        --------
        >>> from tfimpute_tracks import load_model
        >>> scan = load_model().scan(None, "chr20:48,599,001-48,601,000", "CTCF:K562")
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> [path.name for path in scan.to_bigwig(folder)]
        ['CTCF.K562.bw']
        """
        return [path for path in self.write(out_dir, "bigwig") if path.suffix == ".bw"]

    def write(
        self, out_dir: str | Path, formats: str | Iterable[str] | None = None
    ) -> list[Path]:
        """Write the files that `tfimpute-tracks scan` writes.

        Parameters
        ----------
        out_dir : str or Path
            Created if missing. Files of the same names are replaced.
        formats : str or iterable of str, optional
            bigwig, bedgraph, parquet, bed (narrowPeak), bigbed. By default bigwig, and
            bed and bigbed with the probability.

        Returns
        -------
        list of Path
            Pair by pair, each receipt after its files.

        Raises
        ------
        OutputError, WriteError, ValidationError
            A file cannot be written, or does not read back as written.
        UsageError
            A format is unknown, or does not hold the signal.

        Examples
        --------
        >>> from tfimpute_tracks import load_model
        >>> scan = load_model().scan(None, "chr20:48,599,001-48,601,000", "CTCF:K562")
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> [path.name for path in scan.write(folder, "bed")]
        ['CTCF.K562.narrowPeak', 'CTCF.K562.receipt.json']
        """
        names = () if formats is None else join_texts(formats, "formats").split(",")
        results = self._scanned.write(as_path(out_dir, "out_dir"), names)
        return [path for result in results for path in result.files]

    def __repr__(self) -> str:
        n_tiles = sum(block.n_tiles for block in self._scanned.blocks)
        return (
            f"Scan({counted(len(self.pairs), 'pair')}, {counted(n_tiles, 'position')}, "
            f"{self._scanned.job.options.signal})"
        )


def scan_job(
    model: LoadedModel,
    genome: Sequences,
    pairs: list[Pair],
    regions: list[Region],
    out_dir: Path,
    *,
    stride: int | None = None,
    device: str = "auto",
    precision: str = "exact",
    **fields: Any,
) -> ScanJob:
    """Describe a scan, to run it in memory or into files.

    Parameters
    ----------
    model : LoadedModel
    genome : Sequences
    pairs : list of Pair
    regions : list of Region
        From :func:`tfimpute_tracks.api.inputs.choose_regions`.
    out_dir : Path
    stride : int, optional
    device : str
    precision : {"exact", "fast"}
        As for :meth:`tfimpute_tracks.Model.scan`.
    **fields
        Further fields of :class:`~tfimpute_tracks.tracks.job.ScanJob`.

    Returns
    -------
    ScanJob

    Raises
    ------
    UsageError, DeviceError, InputFileError
        As :meth:`tfimpute_tracks.Model.scan`.
    """
    check_choice(precision, "precision", ("exact", "fast"))
    if stride is not None:
        check_whole(stride, "stride", 1, _MAX_STRIDE)
    core = model.on(genome)
    job = ScanJob(
        core,
        pairs,
        regions,
        out_dir,
        core.config.stride if stride is None else int(stride),
        device=pick_device(str(device)),
        fast=precision == "fast",
        **fields,
    )
    job.options.resolved(job.stride)
    return job
