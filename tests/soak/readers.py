"""Which command reads which file, for each kind of input."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["READERS", "Reader"]


class Reader(NamedTuple):
    """A file to damage and a command that reads it.

    Attributes
    ----------
    kind : str
        What counts are given for.
    file : str
        In the folder of inputs.
    command : str
        Writes into `out` only.
    is_text : bool
    """

    kind: str
    file: str
    command: str
    is_text: bool = True

    @property
    def verb(self) -> str:
        """The verb of the command."""
        words = self.command.split()
        return " ".join(words[: 2 if words[0] in ("evidence", "info") else 1])


_MODEL = "-m toy.safetensors"
_ON = f"{_MODEL} -e none -p 1"
_SCAN = "scan --tf CTCF --cell K562 --no-cache -o out"
_BUILD = f"evidence build {_MODEL} -o out/e.h5 --chrom-sizes g.sizes"

_SEQUENCE = (
    Reader("fasta", "g.fa", f"{_SCAN} -g g.fa {_ON} --format bed"),
    Reader("fasta", "few.fa", f"enhancers few.fa --cell K562 {_MODEL} -p 1 -o out"),
    Reader("fasta bgzip", "b.fa.gz", f"{_SCAN} -g b.fa.gz {_ON} --format bed", False),
    Reader("fasta gzip", "z.fa.gz", f"{_SCAN} -g z.fa.gz {_ON} --format bed", False),
    Reader("2bit", "g.2bit", f"{_SCAN} -g g.2bit {_ON} --format bed", False),
)
_INTERVALS = (
    Reader("bed", "few.bed", f"{_SCAN} -g g.fa {_ON} -r few.bed --format bedgraph"),
    Reader("bed", "few.bed", f"enhancers few.bed -g g.fa --cell K562 {_MODEL} -o out"),
    Reader(
        "bed",
        "open.bed",
        "prepare -g g.fa --pairs-table table.tsv --candidate-sites open.bed "
        "--seq-len 60 -o out/d.h5",
    ),
    Reader(
        "bed",
        "few.bed",
        "prepare -g g.fa --pairs-table table.tsv --candidate-sites open.bed "
        "--seq-len 60 -o out/d.h5 --blacklist few.bed",
    ),
    Reader(
        "bed", "open.bed", f"{_BUILD} --pairs-table table.tsv --accessibility open.tsv"
    ),
    Reader("narrowPeak", "ctcf.narrowPeak", f"{_BUILD} --pairs-table table.tsv"),
    Reader(
        "narrowPeak gzip",
        "packed.narrowPeak.gz",
        f"{_BUILD} --pairs-table packed.tsv",
        False,
    ),
    Reader(
        "narrowPeak",
        "ctcf.narrowPeak",
        f"explain -r ctcf.narrowPeak --tf CTCF --cell K562 -g g.fa {_MODEL} -o out",
    ),
    Reader(
        "genes",
        "genes.gtf",
        f"{_SCAN} -g g.fa {_ON} -r MYG1 --genes genes.gtf --format bed",
    ),
    Reader(
        "genes",
        "genes.bed",
        f"{_SCAN} -g g.fa {_ON} -r MYG --genes genes.bed --format bed",
    ),
)
_VARIANTS = "--tf CTCF --cell K562 -g g.fa -o out -p 1 " + _MODEL
_TABLES = (
    Reader("vcf", "v.vcf", f"variants v.vcf {_VARIANTS}"),
    Reader("vcf bgzip", "b.vcf.gz", f"variants b.vcf.gz {_VARIANTS}", False),
    Reader("vcf gzip", "z.vcf.gz", f"variants z.vcf.gz {_VARIANTS}", False),
    Reader("table", "v.tsv", f"variants v.tsv {_VARIANTS}"),
    Reader(
        "table",
        "pairs.tsv",
        f"scan --pairs pairs.tsv -g g.fa {_ON} --no-cache -o out --format bed -r chr1:1-4000",
    ),
    Reader("table", "table.tsv", f"{_BUILD} --pairs-table table.tsv"),
    Reader("table", "g.sizes", f"{_BUILD} --pairs-table table.tsv"),
    Reader(
        "table",
        "open.tsv",
        f"{_BUILD} --pairs-table table.tsv --accessibility open.tsv",
    ),
    Reader(
        "table",
        "activities.tsv",
        f"enhancers few.fa --activities activities.tsv --cell K562 {_MODEL} -p 1 -o out",
    ),
    Reader(
        "chain",
        "over.chain",
        "evidence lift e.h5 --chain over.chain -o out/l.h5 --chrom-sizes g.sizes",
    ),
    Reader(
        "chain gzip",
        "over.chain.gz",
        "evidence lift e.h5 --chain over.chain.gz -o out/l.h5 --chrom-sizes g.sizes",
        False,
    ),
)
_TRACKS = (
    Reader(
        "bigWig",
        "tracks/CTCF.K562.bw",
        "plot tracks -r chr1:1000-9000 -o out/p.svg",
        False,
    ),
    Reader(
        "bigBed",
        "tracks/CTCF.K562.bb",
        "plot tracks -r chr1:1000-9000 -o out/p.svg",
        False,
    ),
    Reader("bigWig", "tracks/CTCF.K562.bw", "report tracks -o out/r.html", False),
    Reader("bigBed", "tracks/CTCF.K562.bb", "report tracks -o out/r.html", False),
    Reader("narrowPeak", "tracks/CTCF.K562.narrowPeak", "report tracks -o out/r.html"),
    Reader("receipt", "tracks/CTCF.K562.receipt.json", "report tracks -o out/r.html"),
    Reader("receipt", "tracks/CTCF.K562.receipt.json", "hub tracks --assembly toy1"),
    Reader(
        "bigBed", "tracks/CTCF.K562.bb", f"{_BUILD} --from tracks/CTCF.K562.bb", False
    ),
    Reader(
        "bigWig",
        "tracks/CTCF.K562.bw",
        f"{_BUILD} --from tracks/CTCF.K562.bw --signal-threshold 0.1",
        False,
    ),
)
_EXPORT = "--tf CTCF --cell K562 -o out"
_HDF5 = (
    Reader(
        "shard",
        "store/shards/000000.chr1.0.h5",
        f"export store {_EXPORT} --format bed",
        False,
    ),
    Reader(
        "shard", "store/shards/000000.chr1.0.h5", "query store chr1:1001-1100", False
    ),
    Reader("store.json", "store/store.json", f"export store {_EXPORT} --format bed"),
    Reader(
        "evidence",
        "e.h5",
        f"{_SCAN} -g g.fa {_MODEL} -e e.h5 -p 1 --format bed -r chr1:1-9000",
        False,
    ),
    Reader("evidence", "e.h5", "evidence info e.h5 --check", False),
    Reader(
        "data set",
        "data.h5",
        f"evaluate --data data.h5 {_MODEL} -p 1 --bootstrap 5 --permutations 2 -o out",
        False,
    ),
    Reader(
        "safetensors",
        "toy.safetensors",
        f"{_SCAN} -g g.fa {_ON} --format bed -r chr1:1-4000",
        False,
    ),
    Reader("safetensors", "toy.safetensors", f"info pairs {_MODEL}", False),
    Reader(
        "safetensors",
        "toy.evidence.safetensors",
        f"{_SCAN} -g g.fa {_MODEL} -e e.h5 -p 1 --format bed -r chr1:1-4000",
        False,
    ),
)
READERS = (*_SEQUENCE, *_INTERVALS, *_TABLES, *_TRACKS, *_HDF5)
