"""The tree is what the project file says it is.

The root of the checkout is the package, so whatever lies there may ship by accident and
whatever is forgotten in ``pyproject.toml`` is missing only from the wheel.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

DEMANDED = ("tracks", "kernels", "tests", "cli.py", "pyproject.toml", "README.md")
ROOT_MODULES = ("__init__", "__main__", "aliases", "cli", "errors", "vocabulary")
LARGEST_FILE = 4 << 20
# What a distribution is called, where that is not how it is imported.
DISTRIBUTION = {
    "bbi": "pybbi",
    "gkmsvm": "gkmsvm-lite",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
# The extras whose packages the code imports where they are there.
FEATURES = (
    "anndata",
    "browse",
    "cluster",
    "compare",
    "gpu",
    "motifs",
    "parquet",
    "stats",
    "torch",
)


def test_demanded_names_exist(root):
    missing = [name for name in DEMANDED if not (root / name).exists()]
    assert not missing, f"missing at the root: {', '.join(missing)}"


def test_packages_are_the_folders_with_code(project, sources):
    listed = project["tool"]["setuptools"]["packages"]
    assert listed == sorted(listed), "pyproject.toml: packages are not sorted"
    found = {s.module if s.is_package else s.module.rpartition(".")[0] for s in sources}
    assert set(listed) == found, (
        f"pyproject.toml packages: not listed {sorted(found - set(listed))}, "
        f"listed but without code {sorted(set(listed) - found)}"
    )


def test_no_output_of_a_run_is_kept(root, project):
    if not (root / ".git").exists():
        pytest.skip("no repository, so what is kept is not known")
    kept = subprocess.run(
        ["git", "-C", root, "ls-files", "-z"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    folders = {name.partition("/")[0] for name in kept if "/" in name}
    packages = {n.split(".")[1] for n in project["tool"]["setuptools"]["packages"][1:]}
    assert folders - packages == {".ci", "benchmarks", "docs", "recipe", "tests"}


def test_each_package_has_an_init(root, project):
    for package in project["tool"]["setuptools"]["packages"]:
        init = Path(*package.split(".")[1:], "__init__.py")
        assert (root / init).exists(), f"{init} is missing"


def test_no_stray_module_at_the_root(root):
    stray = sorted(p.name for p in root.glob("*.py") if p.stem not in ROOT_MODULES)
    assert not stray, f"would ship in the package: {', '.join(stray)}"


def test_no_file_is_large(root, repository_files):
    large = {
        str(path.relative_to(root)): path.stat().st_size
        for path in repository_files
        if path.stat().st_size > LARGEST_FILE
    }
    assert not large, f"over {LARGEST_FILE} bytes: {large}"


def test_package_data_and_real_files_agree(root, project, sources, repository_files):
    """Each glob finds a file, and no data file of a package is left at home."""
    shipped = set()
    for package, globs in project["tool"]["setuptools"]["package-data"].items():
        folder = root.joinpath(*package.split(".")[1:])
        for glob in globs:
            matches = set(folder.glob(glob))
            assert matches, f"pyproject.toml package-data: {package} {glob!r} is empty"
            shipped |= matches
    folders = {Path(s.path).parts[0] for s in sources if "/" in s.path} | {"data"}
    data = {
        path
        for path in repository_files
        if path.relative_to(root).parts[0] in folders and path.suffix != ".py"
    }
    forgotten = sorted(str(path.relative_to(root)) for path in data - shipped)
    assert not forgotten, f"no package-data glob ships {', '.join(forgotten)}"


def _third_party(tree):
    """Yield (node, distribution) for each import from outside of this project."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules = [node.module]
        else:
            continue
        for top in {module.partition(".")[0] for module in modules}:
            if top not in sys.stdlib_module_names and top != "tfimpute_tracks":
                yield node, DISTRIBUTION.get(top, top).lower()


@pytest.fixture(scope="module")
def declared(project):
    """The names of what each extra installs, and under '' what everyone gets."""
    groups = {"": project["project"]["dependencies"]}
    groups |= project["project"]["optional-dependencies"]
    return {
        group: {re.match(r"[\w.-]+", line)[0].lower() for line in lines}
        for group, lines in groups.items()
    }


def test_dependencies_are_what_is_imported(declared, sources):
    """Nothing is imported undeclared, and nothing is installed for nobody."""
    known = declared[""].union(*(declared[extra] for extra in FEATURES))
    used = set()
    for source in sources:
        for node, name in _third_party(source.tree):
            assert name in known, f"{source.place(node)}: {name} is no dependency"
            used.add(name)
    unused = sorted(declared[""] - used)
    assert not unused, f"pyproject.toml: nobody imports {', '.join(unused)}"


def test_tests_need_only_the_test_extra(root, declared, repository_files):
    tests = [p for p in repository_files if root / "tests" in p.parents]
    modules = [path for path in tests if path.suffix == ".py"]
    own = {path.stem for path in modules}
    known = declared[""].union(declared["test"], *(declared[e] for e in FEATURES), own)
    for path in modules:
        for node, name in _third_party(ast.parse(path.read_text(encoding="utf-8"))):
            place = f"{path.relative_to(root)}:{node.lineno}"
            assert name in known, f"{place}: {name} is not in the test extra"
