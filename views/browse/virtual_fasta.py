"""The genome as a browser reads it: a FASTA file that is nowhere on disk.

igv.js asks for ranges of bytes of a FASTA file with its index. Here such a file is
made up: each chromosome is one line, so the byte at an offset is a letter at a place,
and any source of sequence can be read that way, zipped or not.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from tfimpute_tracks.genome import Sequences

__all__ = ["VirtualFasta"]

_LETTERS = np.frombuffer(b"ACGTN", dtype=np.uint8)


class VirtualFasta:
    """A genome as bytes of a FASTA file without line breaks inside a chromosome.

    Parameters
    ----------
    genome : Sequences

    Attributes
    ----------
    size : int
        Bytes.
    index : str
        The text of its `.fai`.
    """

    def __init__(self, genome: Sequences) -> None:
        self._genome = genome
        heads, starts, rows = [], [], []
        offset = 0
        for chrom, size in genome.chrom_sizes.items():
            head = f">{chrom}\n".encode()
            heads.append(head)
            starts.append(offset)
            offset += len(head)
            rows.append(f"{chrom}\t{size}\t{offset}\t{size}\t{size + 1}\n")
            offset += size + 1
        self._chroms, self._heads, self._starts = (
            list(genome.chrom_sizes),
            heads,
            starts,
        )
        self.size = offset
        self.index = "".join(rows)

    def read(self, first: int, last: int) -> bytes:
        """Give bytes of the file.

        Parameters
        ----------
        first, last : int
            0-based, half-open; what lies behind the end is left out.

        Returns
        -------
        bytes
        """
        parts = []
        first, last = max(first, 0), min(last, self.size)
        while first < last:
            number = bisect_right(self._starts, first) - 1
            part = self._of_chrom(number, first - self._starts[number], last - first)
            parts.append(part)
            first += len(part)
        return b"".join(parts)

    def _of_chrom(self, number: int, first: int, most: int) -> bytes:
        """Give bytes of a chromosome's head, letters or line break, at least one."""
        head, chrom = self._heads[number], self._chroms[number]
        size = self._genome.chrom_sizes[chrom]
        if first < len(head):
            return head[first : first + most]
        start = first - len(head)
        if start == size:
            return b"\n"
        codes = self._genome.codes(chrom, start, min(start + most, size))
        return _LETTERS[codes].tobytes()
