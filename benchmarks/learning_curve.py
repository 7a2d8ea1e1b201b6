"""What more sequence would bring: the default network trained at a part of the sites.

Sites of the training chromosomes are drawn at random, each draw within the next larger
one; those of the test and the validation chromosome all stay. Few sites are read more
often, so that no network is trained too briefly. AUROC on chr22, best epoch; the last
line is `held-out`, which was trained at all sites. Test data are not looked at.

    python benchmarks/learning_curve.py --shared ../shared/data/hg19 -g hg19.fa -o curve
"""

from __future__ import annotations

import argparse
import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np

from tfimpute_tracks.api.threads import set_threads
from tfimpute_tracks.commands.console import print_result
from tfimpute_tracks.dataset import open_dataset, split_by_chromosome
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.config import GatedConfig
from tfimpute_tracks.training import Recipe, TrainingJob, train_model

_WHOLE = ("chr20", "chr22")  # test and validation
_EPOCHS = {8: 24, 4: 24, 2: 12}  # by 1 / fraction of the sites


def _thin(sites: Path, part: int, out: Path) -> None:
    """Write one site in `part`."""
    with gzip.open(sites, "rt") as file:
        lines = file.readlines()
    draws = np.random.default_rng(0).random(len(lines))
    with out.open("w") as file:
        file.writelines(
            line
            for line, draw in zip(lines, draws, strict=True)
            if draw < 1 / part or line.split("\t")[0] in _WHOLE
        )


def _show(n_sites: int, history: list[dict[str, float]]) -> None:
    best = max(history, key=lambda epoch: epoch["score"])
    cells = (f"{best[key]:.4f}" for key in ("auroc_valid2", "auroc_trained"))
    print_result("\t".join([f"{n_sites:,}", *cells, f"{best['epoch']:g}"]))


def main() -> None:
    """Print the curve."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("-g", "--fasta", type=Path, required=True)
    parser.add_argument("-o", "--out-dir", type=Path, required=True)
    parser.add_argument("--threads", default="max")
    asked = parser.parse_args()
    set_threads(asked.threads)
    print_result("training sites\tvalid2\ttrained pairs\tepoch")
    for part, epochs in _EPOCHS.items():
        folder = asked.out_dir / f"part-{part}"
        folder.mkdir(parents=True, exist_ok=True)
        data, sites = folder / "data.h5", folder / "sites.bed"
        if not data.exists():
            _thin(asked.shared / "dhs.bed.gz", part, sites)
            table = asked.shared / "pairs.tsv"
            files = ["-g", asked.fasta, "--pairs-table", table, "-o", data]
            command = ["prepare", *files, "--candidate-sites", sites]
            subprocess.run(
                [sys.executable, "-m", "tfimpute_tracks", *map(str, command)],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        run = train_model(
            open_dataset(data),
            GatedConfig(),
            Recipe(epochs=epochs),
            TrainingJob(folder, resume=True),
            lambda _: None,
            lambda _: None,
        )
        _show(len(split_by_chromosome(open_dataset(data)).train), run.history)
    card = load_model("held-out").card
    _show(card["data"]["sites"]["train"], card["history"])


if __name__ == "__main__":
    main()
