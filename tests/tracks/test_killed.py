"""A scan that is interrupted or killed loses little, and nothing it leaves can hurt."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tfimpute_tracks.kernels.encode import decode

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fasta(tmp_path_factory):
    """Sequence for some seconds of scanning."""
    folder = tmp_path_factory.mktemp("genome")
    rng = np.random.default_rng(5)
    path = folder / "random.fa"
    with path.open("w") as file:
        for name in ("chr1", "chr2"):
            letters = decode(rng.integers(0, 4, 30_000_000).astype(np.uint8))
            file.write(f">{name}\n")
            file.writelines(
                f"{letters[i : i + 60]}\n" for i in range(0, len(letters), 60)
            )
    return path


def _command(fasta, out, *more):
    return [
        *(sys.executable, "-m", "tfimpute_tracks", "scan", "--tf", "CTCF"),
        *("--cell", "K562", "-g", str(fasta), "-o", str(out), "-p", "1", *more),
    ]


def _environment(tmp_path):
    return os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}


def _run(command, tmp_path):
    done = subprocess.run(
        command, env=_environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_ctrl_c_leaves_state_that_the_same_command_takes_up(fasta, tmp_path):
    command = _command(fasta, tmp_path / "out", "--no-cache")
    with subprocess.Popen(
        command, env=_environment(tmp_path), stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr:
            if "remaining" in line:  # once the rate is known
                break
        process.send_signal(signal.SIGINT)
        err = process.stderr.read()
        assert process.wait(timeout=60) == 130
    assert (
        err.splitlines()[-1] == "error: interrupted; run the same command to continue"
    )
    (left,) = (tmp_path / "out").glob(".unfinished-*")
    assert list(left.glob("*.h5"))
    assert not list((tmp_path / "out").glob("*.bw"))
    _run(command, tmp_path)
    assert not left.exists()
    _run(_command(fasta, tmp_path / "whole", "--no-cache"), tmp_path)
    for name in ("CTCF.K562.bw", "CTCF.K562.narrowPeak", "CTCF.K562.bb"):
        resumed = (tmp_path / "out" / name).read_bytes()
        assert resumed == (tmp_path / "whole" / name).read_bytes()


def test_a_killed_writer_of_the_cache_hurts_nobody(fasta, tmp_path):
    command = _command(fasta, tmp_path / "out")
    folder = tmp_path / "cache" / "tfimpute-tracks" / "features"
    for _ in range(3):
        process = subprocess.Popen(
            command, env=_environment(tmp_path), stderr=subprocess.DEVNULL
        )
        began = time.monotonic()
        n_before = len(list(folder.glob("*/*.h5")))
        while time.monotonic() - began < 60:
            if len(list(folder.glob("*/*.h5"))) > n_before + 3:
                break
            time.sleep(0.01)
        process.kill()
        process.wait()
    err = _run(command, tmp_path)
    assert "blocks of tiles from the cache" in err
    _run(_command(fasta, tmp_path / "whole", "--no-cache"), tmp_path)
    track = (tmp_path / "out" / "CTCF.K562.bw").read_bytes()
    assert track == (tmp_path / "whole" / "CTCF.K562.bw").read_bytes()
