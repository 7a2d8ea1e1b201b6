"""A VCF with a line of every kind, over the toy genome, and a run over it."""

from __future__ import annotations

import csv
from contextlib import nullcontext

from tfimpute_tracks.variants.job import VariantJob
from tfimpute_tracks.variants.records import Source
from tfimpute_tracks.variants.run import run_variants
from tfimpute_tracks.variants.tables import Layout
from tfimpute_tracks.vocabulary import Pair

PAIRS = [Pair("CTCF", "K562"), Pair("MAX", "HepG2"), Pair("MAX", "K562")]
HEAD = """##fileformat=VCFv4.2
##contig=<ID=1,length=4000>
##contig=<ID=chr20,length=900>
##contig=<ID=chr9,length=900>
##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tme
"""


def other_base(letter):
    return "ACGT"["ACGT".index(letter) - 1]


def line_fields(letters):
    """Give fields of lines, by what is to become of them."""
    one, twenty = letters["chr1"], letters["chr20"]
    at = {pos: one[pos - 1] for pos in (301, 701, 900, 1100, 2500)}
    return {
        "snv": ("1", 301, at[301], other_base(at[301])),
        "two": ("1", 701, at[701], f"{other_base(at[701])},{at[701]}GA"),
        "deletion": ("1", 900, one[899:904], one[899]),
        "swapped": ("1", 1100, other_base(at[1100]), at[1100]),
        "symbolic": ("1", 1200, one[1199], "<DEL>"),
        "spanning": ("1", 1300, one[1299], f"*,{other_base(one[1299])}"),
        "gap": ("1", 1700, "A", "C"),
        "wrong": ("1", 2500, *(sorted(set("ACGT") - {at[2500]})[:2])),
        "end": ("1", 4001, "A", "C"),
        "other": ("chr20", 450, twenty[449], other_base(twenty[449])),
        "unknown": ("chr9", 5, "A", "C"),
    }


def write_vcf(path, lines):
    with path.open("w") as file:
        file.write(HEAD)
        for name, (chrom, pos, ref, alt) in lines.items():
            share = ",".join("0.5" for _ in alt.split(","))
            what = f"{name}\t{ref}\t{alt}\t7\tPASS\tAF={share}\tGT\t0/1"
            file.write(f"{chrom}\t{pos}\t{what}\n")
    return path


def no_progress(*_):
    return nullcontext(lambda _: None)


def run_toy(toy, genome, path, out, pairs=PAIRS, **changes):
    changes["layout"] = Layout(*changes.pop("layout", ()))
    job = VariantJob(toy[0], pairs, Source.of(path), out, **changes)
    return run_variants(job, genome, no_progress)


def read_rows(path):
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))
