"""Measured activity of elements in K562 against the signature of predicted binding.

CRE-seq of Kwasnieski et al. 2014: places of hg19 of some 130 bp, chosen by chromatin
segments of K562 and H1-hESC, each with a few barcodes in a plasmid in K562; activity is
log2 of their mean. Are the most and the least active elements discriminated by the first
principal component of the predicted binding of all TFs, and in K562 better than in the
other cell lines? By bases of the element alone, as in the plasmid, and with those
that stand next to it in the genome; of log-odds and of probabilities. Scrambled elements
cannot be scored, their bases are not in the file.
With --out-dir also a BED and a table of activities for `tfimpute-tracks enhancers`.

    python benchmarks/enhancers_k562.py --measured SuppData2.txt -g hg19.fa.gz
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr

from tfimpute_tracks.commands.console import print_result
from tfimpute_tracks.genome import Sequences, open_genome
from tfimpute_tracks.interpret.activities import Activities
from tfimpute_tracks.interpret.elements import Element, Elements, read_intervals
from tfimpute_tracks.interpret.enhancer_files import cell_ranks
from tfimpute_tracks.interpret.enhancers import (
    ElementScores,
    EnhancerJob,
    EnhancerResult,
    analyze_elements,
    score_elements,
)
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models import load_model
from tfimpute_tracks.storage import check_output_dir, write_text

_PLACE = r"^(?P<chrom>chr\w+):(?P<start>\d+)-(?P<end>\d+)_(?P<kind>.*)$"
_CELL = "K562"
_MODELS = ("default", "held-out", "deep", "deep-held-out")
_HELD_OUT = "chr20"  # held out by the models `held-out` and `deep-held-out`


def _measured(path: Path) -> pd.DataFrame:
    """Read log2 of the mean over barcodes, and where elements lie."""
    table = pd.read_csv(path, sep="\t")
    barcodes = table.groupby("CRE", sort=False)["Exp_Mean"]
    means = barcodes.mean()
    found = means.index.to_frame(name="name", index=False)
    found["activity"] = np.log2(means.to_numpy())
    # Of log2, by its slope; NaN with a single barcode.
    found["error"] = (barcodes.sem() / means / np.log(2)).to_numpy()
    found = found.join(found["name"].str.extract(_PLACE)).dropna(subset=["chrom"])
    return found.astype({"start": int, "end": int})


def _bed(frame: pd.DataFrame) -> str:
    columns = frame[["chrom", "start", "end", "name"]]
    text: str = columns.to_csv(sep="\t", header=False, index=False)
    return text


def _usable(frame: pd.DataFrame, genome: Sequences) -> Elements:
    """Take the elements all bases of which are known."""
    with tempfile.TemporaryDirectory() as folder:
        bed = Path(folder) / "elements.bed"
        bed.write_text(_bed(frame))
        elements = read_intervals(bed, genome)
    whole = [element for element in elements.found if not element.n_unknown]
    return elements._replace(found=whole, skipped=[])


def _gc(genome: Sequences, element: Element) -> float:
    codes = genome.codes(element.chrom, element.start, element.end)
    return float(np.isin(codes, (1, 2)).mean())


def _partial_correlation(
    own: NDArray[np.float64], reported: NDArray[np.float64], other: NDArray[np.float64]
) -> float:
    """Give Spearman's partial correlation of two, a third one held fixed."""
    ranks = np.array([rankdata(values) for values in (own, reported, other)])
    inverse = np.linalg.inv(np.corrcoef(ranks))
    return float(-inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1]))


def _row(job: EnhancerJob, result: EnhancerResult, gc: NDArray[np.float64]) -> str:
    own, controls = result.comparisons[0], result.comparisons[1:]
    at = cell_ranks(result.comparisons)
    best = int(own.r2.argmax())
    rhos = np.array([found.rho for found in controls])
    given = _partial_correlation(own.first, result.activities, gc)
    near = job.cells[1 + int(np.abs(rhos).argmax())]
    return "  ".join(
        [
            f"t {own.t:5.2f} p {own.t_p:.0e} ({at['t']:2})",
            f"AUC {own.auc:.3f} p {own.u_p:.0e} ({at['auc']:2})",
            f"rho {own.rho:.3f} p {own.rho_p:.0e} ({at['spearman']:2})",
            f"given GC {given:.3f}",
            f"mean {own.mean_rho:.3f}",
            f"R2 {own.r2[0]:.3f}, {own.r2[best]:.3f} of {best + 1} ({at['cv_r2']:2})",
            f"controls' rho {np.median(rhos):.3f}, {np.abs(rhos).max():.3f} {near}",
            f"variance {own.variance:.2f}",
        ]
    )


def _of_chrom(scored: ElementScores, chrom: str) -> ElementScores:
    some = [i for i, e in enumerate(scored.elements) if e.chrom == chrom]
    return ElementScores([scored.elements[i] for i in some], scored.scores[some], [])


def _evaluate(name: str, elements: Elements, activities: Activities) -> None:
    model = load_model(name)
    gc = np.array([_gc(elements.sequences, e) for e in elements.found])
    on_chrom = np.array([e.chrom == _HELD_OUT for e in elements.found])
    cells = tuple(dict.fromkeys([_CELL, *model.cells]))
    for mask_flanks in (True, False):
        job = EnhancerJob(model, cells, mask_flanks=mask_flanks, threads=2)
        scored = score_elements(job, elements, lambda _: None)
        flanks = "masked flanks" if mask_flanks else "genome flanks"
        both = scored, scored._replace(scores=sigmoid(scored.scores))
        for what, some in zip(("log-odds   ", "probability"), both, strict=True):
            result = analyze_elements(job, some, activities, lambda _: None)
            print_result(f"{name:<14} {flanks} {what} {_row(job, result, gc)}")
        here = _of_chrom(scored, _HELD_OUT)
        result = analyze_elements(job, here, activities, lambda _: None)
        n = len(here.elements)
        row = _row(job, result, gc[on_chrom])
        print_result(f"{name:<14} {flanks} {_HELD_OUT}, {n} {row}")


def _describe(
    frame: pd.DataFrame, genome: Sequences, elements: Elements
) -> NDArray[np.float64]:
    """Say what there is; give the activities of what can be used."""
    scrambled = frame["kind"].str.startswith("scram")
    natural = frame[~scrambled]
    there = natural["chrom"].isin(list(genome.chrom_sizes))
    print_result(
        f"{len(natural):,} elements, {there.sum():,} on chromosomes of the FASTA, "
        f"{len(elements.found)} of them with all bases"
    )
    for what, rows in (("natural", natural), ("scrambled", frame[scrambled])):
        middle, spread = rows["activity"].mean(), rows["activity"].std()
        print_result(
            f"{what}: log2 activity {middle:.2f}, SD {spread:.2f}, n {len(rows):,}; "
            f"standard error over barcodes {rows['error'].median():.2f} (median)"
        )
    of = dict(zip(frame["name"], frame["activity"], strict=True))
    reported = np.array([of[element.name] for element in elements.found])
    shares = [_gc(genome, element) for element in elements.found]
    rho, p = spearmanr(shares, reported)
    print_result(f"fraction of G and C against activity: rho {rho:.3f} (p {p:.1e})")
    return reported


def main() -> None:
    """Print counts and comparisons; in brackets K562's place among all cell lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measured", type=Path, required=True)
    parser.add_argument("-g", "--fasta", type=Path, required=True)
    parser.add_argument("--models", nargs="+", default=_MODELS)
    parser.add_argument("--out-dir", type=Path)
    parser.add_argument("--cache-dir", type=Path)
    asked = parser.parse_args()
    frame = _measured(asked.measured)
    genome = open_genome(asked.fasta, asked.cache_dir)
    elements = _usable(frame[~frame["kind"].str.startswith("scram")], genome)
    reported = _describe(frame, genome, elements)
    names = [element.name for element in elements.found]
    if asked.out_dir:
        check_output_dir(asked.out_dir)
        used = frame[frame["name"].isin(names)]
        write_text(asked.out_dir / "k562.bed", _bed(used))
        table = used[["name", "activity"]].to_csv(sep="\t", index=False)
        write_text(asked.out_dir / "k562.activities.tsv", table)
    of = Activities(dict(zip(names, reported.tolist(), strict=True)), [])
    for name in asked.models:
        _evaluate(name, elements, of)


if __name__ == "__main__":
    main()
