"""The names at the root: all there, each with an example that runs, loaded when used."""

import doctest
import importlib
import subprocess
import sys

import pytest

import tfimpute_tracks


def test_names_are_found_and_listed():
    names = tfimpute_tracks.__all__
    assert set(names) <= set(dir(tfimpute_tracks))
    for name in names:
        assert getattr(tfimpute_tracks, name).__doc__


def test_unknown_names_are_refused():
    with pytest.raises(
        AttributeError, match="'tfimpute_tracks' has no attribute 'nope'"
    ):
        tfimpute_tracks.nope  # noqa: B018


@pytest.mark.parametrize("name", tfimpute_tracks.__all__)
def test_each_name_has_an_example(name):
    """They run with those of all modules, in tests/project/test_docs.py."""
    thing = getattr(tfimpute_tracks, name)
    found = doctest.DocTestFinder().find(thing, name)
    assert any(test.examples for test in found), f"{name} has no example"


def test_the_example_of_the_root_runs():
    assert doctest.testmod(tfimpute_tracks).failed == 0


def test_importing_loads_nothing_else():
    code = (
        "import sys, tfimpute_tracks\n"
        "print(*(m for m in sys.modules if m.startswith('tfimpute_tracks')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["tfimpute_tracks"]


def test_modules_are_not_hidden_by_the_names():
    for name in ("tracks", "api", "evidence", "cli"):
        module = importlib.import_module(f"tfimpute_tracks.{name}")
        assert getattr(tfimpute_tracks, name) is module
