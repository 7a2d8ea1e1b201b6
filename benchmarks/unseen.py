"""How well new names are predicted: a model that never saw them, extended with few tracks.

Six cell lines and ten TFs are left out of training from the start: no row, no track, no
choice depends on them. Further names are left out to choose the settings of `extend`;
`--choosing` adds those in place of them.
Then each is added as a user would add it, and scored on chr20 at all DNase hypersensitive
sites:

- cell lines by their accessibility alone, and with one track (CTCF) as well, next to the
  mean label of the TF's other cell lines at sites that are open;
- TFs by one track in one cell line, in their other cell lines, next to that track;
- ATF7, of which the shipped model knows nothing, from K562, in GM12878.

    python benchmarks/unseen.py --shared ../shared/data/hg19 -g hg19.fa --data data.h5 \
        --work unseen

`--data` is the data set of all pairs. The model is trained in `--work` unless it is there
already, which takes an hour on two cores.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.api.threads import set_threads
from tfimpute_tracks.commands.console import print_result
from tfimpute_tracks.dataset import Dataset, open_dataset, read_pairs_table
from tfimpute_tracks.dataset.candidates import label_by_peaks
from tfimpute_tracks.dataset.labels import LabelRule
from tfimpute_tracks.dataset.sites import Sites
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.engines.sites import chrom_sites
from tfimpute_tracks.evaluation import pair_aurocs, pair_average_precisions
from tfimpute_tracks.evidence import (
    ACCESSIBILITY,
    EvidenceStore,
    PeakFile,
    open_shipped,
)
from tfimpute_tracks.genome import open_genome
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.expectation import to_scale
from tfimpute_tracks.models.loading import known_tracks, read_weights
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.training.extend_fit import ExtendRecipe
from tfimpute_tracks.training.extend_inputs import read_new_tracks
from tfimpute_tracks.training.extend_run import ExtendJob, run_extend
from tfimpute_tracks.vocabulary import Pair

CELLS = ("A549", "HepG2", "MCF-7", "HCT-116", "HeLa-S3", "SK-N-SH")
TFS = ("REST", "CEBPB", "MAFK", "USF2", "RFX5", "GATA2", "SRF", "NRF1", "SPI1", "E2F4")
CHOOSING_CELLS = ("HUVEC", "T-47D", "NB4")
CHOOSING_TFS = ("ETS1", "JUND", "STAT3", "NR2C2")
_AVERAGED = (*CELLS[:5], *CHOOSING_CELLS)  # with enough TFs
_SCALES = {"auroc": "error", "average_precision": "odds"}  # of the cards
_TEST = "chr20"
_WIDTH = 150  # bp of a site whose coverage counts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass
class _Task:
    """The model that knows nothing of the names, and where to score it."""

    model: Model
    path: Path
    dataset: Dataset
    rows: Ints
    shared: Path
    fasta: Path
    cells: Sequence[str]
    tfs: Sequence[str]

    def pairs(self, tf: str | None = None, cell: str | None = None) -> list[Pair]:
        """List measured pairs of a TF, or of a cell line."""
        return [
            pair
            for pair, role in zip(self.dataset.pairs, self.dataset.roles, strict=True)
            if tf in (None, pair.tf) and cell in (None, pair.cell) and role != "test2"
        ]

    def labels(self, pairs: Sequence[Pair]) -> NDArray[np.int8]:
        """Look up the labels of pairs."""
        columns = [self.dataset.pairs.index(pair) for pair in pairs]
        return self.dataset.labels(self.rows, np.array(columns))

    def extend(self, files: Sequence[PeakFile]) -> Model:
        """Add the names of tracks to the model."""
        pairs = [f for f in files if f.pair.tf != ACCESSIBILITY]
        opened = [f for f in files if f.pair.tf == ACCESSIBILITY]
        new = read_new_tracks(self.model, pairs, opened)
        began = time.monotonic()
        with (
            tempfile.TemporaryDirectory() as folder,
            open_genome(self.fasta) as genome,
        ):
            job = ExtendJob(
                self.model,
                read_weights(self.path),
                new,
                None,
                (_TEST,),
                Path(folder) / "x.safetensors",
            )
            model = run_extend(job, genome, ExtendRecipe(), _ignore, _ignore).model
            assert model.evidence is not None
            model.evidence.store.peaks(_TEST)  # read while it is there
        seconds = time.monotonic() - began
        print_result(f"# {', '.join(str(f.pair) for f in files)}: {seconds:.0f} s")
        return model

    def file(self, pair: Pair) -> PeakFile:
        """Name the peaks of a pair."""
        if pair.tf == ACCESSIBILITY:
            path = self.shared / "accessibility" / f"{pair.cell}.open.bed.gz"
        else:
            path = self.shared / "peaks" / f"{pair.tf}.{pair.cell}.bed.gz"
        return PeakFile(pair, "", path)

    def coverage(self, store: EvidenceStore, pairs: Sequence[Pair]) -> Floats:
        """Compute which sites the tracks of some pairs cover, (n_sites, n_pairs)."""
        found = np.zeros((len(self.rows), len(pairs)))
        column = {pair: i for i, pair in enumerate(pairs)}
        of_track = np.array([column.get(t.pair, -1) for t in store.tracks])
        for chrom, places, centers in chrom_sites(self.dataset, self.rows):
            coverage = store.coverage(chrom, centers - _WIDTH // 2, _WIDTH)
            rows = np.repeat(places, np.diff(coverage.indptr))
            columns = of_track[coverage.track]
            used = columns >= 0
            found[rows[used], columns[used]] = coverage.fraction[used]
        return found


def _ignore(*_: object) -> None:
    pass


def _means(scores: NDArray[np.floating], labels: NDArray[np.int8]) -> list[float]:
    metrics = pair_aurocs(scores, labels), pair_average_precisions(scores, labels)
    return [float(np.nanmean(values)) for values in metrics]


def _scores(task: _Task, model: Model, pairs: Sequence[Pair]) -> list[list[float]]:
    """Evaluate pairs by sequence alone, with evidence, and as the card expects."""
    indices, labels = model.vocabulary.pair_indices(pairs), task.labels(pairs)
    found = [
        _means(
            site_scorer(model, task.dataset, task.rows, use_evidence=used)(indices),
            labels,
        )
        for used in (False, True)
    ]
    expected = [
        float(np.mean([model.expected(pair, metric) or np.nan for pair in pairs]))
        for metric in ("auroc", "average_precision")
    ]
    return [*found, expected]


def _print(
    name: str, numbers: Sequence[object], columns: Sequence[list[float]]
) -> None:
    values = [f"{value:.3f}" for column in columns for value in column]
    print_result("\t".join([name, *map(str, numbers), *values]))


def _print_excess(means: list[list[list[float]]]) -> None:
    """Say how much more is expected than is found, on the scale of the card."""
    *_, found, expected = np.moveaxis(np.array(means), 1, 0)
    for column, (metric, scale) in enumerate(_SCALES.items()):
        excess = to_scale(expected[:, column], scale) - to_scale(
            found[:, column], scale
        )
        print_result(f"# expected {metric} - found, {scale}: {excess.mean():.2f}")


def _cell_lines(task: _Task, with_track: bool) -> None:
    """Add cell lines by accessibility, and with the track of CTCF."""
    own = "accessibility and CTCF" if with_track else "accessibility alone"
    print_result(f"\ncell lines never seen, {own}")
    print_result(
        "cell\tpairs\tmean of others at open sites\t\tsequence\t\tevidence\t\texpected"
    )
    known = set(task.model.tfs)
    means = []
    for cell in task.cells:
        pairs = [p for p in task.pairs(cell=cell) if p.tf in known]
        track = Pair("CTCF", cell)
        if with_track and track not in pairs:
            continue
        files = [task.file(Pair(ACCESSIBILITY, cell))]
        if with_track:
            files.append(task.file(track))
            pairs.remove(track)
        model = task.extend(files)
        found = [_baseline(task, model, cell, pairs), *_scores(task, model, pairs)]
        _print(cell, [len(pairs)], found)
        if cell in _AVERAGED:
            means.append(found)
    _print(f"mean of {len(means)}", ["-"], np.mean(means, axis=0).tolist())
    _print_excess(means)


def _baseline(
    task: _Task, model: Model, cell: str, pairs: Sequence[Pair]
) -> list[float]:
    """Score a pair by the TF's known cell lines, where the cell line is open."""
    assert model.evidence is not None
    store = model.evidence.store
    is_open = task.coverage(store, [Pair(ACCESSIBILITY, cell)])[:, 0] > 0
    known = [t.pair for t in store.tracks]
    scores = []
    for pair in pairs:
        others = [p for p in known if p.tf == pair.tf and p.cell != cell]
        mean = (task.coverage(store, others) >= 0.5).mean(axis=1)
        scores.append((mean + 1e-3) * (is_open + 1e-3))
    return _means(np.stack(scores, axis=1), task.labels(pairs))


def _tfs(task: _Task) -> None:
    """Add TFs by their track with the most peaks, and predict the others."""
    print_result("\nTFs never seen, one track")
    print_result("tf\tin\tpairs\tthat track\t\tsequence\t\tevidence\t\texpected")
    table = read_pairs_table(task.shared / "pairs.tsv", with_roles=False)
    size = dict(zip(table.pairs, (b.stat().st_size for b in table.beds), strict=True))
    means = []
    for tf in task.tfs:
        pairs = [p for p in task.pairs(tf=tf) if p.cell in task.model.cells]
        own = max(pairs, key=lambda pair: size[pair])
        pairs.remove(own)
        model = task.extend([task.file(own)])
        assert model.evidence is not None
        track = task.coverage(model.evidence.store, [own]).repeat(len(pairs), axis=1)
        found = [_means(track, task.labels(pairs)), *_scores(task, model, pairs)]
        _print(tf, [own.cell, len(pairs)], found)
        means.append(found)
    _print(f"mean of {len(means)}", ["-", "-"], np.mean(means, axis=0).tolist())
    _print_excess(means)


def _atf7(task: _Task) -> None:
    """Add ATF7 to the shipped model by its track in K562, and predict GM12878."""
    print_result("\nATF7, one track, added to `default`")
    own, other = (
        PeakFile(
            Pair("ATF7", cell), "", task.shared / f"new_tf/ATF7.{cell}.narrowPeak.gz"
        )
        for cell in ("K562", "GM12878")
    )
    model = task.extend([own])
    assert model.evidence is not None
    dataset, rows = task.dataset, task.rows
    sites = Sites(dataset.chrom_id[rows], dataset.start[rows] + dataset.seq_len // 2)
    labels = np.zeros((len(rows), 1), dtype=np.int8)
    with open_genome(task.fasta) as genome:
        found = label_by_peaks(genome, other.path, sites, LabelRule())
    labels[found.positive], labels[found.ignored] = 1, -1
    indices = model.vocabulary.pair_indices([other.pair])
    track = task.coverage(model.evidence.store, [own.pair])
    columns = [_means(track, labels)]
    for used in (False, True):
        scorer = site_scorer(model, dataset, rows, use_evidence=used)
        columns.append(_means(scorer(indices), labels))
    print_result("pair\tthat track\t\tsequence\t\tevidence")
    _print(str(other.pair), [], columns)


def _train(work: Path, shared: Path, fasta: Path) -> Path:
    """Train a model without the names, unless it is there."""
    done = work / "evidence" / "model.safetensors"
    if done.with_suffix(".evidence.safetensors").exists():
        return done
    work.mkdir(parents=True, exist_ok=True)
    table = read_pairs_table(shared / "pairs.tsv", with_roles=False)
    out = {*CELLS, *TFS, *CHOOSING_CELLS, *CHOOSING_TFS}
    rows = [
        f"{pair.tf}\t{pair.cell}\t{bed.absolute()}\n"
        for pair, bed in zip(table.pairs, table.beds, strict=True)
        if not out & set(pair)
    ]
    (work / "pairs.tsv").write_text("tf\tcell\tbed\n" + "".join(rows))
    data, trained = work / "data.h5", work / "model" / "model.safetensors"
    commands = (
        (
            data,
            [
                *("prepare", "-g", fasta, "--pairs-table", work / "pairs.tsv"),
                *("--candidate-sites", shared / "dhs.bed.gz", "-o", data),
            ],
        ),
        (trained, ["train", "--data", data, "-o", trained.parent]),
        (
            done.with_suffix(".evidence.safetensors"),
            [
                *("evidence", "train", "--data", data, "-m", trained),
                *("--evidence", "encode-hg19", "-o", done.parent),
            ],
        ),
    )
    for file, arguments in commands:
        if not file.exists():
            command = [sys.executable, "-m", "tfimpute_tracks", *map(str, arguments)]
            subprocess.run(command, check=True)
    return done


def main() -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("-g", "--fasta", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("-p", "--threads", default="max")
    parser.add_argument("--tables", default="cells,track,tfs,atf7")
    parser.add_argument(
        "--choosing", action="store_true", help="names that settings are chosen with"
    )
    given = parser.parse_args()
    set_threads(given.threads)
    dataset = open_dataset(given.data)
    rows = np.flatnonzero(dataset.chrom_id == dataset.chroms.index(_TEST))
    names = (CHOOSING_CELLS, CHOOSING_TFS) if given.choosing else (CELLS, TFS)
    places = dataset, rows, given.shared, given.fasta, *names
    tables = set(given.tables.split(","))
    if tables - {"atf7"}:
        path = _train(given.work, given.shared, given.fasta)
        store = known_tracks(open_shipped(), load_model(path).vocabulary)
        task = _Task(load_model(path, store), path, *places)
        if "cells" in tables:
            _cell_lines(task, with_track=False)
        if "track" in tables:
            _cell_lines(task, with_track=True)
        if "tfs" in tables:
            _tfs(task)
    if "atf7" in tables:
        shipped = load_model("default", "encode-hg19")
        _atf7(_Task(shipped, Path("default"), *places))


if __name__ == "__main__":
    main()
