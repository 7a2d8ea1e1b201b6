"""A model as people use it: its name, its evidence, and what it predicts.

:class:`Model` here knows genomes, files and devices, and chooses the evidence by the
genome; :class:`tfimpute_tracks.models.model.Model`, its `core`, is the trained network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfimpute_tracks.api.evidence_choice import AUTO, NONE, choose_evidence
from tfimpute_tracks.api.inputs import (
    check_threshold,
    choose_genome,
    choose_regions,
    limit_threads,
    written_regions,
)
from tfimpute_tracks.api.pair_choice import read_pairs
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.models.loading import load_model as load_core

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tfimpute_tracks.api.scan import Scan
    from tfimpute_tracks.evidence import EvidenceStore
    from tfimpute_tracks.genome import Region, Sequences
    from tfimpute_tracks.models.model import Model as CoreModel
    from tfimpute_tracks.tracks import ScanJob
    from tfimpute_tracks.tracks.signals import SignalName
    from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = ["Model", "Pairs", "Regions", "load_model"]

Pairs = str | Path | Iterable[str | tuple[str, str]]
"""Pairs as users write them, for :func:`~tfimpute_tracks.api.pair_choice.read_pairs`."""
Regions = str | Path | tuple[str, int, int] | Iterable[str | tuple[str, int, int]]
"""Regions, for :func:`~tfimpute_tracks.api.inputs.written_regions`."""


def load_model(
    name_or_path: str | Path = "default",
    evidence: str | Path | EvidenceStore | None = "auto",
) -> Model:
    """Load a model.

    Parameters
    ----------
    name_or_path : str or Path
        `default`, `deep`, `held-out`, `deep-held-out`, or a `.safetensors` file.
    evidence : str, Path, EvidenceStore or None
        Measured tracks that predictions on a genome also use. `auto`: those of the
        package, where the genome is theirs. `none` or None: sequence only. Or a file
        from :func:`tfimpute_tracks.build_evidence`, or what
        :func:`tfimpute_tracks.open_evidence` returns.

    Returns
    -------
    Model

    Raises
    ------
    UnknownNameError
        Neither a bundled model nor a file.
    InputFileError
        The file cannot be read as weights.

    Examples
    --------
    >>> from tfimpute_tracks import load_model
    >>> load_model()
    Model('default', 165 TFs, 91 cell lines)
    """
    return Model(name_or_path, evidence)


class Model:
    """A trained model, ready to score; :func:`tfimpute_tracks.load_model` loads one.

    Parameters
    ----------
    name_or_path : str or Path
    evidence : str, Path, EvidenceStore or None
        As for :func:`tfimpute_tracks.load_model`.

    Attributes
    ----------
    core : tfimpute_tracks.models.model.Model
        The network and its card, without evidence.
    """

    def __init__(
        self,
        name_or_path: str | Path = "default",
        evidence: str | Path | EvidenceStore | None = AUTO,
    ) -> None:
        self.core: CoreModel = load_core(name_or_path)
        self._source = name_or_path
        self._evidence = NONE if evidence is None else evidence
        self._chosen: tuple[dict[str, int], CoreModel] | None = None

    @property
    def name(self) -> str:
        """Name of the weights."""
        return self.core.name

    @property
    def vocabulary(self) -> Vocabulary:
        """TFs and cell lines, which also finds names by their aliases."""
        return self.core.vocabulary

    @property
    def tfs(self) -> tuple[str, ...]:
        """Names of the TFs."""
        return self.core.tfs

    @property
    def cells(self) -> tuple[str, ...]:
        """Names of the cell lines."""
        return self.core.cells

    @property
    def card(self) -> dict[str, Any]:
        """The model card, of predictions from sequence."""
        return self.core.card

    def __repr__(self) -> str:
        return (
            f"Model({self.name!r}, {len(self.tfs)} TFs, {len(self.cells)} cell lines)"
        )

    def on(self, genome: Sequences) -> CoreModel:
        """Choose the evidence for a genome.

        Parameters
        ----------
        genome : Sequences

        Returns
        -------
        tfimpute_tracks.models.model.Model
            With evidence, where there is some for the genome.

        Raises
        ------
        InputFileError, UsageError
            As :func:`tfimpute_tracks.api.evidence_choice.choose_evidence`.
        """
        sizes = dict(genome.chrom_sizes)
        if self._chosen is None or self._chosen[0] != sizes:
            chosen = choose_evidence(
                self.core, self._source, self._evidence, sizes, genome.name
            )
            self._chosen = sizes, chosen
        return self._chosen[1]

    def predict(
        self,
        sequences: str | Sequence[str] | NDArray[np.uint8],
        pairs: Pairs,
    ) -> NDArray[np.float32]:
        """Predict the probability of binding from sequence alone.

        Parameters
        ----------
        sequences : str, sequence of str, or uint8 codes of shape (n_sequences, L)
            All of `core.config.seq_len` bp, or of the `core.config.receptive_field` bp
            that the scores of a scan depend on. Codes are A C G T = 0..3, else 4.
        pairs : str, or iterable of "TF:CELL" or (tf, cell)

        Returns
        -------
        float32 array, shape (n_sequences, n_pairs)
            The larger of the two strands'.

        Raises
        ------
        UsageError
            A sequence has another length, or pairs are missing.
        UnknownNameError
            A TF or cell line is unknown.

        Examples
        --------
        >>> from tfimpute_tracks import load_model
        >>> model = load_model()
        >>> site = "TGGCCACCAGGGGGCGCTA".center(200, "A")
        >>> model.predict([site], ["CTCF:K562", "MAX:HepG2"]).round(2)
        array([[1.  , 0.09]], dtype=float32)
        """
        rows = [sequences] if isinstance(sequences, str) else sequences
        return self.core.predict(rows, read_pairs(self.vocabulary, pairs))

    def scan(
        self,
        fasta: str | Path | Sequences | None,
        region: Regions | None,
        pairs: Pairs,
        *,
        genes: str | Path | None = None,
        stride: int | None = None,
        signal: SignalName = "probability",
        threshold: float | None = None,
        threads: int | str = "max",
        device: str = "auto",
        precision: str = "exact",
    ) -> Scan:
        """Score pairs along regions of a genome.

        Parameters
        ----------
        fasta : str, Path, open genome or None
            A FASTA file, plain, bgzip or gzip, or a .2bit file. None: the bundled
            example region, 3 Mb of hg19 chr20.
        region : str, Path, (chrom, start, end), iterable of these, or None
            A text is ``chr20:1,000-2,000`` (1-based, both ends included), a chromosome,
            a BED file or a gene; a tuple is 0-based and half-open. None: all there is.
        pairs : str, Path, or iterable of "TF:CELL" or (tf, cell)
            A text may also be "TF:CELL;TF:CELL", or the path of a table.
        genes : str or Path, optional
            GTF, GFF3 or BED of the genes that `region` may name.
        stride : int, optional
            bp between tile starts; by default the model's.
        signal : {"probability", "score", "log-odds", "specificity"}
        threshold : float, optional
            Probability that calls a peak; by default the model's own for each pair.
        threads : int or "max"
            CPU threads.
        device : str
            auto, cpu, cuda or cuda:N.
        precision : {"exact", "fast"}
            fast: quantized filters on a CPU; probabilities differ by up to 0.002.

        Returns
        -------
        Scan
            The values and peaks that `tfimpute-tracks scan` writes.

        Raises
        ------
        UsageError
            A value is invalid; the message says which.
        UnknownNameError, RegionError, InputFileError, DeviceError
            A name, region, file or device is.

        Examples
        --------
        >>> from tfimpute_tracks import load_model
        >>> pairs = ["CTCF:K562", "RAD21:GM12878", "MAX:GM12891"]
        >>> scan = load_model().scan(None, "chr20:48,590,001-48,610,000", pairs)
        >>> scan.array.sizes
        Frozen({'position': 201, 'pair': 3})
        >>> scan.call_peaks().groupby("tf").size().to_dict()
        {'CTCF': 2, 'MAX': 2, 'RAD21': 2}
        """
        from tfimpute_tracks.api.scan import Scan
        from tfimpute_tracks.tracks.in_memory import scan_to_memory
        from tfimpute_tracks.tracks.record import TrackOptions
        from tfimpute_tracks.tracks.signals import SIGNALS

        if signal not in SIGNALS:
            raise UsageError(f"signal {signal!r}; use one of {', '.join(SIGNALS)}")
        chosen = read_pairs(self.vocabulary, pairs)
        check_threshold(threshold)
        with limit_threads(threads) as n_threads, self._open(fasta) as genome:
            own = None if fasta is None else Path(genome.name)
            places = written_regions(region)
            job = self.scan_job(
                genome,
                chosen,
                choose_regions(
                    genome, own, places, None, None if genes is None else Path(genes)
                ),
                Path(),
                stride=stride,
                threshold=threshold,
                device=device,
                precision=precision,
                threads=n_threads,
                options=TrackOptions(signal),
            )
            return Scan(scan_to_memory(job, genome, lambda n: None))

    def scan_job(
        self,
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
        genome : Sequences
        pairs : list of Pair
        regions : list of Region
            From :func:`tfimpute_tracks.api.inputs.choose_regions`.
        out_dir : Path
        stride : int, optional
        device : str
        precision : {"exact", "fast"}
            As for :meth:`scan`.
        **fields
            Further fields of :class:`~tfimpute_tracks.tracks.job.ScanJob`.

        Returns
        -------
        ScanJob

        Raises
        ------
        UsageError, DeviceError, InputFileError
            As :meth:`scan`.
        """
        from tfimpute_tracks.engines.engine import pick_device
        from tfimpute_tracks.tracks import ScanJob

        if precision not in {"exact", "fast"}:
            raise UsageError(f"precision {precision!r}; use exact or fast")
        if stride is not None and not (isinstance(stride, int) and stride > 0):
            raise UsageError(f"stride {stride!r}; use a number of bp, 1 or more")
        core = self.on(genome)
        job = ScanJob(
            core,
            pairs,
            regions,
            out_dir,
            core.config.stride if stride is None else stride,
            device=pick_device(device),
            fast=precision == "fast",
            **fields,
        )
        job.options.resolved(job.stride)
        return job

    @contextmanager
    def _open(self, fasta: str | Path | Sequences | None) -> Iterator[Sequences]:
        """Open a genome, unless it is open, and close what was opened."""
        if fasta is not None and not isinstance(fasta, str | Path):
            yield fasta
            return
        path = None if fasta is None else Path(fasta)
        with choose_genome(path, self.core, None) as genome:
            yield genome
