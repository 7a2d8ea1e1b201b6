"""Base composition of sequences: GC content, repeats and unknown bases, in bins.

Repeats are the lower-case bases of the FASTA. A chromosome without any counts as all
upper case, so that only its GC content is matched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset.sites import padded_codes
from tfimpute_tracks.genome.fasta import Genome
from tfimpute_tracks.kernels.encode import N_CODE

__all__ = [
    "GC_BINS",
    "REPEAT_BINS",
    "ChromSequence",
    "Composition",
    "compose",
    "iterate_chroms",
]

GC_BINS = 50
"""Bins of the fraction of G and C among the known bases."""
REPEAT_BINS = 10
"""Bins of the fractions of repeats and of N; one more bin is for none at all."""

_BLOCK = 1 << 16


class Composition(NamedTuple):
    """Bins of some sequences.

    Parameters
    ----------
    gc : int64 array, shape (n,), values 0..GC_BINS
        The fraction in steps of 1 / GC_BINS, rounded down.
    repeat, unknown : int64 array, shape (n,), values 0..REPEAT_BINS
        The fractions in steps of 1 / REPEAT_BINS, rounded up: 0 is none at all.
    """

    gc: NDArray[np.int64]
    repeat: NDArray[np.int64]
    unknown: NDArray[np.int64]

    @property
    def key(self) -> NDArray[np.int64]:
        """One number for the three bins, int64, shape (n,)."""
        steps = REPEAT_BINS + 1
        return (self.gc * steps + self.repeat) * steps + self.unknown


def compose(codes: NDArray[np.uint8], lower: NDArray[np.bool_]) -> Composition:
    """Bin sequences by their composition.

    Parameters
    ----------
    codes : uint8 array, shape (n, L), values 0..4
    lower : bool array, shape (n, L)

    Returns
    -------
    Composition
    """
    length = max(codes.shape[1], 1)
    n_unknown = np.count_nonzero(codes == N_CODE, axis=1)
    n_gc = np.count_nonzero((codes == 1) | (codes == 2), axis=1)
    n_lower = np.count_nonzero(lower & (codes < N_CODE), axis=1)
    known = np.maximum(length - n_unknown, 1)
    return Composition(
        n_gc * GC_BINS // known,
        -(-n_lower * REPEAT_BINS // length),
        -(-n_unknown * REPEAT_BINS // length),
    )


class ChromSequence(NamedTuple):
    """Sequence and case of a chromosome, padded for windows that reach over its ends.

    Parameters
    ----------
    number : int
        Its index among the genome's chromosomes.
    codes : uint8 array, shape (size + L,), values 0..4
        From :func:`~tfimpute_tracks.dataset.sites.padded_codes`.
    lower : bool array, shape (size + L,)
    seq_len : int
        L, bp.
    """

    number: int
    codes: NDArray[np.uint8]
    lower: NDArray[np.bool_]
    seq_len: int

    def compose(self, centers: NDArray[np.int64]) -> Composition:
        """Bin the windows around some centers.

        Parameters
        ----------
        centers : int64 array, shape (n,)

        Returns
        -------
        Composition
        """
        view = np.lib.stride_tricks.sliding_window_view
        windows = view(self.codes, self.seq_len)
        lower = view(self.lower, self.seq_len)
        blocks = [
            compose(windows[block], lower[block])
            for block in np.array_split(centers, len(centers) // _BLOCK + 1)
        ]
        return Composition(
            *(np.concatenate(bins) for bins in zip(*blocks, strict=True))
        )


def iterate_chroms(
    genome: Genome, chroms: list[int], seq_len: int
) -> Iterator[ChromSequence]:
    """Read chromosomes with their case, one at a time.

    Parameters
    ----------
    genome : Genome
    chroms : list of int
        Indices of its chromosomes.
    seq_len : int
        bp.

    Yields
    ------
    ChromSequence
    """
    names = list(genome.chrom_sizes)
    for chrom in chroms:
        codes = padded_codes(genome, chrom, seq_len)
        lower = np.zeros(len(codes), dtype=np.bool_)
        inner = slice(seq_len // 2, seq_len // 2 + genome.chrom_sizes[names[chrom]])
        lower[inner] = genome.is_soft_masked(names[chrom]) & (codes[inner] < N_CODE)
        yield ChromSequence(chrom, codes, lower, seq_len)
