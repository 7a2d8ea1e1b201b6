"""Standard streams that are closed, full or of another encoding, in real processes."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tfimpute_tracks.api.progress import RateLog
from tfimpute_tracks.commands.console import SETTINGS, capture_logging
from toys import write_model

COMMAND = [sys.executable, "-m", "tfimpute_tracks"]
VERBS = [["--help"], ["info", "pairs", "--json"]]
FULL = Path("/dev/full")

needs_full = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
needs_shell = pytest.mark.skipif(os.name != "posix", reason="no POSIX shell here")


def _shell(line, *arguments):
    """Run a line of shell, in which "$@" is the command; give exit code and stderr."""
    done = subprocess.run(
        ["/bin/sh", "-c", line, "sh", *COMMAND, *map(str, arguments)],
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    return done.returncode, done.stdout, done.stderr.decode()


def _errors(text):
    return [line for line in text.splitlines() if line.startswith("error: ")]


@needs_full
@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_full_stdout_is_one_line_of_error(verb):
    code, _, err = _shell('"$@" >/dev/full', *verb)
    assert code == 1
    (error,) = _errors(err)
    assert "cannot write to standard output: No space left on device" in error


@needs_shell
@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_stdout_closed_before_the_start_is_one_line_of_error(verb):
    code, _, err = _shell('"$@" >&-', *verb)
    assert code == 1
    (error,) = _errors(err)
    assert "cannot write to standard output" in error


@needs_shell
@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_reader_that_leaves_ends_the_run_without_a_word(verb):
    # The reader is gone before the first line: `sleep` outlives it.
    line = '(sleep 0.5; "$@"; echo $? >&2) | true'
    code, _, err = _shell(line, *verb)
    assert code == 0
    assert err.splitlines()[-1] == "141"
    assert _errors(err) == []


@needs_shell
@pytest.mark.parametrize("end", ["2>&-", pytest.param("2>/dev/full", marks=needs_full)])
def test_nothing_depends_on_stderr(end, tmp_path):
    model = write_model(tmp_path / "toy.safetensors")
    out = tmp_path / "out"
    scan = "scan", "--tf", "MAX", "--cell", "K562", "-m", model, "-o", out, "-p", 1
    region = "-r", "chr20:47400001-47410000", "--no-cache"
    code, stdout, _ = _shell(f'"$@" {end}', "-v", *scan, *region)
    assert code == 0
    assert stdout.decode().split()[-1].endswith("MAX.K562.receipt.json")
    assert _shell(f'"$@" {end}', "info", "nothing")[0] == 2


@needs_shell
def test_what_the_encoding_lacks_is_escaped(tmp_path):
    model = write_model(tmp_path / "toy.safetensors")
    out = tmp_path / "r\u00e9sum\u00e9"
    scan = "scan", "--tf", "MAX", "--cell", "K562", "-m", model, "-o", out, "-p", 1
    region = "-r", "chr20:47400001-47410000", "--no-cache"
    line = 'PYTHONIOENCODING=ascii "$@"'
    code, stdout, err = _shell(line, *scan, *region)
    assert code == 0, err
    assert (out / "MAX.K562.bw").stat().st_size > 0
    assert b"r\\xe9sum\\xe9/MAX.K562.bw" in stdout
    line = 'LC_ALL=C PYTHONCOERCECLOCALE=0 PYTHONUTF8=0 "$@"'
    assert _shell(line, "info", "nothing\u00e9")[0] == 2
    assert _shell(line, "--help")[0] == 0


def test_records_of_logging_are_lines_of_the_log(capsys):
    capture_logging()
    capture_logging()

    def logged(**settings):
        for name, value in settings.items():
            setattr(SETTINGS, name, value)
        logging.getLogger("tfimpute_tracks.engines").info("a detail")
        logging.getLogger("tfimpute_tracks.engines").warning("a full disk")
        logging.getLogger("library").info("a detail of theirs")
        logging.getLogger("library").warning("two\n  lines")
        return capsys.readouterr().err.splitlines()

    warnings = ["warning: a full disk", "warning: two lines"]
    assert logged() == warnings
    assert logged(verbose=True) == ["a detail", *warnings]
    assert logged(quiet=True) == []


def test_the_remaining_time_is_logged_once_the_rate_is_known(capsys):
    """Kernels compile for 20 s, then 1 Mb takes 2 s."""
    capture_logging()
    seconds = iter([20, 22, 24, 26])
    count = RateLog(10_000_000, lambda n: None, lambda: next(seconds))
    count(1_000_000)
    count(1_000_000)
    assert capsys.readouterr().err == ""
    count(1_000_000)
    assert capsys.readouterr().err == "0.5 Mb/s, about 14 s remaining\n"
    count(1_000_000)
    assert capsys.readouterr().err == ""
