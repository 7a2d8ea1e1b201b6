"""The names at the root: all there, each with an example that runs, loaded when used."""

import doctest
import importlib
import subprocess
import sys

import numpy as np
import pytest
import torch

import tfimpute_tracks
from tfimpute_tracks.errors import TracksError, UsageError


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


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((None,), "model None; use a name"),
        (("default", 3), "evidence 3; use 'auto'"),
        (("default", "bogus"), "bogus: no such file"),
    ],
)
def test_a_model_that_cannot_be_is_refused_at_once(given, says):
    with pytest.raises(TracksError, match=says):
        tfimpute_tracks.load_model(*given)


def test_what_is_no_float_tensor_is_named():
    module = tfimpute_tracks.load_model().module(["CTCF:K562"])
    for given, says in (
        (torch.zeros(1, 4, 200, dtype=torch.int64), r"torch\.int64"),
        (np.zeros((1, 4, 200)), "ndarray"),
    ):
        with pytest.raises(
            UsageError, match=f"sequences of {says}; use a float tensor"
        ):
            module(given)


def test_a_tensor_of_another_dtype_is_named():
    module = tfimpute_tracks.load_model().module(["CTCF:K562"])
    x = torch.zeros(1, 4, 200)
    x[:, 0] = 1
    for other in (x.double(), x.half()):
        with pytest.raises(UsageError) as error:
            module(other)
        assert str(error.value) == (
            f"sequences of {other.dtype} on cpu; the module has torch.float32 on cpu: "
            "convert one of them, such as x.to(module.slope)"
        )
    expected = module(x)
    torch.testing.assert_close(module(x.double().to(module.slope)), expected)
    assert module.double()(x.double()).dtype == torch.float64
    with torch.autocast("cpu", torch.bfloat16):  # torch converts
        found = module.float()(x.bfloat16())
    torch.testing.assert_close(found.float(), expected, atol=0.2, rtol=0)
