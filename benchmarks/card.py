"""Make anew what the cards of the shipped models tell of what scores are worth.

The weights stay as they are; only the JSON beside them changes. Thresholds of measured
pairs come from labelled sites; those of imputed ones from the pairs that `held-out`
never saw, and so does the calibration; and called peaks are held against measured ones
along a whole chromosome.

    python benchmarks/card.py --data data.h5 -g hg19.fa.gz --pairs-table pairs.tsv
    python benchmarks/card.py --data data.h5 --only calibration
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit

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
    calibrated_worth,
    imputed_worth,
    measured_worth,
    reached_levels,
    score_sites,
)
from tfimpute_tracks.genome import merge_intervals, open_genome, read_bed
from tfimpute_tracks.models import Model, load_model, shipped_models
from tfimpute_tracks.models.operations import LOOKUP
from tfimpute_tracks.storage import write_json
from tfimpute_tracks.tracks.scan import open_scanner
from tfimpute_tracks.tracks.tiles import TileRange
from tfimpute_tracks.training.publish import bound_shares
from tfimpute_tracks.vocabulary import Pair

_PAIRS_AT_ONCE = 66


class _AtSites(NamedTuple):
    """What labelled sites tell of a model."""

    pairs: list[dict[str, Any]]
    checked: dict[str, Any]
    kept: Any  # columns of the pairs that it did not learn from
    raised: Any  # log-odds that are asked of those, by level
    imputed: dict[str, Any]


def _log_odds(probabilities):
    return np.log(probabilities / (1 - probabilities)).astype(np.float32)


def _network(model: Model):
    network = model.network()
    network.operations = LOOKUP
    return network


def _site_figures(model: Model, dataset: Dataset) -> _AtSites:
    """Give figures of measured pairs, and of those that were kept from the model."""
    split = split_rows(dataset)
    valid, test = (
        score_sites(_network(model), model.vocabulary, dataset, rows)
        for rows in (split.valid, split.test)
    )
    pairs, checked = measured_worth(valid, test)
    kept = np.array(
        [i for i, p in enumerate(dataset.pairs) if model.reliability(p) == "imputed"],
        dtype=np.int64,
    )
    lines = np.array([model.threshold(dataset.pairs[i]) for i in kept])
    raised, imputed = imputed_worth(valid.of(kept), test.of(kept), _log_odds(lines))
    return _AtSites(pairs, checked, kept, raised, imputed)


def _reach(model: Model, dataset: Dataset, shifts: dict[str, float | None]):
    """Say which pairs of a model the promises of imputed pairs are for."""
    return reached_levels(
        _network(model),
        model.vocabulary,
        dataset.codes[split_rows(dataset).valid],
        _log_odds(model.checkpoint.weights["thresholds"]),
        shifts,
    )


class _Chromosome(NamedTuple):
    """Where scans are held against measured peaks."""

    fasta: Path
    name: str
    beds: dict[Pair, Path]


def _tallies(model: Model, pairs: list[Pair], lines, place: _Chromosome):
    """Yield each pair's tally along a chromosome."""
    genome, stride = open_genome(place.fasta), model.config.stride
    n_tiles = (genome.chrom_sizes[place.name] - model.config.seq_len) // stride + 1
    tiles = TileRange(place.name, 0, n_tiles)
    starts = (model.config.seq_len - stride) // 2 + stride * np.arange(n_tiles)
    for first in range(0, len(pairs), _PAIRS_AT_ONCE):
        group = pairs[first : first + _PAIRS_AT_ONCE]
        blocks = open_scanner(model, group).blocks(genome, [tiles], 2)
        scores = np.concatenate([block.scores for block in blocks])
        for i, pair in enumerate(group):
            peaks = merge_intervals(read_bed(place.beds[pair])).query(
                "chrom == @place.name"
            )
            measured = Intervals(peaks["start"].to_numpy(), peaks["end"].to_numpy())
            drawn = DrawnTiles(starts, stride, scores[:, i])
            yield tally_tiles(drawn, measured, lines[first + i], model.threshold(pair))
        say(f"{model.name}: {first + len(group)} of {len(pairs)} pairs")


def _genome_figures(found: Iterator[Tally], chrom: str):
    told, rates = [], []
    for tally in found:
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
    parser.add_argument("-g", "--fasta", type=Path)
    parser.add_argument("--pairs-table", type=Path)
    parser.add_argument("--chrom", default="chr20")
    parser.add_argument("--only", choices=["calibration", "fdr"])
    asked = parser.parse_args()
    dataset = open_dataset(asked.data)
    if asked.only != "fdr":
        _calibrate(dataset)
    if asked.only != "calibration":
        _tell_false_discoveries(dataset, asked)


def _calibrate(dataset: Dataset) -> None:
    """Calibrate by `valid2` pairs of `held-out`, check on its `test3` pairs."""
    split, roles = split_rows(dataset), np.array(dataset.roles)
    tfs = np.array(dataset.vocabulary.pair_indices(dataset.pairs))[:, 0]
    models = {name: load_model(name) for name in shipped_models()}
    shares = {}
    for name, model in models.items():
        trained = [model.reliability(pair) == "seen" for pair in dataset.pairs]
        shares[name] = bound_shares(dataset, split.train, np.flatnonzero(trained))
    judge = models["held-out"]
    fit, check = (np.flatnonzero(roles == role) for role in ("valid2", "test3"))
    valid, test = (
        score_sites(_network(judge), judge.vocabulary, dataset, rows)
        for rows in (split.valid, split.test)
    )
    priors = shares["held-out"][tfs]
    told = calibrated_worth(valid.of(fit), test.of(check), priors[fit], priors[check])
    say(json.dumps(told, indent=1))
    for name, model in models.items():
        by_tf = dict(zip(dataset.vocabulary.tfs, shares[name].round(6), strict=True))
        card = model.card | {"calibration": {"priors": by_tf, **told}}
        write_json(shipped_models()[name].with_suffix(".json"), card)


def _tell_false_discoveries(dataset: Dataset, asked: argparse.Namespace) -> None:
    table = read_pairs_table(asked.pairs_table)
    beds = dict(zip(table.pairs, table.beds, strict=True))
    place = _Chromosome(asked.fasta, asked.chrom, beds)
    models = {name: load_model(name) for name in shipped_models()}
    figures = {name: _site_figures(model, dataset) for name, model in models.items()}
    # What is said of imputed pairs was found with the weights that some were kept from.
    judge = figures["held-out"]
    kept = [dataset.pairs[i] for i in judge.kept]
    found = _tallies(models["held-out"], kept, expit(judge.raised), place)
    imputed = judge.imputed | {"genome": _genome_figures(found, asked.chrom)[1]}
    for name, model in models.items():
        own = figures[name]
        lines = np.array(
            [list(pair["fdr_thresholds"].values()) for pair in own.pairs], np.float32
        )
        found = _tallies(model, list(dataset.pairs), lines, place)
        told, genome = _genome_figures(found, asked.chrom)
        card = model.card
        by_pair = {(entry["tf"], entry["cell"]): entry for entry in card["pairs"]}
        for pair, worth, along in zip(dataset.pairs, own.pairs, told, strict=True):
            by_pair[tuple(pair)] |= {**worth, "genome": along}
        reach = _reach(model, dataset, imputed["shifts"])
        card["fdr"] = {
            "sites": own.checked,
            "genome": genome,
            "imputed": imputed | {"reach": reach},
        }
        write_json(shipped_models()[name].with_suffix(".json"), card)
        told = {**card["fdr"], "imputed": imputed}
        say(f"{name} {json.dumps(told, indent=1)}")


if __name__ == "__main__":
    main()
