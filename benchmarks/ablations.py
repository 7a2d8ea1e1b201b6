"""What each part of the network contributes: the same training without it.

Parts that the paper claims: gates against concatenation, embeddings, both strands, one
pooling window against three. Few chromosomes and epochs, the same for all; evaluated on
`valid2` pairs x chr22, and on trained pairs there. Test data are not looked at.

    python benchmarks/ablations.py --data data.h5 -o ablations
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tfimpute_tracks.api.threads import set_threads
from tfimpute_tracks.commands.console import print_result
from tfimpute_tracks.dataset import Dataset, open_dataset
from tfimpute_tracks.models.config import GatedConfig
from tfimpute_tracks.models.network import TFImpute
from tfimpute_tracks.models.registry import build_network
from tfimpute_tracks.storage import write_text
from tfimpute_tracks.training import Recipe, TrainingJob, train_model

_TRAINED_ON = ("chr18", "chr19", "chr21", "chrX")


class OneStrand(TFImpute):
    """Reads sequences as they are written."""

    def body(self, forward: Tensor, reverse: Tensor) -> Tensor:
        """Take one strand for both."""
        return super().body(forward, forward)


class Concatenated(TFImpute):
    """Embeddings are added to the motif features, and gate nothing."""

    def __init__(self, config: GatedConfig, n_tfs: int, n_cells: int) -> None:
        super().__init__(config, n_tfs, n_cells)
        self.additive = nn.Parameter(
            torch.empty(2 * config.embedding_size, config.n_units)
        )

    def head(self, features: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Sum windows and embeddings in the last layer."""
        both = torch.cat([self.tf_embedding[tf], self.cell_embedding[cell]], dim=1)
        z = torch.einsum("nwk,whk->nh", features, self.unit_weight) + self.unit_bias
        # The gates' weights have no part: they keep what they were drawn as.
        logits = (z[:, :, None] + (both @ self.additive).t()).amax(dim=1)
        better: Tensor = logits.unflatten(0, (2, -1)).amax(dim=0)
        return better


class NoCellLine(TFImpute):
    """Gates know the TF only."""

    def gates(self, tf: Tensor, cell: Tensor) -> Tensor:
        """Leave the cell line out."""
        both = torch.cat(
            [self.tf_embedding[tf], torch.zeros_like(self.cell_embedding[cell])], dim=1
        )
        return torch.sigmoid(both @ self.gate_weight + self.gate_bias)


class NoFactor(TFImpute):
    """Gates know the cell line only."""

    def gates(self, tf: Tensor, cell: Tensor) -> Tensor:
        """Leave the TF out."""
        both = torch.cat(
            [torch.zeros_like(self.tf_embedding[tf]), self.cell_embedding[cell]], dim=1
        )
        return torch.sigmoid(both @ self.gate_weight + self.gate_bias)


_PLAIN = GatedConfig()
_VARIANTS = {
    "as shipped": (_PLAIN, build_network),
    "concatenation, no gates": (_PLAIN, Concatenated),
    "no cell line": (_PLAIN, NoCellLine),
    "no TF": (_PLAIN, NoFactor),
    "embeddings of 5 numbers": (replace(_PLAIN, embedding_size=5), build_network),
    "one strand": (_PLAIN, OneStrand),
    "1 pooling window": (replace(_PLAIN, pool=181), build_network),
    "3 pooling windows": (replace(_PLAIN, pool=61), build_network),
    "1 unit": (replace(_PLAIN, n_units=1), build_network),
    "256 filters": (replace(_PLAIN, n_filters=256), build_network),
}


def _evaluate(
    dataset: Dataset, name: str, folder: Path, epochs: int
) -> dict[str, float]:
    config, build = _VARIANTS[name]
    chroms = [dataset.chroms[i] for i in np.unique(dataset.chrom_id)]
    others = tuple(c for c in chroms if c not in {*_TRAINED_ON, "chr22"})
    folder = folder / name.replace(" ", "-").replace(",", "")
    folder.mkdir(parents=True, exist_ok=True)
    job = TrainingJob(folder, resume=True, test_chroms=others, build=build)
    recipe = Recipe(epochs=epochs)
    run = train_model(
        dataset,
        config,
        recipe,
        job,
        lambda _: None,
        lambda e: print_result(f"{name}: {e}"),
    )
    return run.history[-1]


def main() -> None:
    """Print the table, and keep it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--out-dir", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--threads", default="max")
    parser.add_argument("--only", help="names of variants, separated by ;")
    asked = parser.parse_args()
    set_threads(asked.threads)
    dataset = open_dataset(asked.data)
    rows = ["variant\tloss\tauroc_valid2\tauroc_trained"]
    for name in asked.only.split(";") if asked.only else _VARIANTS:
        found = _evaluate(dataset, name, asked.out_dir, asked.epochs)
        cells = (found[key] for key in ("loss", "auroc_valid2", "auroc_trained"))
        rows.append("\t".join([name, *(f"{value:.4f}" for value in cells)]))
        print_result(rows[-1])
        write_text(asked.out_dir / "ablations.tsv", "\n".join(rows) + "\n")
    print_result(json.dumps({"epochs": asked.epochs, "trained on": _TRAINED_ON}))


if __name__ == "__main__":
    main()
