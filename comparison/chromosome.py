"""Whole chromosomes in bins: scanned once for all pairs, held against their peaks.

What a bin is and what it is worth stands in ``evaluation/bins.py``; here the tiles are
scored, block by block, so that memory holds bins and never all tiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfimpute_tracks.comparison.evaluation_page import BinsTold
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.errors import RegionError, UsageError
from tfimpute_tracks.evaluation.bins import (
    BinRun,
    bin_labels,
    bin_table,
    known_bins,
    raise_bins,
    tile_plan,
)
from tfimpute_tracks.genome import Sequences, match_chrom, merge_intervals, read_bed
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.models import Model
from tfimpute_tracks.tracks.scan import scan_blocks
from tfimpute_tracks.vocabulary import Pair

__all__ = ["BinnedPair", "judge_bins", "read_widths"]

Floats = NDArray[np.float32]
_NARROWEST, _WIDEST = 10, 1_000_000


class BinnedPair(NamedTuple):
    """A pair to judge along chromosomes, with its role and the file of its peaks."""

    pair: Pair
    role: str
    bed: Path


def read_widths(text: str) -> list[int]:
    """Read widths of bins.

    Parameters
    ----------
    text : str
        In bp, comma-separated, such as `300,1000`.

    Returns
    -------
    list of int
        Each once, in the order given.

    Raises
    ------
    UsageError
        Something else stands there, or a width that no bin can have.
    """
    widths = []
    for part in text.split(","):
        digits = part.strip().replace("_", "")
        if not (digits.isascii() and digits.isdigit()):
            raise UsageError(
                f"--bins {text!r}: {part.strip()!r} is no width; give bp, comma-"
                "separated, such as 300,1000"
            )
        if not _NARROWEST <= int(digits) <= _WIDEST:
            raise UsageError(
                f"--bins {text!r}: a bin of {digits} bp; give {_NARROWEST} to "
                f"{_WIDEST:,}"
            )
        widths.append(int(digits))
    return list(dict.fromkeys(widths))


def judge_bins(
    model: Model,
    genome: Sequences,
    chroms: Sequence[str],
    pairs: Sequence[BinnedPair],
    width: int,
    n_threads: int = 1,
) -> BinsTold:
    """Judge pairs on the bins of whole chromosomes.

    Parameters
    ----------
    model : Model
    genome : Sequences
    chroms : sequence of str
        With or without `chr`.
    pairs : sequence of BinnedPair
    width : int
        bp of a bin.
    n_threads : int

    Returns
    -------
    BinsTold

    Raises
    ------
    RegionError
        The genome lacks a chromosome, or no bin of it has a score.
    InputFileError
        A file of peaks cannot be read.
    """
    run = tile_plan(width, model.config.seq_len, model.config.stride)
    names = list(dict.fromkeys(match_chrom(c, genome.chrom_sizes) for c in chroms))
    peaks = [merge_intervals(read_bed(entry.bed, allow_empty=True)) for entry in pairs]
    left_out = {"bins mostly N": 0, "without a tile": 0, "at ends, not whole": 0}
    scores, labels = [], []
    for name in names:
        size = genome.chrom_sizes[name]
        is_known = known_bins(genome.codes(name, 0, size), width)
        best = _scan(
            model, [entry.pair for entry in pairs], genome, (name, run), n_threads
        )
        has_score = ~np.isnan(best).any(axis=1)
        left_out["bins mostly N"] += int((~is_known).sum())
        left_out["without a tile"] += int((is_known & ~has_score).sum())
        left_out["at ends, not whole"] += size % width > 0
        used = is_known & has_score
        scores.append(best[used])
        labels.append(_labels(peaks, name, width, len(best))[used])
    n_bins = sum(map(len, scores))
    if not n_bins:
        raise RegionError(
            f"no bin of {width} bp of {', '.join(names)} has sequence and a score; "
            "give a FASTA file that holds the chromosome, or narrower --bins"
        )
    table, roles = bin_table(
        np.concatenate(scores),
        np.concatenate(labels),
        [entry.pair for entry in pairs],
        [entry.role for entry in pairs],
    )
    told = {
        "width": width,
        "chroms": names,
        "bins": n_bins,
        "left_out": left_out,
        "score": f"that of the tile of {run.tile} bp about its center"
        if run.centered
        else f"the highest of the tiles of {run.tile} bp inside it, every "
        f"{run.stride} bp",
    }
    return BinsTold(width, table, roles, told)


def _scan(
    model: Model,
    pairs: list[Pair],
    genome: Sequences,
    place: tuple[str, BinRun],
    n_threads: int,
) -> Floats:
    """Score the bins of a chromosome, in log-odds: probabilities near 1 tie."""
    name, run = place
    size = genome.chrom_sizes[name]
    best = np.full((size // run.width, len(pairs)), np.nan, dtype=np.float32)
    first = run.first
    while first < 0:  # the bin at the end, of which the tile would reach out
        first += run.stride
    n_tiles = (size - run.tile - first) // run.stride + 1
    if n_tiles < 1:
        return best
    scorer = Scorer(model, pairs, run.stride)
    tiles = TileRange(name, first, n_tiles)
    for block in scan_blocks(
        scorer, genome, [tiles], n_threads, reduce=lambda logits: logits
    ):
        start = block.tiles.first + run.stride * np.arange(block.tiles.n_tiles)
        if block.scores is not None:
            raise_bins(best, run, start, block.scores)
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
