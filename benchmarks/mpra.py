"""Measured effects of every substitution of four elements against predicted ones.

Saturation mutagenesis in reporter assays (Kircher et al. 2019): SORT1, LDLR and F9 in
HepG2, PKLR in K562. Spearman's correlation of the measured log2 change with the change
of log-odds: the mean over all TFs, which chooses nothing; their first principal
component, which goes up with that mean; and the TF that matches best, which is chosen
by these very data and flatters. In the cell line that was measured, and in others.
Motifs alone, for comparison: the change of the strongest hit, on either strand, that holds the
place, of each of JASPAR's matrices of these TFs.

    python benchmarks/mpra.py --folder satmut_mpra --model deep
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.decomposition import PCA

from tfimpute_tracks.commands.console import print_result
from tfimpute_tracks.comparison.predictors.motif import log_odds, strongest_hits
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.genome import Region, Sequences, open_genome
from tfimpute_tracks.interpret.jaspar import Matrix, find_matrices, load_matrices
from tfimpute_tracks.kernels.encode import N_CODE, encode
from tfimpute_tracks.models import Model, load_model
from tfimpute_tracks.variants.mutagenesis import score_substitutions
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.vocabulary import Pair

_ELEMENTS = {"SORT1": "HepG2", "LDLR": "HepG2", "F9": "HepG2", "PKLR-24h": "K562"}
_OTHERS = {"HepG2": ("K562", "GM12878"), "K562": ("HepG2", "GM12878")}
_LEAST_TAGS = 10  # barcodes behind a measured effect
_EDGE = 5  # bp
# Its backbone carries the other allele: the sign of the measured effect is inverted.
_INVERTED = ("SORT1", 109274968)


class _Measured(NamedTuple):
    """Substitutions of an element, and what was measured of them."""

    variants: list[Variant]
    effects: NDArray[np.float64]


def _offsets(fasta: Path) -> dict[str, int]:
    """Read where elements begin: heads give name, place and how it counts."""
    lines = fasta.read_text().splitlines()
    heads = [line[1:].split() for line in lines if line.startswith(">")]
    return {head[0]: int(head[1].split(":")[1].split("-")[0]) for head in heads}


def _measured(folder: Path, element: str, genome: Sequences, offset: int) -> _Measured:
    table = pd.read_csv(
        folder / "GRCh38_ALL.tsv.gz", sep="\t", dtype={"Chromosome": str}
    )
    table = table[(table["Element"] == element) & (table["Alt"] != "-")]
    table = table[table["Tags"] >= _LEAST_TAGS]
    table = table[table["Position"] != _INVERTED[1]]
    size = genome.chrom_sizes[element]
    starts = table["Position"].to_numpy() - offset
    # A tile must reach the change, and lie within the element.
    inside = (starts >= _EDGE) & (starts < size - _EDGE)
    table, starts = table[inside], starts[inside]
    bases = zip(starts.tolist(), table["Ref"], table["Alt"], strict=True)
    found = [Variant(element, start, ref, alt) for start, ref, alt in bases]
    return _Measured(found, table["Value"].to_numpy(float))


def _changes(
    model: Model, genome: Sequences, variants: list[Variant], cell: str
) -> NDArray[np.float64]:
    """Give the change of log-odds, (n_variants, n_tfs)."""
    pairs = [Pair(tf, cell) for tf in model.tfs]
    starts = np.array([variant.start for variant in variants])
    alts = encode("".join(variant.alt for variant in variants))
    first, last = int(starts.min()), int(starts.max())
    region = Region(variants[0].chrom, first, last + 1)
    found = score_substitutions(model, pairs, genome, region, os.cpu_count() or 1)
    refs = encode("".join(variant.ref for variant in variants))
    if (found.codes[starts - first] != refs).any():
        raise InputFileError("references of the table are not those of the elements")
    return found.changes[:, starts - first, alts].T.astype(np.float64)


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(spearmanr(a, b).statistic)


def _report(
    changes: NDArray[np.float64], names: list[str], effects: NDArray[np.float64]
) -> str:
    middle = changes.mean(axis=1)
    mean = _correlation(middle, effects)
    first = PCA(1).fit_transform(changes)[:, 0]
    first *= np.sign(_correlation(first, middle))
    each = np.array([_correlation(column, effects) for column in changes.T])
    best = np.argsort(-np.nan_to_num(each, nan=-1))[:3]
    named = ", ".join(f"{names[i]} {each[i]:.2f}" for i in best)
    component = _correlation(first, effects)
    return f"mean {mean:.3f}  first component {component:.3f}  best {named}"


def _motif_changes(
    genome: Sequences, variants: list[Variant], matrices: list[Matrix]
) -> NDArray[np.float64]:
    """Give the change of the strongest hit over each place, a column per matrix."""
    size = genome.chrom_sizes[variants[0].chrom]
    found = np.zeros((len(variants), len(matrices)))
    for j, matrix in enumerate(matrices):
        length = len(matrix.counts)
        rows = []
        for chrom, start, _, alt in variants:
            # Only windows that hold the place fit; past the ends stands an N.
            codes = np.full(2 * length - 1, N_CODE, dtype=np.uint8)
            first, last = max(start - length + 1, 0), min(start + length, size)
            at = start - length + 1
            codes[first - at : last - at] = genome.codes(chrom, first, last)
            changed = codes.copy()
            changed[length - 1] = encode(alt)[0]
            rows += [codes, changed]
        hits = strongest_hits(np.stack(rows), log_odds(matrix.counts)).astype(float)
        found[:, j] = hits[1::2] - hits[0::2]
    return np.nan_to_num(found)


def main() -> None:
    """Print the correlations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--model", default="deep")
    parser.add_argument("--cache-dir", type=Path)
    asked = parser.parse_args()
    model = load_model(asked.model)
    fasta = asked.folder / "reference_elements_hg38.fa"
    offsets = _offsets(fasta)
    genome = open_genome(fasta, asked.cache_dir)
    known = load_matrices()
    own_matrices = {m.name: m for tf in model.tfs for m in find_matrices(tf, known)}
    matrices = list(own_matrices.values())
    for element, own in _ELEMENTS.items():
        measured = _measured(asked.folder, element, genome, offsets[element])
        print_result(
            f"{element}, {len(measured.variants):,} substitutions, {asked.model}"
        )
        for cell in (own, *_OTHERS[own]):
            changes = _changes(model, genome, measured.variants, cell)
            which = "measured in" if cell == own else "not in"
            reported = _report(changes, list(model.tfs), measured.effects)
            print_result(f"    {which:<12} {cell:<8} {reported}")
        changes = _motif_changes(genome, measured.variants, matrices)
        reported = _report(
            changes, ["::".join(m.symbols) for m in matrices], measured.effects
        )
        print_result(f"    {'motifs alone':<12} {'':<8} {reported}")


if __name__ == "__main__":
    main()
