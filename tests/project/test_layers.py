"""Imports go down.

A module imports from layers below its own and from its own package; never from above,
never from another package of its layer, never in a circle, and always by its full name.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

# From the bottom up, as CONTRIBUTING.md shows it from the top down.
LAYERS = (
    ("errors",),
    ("aliases",),
    ("vocabulary",),
    ("kernels", "storage"),
    ("genome",),
    ("dataset", "evidence", "plots"),
    ("models",),
    ("engines",),
    ("evaluation", "tracks"),
    ("downloads",),
    ("interpret", "training"),
    ("impute", "variants"),
    ("comparison",),
    ("views",),
    ("api",),
    ("commands",),
    ("cli",),
)
LAYER_OF = {name: layer for layer, names in enumerate(LAYERS) for name in names}
WIDTH = 28  # columns of CONTRIBUTING.md's list before the descriptions
LAYER_OF["__main__"] = len(LAYERS)
# Below the library, commands import these only.
BELOW_THE_LIBRARY = {
    ("console", "storage"),  # JSON on the screen is as in files
    ("compare", "comparison"),  # help lists the predictors
    ("variants", "variants"),  # help names the defaults
}
# Functions of verbs that the reference lists under another name, or as a part of one.
OF_NAMES_AT_THE_ROOT = {
    "run_training": "train",
    "run_evaluate": "evaluate",
    "run_extension": "extend",
}
HELPERS = {"choose_cache"}  # of `cache`, which looks after files
# Each takes a fair part of a second to load, and most verbs need few of them.
HEAVY = ("torch", "numba", "matplotlib", "pandas", "sklearn", "scipy", "h5py", "triton")


def _package(module):
    """Return the top-level name below the root: '' for the root itself."""
    return module.partition(".")[2].partition(".")[0]


def _own_imports(source):
    """Yield (node, module) for each import of a module of this project."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "tfimpute_tracks":
                    yield node, alias.name
        elif isinstance(node, ast.ImportFrom) and (
            (node.module or "").partition(".")[0] == "tfimpute_tracks"
        ):
            # A name may be a module of the package, or something inside of it.
            yield node, node.module
            for alias in node.names:
                yield node, f"{node.module}.{alias.name}"


def test_every_package_has_a_layer(sources):
    packages = {_package(source.module) for source in sources} - {""}
    assert packages == set(LAYER_OF), (
        f"{sorted(packages ^ set(LAYER_OF))}: in LAYERS of {__file__} or in the tree, "
        "not in both"
    )


def test_contributing_shows_these_layers(root):
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = re.search(r"## Layers\n.*?```\n(.*?)```", text, re.DOTALL)[1]
    names = [line[:WIDTH].split() for line in block.splitlines()]
    shown = [{name.strip("/").removesuffix(".py") for name in row} for row in names]
    assert shown == [set(names) for names in reversed(LAYERS)]


def _imports_up(source):
    here = _package(source.module)
    for node, there in ((n, _package(m)) for n, m in _own_imports(source)):
        # The root's own __init__ is below everything; it names what the library offers.
        is_up = there in LAYER_OF and (
            there != "api" if not here else LAYER_OF[there] >= LAYER_OF.get(here, 0)
        )
        if there != here and is_up:
            yield f"{source.place(node)}: {here or 'the root'} imports {there}"


def test_imports_go_down(sources):
    wrong = [place for source in sources for place in _imports_up(source)]
    assert not wrong, "\n".join(wrong)


def _type_checking(tree):
    """Give the nodes of imports for annotations, which no run executes."""
    blocks = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    return {id(node) for block in blocks for node in ast.walk(block)}


def test_commands_call_the_library_and_nothing_below(sources):
    """A verb parses, calls one function of api/ and prints; Python can do the same."""
    used, wrong = set(), []
    for source in sources:
        if _package(source.module) != "commands":
            continue
        annotations = _type_checking(source.tree)
        for node, module in _own_imports(source):
            package = _package(module) or module
            if package == "tfimpute_tracks" or id(node) in annotations:
                continue  # the root itself: of `from tfimpute_tracks import name`
            if package in ("api", "commands", "errors", "vocabulary"):
                continue
            name = source.module.rpartition(".")[2]
            used.add((name, package))
            if (name, package) not in BELOW_THE_LIBRARY:
                wrong.append(f"{source.place(node)}: {module}")
    assert not wrong, "\n".join(wrong)
    assert used == BELOW_THE_LIBRARY, "some are listed, and not imported any more"


def test_a_verb_calls_one_function_that_the_reference_lists(sources, root):
    from tfimpute_tracks.commands.verbs import VERBS

    page = (root / "docs" / "api-reference.md").read_text(encoding="utf-8")
    trees = {source.module: source.tree for source in sources}
    called = {}
    for name, verb in VERBS.items():
        module, function = verb.place.split(":")
        (body,) = (
            node
            for node in trees[f"tfimpute_tracks.commands.{module}"].body
            if isinstance(node, ast.FunctionDef) and node.name == function
        )
        called[name] = [
            f"{node.module}.{alias.name}"
            for node in ast.walk(body)
            if isinstance(node, ast.ImportFrom) and "tfimpute_tracks.api" in node.module
            for alias in node.names
        ]
    wrong = {
        name: functions for name, functions in called.items() if len(functions) > 1
    }
    assert not wrong
    for (path,) in called.values():
        module, _, function = path.rpartition(".")
        if function in OF_NAMES_AT_THE_ROOT:
            path = f"tfimpute_tracks.{OF_NAMES_AT_THE_ROOT[function]}"
        assert function in HELPERS or f":: {path}\n" in page, path


def test_no_circle_of_imports(sources):
    """Type-checking imports count, imports inside functions too."""
    modules = {source.module for source in sources if not source.is_package}
    graph = {
        source.module: {m for _, m in _own_imports(source) if m in modules}
        for source in sources
        if source.module in modules
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports go in a circle: {' -> '.join(error.args[1])}")


def test_no_relative_import(sources):
    wrong = [
        source.place(node)
        for source in sources
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
