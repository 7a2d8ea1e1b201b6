"""A run killed without warning, as a real process, ends as an undisturbed one."""

import signal
import subprocess
import sys
import time

import pytest

from tfimpute_tracks.dataset import write_dataset
from tfimpute_tracks.models import load_model
from toys import make_dataset

SIZES = "seq_len=60,filter_length=8,n_filters=16,pool=20,n_units=2,embedding_size=4"


def _train(data, folder, *more):
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tfimpute_tracks", "train", "--data", data),
            *("-o", folder, "--network", SIZES, "--epochs", "8", "-p", "1", *more),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait_for(path, process):
    while not path.exists():
        assert process.poll() is None
        time.sleep(0.01)


@pytest.mark.slow
def test_kill_9_and_resume(tmp_path):
    data = tmp_path / "data.h5"
    write_dataset(data, make_dataset(40_000))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert _train(data, whole).wait() == 0

    victim = _train(data, killed)
    _wait_for(killed / "state.safetensors", victim)
    victim.send_signal(signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    assert not (killed / "model.safetensors").exists()
    assert _train(data, killed, "--resume").wait() == 0

    a, b = (load_model(folder / "model.safetensors") for folder in (whole, killed))
    assert a.checkpoint.digest == b.checkpoint.digest
