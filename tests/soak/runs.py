"""The runs that are killed: each takes some seconds and writes what can be compared."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from evidence_toys import write_own_tracks
from tfimpute_tracks.dataset import write_dataset
from tfimpute_tracks.models import load_model
from toys import CALIBRATED, make_dataset

__all__ = ["RUNS", "Run", "make_run_inputs"]

_N_PAIRS, _N_TRACKS = 600, 300


class Run(NamedTuple):
    """A command, and what makes it continue.

    Attributes
    ----------
    verb : str
    command : tuple of str
        Writes into `out`.
    resume : tuple of str
        What is added after a kill.
    """

    verb: str
    command: tuple[str, ...]
    resume: tuple[str, ...] = ()


_NETWORK = "seq_len=60,filter_length=8,n_filters=16,pool=20,n_units=2,embedding_size=4"
RUNS = (
    Run(
        "scan",
        ("scan", "--pairs", "CTCF:K562;MAX:HepG2", "-p", "2", "-o", "out"),
    ),
    Run(
        "impute",
        (
            *("impute", "--pairs", "many.tsv", "--tiles-per-shard", "2048"),
            *("--workers", "2", "-o", "out"),
        ),
    ),
    Run(
        "train",
        (
            *("train", "--data", "long.h5", "--network", _NETWORK, "--epochs", "4"),
            *("-p", "1", "-o", "out"),
        ),
        resume=("--resume",),
    ),
    Run(
        "evidence build",
        (
            *("evidence", "build", "--pairs-table", "tracks.tsv"),
            *("--chrom-sizes", "chr.sizes", "-o", "out/e.h5"),
        ),
        resume=("--overwrite",),
    ),
    Run(
        "extend",
        (
            *("extend", "-g", "own/g.fa", "-m", "own/toy.safetensors", "-p", "1"),
            *("-e", "own/e.h5", "--pairs-table", "own/mine.tsv"),
            *("--accessibility", "own/open.tsv"),
            *("-o", "out/mine.safetensors"),
        ),
        resume=("--overwrite",),
    ),
)


def make_run_inputs(folder: Path, seed: int) -> None:
    """Write the inputs of :data:`RUNS`; model and sequence of some come with the package.

    Parameters
    ----------
    folder : Path
    seed : int
    """
    write_dataset(folder / "long.h5", make_dataset(6_000, seed=seed))
    pairs = load_model().vocabulary.all_pairs()
    rows = [f"{pair.tf}\t{pair.cell}\n" for pair in pairs[:_N_PAIRS]]
    (folder / "many.tsv").write_text("tf\tcell\n" + "".join(rows))
    rng = np.random.default_rng(seed)
    (folder / "peaks").mkdir()
    rows = []
    for number, pair in enumerate(pairs[:_N_TRACKS]):
        starts = np.sort(rng.choice(59_000, 3000, replace=False))
        text = "".join(f"chr1\t{at}\t{at + 90}\n" for at in starts)
        (folder / "peaks" / f"{number}.bed").write_text(text)
        rows.append(f"{pair.tf}\t{pair.cell}\tbase\tpeaks/{number}.bed\n")
    (folder / "tracks.tsv").write_text("tf\tcell\trole\tbed\n" + "".join(rows))
    (folder / "chr.sizes").write_text("chr1\t60000\n")
    (folder / "own").mkdir()
    write_own_tracks(folder / "own", rng, CALIBRATED)
