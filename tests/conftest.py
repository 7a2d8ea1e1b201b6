"""What every test may lean on: a clean environment, seeded numbers, the real data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

# A busy machine is no fault of the code; and a run that decides something decides the
# same twice, while the others go on looking for new examples.
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch, tmp_path):
    """Keep the caller's settings and caches apart from the test."""
    for name in list(os.environ):
        if name.startswith("TFIMPUTE"):
            monkeypatch.delenv(name)
    for name in ("FORCE_COLOR", "HDF5_USE_FILE_LOCKING", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg-cache"))


@pytest.fixture
def rng():
    """Random numbers that are the same in every run."""
    return np.random.default_rng(1005403)


@pytest.fixture
def fresh_settings(monkeypatch):
    """Undo what an earlier command of this process set."""
    from tfimpute_tracks.commands.console import SETTINGS

    for name, value in vars(type(SETTINGS)()).items():
        monkeypatch.setattr(SETTINGS, name, value)


@pytest.fixture
def run(fresh_settings, capsys):
    """Give a function that runs a command: exit code, stdout, stderr."""
    from tfimpute_tracks.cli import main

    def call(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return stop.value.code, out, err

    return call


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real sequence and binding data, beside the checkout."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside this checkout")
    return folder


@pytest.fixture
def small_disk(tmp_path):
    """Give a function that mounts a file system of so many bytes; once."""
    folder = tmp_path / "disk"
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if not (mount and umount and sys.platform == "linux"):
        pytest.skip("no mount command")
    mounted = []

    def make(size):
        folder.mkdir()
        done = subprocess.run(
            [mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"may not mount a small disk: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield make
    for disk in mounted:
        subprocess.run([umount, disk], check=True)


def pytest_runtest_setup(item):
    if item.get_closest_marker("gpu"):
        # Imported here: a run without such a test need not wait for it.
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no CUDA device on this machine")


@pytest.fixture(scope="module")
def zstd_filter():
    """Let HDF5 read Zstandard by itself, as other programs do.

    It is taken away again: files name a filter that HDF5 knows, so they would have other
    bytes than those of a process without it.
    """
    import h5py
    import hdf5plugin

    hdf5plugin.register("zstd", force=True)
    yield
    h5py.h5z.unregister_filter(32015)
