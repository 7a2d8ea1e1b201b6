"""The source files as the project's rules see them: read from the checkout, not imported.

A rule is one test over all ``sources``, which lists every place that breaks it.
"""

from __future__ import annotations

import ast
import functools
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_SHIPPED = {"tests", "benchmarks", "docs"}
LEFT_BEHIND = {"build", "dist", "node_modules", "runs", "tracks-out", "__pycache__"}
LEFT_BEHIND |= {"verbs.md"}  # a page that is made from the help


class Source(NamedTuple):
    """One module: its path below the root, its dotted name and its syntax tree."""

    path: str
    module: str
    tree: ast.Module

    @property
    def is_package(self):
        return self.path.endswith("__init__.py")

    def place(self, node):
        return f"{self.path}:{node.lineno}"


def is_left_behind(name):
    """Tell whether a run, a build or a tool made the file or folder."""
    return name in LEFT_BEHIND or name.startswith(".") or name.endswith(".egg-info")


@functools.cache
def product_paths():
    folders = [
        path
        for path in ROOT.iterdir()
        if path.is_dir() and path.name not in NOT_SHIPPED
        if not is_left_behind(path.name)
    ]
    inside = [path for folder in folders for path in folder.rglob("*.py")]
    return sorted([*ROOT.glob("*.py"), *inside])


@functools.cache
def read_source(path):
    relative = path.relative_to(ROOT)
    parts = ["tfimpute_tracks", *relative.with_suffix("").parts]
    if parts[-1] == "__init__":
        parts.pop()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return Source(relative.as_posix(), ".".join(parts), tree)


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def sources():
    return [read_source(path) for path in product_paths()]


@pytest.fixture(scope="session")
def project(root):
    """pyproject.toml, parsed."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def repository_files(root):
    """Every file that is, or is about to be, under version control."""
    git = shutil.which("git")
    if git and (root / ".git").exists():
        names = subprocess.run(
            [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\0")
    else:
        # An unpacked source distribution: nothing says what is ignored, so the
        # folders that a run leaves behind are left out by name.
        names = [
            path.relative_to(root).as_posix()
            for path in root.rglob("*")
            if not any(map(is_left_behind, path.relative_to(root).parts))
        ]
    return [root / name for name in names if (root / name).is_file()]
