"""Options that several verbs share, so that a flag means the same everywhere.

Only types and help texts. The values are checked in ``api/inputs.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = [
    "Assembly",
    "BinSize",
    "CacheDir",
    "CacheLimit",
    "Cell",
    "CellAccessibility",
    "CellName",
    "Chroms",
    "ColorBy",
    "Data",
    "Device",
    "DryRun",
    "Evidence",
    "Fasta",
    "Formats",
    "Genes",
    "HoldOutScheme",
    "Json",
    "MaxZooms",
    "MinContig",
    "ModelName",
    "NoCache",
    "OutDir",
    "Overwrite",
    "Pairs",
    "Precision",
    "RegionGenes",
    "Regions",
    "Seed",
    "Signal",
    "StoreDir",
    "Stride",
    "TestChroms",
    "Tf",
    "Threads",
    "Threshold",
    "TrackDir",
    "ValidChroms",
    "Yes",
]

# The accuracy is that of the cards of held-out and deep-held-out; a test compares them.
_MODELS = (
    "default, AUROC of held-out pairs 0.887 from sequence and 0.982 with evidence; deep, "
    "0.898 and 0.982, takes 5 x as long: for variants, and where there is no evidence; "
    "held-out and deep-held-out, the same without these pairs in training, to check that"
)

ModelName = Annotated[
    str,
    typer.Option(
        "-m",
        "--model",
        help=f"Model: {_MODELS}; or a .safetensors file.",
    ),
]
Evidence = Annotated[
    str,
    typer.Option(
        "-e",
        "--evidence",
        help="Measured peaks that predictions also use. auto: those that come with the "
        "package, encode-hg19, if the genome is theirs. none: sequence only. Or a file "
        "from `tfimpute-tracks evidence build`. A pair's own peaks are never used for "
        "its own prediction.",
    ),
]
Fasta = Annotated[
    Path | None,
    typer.Option(
        "-g",
        "--fasta",
        help="Genome: a FASTA file, plain, bgzip or gzip, or a .2bit file. Default: the "
        "bundled example region, 3 Mb of hg19 chr20.",
    ),
]
Assembly = Annotated[
    str | None,
    typer.Option(
        "--assembly",
        help="Name of the assembly, such as hg38. Default: hg19, hg38, hs1, mm10, mm39 "
        "and the model's own are recognized by their chromosome lengths.",
    ),
]
Regions = Annotated[
    list[str] | None,
    typer.Option(
        "-r",
        "--region",
        help="Region: chr:start-end (1-based, inclusive), a BED file, or a gene (with "
        "5 kb on either side). Repeatable.",
    ),
]
Chroms = Annotated[
    list[str] | None,
    typer.Option(
        "--chroms",
        help="Whole chromosomes: names, such as --chroms chr20 chr21; patterns, such as "
        "'chr?'; or primary: those with a number, X, Y and their like.",
    ),
]
MinContig = Annotated[
    int,
    typer.Option(
        "--min-contig",
        min=0,
        help="Omit contigs that are shorter, in bp, and not named.",
    ),
]
RegionGenes = Annotated[
    Path | None,
    typer.Option(
        "--genes",
        help="Genes that a region may name: GTF, GFF3 or BED. Default: the genes of the "
        "bundled example region.",
    ),
]
Genes = Annotated[
    Path | None,
    typer.Option(
        "--genes",
        help="Gene annotation to show: GTF, GFF3 or BED. Default: the genes of the "
        "bundled example region, if that is shown.",
    ),
]
Tf = Annotated[
    str | None, typer.Option("--tf", help="Transcription factor, such as CTCF.")
]
Cell = Annotated[str | None, typer.Option("--cell", help="Cell line, such as K562.")]
CellAccessibility = Annotated[
    Path | None,
    typer.Option(
        "--cell-accessibility",
        help="ATAC-seq or DNase-seq peaks (BED, narrowPeak) of a cell type that the model "
        "does not know: it is added for this run, as --cell-name.",
    ),
]
CellName = Annotated[
    str | None,
    typer.Option("--cell-name", help="Name of the cell type of --cell-accessibility."),
]
Pairs = Annotated[
    str | None,
    typer.Option(
        "--pairs",
        help='Several pairs: "CTCF:K562;MAX:HepG2", or a table with the columns tf and '
        "cell.",
    ),
]
OutDir = Annotated[
    Path, typer.Option("-o", "--out-dir", help="Output folder; created if missing.")
]
StoreDir = Annotated[
    Path, typer.Argument(help="Store that `tfimpute-tracks impute` wrote.")
]
TrackDir = Annotated[
    Path, typer.Argument(help="Folder of tracks that `scan` or `export` wrote.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**63 - 1, help="Random seed.")]
Stride = Annotated[
    int | None,
    typer.Option(
        "--stride",
        min=1,
        max=1_000_000_000,
        help="Distance between tile starts, in bp. Default: the model's stride.",
    ),
]
Signal = Annotated[
    Literal["probability", "score", "log-odds", "specificity"],
    typer.Option(
        "--signal",
        help="Values of the signal track. probability: fraction of open-chromatin "
        "sites with the same score that are bound. score: the network's own output, "
        "which is no such fraction. log-odds: of the probability. specificity: "
        "probability minus the TF's mean over cell lines. Peaks are called on the "
        "probability, and written only with that signal.",
    ),
]
BinSize = Annotated[
    int | None,
    typer.Option(
        "--bin-size",
        min=1,
        help="Bin size in bp, a multiple of the stride; its value is the mean of its "
        "tiles. Default: the stride.",
    ),
]
MaxZooms = Annotated[
    int,
    typer.Option(
        "--max-zooms",
        min=0,
        max=10,
        help="Maximum number of zoom levels of a bigWig. 0 makes smaller files that "
        "browsers draw slowly, or not at all, when zoomed out.",
    ),
]
Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        help="bigwig, bedgraph, parquet: signal. bed (narrowPeak), bigbed: peaks. "
        "Repeatable, or comma-separated. Default: bigwig, and bed and bigbed with the "
        "probability.",
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        min=0,
        max=1,
        help="Peak-calling threshold on the probability. Default: for each pair, the "
        "probability exceeded by the TF's mean fraction of bound sites.",
    ),
]
ColorBy = Annotated[
    Literal["family", "tf", "cell"],
    typer.Option("--color-by", help="Color tracks by TF family, TF or cell line."),
]
Threads = Annotated[
    str, typer.Option("-p", "--threads", help="CPU threads: a number, or max.")
]
Device = Annotated[
    str,
    typer.Option("-d", "--device", help="Device: auto, cpu, cuda or cuda:N."),
]
Precision = Annotated[
    Literal["exact", "fast"],
    typer.Option(
        "--precision",
        help="exact: float32. fast: quantized filters, faster on a CPU; probabilities "
        "differ by up to 0.002.",
    ),
]
CacheDir = Annotated[
    Path | None,
    typer.Option(
        "--cache-dir", help="Folder of cached tiles, unpacked genomes and indexes."
    ),
]
CacheLimit = Annotated[
    float,
    typer.Option(
        "--cache-limit",
        min=0,
        help="Maximum size of the tile cache in GB; the least recently used tiles are "
        "deleted first.",
    ),
]
NoCache = Annotated[
    bool,
    typer.Option(
        "--no-cache",
        help="Do not read or write the tile cache (4 GB per Gb of genome).",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Compute again what is there already and up to date.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check all inputs and print what would run.")
]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Skip confirmation.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Data = Annotated[
    Path, typer.Option("--data", help="Data set that `tfimpute-tracks prepare` wrote.")
]
HoldOutScheme = Annotated[
    Literal["chromosomes", "random", "alternating-peaks"],
    typer.Option(
        "--hold-out",
        help="Which sites are held out of training. chromosomes: --test-chroms and "
        "--valid-chroms. random: 10 % of the positions for testing, 5 % for "
        "validation. alternating-peaks: every second peak for testing, as `prepare "
        "--alternate` assigned them, and 5 % of the others for validation.",
    ),
]
TestChroms = Annotated[
    str, typer.Option("--test-chroms", help="Test chromosomes, comma-separated.")
]
ValidChroms = Annotated[
    str,
    typer.Option(
        "--valid-chroms",
        help="Validation chromosomes, used to choose the epoch; comma-separated.",
    ),
]
