"""What measured tracks contribute, and where they fail: the tables of the model card.

Kept pairs (`test3`) of a model that never saw them, on chr20, with tracks of trained
pairs alone. Next to sequence, next to the fraction of the TF's other cell lines that are
bound (average activity), and next to how busy a site is (the fraction of all trained pairs
that are bound, whatever TF and cell line). Then at sites that are hard: bound in at
most a quarter of the TF's cell lines, or in none that was measured. Then with fewer
tracks, down to none of the cell line and none of the TF.

    python benchmarks/evidence_tables.py --data data.h5 --evidence evidence.h5
    python benchmarks/evidence_tables.py --data data.h5 --evidence evidence.h5 \
        --model deep-held-out
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfimpute_tracks.api.threads import set_threads
from tfimpute_tracks.commands.console import print_result
from tfimpute_tracks.dataset import (
    Dataset,
    open_dataset,
    pair_columns,
    split_by_chromosome,
)
from tfimpute_tracks.engines.evidence import PairEvidence
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.engines.sites import chrom_sites
from tfimpute_tracks.evaluation import pair_aurocs, pair_average_precisions
from tfimpute_tracks.evaluation.baselines import average_activity
from tfimpute_tracks.evaluation.significance import paired_wilcoxon
from tfimpute_tracks.evidence import ACCESSIBILITY
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.evidence import Evidence

_COUNTS = (0, 1, 2, 5, 10, 50)
_DRAWS = 3
_RARE = 0.25  # of the TF's cell lines
_LEAST_CELLS = 4  # of a TF, for a quarter of them to mean anything
_LEAST_BOUND = 10  # sites, for a pair to count where sites are left out

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass
class _Setting:
    """Pairs, sites, tracks of trained pairs, and what sequence alone gives."""

    dataset: Dataset
    rows: NDArray[np.int64]
    trained: NDArray[np.int64]
    columns: NDArray[np.int64]
    evidence: Evidence
    sequence: Floats
    labels: NDArray[np.int8]

    def __post_init__(self) -> None:
        names = self.evidence.weights.vocabulary
        pairs = [self.dataset.pairs[i] for i in self.columns]
        self.pairs = pairs
        self.conditioned = [
            PairEvidence(self.evidence, [index]) for index in names.pair_indices(pairs)
        ]
        self.tf = np.array([track.pair.tf for track in self.evidence.store.tracks])
        self.cell = np.array([track.pair.cell for track in self.evidence.store.tracks])
        self.parts = list(chrom_sites(self.dataset, self.rows))

    def scores(self, kept: Callable[[int], Mask | None]) -> Floats:
        """Score every pair by sequence and those of the tracks that are kept for it."""
        found = self.sequence.copy()
        for column, model in enumerate(self.conditioned):
            for chrom, places, centers in self.parts:
                own = found[places, column][:, None].copy()
                found[places, column] = model.apply(own, chrom, centers, kept(column))[
                    :, 0
                ]
        return found


def _few(drawn: Mask, n: int, rng: np.random.Generator) -> Mask:
    """Keep n of some tracks, and all others."""
    kept = ~drawn
    kept[rng.choice(np.flatnonzero(drawn), n, replace=False)] = True
    return kept


def _row(scores: Floats, labels: NDArray[np.int8], which: Mask) -> tuple[float, float]:
    auroc = pair_aurocs(scores[:, which], labels[:, which])
    precision = pair_average_precisions(scores[:, which], labels[:, which])
    return float(np.nanmean(auroc)), float(np.nanmean(precision))


def _each_pair(at: _Setting, ways: dict[str, Floats]) -> None:
    table: dict[str, object] = {"pair": list(map(str, at.pairs))}
    n_bound = (at.labels == 1).sum(axis=0)
    table |= {"bound": n_bound.tolist()}
    tfs, cells = (
        [int((names == p[i]).sum()) for p in at.pairs]
        for i, names in enumerate((at.tf, at.cell))
    )
    table |= {"tf_tracks": tfs, "cell_tracks": cells}
    for name, scores in ways.items():
        table[f"{name}_auroc"] = pair_aurocs(scores, at.labels).round(3)
        table[f"{name}_ap"] = pair_average_precisions(scores, at.labels).round(3)
    frame = pd.DataFrame(table).sort_values("evidence_ap", ascending=False)
    print_result(frame.to_csv(sep="\t", index=False).rstrip())
    gain = frame["evidence_ap"] - frame["activity_ap"]
    test = paired_wilcoxon(
        frame["evidence_ap"].to_numpy(float), frame["activity_ap"].to_numpy(float)
    )
    print_result(
        f"evidence above average activity in {(gain > 0).sum()} of {len(gain)} pairs, "
        f"by {gain.mean():.3f} of average precision on average ({gain.min():.3f} to "
        f"{gain.max():.3f}; p = {test.p:.1g})"
    )


def _bound_elsewhere(at: _Setting) -> Iterator[tuple[int, NDArray[np.int64], int]]:
    """Yield each pair with the number of measured cell lines that bind each site."""
    every = at.dataset.labels(at.rows, at.trained) == 1
    tfs = np.array([at.dataset.pairs[i].tf for i in at.trained])
    for column, pair in enumerate(at.pairs):
        of_tf = tfs == pair.tf
        yield column, every[:, of_tf].sum(axis=1), int(of_tf.sum())


def _where(at: _Setting, ways: dict[str, Floats], what: str, skip: Mask) -> None:
    """Say how well sites are discriminated when some are left out for each pair."""
    labels = np.where(skip, -1, at.labels).astype(np.int8)
    enough = (labels == 1).sum(axis=0) >= _LEAST_BOUND
    n_bound = int((labels[:, enough] == 1).sum())
    print_result(f"{what}: {enough.sum()} pairs, {n_bound:,} bound sites")
    for name, scores in ways.items():
        auroc, precision = _row(scores, labels, enough)
        print_result(f"    {name:<10} AUROC {auroc:.3f}  AP {precision:.3f}")


def _hard_sites(at: _Setting, ways: dict[str, Floats]) -> None:
    rare, new = (np.ones(at.labels.shape, dtype=bool) for _ in range(2))
    for column, elsewhere, n_cells in _bound_elsewhere(at):
        here = at.labels[:, column] == 1
        if n_cells + 1 >= _LEAST_CELLS:
            # Of all its cell lines, this one included.
            rare[:, column] = here & (elsewhere + 1 > _RARE * (n_cells + 1))
        if n_cells:
            new[:, column] = elsewhere > 0
    _where(at, ways, f"bound in at most {_RARE:.0%} of the TF's cell lines", rare)
    _where(at, ways, "sites where no measured cell line of the TF is bound", new)


def _fewer_tracks(at: _Setting, name: str, names: NDArray[np.str_], field: int) -> None:
    """Say what is left with so many tracks of the pair's cell line, or TF."""
    is_open = at.tf == ACCESSIBILITY
    own = [(names == pair[field]) & ~is_open for pair in at.pairs]
    there = np.array([mask.sum() for mask in own])
    for n in _COUNTS:
        which = there >= n
        if not which.any():
            continue
        found = []
        for draw in range(1 if n == 0 else _DRAWS):
            rng = np.random.default_rng(draw)

            def kept(column: int, n: int = n, rng: np.random.Generator = rng) -> Mask:
                if there[column] < n:
                    return np.ones(len(names), dtype=bool)
                mask = _few(own[column], n, rng)
                if field:  # a cell line's accessibility counts as a track of it
                    mask &= ~(is_open & (names == at.pairs[column][field]))
                return mask

            found.append(_row(at.scores(kept), at.labels, which))
        auroc, precision = np.mean(found, axis=0)
        print_result(
            f"{n:>3} tracks of the {name}: AUROC {auroc:.3f}  AP {precision:.3f}  "
            f"({which.sum()} pairs that have as many)"
        )


def _setting(asked: argparse.Namespace, roles: tuple[str, ...]) -> _Setting:
    dataset = open_dataset(asked.data)
    model = load_model(asked.model, asked.evidence)
    assert model.evidence is not None
    trained = pair_columns(dataset, "base")
    evidence = model.evidence.subset(dataset.pairs[i] for i in trained)
    rows = split_by_chromosome(dataset).test
    columns = np.concatenate([pair_columns(dataset, role) for role in roles])
    labels = dataset.labels(rows, columns)
    columns = columns[(labels == 1).any(axis=0)]
    indices = model.vocabulary.pair_indices(dataset.pairs[i] for i in columns)
    sequence = site_scorer(model, dataset, rows, use_evidence=False)(indices)
    labels = dataset.labels(rows, columns)
    return _Setting(dataset, rows, trained, columns, evidence, sequence, labels)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--evidence", type=Path, required=True)
    parser.add_argument("--model", default="held-out")
    parser.add_argument("--threads", default="max")
    asked = parser.parse_args()
    set_threads(asked.threads)
    at = _setting(asked, ("test3",))
    busy = (at.dataset.labels(at.rows, at.trained) == 1).mean(axis=1)
    activity = average_activity(at.dataset, at.rows, at.columns, at.trained)
    ways = {
        "sequence": at.sequence,
        "evidence": at.scores(lambda _: None),
        "activity": np.nan_to_num(activity),
        "occupancy": np.repeat(busy[:, None], len(at.columns), 1).astype(np.float32),
    }
    every = np.ones(len(at.columns), dtype=bool)
    print_result(
        f"{asked.model}: {len(at.columns)} test3 pairs, {len(at.rows):,} sites of chr20"
    )
    for name, scores in ways.items():
        auroc, precision = _row(scores, at.labels, every)
        print_result(f"    {name:<10} AUROC {auroc:.3f}  AP {precision:.3f}")
    _hard_sites(at, ways)
    _fewer_tracks(at, "cell line", at.cell, 1)
    _fewer_tracks(at, "TF", at.tf, 0)
    _each_pair(at, ways)
    whole = _setting(asked, ("base", "valid2", "test3"))
    every = np.ones(len(whole.columns), dtype=bool)
    print_result(f"all {len(whole.columns)} measured pairs, own tracks hidden")
    left = {
        "all other tracks": lambda _: None,
        "none of the cell line": lambda i: whole.cell != whole.pairs[i].cell,
        "none of the TF": lambda i: whole.tf != whole.pairs[i].tf,
    }
    for name, kept in left.items():
        auroc, precision = _row(whole.scores(kept), whole.labels, every)
        print_result(f"    {name:<22} AUROC {auroc:.3f}  AP {precision:.3f}")
    auroc, precision = _row(whole.sequence, whole.labels, every)
    print_result(f"    {'sequence alone':<22} AUROC {auroc:.3f}  AP {precision:.3f}")


if __name__ == "__main__":
    main()
