"""Write the scores of all substitutions: a table, and a track and a figure per pair."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.plots.mutagenesis import mutagenesis_figure
from tfimpute_tracks.plots.style import save_figure
from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.tracks.formats import write_track
from tfimpute_tracks.variants.mutagenesis import MutagenesisScores
from tfimpute_tracks.vocabulary import Pair

__all__ = ["COLUMNS", "write_mutagenesis"]

COLUMNS = (
    *("chrom", "pos", "ref", "alt", "tf", "cell"),
    *("p_ref", "p_alt", "delta", "delta_log_odds"),
)
"""Of the table."""
_BASES = "ACGT"


def write_mutagenesis(
    scores: MutagenesisScores,
    model: Model,
    pairs: list[Pair],
    genome: Sequences,
    out_dir: Path,
) -> list[Path]:
    """Write the files of a region.

    Parameters
    ----------
    scores : MutagenesisScores
    model : Model
        The model that scored it.
    pairs : list of Pair
        In the order of the scores.
    genome : Sequences
        For the chromosome sizes of the tracks.
    out_dir : Path

    Returns
    -------
    list of Path
        The table; a bigWig and an SVG for each pair.

    Raises
    ------
    RegionError
        No position has a score.
    WriteError
        The disk is full, or a file cannot be written.
    """
    chrom, start, end = scores.region
    if not scores.is_scored.any():
        raise RegionError(
            f"no base of {scores.region} has a score: the sequence there, or around it, "
            "is unknown (N); choose a region of known sequence"
        )
    stem = f"{chrom.replace('/', '_')}-{start + 1}-{end}"
    files = [out_dir / f"{stem}.mutagenesis.tsv"]
    _write_table(files[0], scores, pairs)
    for pair, importance, changes in zip(
        pairs, scores.importance, scores.changes, strict=True
    ):
        files += [
            out_dir / f"{stem}.{pair.tf}.{pair.cell}.{suffix}"
            for suffix in ("bw", "svg")
        ]
        signal = Signal(chrom, start, 1, importance)
        write_track("bigwig", files[-2], genome.chrom_sizes, [signal])
        about = _describe(model, pair)
        title = f"{pair.tf} in {pair.cell} ({about}), {chrom}:{start + 1:,}-{end:,}"
        figure = mutagenesis_figure(
            changes.astype(np.float64), scores.codes, scores.region, title
        )
        save_figure(figure, files[-1], f"Substitutions: {title}")
    return files


def _describe(model: Model, pair: Pair) -> str:
    auroc = model.expected(pair)
    expected = "" if auroc is None else f", expected AUROC {auroc:.2f}"
    return model.status(pair) + expected


def _write_table(dest: Path, scores: MutagenesisScores, pairs: list[Pair]) -> None:
    chrom, start, _ = scores.region
    with (
        atomic_file(dest) as temp,
        temp.open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(COLUMNS)
        all_changes = scores.changes
        for i in np.flatnonzero(scores.is_scored):
            ref = int(scores.codes[i])
            probabilities, changes = sigmoid(scores.logits[:, i]), all_changes[:, i]
            for alt in range(len(_BASES)):
                if alt == ref:
                    continue
                locus = chrom, start + i + 1, _BASES[ref], _BASES[alt]
                for j, pair in enumerate(pairs):
                    p_ref, p_alt = probabilities[j, [ref, alt]]
                    effects = f"{p_ref:.6g}", f"{p_alt:.6g}", f"{p_alt - p_ref:.6g}"
                    change = f"{changes[j, alt]:.5g}"
                    table.writerow([*locus, *pair, *effects, change])
