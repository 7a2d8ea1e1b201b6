"""What a bigWig takes: rounded, as float32 has it, and written by libBigWig."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyBigWig
from bench_scan import PAIR, Whole
from timing import Figure, figure, print_result, thread_count

from tfimpute_tracks.engines.packs import split_rows
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.models import load_model
from tfimpute_tracks.tracks import plan_tiles
from tfimpute_tracks.tracks.columns import Columns
from tfimpute_tracks.tracks.formats import SignalStyle, write_track
from tfimpute_tracks.tracks.record import MAX_ZOOMS
from tfimpute_tracks.tracks.scan import scan_blocks
from tfimpute_tracks.tracks.signals import SIGNALS, SignalKind

__all__ = ["size"]


_PIXELS = 100  # height of a track in a browser


def size(quick: bool) -> list[Figure]:
    """Bytes of a bigWig of one pair, and how far off rounding is.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    list of Figure
    """
    whole = Whole(quick)
    made = []
    for kind in SIGNALS.values():
        sizes, signals = _signal(whole, kind)
        made += _compare(whole.name, kind, sizes, signals)
    return made


def _signal(whole: Whole, kind: SignalKind) -> tuple[dict[str, int], list[Signal]]:
    """Scan, and give chromosome sizes and what is to be drawn."""
    model = load_model("default")
    genome, region = whole.sequence()
    sizes, seq_len = dict(genome.chrom_sizes), model.config.seq_len
    columns = Columns(model, [model.vocabulary.pair(PAIR)], ["0"], kind.name)
    scorer = Scorer(model, columns.required_pairs)
    ranges = plan_tiles([region], sizes, seq_len, scorer.stride)
    signals: list[Signal] = []
    blocks = scan_blocks(scorer, genome, ranges, thread_count(), reduce=columns.reduce)
    for block in blocks:
        if block.scores is None:
            continue
        _, drawn = columns.scores(0, list(block.scores.T))
        signals += [
            tiles.signal(drawn[rows], scorer.stride, seq_len)
            for tiles, rows in split_rows(block.ranges)
        ]
    return sizes, signals


def _compare(
    name: str, kind: SignalKind, sizes: dict[str, int], signals: list[Signal]
) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, way) for way in ("rounded", "unrounded", "libBigWig")]
        write_track("bigwig", paths[0], sizes, signals, SignalStyle(kind.decimals))
        write_track("bigwig", paths[1], sizes, signals, SignalStyle(None))
        _write_with_libbigwig(paths[2], sizes, signals)
        n_bytes = {path.name: path.stat().st_size for path in paths}
    values = np.concatenate([signal.values for signal in signals]).astype(np.float64)
    values = values[~np.isnan(values)]
    off = np.abs(np.round(values, kind.decimals) - values)
    low, high = kind.limits
    pixels = off * _PIXELS / (high - low)
    for way, some in n_bytes.items():
        print_result(
            f"      size  {kind.name}, {way}: {some:,} bytes, {values.size:,} bins"
        )
    rounded = f"{name}, {n_bytes['rounded'] / 1e6:.2f} MB"
    return [
        figure(
            "size",
            f"{kind.name}, rounded to {kind.decimals} decimals, relative to {what}",
            [n_bytes["rounded"] / n_bytes[way]],
            better="less",
            detail=f"{rounded} / {n_bytes[way] / 1e6:.2f} MB, {values.size:,} bins",
        )
        for way, what in (
            ("unrounded", "all digits of float32"),
            ("libBigWig", "all digits, written by libBigWig"),
        )
    ] + [
        figure(
            "size",
            f"{kind.name}: largest error by rounding, of a track {_PIXELS} pixels high",
            [float(pixels.max())],
            unit="pixels",
            better="less",
            detail=f"{off.max():.2g}, {off.mean():.2g} on average, of an axis from "
            f"{low:g} to {high:g}",
        )
    ]


def _write_with_libbigwig(
    path: Path, sizes: dict[str, int], signals: list[Signal]
) -> None:
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader(list(sizes.items()), maxZooms=MAX_ZOOMS)
        for chrom, start, width, values in _known_runs(signals):
            file.addEntries(chrom, start, values=values, span=width, step=width)


def _known_runs(signals: list[Signal]) -> Iterator[Signal]:
    """Cut signals at missing bins, which libBigWig would write as NaN."""
    for chrom, start, width, values in signals:
        known = np.concatenate([[False], ~np.isnan(values), [False]])
        edges = np.flatnonzero(known[1:] != known[:-1])
        for first, last in edges.reshape(-1, 2).tolist():
            yield Signal(chrom, start + first * width, width, values[first:last])
