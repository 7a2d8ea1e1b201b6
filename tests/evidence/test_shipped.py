"""The evidence of the package: which genomes it is for, and what a damaged file says."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tfimpute_tracks
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evidence import (
    SHIPPED,
    evidence_for,
    open_named,
    open_shipped,
)

HG19 = {"chr20": 63_025_520}


@pytest.mark.parametrize(
    "sizes",
    [HG19, {"20": 63_025_520}, {"chr20": 63_025_520, "decoy": 1_000}],
    ids=["with chr", "without chr", "with an unknown contig"],
)
def test_a_genome_of_the_same_names_and_lengths_has_the_shipped_evidence(sizes):
    found = evidence_for(sizes)
    assert found is not None
    assert found.name == SHIPPED
    assert found.digest == open_shipped().digest


@pytest.mark.parametrize(
    "sizes",
    [{"chr20": 64_444_167}, {"decoy": 1_000}, {}],
    ids=["hg38", "no name in common", "empty"],
)
def test_any_other_genome_has_none(sizes):
    assert evidence_for(sizes) is None


def test_evidence_is_named_or_a_file(tmp_path):
    assert open_named(SHIPPED).digest == open_shipped().digest
    with pytest.raises(InputFileError, match=r"gone\.h5: no such file"):
        open_named(tmp_path / "gone.h5")


def test_it_keeps_its_name(tmp_path):
    store = open_shipped()
    some = store.subset(np.arange(len(store.tracks)) < 9)
    for one in (some, pickle.loads(pickle.dumps(some))):
        assert one.name == SHIPPED
        assert one.digest == some.digest


def test_chromosomes_are_known_without_chr():
    store, starts = open_shipped(), np.arange(62_000, 9_000_000, 50)
    named, bare = (store.coverage(name, starts, 150) for name in ("chr20", "20"))
    np.testing.assert_array_equal(named.track, bare.track)
    np.testing.assert_array_equal(named.fraction, bare.fraction)
    assert len(named.track)


@pytest.fixture
def package(tmp_path):
    """A copy of the package: its folder of evidence, and links to the rest."""
    root, copy = Path(tfimpute_tracks.__file__).parent, tmp_path / "tfimpute_tracks"
    copy.mkdir()
    for path in root.iterdir():
        if path.name == "evidence":
            shutil.copytree(path, copy / path.name)
        elif path.suffix == ".py" or (path / "__init__.py").exists():
            (copy / path.name).symlink_to(path)
    return copy


def _flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 8
    path.write_bytes(content)


def _run(package, *arguments):
    command = [sys.executable, "-m", "tfimpute_tracks", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    return subprocess.run(
        command, env=environment, cwd=package.parent, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("encode-hg19.h5", Path.unlink),
        ("encode-hg19.h5", lambda path: os.truncate(path, 9000)),
        ("encode-hg19.chr21.h5", Path.unlink),
        ("encode-hg19.chr21.h5", lambda path: os.truncate(path, 9000)),
        ("encode-hg19.chr21.h5", _flip),
    ],
)
def test_a_damaged_package_says_which_file_and_how_to_repair_it(package, name, damage):
    path = package / "evidence" / "data" / SHIPPED / name
    damage(path)
    done = _run(package, "evidence", "info", SHIPPED)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {path}: ")
    assert "pip install --force-reinstall tfimpute-tracks" in line


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_missing_chromosome_is_seen_before_anything_is_written(package, more):
    (package / "evidence" / "data" / SHIPPED / f"{SHIPPED}.chr20.h5").unlink()
    out = package.parent / "out"
    place = ["-r", "chr20:48700001-48705000", "-o", str(out), "-p", "1", "--no-cache"]
    done = _run(package, "scan", "--tf", "MAX", "--cell", "HepG2", *place, *more)
    assert done.returncode == 1
    assert "chr20.h5: no such file; it comes with the package" in done.stderr
    assert not out.exists()
    done = _run(
        *(package, "scan", "--tf", "MAX", "--cell", "HepG2", "-e", "none"),
        *(*place, "--dry-run"),
    )
    assert done.returncode == 0
