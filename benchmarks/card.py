"""Make anew what the cards of the shipped models tell of false discoveries.

The weights stay as they are; only the JSON beside them changes. Thresholds of measured
pairs come from labelled sites; those of imputed ones from the pairs that `held-out`
never saw; and called peaks are held against measured ones along a whole chromosome.

    python benchmarks/card.py --data data.h5 -g hg19.fa.gz --pairs-table pairs.tsv
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tfimpute_tracks.commands.console import say
from tfimpute_tracks.dataset import Dataset, open_dataset, split_rows
from tfimpute_tracks.dataset.pairs_table import read_pairs_table
from tfimpute_tracks.evaluation.discovery import summarise
from tfimpute_tracks.evaluation.genome_wide import (
    DrawnTiles,
    Intervals,
    Tally,
    tally_tiles,
)
from tfimpute_tracks.evaluation.worth import (
    FDR_LEVELS,
    imputed_worth,
    measured_worth,
    score_sites,
)
from tfimpute_tracks.genome import open_genome, read_bed
from tfimpute_tracks.models import Model, load_model, shipped_models
from tfimpute_tracks.models.operations import LOOKUP
from tfimpute_tracks.storage import write_json
from tfimpute_tracks.tracks.scan import open_scanner
from tfimpute_tracks.tracks.tiles import TileRange

_PAIRS_AT_ONCE = 66


def _log_odds(model: Model, pairs) -> np.ndarray:
    lines = np.array([model.threshold(pair) for pair in pairs])
    return np.log(lines / (1 - lines)).astype(np.float32)


def _site_figures(model: Model, dataset: Dataset):
    """Give figures of measured pairs and, where some were kept, of imputed ones."""
    network = model.network()
    network.operations = LOOKUP
    split = split_rows(dataset)
    valid, test = (
        score_sites(network, model.vocabulary, dataset, rows)
        for rows in (split.valid, split.test)
    )
    pairs, checked = measured_worth(valid, test)
    kept = np.array(
        [i for i, p in enumerate(dataset.pairs) if model.reliability(p) == "imputed"],
        dtype=np.int64,
    )
    imputed = None
    if len(kept):
        lines = _log_odds(model, [dataset.pairs[i] for i in kept])
        imputed = imputed_worth(valid.of(kept), test.of(kept), lines)
    return pairs, checked, imputed


def _tallies(model: Model, dataset: Dataset, beds, fasta: Path, chrom: str, worth):
    """Yield each pair's tally along a chromosome."""
    genome, stride = open_genome(fasta), model.config.pool
    n_tiles = (genome.chrom_sizes[chrom] - model.config.seq_len) // stride + 1
    tiles = TileRange(chrom, 0, n_tiles)
    starts = (model.config.seq_len - stride) // 2 + stride * np.arange(n_tiles)
    for first in range(0, len(dataset.pairs), _PAIRS_AT_ONCE):
        pairs = list(dataset.pairs[first : first + _PAIRS_AT_ONCE])
        blocks = open_scanner(model, pairs).blocks(genome, [tiles], 2)
        scores = np.concatenate([block.scores for block in blocks])
        for i, pair in enumerate(pairs):
            peaks = read_bed(beds[pair]).query("chrom == @chrom").sort_values("start")
            measured = Intervals(peaks["start"].to_numpy(), peaks["end"].to_numpy())
            levels = worth[first + i]["fdr_thresholds"]
            lines = np.array([levels[str(q)] for q in FDR_LEVELS], dtype=np.float32)
            drawn = DrawnTiles(starts, stride, scores[:, i])
            yield pair, tally_tiles(drawn, measured, lines, model.threshold(pair))
        say(f"{first + len(pairs)} of {len(dataset.pairs)} pairs")


def _genome_figures(found: Iterator[tuple[object, Tally]], chrom: str):
    told, rates = [], []
    for _, tally in found:
        told.append(tally.peak_figures())
        rates.append(tally.rates())
    by_level = np.array(rates)
    number = {
        name: np.array([np.nan if t[name] is None else t[name] for t in told], float)
        for name in ("peak_fdr", "peak_recall", "bound_tiles")
    }
    return told, {
        "chrom": chrom,
        "tiles": {str(q): summarise(by_level[:, i]) for i, q in enumerate(FDR_LEVELS)},
        **{name: summarise(values) for name, values in number.items()},
    }


def main() -> None:
    """Update the cards."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-g", "--fasta", type=Path, required=True)
    parser.add_argument("--pairs-table", type=Path, required=True)
    parser.add_argument("--chrom", default="chr20")
    asked = parser.parse_args()
    dataset = open_dataset(asked.data)
    table = read_pairs_table(asked.pairs_table)
    beds = dict(zip(table.pairs, table.beds, strict=True))
    models = {name: load_model(name) for name in shipped_models()}
    figures = {name: _site_figures(model, dataset) for name, model in models.items()}
    imputed = figures["held-out"][2]
    for name, model in models.items():
        worth, checked, _ = figures[name]
        found = _tallies(model, dataset, beds, asked.fasta, asked.chrom, worth)
        told, genome = _genome_figures(found, asked.chrom)
        card = model.card
        by_pair = {(entry["tf"], entry["cell"]): entry for entry in card["pairs"]}
        for pair, own, along in zip(dataset.pairs, worth, told, strict=True):
            by_pair[tuple(pair)] |= {**own, "genome": along}
        card["fdr"] = {"sites": checked, "genome": genome, "imputed": imputed}
        write_json(shipped_models()[name].with_suffix(".json"), card)
        say(f"{name} {json.dumps(card['fdr'], indent=1)}")


if __name__ == "__main__":
    main()
