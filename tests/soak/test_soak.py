"""The soak itself: damage is decided by its seed, and what is left is judged rightly."""

import importlib.util
import random
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def _load(name):
    """Import a module that stands beside this file, under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"soak_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def mutations():
    return _load("mutations")


@pytest.mark.parametrize("is_text", [True, False])
@pytest.mark.parametrize("content", [b"", b"\n", b"a\t1\nb\t2\n", bytes(range(256))])
def test_damage_is_decided_by_the_seed(mutations, content, is_text):
    for seed in range(300):
        first, second = (
            mutations.mutate(content, is_text, random.Random(seed)) for _ in range(2)
        )
        assert first == second


def test_most_damage_changes_something(mutations):
    content = b"chr1\t10\t20\tx\n" * 30
    same = sum(
        mutations.mutate(content, True, random.Random(seed)).content == content
        for seed in range(300)
    )
    assert same < 60


def test_half_written_files_are_found(tmp_path):
    outputs = _load("outputs")
    (tmp_path / "a.json").write_text('{"whole": 1}')
    assert outputs.half_written(tmp_path) == []
    for name in ("b.json", "c.h5", "d.bw", "e.gz", "f.safetensors", "g.html"):
        (tmp_path / name).write_bytes(b'{"half')
    (tmp_path / ".h.bw.1-2.tmp").write_bytes(b"")
    assert len(outputs.half_written(tmp_path)) == 7


@pytest.mark.slow
def test_each_reader_once():
    done = subprocess.run(
        [
            *(sys.executable, FOLDER / "soak.py", "--minutes", "0.1", "--seed", "1"),
            *("--part", "readers"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no failure" in done.stdout
