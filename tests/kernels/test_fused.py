"""The fused kernel against its slow twin.

Without a GPU it runs in Triton's interpreter, which must be asked for before Triton is
imported: so in a process of its own, which runs this very file.
"""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from tfimpute_tracks.kernels import fused
from tfimpute_tracks.kernels.fused import (
    HAS_TRITON,
    PRECISIONS,
    fuse_filters,
    fused_maxima,
)
from tfimpute_tracks.kernels.segments import segment_grid

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = "cpu" if INTERPRETED else "cuda:0"
# How far a rounded weight may lie from the true one, per unit of the largest weight.
ROUNDING = {
    "ieee": 0.0,
    "tf32": 2.0**-10,  # the cores cut where the others round
    "bf16": 2.0**-8,
    "fp16": 2.0**-11,
    "fp16x2": 2.0**-22,
}
# (L, F, K, pool, stride): no size a multiple of another, strides of one position, of
# more than a tile, of many segments; filters that fill a product's depth or do not.
SHAPES = [
    (60, 8, 11, 20, 20),
    (60, 8, 11, 20, 1),
    (60, 8, 5, 20, 75),
    (50, 17, 70, 13, 7),
    (70, 20, 3, 19, 100),
    (60, 33, 4, 9, 11),
    (9, 9, 130, 4, 2),
    (40, 1, 2, 50, 13),
]

needs_kernel = pytest.mark.skipif(
    not INTERPRETED and not (HAS_TRITON and torch.cuda.is_available()),
    reason="neither a GPU nor Triton's interpreter",
)
needs_triton = pytest.mark.skipif(not HAS_TRITON, reason="Triton is not installed")


def _agree(rng, shape, precision, n_tiles):
    seq_len, length, n_filters, pool, stride = shape
    filters = rng.normal(size=(n_filters, length, 4)).astype(np.float32)
    bias = rng.normal(size=n_filters).astype(np.float32)
    codes = rng.integers(0, 5, (n_tiles - 1) * stride + seq_len).astype(np.uint8)
    grid = segment_grid(seq_len, length, pool, stride)
    laid_out = fuse_filters(
        torch.tensor(filters, device=DEVICE),
        torch.tensor(bias, device=DEVICE),
        precision,
    )
    maxima = fused_maxima(
        torch.tensor(codes, device=DEVICE), laid_out, grid, grid.n_segments(n_tiles)
    )
    twin = naive.span_maxima(codes, filters, *grid.spans(n_tiles))
    expected = np.maximum(twin - bias, 0)
    table = fused._wanted(grid)
    wanted = np.isin(np.arange(len(maxima)) % grid.borders.size, [w[0] for w in table])
    assert wanted.all() == (stride <= seq_len - length + 1)
    expected[~wanted] = 0
    worst = length * np.abs(filters).max() * ROUNDING[precision] + 1e-5
    np.testing.assert_allclose(maxima.cpu().numpy(), expected, rtol=0, atol=worst)


@needs_kernel
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_segments_are_those_of_the_twin(rng, shape, precision):
    if INTERPRETED and precision == "bf16":
        pytest.skip("the interpreter multiplies the bits of bfloat16 as whole numbers")
    _agree(rng, shape, precision, n_tiles=3)


@needs_kernel
@settings(max_examples=25)
@given(data=st.data())
def test_any_shape_and_any_bases(data):
    seq_len = data.draw(st.integers(1, 40), label="seq_len")
    shape = (
        seq_len,
        data.draw(st.integers(1, seq_len), label="filter_length"),
        data.draw(st.integers(1, 20), label="n_filters"),
        data.draw(st.integers(1, 45), label="pool"),
        data.draw(st.integers(1, 45), label="stride"),
    )
    seed = data.draw(st.integers(0, 99), label="seed")
    _agree(np.random.default_rng(seed), shape, "fp16x2", n_tiles=2)


@needs_kernel
def test_missing_sequence_is_zero_before_the_bias():
    grid = segment_grid(30, 6, 10, 10)
    codes = torch.full((50,), 4, dtype=torch.uint8, device=DEVICE)
    filters = torch.ones((3, 6, 4), device=DEVICE)
    bias = torch.tensor([-2.0, 0.0, 2.0], device=DEVICE)
    laid_out = fuse_filters(filters, bias, "fp16x2")
    maxima = fused_maxima(codes, laid_out, grid, grid.n_segments(3)).cpu()
    assert maxima.unique(dim=0).tolist() == [[2.0, 0.0, 0.0]]


@needs_triton
@pytest.mark.skipif(INTERPRETED, reason="this is the process that it starts")
def test_the_kernel_and_its_engine_agree_in_the_interpreter():
    own = Path(__file__)
    engine = own.parents[1] / "engines" / "test_gpu_engine.py"
    files = [own, f"{engine}::test_scores_are_the_network_s"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
        env={**os.environ, "TRITON_INTERPRET": "1", "CI": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if "only 0-dimensional arrays can be converted" in done.stdout and (
        version("triton").startswith("3.3.")
    ):
        pytest.skip("NumPy has become stricter than this Triton's interpreter")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "neither a GPU" not in done.stdout, "no test of the kernel ran"


@needs_triton
@pytest.mark.skipif(INTERPRETED, reason="the interpreter compiles nothing")
@pytest.mark.parametrize("capability", [80, 90])
def test_it_compiles_to_tensor_cores_and_threads_share_nothing(
    monkeypatch, tmp_path, capability
):
    """No GPU is needed to compile for one."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    filters = fuse_filters(torch.zeros(1024, 20, 4), torch.zeros(1024), "fp16x2")
    options = fused._launch_options(filters, segment_grid(200, 20, 100, 100))
    kernel = fused._jitted()
    pointers = dict.fromkeys(("scale", "bias"), "*fp32") | {
        "x": "*fp16",
        "weights": "*fp16",
        "table": "*i32",
        "out": "*fp32",
    }
    constants = {n: options.pop(n) for n in kernel.arg_names if n in options}
    names = kernel.arg_names
    source = ASTSource(
        kernel,
        {n: "constexpr" if n in constants else pointers.get(n, "i32") for n in names},
        {(names.index(name),): value for name, value in constants.items()},
        {(i,): [["tt.divisibility", 16]] for i in range(len(pointers))},
    )
    made = triton.compile(source, GPUTarget("cuda", capability, 32), options)
    assert ("wgmma" if capability == 90 else "mma.sync") in made.asm["ptx"]
    assert made.metadata.shared <= (227 << 10 if capability == 90 else 163 << 10)
    # A thread holds all steps of its streams: the maximum exchanges nothing.
    assert "shfl.sync.bfly" not in made.asm["ptx"]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_parts_of_a_filter_sum_up_to_it(rng, precision):
    filters = rng.normal(size=(5, 7, 4)) * 10.0 ** rng.integers(-12, 12, (5, 1, 1))
    filters[3] = 0
    given_filters = torch.tensor(filters, dtype=torch.float32)
    laid_out = fuse_filters(given_filters, torch.zeros(5), precision)
    scaled = laid_out.weights.double().sum(dim=0) * laid_out.scale[:, None]
    restored = scaled[:5, :28].reshape(5, 7, 4)
    # On the cores tf32 rounds; here it is stored in full.
    share = 0.0 if precision == "tf32" else ROUNDING[precision]
    largest = given_filters.abs().amax(dim=(1, 2), keepdim=True)
    assert (restored - given_filters).abs().le(share * largest).all()
    assert laid_out.weights.isfinite().all()
    assert not scaled[:, 28:].any()
    assert not scaled[5:].any()


def test_what_cannot_be_is_refused():
    filters = torch.zeros(2, 6, 4)
    with pytest.raises(ValueError, match="precision 'fp8'"):
        fuse_filters(filters, torch.zeros(2), "fp8")
    grid = segment_grid(30, 6, 10, 10)
    laid_out = fuse_filters(filters, torch.zeros(2), "ieee")
    codes = torch.zeros(39, dtype=torch.uint8)
    with pytest.raises(ValueError, match="segments end at position 35, but 39 bases"):
        fused_maxima(codes, laid_out, grid, grid.n_segments(2))
