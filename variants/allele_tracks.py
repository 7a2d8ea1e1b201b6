"""Tracks of both alleles around the variants, in the coordinates of the genome.

Scores wait in a temporary file until all variants are scored, because a bigWig is written
in genome order. After an indel, tiles of the alternate allele are shifted back by the
inserted bases, or forward by the deleted ones. Every base belongs to the nearest variant;
of several variants at one position, to the first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import WriteError
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.tracks.formats import write_track
from tfimpute_tracks.variants.alleles import AlleleScores
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "MAX_PAIRS",
    "AlleleTrack",
    "AlleleTrackFile",
    "align_alleles",
    "open_allele_tracks",
]

Floats = NDArray[np.float32]

MAX_PAIRS = 20
"""Pairs of which tracks are written: each has three files."""
_KINDS = ("ref", "alt", "delta")


class AlleleTrack(NamedTuple):
    """Both alleles over the same bins of the genome.

    Attributes
    ----------
    variant : Variant
    start : int
        Of the first bin, 0-based, in bp.
    values : float32 array, shape (2, n_pairs, n_bins)
        Probabilities of the reference and of the alternate allele; NaN for no value.
    """

    variant: Variant
    start: int
    values: Floats


def align_alleles(scores: AlleleScores, seq_len: int, stride: int) -> AlleleTrack:
    """Align the scores of both alleles to the genome.

    Parameters
    ----------
    scores : AlleleScores
    seq_len, stride : int
        Of the tiles, in bp; a score belongs to the `stride` bp in the middle of its tile.

    Returns
    -------
    AlleleTrack
    """
    variant = scores.variant
    # From a tile's center, relative to the variant, to its bin.
    shift = (seq_len - stride) // 2 - seq_len // 2
    centers = scores.ref_centers + shift + stride // 2
    n_ref, n_alt = len(variant.ref), len(variant.alt)
    in_alt = np.where(centers < n_ref, np.minimum(centers, n_alt - 1), centers)
    in_alt = np.where(centers >= n_ref, centers + n_alt - n_ref, in_alt)
    tiles = (in_alt - int(scores.alt_centers[0]) - shift) // stride
    tiles = np.clip(tiles, 0, len(scores.alt) - 1)
    values = np.stack([sigmoid(scores.ref).T, sigmoid(scores.alt[tiles]).T])
    start = variant.start + int(scores.ref_centers[0]) + shift
    return AlleleTrack(variant, start, values)


class _Entry(NamedTuple):
    """Where a track is in the file; sorts in genome order."""

    chrom: int
    position: int
    number: int
    start: int
    n_bins: int
    offset: int


class AlleleTrackFile:
    """Tracks that wait to be written; :func:`open_allele_tracks` makes one.

    Parameters
    ----------
    file : binary file
    n_pairs : int
    chroms : sequence of str
        In the order of the genome.
    stride : int
        Width of a bin in bp.
    """

    def __init__(
        self, file: IO[bytes], n_pairs: int, chroms: Sequence[str], stride: int
    ) -> None:
        self._file, self._n_pairs, self._stride = file, n_pairs, stride
        self._chroms = tuple(chroms)
        self._numbers = {chrom: number for number, chrom in enumerate(chroms)}
        self._entries: list[_Entry] = []
        self._n_values = 0

    def add(self, track: AlleleTrack) -> None:
        """Keep a track.

        Parameters
        ----------
        track : AlleleTrack

        Raises
        ------
        WriteError
            The disk is full.
        """
        chrom, number = self._numbers[track.variant.chrom], len(self._entries)
        n_bins = track.values.shape[2]
        self._entries.append(
            _Entry(
                *(chrom, track.variant.start, number),
                *(track.start, n_bins, self._n_values),
            )
        )
        self._n_values += track.values.size
        try:
            self._file.write(np.ascontiguousarray(track.values).tobytes())
        except OSError as error:
            raise WriteError(
                f"cannot keep the tracks: {error.strerror}; free some space, or select "
                "fewer pairs"
            ) from error

    def write(
        self, stem: Path, pairs: Sequence[Pair], chrom_sizes: Mapping[str, int]
    ) -> list[Path]:
        """Write three bigWigs for each pair.

        Parameters
        ----------
        stem : Path
            Prefix of their names.
        pairs : sequence of Pair
        chrom_sizes : mapping of str to int

        Returns
        -------
        list of Path
            Empty if there is no track.

        Raises
        ------
        WriteError
            The disk is full, or a file cannot be written.
        """
        written: list[Path] = []
        if not self._entries:
            return written
        self._file.flush()
        values = np.memmap(self._file.name, dtype=np.float32, mode="r")
        entries = np.array(sorted(self._entries), dtype=np.int64)
        for i, pair in enumerate(pairs):
            for kind in _KINDS:
                dest = stem.with_name(f"{stem.name}.{pair.tf}.{pair.cell}.{kind}.bw")
                signals = self._signals(entries, values, i, kind)
                write_track("bigwig", dest, chrom_sizes, signals)
                written.append(dest)
        return written

    def _signals(
        self, entries: NDArray[np.int64], values: Floats, pair: int, kind: str
    ) -> Iterator[Signal]:
        # Of several alleles at one position, the first in the file.
        is_first = np.ones(len(entries), dtype=np.bool_)
        is_first[1:] = (entries[1:, :2] != entries[:-1, :2]).any(axis=1)
        entries = entries[is_first]
        chroms, positions = entries[:, 0], entries[:, 1]
        midpoints = (positions[:-1] + positions[1:] + 1) // 2
        same_chrom = chroms[:-1] == chroms[1:]
        lower = np.concatenate([[0], np.where(same_chrom, midpoints, 0)])
        end = np.iinfo(np.int64).max
        upper = np.concatenate([np.where(same_chrom, midpoints, end), [end]])
        for (chrom, _, _, start, n_bins, offset), first, last in zip(
            entries.tolist(), lower.tolist(), upper.tolist(), strict=True
        ):
            stop = offset + 2 * self._n_pairs * n_bins
            ref, alt = values[offset:stop].reshape(2, self._n_pairs, n_bins)[:, pair]
            shown = {"ref": ref, "alt": alt, "delta": alt - ref}[kind]
            yield from self._clip(chrom, start, shown, first, last)

    def _clip(
        self, chrom: int, start: int, values: Floats, first: int, last: int
    ) -> Iterator[Signal]:
        """Return the bins between two positions, and parts of those across them."""
        name, stride = self._chroms[chrom], self._stride
        first = max(first, start)
        last = min(last, start + len(values) * stride)
        if first >= last:
            return
        left, right = -(-(first - start) // stride), (last - start) // stride
        if left > right:  # both in one bin
            yield Signal(name, first, last - first, values[right:left])
            return
        if gap := start + left * stride - first:
            yield Signal(name, first, gap, values[left - 1 : left])
        if left < right:
            yield Signal(name, start + left * stride, stride, values[left:right])
        if gap := last - start - right * stride:
            yield Signal(name, start + right * stride, gap, values[right : right + 1])


@contextmanager
def open_allele_tracks(
    folder: Path, n_pairs: int, chroms: Sequence[str], stride: int
) -> Iterator[AlleleTrackFile]:
    """Open a temporary file of tracks, which is deleted in the end.

    Parameters
    ----------
    folder : Path
    n_pairs : int
    chroms : sequence of str
    stride : int

    Yields
    ------
    AlleleTrackFile
    """
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".tracks.") as file:
        yield AlleleTrackFile(file, n_pairs, chroms, stride)
