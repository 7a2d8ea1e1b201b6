"""IGV for the desktop, without one: a batch file, and a snapshot of what it drew.

IGV ends with 0 whatever fails, so its log and the picture are what to look at. Without
network it complains of that alone.
"""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

_FAILED = re.compile(
    r"Error loading track|\[BatchRunner\] load .*=> Error|DataLoadException|"
    r"Unable to load|Could not|Parsing error"
)


def snapshot(tmp_path, fasta, files, place=None):
    """Load files over a genome, and give the path of the picture."""
    igv, screen = shutil.which("igv"), shutil.which("xvfb-run")
    if not (igv and screen and shutil.which("xauth")):
        pytest.skip("no IGV, xvfb or xauth on this machine")
    batch = tmp_path / "batch.txt"
    # The genome is the first line, and given with -g too, or IGV asks the network.
    lines = [f"genome {fasta}", *(f"load {file}" for file in files)]
    lines += [f"goto {place}"] if place else []
    lines += [f"snapshotDirectory {tmp_path}", "snapshot igv.png", "exit"]
    batch.write_text("\n".join(lines) + "\n")
    settings = tmp_path / "igv"
    done = subprocess.run(
        [
            *(screen, "-a", "-s", "-screen 0 1400x900x24"),
            *(igv, "--igvDirectory", settings, "-g", fasta, "-b", batch),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    log = done.stdout + done.stderr
    wrong = [line for line in log.splitlines() if _FAILED.search(line)]
    assert not wrong, "\n".join(wrong)
    picture = tmp_path / "igv.png"
    assert picture.exists(), log[-3000:]
    return picture
