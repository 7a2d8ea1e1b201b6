"""The genome as a FASTA file that exists nowhere on disk.

igv.js requests byte ranges of a FASTA file with an index. This module answers them from
any genome, compressed or not: each chromosome is one line, so a byte offset is a position.
"""

from __future__ import annotations

from bisect import bisect_right

from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.kernels.encode import decode

__all__ = ["VirtualFasta"]


class VirtualFasta:
    """A genome as bytes of a FASTA file with one line per chromosome.

    Parameters
    ----------
    genome : Sequences

    Attributes
    ----------
    size : int
        In bytes.
    index : str
        The text of its `.fai`.
    """

    def __init__(self, genome: Sequences) -> None:
        self._genome = genome
        self._headers: list[tuple[str, bytes]] = []  # chromosome and its header line
        self._offsets: list[int] = []  # of the headers
        self.size, self.index = 0, ""
        for chrom, length in genome.chrom_sizes.items():
            header = f">{chrom}\n".encode()
            self._headers.append((chrom, header))
            self._offsets.append(self.size)
            offset = self.size + len(header)
            self.index += f"{chrom}\t{length}\t{offset}\t{length}\t{length + 1}\n"
            self.size = offset + length + 1

    def read(self, first: int, last: int) -> bytes:
        """Read bytes of the file.

        Parameters
        ----------
        first, last : int
            0-based, half-open; clipped to the file.

        Returns
        -------
        bytes
        """
        parts = []
        first, last = max(first, 0), min(last, self.size)
        while first < last:
            part = self._read_part(first, last - first)
            parts.append(part)
            first += len(part)
        return b"".join(parts)

    def _read_part(self, first: int, n_bytes: int) -> bytes:
        """Read from a header, a sequence or a line break: at least one byte."""
        i = bisect_right(self._offsets, first) - 1
        chrom, header = self._headers[i]
        offset = first - self._offsets[i]
        if offset < len(header):
            return header[offset : offset + n_bytes]
        start, length = offset - len(header), self._genome.chrom_sizes[chrom]
        if start == length:
            return b"\n"
        codes = self._genome.codes(chrom, start, min(start + n_bytes, length))
        return decode(codes).encode()
