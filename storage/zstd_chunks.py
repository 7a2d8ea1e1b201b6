"""Chunks of HDF5 data sets, compressed with Zstandard by us and not by HDF5.

The files are standard HDF5 with the registered filter 32015: any program with that filter
reads them. HDF5 itself would need the filter as a plugin, and the package that has it for
Python takes 185 MB. So data sets declare the filter, and HDF5 passes chunks as they are.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ZstdChunks", "create_zstd"]

_ZSTD, _FLETCHER32 = 32015, 3  # numbers of HDF5 filters
_LEVEL = 1  # higher ones take longer and gain a few percent
_WORDS = 4096  # of 16 bits, summed at once: they stay in the first-level cache
_SUMS = np.stack([np.ones(_WORDS), np.arange(_WORDS, 0, -1.0)], axis=1)


def create_zstd(
    group: Any,
    name: str,
    shape: tuple[int, ...],
    dtype: Any,
    chunks: tuple[int, ...],
    checksums: bool = False,
) -> ZstdChunks:
    """Create a data set whose chunks are compressed with Zstandard.

    Parameters
    ----------
    group : h5py.Group
    name : str
    shape : tuple of int
    dtype : dtype
    chunks : tuple of int
        Not larger than the data set.
    checksums : bool
        With HDF5's Fletcher-32 checksum of each chunk.

    Returns
    -------
    ZstdChunks
        Every chunk must be written.
    """
    dataset = group.create_dataset(
        name,
        shape,
        dtype,
        chunks=chunks,
        compression=_ZSTD,
        compression_opts=(_LEVEL,),
        allow_unknown_filter=True,
        fletcher32=checksums,
    )
    return ZstdChunks(dataset)


class ZstdChunks:
    """A data set of :func:`create_zstd`, or one that HDF5 wrote with the same filters.

    Parameters
    ----------
    dataset : h5py.Dataset

    Raises
    ------
    OSError
        The data set has other filters.
    """

    def __init__(self, dataset: Any) -> None:
        import zstandard

        settings = dataset.id.get_create_plist()
        n = settings.get_nfilters()
        filters = [settings.get_filter(i)[0] for i in range(n)]
        if filters not in ([_ZSTD], [_ZSTD, _FLETCHER32]):
            raise OSError(f"the data set has the filters {filters}")
        self._has_checksums = len(filters) == 2
        self._id, self._dtype = dataset.id, dataset.dtype
        self._decompressor = zstandard.ZstdDecompressor()
        self.shape: tuple[int, ...] = dataset.shape
        self.chunks: tuple[int, ...] = dataset.chunks
        self._n_bytes = math.prod(self.chunks) * self._dtype.itemsize

    def write_chunk(self, offset: tuple[int, ...], values: NDArray[Any]) -> None:
        """Compress and write a chunk.

        Parameters
        ----------
        offset : tuple of int
            Index of its first element.
        values : array
            Of the dtype of the data set; smaller than a chunk at the ends.
        """
        import zstandard

        if values.shape != self.chunks:
            whole = np.zeros(self.chunks, self._dtype)
            whole[tuple(slice(n) for n in values.shape)] = values
            values = whole
        plain = np.ascontiguousarray(values, self._dtype).reshape(-1).view(np.uint8)
        packed = zstandard.ZstdCompressor(_LEVEL).compress(plain.data)
        if self._has_checksums:
            packed += _fletcher32(packed).to_bytes(4, "little")
        self._id.write_direct_chunk(offset, packed)

    def read_chunk(self, offset: tuple[int, ...]) -> NDArray[Any]:
        """Read and decompress a chunk.

        Parameters
        ----------
        offset : tuple of int
            Index of its first element.

        Returns
        -------
        array, shape as `chunks`
            Read-only.

        Raises
        ------
        OSError
            The chunk is damaged. h5py may raise others.
        """
        import zstandard

        skipped, data = self._id.read_direct_chunk(offset)
        packed = memoryview(data)
        if self._has_checksums:
            packed, checksum = packed[:-4], bytes(packed[-4:])
            if checksum != _fletcher32(packed).to_bytes(4, "little"):
                raise OSError("the checksum of a chunk is wrong")
        try:
            if skipped or zstandard.frame_content_size(packed) != self._n_bytes:
                raise OSError("a chunk has another size, or was not compressed")
            plain = self._decompressor.decompress(packed)
        except zstandard.ZstdError as error:
            raise OSError(f"a chunk is damaged: {error}") from error
        return np.frombuffer(plain, self._dtype).reshape(self.chunks)

    def read(self, rows: tuple[int, int], columns: tuple[int, int]) -> NDArray[Any]:
        """Read a part of a data set with two dimensions.

        Parameters
        ----------
        rows, columns : tuple of int
            First, and last, which is not smaller; half-open, cut to the data set.

        Returns
        -------
        array, shape (n_rows, n_columns)
            Read-only where it is a part of one chunk.

        Raises
        ------
        OSError
            As :meth:`read_chunk`.
        """
        (top, bottom), (left, right) = (
            (min(first, n), min(last, n))
            for (first, last), n in zip((rows, columns), self.shape, strict=True)
        )
        height, width = self.chunks
        y, x = top - top % height, left - left % width
        if y < bottom <= y + height and x < right <= x + width:  # no copy of one chunk
            return self.read_chunk((y, x))[top - y : bottom - y, left - x : right - x]
        out = np.empty((bottom - top, right - left), self._dtype)
        for i in range(y, bottom, height):
            for j in range(x, right, width):
                chunk = self.read_chunk((i, j))
                chunk = chunk[
                    max(top - i, 0) : bottom - i, max(left - j, 0) : right - j
                ]
                place = max(i - top, 0), max(j - left, 0)
                ends = (at + n for at, n in zip(place, chunk.shape, strict=True))
                out[tuple(map(slice, place, ends))] = chunk
        return out


def _fletcher32(data: bytes | memoryview) -> int:
    """Compute the checksum of HDF5's filter 3, H5_checksum_fletcher32.

    Of 16-bit words w[0], ..., w[n - 1], the first byte the higher one and a last single
    byte followed by 0: the sum of w[i], and that of (n - i) w[i], in ones' complement.
    """
    n = -(-len(data) // 2)
    if len(data) % 2:
        data = bytes(data) + b"\0"
    # Bytes are swapped at the end: modulo 2^16 - 1 that is a multiplication by 256. Sums
    # are whole numbers below 2^53, so exact.
    words = np.frombuffer(data, "<u2")
    k = n // _WORDS
    sums = words[: k * _WORDS].reshape(k, _WORDS).astype(np.float64) @ _SUMS
    rest = words[k * _WORDS :].astype(np.float64)
    after = n - _WORDS * np.arange(1, k + 1)  # words that follow each part
    plain = int(sums[:, 0].sum() + rest.sum())
    weighted = int(sums[:, 1].sum() + sums[:, 0] @ after)
    weighted += int(rest @ _SUMS[_WORDS - len(rest) :, 1])
    low, high = ((256 * s - 1) % 0xFFFF + 1 if s else 0 for s in (plain, weighted))
    return high << 16 | low
