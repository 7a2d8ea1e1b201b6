"""Run the command line, as the script or as ``python -m tfimpute_tracks``.

Its imports take a few tenths of a second, in which Ctrl-C is an interrupted run, too.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process.

    Raises
    ------
    SystemExit
        As :func:`tfimpute_tracks.cli.main`.
    """
    try:
        from tfimpute_tracks.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted; run the same command to continue\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
