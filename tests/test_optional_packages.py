"""Without the packages of an extra: one line says what needs them and how to install."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tfimpute_tracks.errors import _OPTIONAL, TRAINING, missing_package

ROOT = Path(__file__).resolve().parents[1]
# What a package is called, where that is not how it is imported.
DISTRIBUTION = {
    "dask_jobqueue": "dask-jobqueue",
    "distributed": "dask",
    "gkmsvm": "gkmsvm-lite",
    "sklearn": "scikit-learn",
}
WITHOUT = """
import sys
for name in {names!r}:
    sys.modules[name] = None  # as if it were not installed
from tfimpute_tracks.cli import main
for arguments in {runs!r}:
    try:
        main(arguments)
    except SystemExit as done:
        print(f"exit {{done.code}}", file=sys.stderr)
"""
PAIR = ["--tf", "CTCF", "--cell", "K562", "-r", "chr20:48,600,001-48,601,000"]
TORCH = "needs PyTorch: pip install 'tfimpute-tracks[torch]'"
STATS = "needs SciPy: pip install 'tfimpute-tracks[stats]'"
# [(arguments, what the message says)]
VERBS = [
    (["scan", *PAIR, "-m", "deep", "-o", "a"], f"model deep {TORCH}"),
    (["query", "chr20:48600001-48601000", "-m", "deep"], f"model deep {TORCH}"),
    (["scan", *PAIR, "--device", "cuda", "-o", "b"], f"--device cuda {TORCH}"),
    (
        ["scan", *PAIR, "--cell-accessibility", "c.bed", "--cell-name", "c", "-o", "c"],
        f"--cell-accessibility {TORCH}",
    ),
    (["train", "--data", "d.h5", "-o", "d"], f"`train` {TORCH}"),
    (
        ["evidence", "train", "--data", "d.h5", "--evidence", "x.h5", "-o", "d"],
        f"`evidence train` {TORCH}",
    ),
    (["card", "held-out", "--data", "d.h5"], f"`card` {TORCH}"),
    (["explain", *PAIR], f"`explain` {TORCH}"),
    (["motifs"], f"`motifs` {TORCH}"),
    (["selftest"], f"`selftest` {TORCH}"),
    (["evaluate", "--data", "d.h5"], f"`evaluate` {STATS}"),
    (["compare", "--data", "d.h5"], f"`compare` {STATS}"),
    (["embeddings"], f"`embeddings` {STATS}"),
    (["enhancers", "e.tsv"], f"`enhancers` {STATS}"),
    (
        ["variants", "chr20:48600376:A:G", "--heatmaps", "1"],
        f"a heatmap {STATS}",
    ),
]


def _python(code, folder):
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_verbs_say_what_they_need_in_a_line(tmp_path):
    runs = [arguments for arguments, _ in VERBS]
    done = _python(WITHOUT.format(names=TRAINING, runs=runs), tmp_path)
    lines = done.stderr.splitlines()
    errors = [line for line in lines if line.startswith(("error: ", "exit ", "Trace"))]
    expected = [line for _, says in VERBS for line in (f"error: {says}", "exit 2")]
    assert errors == expected, done.stderr


@pytest.mark.slow
def test_functions_say_so_too_and_what_needs_nothing_works(tmp_path):
    code = """
        import sys
        from pathlib import Path
        for name in ("torch", "scipy", "sklearn"):
            sys.modules[name] = None
        from tfimpute_tracks import evaluate, extend, load_model, train
        from tfimpute_tracks.engines.engine import pick_device
        from tfimpute_tracks.errors import UsageError
        region, pairs = "chr20:48,600,001-48,601,000", ["CTCF:K562"]
        model = load_model()
        for run in (
            lambda: model.predict(["A" * 200], pairs),
            lambda: model.module(pairs),
            lambda: train("d.h5", "d"),
            lambda: evaluate("d.h5"),
            lambda: load_model("deep").scan(None, region, pairs),
        ):
            try:
                run()
            except UsageError as error:
                print(error)
        assert model.scan(None, region, pairs).array.size
        print(pick_device("auto", [Path(".")]), pick_device("auto", []))
    """
    code = "\n".join(line.removeprefix("        ") for line in code.splitlines())
    done = _python(code, tmp_path)
    assert done.stdout.splitlines() == [
        f"the network of model default {TORCH}",
        f"`module` {TORCH}",
        f"`train` {TORCH}",
        f"`evaluate` {STATS}",
        f"model deep {TORCH}",
        "cpu cpu",
    ], done.stderr
    assert "the GPU is not used, it needs PyTorch" in done.stderr


def test_each_package_is_in_the_extra_that_is_named():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = tomllib.loads(text)["project"]["optional-dependencies"]

    def names(extra):
        for line in extras[extra]:
            name, own = re.match(r"([\w.-]+)(?:\[([\w,]+)\])?", line).groups()
            yield name
            for other in own.split(",") if name == "tfimpute-tracks" else ():
                yield from names(other)

    for package, (extra, _) in _OPTIONAL.items():
        assert DISTRIBUTION.get(package, package) in set(names(extra)), package
        assert set(names(extra)) <= set(names("all")), extra
    # What trains needs no second extra.
    assert {"torch", "scipy", "scikit-learn"} <= set(names("torch"))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ModuleNotFoundError(name="sklearn.manifold"), "x needs scikit-learn: pip"),
        (ModuleNotFoundError(name="tfimpute_tracks.nothing"), "None"),
        (ModuleNotFoundError(), "None"),
        (ImportError(name="torch"), "None"),  # a damaged installation
    ],
)
def test_only_a_missing_package_of_an_extra_is_explained(error, says):
    assert str(missing_package("x", error)).startswith(says)
