"""Folders for compiled kernels where neither the package's nor the user's will do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tfimpute_tracks
from tfimpute_tracks.errors import OutputError
from tfimpute_tracks.kernels.compile_cache import (
    ensure_compile_cache,
    temporary_cache_dir,
)

PACKAGE = Path(tfimpute_tracks.__file__).parent
SHOW = """
from tfimpute_tracks.kernels import encode
from numba import config
print(config.CACHE_DIR)
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    return folder


def _file_in_the_way(path):
    path.write_text("")
    return path


def test_a_place_that_numba_finds_is_left_to_it(tmp_path, temporary):
    (tmp_path / "package").mkdir()
    ensure_compile_cache(tmp_path / "package")
    assert os.environ["NUMBA_CACHE_DIR"] == ""
    assert list(temporary.iterdir()) == []


def test_a_users_choice_stays(tmp_path, temporary, monkeypatch):
    blocked = _file_in_the_way(tmp_path / "blocked")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "mine"))
    ensure_compile_cache(blocked)
    assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path / "mine")


@pytest.mark.parametrize("chosen", ["", "blocked"])
@pytest.mark.parametrize("cache", ["blocked", "~"])
def test_without_a_place_it_is_the_users_temporary_folder(
    chosen, cache, tmp_path, temporary, monkeypatch
):
    blocked = _file_in_the_way(tmp_path / "blocked")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked) if cache == "blocked" else "")
    monkeypatch.setenv("HOME", str(blocked))
    monkeypatch.setenv("NUMBA_CACHE_DIR", chosen)
    import numba

    monkeypatch.setattr(numba.config, "CACHE_DIR", chosen)
    ensure_compile_cache(blocked)
    expected = temporary_cache_dir() / "numba"
    assert expected.parent.parent == temporary
    assert os.environ["NUMBA_CACHE_DIR"] == numba.config.CACHE_DIR == str(expected)
    assert not list(tmp_path.glob("~*"))


@pytest.mark.skipif(os.name != "posix", reason="users as POSIX has them")
def test_a_folder_that_others_can_write_to_is_not_used(temporary):
    own = temporary_cache_dir()
    assert own.stat().st_mode & 0o777 == 0o700
    assert temporary_cache_dir() == own
    own.chmod(0o777)
    other = temporary_cache_dir()
    assert other != own
    assert other.stat().st_mode & 0o777 == 0o700
    own.rmdir()
    own.symlink_to(other)
    assert temporary_cache_dir() not in (own, other)


def test_no_temporary_folder_is_an_error(tmp_path, monkeypatch):
    blocked = _file_in_the_way(tmp_path / "blocked")
    monkeypatch.setattr("tempfile.tempdir", str(blocked))
    with pytest.raises(OutputError, match="set TMPDIR"):
        temporary_cache_dir()


@pytest.mark.slow
def test_a_read_only_package_and_no_home(tmp_path, monkeypatch):
    """As in a container: a real run, with the package mounted read-only."""
    unshare = shutil.which("unshare")
    mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    shut = [unshare or "", "-m", "/bin/sh", "-c", mount, str(PACKAGE)]
    if not unshare or subprocess.run([*shut, "true"], capture_output=True).returncode:
        pytest.skip("may not mount the package read-only")
    names = {"PATH", "PYTHONPATH"} & set(os.environ)
    environment = {name: os.environ[name] for name in names}
    environment |= {"HOME": "/proc/nonexistent", "TMPDIR": str(tmp_path)}

    def run(*arguments):
        done = subprocess.run(
            [*shut, sys.executable, *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run("-c", SHOW).strip() == str(temporary_cache_dir() / "numba")
    assert "ARID3A" in run("-m", "tfimpute_tracks", "info", "tfs")
