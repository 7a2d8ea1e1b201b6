"""Run the command line, as the script or as ``python -m tfimpute_tracks``.

Its imports take a few tenths of a second, in which Ctrl-C is an interrupted run, too.
"""

from __future__ import annotations

import gc
import sys

__all__ = ["main"]

_COLLECT_EVERY = 50_000  # objects; most of a command's stay, and each search costs time


def main() -> None:
    """Run the command line of this process.

    Raises
    ------
    SystemExit
        As :func:`tfimpute_tracks.cli.main`.
    """
    gc.set_threshold(_COLLECT_EVERY)
    try:
        from tfimpute_tracks.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted; run the same command to continue\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
