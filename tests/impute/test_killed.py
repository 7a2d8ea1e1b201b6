"""A run killed at ten random moments, or its workers, ends as if never disturbed.

`make soak` kills more runs, of more verbs.
"""

import os
import random
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

from tfimpute_tracks.models import load_model

pytestmark = pytest.mark.slow

N_KILLS = 10
# 2,000 pairs over the bundled 3 Mb: 15 shards of 0.15 s or so each.
N_PAIRS = 2000
COMMAND = (
    *(sys.executable, "-m", "tfimpute_tracks", "impute"),
    *("--tiles-per-shard", "2048", "--workers", "2"),
)
PAIRS = load_model().vocabulary.all_pairs()[:N_PAIRS]


def _environment(tmp_path):
    return os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}


def _start(tmp_path, store):
    return subprocess.Popen(
        [*COMMAND, "--pairs", ";".join(map(str, PAIRS)), "-o", str(store)],
        env=_environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(tmp_path, store):
    process = _start(tmp_path, store)
    err = process.communicate(timeout=120)[1]
    assert process.returncode == 0, err
    return err


def _contents(store):
    return {p.name: p.read_bytes() for p in sorted((store / "shards").iterdir())}


def _shards(store):
    return len(list((store / "shards").glob("[0-9]*.h5")))


def _workers(parent):
    """Give the processes that make shards and have not ended."""
    found = []
    try:
        for child in parent.children():
            with suppress(psutil.Error):  # it ended meanwhile
                if "spawn_main" in " ".join(child.cmdline()):
                    found.append(child)
    except psutil.Error:  # the run itself ended
        return []
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An undisturbed run, and how long it took."""
    folder = tmp_path_factory.mktemp("whole")
    _finish(folder, folder / "first")  # compiles what was never compiled
    began = time.monotonic()
    _finish(folder, folder / "store")
    return _contents(folder / "store"), time.monotonic() - began


def test_the_run_is_killed_and_started_again(whole, tmp_path):
    expected, seconds = whole
    rng = random.Random(4)
    store = tmp_path / "store"
    for _ in range(N_KILLS):
        before = _shards(store)
        process = _start(tmp_path, store)
        time.sleep(rng.uniform(0.3, 0.8) * seconds)
        process.kill()
        process.communicate()
        # What was complete stays complete.
        assert _shards(store) >= before
        if before == len(expected):
            for path in list((store / "shards").glob("[0-9]*.h5"))[::2]:
                path.unlink()  # or nothing would be left to be killed
    _finish(tmp_path, store)
    assert _contents(store) == expected


def test_workers_are_killed_under_way(whole, tmp_path):
    expected, _ = whole
    rng = random.Random(5)
    n_killed = attempt = 0
    while n_killed < N_KILLS:
        attempt += 1
        assert attempt <= 3 * N_KILLS, "the runs end before they can be disturbed"
        store = tmp_path / f"store-{attempt}"
        process = _start(tmp_path, store)
        parent = psutil.Process(process.pid)
        # After so many shards, some time into the next ones: there are ten more.
        n_shards, deadline = rng.randrange(len(expected) - 10), time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if _shards(store) >= n_shards and _workers(parent):
                break
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.15))
        for victim in _workers(parent)[rng.randrange(2) :][:1]:
            with suppress(psutil.Error):
                victim.kill()
                n_killed += 1
        err = process.communicate(timeout=120)[1]
        assert process.returncode == 0, err
        assert _contents(store) == expected
