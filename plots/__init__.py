"""Figures for papers and reports: arrays and genes in, a matplotlib figure out.

``locus`` draws the tracks of a region, and ``summary`` the properties of many tracks.
``columns`` reduces signals to what a figure can show. ``style`` sets how all figures look
and saves them, and ``marks`` has what several of them share.
"""

from __future__ import annotations

import os
from pathlib import Path

from tfimpute_tracks.kernels.compile_cache import temporary_cache_dir

__all__: list[str] = []


def _find_config_dir() -> None:
    """Give matplotlib a temporary folder where it would warn of the user's one."""
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    folder = Path(os.path.expanduser(base), "matplotlib")  # noqa: PTH111 - may lack a home
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        pass
    else:
        if os.access(folder, os.W_OK):
            return
    os.environ["MPLCONFIGDIR"] = str(temporary_cache_dir() / "matplotlib")


if "MPLCONFIGDIR" not in os.environ:
    _find_config_dir()  # before matplotlib is imported
