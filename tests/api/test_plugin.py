"""A package of one's own, installed by pip: a family, a predictor and a track format."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tfimpute_tracks
from tfimpute_tracks.comparison.predictors.registry import choose_predictors
from tfimpute_tracks.dataset import write_dataset
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.tracks.formats import FORMATS, bedgraph
from tfimpute_tracks.tracks.formats.track_format import FormatTable, TrackFormat
from toys import make_dataset

PACKAGE = Path(__file__).parents[1] / "plugin"
INSTALL = ("-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Install the package into a folder."""
    folder = tmp_path_factory.mktemp("site")
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "tfimpute_example.py"):  # the build leaves files
        (source / name).write_bytes((PACKAGE / name).read_bytes())
    done = subprocess.run(
        [sys.executable, *INSTALL, "--target", folder, source],
        capture_output=True,
        text=True,
        check=False,
    )
    if "setuptools" in done.stderr and done.returncode:
        pytest.skip("no setuptools to build with")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def installed(site, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(site)
    importlib.invalidate_caches()
    monkeypatch.chdir(tmp_path)
    FORMATS.__dict__.pop("_installed", None)
    yield
    FORMATS.__dict__.pop("_installed", None)
    sys.modules.pop("tfimpute_example", None)


@pytest.mark.usefixtures("installed")
def test_a_model_of_its_family_is_trained_and_scans(plain, rng):
    write_dataset(Path("data.h5"), make_dataset())
    sizes = {"seq_len": 60, "n_filters": 8, "filter_length": 8, "pool": 20}
    model = tfimpute_tracks.train("data.h5", "run", preset="additive", network=sizes)
    assert model.card["network"]["family"] == "additive"
    scan = model.scan(plain, "chr20:1-900", "CTCF:K562")
    assert scan.array.notnull().all()
    codes = rng.integers(0, 5, (4, 60)).astype(np.uint8)
    import torch

    x = torch.tensor(np.eye(5, 4, dtype=np.float32)[codes]).transpose(1, 2)
    np.testing.assert_allclose(
        model.module("CTCF:K562")(x).sigmoid(),
        model.predict(codes, "CTCF:K562"),
        rtol=1e-5,
    )


@pytest.mark.usefixtures("installed")
def test_its_format_is_written_by_scans(run, model, weights, plain):
    files = model.scan(plain, "chr20", "CTCF:K562").write("ours", ["csv", "bedgraph"])
    assert [path.suffix for path in files] == [".bedGraph", ".csv", ".json"]
    text = files[0].read_text().replace("\t", ",").splitlines()
    assert files[1].read_text().splitlines() == text
    options = ["-m", weights, "-g", plain, "--chroms", "chr20", "--pairs", "CTCF:K562"]
    run("scan", *options, "--format", "csv", "-o", "theirs")
    assert Path("theirs/CTCF.K562.csv").read_bytes() == files[1].read_bytes()


@pytest.mark.usefixtures("installed")
def test_its_predictor_is_chosen_by_name():
    (predictor,) = choose_predictors(["gc-content"], [])
    assert predictor.summary == "the fraction of G and C"


def test_the_verb_sees_it_in_a_fresh_process(site, tmp_path, weights, plain):
    paths = [str(site), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    scan = ["-m", "tfimpute_tracks", "scan", "-m", weights, "-g", plain]
    options = ["--pairs", "CTCF:K562", "--format", "csv", "-o", tmp_path / "o"]
    done = subprocess.run(
        [sys.executable, *scan, *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "o" / "CTCF.K562.csv").stat().st_size


def test_without_the_package_its_format_is_unknown(model, plain):
    with pytest.raises(UsageError, match="format 'csv'; use some of bigwig"):
        model.scan(plain, "chr20", "CTCF:K562").write("o", "csv")


def other(name, suffix):
    both = bedgraph.write_bedgraph, bedgraph.check_bedgraph
    return TrackFormat(name, suffix, "signal", *both, "text")


WRONG = {
    "broken = nowhere:X": r"the format broken \(nowhere:X\) cannot be loaded: No module",
    "number = math:pi": "refers to math:pi, which is not a TrackFormat named 'number'",
    "other = wrong_formats:NAMED": "not a TrackFormat named 'other'",
    "twice = wrong_formats:TWICE": "bigwig and twice .* both write files that end in .bw",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_format_that_fails_is_named(tmp_path, monkeypatch, line):
    info = tmp_path / "wrong_formats-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wrong\nVersion: 1.0\n")
    text = f"[tfimpute_tracks.formats]\nbigwig = nowhere:X\n{line}\n"
    (info / "entry_points.txt").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    module = type(sys)("wrong_formats")
    module.NAMED, module.TWICE = other("another", ".x"), other("twice", ".bw")
    monkeypatch.setitem(sys.modules, "wrong_formats", module)
    table = FormatTable([other("bigwig", ".bw")])
    assert table["bigwig"].suffix == ".bw"  # a built-in one needs no package
    with pytest.raises(UsageError, match=WRONG[line]) as error:
        list(table)
    assert "\n" not in str(error.value)
