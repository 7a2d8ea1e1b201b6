"""A small model and a small data set: every size differs, so a swapped axis shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from tfimpute_tracks.dataset import Dataset, PairLists
from tfimpute_tracks.models.checkpoint import write_checkpoint
from tfimpute_tracks.models.config import GatedConfig, ResidualConfig
from tfimpute_tracks.models.loading import load_model
from tfimpute_tracks.models.registry import build_network
from tfimpute_tracks.tracks.record import TrackRecord
from tfimpute_tracks.vocabulary import Pair, Vocabulary

CONFIG = GatedConfig(
    seq_len=60, filter_length=8, n_filters=11, pool=20, n_units=3, embedding_size=5
)
# It looks at 4 tiles on either side: 80 bp, more than a tile has.
AROUND = replace(CONFIG, context_tiles=4)
DEEP = ResidualConfig(
    seq_len=60,
    filter_length=11,
    n_filters=16,
    pool=10,
    n_units=3,
    embedding_size=5,
    context_tiles=0,
    channels=32,
    blocks=2,
)
VOCABULARY = Vocabulary(
    ["CTCF", "EP300", "MAX"], ["GM12878", "HepG2", "H1-hESC", "K562"]
)
# A card that calibrates: 100 training sites, and how many of them each TF binds.
CALIBRATED = {
    "calibration": {
        "slope": 0.7,
        "intercept": -0.5,
        "priors": {"CTCF": 0.2, "EP300": 0.05, "MAX": 0.1},
    },
    "data": {"sites": {"train": 100}},
    "pairs": [
        {"tf": "CTCF", "cell": "K562", "trained": True, "training_sites": 30},
        {"tf": "MAX", "cell": "K562", "trained": False, "training_sites": 0},
    ],
}
GENOME = {"build": "toy1", "chrom_sizes": {"chr1": 5000, "chr20": 2000}}


def write_model(path, seed=0, config=CONFIG, vocabulary=VOCABULARY, card=None):
    """Write weights drawn at random, large enough for scores all over 0 to 1."""
    rng = np.random.default_rng(seed)
    n_tfs, n_cells = len(vocabulary.tfs), len(vocabulary.cells)
    with torch.device("meta"):
        network = build_network(config, n_tfs, n_cells)
    weights = {
        name: rng.normal(size=parameter.shape).astype(np.float32)
        for name, parameter in network.named_parameters()
    }
    weights["thresholds"] = np.full((n_tfs, n_cells), 0.75, np.float32)
    if "unit_weight" in weights:
        weights["unit_weight"] *= 0.5
    if "context.weight" in weights:
        weights["context.weight"] *= 0.3  # many logits are added up
    write_checkpoint(path, config, vocabulary, weights, GENOME, card)
    return path


def make_model(folder, **changes):
    return load_model(write_model(folder / "toy.safetensors", **changes))


def make_record(pair, **changes):
    """Make the record of a pair's track, of no model."""
    values = {
        "model": "toy",
        "weights": "sha256:0",
        "seq_len": 60,
        "stride": 20,
        "status": "imputed",
        "threshold": 0.5,
    }
    options = {"formats": ("bigwig", "bed", "bigbed"), "bin_size": None}
    return TrackRecord(pair=pair, **values | options | changes)


def write_gapped_genome(folder):
    """Write a genome with a gap and a second chromosome; give the file and letters."""
    rng = np.random.default_rng(4)
    known = random_letters(rng, 4000)
    letters = {
        "chr1": known[:1500] + "N" * 500 + known[2000:],
        "chr20": random_letters(rng, 900),
    }
    return write_fasta(folder / "toy.fa", letters), letters


def write_fasta(path, letters):
    """Write sequences in lines of 70 letters."""
    with path.open("w") as file:
        for name, text in letters.items():
            lines = [text[i : i + 70] for i in range(0, len(text), 70)]
            file.write("\n".join([f">{name}", *lines, ""]))
    return path


def random_letters(rng, n, letters="ACGT"):
    return "".join(rng.choice(list(letters), n))


def make_dataset(n_sites=900, seq_len=60, seed=0):
    """Sites that are bound where a motif of the TF stands, in some cell lines only."""
    rng = np.random.default_rng(seed)
    motifs = {
        "CTCF": [1, 1, 2, 1, 2, 1],
        "EP300": [3, 2, 0, 1, 3, 2],
        "MAX": [1, 0, 1, 2, 3, 2],
    }
    pairs = [Pair(tf, cell) for tf in VOCABULARY.tfs for cell in VOCABULARY.cells]
    roles = [
        "valid2" if i in (2, 7) else "test3" if i == 9 else "base" for i in range(12)
    ]
    codes = rng.integers(0, 4, (n_sites, seq_len)).astype(np.uint8)
    tfs = rng.integers(0, 4, n_sites)
    for row in np.flatnonzero(tfs < 3):
        place = rng.integers(0, seq_len - 6)
        codes[row, place : place + 6] = motifs[VOCABULARY.tfs[tfs[row]]]
    positive = [
        [i for i, pair in enumerate(pairs) if tf < 3 and pair.tf == VOCABULARY.tfs[tf]]
        for tf in tfs
    ]
    ignored = [
        [11] if row % 7 == 0 and 11 not in positive[row] else []
        for row in range(n_sites)
    ]
    chrom_id = np.sort(rng.integers(0, 3, n_sites)).astype(np.int32)
    return Dataset(
        codes=codes,
        chrom_id=chrom_id,
        start=np.arange(n_sites, dtype=np.int64) * 100,
        chroms=("chr1", "chr20", "chr22"),
        chrom_sizes=(10**6, 10**6, 10**6),
        pairs=tuple(pairs),
        roles=tuple(roles),
        peak_digests=("sha256:0",) * 12,
        vocabulary=VOCABULARY,
        positive=_lists(positive),
        ignored=_lists(ignored),
        parameters={"seq_len": seq_len},
        sources={"genome": "toy"},
    )


def _lists(rows):
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(
        np.int64
    )
    return PairLists(
        indptr, np.array([i for row in rows for i in row], dtype=np.uint16)
    )


def torch_scorer(model, pairs, stride):
    """Make a scorer that runs the engine of GPUs, on a CPU."""
    from tfimpute_tracks.engines.gpu_engine import TorchEngine
    from tfimpute_tracks.engines.scorer import Scorer

    scorer = Scorer(model, pairs, stride)
    scorer._trunk = None
    scorer._engine = TorchEngine(model, scorer.pairs, scorer.grid.base, "cpu")
    return scorer
