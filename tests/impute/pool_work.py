"""Work for the pool's tests; of the top level, so that a spawned process finds it."""

import os
import signal
import time
from pathlib import Path

from tfimpute_tracks.errors import RunError, UsageError, WriteError


def open_work(argument):
    """Make a file per piece; what goes wrong stands in a file of the folder."""
    folder, place = argument
    folder = Path(folder)
    if (folder / f"wrong-{place}").exists():
        raise UsageError("these are other weights")
    if (folder / f"broken-{place}").exists():
        os.kill(os.getpid(), signal.SIGKILL)

    def make(piece, progress):
        with (folder / "log").open("a") as log:
            log.write(f"{piece} {place} {os.getpid()}\n")
        progress(3)
        deadly = folder / f"deadly-{piece}"
        if deadly.exists():
            if deadly.read_text() == "once":
                deadly.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        if (folder / f"poison-{piece}").exists():
            raise RunError("a poisoned block")
        if (folder / f"bug-{piece}").exists():
            raise ZeroDivisionError("a bug")
        if (folder / f"full-{piece}").exists():
            raise WriteError("the disk is full")
        if (folder / "slow").exists():
            time.sleep(float((folder / "slow").read_text()))
        (folder / f"piece-{piece}").write_text("done")
        return 10 + piece, 0.5

    return make


def open_counting(base):
    """Give work that counts from the base on."""

    def count(item):
        if item == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if item == "fail":
            raise UsageError("wrong item")
        for i in range(item):
            yield base + i

    return count
