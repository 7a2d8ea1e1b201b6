"""Tracks of both alleles about the variants, over the letters of the genome.

Scores are kept in a hidden file until all variants are there, for a bigWig is written
in the order of the genome. Behind an indel the tiles of the alternative move back by as
many letters as came in, or on by as many as were lost.
Every base is drawn of the nearest variant, of several at one place of the first.
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
from tfimpute_tracks.tracks.formats import write_bigwig
from tfimpute_tracks.variants.alleles import AlleleScores, Variant
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "MAX_TRACKS",
    "AlleleTrack",
    "AlleleTrackFile",
    "kept_stretches",
    "lay_stretch",
]

Floats = NDArray[np.float32]

MAX_TRACKS = 20
"""Pairs of which tracks are written: each has three files."""
_KINDS = ("ref", "alt", "delta")


class AlleleTrack(NamedTuple):
    """Both alleles over the same bins of the genome.

    Attributes
    ----------
    variant : Variant
    start : int
        Of the first bin, 0-based, bp.
    values : float32 array, shape (2, n_pairs, n_bins)
        Probabilities of the reference and of the alternative; NaN where there is none.
    """

    variant: Variant
    start: int
    values: Floats


def lay_stretch(
    variant: Variant, curves: AlleleScores, seq_len: int, step: int
) -> AlleleTrack:
    """Lay the scores of both alleles over the genome.

    Parameters
    ----------
    variant : Variant
    curves : Curves
    seq_len, step : int
        Of the tiles, in bp; a score is drawn over the `step` bp at its middle.

    Returns
    -------
    Stretch
    """
    # From a tile's middle, as curves have it, to its bin.
    shift = (seq_len - step) // 2 - seq_len // 2
    middles = curves.ref_centers + shift + step // 2
    n_ref, n_alt = len(variant.ref), len(variant.alt)
    there = np.where(middles < n_ref, np.minimum(middles, n_alt - 1), middles)
    there = np.where(middles >= n_ref, middles + n_alt - n_ref, there)
    tiles = (there - int(curves.alt_centers[0]) - shift) // step
    tiles = np.clip(tiles, 0, len(curves.alt) - 1)
    values = np.stack([sigmoid(curves.ref).T, sigmoid(curves.alt[tiles]).T])
    start = variant.start + int(curves.ref_centers[0]) + shift
    return AlleleTrack(variant, start, values)


class _Kept(NamedTuple):
    chrom: int
    place: int
    number: int
    start: int
    n_bins: int
    offset: int


class AlleleTrackFile:
    """Stretches that wait to be written; :func:`kept_stretches` makes one.

    Parameters
    ----------
    file : binary file
    n_pairs : int
    chroms : sequence of str
        In the order of the genome.
    step : int
        bp of a bin.
    """

    def __init__(
        self, file: IO[bytes], n_pairs: int, chroms: Sequence[str], step: int
    ) -> None:
        self._file, self._n_pairs, self._step = file, n_pairs, step
        self._chroms = tuple(chroms)
        self._numbers = {chrom: number for number, chrom in enumerate(chroms)}
        self._kept: list[_Kept] = []
        self._n_values = 0

    def add(self, stretch: AlleleTrack) -> None:
        """Keep a stretch.

        Parameters
        ----------
        stretch : Stretch

        Raises
        ------
        WriteError
            The disk is full.
        """
        chrom, place = stretch.variant.chrom, stretch.variant.start
        n_bins = stretch.values.shape[2]
        self._kept.append(
            _Kept(
                self._numbers[chrom],
                place,
                len(self._kept),
                stretch.start,
                n_bins,
                self._n_values,
            )
        )
        self._n_values += stretch.values.size
        try:
            self._file.write(np.ascontiguousarray(stretch.values).tobytes())
        except OSError as error:
            raise WriteError(
                f"cannot keep the tracks: {error.strerror}; make room, or name fewer "
                "pairs"
            ) from error

    def write(
        self, stem: Path, pairs: Sequence[Pair], chrom_sizes: Mapping[str, int]
    ) -> list[Path]:
        """Write three bigWigs of each pair.

        Parameters
        ----------
        stem : Path
            What their names begin with.
        pairs : sequence of Pair
        chrom_sizes : mapping of str to int

        Returns
        -------
        list of Path
            None where nothing was kept.

        Raises
        ------
        WriteError
            The disk is full, or a file cannot be written.
        """
        written: list[Path] = []
        if not self._kept:
            return written
        self._file.flush()
        values = np.memmap(self._file.name, dtype=np.float32, mode="r")
        kept = np.array(sorted(self._kept), dtype=np.int64)
        for i, pair in enumerate(pairs):
            for kind in _KINDS:
                dest = stem.with_name(f"{stem.name}.{pair.tf}.{pair.cell}.{kind}.bw")
                write_bigwig(dest, chrom_sizes, self._pieces(kept, values, i, kind))
                written.append(dest)
        return written

    def _pieces(
        self, kept: NDArray[np.int64], values: Floats, pair: int, kind: str
    ) -> Iterator[Signal]:
        # Of several alleles at a place the first one, which stands first.
        is_first = np.ones(len(kept), dtype=np.bool_)
        is_first[1:] = (kept[1:, :2] != kept[:-1, :2]).any(axis=1)
        kept = kept[is_first]
        chroms, places = kept[:, 0], kept[:, 1]
        between = (places[:-1] + places[1:] + 1) // 2
        is_near = chroms[:-1] == chroms[1:]
        floors = np.concatenate([[0], np.where(is_near, between, 0)])
        furthest = np.iinfo(np.int64).max
        roofs = np.concatenate([np.where(is_near, between, furthest), [furthest]])
        for (chrom, _, _, start, n_bins, offset), floor, roof in zip(
            kept.tolist(), floors.tolist(), roofs.tolist(), strict=True
        ):
            end = offset + 2 * self._n_pairs * n_bins
            both = values[offset:end].reshape(2, self._n_pairs, n_bins)[:, pair]
            drawn = {"ref": both[0], "alt": both[1], "delta": both[1] - both[0]}[kind]
            yield from self._cut(chrom, start, drawn, floor, roof)

    def _cut(
        self, chrom: int, start: int, values: Floats, floor: int, roof: int
    ) -> Iterator[Signal]:
        """Give bins from a floor to a roof, those that these cross in part."""
        name, step = self._chroms[chrom], self._step
        floor = max(floor, start)
        roof = min(roof, start + len(values) * step)
        if floor >= roof:
            return
        first, last = -(-(floor - start) // step), (roof - start) // step
        if first > last:  # both within one bin
            yield Signal(name, floor, roof - floor, values[last:first])
            return
        if gap := start + first * step - floor:
            yield Signal(name, floor, gap, values[first - 1 : first])
        if first < last:
            yield Signal(name, start + first * step, step, values[first:last])
        if gap := roof - start - last * step:
            yield Signal(name, start + last * step, gap, values[last : last + 1])


@contextmanager
def kept_stretches(
    folder: Path, n_pairs: int, chroms: Sequence[str], step: int
) -> Iterator[AlleleTrackFile]:
    """Lend a hidden file of stretches, which is gone in the end.

    Parameters
    ----------
    folder : Path
    n_pairs : int
    chroms : sequence of str
    step : int

    Yields
    ------
    StretchFile
    """
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".tracks.") as file:
        yield AlleleTrackFile(file, n_pairs, chroms, step)
