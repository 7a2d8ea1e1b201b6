"""What a tree calls things: all that changes with a tree that is recorded.

Verbs and options (STEPS), the addresses of the browser page (ADDRESSES), the Python
interface (`Interface`), and what was renamed in the outputs (RENAMED).
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from numpy.typing import NDArray

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
