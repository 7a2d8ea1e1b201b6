"""Draw what tracks of other pairs make of pairs that were held out of a model.

    python benchmarks/evidence_figure.py -o docs/img/evidence.png

By sequence, by sequence and the tracks of trained pairs, and what was measured, in the
region of chr20 that comes with the package: a place next to the ones that were trained
on, and pairs that `held-out` has not seen.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from tfimpute_tracks.evidence import open_shipped
from tfimpute_tracks.genome import (
    Region,
    Sequences,
    bundled_genes,
    open_bundled,
    parse_region,
)
from tfimpute_tracks.genome.genes import genes_in, read_genes
from tfimpute_tracks.genome.signal import Bins
from tfimpute_tracks.models import Model, load_model
from tfimpute_tracks.plots.locus import Panel, draw_locus
from tfimpute_tracks.plots.style import save_figure
from tfimpute_tracks.tracks.windows import compute_window
from tfimpute_tracks.vocabulary import Pair

_PAIRS = ("EP300:A549", "MAX:HepG2")
_PLACE = "chr20:48,780,001-48,840,000"
_LIMITS = (0.0, 1.0)
_BIN = 50  # bp, of measured peaks as they are drawn


def _predicted(
    model: Model, genome: Sequences, place: Region, pair: Pair, what: str
) -> Panel:
    (track,) = compute_window(model, genome, place, [pair])
    return Panel(
        pair.tf,
        f"{pair.cell}, {what}",
        "imputed",
        track.bins,
        track.peaks,
        track.threshold,
        _LIMITS,
        "Probability",
    )


def _measured(pair: Pair, place: Region) -> Panel:
    store = open_shipped()
    peaks = store.peaks(place.chrom)
    (number,) = (i for i, t in enumerate(store.tracks) if t.pair == pair)
    own = peaks.track == number
    starts = np.arange(place.start, place.end, _BIN)
    ends = starts + _BIN
    # Peaks of a track are disjoint: those begun before an end, less those ended before.
    begun = np.searchsorted(np.sort(peaks.start[own]), ends)
    over = np.searchsorted(np.sort(peaks.end[own]), starts, side="right")
    return Panel(
        pair.tf,
        pair.cell,
        "measured peaks",
        Bins(starts, ends, (begun > over).astype(np.float32)),
        np.empty((0, 2), dtype=np.int64),
        None,
        _LIMITS,
        "Probability",
    )


def main() -> None:
    """Write the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--out", type=Path, required=True)
    asked = parser.parse_args()
    plain, given = load_model("held-out"), load_model("held-out", "encode-hg19")
    assert given.evidence is not None
    known = [
        pair for pair, reported in given.measured_pairs.items() if reported["trained"]
    ]
    given = replace(given, evidence=given.evidence.subset(known))
    genome, panels = open_bundled(), []
    place = parse_region(_PLACE, genome.chrom_sizes)
    for name in _PAIRS:
        pair = plain.vocabulary.pair(name)
        panels += [
            _predicted(plain, genome, place, pair, "sequence"),
            _predicted(given, genome, place, pair, "and tracks"),
            _measured(pair, place),
        ]
    genes = genes_in(read_genes(bundled_genes()), place, print)
    figure = draw_locus(place, panels, genes, 183.0)
    save_figure(figure, asked.out, f"Binding at {place}", "Predicted and measured.")


if __name__ == "__main__":
    main()
