"""Make the evidence that comes with the package, `encode-hg19`.

    python benchmarks/encode_hg19.py ../shared/data/hg19 evidence/data/encode-hg19

The first folder has the measured peaks (`genome_wide`, `accessibility`) and
`hg19.chrom.sizes`; the second one is made if need be. The peaks of each set become a BED
file, which is built as `tfimpute-tracks evidence build` builds any other.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from tfimpute_tracks.commands.console import print_result
from tfimpute_tracks.evidence import (
    ACCESSIBILITY,
    SHIPPED,
    BuildReport,
    PeakDatabase,
    PeakFile,
    Provenance,
    build_evidence,
    write_evidence,
)
from tfimpute_tracks.genome import read_chrom_sizes
from tfimpute_tracks.models import load_model
from tfimpute_tracks.vocabulary import Pair

_TILE = 150  # bp
_PROVENANCE = Provenance(
    source="ENCODE: peaks of 524 TF ChIP-seq sets, uniformly processed (repository "
    "Bohdan-Khomtchouk/ENCODE_TF_geneXtendeR_analysis, commit 4d055110), and open "
    "chromatin of 24 cell lines by DNase-seq (repository wassermanlab/TF-Binding-Matrix, "
    "commit 7a58aecf, lifted from hg38)",
    license="ENCODE data, free to use and to publish on without restriction; both "
    "repositories are under the MIT license",
    citation="The ENCODE Project Consortium. An integrated encyclopedia of DNA elements "
    "in the human genome. Nature 489, 57-74 (2012). doi:10.1038/nature11247",
)


def read_shipped(data: Path) -> PeakDatabase:
    """Build what ships from the measured peaks.

    Parameters
    ----------
    data : Path
        The folder of hg19.

    Returns
    -------
    PeakDatabase
    """
    sizes = read_chrom_sizes(data / "hg19.chrom.sizes")
    vocabulary = load_model("default").vocabulary
    with tempfile.TemporaryDirectory() as folder:
        peak_files = _write_sets(data / "genome_wide/tiles_524sets.npz", Path(folder))
        peak_files += _accessibility(data / "accessibility")
        contents, report = build_evidence(peak_files, vocabulary, sizes, None, "hg19")
    if report != BuildReport():
        raise SystemExit(f"something is left out: {report}")
    return replace(contents, provenance=_PROVENANCE)


def _write_sets(path: Path, folder: Path) -> list[PeakFile]:
    """Write the tiles of each set as a BED file, in the order of the sets."""
    with np.load(path) as tiles:
        offsets, step, bits = tiles["offsets"], tiles["start_delta"], tiles["bits"]
        names, sets = tiles["chrom"].tolist(), tiles["sets"].tolist()
    chrom = np.repeat(names, np.diff(offsets))
    total = np.cumsum(step, dtype=np.int64)
    first = offsets[:-1]  # each chromosome starts from 0
    start = total - np.repeat(total[first] - step[first], np.diff(offsets))
    found = []
    for number, name in enumerate(sets):
        has_peak = (bits[:, number // 8] >> (7 - number % 8)) & 1 == 1
        bed = folder / f"{name}.bed"
        own = start[has_peak]
        rows = {"chrom": chrom[has_peak], "start": own, "end": own + _TILE}
        pd.DataFrame(rows).to_csv(bed, sep="\t", header=False, index=False)
        tf, _, cell = name.partition(".")
        found.append(PeakFile(Pair(tf, cell), "", bed))
    return found


def _accessibility(folder: Path) -> list[PeakFile]:
    """Find the files of the cell lines that the models know."""
    table = pd.read_csv(folder / "cells.tsv", sep="\t")
    cells = table.loc[table["one_of_our_91"] == "yes", "cell"]
    return [
        PeakFile(Pair(ACCESSIBILITY, cell), "", folder / f"{cell}.open.bed.gz")
        for cell in cells
    ]


def main(data: str, folder: str) -> None:
    """Write the files."""
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    contents = read_shipped(Path(data))
    digest = write_evidence(out / f"{SHIPPED}.h5", contents, by_chromosome=True)
    n_bytes = {path.name: path.stat().st_size for path in sorted(out.glob("*.h5"))}
    largest = max(n_bytes.items(), key=lambda item: item[1])
    print_result(
        f"{digest}\n{len(n_bytes)} files, {sum(n_bytes.values()):,} bytes, the largest: "
        f"{largest[0]}, {largest[1]:,}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
