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
    background: Path
    letters: dict[str, str]

    def build(self, name="data.h5", **changes):
        messages = []
        arguments = {
            "fasta": self.fasta,
            "pairs_table": self.pairs_table,
            "background": self.background,
            "out": self.folder / name,
            "config": BuildConfig(),
            "notify": messages.append,
        }
        report = build_dataset(**arguments | changes)
        return report, messages


def write_bed(path, *intervals):
    path.write_text("".join("{}\t{}\t{}\n".format(*row) for row in intervals))
    return path


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
    background = write_bed(
        tmp_path / "sites.bed",
        ("chr22", 1400, 1600),  # centre 1500: 70 bp beyond the end
        ("chr1", 1000, 1200),
        ("chr1", 2000, 2200),
        ("chr1", 0, 60),  # centre 30: 70 bp before the beginning
        ("chr20", 500, 700),
    )
    write_bed(tmp_path / "ctcf.bed", ("chr1", 1000, 1100), ("chr20", 690, 800))
    write_bed(tmp_path / "max.bed", ("chr22", 1450, 1530), ("chr1", 2290, 2400))
    table = tmp_path / "pairs.tsv"
    table.write_text(
        "tf\tcell\trole\tbed\nMAX\tK562\ttest3\tmax.bed\nCTCF\tK562\tbase\tctcf.bed\n"
    )
    return Toy(tmp_path, fasta, table, background, letters)


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

    def make(n_sites=300, n_pairs=70, seq_len=37):
        dense = rng.choice([0, 0, 0, 1, -1], (n_sites, n_pairs)).astype(np.int8)
        lists = []
        for value in (1, -1):
            site, pair = np.nonzero(dense == value)
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
        return dataset, dense

    return make
