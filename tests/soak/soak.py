"""Kill runs and damage inputs for a while: `python tests/soak/soak.py --minutes 30`.

Each run is killed at random moments and started again until it ends; its outputs are
those of an undisturbed run. Each reader gets inputs that were damaged at random. Both
are decided by the seed; what failed is named with the file that shows it, and
`--only KIND#READER.NUMBER` tries that file again.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]
# A process with threads of OpenMP cannot be forked.
os.environ.update(NUMBA_THREADING_LAYER="workqueue", OMP_NUM_THREADS="1")

from children import run_here  # noqa: E402
from damage import soak_readers  # noqa: E402
from inputs import make_inputs  # noqa: E402
from kills import soak_runs  # noqa: E402
from readers import READERS  # noqa: E402

__all__ = ["main"]

_NO_PART = tuple(
    f"tfimpute_tracks.{name}"
    for name in ("__main__", "benchmarks", "comparison.predictors", "tests")
)


def main() -> int:
    """Run both parts, and print counts.

    Returns
    -------
    int
        Exit code: 1 if anything failed.
    """
    options = _options()
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    _say(f"seed {options.seed}, {options.minutes:g} minutes, in {folder}")
    failures = []
    if options.part != "readers" and not options.only:
        n_kills = round(options.kills * min(options.minutes / 30, 1)) or 1
        until = began + 45 * options.minutes
        kills = soak_runs(folder, options.seed, n_kills, until, _say)
        _table("verb", "kills", kills.tried)
        failures += kills.failures
    if options.part != "kills":
        until = began + 60 * options.minutes
        inputs = folder / "inputs"
        inputs.mkdir()
        make_inputs(inputs, options.seed)
        _warm_up(inputs, folder / "warm")
        readers = soak_readers(inputs, folder, options.seed, until, options.only, _say)
        _table("reader", "damaged inputs", readers.tried, readers.refused)
        _table("verb", "commands", readers.verbs)
        failures += readers.failures
    _say(f"{time.monotonic() - began:.0f} s, seed {options.seed}")
    if not failures:
        shutil.rmtree(folder)
        _say("no failure")
        return 0
    _say(f"{len(failures)} failures:")
    for failure in failures:
        _say(f"  {failure}")
    return 1


def _warm_up(inputs: Path, folder: Path) -> None:
    """Import everything and load the compiled kernels, once for all forks."""
    import tfimpute_tracks

    for module in pkgutil.walk_packages(tfimpute_tracks.__path__, "tfimpute_tracks."):
        if not module.name.startswith(_NO_PART):
            importlib.import_module(module.name)
    shutil.copytree(inputs, folder)
    for reader in READERS:
        if reader.verb in ("scan", "variants", "enhancers"):
            run_here(reader.command.split(), folder)
    shutil.rmtree(folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kills", type=int, default=100, help="in 30 minutes")
    parser.add_argument("--part", choices=("all", "kills", "readers"), default="all")
    parser.add_argument(
        "--only",
        nargs="*",
        default=[],
        metavar="KIND[#READER.NUMBER]",
        help="only inputs of this kind, or one input; `browse` for addresses",
    )
    return parser.parse_args()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _table(name: str, what: str, counts, refused=None) -> None:
    _say(f"{name}: {what}" + (", refused with a message" if refused else ""))
    for key, n in sorted(counts.items()):
        _say(f"  {key}: {n}" + (f", {refused[key]}" if refused else ""))
    _say(f"  total: {sum(counts.values())}")


if __name__ == "__main__":
    sys.exit(main())
