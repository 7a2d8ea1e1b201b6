"""A toy genome with peaks that can be labelled by hand."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tfimpute_tracks.dataset import BuildConfig, build_dataset


class Toy(NamedTuple):
    """The files of a toy build, and the letters that the FASTA holds."""

    folder: Path
    fasta: Path
    pairs_table: Path
    candidates: Path
    letters: dict[str, str]

    def build(self, name="data.h5", **changes):
        messages = []
        arguments = {
            "fasta": self.fasta,
            "pairs_table": self.pairs_table,
            "candidates": self.candidates,
            "out": self.folder / name,
            "config": BuildConfig(),
            "log": messages.append,
        }
        report = build_dataset(**arguments | changes)
        return report, messages


def write_bed(path, *intervals):
    path.write_text("".join("{}\t{}\t{}\n".format(*row) for row in intervals))
    return path


class Ranked(Toy):
    """Peaks with signals and summits, on chromosomes with repeats and a hole."""

    def write_peaks(self, name, *peaks):
        """Write (chrom, start, end, signal, q-value, summit) as a narrowPeak file."""
        path = self.folder / f"{name}.narrowPeak"
        row = "{}\t{}\t{}\t.\t0\t.\t{}\t-1\t{}\t{}\n"
        path.write_text("".join(row.format(*peak) for peak in peaks))
        return path


@pytest.fixture
def ranked(tmp_path, rng):
    """Two pairs with 60 and 40 peaks of 100 bp on 120 kb, the summits at 40."""
    letters = {}
    for name, size in (("chr1", 60_000), ("chr20", 40_000), ("chr22", 20_000)):
        # GC content and repeats vary slowly along a chromosome, as they do.
        gc = 0.5 + 0.3 * np.sin(np.arange(size) / 900)
        is_gc = rng.random(size) < gc
        text = np.where(
            is_gc, rng.choice(list("GC"), size), rng.choice(list("AT"), size)
        )
        lower = rng.random(size // 50) < 0.3
        if name != "chr20":
            text = np.where(np.repeat(lower, 50), np.char.lower(text), text)
        letters[name] = "".join(text)
    letters["chr1"] = letters["chr1"][:5000] + "N" * 1000 + letters["chr1"][6000:]
    fasta = tmp_path / "ranked.fa"
    fasta.write_text("".join(f">{name}\n{s}\n" for name, s in letters.items()))
    candidates = write_bed(
        tmp_path / "dhs.bed",
        *((name, at, at + 200) for name in letters for at in range(400, 19_000, 600)),
    )
    table = tmp_path / "pairs.tsv"
    table.write_text(
        "tf\tcell\trole\tbed\nCTCF\tK562\tbase\tctcf.narrowPeak\n"
        "MAX\tK562\tbase\tmax.narrowPeak\n"
    )
    toy = Ranked(tmp_path, fasta, table, candidates, letters)
    for name, n in (("ctcf", 60), ("max", 40)):
        chroms = rng.choice(list(letters), n)
        starts = [rng.integers(0, len(letters[c]) // 100 - 1) * 100 for c in chroms]
        signals = rng.permutation(n) + 1
        toy.write_peaks(
            name,
            *(
                (chrom, start, start + 100, signal, 2, 40)
                for chrom, start, signal in zip(chroms, starts, signals, strict=True)
            ),
        )
    return toy


@pytest.fixture
def toy(tmp_path, rng):
    """Three chromosomes; chr1 is N in 3,000..3,999."""
    letters = {
        name: "".join(rng.choice(list("ACGTacgt"), size))
        for name, size in (("chr1", 6000), ("chr20", 2000), ("chr22", 1530))
    }
    letters["chr1"] = letters["chr1"][:3000] + "N" * 1000 + letters["chr1"][4000:]
    fasta = tmp_path / "toy.fa"
    fasta.write_text("".join(f">{name}\n{s}\n" for name, s in letters.items()))
    candidates = write_bed(
        tmp_path / "sites.bed",
        ("chr22", 1400, 1600),  # center 1500: 70 bp beyond the end
        ("chr1", 1000, 1200),
        ("chr1", 2000, 2200),
        ("chr1", 0, 60),  # center 30: 70 bp before the beginning
        ("chr20", 500, 700),
    )
    write_bed(tmp_path / "ctcf.bed", ("chr1", 1000, 1100), ("chr20", 690, 800))
    write_bed(tmp_path / "max.bed", ("chr22", 1450, 1530), ("chr1", 2290, 2400))
    table = tmp_path / "pairs.tsv"
    table.write_text(
        "tf\tcell\trole\tbed\nMAX\tK562\ttest3\tmax.bed\nCTCF\tK562\tbase\tctcf.bed\n"
    )
    return Toy(tmp_path, fasta, table, candidates, letters)


@pytest.fixture
def toy_path(toy):
    """The file of the toy data set."""
    toy.build()
    return toy.folder / "data.h5"


@pytest.fixture
def make_random(rng):
    """Make a data set of random sites and labels, and its labels as a dense array."""
    from tfimpute_tracks.dataset import Dataset, PairLists
    from tfimpute_tracks.vocabulary import Pair, Vocabulary

    def make(n_sites=300, n_pairs=70, seq_len=37, per_pair=False):
        dense = rng.choice([0, 0, 0, 1, -1], (n_sites, n_pairs)).astype(np.int8)
        default = np.zeros(n_sites, dtype=np.int8)
        if per_pair:
            # Most of these sites say something of a few pairs only.
            default = rng.choice([0, -1, -1], n_sites).astype(np.int8)
            silent = (rng.random(dense.shape) < 0.9) & (default == -1)[:, None]
            dense[silent] = -1
        lists = []
        for value in (1, -1, 0):
            # What the default says need not be listed.
            named = (dense == value) & ~((value <= 0) & (default == value)[:, None])
            site, pair = np.nonzero(named)
            indptr = np.searchsorted(site, np.arange(n_sites + 1))
            lists.append(PairLists(indptr, pair.astype(np.uint16)))
        chrom_id = np.sort(rng.integers(0, 3, n_sites)).astype(np.int32)
        start = np.concatenate(
            [
                np.sort(rng.integers(-20, 10**6, np.count_nonzero(chrom_id == i)))
                for i in range(3)
            ]
        )
        pairs = tuple(Pair(f"TF{i % 7}", f"cell{i // 7:02}") for i in range(n_pairs))
        dataset = Dataset(
            codes=rng.integers(0, 5, (n_sites, seq_len)).astype(np.uint8),
            chrom_id=chrom_id,
            start=start,
            chroms=("chr1", "chr20", "chr22"),
            chrom_sizes=(10**6, 10**6, 10**6),
            pairs=pairs,
            roles=tuple("base" if i % 3 else "test3" for i in range(n_pairs)),
            peak_digests=tuple(f"sha256:{i}" for i in range(n_pairs)),
            vocabulary=Vocabulary(
                sorted({tf for tf, _ in pairs}), sorted({cell for _, cell in pairs})
            ),
            positive=lists[0],
            ignored=lists[1],
            parameters={"seq_len": seq_len},
            sources={"fasta": "sha256:0"},
        )
        if per_pair:
            more = {
                "negative": lists[2],
                "default_label": default,
                "fold": rng.integers(0, 3, n_sites).astype(np.uint8),
                "shuffled": rng.random(n_sites) < 0.3,
                "replicates": tuple("2" * (i % 5 == 0) for i in range(n_pairs)),
            }
            dataset = Dataset(**vars(dataset) | more)
        return dataset, dense

    return make
