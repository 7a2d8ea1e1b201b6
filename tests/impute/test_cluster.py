"""The same shards from Dask: a cluster of its own, a scheduler elsewhere, faults."""

import gc
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tfimpute_tracks.errors import RunError, UsageError
from tfimpute_tracks.impute import Cluster
from tfimpute_tracks.impute.events import Done
from tfimpute_tracks.impute.plan_file import write_plan
from tfimpute_tracks.impute.run import run_bulk

pytestmark = [
    pytest.mark.slow,
    # Of Dask's own making, when what it talks to is killed.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(autouse=True)
def _leave_nothing():
    """Collect what Dask leaves open here, or a later test would be blamed for it."""
    yield
    gc.collect()


def _watch(*_):
    pass


def _contents(folder):
    return {p.name: p.read_bytes() for p in sorted((folder / "shards").iterdir())}


def _whole(toy, plan):
    store, toy.store = toy.store, toy.folder / "whole"
    toy.made(plan)
    toy.store = store
    return _contents(toy.folder / "whole")


def test_a_local_cluster_makes_the_same_files_though_a_worker_is_killed(toy):
    plan = toy.plan(4)
    killed = []

    def kill_one(event, status):
        if isinstance(event, Done) and status.n_done == 5:
            for pid in _dask_workers():
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
                break

    job = toy.job(plan, cluster=Cluster(n_workers=2))
    result = run_bulk(job, kill_one)
    assert killed
    assert not result.failed
    assert result.n_made == len(plan.shards)
    assert _contents(toy.store) == _whole(toy, plan)


def _dask_workers():
    """Find processes of this user that a nanny of ours spawned."""
    import psutil

    children = psutil.Process().children(recursive=True)
    return [
        child.pid
        for child in children
        if "spawn_main" in " ".join(child.cmdline()) and child.num_threads() > 1
    ]


@pytest.fixture
def scheduler(tmp_path):
    """A scheduler and two workers, as processes of their own."""
    log = (tmp_path / "dask.log").open("w")
    options = {"stdout": log, "stderr": log}
    told = tmp_path / "scheduler.json"
    command = [sys.executable, "-m", "dask"]
    common = ["--scheduler-file", str(told), "--no-dashboard"]
    address = ["--host", "127.0.0.1", "--port", "0"]
    processes = [
        subprocess.Popen([*command, "scheduler", *address, *common], **options)
    ]
    deadline = time.monotonic() + 60
    while not told.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    place = ["--nthreads", "1", "--local-directory", str(tmp_path)]
    processes += [
        subprocess.Popen([*command, "worker", *place, *common], **options)
        for _ in range(2)
    ]
    address = json.loads(told.read_text())["address"]
    yield address, processes
    for process in reversed(processes):
        process.kill()
        process.wait()
    log.close()


@pytest.mark.parametrize("moment", [1, 3, 10])
def test_a_scheduler_elsewhere_and_its_death(toy, scheduler, moment):
    address, processes = scheduler
    plan = toy.plan(4)

    def kill_scheduler(event, status):
        if isinstance(event, Done) and status.n_done == moment:
            processes[0].kill()

    job = toy.job(plan, cluster=Cluster(address))
    with pytest.raises(RunError, match="scheduler is gone"):
        run_bulk(job, kill_scheduler)
    n_left = len(list((toy.store / "shards").glob("[0-9]*.h5")))
    assert n_left >= moment
    result = run_bulk(toy.job(plan), _watch)
    assert result.n_reused >= n_left
    assert _contents(toy.store) == _whole(toy, plan)


def test_no_scheduler_is_one_line(toy):
    job = toy.job(cluster=Cluster("tcp://127.0.0.1:1"))
    with pytest.raises(UsageError, match="no Dask scheduler answers at tcp"):
        run_bulk(job, _watch)


def test_a_poisoned_block_is_named(toy):
    plan = toy.plan()
    toy.store.mkdir()
    write_plan(toy.store, plan)
    text = toy.fasta.read_text()
    toy.fasta.write_text(text[:200] + ("A" if text[200] != "A" else "C") + text[201:])
    result = run_bulk(toy.job(plan, cluster=Cluster(n_workers=1)), _watch)
    assert list(result.failed) == [0]
    assert "another FASTA" in result.failed[0]
    assert result.n_made == 5
