"""A network family, a predictor and a track format, as short as they can be."""

import csv
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from tfimpute_tracks.comparison.predictors.predictor import Fitted, Predictor
from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.models.registry import Family, Preset
from tfimpute_tracks.tracks.formats import TrackFormat
from tfimpute_tracks.tracks.formats.validate import Content


@dataclass(frozen=True)
class AdditiveConfig(NetworkConfig):
    """The sizes that every family has."""

    family = "additive"
    multiples_of_8: ClassVar[tuple[str, ...]] = ()


class AdditiveNetwork(MotifNetwork):
    """A weight for each filter and TF, and one number for each cell line."""

    def __init__(self, config, n_tfs, n_cells):
        super().__init__(config, n_tfs, n_cells)
        self.tf_weight = nn.Parameter(torch.empty(n_tfs, config.n_filters))
        self.cell_bias = nn.Parameter(torch.empty(n_cells, 1))

    def head(self, features, tf, cell):
        """Add up the best match of each filter, on the better strand."""
        best = features.amax(dim=1)  # (2 n, K)
        logits = best @ self.tf_weight[tf].t() + self.cell_bias[cell, 0]
        return logits.unflatten(0, (2, -1)).amax(dim=0)  # (n, n_pairs)


FAMILY = Family(
    AdditiveConfig,
    "tfimpute_example:AdditiveNetwork",
    {"additive": Preset(AdditiveConfig(), {"epochs": 1})},
)


class GcContent(Predictor):
    """The same score for every pair."""

    name = "gc-content"
    summary = "the fraction of G and C"

    def fit(self, task):
        """Learn nothing."""
        return Fitted(None)

    def score(self, task, fitted, rows, columns):
        """Count G and C."""
        codes = task.dataset.codes[rows]
        gc = ((codes == 1) | (codes == 2)).mean(axis=1)
        return np.repeat(gc[:, None], len(columns), axis=1).astype(np.float32)


def write_csv(path, chrom_sizes, batches, style):
    """Write a row per bin."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        for batch in batches:
            for chrom, bins in batch.by_chrom():
                for start, end, value in bins.tolist():
                    number = f"{value:.{style.decimals}f}"
                    writer.writerow([chrom, start, end, number])


def check_csv(path, dest, chrom_sizes, content):
    """Read it back with numpy, and compare it with what was written."""
    read = Content()
    rows = np.loadtxt(path, delimiter=",", dtype=str, ndmin=2)
    numbers = rows[:, 1:].astype(np.float64)
    starts, ends = numbers[:, :2].astype(np.uint32).T
    read.add_rows(rows[:, 0], starts, ends, numbers[:, 2].astype(np.float32))
    read.compare(dest, content)


CSV = TrackFormat("csv", ".csv", "signal", write_csv, check_csv, "signal, with commas")
