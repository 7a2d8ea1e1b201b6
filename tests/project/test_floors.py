"""The house has floors, and an import goes down.

A module imports from floors beneath its own and from its own room; never from above,
never from a room beside it, and always by its full name.
"""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

# From the ground up. `errors` lies under everything, `vocabulary` on it.
FLOORS = (
    ("errors",),
    ("vocabulary",),
    ("kernels", "storage"),
    ("genome",),
    ("dataset", "evidence", "plots"),
    ("models",),
    ("engines",),
    ("evaluation", "tracks"),
    ("interpret", "training"),
    ("impute", "variants"),
    ("comparison",),
    ("views",),
    ("commands",),
    ("cli",),
    ("__main__",),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
# Each takes a fair part of a second to load, and most verbs need few of them.
HEAVY = ("torch", "numba", "matplotlib", "pandas", "sklearn", "scipy", "h5py", "triton")


def _room(module):
    """Give the top-level name below the package: '' for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def _own_imports(source):
    """Yield (node, room) for each import of a module of this package, at any depth."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "tfimpute_tracks":
                    yield node, _room(alias.name)
        elif isinstance(node, ast.ImportFrom):
            if node.module == "tfimpute_tracks":
                # `from tfimpute_tracks import kernels` names a room, and
                # `from tfimpute_tracks import __version__` only the package.
                for alias in node.names:
                    yield node, alias.name if alias.name in FLOOR_OF else ""
            elif node.module and node.module.startswith("tfimpute_tracks."):
                yield node, _room(node.module)


def test_every_room_has_a_floor(sources):
    rooms = {_room(source.module) for source in sources} - {""}
    assert rooms <= set(FLOOR_OF), (
        f"{sorted(rooms - set(FLOOR_OF))}: give each a place in FLOORS of {__file__}"
    )


def test_imports_go_down(source):
    here = _room(source.module)
    wrong = [
        f"{source.place(node)}: {here or 'the package'} imports {there}"
        for node, there in _own_imports(source)
        if there
        and there != here
        # The package's own __init__ lies under everything and imports nothing.
        and (not here or FLOOR_OF.get(there, len(FLOORS)) >= FLOOR_OF.get(here, 0))
    ]
    assert not wrong, "\n".join(wrong)


def test_no_relative_import(source):
    wrong = [
        source.place(node)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not wrong, f"relative imports: {', '.join(wrong)}"


@pytest.mark.parametrize("module", ["tfimpute_tracks", "tfimpute_tracks.cli"])
def test_heavy_libraries_load_inside_the_verbs(module):
    code = (
        f"import sys, {module}\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [], f"import {module} loads {done.stdout.strip()}"


def _imported_modules(source, modules):
    """Yield the modules that a module names in imports, at any depth, for types too."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & modules
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in modules else node.module


def _circle(graph):
    """Find modules that import each other in a circle; none: an empty list."""
    done, path = set(), []

    def visit(module):
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        path.append(module)
        for other in sorted(graph[module]):
            if found := visit(other):
                return found
        done.add(path.pop())
        return []

    return next(filter(None, map(visit, sorted(graph))), [])


def test_no_import_circle(sources):
    modules = {source.module for source in sources}
    graph = {s.module: set(_imported_modules(s, modules)) - {s.module} for s in sources}
    assert graph["tfimpute_tracks.models.model"] >= {
        "tfimpute_tracks.models.checkpoint",
        "tfimpute_tracks.models.network",
    }
    assert not _circle(graph), " imports ".join(_circle(graph))


@pytest.mark.parametrize(
    ("graph", "circle"),
    [
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"d", "b"}, "d": set()}, ["b", "c", "b"]),
    ],
)
def test_circles_are_found(graph, circle):
    assert _circle(graph) == circle
