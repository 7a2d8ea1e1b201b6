"""Kernels compiled for a processor without AVX-512."""

import os
import subprocess
import sys
from pathlib import Path

import pybigtools
import pytest

_HASWELL = {
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+f16c,+bmi,+bmi2,+lzcnt,+popcnt,+sse4.2",
}


@pytest.mark.slow
def test_a_track_is_the_same_without_avx_512(tmp_path):
    files = []
    for name, processor in (("own", {}), ("haswell", _HASWELL)):
        out = tmp_path / name
        options = {
            "--tf": "CTCF",
            "--cell": "HepG2",
            "-r": "chr20:48000001-48200000",
            "-o": out,
        }
        subprocess.run(
            [
                *(sys.executable, "-m", "tfimpute_tracks", "scan", "--no-cache"),
                *(str(word) for item in options.items() for word in item),
            ],
            env=os.environ | processor | {"NUMBA_CACHE_DIR": str(tmp_path / "kernels")},
            check=True,
            capture_output=True,
        )
        files.append(out / "CTCF.HepG2.bw")
    # What differs is easier to see in records than in compressed bytes.
    assert _records(files[0]) == _records(files[1])
    assert files[0].read_bytes() == files[1].read_bytes()


def _records(path):
    with pybigtools.open(str(path)) as bbi:
        found = {"bins": [*bbi.records("chr20")]}
        for width in bbi.zooms():
            found[width] = [record for *_, record in bbi.zoom_records(width, "chr20")]
    return found


@pytest.mark.slow
def test_units_are_left_out_without_avx_512_too(tmp_path):
    test = Path(__file__).parents[1] / "kernels" / "test_leading_units.py"
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)],
        env=os.environ | _HASWELL | {"NUMBA_CACHE_DIR": str(tmp_path / "kernels")},
        cwd=test.parents[2],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout
