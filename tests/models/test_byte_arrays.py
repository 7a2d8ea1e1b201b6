"""Matrices that a weights file holds in bytes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.models.weights_file import (
    WeightsFormat,
    read_weights_file,
    round_to_bytes,
    write_weights_file,
)

_FORMAT = WeightsFormat("test-weights", "1", "train")
_MATRIX = arrays(
    np.float32,
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    elements=st.floats(-(2**60), 2**60, width=32, allow_subnormal=False),
)


@settings(deadline=None)
@given(_MATRIX)
def test_rounding_is_close_and_done_once(matrix):
    rounded = round_to_bytes(matrix)
    assert rounded.dtype == np.float32
    level = np.abs(matrix).max(axis=0).astype(float) / 127
    error = np.abs(rounded.astype(float) - matrix)
    assert (error <= level * 0.501 + 1e-31).all()
    np.testing.assert_array_equal(round_to_bytes(rounded), rounded)


def test_a_file_returns_what_was_rounded(rng, tmp_path):
    path = tmp_path / "some.safetensors"
    found = {
        "large": rng.normal(size=(48, 64)).astype(np.float32),
        "small": rng.normal(size=5).astype(np.float32),
    }
    write_weights_file(path, _FORMAT, {}, found, None, in_bytes=["large"])
    file = read_weights_file(path, _FORMAT)
    read = file.arrays({"large": (48, 64), "small": (5,)})
    assert list(read) == ["large", "small"]
    np.testing.assert_array_equal(read["large"], round_to_bytes(found["large"]))
    np.testing.assert_array_equal(read["small"], found["small"])
    assert path.stat().st_size < 48 * 64 + 1000
    # Written again it is the same file.
    write_weights_file(path, _FORMAT, {}, read, None, in_bytes=["large"])
    assert read_weights_file(path, _FORMAT).digest == file.digest


def test_a_file_without_the_scale_of_an_array_is_refused(tmp_path):
    path = tmp_path / "some.safetensors"
    found = {"large": np.ones((2, 3), np.float32)}
    write_weights_file(path, _FORMAT, {}, found, None, in_bytes=["large"])
    file = read_weights_file(path, _FORMAT)
    del file.tensors["large.scale"]
    with pytest.raises(InputFileError, match=r"'large\.scale' is missing"):
        file.arrays({"large": (2, 3)})
