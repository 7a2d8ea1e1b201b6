"""The inputs of the steps, made of what ships with the package."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    return {t.pair: ends[track == i] for i, t in enumerate(store.tracks)}


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
    pairs, ranked = ([("tf", "cell", "role", "bed")] for _ in range(2))
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
