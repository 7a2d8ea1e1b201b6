"""Rows of a tab-separated table as bytes: names, and numbers to so many digits.

Python takes two microseconds to format a row, and all pairs are 15,015 rows an allele:
more than they take to be scored. Digits are written here without an exponent, in
threads, for the kernel lets go of Python's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["Names", "format_rows", "join_names"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_MOST_DECIMALS = 12
_WIDEST = 32  # bytes of a number with its tab: sign, 15 digits, point, 12 decimals


class Names(NamedTuple):
    """Texts one behind the other.

    Attributes
    ----------
    text : uint8 array
    offsets : int64 array, shape (n + 1,)
        Text i lies from offsets[i] to offsets[i + 1].
    """

    text: NDArray[np.uint8]
    offsets: Ints


def join_names(names: Sequence[str]) -> Names:
    """Lay texts out for :func:`format_rows`.

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
    head: str, names: Names, chosen: Ints, values: Floats, digits: Sequence[int]
) -> bytes:
    """Write rows: the head, a name, and numbers, each behind a tab.

    Parameters
    ----------
    head : str
        What every row begins with.
    names : Names
    chosen : int64 array, shape (n_rows,)
        Which name, and which value of each column, a row has.
    values : float32 array, shape (n_columns, n)
        Below 1e15. NaN leaves its field empty.
    digits : sequence of int
        Of each column: significant ones, 9 at most; decimals are no more than 12.

    Returns
    -------
    bytes
        A line end behind each row.

    Raises
    ------
    IndexError
        A row is chosen that is not there.
    """
    n = min(values.shape[1], names.offsets.size - 1)
    if chosen.size and not 0 <= chosen.min() <= chosen.max() < n:
        raise IndexError(f"rows outside of {n} are chosen")
    start = np.frombuffer(head.encode(), dtype=np.uint8)
    sizes = names.offsets[chosen + 1] - names.offsets[chosen]
    width = start.size + _WIDEST * len(values) + 1
    out = np.empty(int(sizes.sum()) + width * chosen.size, dtype=np.uint8)
    room = np.empty(_WIDEST, dtype=np.uint8)
    end = _format(
        start,
        names.text,
        names.offsets,
        chosen,
        np.ascontiguousarray(values, dtype=np.float32),
        np.asarray(digits, dtype=np.int64),
        room,
        out,
    )
    return out[:end].tobytes()


@njit(nogil=True, cache=True)
def _format(head, text, offsets, chosen, values, digits, room, out):  # type: ignore[no-untyped-def]
    end = 0
    for row in chosen:
        for letter in head:
            out[end] = letter
            end += 1
        for i in range(offsets[row], offsets[row + 1]):
            out[end] = text[i]
            end += 1
        for column in range(values.shape[0]):
            out[end] = 9  # a tab
            end += 1
            value = values[column, row]
            if value == value:  # no NaN
                end = _number(np.float64(value), digits[column], room, out, end)
        out[end] = 10  # a line end
        end += 1
    return end


@njit(nogil=True, cache=True)
def _number(value, digits, room, out, end):  # type: ignore[no-untyped-def]
    size = abs(value)
    decimals = digits - 1
    bound = 1.0
    while size < bound and decimals < _MOST_DECIMALS:
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
        room[i] = 48 + whole % 10
        whole //= 10
    n = decimals
    if decimals:
        room[n] = 46  # a point
        n += 1
    while True:
        room[n] = 48 + whole % 10
        whole //= 10
        n += 1
        if not whole:
            break
    # Zeros behind the last digit tell nothing.
    first = 0
    if decimals:
        while room[first] == 48:
            first += 1
        if room[first] == 46:
            first += 1
    for i in range(n - 1, first - 1, -1):
        out[end] = room[i]
        end += 1
    return end
