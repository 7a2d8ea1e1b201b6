"""One folder of small inputs of every kind that the commands read."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import numpy as np
from children import run_command

from evidence_toys import write_model_with_evidence
from fasta_files import write_fasta as write_packed_fasta
from tfimpute_tracks.dataset import write_dataset
from toys import CALIBRATED, make_dataset, random_letters, write_fasta
from two_bit_files import two_bit_bytes

__all__ = ["make_inputs"]

SIZES = {"chr1": 60_000, "chr20": 25_000}


def make_inputs(folder: Path, seed: int) -> None:
    """Write the inputs; the commands themselves make tracks, a store and evidence.

    Parameters
    ----------
    folder : Path
    seed : int
    """
    rng = np.random.default_rng(seed)
    sequences = {name: random_letters(rng, size) for name, size in SIZES.items()}
    _write_genome(folder, sequences)
    write_model_with_evidence(folder, rng, SIZES, CALIBRATED)
    _write_intervals(folder)
    _write_tables(folder)
    _write_variants(folder, sequences)
    _write_chain(folder)
    write_dataset(folder / "data.h5", make_dataset(300))
    made = (
        (
            "scan -g g.fa -m toy.safetensors -e none --pairs MAX:HepG2;CTCF:K562 -o tracks "
            "--no-cache --threshold 0.1"
        ),
        (
            "impute -g g.fa -m toy.safetensors -e none --pairs pairs.tsv -o store "
            "--workers 1 --tiles-per-shard 2000"
        ),
    )
    for command in made:
        done = run_command([*command.split(), "-p", "1"], folder, 300)
        if done.code:
            raise RuntimeError(f"{command}: {done.err}")
    shutil.rmtree(folder / ".cache", ignore_errors=True)


def _write_genome(folder: Path, sequences: dict[str, str]) -> None:
    path = write_fasta(folder / "g.fa", sequences)
    write_packed_fasta(folder / "b.fa", path.read_bytes(), "bgzip")
    write_packed_fasta(folder / "z.fa", path.read_bytes(), "gzip")
    (folder / "g.2bit").write_bytes(two_bit_bytes(sequences))
    sizes = "".join(f"{name}\t{size}\n" for name, size in SIZES.items())
    (folder / "g.sizes").write_text(sizes)


def _write_intervals(folder: Path) -> None:
    for name, step in (("ctcf", 1200), ("max", 1000), ("open", 700)):
        rows = [
            f"{chrom}\t{at}\t{at + 150}\tp{at}\t0\t.\t{at % 97}.5\t-1\t3.1\t70\n"
            for chrom, size in SIZES.items()
            for at in range(step, size - 500, step)
        ]
        (folder / f"{name}.narrowPeak").write_text("".join(rows))
        bed = ["\t".join(row.split("\t")[:4]) + "\n" for row in rows]
        (folder / f"{name}.bed").write_text("".join(bed))
    packed = gzip.compress((folder / "ctcf.narrowPeak").read_bytes())
    (folder / "packed.narrowPeak.gz").write_bytes(packed)
    few = "".join(f"chr1\t{a}\t{a + 171}\te{a}\n" for a in range(900, 9000, 700))
    (folder / "few.bed").write_text(few)
    (folder / "few.fa").write_text(
        "".join(f">e{i}\n{'ACGGTCA' * 24}{'ACGT'[i % 4] * 3}\n" for i in range(12))
    )
    (folder / "genes.bed").write_text("chr1\t2000\t9000\tMYG\t0\t+\n" * 3)
    (folder / "genes.gtf").write_text(
        "".join(
            f"chr1\tx\t{kind}\t{start}\t{start + 900}\t.\t+\t.\t"
            f'gene_id "G{i}"; gene_name "MYG{i}"; transcript_id "T{i}";\n'
            for i, start in enumerate(range(2000, 20000, 3000))
            for kind in ("gene", "transcript", "exon")
        )
    )


def _write_tables(folder: Path) -> None:
    texts = {
        "pairs.tsv": "tf\tcell\nCTCF\tK562\nMAX\tHepG2\nEP300\tGM12878\n",
        "table.tsv": "tf\tcell\trole\tbed\nCTCF\tK562\tbase\tctcf.narrowPeak\n"
        "MAX\tHepG2\tbase\tmax.narrowPeak\n",
        "packed.tsv": "tf\tcell\tbed\nCTCF\tK562\tpacked.narrowPeak.gz\n",
        "mine.tsv": "tf\tcell\tbed\nMYTF\tK562\tctcf.bed\n",
        "open.tsv": "cell\tbed\nK562\topen.bed\n",
        "new.tsv": "cell\tbed\nMYCELL\topen.bed\n",
        "activities.tsv": "name\tactivity\n"
        + "".join(f"e{i}\t{i * 7 % 11}.5\n" for i in range(12)),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)


def _write_variants(folder: Path, sequences: dict[str, str]) -> None:
    head = "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=60000>\n"
    head += '##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency">\n'
    head += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    rows, plain = [], ["chrom\tpos\tref\talt\n"]
    for at in range(500, 6000, 400):
        ref = sequences["chr1"][at - 1]
        alt = "ACGT"["ACGT".index(ref) - 1]
        rows.append(f"chr1\t{at}\trs{at}\t{ref}\t{alt},{ref}GA\t7\tPASS\tAF=0.5,0.1\n")
        plain.append(f"chr1\t{at}\t{ref}\t{alt}\n")
    (folder / "v.vcf").write_text(head + "".join(rows))
    write_packed_fasta(folder / "b.vcf", (head + "".join(rows)), "bgzip")
    write_packed_fasta(folder / "z.vcf", (head + "".join(rows)), "gzip")
    (folder / "v.tsv").write_text("".join(plain))


def _write_chain(folder: Path) -> None:
    text = "".join(
        f"chain 900 {name} {size} + 0 {size - 100} {name} {size} + 100 {size} {i}\n"
        f"1000 200 200\n{size - 1300}\n\n"
        for i, (name, size) in enumerate(SIZES.items(), 1)
    )
    (folder / "over.chain").write_text(text)
    (folder / "over.chain.gz").write_bytes(gzip.compress(text.encode()))
