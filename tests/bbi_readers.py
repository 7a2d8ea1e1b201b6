"""bigWig and bigBed files as others read them: three readers that share no code.

UCSC's C code (pybbi) ends the process when it dislikes a file, so it runs in a child.
Each reader gives the chromosomes, and the records of each: (start, end, value) or
(start, end, the other columns in one string).
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import NamedTuple

import pybigtools
import pyBigWig

_UCSC = """
import bbi, json, sys
path = sys.argv[1]
chroms = dict(bbi.chromsizes(path))
records = {
    chrom: [
        [start, end, rest[0] if bbi.is_bigwig(path) else "\\t".join(rest)]
        for _, start, end, *rest in bbi.fetch_intervals(
            path, chrom, 0, -1, iterator=True
        )
    ]
    for chrom in chroms
}
print(json.dumps([chroms, records]))
"""


_UCSC_SUMMARY = """
import bbi, json, sys
print(json.dumps(bbi.info(sys.argv[1])["summary"]))
"""


class PeakDatabase(NamedTuple):
    """What a reader finds: chromosome sizes, and records by chromosome, where any."""

    chroms: dict
    records: dict


def _contents(chroms, records):
    found = {
        chrom: [tuple(record) for record in records(chrom) or []] for chrom in chroms
    }
    return PeakDatabase(
        dict(chroms), {chrom: rows for chrom, rows in found.items() if rows}
    )


def in_child(code, *arguments):
    """Run Python code in a process of its own, and give what it prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"the reader gave up: {done.stdout}{done.stderr}"
    return json.loads(done.stdout)


def ucsc(path):
    chroms, records = in_child(_UCSC, path)
    return _contents(chroms, records.get)


def ucsc_summary(path):
    """Give the summary in the head as UCSC's code has it."""
    return in_child(_UCSC_SUMMARY, path)


def bigtools(path):
    bbi = pybigtools.open(str(path))

    def records(chrom):
        if bbi.is_bigwig:
            return bbi.records(chrom)
        return [(s, e, "\t".join(rest)) for s, e, *rest in bbi.records(chrom)]

    return _contents(bbi.chroms(), records)


def libbigwig(path):
    with pyBigWig.open(str(path)) as bbi:
        if bbi.isBigWig():
            return _contents(bbi.chroms(), bbi.intervals)
        sizes = bbi.chroms()
        return _contents(sizes, lambda chrom: bbi.entries(chrom, 0, sizes[chrom]))


READERS = {"ucsc": ucsc, "bigtools": bigtools, "libbigwig": libbigwig}
