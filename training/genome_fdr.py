"""False discoveries along a whole chromosome, where most sequence is closed chromatin.

Thresholds are calibrated on labeled sites, which are open chromatin. A scan also calls
tiles elsewhere, so its false discovery rate (FDR) is higher. Here a chromosome is
scanned and its tiles and peaks are compared with measured peaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import read_pairs_table
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.errors import InputFileError, RegionError, counted, listed
from tfimpute_tracks.evaluation.fdr import summarize
from tfimpute_tracks.evaluation.fdr_calibration import FDR_LEVELS
from tfimpute_tracks.evaluation.genome_wide import (
    Intervals,
    PeakCounts,
    compare_peaks,
)
from tfimpute_tracks.genome import Genome, merge_intervals, open_genome, read_bed
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.models import Model
from tfimpute_tracks.tracks.scan import scan_blocks
from tfimpute_tracks.vocabulary import Pair

__all__ = ["MeasuredChrom", "compare_chrom", "open_measured", "summarize_counts"]

Floats = NDArray[np.float32]

_MAX_PAIRS = 262  # scanned at a time, so that their scores fit into memory


class MeasuredChrom(NamedTuple):
    """A chromosome and the measured peaks of pairs on it.

    Attributes
    ----------
    genome : Genome
    chrom : str
    beds : dict of Pair to Path
        Peak files.
    """

    genome: Genome
    chrom: str
    beds: dict[Pair, Path]

    def peaks(self, pair: Pair) -> Intervals:
        """Read the peaks of a pair.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        Intervals
            Merged.

        Raises
        ------
        InputFileError
            The file cannot be read.
        """
        peaks = merge_intervals(read_bed(self.beds[pair]))
        names = [n for n in peaks["chrom"].unique() if find_chrom(n, [self.chrom])]
        peaks = peaks[peaks["chrom"].isin(names)]
        return Intervals(peaks["start"].to_numpy(), peaks["end"].to_numpy())


def open_measured(
    fasta: str | Path, pairs_table: str | Path, chrom: str, pairs: Sequence[Pair]
) -> MeasuredChrom:
    """Open a genome and the table of peak files.

    Parameters
    ----------
    fasta, pairs_table : path
    chrom : str
        Chromosome to scan.
    pairs : sequence of Pair
        Whose peaks are needed.

    Returns
    -------
    MeasuredChrom

    Raises
    ------
    InputFileError
        A file cannot be read, or a pair is not in the table.
    RegionError
        The chromosome is not in the FASTA.
    """
    table = read_pairs_table(pairs_table)
    # The first row of a pair is the pair, the others are its replicates.
    beds = dict(reversed(list(zip(table.pairs, table.beds, strict=True))))
    missing = [str(pair) for pair in dict.fromkeys(pairs) if pair not in beds]
    if missing:
        raise InputFileError(
            f"{pairs_table}: no row for {counted(len(missing), 'pair')} of the data set "
            f"({listed(missing)}); use the table that the data set was made from"
        )
    genome = open_genome(fasta)
    name = find_chrom(chrom, genome.chrom_sizes)
    if name is None:
        raise RegionError(
            f"{fasta}: no chromosome {chrom}; use one of {listed(genome.chrom_sizes)}"
        )
    return MeasuredChrom(genome, name, beds)


def compare_chrom(
    model: Model,
    pairs: Sequence[Pair],
    thresholds: Floats,
    measured: MeasuredChrom,
    n_threads: int,
    log: Callable[[str], None],
) -> Iterator[PeakCounts]:
    """Scan a chromosome and compare it with measured peaks, pair by pair.

    Parameters
    ----------
    model : Model
        Evidence, where it has any, conditions the scores.
    pairs : sequence of Pair
    thresholds : float32 array, shape (n_pairs, n_levels)
        Scores, by FDR level; NaN calls nothing.
    measured : MeasuredChrom
    n_threads : int
    log : callable
        Called with a line about progress.

    Yields
    ------
    PeakCounts
        Of each pair, in order.
    """
    genome, chrom = measured.genome, measured.chrom
    stride, seq_len = model.config.stride, model.config.seq_len
    n_tiles = (genome.chrom_sizes[chrom] - seq_len) // stride + 1
    start = (seq_len - stride) // 2
    for first in range(0, len(pairs), _MAX_PAIRS):
        group = pairs[first : first + _MAX_PAIRS]
        tiles = [TileRange(chrom, 0, n_tiles)]
        scorer = Scorer(model, group, calibrated=False)
        blocks = scan_blocks(scorer, genome, tiles, n_threads)
        found = [block.scores for block in blocks if block.scores is not None]
        scores = np.concatenate(found)
        for i, pair in enumerate(group):
            signal = Signal(chrom, start, stride, scores[:, i])
            levels = thresholds[first + i]
            peak_threshold = model.score_threshold(pair)
            yield compare_peaks(signal, measured.peaks(pair), levels, peak_threshold)
        log(f"{model.name}: {chrom}, {first + len(group)} of {len(pairs)} pairs")


def summarize_counts(counts: Sequence[PeakCounts], chrom: str) -> dict[str, Any]:
    """Summarize FDR and recall over pairs, as a model card lists them.

    Parameters
    ----------
    counts : sequence of PeakCounts
    chrom : str

    Returns
    -------
    dict
        `chrom`; `tiles`, the FDR of tiles by level; `peak_fdr`, `peak_recall` and
        `bound_tiles` as :meth:`PeakCounts.peak_metrics`; each with mean and spread.
    """
    by_level = np.array([c.rates() for c in counts]).reshape(-1, len(FDR_LEVELS))
    metrics = [c.peak_metrics() for c in counts]
    values = {
        name: np.array([m[name] for m in metrics], dtype=np.float64)
        for name in ("peak_fdr", "peak_recall", "bound_tiles")
    }
    return {
        "chrom": chrom,
        "tiles": {str(q): summarize(by_level[:, i]) for i, q in enumerate(FDR_LEVELS)},
        **{name: summarize(value) for name, value in values.items()},
    }
