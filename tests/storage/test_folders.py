"""Folders for results: writable, and bulk stores and tracks kept apart."""

from pathlib import Path

import pytest

from tfimpute_tracks.errors import OutputError, UsageError
from tfimpute_tracks.storage import (
    check_output_dir,
    check_store_dir,
    check_writable_dir,
    is_store,
)


def test_folder_is_made_with_its_parents(tmp_path):
    folder = tmp_path / "a" / "b"
    check_writable_dir(folder)
    check_writable_dir(folder)
    assert not list(folder.iterdir())


def test_folder_that_is_a_file(tmp_path):
    path = tmp_path / "a"
    path.touch()
    with pytest.raises(OutputError, match="it is a file; use another"):
        check_writable_dir(path)
    with pytest.raises(OutputError, match=r"b: .*directory"):
        check_writable_dir(path / "b")


def test_folder_that_takes_no_file():
    # Not even root may make a file there.
    folder = Path("/proc/self")
    if not folder.is_dir():
        pytest.skip("no /proc on this system")
    with pytest.raises(OutputError, match="cannot write to the folder /proc/self: "):
        check_writable_dir(folder)


def test_results_stay_outside_of_a_store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = tmp_path / "store"
    store.mkdir()
    (store / "store.json").touch()
    (tmp_path / "link").symlink_to(store)
    assert is_store(store)
    for folder in (store, Path("store"), tmp_path / "link"):
        with pytest.raises(UsageError, match="is a bulk store; use another folder"):
            check_output_dir(folder)
        check_store_dir(folder)  # a run that is resumed
    for folder in (store / "a" / "b", Path("link", "a")):
        for check in (check_output_dir, check_store_dir):
            with pytest.raises(UsageError, match=f"lies in {store}, which is a bulk"):
                check(folder)
    assert [path.name for path in store.iterdir()] == ["store.json"]
    check_output_dir(tmp_path / "store2")


def test_a_store_stays_out_of_a_folder_of_tracks(tmp_path):
    (tmp_path / "CTCF.K562.receipt.json").touch()
    with pytest.raises(UsageError, match=r"contains tracks, such as .*CTCF\.K562"):
        check_store_dir(tmp_path)
    check_store_dir(tmp_path / "store")
    check_output_dir(tmp_path)
