"""Kernels load from numba's cache without what only its compiler needs."""

import os
import subprocess
import sys

import pytest

KERNELS = """
import sys
import numpy as np
from tfimpute_tracks.kernels.jit import njit, prange

@njit(nogil=True, cache=True)
def total(values):
    parts = np.zeros(2, values.dtype)  # asks the memory manager
    for value in values:
        parts[0] += value
    return parts

@njit(cache=True, parallel=True)
def squares(values, out):
    for i in prange(values.size):
        out[i] = np.exp(np.log(values[i]) * 2)

@njit(cache=True)
def product(values):
    return np.dot(values, values)

def show(*names):
    values, out = np.arange(1.0, 5), np.empty(4)
    if "total" in names:
        print(total(values))
    if "squares" in names:
        squares(values, out)
        print(out.round(9))
    print("numba.np.linalg" in sys.modules)
    if "product" in names:
        print(product(values))
"""


def _show(folder, *names):
    code = f"import kernels; kernels.show(*{names!r})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder), "NUMBA_DISABLE_JIT": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.slow
def test_the_compiler_is_imported_only_to_compile(tmp_path):
    (tmp_path / "kernels.py").write_text(KERNELS)
    shown = ["[10.  0.]", "[ 1.  4.  9. 16.]"]
    assert _show(tmp_path, "total", "squares") == [*shown, "True"]
    assert _show(tmp_path, "total", "squares") == [*shown, "False"]
    mixed = _show(tmp_path, "total", "squares", "product")
    assert mixed == [*shown, "False", "30.0"]
