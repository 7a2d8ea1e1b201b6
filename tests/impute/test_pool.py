"""Processes that die, fail or refuse: every piece is made once, or named as failed."""

import os
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path

import pytest
from pool_work import open_work

from tfimpute_tracks.errors import RunError, UsageError, WriteError
from tfimpute_tracks.impute.events import Done, Failed, Note, Part
from tfimpute_tracks.impute.pool import Slot, run_pool


def _places(folder, *names):
    return [Slot(name, (str(folder), name), folder / f"{name}.log") for name in names]


def _run(folder, n=5, names=("a", "b")):
    return list(run_pool(open_work, _places(folder, *names), range(n)))


def _of(events, kind):
    return [event for event in events if isinstance(event, kind)]


def _tried(folder):
    lines = (folder / "log").read_text().splitlines()
    return Counter(int(line.split()[0]) for line in lines)


def test_every_item_is_made_once_and_reported(tmp_path):
    events = _run(tmp_path)
    assert sorted(e.number for e in _of(events, Done)) == [0, 1, 2, 3, 4]
    assert {e.n_bytes for e in _of(events, Done)} == {10, 11, 12, 13, 14}
    assert sum(e.n_scores for e in _of(events, Part)) == 15
    assert set(_tried(tmp_path).values()) == {1}
    assert "item 3" in "".join(p.read_text() for p in tmp_path.glob("*.log"))


def test_a_killed_process_is_replaced_and_its_piece_made(tmp_path):
    (tmp_path / "deadly-2").write_text("once")
    events = _run(tmp_path)
    assert sorted(e.number for e in _of(events, Done)) == [0, 1, 2, 3, 4]
    assert any("SIGKILL" in e.text for e in _of(events, Note))
    assert _tried(tmp_path)[2] == 2


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("poison", "a poisoned block"),
        ("bug", "ZeroDivisionError at pool_work.py"),
        ("deadly", "signal SIGKILL"),
    ],
)
def test_a_piece_that_always_fails_is_given_up_and_the_others_made(
    tmp_path, kind, reason
):
    (tmp_path / f"{kind}-1").write_text("always")
    events = _run(tmp_path)
    (failed,) = _of(events, Failed)
    assert failed.number == 1
    assert reason in failed.reason
    assert sorted(e.number for e in _of(events, Done)) == [0, 2, 3, 4]
    assert _tried(tmp_path)[1] == 3


@pytest.mark.slow
def test_a_place_that_cannot_work_is_closed_and_the_others_do_its_pieces(tmp_path):
    (tmp_path / "broken-a").touch()
    (tmp_path / "slow").write_text("0.3")
    events = _run(tmp_path, 12)
    assert len(_of(events, Done)) == 12
    assert {e.worker for e in _of(events, Done)} == {"b"}


def test_no_place_that_works_ends_the_run(tmp_path):
    (tmp_path / "broken-a").touch()
    with pytest.raises(RunError, match="3 times in a row"):
        _run(tmp_path, names=("a",))


def test_a_full_disk_ends_the_run_at_once(tmp_path):
    (tmp_path / "full-1").touch()
    with pytest.raises(WriteError, match="disk is full"):
        _run(tmp_path)


def test_what_is_wrong_for_one_process_is_wrong_for_all(tmp_path):
    (tmp_path / "wrong-a").touch()
    (tmp_path / "slow").write_text("1")
    with pytest.raises(UsageError, match="other weights"):
        _run(tmp_path)


def test_processes_end_with_the_one_that_started_them(tmp_path):
    (tmp_path / "slow").write_text("30")
    code = f"""
        from pathlib import Path
        from pool_work import open_work
        from tfimpute_tracks.impute.pool import Slot, run_pool
        if __name__ == "__main__":
            slots = [Slot(n, ({str(tmp_path)!r}, n)) for n in "ab"]
            list(run_pool(open_work, slots, range(4)))
    """
    script = tmp_path / "starter.py"
    script.write_text(textwrap.dedent(code))
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    starter = subprocess.Popen(
        [sys.executable, str(script)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    )
    began = time.monotonic()
    while not (tmp_path / "log").exists() and time.monotonic() - began < 30:
        time.sleep(0.05)
    pids = {int(x.split()[2]) for x in (tmp_path / "log").read_text().splitlines()}
    starter.kill()
    starter.wait()
    began = time.monotonic()
    while any(_is_alive(pid) for pid in pids) and time.monotonic() - began < 10:
        time.sleep(0.05)
    assert not any(_is_alive(pid) for pid in pids)


def _is_alive(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
