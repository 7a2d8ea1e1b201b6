"""Ctrl-C while the command line is still being imported."""

import signal
import subprocess
import sys
from functools import partial

import pytest

MESSAGE = "error: interrupted; run the same command to continue\n"


@pytest.mark.parametrize("verb", [["--help"], ["query", "chr20:48599512-48600512"]])
def test_ctrl_c_during_imports_is_one_line_and_its_exit_code(verb):
    command = [sys.executable, "-X", "importtime", "-m", "tfimpute_tracks", *verb]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Jobs that a shell runs in the background ignore Ctrl-C.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as process:
        for line in process.stderr:
            if line.split()[-1] == "inspect":  # on the way to typer
                process.send_signal(signal.SIGINT)
                break
        lines = process.stderr.readlines()
    shown = [line for line in lines if not line.startswith("import time:")]
    assert shown == [MESSAGE]
    assert process.returncode == 130
