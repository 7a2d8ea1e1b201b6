"""From peaks, background sites and a FASTA to labelled sites that a run trains on.

Read in this order: ``pairs_table`` (what was measured), ``labels`` (when a site is
positive), ``background`` and ``summits`` (where sites come from), ``labelled`` (the
data set), ``build`` (files to a data set), ``store`` (its file), ``splits`` (who
trains, validates, tests, and in which order), ``ways`` (how commands and cards say it),
``held_out`` (which pairs can be spared) and ``leakage`` (what a test has seen before).
Nothing here knows a network: that is ``models/``, and ``training/`` brings the two
together.
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
