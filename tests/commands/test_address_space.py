"""Too little address space ends in one true line at once; a little more is enough."""

import os
import subprocess
import sys

import pytest

from tfimpute_tracks.commands.address_space import needed_bytes

resource = pytest.importorskip("resource")

SCAN = ("scan", "--tf", "CTCF", "--cell", "K562", "-r", "chr20:48800001-48820000")
_N_THREADS = 2


def _limited(tmp_path, n_bytes, *arguments):
    """Run a command under a limit of address space: exit code and stderr."""
    code = (
        "import resource, sys; from tfimpute_tracks.cli import main; "
        "n = int(sys.argv[1]); resource.setrlimit(resource.RLIMIT_AS, (n, n)); "
        "main(sys.argv[2:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(n_bytes), *map(str, arguments)],
        cwd=tmp_path,
        env={
            **os.environ,
            "OMP_NUM_THREADS": str(_N_THREADS),
            "NUMBA_NUM_THREADS": str(_N_THREADS),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("megabytes", [300, 500, 700, 900, 1100, 1200])
def test_too_little_is_one_line_at_once(tmp_path, megabytes):
    code, err = _limited(tmp_path, megabytes << 20, *SCAN, "-o", "out")
    assert code == 1
    assert err.startswith(
        f"error: `ulimit -v` allows {megabytes:,} MB of address space"
    )
    assert err.count("\n") == 1
    assert "raise the limit" in err
    assert not (tmp_path / "out").exists()


def test_help_needs_less(tmp_path):
    assert _limited(tmp_path, 500 << 20, "scan", "--help")[0] == 0


@pytest.mark.slow
def test_what_is_asked_for_is_enough(tmp_path):
    needed = needed_bytes(SCAN, _N_THREADS)
    code, err = _limited(tmp_path, needed, *SCAN, "-p", 2, "-o", "out", "--no-cache")
    assert code == 0, err
    assert (tmp_path / "out" / "CTCF.K562.bw").exists()


def test_fitting_and_threads_need_more():
    assert needed_bytes(["train"], 2) > needed_bytes(["scan"], 2)
    assert needed_bytes(["scan"], 64) > needed_bytes(["scan"], 2)
