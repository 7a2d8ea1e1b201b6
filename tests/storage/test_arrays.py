"""Arrays on disk: the same again, or none at all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tfimpute_tracks.storage import read_arrays, write_arrays

ABOUT = {"weights": "sha256:1", "tiles": 7}


def _write(path, rng):
    values = {
        "columns": rng.integers(0, 500, 5000).astype(np.uint16),
        "values": rng.random(5000).astype(np.float32),
        "nothing": np.empty(0, np.float32),
        "names": np.array([b"chr1", b"chr20"]),
    }
    write_arrays(path, values, ABOUT)
    return values


def test_what_was_written_is_read(tmp_path, rng):
    values = _write(tmp_path / "a.h5", rng)
    read = read_arrays(tmp_path / "a.h5", ABOUT, tuple(values))
    for name, array in values.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype
    some = read_arrays(tmp_path / "a.h5", ABOUT, ("values",))
    assert list(some) == ["values"]
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]


@given(
    st.sampled_from([np.float32, np.int64, np.uint16]).flatmap(
        lambda dtype: arrays(dtype, array_shapes(max_dims=2, max_side=30))
    )
)
def test_any_array_comes_back_bit_for_bit(tmp_path_factory, array):
    path = tmp_path_factory.mktemp("arrays") / "a.h5"
    write_arrays(path, {"x": array}, {})
    assert read_arrays(path, {}, ("x",))["x"].tobytes() == array.tobytes()


def test_another_content_reads_as_none(tmp_path, rng):
    _write(tmp_path / "a.h5", rng)
    assert read_arrays(tmp_path / "a.h5", ABOUT | {"tiles": 8}, ("values",)) is None
    assert read_arrays(tmp_path / "a.h5", ABOUT, ("absent",)) is None
    assert read_arrays(tmp_path / "b.h5", ABOUT, ("values",)) is None


def test_a_file_of_another_kind_reads_as_none(tmp_path):
    (tmp_path / "a.h5").write_text("not HDF5")
    assert read_arrays(tmp_path / "a.h5", ABOUT, ("values",)) is None


@pytest.mark.parametrize("keep", [0, 100, 3000, 0.5, 0.99])
def test_a_truncated_file_reads_as_none(tmp_path, rng, keep):
    values = _write(tmp_path / "a.h5", rng)
    content = (tmp_path / "a.h5").read_bytes()
    n = int(len(content) * keep) if isinstance(keep, float) else keep
    (tmp_path / "a.h5").write_bytes(content[:n])
    assert read_arrays(tmp_path / "a.h5", ABOUT, tuple(values)) is None


def test_a_flipped_bit_of_the_data_reads_as_none(tmp_path, rng):
    values = _write(tmp_path / "a.h5", rng)
    content = bytearray((tmp_path / "a.h5").read_bytes())
    at = bytes(content).index(values["values"][2000:2010].tobytes())
    content[at] ^= 1
    (tmp_path / "a.h5").write_bytes(content)
    assert read_arrays(tmp_path / "a.h5", ABOUT, ("values",)) is None
