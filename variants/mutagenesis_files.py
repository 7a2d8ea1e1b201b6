"""What is kept of a region: a table, and of each pair a track and a picture."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from tfimpute_tracks.errors import RunError
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
_LETTERS = "ACGT"


def write_mutagenesis(
    found: MutagenesisScores,
    model: Model,
    pairs: list[Pair],
    genome: Sequences,
    out_dir: Path,
) -> list[Path]:
    """Write the files of a region.

    Parameters
    ----------
    found : Saturation
    model : Model
        That scored it.
    pairs : list of Pair
        In the order of the scores.
    genome : Sequences
        Whose chromosome sizes stand in the tracks.
    out_dir : Path

    Returns
    -------
    list of Path
        The table; a bigWig and an SVG of each pair.

    Raises
    ------
    RunError
        No letter has a score.
    WriteError
        The disk is full, or a file cannot be written.
    """
    chrom, start, end = found.region
    if not found.is_scored.any():
        raise RunError(
            f"no base of {found.region} has a score: all are unknown (N), or the "
            "sequence about them is; choose a region whose sequence is known"
        )
    stem = f"{chrom.replace('/', '_')}-{start + 1}-{end}"
    files = [out_dir / f"{stem}.mutagenesis.tsv"]
    _write_table(files[0], found, pairs)
    place = f"{chrom}:{start + 1:,}-{end:,}"
    for pair, loss, changes in zip(pairs, found.loss, found.changes, strict=True):
        own = out_dir / f"{stem}.{pair.tf}.{pair.cell}"
        files += [Path(f"{own}.bw"), Path(f"{own}.svg")]
        signal = [Signal(chrom, start, 1, loss)]
        write_track("bigwig", files[-2], genome.chrom_sizes, signal)
        title = f"{pair.tf} in {pair.cell} ({_status(model, pair)}), {place}"
        figure = mutagenesis_figure(
            changes.astype(np.float64), found.codes, found.region, title
        )
        save_figure(
            figure, files[-1], f"Substitutions: {title}", str(figure.get_label())
        )
    return files


def _status(model: Model, pair: Pair) -> str:
    word = model.status(pair)
    auroc = model.expected_auroc(pair)
    return word if auroc is None else f"{word}, expected AUROC {auroc:.2f}"


def _write_table(dest: Path, found: MutagenesisScores, pairs: list[Pair]) -> None:
    chrom, start, _ = found.region
    with (
        atomic_file(dest) as temp,
        temp.open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(COLUMNS)
        every = found.changes
        for i in np.flatnonzero(found.is_scored):
            own = int(found.codes[i])
            scores, changes = sigmoid(found.logits[:, i]), every[:, i]
            for alt in range(len(_LETTERS)):
                if alt == own:
                    continue
                for j, pair in enumerate(pairs):
                    ref_score, alt_score = scores[j, [own, alt]]
                    table.writerow(
                        [
                            *(chrom, start + i + 1, _LETTERS[own], _LETTERS[alt]),
                            *pair,
                            f"{ref_score:.6g}",
                            f"{alt_score:.6g}",
                            f"{alt_score - ref_score:.6g}",
                            f"{changes[j, alt]:.5g}",
                        ]
                    )
