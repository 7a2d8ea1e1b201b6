"""Codes of nucleotides: conversion from text, one-hot encoding, counting and packing.

A *code* is a uint8: A, C, G, T = 0, 1, 2, 3 and 4 for everything else. Code 4 is an
all-zero column of the one-hot matrix (the paper's X), so an unknown base adds nothing
to a convolution.
"""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = [
    "CODE_OF",
    "N_CODE",
    "count_ambiguous",
    "decode",
    "encode",
    "missing_tiles",
    "one_hot",
    "one_hot_tensor",
    "pack_2bit",
    "reverse_complement",
    "unknown_bases",
    "unpack_2bit",
]

Codes = NDArray[np.uint8]

N_CODE = 4
"""The code of every base that is not A, C, G or T."""

_COMPLEMENT = np.array([3, 2, 1, 0, 4], dtype=np.uint8)
_BASES = np.frombuffer(b"ACGTN", dtype=np.uint8)


def _code_table() -> bytes:
    table = bytearray([N_CODE] * 256)
    for base, code in zip("ACGTU", (0, 1, 2, 3, 3), strict=True):  # U of RNA is T
        table[ord(base)] = table[ord(base.lower())] = code
    return bytes(table)


CODE_OF = _code_table()
"""What each byte of a sequence is as a code, for ``bytes.translate``."""

_UNAMBIGUOUS = b"ACGTUNacgtun" + bytes(range(ord(" ") + 1))


def _as_bytes(sequence: str | bytes | Codes) -> Codes:
    if isinstance(sequence, str):
        sequence = sequence.encode("ascii", errors="replace")
    if isinstance(sequence, bytes):
        return np.frombuffer(sequence, dtype=np.uint8)
    return sequence


def encode(sequence: str | bytes | Codes) -> Codes:
    """Convert a sequence in upper or lower case to codes.

    Parameters
    ----------
    sequence : str, bytes or uint8 array of ASCII values, shape (n,)

    Returns
    -------
    uint8 array, shape (n,)
        A, C, G, T = 0..3; U as T; everything else, such as N and IUPAC codes, 4.
    """
    values = np.ascontiguousarray(_as_bytes(sequence))
    # Indexing by an array in numpy takes four times as long.
    codes = bytearray(values).translate(CODE_OF)
    return np.frombuffer(codes, dtype=np.uint8).reshape(values.shape)


def decode(codes: Codes) -> str:
    """Convert codes to a sequence in upper case, code 4 to N.

    Parameters
    ----------
    codes : uint8 array, shape (n,), values 0..4

    Returns
    -------
    str of length n
    """
    return _BASES[codes].tobytes().decode("ascii")


def count_ambiguous(sequence: bytes) -> int:
    """Count characters other than A, C, G, T, N, in either case, and white space.

    Parameters
    ----------
    sequence : str, bytes or uint8 array of ASCII values, shape (n,)

    Returns
    -------
    int
        Number of IUPAC codes and stray characters, which :func:`encode` reads as N.
    """
    return len(sequence.translate(None, _UNAMBIGUOUS))


def unknown_bases(
    codes: Codes, stride: int, seq_len: int, n_tiles: int
) -> NDArray[np.int64]:
    """Count the unknown bases of each tile: those other than A, C, G and T.

    Parameters
    ----------
    codes : uint8 array, shape ((n_tiles - 1) * stride + seq_len,) or longer
    stride, seq_len : int
        Tile i covers i * stride to i * stride + seq_len, in bp.
    n_tiles : int

    Returns
    -------
    int64 array, shape (n_tiles,)

    Raises
    ------
    IndexError
        The sequence is too short for the tiles.
    """
    needed = (n_tiles - 1) * stride + seq_len
    if n_tiles and codes.size < needed:
        raise IndexError(f"{codes.size} bases are too few for {n_tiles} tiles")
    if not n_tiles or codes.max(initial=0) < N_CODE:  # the rule, and fast to find
        return np.zeros(n_tiles, dtype=np.int64)
    # Counts of short parts fit one byte, which numpy adds several times as fast.
    part = next(n for n in range(255, 0, -1) if gcd(stride, seq_len) % n == 0)
    is_unknown = (codes[:needed] == N_CODE).view(np.uint8).reshape(-1, part)
    in_parts = np.add.reduce(is_unknown, axis=1, dtype=np.uint8)
    before = np.concatenate([[0], np.cumsum(in_parts, dtype=np.int64)])
    first = stride // part * np.arange(n_tiles)
    counts: NDArray[np.int64] = before[first + seq_len // part] - before[first]
    return counts


def missing_tiles(
    codes: Codes, stride: int, seq_len: int, n_tiles: int
) -> NDArray[np.bool_]:
    """Find the tiles without a score: more than half of their bases are unknown.

    Parameters
    ----------
    codes : uint8 array, shape ((n_tiles - 1) * stride + seq_len,) or longer
    stride, seq_len : int
        Tile i covers i * stride to i * stride + seq_len, in bp.
    n_tiles : int

    Returns
    -------
    bool array, shape (n_tiles,)

    Raises
    ------
    IndexError
        The sequence is too short for the tiles.
    """
    return 2 * unknown_bases(codes, stride, seq_len, n_tiles) > seq_len


def reverse_complement(codes: Codes) -> Codes:
    """Compute the reverse complement along the last axis.

    Parameters
    ----------
    codes : uint8 array, shape (..., n), values 0..4

    Returns
    -------
    uint8 array, shape (..., n), contiguous
        Code 4 is unchanged.
    """
    return np.ascontiguousarray(_COMPLEMENT[codes][..., ::-1])


def one_hot(codes: Codes) -> NDArray[np.float32]:
    """Encode codes as the paper's X.

    Parameters
    ----------
    codes : uint8 array, shape (..., n), values 0..4

    Returns
    -------
    float32 array, shape (..., n, 4)
        Columns A C G T; code 4 is a row of zeros.
    """
    return np.eye(5, 4, dtype=np.float32)[codes]


def one_hot_tensor(codes: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Encode codes as :func:`one_hot` does, in PyTorch and on the device of `codes`.

    Parameters
    ----------
    codes : uint8 tensor, shape (..., n), values 0..4
    dtype : torch.dtype, optional
        float32 by default.

    Returns
    -------
    tensor, shape (..., n, 4)
    """
    import torch

    return torch.eye(5, 4, dtype=dtype, device=codes.device)[codes.int()]


def pack_2bit(codes: Codes) -> Codes:
    """Pack four codes into a byte, the first code in the lowest bits.

    Parameters
    ----------
    codes : uint8 array, shape (n, L), values 0..4

    Returns
    -------
    uint8 array, shape (n, ceil(L / 4))
        Code 4 does not fit into two bits and is packed as A: store its positions
        separately.
    """
    n, length = codes.shape
    padded = np.zeros((n, -(-length // 4) * 4), dtype=np.uint8)
    padded[:, :length] = np.where(codes < N_CODE, codes, 0)
    fours = padded.reshape(n, padded.shape[1] // 4, 4)
    packed: Codes = (
        fours[..., 0] | fours[..., 1] << 2 | fours[..., 2] << 4 | fours[..., 3] << 6
    )
    return packed


def unpack_2bit(packed: Codes, length: int) -> Codes:
    """Unpack codes; the inverse of :func:`pack_2bit`.

    Parameters
    ----------
    packed : uint8 array, shape (n, ceil(length / 4))
    length : int
        Codes per row.

    Returns
    -------
    uint8 array, shape (n, length), values 0..3
    """
    shifts = np.array([0, 2, 4, 6], dtype=np.uint8)
    codes: Codes = (packed[..., None] >> shifts) & np.uint8(3)
    rows = codes.reshape(len(packed), 4 * packed.shape[1])
    return np.ascontiguousarray(rows[:, :length])
