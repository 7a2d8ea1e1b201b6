"""Letters to codes and back."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tfimpute_tracks.kernels.encode import (
    count_ambiguous,
    decode,
    encode,
    one_hot,
    one_hot_tensor,
    pack_2bit,
    reverse_complement,
    unknown_bases,
    unpack_2bit,
)


def test_every_base_has_its_code():
    assert encode("ACGTacgtNnRYx-").tolist() == [0, 1, 2, 3] * 2 + [4] * 6
    assert encode(b"GATTACA").tolist() == [2, 0, 3, 3, 0, 1, 0]


def test_only_bases_that_are_neither_acgt_nor_n_are_ambiguous():
    assert count_ambiguous(b"ACGTN acgtn\r\n") == 0
    assert count_ambiguous(b"RyK-5") == 5
    assert encode("AUGu").tolist() == encode("ATGt").tolist()  # RNA


@given(st.text(alphabet="ACGTN"))
def test_decode_undoes_encode(text):
    assert decode(encode(text)) == text


@given(
    arrays(
        np.uint8,
        st.tuples(st.integers(0, 5), st.integers(0, 30)),
        elements=st.integers(0, 4),
    )
)
def test_reverse_complement_is_its_own_inverse(codes):
    assert np.array_equal(reverse_complement(reverse_complement(codes)), codes)


def test_reverse_complement_reads_the_other_strand():
    assert decode(reverse_complement(encode("AACGTN"))) == "NACGTT"


def test_one_hot_of_n_is_all_zeros():
    assert one_hot(encode("CN")).tolist() == [[0, 1, 0, 0], [0, 0, 0, 0]]


@given(
    arrays(
        np.uint8,
        st.tuples(st.integers(0, 5), st.integers(1, 30)),
        elements=st.integers(0, 3),
    )
)
def test_packing_keeps_every_base(codes):
    packed = pack_2bit(codes)
    assert packed.shape == (len(codes), -(-codes.shape[1] // 4))
    assert np.array_equal(unpack_2bit(packed, codes.shape[1]), codes)


def test_packing_writes_n_as_a():
    assert unpack_2bit(pack_2bit(np.array([[4, 3, 4]], np.uint8)), 3).tolist() == [
        [0, 3, 0]
    ]


@given(
    st.integers(0, 10**6),
    st.integers(1, 30),
    st.integers(1, 40),
    st.integers(0, 9),
    st.sampled_from([0.0, 0.2, 1.0]),
)
def test_unknown_bases_are_those_of_each_tile(seed, seq_len, stride, n_tiles, share):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, max(n_tiles - 1, 0) * stride + seq_len).astype(np.uint8)
    codes[rng.random(codes.size) < share] = 4
    expected = [
        np.count_nonzero(codes[i * stride :][:seq_len] == 4) for i in range(n_tiles)
    ]
    assert unknown_bases(codes, stride, seq_len, n_tiles).tolist() == expected


def test_too_few_bases_are_refused():
    with pytest.raises(IndexError, match="99 bases are too few for 2 tiles"):
        unknown_bases(np.zeros(99, np.uint8), 50, 50, 2)


@pytest.mark.parametrize("dtype", [None, torch.float64, torch.bfloat16])
def test_one_hot_is_the_same_in_pytorch(dtype):
    codes = encode("ACGTNNTGA").reshape(3, 3)
    tensor = one_hot_tensor(torch.from_numpy(codes), dtype)
    assert tensor.dtype == (dtype or torch.float32)
    np.testing.assert_array_equal(tensor.float().numpy(), one_hot(codes))
