"""Chunks that pass HDF5 by: its own filters read and write the same."""

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tfimpute_tracks.storage.zstd_chunks import ZstdChunks, _fletcher32, create_zstd

pytestmark = pytest.mark.usefixtures("zstd_filter")


def _file():
    return h5py.File("memory", "w", driver="core", backing_store=False)


@given(st.binary(min_size=1, max_size=300), st.integers(1, 100))
def test_the_checksum_is_that_of_hdf5(data, repeats):
    data = data * repeats
    with _file() as file:
        values = np.frombuffer(data, np.uint8)
        dataset = file.create_dataset(
            "x", data=values, chunks=values.shape, fletcher32=True
        )
        file.flush()
        _, chunk = dataset.id.read_direct_chunk((0,))
    assert chunk[-4:] == _fletcher32(data).to_bytes(4, "little")


def test_the_checksum_of_zeros_and_of_large_words():
    assert _fletcher32(bytes(20_000)) == 0
    assert _fletcher32(b"\xff" * 200_000) == 0xFFFFFFFF


@given(
    arrays(np.uint16, st.tuples(st.integers(1, 40), st.integers(1, 40))),
    st.booleans(),
)
def test_hdf5_reads_what_we_write_and_we_what_it_writes(values, checksums):
    chunks = tuple(min(n, 16) for n in values.shape)
    with _file() as file:
        ours = create_zstd(file, "a", values.shape, np.uint16, chunks, checksums)
        theirs = file.create_dataset(
            "b",
            data=values,
            chunks=chunks,
            fletcher32=checksums,
            compression=32015,
            compression_opts=(1,),
        )
        for i in range(0, values.shape[0], chunks[0]):
            for j in range(0, values.shape[1], chunks[1]):
                part = values[i : i + chunks[0], j : j + chunks[1]]
                ours.write_chunk((i, j), part)
        file.flush()
        np.testing.assert_array_equal(file["a"][:], values)
        rows, columns = (3, 1000), (0, values.shape[1] - 1)
        for dataset in (file["a"], theirs):
            read = ZstdChunks(dataset).read(rows, columns)
            np.testing.assert_array_equal(read, values[slice(*rows), slice(*columns)])


def test_a_flipped_bit_is_an_error(rng):
    values = rng.integers(0, 9, (50, 70)).astype(np.uint8)
    with _file() as file:
        ours = create_zstd(file, "a", values.shape, np.uint8, values.shape, True)
        ours.write_chunk((0, 0), values)
        _, chunk = file["a"].id.read_direct_chunk((0, 0))
        for at in rng.integers(0, len(chunk), 50):
            damaged = bytearray(chunk)
            damaged[at] ^= 1 << int(rng.integers(8))
            file["a"].id.write_direct_chunk((0, 0), bytes(damaged))
            with pytest.raises(OSError, match="checksum"):
                ours.read_chunk((0, 0))
        file["a"].id.write_direct_chunk((0, 0), chunk)
        np.testing.assert_array_equal(ours.read_chunk((0, 0)), values)


@pytest.mark.parametrize(
    ("chunk", "says"),
    [
        (b"\0", "damaged"),
        (b"not Zstandard", "damaged"),
        (bytes.fromhex("28b52ffde0" + "ff" * 8), "another size"),  # 2^64 - 1 bytes
    ],
)
def test_what_is_no_chunk_is_an_error_and_takes_no_memory(chunk, says):
    with _file() as file:
        ours = create_zstd(file, "a", (50,), np.uint8, (50,))
        ours.write_chunk((0,), np.zeros(50, np.uint8))
        file["a"].id.write_direct_chunk((0,), chunk)
        with pytest.raises(OSError, match=says):
            ours.read_chunk((0,))


def test_other_filters_are_refused():
    with _file() as file:
        file.create_dataset("x", data=np.arange(9), compression="gzip")
        with pytest.raises(OSError, match="filters"):
            ZstdChunks(file["x"])
