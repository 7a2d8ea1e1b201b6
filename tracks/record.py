"""The facts about a run and about each of its tracks, in one place.

Scans, exports, plans of bulk stores, folders of tracks, hubs and reports read and write
these records. Fields marked with ``CONTENT`` decide what a file contains; whether a
result is up to date follows from them and from nothing else. The name of the weights'
file or of the FASTA, the number of a GPU and the number of threads are not among them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from tfimpute_tracks import __version__
from tfimpute_tracks.engines.tiles import TileRange, score_offset
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome import Region, Sequences, name_assembly
from tfimpute_tracks.genome.signal import Signal, SignalPack
from tfimpute_tracks.models.calibration import UNCALIBRATED, PairCalibration
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage import CONTENT, Record
from tfimpute_tracks.tracks.formats import SignalStyle, choose_formats
from tfimpute_tracks.tracks.signals import SIGNALS, SignalKind, SignalName
from tfimpute_tracks.vocabulary import Pair

__all__ = ["MAX_ZOOMS", "RunRecord", "TrackOptions", "TrackRecord"]

MAX_ZOOMS = 10
"""Maximum number of zoom levels of a bigWig."""


@dataclass(frozen=True, kw_only=True)
class RunRecord(Record):
    """What scored, and what its scores depend on.

    Attributes
    ----------
    model, weights : str
        Name and digest of the weights.
    evidence, evidence_weights : str
        Digests of the measured tracks and of the weights that read them; empty for
        predictions from sequence only.
    basis : str
        What scores are predicted from, in words.
    genome, build : str
        Name of the sequence file, and of the assembly where known.
    device, precision : str
        `cpu` or `cuda`; `exact` or `fast`.
    seq_len, stride : int
        Length of a tile, and distance of tile starts, in bp.
    tool_version : str
    """

    model: str
    weights: str = field(metadata=CONTENT)
    evidence: str = field(default="", metadata=CONTENT)
    evidence_weights: str = field(default="", metadata=CONTENT)
    basis: str = "sequence"
    genome: str = ""
    build: str = ""
    device: str = field(default="cpu", metadata=CONTENT)
    precision: str = field(default="exact", metadata=CONTENT)
    seq_len: int
    stride: int = field(metadata=CONTENT)
    tool_version: str = field(default=__version__, metadata=CONTENT)

    @classmethod
    def of_run(
        cls,
        model: Model,
        genome: Sequences,
        stride: int,
        device: str = "cpu",
        fast: bool = False,
        assembly: str | None = None,
    ) -> RunRecord:
        """Make the record of a run.

        Parameters
        ----------
        model : Model
        genome : Sequences
        stride : int
            bp between tile starts.
        device : str
            From :func:`tfimpute_tracks.engines.engine.pick_device`.
        fast : bool
        assembly : str, optional
            Its name, as the user calls it.

        Returns
        -------
        RunRecord

        Raises
        ------
        UsageError
            As :func:`tfimpute_tracks.genome.name_assembly`.
        """
        return RunRecord(
            model=model.name,
            **model.digests,
            basis=model.basis,
            genome=genome.name,
            build=name_assembly(assembly, genome.chrom_sizes, model.checkpoint.genome),
            device=device.partition(":")[0],
            precision="fast" if fast else "exact",
            seq_len=model.config.seq_len,
            stride=stride,
        )

    @property
    def digests(self) -> dict[str, str]:
        """Digests of the model, as :attr:`tfimpute_tracks.models.model.Model.digests`."""
        names = ("weights", "evidence", "evidence_weights")
        return {name: value for name in names if (value := getattr(self, name))}

    @property
    def offset(self) -> int:
        """From a tile's start to where its score is drawn, in bp."""
        return score_offset(self.seq_len, self.stride)

    def signals_of(self, ranges: Iterable[TileRange], values: Any) -> SignalPack:
        """Lay the scores of the tiles of several ranges out along their chromosomes.

        Parameters
        ----------
        ranges : iterable of TileRange
        values : float32 array, shape (n_tiles,)
            Of the tiles of all ranges, one range after the other.

        Returns
        -------
        SignalPack
            As :meth:`tfimpute_tracks.engines.tiles.TileRange.signal`.
        """
        chroms, firsts, lengths = zip(*ranges, strict=True)
        starts = np.array(firsts) + score_offset(self.seq_len, self.stride)
        return SignalPack(chroms, starts, self.stride, np.array(lengths), values)

    def signal_of(self, tiles: TileRange, values: Any) -> Signal:
        """Lay the scores of neighboring tiles out along their chromosome.

        Parameters
        ----------
        tiles : TileRange
        values : float32 array, shape (n_tiles,)

        Returns
        -------
        Signal
            As :meth:`tfimpute_tracks.engines.tiles.TileRange.signal`.
        """
        return tiles.signal(values, self.stride, self.seq_len)


@dataclass(frozen=True)
class TrackOptions(Record):
    """What users choose of a track, apart from what is scored.

    Attributes
    ----------
    signal : str
        Of :data:`tfimpute_tracks.tracks.signals.SIGNALS`.
    bin_size : int, optional
        bp of a bin: the mean of the tiles in it. None: one tile per bin.
    max_zooms : int
        Maximum number of zoom levels of a bigWig, 0 to ``MAX_ZOOMS``.
    formats : tuple of str
        Of :data:`tfimpute_tracks.tracks.formats.FORMATS`; empty for the default ones.
    """

    signal: SignalName = field(default="probability", metadata=CONTENT)
    bin_size: int | None = field(default=None, metadata=CONTENT)
    max_zooms: int = field(default=MAX_ZOOMS, metadata=CONTENT)
    formats: tuple[str, ...] = field(default=(), metadata=CONTENT)

    @property
    def kind(self) -> SignalKind:
        """Name, axis and rounding of the signal."""
        return SIGNALS[self.signal]

    @property
    def style(self) -> SignalStyle:
        """How files hold the signal."""
        return SignalStyle(self.kind.decimals, self.max_zooms, self.kind.column)

    def resolved(self, stride: int) -> Self:
        """Replace unset options by their defaults.

        Parameters
        ----------
        stride : int
            bp between tile starts.

        Returns
        -------
        TrackOptions

        Raises
        ------
        UsageError
            The bin size is no multiple of the stride, or a format is unknown or does
            not hold the signal.
        """
        size = stride if self.bin_size is None else self.bin_size
        if size < 1 or size % stride:
            low = max(size // stride, 1) * stride
            raise UsageError(
                f"--bin-size {size}: a bin holds whole tiles, which start every "
                f"{stride} bp; use {low} or {low + stride}"
            )
        formats = choose_formats(self.formats, self.signal)
        return replace(self, bin_size=size, formats=formats)


@dataclass(frozen=True, kw_only=True)
class TrackRecord(RunRecord, TrackOptions):
    """A pair's track: the run, the options, and what is known of the pair.

    Attributes
    ----------
    pair : Pair
    status : str
        `measured` or `imputed`.
    expected_auroc : float, optional
        On test sites, or what to expect there.
    expected_interval : tuple of float, optional
        Lower and upper end of the expected AUROC of an imputed pair.
    threshold : float
        The lowest probability of a tile that makes a peak.
    calibration : PairCalibration
        Slope and offset from log-odds of the score to those of the probability.
    mean_over_cells : int, optional
        Number of cell lines that a specificity is relative to.
    regions : tuple of str
        What was scored.
    sequence, store : str
        Digest of the sequence, or of the bulk store that the scores come from.
    evidence_summary : dict, optional
        As :meth:`tfimpute_tracks.models.evidence.Evidence.describe`, of a store those of
        its run; for a scan also as :meth:`~tfimpute_tracks.models.evidence.Evidence.describe_pair`.
    n_peaks : int
    signals : dict of str to str
        Name of a signal -> name of its bigWig.
    bigbed, narrowpeak : str
        Names of the files of peaks; empty where there is none.
    """

    pair: Pair = field(metadata=CONTENT)
    status: str
    expected_auroc: float | None = None
    expected_interval: tuple[float, float] | None = None
    threshold: float = field(metadata=CONTENT)
    calibration: PairCalibration = field(default=UNCALIBRATED, metadata=CONTENT)
    mean_over_cells: int | None = None
    regions: tuple[str, ...] = field(default=(), metadata=CONTENT)
    sequence: str = field(default="", metadata=CONTENT)
    store: str = field(default="", metadata=CONTENT)
    evidence_summary: dict[str, Any] | None = None
    n_peaks: int = 0
    signals: dict[str, str] = field(default_factory=dict)
    bigbed: str = ""
    narrowpeak: str = ""

    @classmethod
    def of_pair(
        cls,
        run: RunRecord,
        model: Model,
        pair: Pair,
        regions: list[Region],
        options: TrackOptions,
        threshold: float | None = None,
    ) -> TrackRecord:
        """Make the record of a pair's track, before it is written.

        Parameters
        ----------
        run : RunRecord
        model : Model
        pair : Pair
        regions : list of Region
        options : TrackOptions
        threshold : float, optional
            By default the model's own for the pair.

        Returns
        -------
        TrackRecord

        Raises
        ------
        UsageError
            As :meth:`TrackOptions.resolved`.
        """
        signal = options.signal
        return TrackRecord(
            **run.values_of(RunRecord),
            **options.resolved(run.stride).values_of(TrackOptions),
            pair=pair,
            status=model.status(pair),
            expected_auroc=model.expected(pair),
            expected_interval=model.expected_interval(pair),
            threshold=model.threshold(pair) if threshold is None else threshold,
            # Of the card: the digest of the weights does not cover it.
            calibration=model.calibration(pair),
            mean_over_cells=len(model.cells) if signal == "specificity" else None,
            regions=tuple(map(str, regions)),
            evidence_summary=(
                model.evidence.describe(regions) | model.evidence.describe_pair(pair)
                if model.evidence
                else None
            ),
        )

    @property
    def stem(self) -> str:
        """What the names of the track's files begin with."""
        return self.kind.stem(self.pair)

    @property
    def tiles_per_bin(self) -> int:
        """Number of tiles of a bin."""
        return (self.bin_size or self.stride) // self.stride

    def title(self) -> str:
        """Describe the track in a line, for files that leave their folder.

        Returns
        -------
        str
        """
        tf, cell = self.pair
        text = f"{tf} in {cell}, predicted from {self.basis}; {self.status}"
        if self.expected_auroc is not None:
            what = "expected AUROC" if self.status == "imputed" else "AUROC"
            text += f"; {what} {self.expected_auroc:.2f}"
        if self.expected_interval:
            low, high = self.expected_interval
            text += f" ({low:.2f} to {high:.2f})"
        return text.replace('"', "'")
