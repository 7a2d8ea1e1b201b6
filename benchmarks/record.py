"""Record what the product puts out, and compare two such recordings bit for bit.

    record.py record FOLDER   run every step, write FOLDER/numbers.npz and text.json
    record.py compare A B     say key by key what differs; exit 1 if a number does

A refactor may rename verbs, options, columns and files and reword every sentence, but
must not move a number. So numbers are kept apart from names (of pairs, files, roles)
and from sentences: `compare` fails on numbers only, and lists the other two.

The product is run as `sys.executable -m tfimpute_tracks`, so PYTHONPATH says which
tree is recorded, and must be set. To record a changed tree, change `record_steps.py`, and
nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import resource
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from record_comparison import compare
from record_inputs import make_inputs, package_folder
from record_interface import record_interface
from record_readers import read_folder
from record_runs import Runner, browse, read_steps
from record_steps import BROWSE, MODELS, SHARED_STEPS, STEPS
from recording import Recording, forget, log, say


def record(folder: Path, shared: Path | None, n_jobs: int, only: str) -> int:
    """Run all steps and write the recording; give 1 if one failed."""
    work = folder / "work"
    if work.exists():
        shutil.rmtree(work)
    log(f"recording {package_folder().resolve()}")
    make_inputs(work / "in", shared)
    forget(work, "WORK")
    runner = Runner(work)
    steps = read_steps(STEPS + (SHARED_STEPS if shared else ""))
    jobs: dict[str, Callable[[], Recording]] = {
        f"python/{name}": partial(runner.script, f"python/{name}", "interface", name)
        for name in MODELS
    }
    jobs |= {n: partial(runner.step, n, t) for n, t in steps.items()}
    jobs |= {n: partial(browse, runner, n, t) for n, t in BROWSE.items()}
    jobs = {name: job for name, job in jobs.items() if re.search(only, name)}
    began = time.monotonic()
    runner.run(jobs, n_jobs)
    recording = read_folder("inputs", work / "in")
    for name, own in runner.results():
        recording.add(own)
        if (work / name).is_dir():
            recording.add(read_folder(name, work / name))
    recording.write(folder)
    for name, why in runner.failed.items():
        log(f"FAILED {name}: {why}")
    values = sum(array.size for array in recording.numbers.values())
    say(
        f"{len(jobs) - len(runner.failed)} of {len(jobs)} steps, "
        f"{len(recording.numbers):,} arrays of {values:,} numbers, "
        f"{time.monotonic() - began:.0f} s, {_cpu_seconds():.0f} s of CPU time"
    )
    return 1 if runner.failed else 0


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    made = verbs.add_parser("record", help="run every step, write a recording")
    made.add_argument("folder", type=Path)
    made.add_argument("--shared", type=Path, help="folder with data/eval/snps")
    made.add_argument(
        "--jobs", type=int, default=2, help="steps at a time, one core each"
    )
    made.add_argument("--only", default="", help="steps whose name has this pattern")
    compared = verbs.add_parser("compare", help="compare two recordings")
    compared.add_argument("before", type=Path)
    compared.add_argument("after", type=Path)
    compared.add_argument("--all", action="store_true", help="show what is equal, too")
    inner = verbs.add_parser("interface", help="one process of `record`")
    inner.add_argument("model")
    inner.add_argument("folder", type=Path)
    args = parser.parse_args()
    if args.verb == "compare":
        return compare(args.before, args.after, args.all)
    if args.verb == "interface":
        with contextlib.redirect_stdout(sys.stderr):
            record_interface(args.model, args.folder)
        return 0
    return record(args.folder.absolute(), args.shared, args.jobs, args.only)


if __name__ == "__main__":
    sys.exit(main())
