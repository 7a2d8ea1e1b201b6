"""Equal digests mean equal content, and unequal ones unequal content."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.storage import digest_arrays, digest_file, digest_json

ARRAYS = arrays(scalar_dtypes(), array_shapes(min_dims=0, min_side=0, max_side=4))


def test_file_is_digested_as_sha256sum_does(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"ACGT" * 100_000)
    expected = hashlib.sha256(b"ACGT" * 100_000).hexdigest()
    assert digest_file(path) == f"sha256:{expected}"


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputFileError, match="none: No such file"):
        digest_file(tmp_path / "none")


@given(ARRAYS, ARRAYS)
def test_arrays_are_equal_when_type_shape_and_bytes_are(one, two):
    def content(a):
        return a.dtype.str, a.shape, a.tobytes()

    is_equal = content(one) == content(two)
    assert (digest_arrays(one) == digest_arrays(two)) == is_equal


@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=2)))
def test_layout_in_memory_does_not_count(array):
    expected = digest_arrays(array)
    assert digest_arrays(np.asfortranarray(array)) == expected
    assert digest_arrays(np.repeat(array, 2, axis=1)[:, ::2]) == expected


def test_order_and_borders_of_arrays_count():
    a, b = np.arange(3), np.arange(5)
    assert digest_arrays(a, b) != digest_arrays(b, a)
    assert digest_arrays(a[:2], a[2:]) != digest_arrays(a[:1], a[1:])


def test_objects_have_no_digest():
    with pytest.raises(TypeError, match="object"):
        digest_arrays(np.array([None]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=5))
def test_order_of_keys_does_not_count(obj):
    assert digest_json(dict(reversed(obj.items()))) == digest_json(obj)


def test_json_values_count():
    texts = [{"a": 1}, {"a": 1.0}, {"a": "1"}, {"a": None}, {"b": 1}, {}, [], [1, [2]]]
    assert len({digest_json(obj) for obj in texts}) == len(texts)
    assert digest_json((1, 2)) == digest_json([1, 2])


def test_nan_has_no_digest():
    with pytest.raises(ValueError, match="JSON compliant"):
        digest_json({"a": float("nan")})
