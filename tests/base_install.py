"""What `pip install tfimpute-tracks` alone gives: small, without PyTorch, and it works.

Not a test of pytest, which is not in such an environment: `make base` runs it with the
Python of one. It uses files of a temporary folder, and prints the size.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from importlib.util import find_spec
from pathlib import Path

MAX_MB = 700
REGION = ("-r", "chr20:48,590,001-48,610,000")
PAIR = ("--tf", "CTCF", "--cell", "K562")
# {arguments: a file that the verb writes, of which there is something}
RUNS = {
    ("scan", *PAIR, *REGION, "-o", "tracks"): "tracks/CTCF.K562.bw",
    ("plot", "tracks", *REGION, "-o", "tracks.svg"): "tracks.svg",
    ("impute", *PAIR, *REGION, "-o", "store"): "store/shards",
    ("export", "store", *PAIR, "-o", "exported"): "exported/CTCF.K562.bw",
    ("query", "chr20:48,599,512-48,600,512", "--cell", "HepG2"): "",
    ("variants", "chr20:48600376:A:G", *PAIR, "-o", "variants"): "variants",
}
DEEP = ("scan", *PAIR, *REGION, "--model", "deep", "-o", "deep")
DEEP_SAYS = "error: model deep needs PyTorch: pip install 'tfimpute-tracks[torch]'"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a verb in a folder, with a cache of its own."""
    program = Path(sysconfig.get_path("scripts"), "tfimpute-tracks")
    return subprocess.run(
        [program, *arguments],
        cwd=folder,
        env=os.environ | {"XDG_CACHE_HOME": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )


def main() -> None:
    """Check the size, and run the verbs."""
    for name in ("torch", "scipy", "sklearn", "hdf5plugin"):
        assert find_spec(name) is None, f"{name} is installed"
    done = subprocess.run(["du", "-sm", sys.prefix], stdout=subprocess.PIPE, check=True)
    size = int(done.stdout.split()[0])
    sys.stdout.write(f"du -sm of the environment: {size} MB\n")
    assert size < MAX_MB, f"{size} MB, more than {MAX_MB}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for arguments, written in RUNS.items():
            done = run(folder, *arguments)
            assert done.returncode == 0, f"{arguments}: {done.stderr}"
            assert (folder / written).exists(), f"{arguments}: no {written}"
            sys.stdout.write(f"{arguments[0]} works\n")
        done = run(folder, *DEEP)
        assert done.returncode == 2, f"{DEEP}: {done.returncode} {done.stderr}"
        assert done.stderr.splitlines()[-1] == DEEP_SAYS, done.stderr
        sys.stdout.write(f"{DEEP_SAYS}\n")


if __name__ == "__main__":
    main()
