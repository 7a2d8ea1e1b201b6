"""Files appear whole or not at all, whatever happens on the way."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from tfimpute_tracks.errors import WriteError
from tfimpute_tracks.storage import (
    atomic_file,
    check_free_space,
    remove_leftovers,
    write_json,
    write_text,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_half(dest, error, n_bytes=4):
    """Begin to write a file, and fail."""
    with atomic_file(dest) as temp:
        temp.write_bytes(bytes(n_bytes))
        raise error


def test_file_appears_when_the_block_ends(tmp_path):
    dest = tmp_path / "a.bw"
    with atomic_file(dest) as temp:
        temp.write_bytes(b"whole")
        assert not dest.exists()
        assert temp.parent == tmp_path
    assert dest.read_bytes() == b"whole"
    assert names(tmp_path) == ["a.bw"]


def test_leftover_is_not_taken_for_a_result(tmp_path):
    with atomic_file(tmp_path / "a.bw") as temp:
        temp.touch()
        assert temp.name.startswith(".")
        assert not list(tmp_path.glob("*.bw"))


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_exception_leaves_the_old_file(tmp_path, error):
    dest = tmp_path / "a.bw"
    dest.write_bytes(b"old")
    with pytest.raises(error):
        write_half(dest, error)
    assert dest.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bw"]


def test_long_name_with_wide_letters(tmp_path):
    dest = tmp_path / ("\N{GREEK SMALL LETTER ALPHA}" * 120 + ".bw")
    write_text(dest, "x")
    assert dest.read_text() == "x"


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    dest = tmp_path / "a"
    with atomic_file(dest) as one, atomic_file(dest) as two:
        assert one != two
        one.write_text("one")
        two.write_text("two")
    assert dest.read_text() == "one"


def test_missing_folder_is_a_write_error(tmp_path):
    dest = tmp_path / "none" / "a"
    with pytest.raises(WriteError, match="No such file") as caught:
        write_text(dest, "x")
    assert str(dest) in str(caught.value)


def test_a_folder_in_its_place_is_named(tmp_path):
    with pytest.raises(WriteError, match="is a folder; use a file name"):
        write_text(tmp_path, "text")
    assert names(tmp_path) == []


def test_a_link_is_followed_and_a_device_is_refused(tmp_path):
    (tmp_path / "folder").mkdir()
    dest = tmp_path / "folder" / "a.bw"
    dest.write_bytes(b"old")
    link = tmp_path / "link.bw"
    link.symlink_to(dest)
    write_text(link, "new")
    assert link.is_symlink()
    assert dest.read_text() == "new"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(WriteError, match="is a device or a pipe; use a file name"):
        write_text(pipe, "text")
    assert pipe.is_fifo()


def test_full_disk_is_reported_with_numbers(tmp_path):
    dest = tmp_path / "a"
    with pytest.raises(WriteError) as caught:
        write_half(dest, OSError(errno.ENOSPC, "No space"), n_bytes=2_500_000)
    message = str(caught.value)
    assert message.startswith(f"disk full: {dest} needs more than ")
    assert " MB free" in message
    assert "\n" not in message
    assert names(tmp_path) == []


def test_error_about_another_file_passes(tmp_path):
    source = str(tmp_path / "elsewhere" / "missing")
    with pytest.raises(FileNotFoundError):
        write_half(tmp_path / "a", FileNotFoundError(errno.ENOENT, "No file", source))
    assert names(tmp_path) == []


def test_too_little_space_is_seen_beforehand(tmp_path):
    dest = tmp_path / "a"
    with pytest.raises(WriteError, match="disk full"):
        check_free_space(tmp_path, 1 << 60, dest)
    with pytest.raises(WriteError, match="disk full"), atomic_file(dest, 1 << 60):
        pytest.fail("the block ran")
    check_free_space(tmp_path, 1, dest)
    check_free_space(tmp_path / "none", 1 << 60, dest)


def test_kill_leaves_no_final_file(tmp_path):
    code = (
        "import sys, time, pathlib\n"
        "from tfimpute_tracks.storage import atomic_file\n"
        "with atomic_file(pathlib.Path(sys.argv[1])) as temp:\n"
        "    temp.write_bytes(bytes(1000))\n"
        "    print('half', flush=True)\n"
        "    time.sleep(60)\n"
    )
    dest = tmp_path / "a.bw"
    with subprocess.Popen(
        [sys.executable, "-c", code, dest], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "half\n"
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    assert not dest.exists()
    assert not list(tmp_path.glob("*.bw"))
    write_text(dest, "again")
    assert dest.read_text() == "again"


def test_text_is_written_as_it_is(tmp_path):
    write_text(tmp_path / "a", "one\r\ntwo\nα")
    assert (tmp_path / "a").read_bytes() == "one\r\ntwo\nα".encode()


def test_json_takes_numpy_numbers(tmp_path):
    dest = tmp_path / "a.json"
    write_json(
        dest, {"b": np.float32(0.5), "a": np.arange(2), "c": [None, np.int64(3)]}
    )
    assert json.loads(dest.read_text()) == {"b": 0.5, "a": [0, 1], "c": [None, 3]}
    assert dest.read_text().startswith('{\n  "b"')


def test_a_number_that_is_missing_is_null_in_json(tmp_path):
    values = {"a": float("nan"), "b": [np.float32("inf"), (np.array([1, np.nan]),)]}
    write_json(tmp_path / "a.json", values)
    found = json.loads((tmp_path / "a.json").read_text())
    assert found == {"a": None, "b": [None, [[1, None]]]}


@pytest.mark.parametrize("value", [{1, 2}, object()])
def test_what_is_not_json_is_refused(tmp_path, value):
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"a": value})
    assert names(tmp_path) == []


def test_leftovers_of_the_named_files_go_and_others_stay(tmp_path):
    long = "a" * 60 + ".h5"
    writing = [atomic_file(tmp_path / name) for name in ("one.h5", "two.h5", long)]
    for file in writing:
        file.__enter__().write_bytes(b"half")  # and never finished
    (tmp_path / "one.h5").write_bytes(b"whole")
    remove_leftovers(tmp_path, {"one.h5", long}, idle_seconds=100)
    assert len(names(tmp_path)) == 4  # somebody may be writing them
    remove_leftovers(tmp_path, {"one.h5", long})
    whole, left = sorted(names(tmp_path), key=len)
    assert whole == "one.h5"
    assert left.startswith(".two.h5.")
