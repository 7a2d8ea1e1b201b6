"""Options that several verbs share, so that a flag means one thing everywhere.

Only types and help texts: what an option's text is worth is found out by the verbs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = [
    "BinSize",
    "CacheDir",
    "CacheLimit",
    "Cell",
    "Chroms",
    "Data",
    "Device",
    "DryRun",
    "Evidence",
    "Fasta",
    "HoldOutScheme",
    "Json",
    "MaxZooms",
    "ModelName",
    "NoCache",
    "OutDir",
    "Overwrite",
    "Pairs",
    "Precision",
    "Regions",
    "Seed",
    "Signal",
    "StoreDir",
    "Stride",
    "TestChroms",
    "Tf",
    "Threads",
    "ValidChroms",
]

ModelName = Annotated[
    str,
    typer.Option(
        "-m", "--model", help="Weights: a .safetensors file or a shipped name."
    ),
]
Evidence = Annotated[
    str | None,
    typer.Option(
        "-e",
        "--evidence",
        help="Measured tracks to go by beside sequence: a file that `tfimpute-tracks "
        "evidence build` made, or bundled for those of the stretch that comes with the "
        "package. A pair's own track never counts.",
    ),
]
Fasta = Annotated[
    Path | None,
    typer.Option(
        "-g",
        "--fasta",
        help="FASTA file: plain, bgzip or gzip. Default: 3 Mb of hg19 chr20 that come "
        "with the package.",
    ),
]
Regions = Annotated[
    list[str] | None,
    typer.Option(
        "-r",
        "--regions",
        help="BED file, or chr:start-end (1-based, inclusive). Repeatable.",
    ),
]
Chroms = Annotated[
    list[str] | None,
    typer.Option("--chroms", help="Whole chromosomes: --chroms chr20 chr21."),
]
Tf = Annotated[str | None, typer.Option("--tf", help="Transcription factor.")]
Cell = Annotated[str | None, typer.Option("--cell", help="Cell line.")]
Pairs = Annotated[
    str | None,
    typer.Option(
        "--pairs", help='Several pairs: "CTCF:K562;MAX:HepG2", or a TSV file: tf, cell.'
    ),
]
OutDir = Annotated[
    Path,
    typer.Option("-o", "--out-dir", help="Folder for every file; made if missing."),
]
StoreDir = Annotated[
    Path, typer.Argument(help="Folder that `tfimpute-tracks impute` made.")
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of all that is random.")]
Stride = Annotated[
    int | None,
    typer.Option(
        "--stride", min=1, help="bp between tile starts. Default: the model's own."
    ),
]
Signal = Annotated[
    Literal["probability", "log-odds", "specificity", "calibrated"],
    typer.Option(
        help="What the bigWig holds. specificity: probability minus its mean over the "
        "cell lines of the TF; calibrated: the share of open-chromatin sites with such "
        "a score that are bound. Peaks are those of the probability, written with it."
    ),
]
BinSize = Annotated[
    int | None,
    typer.Option(
        "--bin-size",
        min=1,
        help="bp of a bin, which holds the mean of its tiles; a multiple of the "
        "stride. Default: the stride.",
    ),
]
MaxZooms = Annotated[
    int,
    typer.Option(
        "--max-zooms",
        min=0,
        max=10,
        help="Most zoom levels of a bigWig. 0: none, a smaller file that browsers draw "
        "slowly, or not at all, when zoomed out.",
    ),
]
Threads = Annotated[
    str, typer.Option("-p", "--threads", help="CPU threads: a number or max.")
]
Device = Annotated[
    str, typer.Option("-d", "--device", help="auto, cpu, cuda or cuda:N.")
]
Precision = Annotated[
    Literal["exact", "fast"],
    typer.Option(
        help="exact: float32. fast: scores off by up to 0.002, faster on a CPU."
    ),
]
CacheDir = Annotated[
    Path | None,
    typer.Option(
        "--cache-dir", help="Where tiles, unpacked genomes and indexes are kept."
    ),
]
CacheLimit = Annotated[
    float,
    typer.Option(
        "--cache-limit",
        min=0,
        help="GB that cached tiles may take; those used least recently go first.",
    ),
]
NoCache = Annotated[
    bool,
    typer.Option(
        "--no-cache", help="Neither use nor keep cached tiles (4 GB per Gb of genome)."
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Compute again what is already there.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check everything, say what would be done.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Data = Annotated[
    Path, typer.Option("--data", help="Data set that `tfimpute-tracks prepare` made.")
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
    str, typer.Option(help="Chromosomes to test on, comma-separated.")
]
ValidChroms = Annotated[
    str, typer.Option(help="Chromosomes to choose the epoch by, comma-separated.")
]
