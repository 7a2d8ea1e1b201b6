"""Run the command line as ``python -m tfimpute_tracks``."""

from tfimpute_tracks.cli import main

if __name__ == "__main__":
    main()
