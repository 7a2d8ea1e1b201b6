"""Make anew what the cards of the shipped models tell of what scores are worth.

The weights stay as they are; only the JSON beside them changes. Thresholds of measured
pairs are those that `train` wrote; those of imputed ones come from the pairs that
`held-out`, or `deep-held-out`, never saw, and so does the calibration; and called peaks
are held against measured ones along a whole chromosome.

    python benchmarks/card.py --data data.h5 -g hg19.fa.gz --pairs-table pairs.tsv
    python benchmarks/card.py --data data.h5 --only calibration
    python benchmarks/card.py --data around.h5 --models deep ...
    python benchmarks/card.py --data data.h5 --evidence evidence.h5 --models default ...

With --evidence only what peaks along the chromosome are worth is made anew, of the
cards of scores by letters and tracks; all else of those is written by `evidence train`.
The deeper models look at the surroundings of a site, and take sequences of 920.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit
from shipped import chosen_models, judge_of, judges_of, network_of, valid_sites

from tfimpute_tracks.commands.console import print_result
from tfimpute_tracks.dataset import Dataset, open_dataset, split_by_chromosome
from tfimpute_tracks.dataset.pairs_table import read_pairs_table
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.sites import predict_sites
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.evaluation.fdr import summarize
from tfimpute_tracks.evaluation.fdr_calibration import (
    FDR_LEVELS,
    SiteScores,
    calibrate_imputed_pairs,
    calibrate_probabilities,
    count_reached_levels,
)
from tfimpute_tracks.evaluation.genome_wide import (
    Intervals,
    PeakCounts,
    compare_peaks,
)
from tfimpute_tracks.genome import merge_intervals, open_genome, read_bed
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.models import Model, load_model, pretrained_models
from tfimpute_tracks.models.evidence_weights import evidence_path
from tfimpute_tracks.storage import write_json
from tfimpute_tracks.tracks.scan import scan_blocks
from tfimpute_tracks.training.export_checkpoint import tf_bound_fractions
from tfimpute_tracks.vocabulary import Pair

_PAIRS_AT_ONCE = 262
_SITES = 20_000  # that all pairs are scored at, at most


class _Kept(NamedTuple):
    """Pairs that a model did not learn from, at sites that validated and test it."""

    columns: Any  # of the data set
    valid: SiteScores
    test: SiteScores


def _log_odds(probabilities):
    return np.log(probabilities / (1 - probabilities)).astype(np.float32)


def _kept(model: Model, dataset: Dataset) -> _Kept:
    columns = np.array(
        [i for i, p in enumerate(dataset.pairs) if model.status(p) == "imputed"],
        dtype=np.int64,
    )
    network = network_of(model)
    indices = model.vocabulary.pair_indices(dataset.pairs[i] for i in columns)
    return _Kept(
        columns,
        *(
            SiteScores(
                predict_sites(network, dataset.codes[rows], indices),
                dataset.labels(rows, columns),
            )
            for rows in (valid_sites(model, dataset), split_by_chromosome(dataset).test)
        ),
    )


def _reach(model: Model, dataset: Dataset, shifts: dict[str, float | None]):
    """Say which pairs of a model the promises of imputed pairs are for."""
    rows = valid_sites(model, dataset)
    return count_reached_levels(
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
    start = (model.config.seq_len - stride) // 2
    for first in range(0, len(pairs), _PAIRS_AT_ONCE):
        group = pairs[first : first + _PAIRS_AT_ONCE]
        blocks = scan_blocks(Scorer(model, group), genome, [tiles], 2)
        scores = np.concatenate([block.scores for block in blocks])
        for i, pair in enumerate(group):
            peaks = merge_intervals(read_bed(place.beds[pair])).query(
                "chrom == @place.name"
            )
            measured = Intervals(peaks["start"].to_numpy(), peaks["end"].to_numpy())
            drawn = Signal(place.name, start, stride, scores[:, i])
            yield compare_peaks(
                drawn, measured, lines[first + i], model.threshold(pair)
            )
        print_result(f"{model.name}: {first + len(group)} of {len(pairs)} pairs")


def _genome_figures(found: Iterator[PeakCounts], chrom: str):
    told, rates = [], []
    for tally in found:
        told.append(tally.peak_metrics())
        rates.append(tally.rates())
    by_level = np.array(rates)
    number = {
        name: np.array([np.nan if t[name] is None else t[name] for t in told], float)
        for name in ("peak_fdr", "peak_recall", "bound_tiles")
    }
    return told, {
        "chrom": chrom,
        "tiles": {str(q): summarize(by_level[:, i]) for i, q in enumerate(FDR_LEVELS)},
        **{name: summarize(values) for name, values in number.items()},
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
    parser.add_argument("--evidence", type=Path)
    asked = parser.parse_args()
    dataset = open_dataset(asked.data)
    models = chosen_models(asked.models)
    if asked.evidence:
        _tell_peaks_by_tracks(dataset, models, asked)
        return
    kept = {n: _kept(judge, dataset) for n, judge in judges_of(models).items()}
    if asked.only != "fdr":
        _calibrate(dataset, models, kept)
    if asked.only != "calibration":
        place = _chromosome(asked)
        _tell_false_discoveries(dataset, models, kept, place)


def _chromosome(asked: argparse.Namespace) -> _Chromosome:
    table = read_pairs_table(asked.pairs_table)
    beds = dict(zip(table.pairs, table.beds, strict=True))
    return _Chromosome(asked.fasta, asked.chrom, beds)


def _tell_peaks_by_tracks(
    dataset: Dataset, models: dict[str, Model], asked: argparse.Namespace
) -> None:
    """Hold peaks by letters and tracks against measured ones, own tracks hidden."""
    place = _chromosome(asked)
    by_judge: dict[str, Any] = {}
    for name in models:
        model = load_model(name, asked.evidence)
        seen = [model.status(pair) == "trained" for pair in dataset.pairs]
        known = [p for p, is_seen in zip(dataset.pairs, seen, strict=True) if is_seen]
        model = replace(model, evidence=model.evidence.subset(known))
        entries = [dict(model.measured_pairs[pair]) for pair in dataset.pairs]
        lines = np.array([list(e["fdr_thresholds"].values()) for e in entries], float)
        found = list(_tallies(model, list(dataset.pairs), lines.astype("f4"), place))
        told, _ = _genome_figures(iter(found), place.name)
        for entry, along in zip(entries, told, strict=True):
            entry["genome"] = along
        fdr = model.card["fdr"]
        of = {
            is_kept: [t for t, s in zip(found, seen, strict=True) if s != is_kept]
            for is_kept in (False, True)
        }
        fdr["genome"] = _genome_figures(iter(of[False]), place.name)[1]
        if of[True]:
            by_judge[name] = _genome_figures(iter(of[True]), place.name)[1]
        imputed = by_judge.get(judge_of(name))
        if imputed:
            fdr["imputed"]["genome"] = imputed
        print_result(
            f"{name} {json.dumps({'seen': fdr['genome'], 'kept': imputed}, indent=1)}"
        )
        path = evidence_path(pretrained_models()[name]).with_suffix(".json")
        write_json(path, model.evidence.weights.card | {"pairs": entries, "fdr": fdr})


def _calibrate(
    dataset: Dataset, models: dict[str, Model], kept: dict[str, _Kept]
) -> None:
    """Calibrate by `valid2` pairs of the judge, check on its `test3` pairs."""
    train = split_by_chromosome(dataset).train
    tfs = np.array(dataset.vocabulary.pair_indices(dataset.pairs))[:, 0]
    told = {}
    for name, judge in judges_of(models).items():
        own = kept[name]
        priors = _shares(judge, dataset, train)[tfs[own.columns]]
        roles = np.array(dataset.roles)[own.columns]
        fit, check = (np.flatnonzero(roles == role) for role in ("valid2", "test3"))
        told[name] = calibrate_probabilities(
            own.valid.subset(fit), own.test.subset(check), priors[fit], priors[check]
        )
        print_result(f"{name} {json.dumps(told[name], indent=1)}")
    for name, model in models.items():
        shares = _shares(model, dataset, train).round(6)
        priors = dict(zip(dataset.vocabulary.tfs, shares, strict=True))
        calibration = {"priors": priors, **told[judge_of(name)]}
        _update_card(name, {"calibration": calibration})


def _shares(model: Model, dataset: Dataset, train):
    trained = [model.status(pair) == "trained" for pair in dataset.pairs]
    return tf_bound_fractions(dataset, train, np.flatnonzero(trained))


def _tell_false_discoveries(
    dataset: Dataset,
    models: dict[str, Model],
    kept: dict[str, _Kept],
    place: _Chromosome,
) -> None:
    # What is said of imputed pairs was found with the weights that some were kept from.
    imputed = {}
    for name, judge in judges_of(models).items():
        own = kept[name]
        pairs = [dataset.pairs[i] for i in own.columns]
        lines = _log_odds(np.array([judge.threshold(pair) for pair in pairs]))
        raised, told = calibrate_imputed_pairs(own.valid, own.test, lines)
        found = _tallies(judge, pairs, expit(raised), place)
        imputed[name] = told | {"genome": _genome_figures(found, place.name)[1]}
        print_result(f"{name} {json.dumps(imputed[name], indent=1)}")
    for name, model in models.items():
        by_judge = imputed[judge_of(name)]
        # `train` has written what labelled sites tell of the measured pairs.
        entries = [dict(model.measured_pairs[pair]) for pair in dataset.pairs]
        lines = [list(entry["fdr_thresholds"].values()) for entry in entries]
        found = _tallies(model, list(dataset.pairs), np.array(lines, np.float32), place)
        told, genome = _genome_figures(found, place.name)
        for entry, along in zip(entries, told, strict=True):
            entry["genome"] = along
        fdr = {"sites": model.card["fdr"]["sites"], "genome": genome}
        print_result(f"{name} {json.dumps(fdr, indent=1)}")
        reach = _reach(model, dataset, by_judge["shifts"])
        fdr["imputed"] = by_judge | {"levels_reached": reach}
        _update_card(name, {"pairs": entries, "fdr": fdr})


def _update_card(name: str, news: dict[str, Any]) -> None:
    """Write some keys anew, and leave what another script may have written since."""
    card = load_model(name).card | news
    write_json(pretrained_models()[name].with_suffix(".json"), card)


if __name__ == "__main__":
    main()
