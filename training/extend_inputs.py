"""The names and tracks that a model is extended with, checked before any work.

A table may name known TFs and cell lines with their exact names. What would not be used
as its owner expects is refused, with the line of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfimpute_tracks.aliases import Kind
from tfimpute_tracks.errors import InputFileError, UsageError, counted, listed
from tfimpute_tracks.evidence import ACCESSIBILITY, PeakDatabase, PeakFile
from tfimpute_tracks.genome import merge_intervals, read_bed
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = [
    "MIN_PEAKS",
    "NewTracks",
    "check_tracks",
    "merge_replicates",
    "read_new_tracks",
]

MIN_PEAKS = 50
"""Peaks that a new track must have on the chromosomes of the genome."""
_MAX_OPEN = 0.2  # of the genome that accessible chromatin covers


class NewTracks(NamedTuple):
    """Tracks of new names.

    Attributes
    ----------
    tfs, cells : tuple of str
        New names, in the order of the tables.
    files : list of PeakFile
        Of new pairs, and of the accessibility of new cell lines.
    """

    tfs: tuple[str, ...]
    cells: tuple[str, ...]
    files: list[PeakFile]

    @property
    def measured(self) -> list[tuple[Pair, Path]]:
        """Pairs of a TF and a cell line, and their peaks."""
        return [(f.pair, f.path) for f in self.files if f.pair.tf != ACCESSIBILITY]


def merge_replicates(
    files: Sequence[PeakFile], folder: Path, log: Callable[[str], None]
) -> list[PeakFile]:
    """Merge the peaks of the files of a pair.

    Parameters
    ----------
    files : sequence of PeakFile
    folder : Path
        Receives a BED file for each pair of several files.
    log : callable
        Receives a line for each.

    Returns
    -------
    list of PeakFile
        One per pair.

    Raises
    ------
    InputFileError
        A file is no BED.
    """
    import pandas as pd

    by_pair: dict[Pair, list[PeakFile]] = {}
    for file in files:
        by_pair.setdefault(file.pair, []).append(file)
    merged = []
    for number, (pair, own) in enumerate(by_pair.items()):
        if len(own) == 1:
            merged += own
            continue
        peaks = merge_intervals(pd.concat([read_bed(file.path) for file in own]))
        path = folder / f"{number}.bed"
        rows = peaks[["chrom", "start", "end"]]
        rows.to_csv(path, sep="\t", header=False, index=False)
        merged.append(PeakFile(pair, "", path))
        log(f"{own[0]._replace(replicate='').label}: peaks of {len(own)} files merged")
    return merged


def read_new_tracks(
    model: Model, pairs: Sequence[PeakFile], accessibility: Sequence[PeakFile]
) -> NewTracks:
    """Find the new names among those of tracks.

    Parameters
    ----------
    model : Model
    pairs, accessibility : sequence of PeakFile
        As their tables list them.

    Returns
    -------
    NewTracks

    Raises
    ------
    UsageError
        The model was extended before; a name is another spelling of a known one, or a
        TF's where a cell line's should be; nothing is new; or two files are of one pair.
    """
    if "extended" in model.card:
        names = [*model.card["extended"]["tfs"], *model.card["extended"]["cells"]]
        raise UsageError(
            f"{model.name} was extended already, with {listed(names)}; extend "
            f"{model.card['extended']['base']} with all new names in one table"
        )
    known = model.vocabulary
    tfs: dict[str, None] = {}
    cells: dict[str, None] = {}
    seen: dict[Pair, Path] = {}
    for file in (*pairs, *accessibility):
        tf, cell = file.pair
        if file.pair in seen:
            raise UsageError(
                f"{file.label} has two files, {seen[file.pair]} and {file.path}; merge "
                "them into one"
            )
        seen[file.pair] = file.path
        if tf != ACCESSIBILITY and _is_new(known, tf, "TF"):
            tfs[tf] = None
        if _is_new(known, cell, "cell line"):
            cells[cell] = None
    for name in tfs.keys() & cells.keys():
        raise UsageError(f"{name} is a TF and a cell line in the tables; rename one")
    files = [
        f for f in (*pairs, *accessibility) if f.pair.tf in tfs or f.pair.cell in cells
    ]
    if not files:
        labels = listed(file.label for file in (*pairs, *accessibility))
        raise UsageError(
            f"{model.name} knows all of {labels}; `tfimpute-tracks evidence build` makes "
            "evidence of tracks of known names"
        )
    return NewTracks(tuple(tfs), tuple(cells), files)


def _is_new(known: Vocabulary, name: str, kind: Kind) -> bool:
    """Decide whether a name is new; refuse one that is almost known."""
    is_tf = kind == "TF"
    names = known.tfs if is_tf else known.cells
    if name in names:
        return False
    if known.find_alias(name, "cell line" if is_tf else "TF") is not None:
        raise UsageError(
            f"{name} is a {'cell line' if is_tf else 'TF'}, and the table has it as a "
            f"{kind}; are the columns tf and cell swapped?"
        )
    same = known.find_alias(name, kind)
    if same is not None:
        raise UsageError(
            f"the {kind} {name!r} is another name of {same}, which the model knows; write "
            f"{same}, or choose a name of your own such as {same}-mine"
        )
    return True


def check_tracks(
    files: Sequence[PeakFile], database: PeakDatabase, chroms: Mapping[str, int]
) -> None:
    """Refuse tracks with too few peaks, and accessibility that is no accessibility.

    Parameters
    ----------
    files : sequence of PeakFile
    database : PeakDatabase
        With their tracks.
    chroms : mapping of str to int
        Chromosomes of the genome with sequence, and their lengths in bp.

    Raises
    ------
    InputFileError
    """
    n_peaks = dict.fromkeys(range(len(database.tracks)), 0)
    covered = dict(n_peaks)
    found_on: dict[int, list[str]] = {number: [] for number in n_peaks}
    total = 0
    for chrom, peaks in database.peaks.items():
        for number in np.unique(peaks.track).tolist():
            found_on[number].append(chrom)
        if chrom in chroms:
            total += chroms[chrom]
            for number in n_peaks:
                own = peaks.track == number
                n_peaks[number] += int(own.sum())
                covered[number] += int((peaks.end - peaks.start)[own].sum())
    file_of = {(file.pair, file.replicate): file for file in files}
    found = {(track.pair, track.replicate) for track in database.tracks}
    for key in file_of.keys() - found:
        file = file_of[key]
        raise InputFileError(f"{file.path}: is empty; {file.label} needs peaks")
    for number, track in enumerate(database.tracks):
        file = file_of[track.pair, track.replicate]
        if not n_peaks[number]:
            raise InputFileError(
                f"{file.path}: its peaks are on {listed(found_on[number], 3)}, and the "
                f"FASTA has {listed(chroms, 3)}; use peaks on these chromosomes, or "
                "another FASTA"
            )
        if n_peaks[number] < MIN_PEAKS:
            raise InputFileError(
                f"{file.path}: {counted(n_peaks[number], 'peak')} of {file.label} on the "
                f"chromosomes of the FASTA; use a track with {MIN_PEAKS} or more"
            )
        if covered[number] > _MAX_OPEN * total:
            raise InputFileError(
                f"{file.path}: the peaks of {file.label} cover "
                f"{covered[number] / total:.0%} of the genome, where peaks cover a few "
                "percent; use called peaks"
            )
