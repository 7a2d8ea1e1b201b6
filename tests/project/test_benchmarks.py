"""The scripts of benchmarks/ have the names they import: nothing else runs most of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

# All in one process, because most of the time goes into what they share. A script whose
# optional package is missing is named on a line of its own.
IMPORT_ALL = """
import importlib, pathlib, sys
scripts = sorted(path.stem for path in pathlib.Path().glob("*.py"))
for script in scripts:
    try:
        importlib.import_module(script)
    except ModuleNotFoundError as error:
        package = error.name.partition(".")[0]
        if package in {"tfimpute_tracks", *scripts}:
            raise
        sys.stdout.write(f"{script} needs {package}\\n")
sys.stdout.write(f"{len(scripts)} scripts\\n")
"""


def test_every_script_can_be_imported(root):
    command = [sys.executable, "-c", IMPORT_ALL]
    run = subprocess.run(
        command, cwd=root / "benchmarks", capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    *missing, count = run.stdout.splitlines()
    assert int(count.split()[0]) > 30
    if missing:
        pytest.skip("; ".join(missing))
