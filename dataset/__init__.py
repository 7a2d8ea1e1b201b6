"""From peaks, candidate sites and a FASTA to labeled sites for training.

Read in this order: ``pairs_table`` (what was measured), ``labels`` (when a site is
positive), ``candidates`` and ``summits`` (where sites come from), ``dataset`` (the data
set), ``site_builder`` and ``build`` (files to a data set), ``store`` (its file),
``splits`` and ``holdout`` (training, validation and test), ``held_out`` (which pairs can
be held out) and ``leakage`` (what training and test share). Nothing here depends on a
network: see ``models/`` and ``training/``.
"""

from __future__ import annotations

from tfimpute_tracks.dataset.build import BuildReport, build_dataset
from tfimpute_tracks.dataset.config import BuildConfig
from tfimpute_tracks.dataset.dataset import Dataset, PairLists
from tfimpute_tracks.dataset.held_out import PairSplit, split_pairs
from tfimpute_tracks.dataset.holdout import (
    RANDOM_TEST_FRACTION,
    RANDOM_VALID_FRACTION,
    HoldOut,
    HoldOutScheme,
    TrainedSites,
    hold_out_options,
    trained_sites,
)
from tfimpute_tracks.dataset.labels import LabelRule
from tfimpute_tracks.dataset.leakage import Leaks, find_leaks, find_pair_leaks
from tfimpute_tracks.dataset.pairs_table import (
    REPLICATE,
    ROLES,
    PairsTable,
    format_pairs_table,
    read_pairs_table,
)
from tfimpute_tracks.dataset.splits import (
    TEST_CHROMS,
    VALID_CHROMS,
    Split,
    iterate_batches,
    pair_columns,
    split_by_chromosome,
    split_by_fold,
    split_randomly,
)
from tfimpute_tracks.dataset.store import open_dataset, write_dataset

__all__ = [
    "RANDOM_TEST_FRACTION",
    "RANDOM_VALID_FRACTION",
    "REPLICATE",
    "ROLES",
    "TEST_CHROMS",
    "VALID_CHROMS",
    "BuildConfig",
    "BuildReport",
    "Dataset",
    "HoldOut",
    "HoldOutScheme",
    "LabelRule",
    "Leaks",
    "PairLists",
    "PairSplit",
    "PairsTable",
    "Split",
    "TrainedSites",
    "build_dataset",
    "find_leaks",
    "find_pair_leaks",
    "format_pairs_table",
    "hold_out_options",
    "iterate_batches",
    "open_dataset",
    "pair_columns",
    "read_pairs_table",
    "split_by_chromosome",
    "split_by_fold",
    "split_pairs",
    "split_randomly",
    "trained_sites",
    "write_dataset",
]
