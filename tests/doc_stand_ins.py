"""Small files under the names that the documents use, so that their commands can run.

The genomes have chromosomes of the true lengths, N but for some intervals; the sequence of
all of them is the bundled region's. Peaks in these intervals are those of ``encode-hg19``.
"""

from __future__ import annotations

import gzip

import numpy as np
import pysam

from tfimpute_tracks import open_evidence
from tfimpute_tracks.evidence import ACCESSIBILITY
from tfimpute_tracks.genome import open_bundled
from tfimpute_tracks.kernels.encode import decode
from tfimpute_tracks.vocabulary import Pair

# What the pages look at on chr20, and an interval with many open sites on chromosomes for
# training and validation; lengths of hg19 and of hg38.
LENGTHS = {
    "chr20": (63_025_520, 64_444_167),
    "chr21": (48_129_895, 46_709_983),
    "chr22": (51_304_566, 50_818_468),
    "chrX": (155_270_560, 156_040_895),
}
INTERVALS = {
    "chr20": [
        (48_155_000, 48_161_000),
        (48_585_000, 48_615_000),
        (48_790_000, 48_820_000),
    ],
    "chr21": [(45_300_000, 45_400_000)],
    "chr22": [(37_600_000, 37_650_000)],
    "chrX": [(48_300_000, 48_350_000)],
}
# How much further on hg38 these intervals are.
SHIFTS = {"chr20": 1_383_463, "chr21": -1_100_000, "chr22": -400_000, "chrX": 140_000}
ROLES = {
    "base": "CTCF:K562 CTCF:GM12878 CTCF:HepG2 MAX:K562 MAX:HUVEC RAD21:HepG2 "
    "POLR2A:HUVEC POLR2A:K562 POLR2A:GM12878",
    "valid2": "RAD21:GM12878 MAX:GM12878",
    "test3": "RAD21:K562 CTCF:HUVEC",
}


def write_stand_ins(folder):
    """Write the files; return the folder."""
    _write_genomes(folder)
    peaks = _KnownPeaks()
    _write_tables(folder, peaks)
    _write_downloads(folder, peaks)
    _write_regions(folder, peaks)
    _write_variants(folder)
    return folder


def _write_rows(path, rows, header=()):
    text = "".join("\t".join(map(str, row)) + "\n" for row in [*header, *rows])
    data = text.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def _write_genomes(folder):
    with open_bundled() as genome:
        bases = decode(genome.codes("chr20", 47_200_000, 50_200_000)).encode()
    for i, name in enumerate(("hg19.fa", "hg38.fa")):
        with (folder / name).open("wb") as file:
            used = 0
            for chrom, lengths in LENGTHS.items():
                sequence = bytearray(b"N" * lengths[i])
                for start, end in INTERVALS[chrom]:
                    first = start - 47_200_000 if chrom == "chr20" else used
                    used += 0 if chrom == "chr20" else end - start
                    at = start + SHIFTS[chrom] * i
                    sequence[at : at + end - start] = bases[first : first + end - start]
                file.write(b">" + chrom.encode() + b"\n" + sequence + b"\n")
    pysam.tabix_compress(str(folder / "hg19.fa"), str(folder / "hg19.fa.gz"))
    chains = []
    for i, (chrom, (old, new)) in enumerate(LENGTHS.items()):
        at, to = max(-SHIFTS[chrom], 0), max(SHIFTS[chrom], 0)
        n = min(old - at, new - to)
        source, target = (
            f"{chrom} {old} + {at} {at + n}",
            f"{chrom} {new} + {to} {to + n}",
        )
        chains.append(f"chain 1000 {source} {target} {i}\n{n}\n")
    path = folder / "hg19ToHg38.over.chain.gz"
    path.write_bytes(gzip.compress("\n".join(chains).encode()))


class _KnownPeaks:
    """Peaks of the bundled evidence in the intervals."""

    def __init__(self):
        self.evidence = open_evidence()
        self.names = [track.pair for track in self.evidence.tracks]
        self.rows = []
        for chrom, intervals in INTERVALS.items():
            start, end, track = self.evidence.peaks(chrom)
            for first, last in intervals:
                inside = (start >= first) & (end <= last)
                columns = start[inside], end[inside], track[inside]
                self.rows += [
                    (chrom, *map(int, row)) for row in zip(*columns, strict=True)
                ]

    def of(self, *pairs):
        """Return (chrom, start, end) of the peaks of any of the pairs, in order."""
        wanted = {i for i, pair in enumerate(self.names) if pair in pairs}
        return sorted({row[:3] for row in self.rows if row[3] in wanted})

    def open_sites(self):
        tracks = [pair for pair in self.names if pair.tf == ACCESSIBILITY]
        return self.of(*tracks)


def _narrowpeak(rows, shift=False):
    """Give peaks the ten columns, with a summit and a signal that varies."""
    for i, (chrom, start, end) in enumerate(rows):
        move = SHIFTS[chrom] * shift
        signal = 10 + i % 37
        yield chrom, start + move, end + move, ".", 0, ".", signal, -1, signal, 75


def _write_tables(folder, known):
    rows = []
    for role, pairs in ROLES.items():
        for name in pairs.split():
            pair = Pair(*name.split(":"))
            _write_rows(
                folder / f"peaks/{pair.tf}.{pair.cell}.bed", _narrowpeak(known.of(pair))
            )
            rows.append((pair.tf, pair.cell, role, f"peaks/{pair.tf}.{pair.cell}.bed"))
    _write_rows(folder / "pairs.tsv", rows, [("tf", "cell", "role", "bed")])

    ranked = []
    for pair in known.names:
        peaks = known.of(pair)
        if pair.tf != ACCESSIBILITY and len(peaks) >= 30:
            path = f"ranked/{pair.tf}.{pair.cell}.narrowPeak"
            _write_rows(folder / path, _narrowpeak(peaks))
            ranked.append((pair.tf, pair.cell, path))
    _write_rows(folder / "ranked.tsv", ranked, [("tf", "cell", "bed")])

    own = known.of(Pair("POLR2A", "K562"))
    _write_rows(folder / "ATF7.K562.narrowPeak.gz", _narrowpeak(own))
    _write_rows(
        folder / "mine.tsv",
        [("ATF7", "K562", "ATF7.K562.narrowPeak.gz")],
        [("tf", "cell", "bed")],
    )
    cells = known.of(
        *(Pair(ACCESSIBILITY, cell) for cell in ("HUVEC", "K562", "GM12878"))
    )
    _write_rows(folder / "my_atac.narrowPeak", _narrowpeak(cells))
    _write_rows(
        folder / "open.tsv", [("MYCELL", "my_atac.narrowPeak")], [("cell", "bed")]
    )
    for name in ("deepcage_tpm.tsv", "hpa_nx.tsv"):
        header = [("tf", "K562", "HepG2", "HUVEC")]
        amounts = [("CTCF", 40, 50, 60), ("MAX", 0, 20, 30), ("RAD21", 9, 8, 7)]
        _write_rows(folder / name, amounts, header)


def _write_downloads(folder, known):
    """Write what databases give, of hg38."""
    columns = (
        "File accession",
        "File format",
        "File format type",
        "Output type",
        "File assembly",
        "Experiment accession",
        "Assay",
        "Biosample term name",
        "Experiment target",
        "File Status",
    )
    rows, remap, atlas = [], [], []
    for i, name in enumerate(ROLES["base"].split()):
        pair = Pair(*name.split(":"))
        peaks = list(_narrowpeak(known.of(pair), shift=True))
        accession = f"ENCFF{i:03}TST"
        _write_rows(folder / f"encode/{accession}.bed.gz", peaks)
        what = accession, "bed", "narrowPeak", "optimal IDR thresholded peaks", "GRCh38"
        rows.append(
            (
                *what,
                f"ENCSR{i:03}TST",
                "TF ChIP-seq",
                pair.cell,
                f"{pair.tf}-human",
                "released",
            )
        )
        for chrom, start, end, *_ in peaks:
            middle = (start + end) // 2
            remap.append(
                (
                    chrom,
                    start,
                    end,
                    f"GSE{i}.{pair.tf}.{pair.cell}",
                    0,
                    ".",
                    middle,
                    middle + 1,
                    "1,2,3",
                )
            )
    _write_rows(folder / "encode/metadata.tsv", rows, [columns])
    _write_rows(folder / "remap2022_all_macs2_hg38_v1_0.bed.gz", sorted(remap))
    for chrom, start, end in known.of(Pair("POLR2A", "K562")):
        move = SHIFTS[chrom]
        label = "ID=SRX1;Name=ATF7%20(@%20K-562);Title=GSM1:%20ATF7;Cell%20group=Blood;"
        atlas.append(
            (
                chrom,
                start + move,
                end + move,
                label,
                500,
                ".",
                start + move,
                end + move,
                "0,255,0",
            )
        )
    _write_rows(
        folder / "chip_atlas_atf7.bed", atlas, [('track name="ATF7" gffTags="on"',)]
    )


def _write_regions(folder, known):
    sites = known.open_sites()
    lifted = [(c, start + SHIFTS[c], end + SHIFTS[c]) for c, start, end in sites]
    for name in ("dhs.bed", "dhs.bed.gz"):  # of both; the others are in N
        _write_rows(folder / name, sites + lifted)
    chr20 = [row for row in sites if row[0] == "chr20"]
    _write_rows(folder / "accessible.bed", chr20)
    _write_rows(folder / "regions.bed", [("chr20", 48_590_000, 48_610_000)])
    _write_rows(folder / "CEBPB.HepG2.narrowPeak", _narrowpeak(chr20[-5:]))
    elements = [(*row, f"element{i}") for i, row in enumerate(chr20[:60])]
    _write_rows(folder / "elements.bed", elements)
    _write_rows(folder / "k562" / "k562.bed", elements)
    with open_bundled() as genome:
        texts = [
            decode(genome.codes(chrom, start, end)) for chrom, start, end, _ in elements
        ]
    _write_rows(
        folder / "elements.fa",
        [(f">{e[3]}\n{t}",) for e, t in zip(elements, texts, strict=True)],
    )
    activities = [(e[3], round(np.sin(i), 3)) for i, e in enumerate(elements)]
    for name in ("activities.tsv", "k562/k562.activities.tsv"):
        _write_rows(folder / name, activities, [("name", "activity")])
    gene = (
        'gene_id "ENSG00000172216"; gene_name "CEBPB"; transcript_id "ENST00000303004";'
    )
    exon = [
        ("chr20", "HAVANA", kind, 48_807_120, 48_809_227, ".", "+", ".", gene)
        for kind in ("gene", "transcript", "exon")
    ]
    for name in ("genes.gtf", "genes.gtf.gz"):
        _write_rows(folder / name, exon)


def _write_variants(folder):
    with open_bundled() as genome:
        places = [48_599_862, 48_600_012, 48_803_955, 48_807_376]
        refs = [decode(genome.codes("chr20", at - 1, at)) for at in places]
    alts = ["ACGT"["ACGT".index(ref) - 1] for ref in refs]
    rows = list(zip(places, refs, alts, strict=True))
    header = [
        ("##fileformat=VCFv4.2",),
        (f"##contig=<ID=chr20,length={LENGTHS['chr20'][0]}>",),
        ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"),
    ]
    records = [("chr20", at, ".", ref, alt, ".", "PASS", ".") for at, ref, alt in rows]
    _write_rows(folder / "patients.vcf", records, header)
    pysam.tabix_compress(str(folder / "patients.vcf"), str(folder / "patients.vcf.gz"))
    table = [("chr20", *row) for row in rows]
    _write_rows(folder / "snps.tsv", table, [("chrom", "pos", "ref", "alt")])
