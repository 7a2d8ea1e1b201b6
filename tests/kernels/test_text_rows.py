"""Rows of text against Python's own formatting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.kernels.text_rows import format_rows, join_names

NUMBERS = st.floats(-1e9, 1e9, width=32) | st.floats(-1, 1, width=32)


def _one(value, digits):
    values = np.array([[value]], dtype=np.float32)
    text = format_rows("", join_names([""]), np.arange(1), values, [digits]).decode()
    assert text.startswith("\t")
    assert text.endswith("\n")
    return text[1:-1]


@given(value=NUMBERS, digits=st.integers(1, 9))
def test_numbers_read_back_to_so_many_digits(value, digits):
    text = _one(value, digits)
    assert set(text) <= set("-.0123456789")
    exact = float(np.float32(value))
    # Half of the last digit, or of the twelfth decimal.
    margin = max(0.5001 * 10.0 ** (1 - digits) * abs(exact), 0.5001e-12)
    assert abs(float(text) - exact) <= margin
    assert "." not in text or text[-1] not in "0."
    assert text not in ("-0", "")


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0, 6, "0"),
        (-0.0, 6, "0"),
        (0.5, 6, "0.5"),
        (1.23456789e-5, 6, "0.0000123457"),
        (-1e-5, 3, "-0.00001"),
        (0.9999999, 6, "1"),
        (123.456, 5, "123.46"),
        (1e-14, 6, "0"),
        (-1e-14, 6, "0"),
        (1234567, 3, "1234567"),
        (np.nan, 6, ""),
    ],
)
def test_numbers_as_they_are_written(value, digits, text):
    assert _one(value, digits) == text


def test_rows_have_the_head_their_name_and_their_numbers():
    names = join_names(["a", "", "Zürich\tx"])
    values = np.array([[1, 2, 3], [0.25, np.nan, -0.125]], dtype=np.float32)
    text = format_rows("chr1\t7", names, np.array([2, 0, 1]), values, [6, 2])
    expected = "chr1\t7Zürich\tx\t3\t-0.12\nchr1\t7a\t1\t0.25\nchr1\t7\t2\t\n"
    assert text.decode() == expected
    assert format_rows("x", names, np.empty(0, np.int64), values, [6, 2]) == b""
    with pytest.raises(IndexError, match="of 3 are chosen"):
        format_rows("", names, np.array([3]), values, [6, 2])
