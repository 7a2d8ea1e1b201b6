"""What a store of evidence may hold, and weights that read it, drawn at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from tfimpute_tracks.evidence import (
    ACCESSIBILITY,
    PeakDatabase,
    Peaks,
    Track,
    open_evidence,
    write_evidence,
)
from tfimpute_tracks.genome import Region
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.evidence_network import EvidenceNetwork
from tfimpute_tracks.models.evidence_weights import (
    EvidenceConfig,
    EvidenceWeights,
    evidence_path,
    write_evidence_weights,
)
from tfimpute_tracks.vocabulary import Pair
from toys import (
    AROUND,
    GENOME,
    VOCABULARY,
    random_letters,
    write_fasta,
    write_model,
)

READER = EvidenceConfig(
    heads=5,
    hidden=7,
    head_size=3,
    embedding_size=4,
    window=30,
    summary=32,
    summary_embedding=3,
)
TRACKS = [
    *[Pair(tf, cell) for tf in VOCABULARY.tfs for cell in VOCABULARY.cells[:3]],
    Pair(ACCESSIBILITY, "K562"),
]
SIZES = GENOME["chrom_sizes"]
OWN_SIZES = {"chr1": 150_000, "chr20": 60_000}


def draw_contents(rng, n_tracks=9, n_peaks=40, regions=None):
    """Contents of tracks with disjoint peaks drawn at random; chrY has none."""
    sizes = {"chr2": 9000, "chr10": 4000, "chrY": 700}
    tfs = ["CTCF", "MAX", "EP300", ACCESSIBILITY]
    tracks = tuple(
        Track(Pair(tfs[i % 4], f"cell{i // 4}"), "b" * (i == 8), 2 * i, f"sha256:{i}")
        for i in range(n_tracks)
    )
    peaks = {}
    for chrom in ("chr2", "chr10"):
        columns = []
        for track in range(n_tracks):
            edges = np.sort(rng.choice(sizes[chrom], 2 * n_peaks, replace=False))
            columns.append(np.stack([edges[::2], edges[1::2], np.full(n_peaks, track)]))
        start, end, track = np.concatenate(columns, axis=1)
        order = np.lexsort((track, start))
        peaks[chrom] = Peaks(start[order], end[order], track[order].astype(np.uint16))
    measured = rng.random((n_tracks, 3)) < 0.7
    if regions is None:
        regions = [Region("chr2", 0, 9000), Region("chr10", 0, 4000)]
    return PeakDatabase(tracks, sizes, tuple(regions), measured, peaks, "toy1")


def draw_network(seed=0):
    torch.manual_seed(seed)
    network = EvidenceNetwork(READER, len(VOCABULARY.tfs), len(VOCABULARY.cells))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return network


def draw_weights(network, digest="sha256:0"):
    arrays = {n: p.detach().numpy() for n, p in network.named_parameters()}
    shape = len(VOCABULARY.tfs), len(VOCABULARY.cells)
    arrays["thresholds"] = np.full(shape, 0.5, np.float32)
    arrays["sequence_slope"] = np.ones(1, np.float32)
    arrays["sequence_offset"] = np.zeros(shape, np.float32)
    return EvidenceWeights(READER, VOCABULARY, digest, arrays, "sha256:1", {})


def draw_store(path, rng, n_peaks=60, sizes=SIZES):
    end_of_all = sizes["chr1"]
    places = rng.choice(end_of_all - 100, n_peaks, replace=False)
    start = np.sort(places).astype(np.int64)
    track = rng.integers(0, len(TRACKS), n_peaks).astype(np.uint16)
    # Disjoint, whatever the track.
    end = np.minimum(start + 25, np.append(start[1:], end_of_all))
    measured = np.zeros((len(TRACKS), 2), bool)
    measured[:, 0] = np.isin(np.arange(len(TRACKS)), track)
    tracks = tuple(Track(pair, "", 1, "sha256:2") for pair in TRACKS)
    regions = (Region("chr1", 0, end_of_all),)
    contents = PeakDatabase(
        tracks, sizes, regions, measured, {"chr1": Peaks(start, end, track)}
    )
    write_evidence(path, contents)
    return open_evidence(path)


def give_tracks(model, folder, rng, sizes=SIZES):
    """Let a toy model go by tracks of chr1."""
    weights = draw_weights(draw_network(), model.checkpoint.digest)
    store = draw_store(folder / "e.h5", rng, sizes=dict(sizes))
    return replace(model, evidence=Evidence(weights, store))


def write_model_with_evidence(folder, rng, sizes, card=None):
    """Write a toy model that uses evidence, and evidence of chr1."""
    hold_out = {"scheme": "chromosomes", "test": ["chr20"], "valid": []}
    card = (card or {}) | {"hold_out": hold_out}
    path = write_model(folder / "toy.safetensors", config=AROUND, card=card)
    weights = draw_weights(draw_network(), load_model(path).checkpoint.digest)
    write_evidence_weights(evidence_path(path), weights)
    draw_store(folder / "e.h5", rng, n_peaks=300, sizes=sizes)


def write_own_tracks(folder, rng, card=None):
    """Write what `extend` needs: a genome, a model, a new TF and a new cell line."""
    genome = {name: random_letters(rng, size) for name, size in OWN_SIZES.items()}
    write_fasta(folder / "g.fa", genome)
    write_model_with_evidence(folder, rng, OWN_SIZES, card)
    for name, step in (("tf", 1200), ("cell", 1000)):
        rows = [
            f"{chrom}\t{start}\t{start + 150}\n"
            for chrom, size in OWN_SIZES.items()
            for start in range(2 * step - 700, size - 500, step)
        ]
        (folder / f"{name}.bed").write_text("".join(rows))
    (folder / "mine.tsv").write_text("tf\tcell\tbed\nMYTF\tK562\ttf.bed\n")
    (folder / "open.tsv").write_text("cell\tbed\nMYCELL\tcell.bed\n")
