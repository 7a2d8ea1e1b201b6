"""Make anew what the cards of the shipped models tell of what scores are worth.

The weights stay as they are; only the JSON beside them changes. Thresholds of measured
pairs come from labelled sites; those of imputed ones from the pairs that `held-out`, or
`deep-held-out`, never saw, and so does the calibration; and called peaks are held
against measured ones along a whole chromosome.

    python benchmarks/card.py --data data.h5 -g hg19.fa.gz --pairs-table pairs.tsv
    python benchmarks/card.py --data data.h5 --only calibration
    python benchmarks/card.py --data around.h5 --models deep ...

The deeper models look at the surroundings of a site, and take sequences of 920.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit
from shipped import chosen_models, judge_of, judges_of, network_of, valid_sites

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
from tfimpute_tracks.models import Model, shipped_models
from tfimpute_tracks.storage import write_json
from tfimpute_tracks.tracks.scan import open_scanner
from tfimpute_tracks.tracks.tiles import TileRange
from tfimpute_tracks.training.publish import bound_shares
from tfimpute_tracks.vocabulary import Pair

_PAIRS_AT_ONCE = 262
_SITES = 20_000  # that all pairs are scored at, at most


class _AtSites(NamedTuple):
    """What labelled sites tell of a model."""

    pairs: list[dict[str, Any]]
    checked: dict[str, Any]
    kept: Any  # columns of the pairs that it did not learn from
    raised: Any  # log-odds that are asked of those, by level
    imputed: dict[str, Any]


def _log_odds(probabilities):
    return np.log(probabilities / (1 - probabilities)).astype(np.float32)


def _site_figures(model: Model, dataset: Dataset) -> _AtSites:
    """Give figures of measured pairs, and of those that were kept from the model."""
    valid, test = _site_scores(model, dataset)
    pairs, checked = measured_worth(valid, test)
    kept = np.array(
        [i for i, p in enumerate(dataset.pairs) if model.reliability(p) == "imputed"],
        dtype=np.int64,
    )
    lines = np.array([model.threshold(dataset.pairs[i]) for i in kept])
    raised, imputed = imputed_worth(valid.of(kept), test.of(kept), _log_odds(lines))
    return _AtSites(pairs, checked, kept, raised, imputed)


def _site_scores(model: Model, dataset: Dataset):
    network = network_of(model)
    for rows in (valid_sites(model, dataset), split_rows(dataset).test):
        yield score_sites(network, model.vocabulary, dataset, rows)


def _reach(model: Model, dataset: Dataset, shifts: dict[str, float | None]):
    """Say which pairs of a model the promises of imputed pairs are for."""
    rows = valid_sites(model, dataset)
    return reached_levels(
        network_of(model),
        model.vocabulary,
        dataset.codes[rows[:: -(-len(rows) // _SITES)]],
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
    parser.add_argument("--models", help="names, with commas; all that ship")
    asked = parser.parse_args()
    dataset = open_dataset(asked.data)
    models = chosen_models(asked.models)
    if asked.only != "fdr":
        _calibrate(dataset, models)
    if asked.only != "calibration":
        _tell_false_discoveries(dataset, asked, models)


def _calibrate(dataset: Dataset, models: dict[str, Model]) -> None:
    """Calibrate by `valid2` pairs of the judge, check on its `test3` pairs."""
    roles, train = np.array(dataset.roles), split_rows(dataset).train
    tfs = np.array(dataset.vocabulary.pair_indices(dataset.pairs))[:, 0]
    fit, check = (np.flatnonzero(roles == role) for role in ("valid2", "test3"))
    shares, told = {}, {}
    for name, model in models.items():
        trained = [model.reliability(pair) == "seen" for pair in dataset.pairs]
        shares[name] = bound_shares(dataset, train, np.flatnonzero(trained))
    for name, judge in judges_of(models).items():
        trained = [judge.reliability(pair) == "seen" for pair in dataset.pairs]
        priors = bound_shares(dataset, train, np.flatnonzero(trained))[tfs]
        valid, test = _site_scores(judge, dataset)
        told[name] = calibrated_worth(
            valid.of(fit), test.of(check), priors[fit], priors[check]
        )
        say(f"{name} {json.dumps(told[name], indent=1)}")
    for name, model in models.items():
        by_tf = dict(zip(dataset.vocabulary.tfs, shares[name].round(6), strict=True))
        own = {"priors": by_tf, **told[judge_of(name)]}
        _write_card(name, model.card | {"calibration": own})


def _tell_false_discoveries(
    dataset: Dataset, asked: argparse.Namespace, models: dict[str, Model]
) -> None:
    table = read_pairs_table(asked.pairs_table)
    beds = dict(zip(table.pairs, table.beds, strict=True))
    place = _Chromosome(asked.fasta, asked.chrom, beds)
    judges = judges_of(models)
    figures = {
        name: _site_figures(model, dataset) for name, model in (judges | models).items()
    }
    # What is said of imputed pairs was found with the weights that some were kept from.
    imputed = {}
    for name, judge in judges.items():
        own = figures[name]
        kept = [dataset.pairs[i] for i in own.kept]
        found = _tallies(judge, kept, expit(own.raised), place)
        along = _genome_figures(found, asked.chrom)[1]
        imputed[name] = own.imputed | {"genome": along}
    for name, model in models.items():
        own, by_judge = figures[name], imputed[judge_of(name)]
        lines = np.array(
            [list(pair["fdr_thresholds"].values()) for pair in own.pairs], np.float32
        )
        found = _tallies(model, list(dataset.pairs), lines, place)
        told, genome = _genome_figures(found, asked.chrom)
        card = model.card
        by_pair = {(entry["tf"], entry["cell"]): entry for entry in card["pairs"]}
        for pair, worth, along in zip(dataset.pairs, own.pairs, told, strict=True):
            by_pair[tuple(pair)] |= {**worth, "genome": along}
        reach = _reach(model, dataset, by_judge["shifts"])
        card["fdr"] = {
            "sites": own.checked,
            "genome": genome,
            "imputed": by_judge | {"reach": reach},
        }
        _write_card(name, card)
        told = {**card["fdr"], "imputed": by_judge}
        say(f"{name} {json.dumps(told, indent=1)}")


def _write_card(name: str, card: dict[str, Any]) -> None:
    write_json(shipped_models()[name].with_suffix(".json"), card)


if __name__ == "__main__":
    main()
