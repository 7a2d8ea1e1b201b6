"""`browse` as a program: it prints its address, stops on a signal, refuses bad input."""

import signal
import subprocess
import sys
import urllib.request

import pytest

from tfimpute_tracks.views.browse import open_socket

COMMAND = [sys.executable, "-m", "tfimpute_tracks", "browse", "--no-cache"]


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_it_serves_and_ends(number):
    with subprocess.Popen(
        [*COMMAND, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        address = server.stdout.readline().strip()
        with urllib.request.urlopen(f"{address}api/about", timeout=30) as answer:
            assert answer.status == 200
        server.send_signal(number)
        _, err = server.communicate(timeout=30)
    assert server.returncode == 0, err
    assert err.endswith("stopped\n")
    assert "Traceback" not in err


def test_other_hosts_get_a_token():
    with subprocess.Popen(
        [*COMMAND, "--port", "0", "--host", "0.0.0.0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        address = server.stdout.readline()
        server.terminate()
    assert len(address.strip().partition("?token=")[2]) > 20


def test_what_cannot_be_served_is_reported(run, tmp_path):
    with open_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        code, _, err = run("browse", "--port", port)
        assert code == 2
        assert "another program uses that port" in err
    for arguments, told in (
        (["--token", "short"], "at least 8 characters"),
        (["--genes", tmp_path / "none.gtf"], "none.gtf"),
        (["-r", "chr20:1-99999999999"], "outside of chr20"),
        (["-g", tmp_path / "none.fa"], "none.fa"),
        (["--port", "70000"], "65535"),
        (["--host", "203.0.113.7"], "203.0.113.7"),
        (["-m", "nothing"], "nothing"),
        (["--threads", "0"], "--threads"),
    ):
        code, out, err = run("browse", "--port", "0", *arguments)
        assert code == 2, arguments
        assert out == ""
        assert told in err
        assert (
            err.count("\n") <= 4
        )  # notices of genome, evidence and cache, and the error
