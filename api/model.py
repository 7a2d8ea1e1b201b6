"""What a model predicts: of sequences, along regions, of alleles and at loci."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfimpute_tracks.api.evidence_choice import report_evidence
from tfimpute_tracks.api.inputs import (
    Regions,
    choose_regions,
    known_genes,
    one_region,
    written_regions,
)
from tfimpute_tracks.api.loaded import LoadedModel
from tfimpute_tracks.api.pair_choice import Pairs, read_pairs
from tfimpute_tracks.api.threads import limit_threads
from tfimpute_tracks.api.values import (
    check_choice,
    check_text,
    check_threshold,
    check_top,
)
from tfimpute_tracks.errors import UsageError, check_packages, shown

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from tfimpute_tracks.api.scan import Scan
    from tfimpute_tracks.evidence import EvidenceStore
    from tfimpute_tracks.genome import Sequences
    from tfimpute_tracks.models.sequence_module import SequenceModule
    from tfimpute_tracks.tracks.signals import SignalName

__all__ = ["Model", "load_model"]


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


class Model(LoadedModel):
    """A trained model, ready to score; :func:`tfimpute_tracks.load_model` loads one.

    It also has what a :class:`~tfimpute_tracks.api.loaded.LoadedModel` has: `name`,
    `tfs`, `cells`, `vocabulary` and `card`.
    """

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
        if not isinstance(rows, Iterable):
            raise UsageError(
                f"sequences {shown(rows)}; use texts, or an array of codes"
            )
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
        from tfimpute_tracks.api.scan import Scan, scan_job
        from tfimpute_tracks.tracks.in_memory import scan_to_memory
        from tfimpute_tracks.tracks.record import TrackOptions
        from tfimpute_tracks.tracks.signals import SIGNALS

        check_choice(signal, "signal", SIGNALS)
        chosen = read_pairs(self.vocabulary, pairs)
        with limit_threads(threads) as n_threads, self.open_genome(fasta) as genome:
            places, known = written_regions(region), known_genes(genes, fasta)
            job = scan_job(
                self,
                genome,
                chosen,
                choose_regions(genome, fasta, places, None, known),
                Path(),
                stride=stride,
                threshold=check_threshold(threshold),
                device=device,
                precision=precision,
                threads=n_threads,
                options=TrackOptions(signal),
            )
            report_evidence(job.model, job.pairs, job.regions)
            return Scan(scan_to_memory(job, genome, lambda n: None))

    def variant_effects(
        self,
        variants: str | Path | pd.DataFrame | Iterable[str],
        pairs: Pairs,
        *,
        fasta: str | Path | Sequences | None = None,
        min_delta: float | None = None,
        n_background: int | None = None,
        background_regions: str | Path | None = None,
        seed: int = 0,
        stride: int = 5,
        fix_ref: bool = False,
        threads: int | str = "max",
    ) -> pd.DataFrame:
        """Score both alleles of variants, by sequence only.

        Parameters
        ----------
        variants : str, Path, DataFrame, or iterable of str
            A VCF, BCF or tab-separated table; a variant such as "chr20:48807376:G:A", or
            several; or a table with the columns chrom, pos (1-based), ref, alt and
            optionally id.
        pairs : str, Path, or iterable of "TF:CELL" or (tf, cell)
        fasta : str, Path, open genome or None
            None: the bundled example region.
        min_delta : float, optional
            Rows with a smaller change in probability are left out. By default 0, or
            0.001 for more than 1,000 pairs.
        n_background : int, optional
            Matched background variants, among which effects are ranked; 0 for none. By
            default 1,000, or 200 for more than 1,000 pairs.
        background_regions : str or Path, optional
            BED file of the regions they are drawn from.
        seed : int
        stride : int
            bp between tile starts, 1 to 100.
        fix_ref : bool
            Swap REF and ALT if the genome has the alternate allele.
        threads : int or "max"

        Returns
        -------
        DataFrame
            A row per allele and pair, with the columns of `tfimpute-tracks variants`:
            chrom, pos, id, ref, alt, swapped, tf, cell, status, p_ref, p_alt, delta,
            delta_log_odds and quantile. ``attrs["skipped"]`` lists the alleles that could
            not be scored; a warning counts them.

        Raises
        ------
        UsageError
            A value is invalid; the message says which.
        UnknownNameError, RegionError, InputFileError
            A name, position or file is.

        Examples
        --------
        >>> from tfimpute_tracks import load_model
        >>> effects = load_model().variant_effects(
        ...     "chr20:48807376:G:A", ["CTCF:K562", "MAX:HepG2"], n_background=0
        ... )
        >>> effects[["pos", "ref", "alt", "tf", "delta"]].round(3)
                pos ref alt    tf  delta
        0  48807376   G   A  CTCF -0.004
        1  48807376   G   A   MAX -0.011
        """
        from tfimpute_tracks.api.variants import effects_of

        chosen = read_pairs(self.vocabulary, pairs)
        with limit_threads(threads) as n_threads, self.open_genome(fasta) as genome:
            return effects_of(
                self.core,
                genome,
                chosen,
                variants,
                min_delta=min_delta,
                n_background=n_background,
                background_regions=background_regions,
                seed=seed,
                stride=stride,
                fix_ref=fix_ref,
                threads=n_threads,
            )

    def query(
        self,
        region: str | tuple[str, int, int],
        *,
        tf: str | None = None,
        cell: str | None = None,
        top: int = 0,
        fasta: str | Path | Sequences | None = None,
        genes: str | Path | None = None,
    ) -> pd.DataFrame:
        """Rank the pairs at a locus by probability, next to what was measured there.

        Parameters
        ----------
        region : str or (chrom, start, end)
            A text is 1-based with both ends included, or a gene; a tuple is 0-based and
            half-open. At most 100,000 bp.
        tf, cell : str, optional
            Only pairs of these.
        top : int
            Number of pairs; 0 for all.
        fasta : str, Path, open genome or None
            None: the bundled example region.
        genes : str or Path, optional
            GTF, GFF3 or BED of the genes that `region` may name.

        Returns
        -------
        DataFrame
            A row per pair, the most probable first: tf, cell, status, measured,
            probability, threshold, is_peak, expected_auroc, start and end (of the best
            tile: 0-based, half-open) and overlap (in bp).

        Raises
        ------
        UnknownNameError, RegionError, UsageError, InputFileError
            A name, region, length or file is wrong.

        Examples
        --------
        >>> from tfimpute_tracks import load_model
        >>> found = load_model().query("chr20:48,599,512-48,600,512", cell="HepG2", top=3)
        >>> found[["tf", "measured", "is_peak"]]
               tf      measured  is_peak
        0  POLR2A         bound     True
        1    PHF8  not measured     True
        2    TAF1         bound     True
        """
        from tfimpute_tracks.api.loci import rank_locus, ranked_frame

        check_top(top)
        check_text(tf, "tf")
        check_text(cell, "cell")
        where = one_region(region)
        with self.open_genome(fasta) as genome:
            known = known_genes(genes, fasta)
            ranked = rank_locus(self, genome, where, (tf, cell), known)
            return ranked_frame(*ranked, top)

    def module(self, pairs: Pairs, *, calibrated: bool = True) -> SequenceModule:
        """Make a PyTorch module of the network, for gradients and attributions.

        It takes float one-hot sequences, shape (n, 4, L) with rows A C G T, and returns
        log-odds, shape (n, n_pairs), whose sigmoid is :meth:`predict`: by sequence alone,
        of the better strand. L is `core.config.seq_len`, or `core.config.receptive_field`
        for the scores of a scan.

        Parameters
        ----------
        pairs : str, Path, or iterable of "TF:CELL" or (tf, cell)
        calibrated : bool
            False returns the network's own log-odds.

        Returns
        -------
        torch.nn.Module
            On the CPU, in float32 and evaluation mode, with frozen weights.

        Raises
        ------
        UsageError, UnknownNameError
            As :meth:`predict`.

        Examples
        --------
        >>> from tfimpute_tracks import load_model
        >>> import torch
        >>> module = load_model().module(["CTCF:K562", "MAX:HepG2"])
        >>> x = torch.zeros(1, 4, 200)
        >>> x[:, 0] = 1  # a sequence of A
        >>> module(x.requires_grad_())[0, 0].backward()
        >>> x.grad.shape
        torch.Size([1, 4, 200])
        """
        check_packages("`module`", "torch")
        from tfimpute_tracks.models.sequence_module import SequenceModule

        chosen = read_pairs(self.vocabulary, pairs)
        return SequenceModule.of(self.core, chosen, calibrated)
