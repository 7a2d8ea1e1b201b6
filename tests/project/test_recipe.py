"""The conda recipe says what pyproject.toml says, and its own test passes."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

import tfimpute_tracks

# What conda calls a package, where that is not the lower-case name that pip uses.
CONDA = {"isal": "python-isal", "matplotlib": "matplotlib-base"}


@pytest.fixture(scope="module")
def recipe(root):
    return yaml.safe_load((root / "recipe" / "recipe.yaml").read_text("utf-8"))


def _as_conda(requirement):
    """Turn ``matplotlib>=3.9`` into ``matplotlib-base >=3.9``."""
    name, bounds = re.fullmatch(r"([\w-]+)(.*)", requirement).groups()
    return f"{CONDA.get(name, name.lower())} {bounds}"


def test_it_builds_this_version(recipe, project):
    assert recipe["context"]["version"] == tfimpute_tracks.__version__
    assert recipe["package"]["name"] == project["project"]["name"]
    assert recipe["about"]["summary"] == project["project"]["description"]
    (script,) = project["project"]["scripts"].items()
    assert recipe["build"]["python"]["entry_points"] == [" = ".join(script)]


def test_its_requirements_are_those_of_the_package(recipe, project):
    python = "python " + project["project"]["requires-python"]
    needed = [python, *map(_as_conda, project["project"]["dependencies"])]
    run = recipe["requirements"]["run"]
    assert sorted(run) == sorted(["__linux", *needed])
    host = ["pip", python, *map(_as_conda, project["build-system"]["requires"])]
    assert sorted(recipe["requirements"]["host"]) == sorted(host)


@pytest.mark.slow
def test_its_commands_run(recipe, root, tmp_path):
    (commands,) = (test["script"] for test in recipe["tests"] if "script" in test)
    path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"  # noqa: PTH120
    subprocess.run(
        [shutil.which("bash"), "-euo", "pipefail", "-c", "\n".join(commands)],
        cwd=tmp_path,
        env=os.environ | {"PATH": path},
        check=True,
    )
