"""Rows of a tab-separated table as bytes: names, and numbers with significant digits.

An allele scored for all pairs has 15,015 rows with four numbers. They take 5 ms here,
35 ms as Python strings and 125 ms with pandas' `to_csv`, more than their scores take;
pyarrow's writer cannot round to significant digits. The kernel releases the GIL, so that
threads can format in parallel. Numbers have no exponent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit

__all__ = ["Names", "format_rows", "join_names"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_MAX_DECIMALS = 12
_MAX_WIDTH = 32  # bytes of a number with its tab: sign, 15 digits, point, 12 decimals


class Names(NamedTuple):
    """Concatenated texts.

    Attributes
    ----------
    text : uint8 array
    offsets : int64 array, shape (n + 1,)
        Text i is text[offsets[i] : offsets[i + 1]].
    """

    text: NDArray[np.uint8]
    offsets: Ints


def join_names(names: Sequence[str]) -> Names:
    """Concatenate texts for :func:`format_rows`.

    Parameters
    ----------
    names : sequence of str

    Returns
    -------
    Names
        In UTF-8.
    """
    texts = [name.encode() for name in names]
    sizes = [len(text) for text in texts]
    return Names(
        np.frombuffer(b"".join(texts), dtype=np.uint8),
        np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]),
    )


def format_rows(
    prefix: str, names: Names, chosen: Ints, values: Floats, digits: Sequence[int]
) -> bytes:
    """Format rows of a prefix, a name, and numbers, each after a tab.

    Parameters
    ----------
    prefix : str
        Beginning of every row.
    names : Names
    chosen : int64 array, shape (n_rows,)
        Index of the name, and of the value in each column, of a row.
    values : float32 array, shape (n_columns, n)
        Below 1e15. NaN is written as an empty field.
    digits : sequence of int
        Significant digits of each column, 9 at most, with at most 12 decimals.

    Returns
    -------
    bytes
        With a line end after each row.

    Raises
    ------
    IndexError
        An index is out of range.
    """
    n = min(values.shape[1], names.offsets.size - 1)
    if chosen.size and not 0 <= chosen.min() <= chosen.max() < n:
        raise IndexError(f"rows outside of {n} are chosen")
    start = np.frombuffer(prefix.encode(), dtype=np.uint8)
    sizes = names.offsets[chosen + 1] - names.offsets[chosen]
    width = start.size + _MAX_WIDTH * len(values) + 1
    out = np.empty(int(sizes.sum()) + width * chosen.size, dtype=np.uint8)
    buffer = np.empty(_MAX_WIDTH, dtype=np.uint8)
    end = _format(
        start,
        names.text,
        names.offsets,
        chosen,
        np.ascontiguousarray(values, dtype=np.float32),
        np.asarray(digits, dtype=np.int64),
        buffer,
        out,
    )
    return out[:end].tobytes()


@njit(nogil=True, cache=True)
def _format(prefix, text, offsets, chosen, values, digits, buffer, out):  # type: ignore[no-untyped-def]
    end = 0
    for row in chosen:
        for character in prefix:
            out[end] = character
            end += 1
        for i in range(offsets[row], offsets[row + 1]):
            out[end] = text[i]
            end += 1
        for column in range(values.shape[0]):
            out[end] = 9  # a tab
            end += 1
            value = values[column, row]
            if value == value:  # not NaN
                end = _number(np.float64(value), digits[column], buffer, out, end)
        out[end] = 10  # a line end
        end += 1
    return end


@njit(nogil=True, cache=True)
def _number(value, digits, buffer, out, end):  # type: ignore[no-untyped-def]
    size = abs(value)
    decimals = digits - 1
    bound = 1.0
    while size < bound and decimals < _MAX_DECIMALS:
        decimals += 1
        bound /= 10
    bound = 10.0
    while size >= bound and decimals > 0:
        decimals -= 1
        bound *= 10
    scale = 1.0
    for _ in range(decimals):
        scale *= 10
    whole = np.int64(np.rint(size * scale))
    if value < 0 and whole:
        out[end] = 45  # a minus
        end += 1
    # From the last digit to the first.
    for i in range(decimals):
        buffer[i] = 48 + whole % 10
        whole //= 10
    n = decimals
    if decimals:
        buffer[n] = 46  # a point
        n += 1
    while True:
        buffer[n] = 48 + whole % 10
        whole //= 10
        n += 1
        if not whole:
            break
    # Skip trailing zeros.
    first = 0
    if decimals:
        while buffer[first] == 48:
            first += 1
        if buffer[first] == 46:
            first += 1
    for i in range(n - 1, first - 1, -1):
        out[end] = buffer[i]
        end += 1
    return end
