"""Whole chromosomes in bins: scores of a scan compared with peaks.

``evaluation/bins.py`` defines bins and their labels; here tiles are scored block by
block, so that memory holds the bins and never all tiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfimpute_tracks.engines.packs import split_rows
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.errors import RegionError, UsageError
from tfimpute_tracks.evaluation.bins import (
    BinMetrics,
    BinTiles,
    bin_labels,
    bin_tiles,
    known_bins,
    update_bins,
)
from tfimpute_tracks.evaluation.metrics import pair_metrics, role_means
from tfimpute_tracks.genome import Sequences, match_chrom, merge_intervals, read_bed
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.models import Model
from tfimpute_tracks.tracks.scan import scan_blocks
from tfimpute_tracks.vocabulary import Pair

__all__ = ["PairPeaks", "evaluate_bins", "parse_widths"]

Floats = NDArray[np.float32]
_MIN_WIDTH, _MAX_WIDTH = 10, 1_000_000


class PairPeaks(NamedTuple):
    """A pair to evaluate along chromosomes, its role and its BED file of peaks."""

    pair: Pair
    role: str
    bed: Path


def parse_widths(text: str) -> list[int]:
    """Parse widths of bins.

    Parameters
    ----------
    text : str
        In bp, comma-separated, such as `300,1000`.

    Returns
    -------
    list of int
        Without duplicates, in the order given.

    Raises
    ------
    UsageError
        A width is not an integer, or is out of range.
    """
    widths = []
    for part in text.split(","):
        digits = part.strip().replace("_", "")
        if not (digits.isascii() and digits.isdigit()):
            raise UsageError(
                f"--genome-bins {text!r}: {part.strip()!r} is not a width; use bp, "
                "comma-separated, such as 300,1000"
            )
        if not _MIN_WIDTH <= int(digits) <= _MAX_WIDTH:
            raise UsageError(
                f"--genome-bins {text!r}: a bin of {digits} bp; use {_MIN_WIDTH} to "
                f"{_MAX_WIDTH:,}"
            )
        widths.append(int(digits))
    return list(dict.fromkeys(widths))


def evaluate_bins(
    model: Model,
    genome: Sequences,
    chroms: Sequence[str],
    pairs: Sequence[PairPeaks],
    width: int,
    n_threads: int = 1,
) -> BinMetrics:
    """Evaluate pairs on the bins of whole chromosomes.

    Parameters
    ----------
    model : Model
    genome : Sequences
    chroms : sequence of str
        With or without `chr`.
    pairs : sequence of PairPeaks
    width : int
        bp of a bin.
    n_threads : int

    Returns
    -------
    BinMetrics

    Raises
    ------
    RegionError
        The genome lacks a chromosome, or no bin of it has a score.
    InputFileError
        A file of peaks cannot be read.
    """
    run = bin_tiles(width, model.config.seq_len, model.config.stride)
    names = list(dict.fromkeys(match_chrom(c, genome.chrom_sizes) for c in chroms))
    peaks = [merge_intervals(read_bed(entry.bed, allow_empty=True)) for entry in pairs]
    excluded = {"mostly N": 0, "without a scored tile": 0, "incomplete at an end": 0}
    scores, labels = [], []
    for name in names:
        size = genome.chrom_sizes[name]
        is_known = known_bins(genome.codes(name, 0, size), width)
        best = _scan(
            model, [entry.pair for entry in pairs], genome, name, run, n_threads
        )
        has_score = ~np.isnan(best).any(axis=1)
        excluded["mostly N"] += int((~is_known).sum())
        excluded["without a scored tile"] += int((is_known & ~has_score).sum())
        excluded["incomplete at an end"] += size % width > 0
        used = is_known & has_score
        scores.append(best[used])
        labels.append(_labels(peaks, name, width, len(best))[used])
    n_bins = sum(map(len, scores))
    if not n_bins:
        raise RegionError(
            f"no bin of {width} bp of {', '.join(names)} has sequence and a score; "
            "use a FASTA file with the sequence of the chromosome, or narrower "
            "--genome-bins"
        )
    table = pair_metrics(
        [entry.pair for entry in pairs],
        [entry.role for entry in pairs],
        {"model": np.concatenate(scores)},
        np.concatenate(labels),
        unit="bin",
    )
    about = {
        "width": width,
        "chroms": names,
        "bins": n_bins,
        "excluded": excluded,
        "score": f"the score of the tile of {run.tile} bp centered on it"
        if run.centered
        else f"the highest score of the tiles of {run.tile} bp inside it, one every "
        f"{run.stride} bp",
    }
    return BinMetrics(width, table, role_means(table), about)


def _scan(
    model: Model,
    pairs: list[Pair],
    genome: Sequences,
    chrom: str,
    run: BinTiles,
    n_threads: int,
) -> Floats:
    """Score the bins of a chromosome, in log-odds: probabilities near 1 tie."""
    size = genome.chrom_sizes[chrom]
    best = np.full((size // run.width, len(pairs)), np.nan, dtype=np.float32)
    first = run.first
    while first < 0:  # a tile that would start outside the chromosome
        first += run.stride
    n_tiles = (size - run.tile - first) // run.stride + 1
    if n_tiles < 1:
        return best
    scorer = Scorer(model, pairs, run.stride)
    tiles = TileRange(chrom, first, n_tiles)
    for block in scan_blocks(
        scorer, genome, [tiles], n_threads, reduce=lambda logits: logits
    ):
        assert block.scores is not None
        for own, rows in split_rows(block.ranges):
            start = own.first + run.stride * np.arange(own.n_tiles)
            update_bins(best, run, start, block.scores[rows])
    return best


def _labels(
    peaks: Iterable[pd.DataFrame], chrom: str, width: int, n_bins: int
) -> NDArray[np.int8]:
    columns = []
    for table in peaks:
        own = [name for name in table["chrom"].unique() if find_chrom(name, [chrom])]
        here = table[table["chrom"].isin(own)]
        start, end = here["start"].to_numpy(), here["end"].to_numpy()
        columns.append(bin_labels(start, end, width, n_bins))
    return np.stack(columns, axis=1)
