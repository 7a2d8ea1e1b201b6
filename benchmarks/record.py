"""Record what the product puts out, and compare two such recordings bit for bit.

    record.py record FOLDER   run every step, write FOLDER/numbers.npz and text.json
    record.py compare A B     say key by key what differs; exit 1 if a number does

A refactor may rename verbs, options, columns and files and reword every sentence, but
must not move a number. So numbers are kept apart from names (of pairs, files, roles)
and from sentences: `compare` fails on numbers only, and lists the other two.

The product is run as `sys.executable -m tfimpute_tracks`, so PYTHONPATH says which
tree is recorded, and must be set. To record a changed tree, change what stands in the
first part, "What a tree calls things", and nothing else: verbs and options (STEPS), the
addresses of the browser page (ADDRESSES), the Python interface (`Interface`), and what was
renamed in the outputs (RENAMED).
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import dataclasses
import gzip
import hashlib
import html
import importlib.util
import json
import os
import re
import resource
import shlex
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# ------------------------------------------------------------- What a tree calls things

MODELS = ("default", "held-out", "deep", "deep-held-out")
MEASURED = "CTCF:K562;MAX:HepG2;REST:K562"
SOME = "CTCF:K562;MAX:HepG2;REST:K562;CEBPB:HepG2;FOXA1:A549"

NETWORK = "seq_len=60,filter_length=8,n_filters=16,pool=20,n_units=2,embedding_size=4"
DEEP = "seq_len=60,filter_length=9,n_filters=16,pool=13,channels=16,blocks=1"
GRU = "seq_len=60,filter_length=8,n_filters=16,pool=20"

# Neutral name of a step, and what is typed after `tfimpute-tracks`; lines that are
# indented go on. <out> is the step's folder, <in/FILE> an input that `make_inputs`
# writes, and <NAME> the folder of a step that stands above, which then runs first.
STEPS = f"""
# Scans of the bundled region, 3 Mb, and of a genome with a gap.
scan/default: scan -e none --pairs '{SOME}' -o <out> --no-cache
scan/deep: scan -e none --pairs '{MEASURED}' -m deep -o <out> --no-cache
scan/held-out: scan -e none --pairs '{MEASURED}' -m held-out -o <out> --no-cache
scan/deep-held-out: scan -e none --tf REST --cell K562 -m deep-held-out -o <out>
    --no-cache -r chr20:47500001-48500000
scan/evidence: scan --pairs '{SOME}' -e encode-hg19 -o <out> --no-cache
scan/deep-evidence: scan --pairs 'CTCF:K562;FOXA1:A549' -m deep -e encode-hg19 -o <out>
    --no-cache -r chr20:47500001-48500000
scan/log-odds: scan -e none --pairs '{MEASURED}' --signal log-odds -o <out> --no-cache
scan/specificity: scan -e none --pairs 'CTCF:K562;REST:K562' --signal specificity -o
    <out> --no-cache -r chr20:48000001-48600000
scan/score: scan -e none --pairs '{SOME}' --signal score -o <out> --no-cache
scan/evidence-log-odds: scan --pairs '{MEASURED}' -e encode-hg19 --signal log-odds -o <out>
    --no-cache -r chr20:48000001-48600000
scan/evidence-specificity: scan --tf CTCF --cell K562 -e encode-hg19 -o <out> --signal
    specificity --no-cache -r chr20:48000001-48200000
scan/evidence-score: scan --pairs '{SOME}' -e encode-hg19 --signal score -o <out>
    --no-cache -r chr20:48000001-48600000
scan/deep-specificity: scan -e none --tf CTCF --cell K562 -m deep --signal specificity
    -o <out> --no-cache -r chr20:48000001-48200000
scan/deep-score: scan -e none --pairs '{SOME}' -m deep --signal score -o <out>
    --no-cache -r chr20:48000001-48400000
scan/bins: scan -e none --pairs '{MEASURED}' --bin-size 500 -o <out> --no-cache
scan/bins-log-odds: scan -e none --tf CTCF --cell K562 --bin-size 1000 --signal
    log-odds -o <out> --no-cache
scan/stride: scan -e none --tf CTCF --cell K562 --stride 20 -o <out> --no-cache -r
    chr20:48000001-48200000 -r chr20:48800001-48900000
scan/deep-stride: scan -e none --tf CTCF --cell K562 -m deep --stride 30 -o <out>
    --no-cache -r chr20:48000001-48060000
scan/threshold: scan -e none --pairs '{MEASURED}' --threshold 0.5 --max-zooms 0 -o <out>
    --no-cache
scan/fast: scan -e none --pairs '{MEASURED}' --precision fast -o <out> --no-cache
scan/two-threads: scan -e none --pairs '{MEASURED}' -p 2 -o <out> --no-cache
scan/cache-filled: scan -e none --pairs '{MEASURED}' -o <out> --cache-dir <out>.cache
scan/cache-read: scan -e none --pairs '{SOME}' -o <out> --cache-dir
    <scan/cache-filled>.cache
scan/bed: scan -e none --tf MAX --cell K562 -r <in/elements.bed> -o <out> --no-cache
scan/genome: scan --pairs '{MEASURED}' -g <in/genome.fa> -o <out> --no-cache
scan/deep-genome: scan --tf CTCF --cell K562 -m deep -g <in/genome.fa> -o <out> --chroms
    chr22 --no-cache
# Bulk stores, and what is read from them.
impute/some: impute -e none --pairs '{SOME}' -r chr20:48000001-48600000 -o <out> -y
    --tiles-per-shard 2500 --pairs-per-shard 2
impute/deep: impute -e none --pairs '{SOME}' -m deep -r chr20:48000001-48600000 -o
    <out> -y
impute/evidence: impute --pairs '{SOME}' -e encode-hg19 -r chr20:48000001-48600000 -o <out>
    -y
impute/deep-evidence: impute --pairs '{SOME}' -m deep -e encode-hg19 -o <out> -y -r
    chr20:48000001-48300000
impute/sparse: impute -e none --pairs '{SOME}' --sparse --keep-below-threshold 3 -o
    <out> -y -r chr20:48000001-48600000
impute/sparse-evidence: impute --pairs '{SOME}' --sparse -e encode-hg19 -o <out> -y -r
    chr20:48000001-48300000
impute/of-tf: impute -e none --tf CTCF -r chr20:48000001-48200000 -o <out> -y
impute/of-cell: impute -e none --cell HepG2 --missing -r chr20:48800001-48830000 -o
    <out> -y
impute/missing: impute -e none --missing -r chr20:48800001-48810000 -o <out> -y
impute/missing-evidence: impute --missing -e encode-hg19 -o <out> -y -r
    chr20:48800001-48805000
impute/all-deep: impute -e none --all -m deep -r chr20:48803001-48807000 -o <out> -y
impute/fast: impute -e none --pairs '{SOME}' --precision fast -o <out> -y -r
    chr20:48000001-48300000
impute/genome: impute --pairs '{SOME}' -g <in/genome.fa> --chroms chr1 --chroms chr22 -o
    <out> -y
impute/part-1: impute -e none --pairs '{SOME}' -r chr20:48000001-48600000 -o <out> -y
    --tiles-per-shard 2500 --part 1/2
impute/part-2: impute -e none --pairs '{SOME}' -r chr20:48000001-48600000 -y -o
    <impute/part-1> --tiles-per-shard 2500 --part 2/2 --workers 2
impute/dask: impute -e none --pairs '{SOME}' -r chr20:48000001-48300000 -o <out> -y
    --tiles-per-shard 1000 --engine dask --workers 1
export/every-format: export <impute/some> --all -o <out> --format
    bigwig,bed,bigbed,bedgraph,parquet
export/deep: export <impute/deep> --all -o <out> --format bigwig,bed,bigbed,parquet
export/evidence: export <impute/evidence> --all -o <out> --format bigwig,bed,parquet
export/sparse: export <impute/sparse> --all -o <out> --format bigwig,bed,bedgraph
export/genome: export <impute/genome> --all -o <out> --format bigwig,bed,parquet
export/log-odds: export <impute/some> --all --signal log-odds -o <out> --format
    bigwig,bedgraph,parquet
export/score: export <impute/some> --all --signal score -o <out> --format
    bigwig,parquet
export/evidence-score: export <impute/evidence> --all --signal score -o <out> --format
    bigwig,parquet
export/specificity: export <impute/of-tf> --pairs 'CTCF:K562;CTCF:A549' --signal
    specificity -o <out> --format bigwig,parquet
export/bins: export <impute/some> --tf CTCF --cell K562 --bin-size 500 --max-zooms 2 -o
    <out> --format bigwig,bedgraph
export/region: export <impute/some> --tf CTCF --cell K562 --threshold 0.3 -o <out> -r
    chr20:48100001-48200000 --format bigwig,bed,bigbed
export/part-1: export <impute/part-1> --all -o <out> --format bed,parquet
query/missing: query <impute/missing> chr20:48805001-48806000 --top 0
query/live: query chr20:48805001-48806000 --top 0 --cell HepG2
query/evidence: query <impute/missing-evidence> chr20:48801001-48803000 --top 0
query/all-deep: query <impute/all-deep> chr20:48805001-48806000 --top 0
query/of-tf: query <impute/missing> chr20:48803001-48806000 --top 0 --tf CTCF
query/sparse: query <impute/sparse> chr20:48100001-48400000 --top 0
catalogue/missing: catalogue <impute/missing> --no-projection -o <out>
catalogue/of-tf: catalogue <impute/of-tf> -o <out>
catalogue/evidence: catalogue <impute/evidence> --no-projection --format parquet --tracks
    <export/evidence> -o <out>
# Variants and elements.
variants/of-tf: variants <in/variants.tsv> --tf CTCF -o <out>
variants/vcf: variants <in/variants.vcf> --pairs '{SOME}' --n-background 200 --fix-ref
    --write-tracks -o <out>
variants/deep: variants <in/variants.tsv> --pairs '{SOME}' -m deep --n-background 100
    --write-tracks -o <out>
variants/held-out: variants <in/variants.tsv> --pairs '{SOME}' -m held-out --seed 3
    --stride 10 --n-background 150 --background-regions <in/elements.bed> -o <out>
variants/all: variants <in/variants.tsv> --all --n-background 50 --heatmaps 2 -o <out>
variants/wide: variants <in/variants.tsv> --cell K562 --wide --format parquet
    --n-background 0 -o <out>
mutagenesis/default: mutagenesis -r chr20:47227251-47227350 --pairs '{SOME}' -o <out>
mutagenesis/deep: mutagenesis -r chr20:47227271-47227330 -m deep -o <out> --pairs
    'CTCF:K562;REST:K562'
explain/default: explain --pairs 'CTCF:K562;CEBPB:HepG2' -r <in/few.bed> -o <out>
    --plots 1
explain/deep: explain --tf CTCF --cell K562 -r chr20:47227201-47227500 -m deep -o <out>
    --min-contribution 0.1
enhancers/default: enhancers <in/elements.bed> --cell K562 -o <out> --activities
    <in/activities.tsv> --control-cells HepG2,GM12878,A549
enhancers/deep: enhancers <in/elements.bed> --cell HepG2 -m deep --mask-flanks --pca-input
    probability --format parquet --components 5 -o <out>
# What a model holds.
embeddings/default: embeddings --permutations 1000 -o <out>
embeddings/deep: embeddings -m deep --permutations 500 --neighbors 5 --seed 2 -o <out>
motifs/default: motifs -r chr20:47200001-47220000 -o <out>
selftest/default: selftest
info/models: info models
info/tfs: info tfs
info/cells: info cells -m deep
info/pairs-default: info pairs -m default
info/pairs-held-out: info pairs -m held-out
info/pairs-deep: info pairs -m deep
info/pairs-deep-held-out: info pairs -m deep-held-out
# Pages and figures of tracks.
viewers/tracks: scan -e none --pairs '{SOME}' -r chr20:48000001-48300000 -o <out>
    --no-cache
viewers/hub: hub <viewers/tracks>
viewers/report: report <viewers/tracks> -o <out>/report.html
viewers/hub-of-store: hub <impute/evidence> --out-dir <out> --color-by tf
plot/default: plot -e none --pairs '{SOME}' -o <out>/locus.svg
plot/specificity: plot -e none --pairs 'CTCF:K562;CEBPB:HepG2' --signal specificity -r
    chr20:48800001-48810000 -o <out>/locus.svg
plot/deep-evidence: plot --pairs '{MEASURED}' -m deep -e encode-hg19 --signal log-odds -r
    chr20:48800001-48830000 -o <out>/locus.svg
plot/tracks: plot <viewers/tracks> -r chr20:48100001-48200000 -o <out>/locus.svg
# Data sets, training and evaluation, on the bundled region cut into three chromosomes.
split/default: split <in/pairs.tsv> -o <out>/pairs.tsv --valid 2 --held-out 6 --seed 3
prepare/short: prepare -g <in/genome.fa> --pairs-table <in/pairs.tsv> --seq-len 60
    --candidate-sites <in/sites.bed> -o <out>/data.h5
prepare/split: prepare -g <in/genome.fa> --pairs-table <split/default>/pairs.tsv
    --candidate-sites <in/sites.bed> -o <out>/data.h5 --min-known 1 --blacklist
    <in/blacklist.bed>
prepare/wide: prepare -g <in/genome.fa> --pairs-table <in/pairs.tsv> --seq-len 920
    --candidate-sites <in/sites.bed> -o <out>/data.h5
prepare/shuffle: prepare -g <in/genome.fa> --pairs-table <in/pairs.tsv> --candidate-sites
    <in/sites.bed> --negatives shuffle --seed 5 -o <out>/data.h5
prepare/matched: prepare -g <in/genome.fa> --pairs-table <in/pairs.tsv> --negatives
    matched --top 40 --allow-unranked -o <out>/data.h5
prepare/ranked: prepare -g <in/genome.fa> --pairs-table <in/ranked.tsv> --seq-len 60
    --candidate-sites <in/sites.bed> --top 60 --alternate -o <out>/data.h5
train/default: train --data <prepare/short>/data.h5 -o <out> --network '{NETWORK}'
    --epochs 3
train/around: train --data <prepare/wide>/data.h5 -o <out> --epochs 1 --seed 2 --network
    '{NETWORK},context_tiles=2' --recipe 'dropout=0.2,masked_bases=30' --batch-size 64
train/deep: train --data <prepare/short>/data.h5 -o <out> --preset deep --network
    '{DEEP}' --epochs 1
train/gru: train --data <prepare/short>/data.h5 -o <out> --preset gru --network '{GRU}'
    --epochs 1
train/paper: train --data <prepare/short>/data.h5 -o <out> --preset paper --network
    '{NETWORK}' --epochs 1 --hold-out random
train/fold: train --data <prepare/ranked>/data.h5 -o <out> --network '{NETWORK}'
    --epochs 1 --hold-out alternating-peaks --init-from <train/default>/model.safetensors
evidence/build: evidence build --pairs-table <in/pairs.tsv> -g <in/genome.fa>
    --accessibility <in/accessibility.tsv> -o <out>/evidence.h5
evidence/build-region: evidence build --pairs-table <in/pairs.tsv> -g <in/genome.fa> -r
    chr20:100001-500000 --roles base,valid2 -o <out>/evidence.h5
evidence/build-trained: evidence build --pairs-table <in/pairs.tsv> -o <out>/evidence.h5
    -g <in/genome.fa> --accessibility <in/accessibility.tsv> -m
    <train/default>/model.safetensors
evidence/info: evidence info <evidence/build>/evidence.h5 --check --tf CTCF
evidence/info-shipped: evidence info encode-hg19 --check --cell K562
motifs/trained: motifs -m <train/default>/model.safetensors -r chr20:48000001-48200000
    -o <out>
evidence/train: evidence train --data <prepare/short>/data.h5 -o <out> --epochs 3
    --evidence <evidence/build-trained>/evidence.h5 -m <train/default>/model.safetensors
evidence/scan: scan --pairs 'CTCF:K562;REST:HepG2' -g <in/genome.fa> -o <out> -m
    <evidence/train>/model.safetensors -e <evidence/build-trained>/evidence.h5
    --no-cache
evaluate/default: evaluate --data <prepare/wide>/data.h5 -o <out> --bootstrap 50
    --permutations 2 -m held-out
evaluate/deep: evaluate --data <prepare/wide>/data.h5 -o <out> --bootstrap 20 --permutations
    1 -m deep-held-out --max-sites 200 --pair-set test3,base
evaluate/evidence: evaluate --data <prepare/wide>/data.h5 -o <out> --bootstrap 20
    --permutations 1 -m held-out -e <evidence/build>/evidence.h5
evaluate/trained: evaluate --data <prepare/short>/data.h5 -o <out> --bootstrap 50 -m
    <train/default>/model.safetensors --site-set valid --seed 4
evaluate/trained-evidence: evaluate --data <prepare/short>/data.h5 -o <out> -m
    <evidence/train>/model.safetensors -e <evidence/build-trained>/evidence.h5
    --bootstrap 50
evaluate/bins: evaluate --data <prepare/short>/data.h5 -o <out> --bootstrap 0 -m
    <train/default>/model.safetensors --permutations 0 --genome-bins 300,1000 -g <in/genome.fa>
    --pairs-table <in/pairs.tsv>
evaluate/default-bins: evaluate --data <prepare/wide>/data.h5 -o <out> --bootstrap 0
    --permutations 0 --genome-bins 500 -g <in/genome.fa> --pairs-table <in/pairs.tsv>
    --pair-set test3
compare/untrained: compare --data <prepare/wide>/data.h5 -o <out> -m held-out
    --predictors model,tf-mean,average-activity,motif --pair-set test3,valid2 --external
    calls=<in/calls.tsv>
compare/evidence: compare --data <prepare/wide>/data.h5 -o <out> -m deep-held-out -e
    <evidence/build>/evidence.h5 --predictors model,tf-mean --max-sites 200
compare/gkm-svm: compare --data <prepare/short>/data.h5 -o <out> -m
    <train/default>/model.safetensors --predictors gkm-svm --training-sequences 60
"""
# Only with --shared: the two SNPs of the paper.
SHARED_STEPS = """
variants/snps: variants <in/snps.tsv> -g <in/snps.fa> --pairs <in/snp-pairs.tsv> -o
    <out>
variants/snps-deep: variants <in/snps.tsv> -g <in/snps.fa> -m deep -o <out> --pairs
    <in/snp-pairs.tsv> --n-background 0
"""
# Verbs that print a result as JSON where asked; all do but these.
WITHOUT_JSON: frozenset[str] = frozenset()
THREADS = {"scan/two-threads": 2}  # of steps with more than one

# What is asked of the browser page of each model: neutral name -> address.
WINDOW = "chrom=chr20&start=48780000&end=48840000"
ADDRESSES = {
    **{
        f"{signal}/{pair}": f"api/signal?pair={pair}&signal={signal}&{WINDOW}"
        "&bp_per_pixel=10&how=max"
        for signal in ("probability", "log-odds", "specificity")
        for pair in ("CTCF:K562", "CEBPB:HepG2")
    },
    "zoomed": f"api/signal?pair=CTCF:K562&signal=probability&{WINDOW}"
    "&bp_per_pixel=500&summary=mean",
    "pair": "api/pair?pair=CTCF:K562",
    "peaks": f"api/peaks?pair=CTCF:K562&{WINDOW}",
    "variant": "api/variant?variant=chr20:48803955%20G%3EC"
    "&pair=CTCF:K562&pair=CEBPB:HepG2",
    "genes": f"api/genes?{WINDOW}",
}
BROWSE = {
    "browse/default": "browse -e none",
    "browse/deep-evidence": "browse -m deep -e encode-hg19",
}


class Interface:
    """What the recording takes of the Python interface, under names of its own."""

    def __init__(self) -> None:
        from tfimpute_tracks.genome import bundled_region, open_bundled
        from tfimpute_tracks.models import load_model
        from tfimpute_tracks.tracks import scan_region

        self.load_model = load_model
        self.scan_region = scan_region
        self.open_bundled = open_bundled
        self.bundled_region = bundled_region

    def weights(self, model: Any) -> dict[str, NDArray[Any]]:
        """Give a model's weights by name."""
        return dict(model.checkpoint.weights)

    def sizes(self, model: Any) -> dict[str, Any]:
        """Give the numbers of a model's network."""
        return dataclasses.asdict(model.config)

    def all_pairs(self, model: Any) -> list[Any]:
        """Give every pair of a model."""
        return list(model.vocabulary.all_pairs())

    def known_of(self, model: Any, pair: Any) -> dict[str, Any]:
        """Give what a model knows of a pair."""
        return {
            "reliability": model.status(pair),
            "expected_auroc": model.expected(pair),
            "interval": model.expected_interval(pair) or (None, None),
            "calibration": model.calibration(pair),
            "threshold": model.threshold(pair),
            "fdr": list(model.fdr_thresholds(pair).values()),
        }


# Pattern -> what stands for it in keys of a recording: for columns, JSON names, options
# and files that a changed tree calls otherwise. Applied to whole keys, in this order.
RENAMED: list[tuple[str, str]] = []

# Columns and JSON names that no two runs, or no two wordings, have in common: times,
# hosts, versions, paths, sizes of files.
UNSTEADY = re.compile(
    r"seconds(_.*)?|.*per_second|rate|created|started|updated|host|process|versions?"
    r"|(tool|format)[_-]version|.*memory.*|bytes_free|bytes_written|n_bytes|size|kib|file_mb|device"
    r"|folder|limit|libraries|machine|cpu|when|date"
)
UNREAD = re.compile(r"status(\..*)?\.json|\.lock|.*\.(log|lock)")

# ---------------------------------------------------------------------------- Recording


_NAME = re.compile(r"[\w.@-]+")


class Recording:
    """Numbers, names and sentences by key."""

    def __init__(self) -> None:
        self.numbers: dict[str, NDArray[Any]] = {}
        self.names: dict[str, Any] = {}
        self.wording: dict[str, str] = {}

    def number(self, key: str, value: Any) -> None:
        """Keep an array, or anything numpy makes one of."""
        self.numbers[_renamed(key)] = np.asarray(value)

    def text(self, key: str, value: str) -> None:
        """Keep a text: a name if it is one word, else a sentence."""
        value = scrubbed(value)
        if re.search(r"\s", value.strip()):
            self.wording[_renamed(key)] = value
        else:
            self.names[_renamed(key)] = value

    def column(self, key: str, values: list[Any]) -> None:
        """Keep a list of like things: numbers, texts, lists or records."""
        if all(isinstance(v, bool) for v in values) and values:
            self.number(key, np.array(values))
        elif all(isinstance(v, int) and not isinstance(v, bool) for v in values):
            self.number(key, np.array(values, dtype=np.int64))
        elif all(v is None or isinstance(v, int | float) for v in values):
            self.number(
                key, np.array([np.nan if v is None else v for v in values], float)
            )
        elif all(v is None or isinstance(v, str) for v in values):
            self.names[_renamed(key)] = [v and scrubbed(v) for v in values]
        elif all(isinstance(v, dict) for v in values):
            for name in dict.fromkeys(name for record in values for name in record):
                if not UNSTEADY.fullmatch(str(name)):
                    own = [record.get(name) for record in values]
                    self.column(f"{key}/{name}", own)
        elif all(isinstance(v, list | tuple) for v in values):
            self.number(f"{key}/lengths", [len(v) for v in values])
            self.column(f"{key}/*", [one for v in values for one in v])
        else:
            for place, value in enumerate(values):
                self.tree(f"{key}/{place}", value)

    def tree(self, key: str, value: Any) -> None:
        """Keep what JSON can hold."""
        if isinstance(value, dict) and not all(map(_NAME.fullmatch, map(str, value))):
            # Keys are pairs, or words that may change: what counts is their order.
            self.column(f"{key}/keys", list(map(str, value)))
            self.column(f"{key}/values", list(value.values()))
        elif isinstance(value, dict):
            for name, one in value.items():
                if not UNSTEADY.fullmatch(str(name)):
                    self.tree(f"{key}/{name}", one)
        elif isinstance(value, list | tuple):
            self.column(key, list(value))
        elif isinstance(value, str):
            self.text(key, value)
        else:
            self.number(key, np.nan if value is None else value)

    def table(self, key: str, columns: dict[str, list[str]]) -> None:
        """Keep columns of text: as numbers where every value is one."""
        for name, column in columns.items():
            if UNSTEADY.fullmatch(name):
                continue
            numbers = [_number(text) for text in column]
            if any(text.strip() for text in column) and None not in numbers:
                self.number(f"{key}/{name}", np.array(numbers, dtype=float))
            else:
                self.names[_renamed(f"{key}/{name}")] = [scrubbed(t) for t in column]

    def add(self, other: Recording) -> None:
        """Take over all of another recording."""
        self.numbers |= other.numbers
        self.names |= other.names
        self.wording |= other.wording

    def write(self, folder: Path) -> None:
        """Write numbers.npz and text.json."""
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            folder / "numbers.npz", **dict(sorted(self.numbers.items()))
        )
        text = {"names": self.names, "wording": self.wording}
        (folder / "text.json").write_text(json.dumps(text, indent=0, sort_keys=True))

    @classmethod
    def read(cls, folder: Path) -> Recording:
        """Read what `write` wrote."""
        recording = cls()
        with np.load(folder / "numbers.npz") as stored:
            recording.numbers = {key: stored[key] for key in stored.files}
        text = json.loads((folder / "text.json").read_text())
        recording.names, recording.wording = text["names"], text["wording"]
        return recording


def _renamed(key: str) -> str:
    for pattern, name in RENAMED:
        key = re.sub(pattern, name, key)
    return key


def _number(text: str) -> float | None:
    """Read a number; nothing is NaN, and what is not a number is None."""
    if not text.strip():
        return float("nan")
    try:
        return float(text)
    except ValueError:
        return None


_VARYING: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?"), "DATE"),
    (re.compile(r"\b\d[\d,.]* (s|min|h|MB|GB|Mb/s)\b"), r"N \1"),
    (re.compile(r"\b\d[\d,.]* (instances/s|Mb x pairs/s)"), r"N \1"),
    (re.compile(r"\b127\.0\.0\.1:\d+"), "ADDRESS"),
]


def forget(path: Path, name: str) -> None:
    """Write a path by a name in every text that is recorded from now on."""
    _VARYING.insert(0, (re.compile(re.escape(str(path))), name))


def scrubbed(text: str) -> str:
    """Take paths, dates and times out of a text."""
    for pattern, stand_in in _VARYING:
        text = pattern.sub(stand_in, text)
    return text


# ------------------------------------------------------------------------------ Readers


def read_file(recording: Recording, key: str, path: Path) -> None:
    """Record the contents of an output file by the end of its name."""
    ends = [end for end in READERS if path.name.endswith(end)]
    if ends:
        READERS[max(ends, key=len)](recording, key, path)
    else:
        recording.text(f"{key}/digest", _digest(path.read_bytes()))


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def read_bigwig(recording: Recording, key: str, path: Path) -> None:
    """Record chromosomes, all intervals, and what zoom levels hold."""
    import pyBigWig

    with pyBigWig.open(str(path)) as file:
        recording.tree(f"{key}/chroms", dict(file.chroms()))
        recording.number(f"{key}/zooms", file.header()["nLevels"])
        for chrom, size in file.chroms().items():
            rows = file.intervals(chrom) or ()
            start, end, value = zip(*rows, strict=True) if rows else ((), (), ())
            recording.number(f"{key}/{chrom}/start", np.array(start, dtype=np.int64))
            recording.number(f"{key}/{chrom}/end", np.array(end, dtype=np.int64))
            recording.number(f"{key}/{chrom}/value", np.array(value, dtype=np.float32))
            if not rows:
                continue
            for kind in ("mean", "max", "std"):
                found = file.stats(chrom, start[0], end[-1], type=kind, nBins=40)
                recording.column(f"{key}/{chrom}/zoomed-{kind}", found)
            recording.number(f"{key}/{chrom}/size", size)


def read_bigbed(recording: Recording, key: str, path: Path) -> None:
    """Record the entries of every chromosome, column by column."""
    import pyBigWig

    with pyBigWig.open(str(path)) as file:
        recording.text(f"{key}/sql", file.SQL().decode())
        for chrom, size in file.chroms().items():
            rows = file.entries(chrom, 0, size) or []
            recording.number(f"{key}/{chrom}/start", [row[0] for row in rows])
            recording.number(f"{key}/{chrom}/end", [row[1] for row in rows])
            fields = [row[2].split("\t") for row in rows]
            recording.table(f"{key}/{chrom}", _columns(fields))


def _columns(rows: list[list[str]]) -> dict[str, list[str]]:
    """Give columns by their place: column-1, column-2 ..."""
    columns = zip(*rows, strict=True)
    return {f"column-{i}": list(column) for i, column in enumerate(columns, 1)}


def read_bed(recording: Recording, key: str, path: Path) -> None:
    """Record a tab-separated file without a header, by the places of columns."""
    lines = path.read_text().splitlines()
    comments = [line for line in lines if line.startswith(("#", "track", "browser"))]
    rows = [line.split("\t") for line in lines if line and line not in comments]
    recording.text(f"{key}/comments", "\n".join(comments))
    recording.number(f"{key}/rows", len(rows))
    recording.table(key, _columns(rows))


def read_tsv(recording: Recording, key: str, path: Path) -> None:
    """Record a tab-separated file with a header."""
    lines = path.read_text().splitlines()
    comments = [line for line in lines if line.startswith("#")]
    header, *rows = csv.reader((x for x in lines if x[:1] != "#"), delimiter="\t")
    recording.text(f"{key}/comments", "\n".join(comments))
    recording.number(f"{key}/rows", len(rows))
    columns = zip(*rows, strict=True) if rows else ([] for _ in header)
    recording.table(key, {n: list(c) for n, c in zip(header, columns, strict=True)})


def read_vcf(recording: Recording, key: str, path: Path) -> None:
    """Record the lines of a VCF, and every number of what stands in INFO."""
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    recording.text(f"{key}/header", "\n".join(x for x in lines if x.startswith("#")))
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    recording.table(key, _columns(rows))
    recording.number(f"{key}/numbers", _numbers(" ".join(row[7] for row in rows)))


def _numbers(text: str) -> NDArray[Any]:
    """Give every number that stands alone in a text, in its order."""
    found = re.findall(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])", text)
    return np.array([float(text) for text in found])


def read_json(recording: Recording, key: str, path: Path) -> None:
    """Record a JSON file."""
    recording.tree(key, json.loads(path.read_text()))


def read_json_lines(recording: Recording, key: str, path: Path) -> None:
    """Record JSON records, one a line."""
    recording.column(key, [json.loads(line) for line in path.read_text().splitlines()])


def read_parquet(recording: Recording, key: str, path: Path) -> None:
    """Record the columns of a Parquet file, of the types that they have."""
    import pandas as pd

    for name, column in pd.read_parquet(path).items():
        if column.dtype.kind in "fiub":
            recording.number(f"{key}/{name}", column.to_numpy())
        else:
            recording.names[_renamed(f"{key}/{name}")] = [str(x) for x in column]


_WHOLE = 100_000  # numbers of a tensor


def read_weights(recording: Recording, key: str, path: Path) -> None:
    """Record every tensor of a safetensors file, of the largest the digest only."""
    from safetensors.numpy import load_file

    for name, tensor in load_file(path).items():
        if tensor.size <= _WHOLE:
            recording.number(f"{key}/{name}", tensor)
        else:
            digest = hashlib.sha256(tensor.tobytes()).digest()
            recording.number(f"{key}/{name}/sha256", np.frombuffer(digest, np.uint8))


def read_hdf5(recording: Recording, key: str, path: Path) -> None:
    """Record every data set and attribute of an HDF5 file."""
    import h5py
    import hdf5plugin  # noqa: F401  # the codec of bulk stores

    def read(name: str, value: Any) -> None:
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
            recording.number(f"{key}/{name}", value)
        elif isinstance(value, np.ndarray):
            texts = [x.decode() if isinstance(x, bytes) else str(x) for x in value.flat]
            recording.names[_renamed(f"{key}/{name}")] = [scrubbed(x) for x in texts]
        elif str(value).startswith("{"):
            recording.tree(f"{key}/{name}", json.loads(str(value)))
        else:
            recording.text(f"{key}/{name}", str(value))

    def visit(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset):
            read(name, np.asarray(node[()]))
        for attribute, value in node.attrs.items():
            if not UNSTEADY.fullmatch(attribute):
                read(f"{name}@{attribute}", value)

    with h5py.File(path) as file:
        visit("", file)
        file.visititems(visit)


def read_text(recording: Recording, key: str, path: Path) -> None:
    """Record a text as it stands."""
    recording.text(key, path.read_text())


def read_matrices(recording: Recording, key: str, path: Path) -> None:
    """Record a text and every number in it."""
    text = path.read_text()
    recording.text(key, text)
    recording.number(f"{key}/numbers", _numbers(text))


def read_html(recording: Recording, key: str, path: Path) -> None:
    """Record what is read on a page, and the numbers of its tables."""
    page = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", path.read_text())
    cells = re.findall(r"(?s)<td[^>]*>(.*?)</td>", page)
    found = [html.unescape(re.sub(r"<[^>]*>", "", cell)).strip() for cell in cells]
    numbers = [
        text.replace(",", "").replace("\u2212", "-").rstrip("%") for text in found
    ]
    found = [number for text in numbers if (number := _number(text)) is not None]
    recording.number(f"{key}/cells", np.array(found))
    words = html.unescape(re.sub(r"<[^>]*>", "\n", page))
    recording.text(key, "\n".join(x.strip() for x in words.splitlines() if x.strip()))


def read_figure(recording: Recording, key: str, path: Path) -> None:
    """Record a figure by its digest, among names: a word in it may change."""
    recording.text(f"{key}/digest", _digest(path.read_bytes()))


READERS: dict[str, Callable[[Recording, str, Path], None]] = {
    ".bw": read_bigwig,
    ".bb": read_bigbed,
    ".bed": read_bed,
    ".narrowPeak": read_bed,
    ".bedGraph": read_bed,
    ".tsv": read_tsv,
    ".vcf.gz": read_vcf,
    ".json": read_json,
    ".jsonl": read_json_lines,
    ".parquet": read_parquet,
    ".safetensors": read_weights,
    ".h5": read_hdf5,
    ".meme": read_matrices,
    ".jaspar": read_matrices,
    ".html": read_html,
    ".txt": read_text,
    ".xml": read_text,
    ".svg": read_figure,
    ".png": read_figure,
}


def read_folder(step: str, folder: Path) -> Recording:
    """Record all that a step left in its folder."""
    recording = Recording()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    kept = [path for path in files if not UNREAD.fullmatch(path.name)]
    names = [path.relative_to(folder).as_posix() for path in kept]
    recording.names[_renamed(f"{step}/files")] = names
    for path, name in zip(kept, names, strict=True):
        read_file(recording, f"{step}/{name}", path)
    return recording


# ------------------------------------------------------------------------------- Inputs

PIECES = {  # of the bundled region, taken for chromosomes of a small genome
    "chr1": (0, 1_500_000),
    "chr20": (1_500_000, 2_300_000),
    "chr22": (2_300_000, 3_000_000),
}
GAP = (700_000, 703_000)  # of chr1, unknown
LOWER = (20_000, 60_000)  # of each piece, written in lower case
TFS = ("CTCF", "EP300", "MAX", "RAD21", "REST")
CELLS = ("GM12878", "H1-hESC", "HepG2", "K562")
ROLES = {
    3: "valid2",
    8: "valid2",
    13: "valid2",
    5: "test3",
    14: "test3",
    18: "test3",
}  # else base


class Region(NamedTuple):
    """What ships: sequence, its position, and the peaks of measured pairs there."""

    sequence: str
    chrom: str
    start: int
    peaks: dict[tuple[str, str], NDArray[np.int64]]  # (TF, cell) -> (n, 2), from 0


def package_folder() -> Path:
    """Find the tree that is recorded, without running any of it."""
    spec = importlib.util.find_spec("tfimpute_tracks")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("no package tfimpute_tracks; set PYTHONPATH")
    return Path(spec.submodule_search_locations[0])


def bundled_region() -> Region:
    """Read the sequence that ships, and the peaks of the shipped evidence in it."""
    package = package_folder()
    (fasta,) = package.glob("genome/data/*.fa.gz")
    head, *lines = gzip.decompress(fasta.read_bytes()).decode().split("\n")
    chrom, first = re.findall(r"(\w+):(\d+)-", head)[0]
    start = int(first) - 1
    sequence = "".join(lines)
    return Region(sequence, chrom, start, _shipped_peaks(chrom, start, len(sequence)))


def _shipped_peaks(
    chrom: str, offset: int, length: int
) -> dict[tuple[str, str], NDArray[np.int64]]:
    from tfimpute_tracks.evidence import open_shipped

    store = open_shipped()
    peaks = store.peaks(chrom)
    ends = np.stack([peaks.start, peaks.end], axis=1).astype(np.int64) - offset
    inside = (ends[:, 1] > 0) & (ends[:, 0] < length)
    ends, track = ends[inside], peaks.track[inside]
    return {tuple(t.pair): ends[track == i] for i, t in enumerate(store.tracks)}


def make_inputs(folder: Path, shared: Path | None) -> None:
    """Write every input of the steps; the same files for the same package."""
    folder.mkdir(parents=True)
    region = bundled_region()
    sites = _merged(
        np.concatenate(
            [v for (tf, _), v in region.peaks.items() if tf == "accessibility"]
        )
    )
    centers = sites.mean(axis=1).astype(np.int64)
    _write_genome(folder, region)
    _write_peaks(folder, region)
    _write_rows(
        folder / "sites.bed", _in_pieces(np.stack([centers - 100, centers + 100], 1))
    )
    _write_rows(folder / "blacklist.bed", [("chr1", 300_000, 400_000)])
    _write_elements(folder, region, centers)
    _write_variants(folder, region, centers)
    if shared is not None:
        _write_snps(folder, shared)


def _merged(intervals: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join intervals that overlap or touch."""
    joined: list[list[int]] = []
    for start, end in sorted(intervals.tolist()):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    return np.array(joined)


def _in_pieces(intervals: NDArray[np.int64]) -> list[tuple[str, int, int]]:
    """Give intervals that lie in a piece of the region, by the piece's coordinates."""
    return [
        (chrom, start - first, end - first)
        for chrom, (first, last) in PIECES.items()
        for start, end in intervals.tolist()
        if first <= start and end <= last
    ]


def _write_rows(path: Path, rows: Iterable[Iterable[Any]]) -> None:
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))


def _write_fasta(path: Path, sequences: dict[str, str]) -> None:
    with path.open("w") as file:
        for name, text in sequences.items():
            lines = (text[i : i + 60] for i in range(0, len(text), 60))
            file.write("\n".join([f">{name}", *lines, ""]))


def _write_genome(folder: Path, region: Region) -> None:
    sequences = {}
    for chrom, (first, last) in PIECES.items():
        text = region.sequence[first:last]
        a, b = LOWER
        sequences[chrom] = text[:a] + text[a:b].lower() + text[b:]
    a, b = GAP
    text = sequences["chr1"]
    sequences["chr1"] = text[:a] + "N" * (b - a) + text[b:]
    _write_fasta(folder / "genome.fa", sequences)


def _write_peaks(folder: Path, region: Region) -> None:
    """Write peaks of 20 measured pairs, and tables of them."""
    pairs, ranked, calls = ([("tf", "cell", "role", "bed")] for _ in range(3))
    calls = [("tf", "cell", "file")]
    for number, (tf, cell) in enumerate((tf, cell) for tf in TFS for cell in CELLS):
        role, stem = ROLES.get(number, "base"), f"{tf}.{cell}"
        rows = _in_pieces(region.peaks[tf, cell])
        _write_rows(folder / f"{stem}.bed", rows)
        # No signals ship: made up, all different.
        strengths = [round(1 + (i * 37 % 101) + i / 1000, 3) for i in range(len(rows))]
        _write_rows(
            folder / f"{stem}.narrowPeak",
            (
                (*row, ".", 0, ".", signal, -1, signal / 2, (row[2] - row[1]) // 2)
                for row, signal in zip(rows, strengths, strict=True)
            ),
        )
        pairs.append((tf, cell, role, f"{stem}.bed"))
        ranked.append((tf, cell, role, f"{stem}.narrowPeak"))
        calls.append((tf, cell, f"{tf}.{CELLS[0]}.bed"))
    _write_rows(folder / "pairs.tsv", pairs)
    _write_rows(folder / "ranked.tsv", ranked)
    _write_rows(folder / "calls.tsv", calls)
    accessible = [("cell", "bed")]
    for (tf, cell), peaks in region.peaks.items():
        if tf == "accessibility":
            _write_rows(folder / f"{cell}.open.bed", _in_pieces(peaks))
            accessible.append((cell, f"{cell}.open.bed"))
    _write_rows(folder / "accessibility.tsv", accessible)


def _write_elements(folder: Path, region: Region, centers: NDArray[np.int64]) -> None:
    """Write elements, an activity of each, and a few places to explain."""
    chosen = centers[20::17][:72]
    rows = [
        (region.chrom, region.start + c - 110, region.start + c + 110, f"e{i}")
        for i, c in enumerate(chosen.tolist())
    ]
    _write_rows(folder / "elements.bed", rows)
    _write_rows(folder / "few.bed", [row[:3] for row in rows[:6]])
    every = np.concatenate(list(region.peaks.values()))
    over = [int(((every[:, 0] < c) & (every[:, 1] > c)).sum()) for c in chosen]
    values = [(f"e{i}", n + i * 7 % 11 / 10) for i, n in enumerate(over)]
    _write_rows(folder / "activities.tsv", [("name", "activity"), *values])


def _write_variants(folder: Path, region: Region, centers: NDArray[np.int64]) -> None:
    """Write substitutions, insertions, deletions, and references that are wrong."""
    rows: list[tuple[str, int, str, str, str]] = []
    for i, centre in enumerate(centers[40::90].tolist()):
        place = centre + i % 5 * 7 - 14
        ref = region.sequence[place]
        other = "ACGT"["ACGT".index(ref) - 1 - i % 3]
        kinds = [(ref, other)] * 5
        kinds += [(ref, ref + "ACGTAC"), (region.sequence[place : place + 4], ref)]
        kinds += [(other, ref)]
        rows.append((region.chrom, region.start + place + 1, *kinds[i % 8], f"v{i}"))
    _write_rows(folder / "variants.tsv", [("chrom", "pos", "ref", "alt", "id"), *rows])
    lines = ["##fileformat=VCFv4.2", f"##contig=<ID={region.chrom},length=63025520>"]
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    for chrom, pos, ref, alt, name in rows:
        more = f",{alt}A" if len(ref) == 1 else ""
        lines.append(f"{chrom}\t{pos}\t{name}\t{ref}\t{alt}{more}\t.\t.\t.")
    (folder / "variants.vcf").write_text("\n".join([*lines, ""]))


def _write_snps(folder: Path, shared: Path) -> None:
    """Write the two SNPs of the paper, with their flanks as a genome."""
    with (shared / "data" / "eval" / "snps" / "flanks.tsv").open() as file:
        flanks = list(csv.DictReader(file, delimiter="\t"))
    _write_fasta(folder / "snps.fa", {x["rsid"]: x["seq_with_ref"] for x in flanks})
    rows = [
        (
            x["rsid"],
            int(x["pos_1based"]) - int(x["window_start_1based"]) + 1,
            x["ref"],
            x["alt"],
        )
        for x in flanks
    ]
    _write_rows(folder / "snps.tsv", [("chrom", "pos", "ref", "alt"), *rows])
    pairs = [
        (tf, cell)
        for tf in ("CEBPB", "CEBPD", "FOXA1", "FOXA2", *TFS)
        for cell in ("HepG2", "MCF-7")
    ]
    _write_rows(folder / "snp-pairs.tsv", [("tf", "cell"), *pairs])


# ------------------------------------------------------------------------------ Running


def read_steps(table: str) -> dict[str, str]:
    """Read a table of steps: what is typed, by name."""
    rows = [line for line in table.splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\n +", " ", "\n".join(rows))
    return dict(row.split(": ", 1) for row in joined.splitlines())


class Runner:
    """Runs steps in a folder, each after those whose output it reads.

    Parameters
    ----------
    work : Path
        Inputs lie in `work/in`, what a step NAME makes in `work/NAME`.
    """

    def __init__(self, work: Path) -> None:
        self.work = work
        self.failed: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self._done: dict[str, Future[Recording]] = {}

    def run(self, jobs: dict[str, Callable[[], Recording]], n_workers: int) -> None:
        """Run jobs, those first that stand first; a job may `wait` for earlier ones."""
        with ThreadPoolExecutor(n_workers) as pool:
            for name, job in jobs.items():
                self._done[name] = pool.submit(self._timed, name, job)

    def results(self) -> Iterator[tuple[str, Recording]]:
        """Give what each job that came to its end has recorded."""
        for name, future in self._done.items():
            if future.exception() is None:
                yield name, future.result()
            else:
                self.failed[name] = str(future.exception())

    def _timed(self, name: str, job: Callable[[], Recording]) -> Recording:
        began = time.monotonic()
        try:
            return job()
        finally:
            self.seconds[name] = time.monotonic() - began
            log(f"{self.seconds[name]:6.1f} s  {name}")

    def step(self, name: str, typed: str) -> Recording:
        """Run a command, and record what it printed; its files are read at the end."""
        out = self.work / name
        out.mkdir(parents=True, exist_ok=True)
        words = [self._filled(name, word) for word in shlex.split(typed)]
        if words[0] not in WITHOUT_JSON:
            words.append("--json")
        done = subprocess.run(
            product("-q", *words),
            env=environment(self.work, THREADS.get(name, 1)),
            cwd=self.work,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise RuntimeError(f"exit {done.returncode}: {done.stderr.strip()[-600:]}")
        recording = Recording()
        recording.text(f"{name}/stderr", done.stderr)
        record_stdout(recording, f"{name}/stdout", done.stdout)
        return recording

    def script(self, name: str, *words: str) -> Recording:
        """Run this script itself, in a process of its own with the same environment."""
        out = self.work / name
        out.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, str(Path(__file__).resolve()), *words, str(out)]
        done = subprocess.run(
            command,
            env=environment(self.work, 1),
            cwd=self.work,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"exit {done.returncode}: {done.stderr.strip()[-600:]}")
        own = Recording.read(out)
        for file in ("numbers.npz", "text.json"):
            (out / file).unlink()
        return own

    def _filled(self, name: str, word: str) -> str:
        """Put folders for what stands in angle brackets, and wait for their steps."""

        def path(match: re.Match[str]) -> str:
            found = match[1]
            if found == "out":
                found = name
            elif not found.startswith("in/"):
                self.wait(found)
            return str(self.work / found)

        return re.sub(r"<([^<>]+)>", path, word)

    def wait(self, name: str) -> None:
        """Wait for the end of an earlier job; fail where it failed."""
        error = self._done[name].exception()
        if error is not None:
            raise RuntimeError(f"{name} failed")


def say(text: str) -> None:
    """Write a line of result."""
    sys.stdout.write(text + "\n")


def log(text: str) -> None:
    """Write a line of log."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def product(*words: str) -> list[str]:
    """Give the command line of the product."""
    return [sys.executable, "-m", "tfimpute_tracks", *words]


def environment(work: Path, threads: int) -> dict[str, str]:
    """Give an environment that says all that results could depend on."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("TFIMPUTE")}
    paths = own.get("PYTHONPATH", "").split(os.pathsep)
    own["PYTHONPATH"] = os.pathsep.join(str(Path(p).absolute()) for p in paths if p)
    for name in ("NUMBA", "OMP", "MKL", "OPENBLAS"):
        own[f"{name}_NUM_THREADS"] = str(threads)
    return own | {
        "CUDA_VISIBLE_DEVICES": "",
        "MPLBACKEND": "agg",
        "NO_COLOR": "1",
        "COLUMNS": "100",
        "XDG_CACHE_HOME": str(work / "cache"),
    }


def record_stdout(recording: Recording, key: str, text: str) -> None:
    """Record what a command printed: JSON as numbers, the rest as sentences."""
    if text.lstrip()[:1] in {"{", "["}:
        value, end = json.JSONDecoder().raw_decode(text.lstrip())
        recording.tree(key, value)
        text = text.lstrip()[end:]
    recording.text(f"{key}/text", text)


def browse(runner: Runner, name: str, typed: str) -> Recording:
    """Record what the browser page's server answers."""
    recording = Recording()
    server = subprocess.Popen(
        product("-q", *shlex.split(typed), "--port", "0", "--no-cache"),
        env=environment(runner.work, 1),
        cwd=runner.work,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    limit = threading.Timer(300, server.kill)
    limit.start()
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        for what, asked in ADDRESSES.items():
            with urllib.request.urlopen(f"{address}{asked}", timeout=120) as answer:
                _record_answer(recording, f"{name}/{what}", answer)
    finally:
        limit.cancel()
        server.terminate()
        server.wait()
    return recording


def _record_answer(recording: Recording, key: str, answer: Any) -> None:
    content = answer.read()
    if "json" in answer.headers["content-type"]:
        recording.tree(key, json.loads(content))
        return
    for name, header in (("x-start", "x-start"), ("x-width", "x-step")):
        recording.number(f"{key}/{name}", float(answer.headers[header]))
    recording.number(f"{key}/values", np.frombuffer(content, dtype="<f4"))


# --------------------------------------------------------------------- Python interface


def record_interface(name: str, folder: Path) -> None:
    """Record what the Python interface gives of one shipped model."""
    python, recording = Interface(), Recording()
    region = bundled_region()
    model = python.load_model(name)
    key = f"python/{name}"
    recording.tree(f"{key}/network", python.sizes(model))
    for part, array in python.weights(model).items():
        recording.number(f"{key}/weights/{part}", array)
    for words, pairs in (("some", SOME.split(";")), ("measured", MEASURED.split(";"))):
        texts = _sequences(region.sequence, model.config.seq_len)
        recording.number(f"{key}/predict/{words}", model.predict(texts, pairs))
    every = python.all_pairs(model)
    recording.names[f"{key}/pairs"] = [str(pair) for pair in every]
    sequences = _sequences(region.sequence, model.config.seq_len)[:3]
    recording.number(f"{key}/predict/every", model.predict(sequences, every))
    _record_scans(recording, python, key, model, 1)
    going_by = python.load_model(name, "encode-hg19")
    _record_scans(recording, python, f"{key}/evidence", going_by, 6)
    for at, one in ((key, model), (f"{key}/evidence", going_by)):
        found = [python.known_of(one, pair) for pair in every[::7]]
        recording.column(f"{at}/known", found)
    recording.write(folder)


def _sequences(sequence: str, length: int) -> list[str]:
    """Give sequences of one length, a few with unknown or lower-case bases."""
    found = [sequence[i : i + length] for i in range(5_000, 2_900_000, 60_013)]
    found[1] = "N" * (length // 3) + found[1][length // 3 :]
    found[2] = found[2].lower()
    found[3] = found[3][: length // 2] + "N" * (length - length // 2)
    return found


def _record_scans(
    recording: Recording, python: Interface, key: str, model: Any, less: int
) -> None:
    """Record unrounded scores: of some pairs along the region, of all at a place."""
    chrom, start, end = python.bundled_region()
    middle = (start + end) // 2
    every = python.all_pairs(model)
    with python.open_bundled() as genome:
        for what, a, b, pairs in (
            ("some", start, start + (end - start) // less, SOME.split(";")),
            ("every", middle, middle + 6_000 // less, every),
        ):
            tiles, scores = python.scan_region(model, genome, chrom, a, b, pairs)
            recording.number(f"{key}/scan/{what}/start", tiles)
            recording.number(f"{key}/scan/{what}/score", scores)


# --------------------------------------------------------------------------- Comparison


class Difference(NamedTuple):
    """One key of two recordings."""

    key: str
    state: str  # equal, differs, missing, added
    how: str = ""


def compare_numbers(
    before: dict[str, NDArray[Any]], after: dict[str, NDArray[Any]]
) -> list[Difference]:
    """Compare arrays bit for bit."""
    found = []
    for key in sorted(before.keys() | after.keys()):
        if key not in after:
            found.append(Difference(key, "missing"))
        elif key not in before:
            found.append(Difference(key, "added"))
        else:
            found.append(_compare_arrays(key, before[key], after[key]))
    return found


def _compare_arrays(key: str, a: NDArray[Any], b: NDArray[Any]) -> Difference:
    if a.shape != b.shape:
        return Difference(key, "differs", f"shape {a.shape}, {b.shape}")
    if a.dtype != b.dtype:
        return Difference(
            key, "differs", f"type {a.dtype}, {b.dtype}; {_largest(a, b)}"
        )
    if a.tobytes() == b.tobytes():
        return Difference(key, "equal")
    return Difference(key, "differs", _largest(a, b))


def _largest(a: NDArray[Any], b: NDArray[Any]) -> str:
    """Say how far two arrays of a shape are apart."""
    x, y = a.astype(float), b.astype(float)
    holes = int((np.isnan(x) != np.isnan(y)).sum())
    with np.errstate(invalid="ignore"):
        apart = np.where((x == y) | np.isnan(x) | np.isnan(y), 0, np.abs(x - y))
    largest = float(apart.max(initial=0))
    n = int((apart > 0).sum())
    found = f"max abs difference {largest:.3g}, {n:,} of {a.size:,} values"
    return found + (f", {holes:,} with a value in one only" if holes else "")


def compare_texts(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """Compare names or sentences."""
    found = []
    for key in sorted(before.keys() | after.keys()):
        if key not in after:
            found.append(Difference(key, "missing"))
        elif key not in before:
            found.append(Difference(key, "added"))
        elif before[key] == after[key]:
            found.append(Difference(key, "equal"))
        else:
            found.append(
                Difference(key, "differs", _first_other(before[key], after[key]))
            )
    return found


def _first_other(a: Any, b: Any) -> str:
    """Show where two texts, or two lists of names, part."""
    ours, theirs = (x.splitlines() if isinstance(x, str) else x for x in (a, b))
    pairs = zip(ours, theirs, strict=False)
    first = next(((x, y) for x, y in pairs if x != y), (len(ours), len(theirs)))
    return " | ".join(str(one)[:90] for one in first)


def compare(before: Path, after: Path, show_equal: bool) -> int:
    """Print how two recordings differ; give 1 if a number does or is missing."""
    a, b = Recording.read(before), Recording.read(after)
    numbers = compare_numbers(a.numbers, b.numbers)
    _print_differences("numbers", numbers, show_equal)
    for what, ours, theirs in (
        ("names (not failing)", a.names, b.names),
        ("wording differences (not failing)", a.wording, b.wording),
    ):
        _print_differences(what, compare_texts(ours, theirs), show_equal)
    wrong = [one for one in numbers if one.state in {"differs", "missing"}]
    values = sum(array.size for array in a.numbers.values())
    verdict = (
        f"{len(wrong):,} differ or are missing" if wrong else "all equal, bit for bit"
    )
    say(f"== {len(a.numbers):,} arrays of {values:,} numbers: {verdict}")
    return 1 if wrong else 0


def _print_differences(what: str, found: list[Difference], show_equal: bool) -> None:
    counts = {
        s: sum(one.state == s for one in found)
        for s in ("equal", "differs", "missing", "added")
    }
    say(f"== {what}: " + ", ".join(f"{n:,} {state}" for state, n in counts.items()))
    for one in found:
        if show_equal or one.state != "equal":
            say(f"{one.state:8s} {one.key}  {one.how}".rstrip())


# --------------------------------------------------------------------------------- Main


def record(folder: Path, shared: Path | None, n_jobs: int, only: str) -> int:
    """Run all steps and write the recording; give 1 if one failed."""
    work = folder / "work"
    if work.exists():
        shutil.rmtree(work)
    log(f"recording {package_folder().resolve()}")
    make_inputs(work / "in", shared)
    forget(work, "WORK")
    runner = Runner(work)
    steps = read_steps(STEPS + (SHARED_STEPS if shared else ""))
    jobs: dict[str, Callable[[], Recording]] = {
        f"python/{name}": lambda name=name: runner.script(
            f"python/{name}", "interface", name
        )
        for name in MODELS
    }
    jobs |= {n: lambda n=n, t=t: runner.step(n, t) for n, t in steps.items()}
    jobs |= {n: lambda n=n, t=t: browse(runner, n, t) for n, t in BROWSE.items()}
    jobs = {name: job for name, job in jobs.items() if re.search(only, name)}
    began = time.monotonic()
    runner.run(jobs, n_jobs)
    recording = read_folder("inputs", work / "in")
    for name, own in runner.results():
        recording.add(own)
        if (work / name).is_dir():
            recording.add(read_folder(name, work / name))
    recording.write(folder)
    for name, why in runner.failed.items():
        log(f"FAILED {name}: {why}")
    values = sum(array.size for array in recording.numbers.values())
    say(
        f"{len(jobs) - len(runner.failed)} of {len(jobs)} steps, "
        f"{len(recording.numbers):,} arrays of {values:,} numbers, "
        f"{time.monotonic() - began:.0f} s, {_cpu_seconds():.0f} s of CPU time"
    )
    return 1 if runner.failed else 0


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    made = verbs.add_parser("record", help="run every step, write a recording")
    made.add_argument("folder", type=Path)
    made.add_argument("--shared", type=Path, help="folder with data/eval/snps")
    made.add_argument(
        "--jobs", type=int, default=2, help="steps at a time, one core each"
    )
    made.add_argument("--only", default="", help="steps whose name has this pattern")
    compared = verbs.add_parser("compare", help="compare two recordings")
    compared.add_argument("before", type=Path)
    compared.add_argument("after", type=Path)
    compared.add_argument("--all", action="store_true", help="show what is equal, too")
    inner = verbs.add_parser("interface", help="one process of `record`")
    inner.add_argument("model")
    inner.add_argument("folder", type=Path)
    args = parser.parse_args()
    if args.verb == "compare":
        return compare(args.before, args.after, args.all)
    if args.verb == "interface":
        with contextlib.redirect_stdout(sys.stderr):
            record_interface(args.model, args.folder)
        return 0
    return record(args.folder.absolute(), args.shared, args.jobs, args.only)


if __name__ == "__main__":
    sys.exit(main())
