"""The Dockerfile: its settings fit the package, and its steps lead to one that runs."""

import json
import re
import shutil

import pytest

from containers import build, context_files, read_dockerfile, why_not_here


@pytest.fixture(scope="module")
def steps(root):
    return read_dockerfile(root / "Dockerfile")


@pytest.fixture(scope="module")
def image(root, repository_files, steps, tmp_path_factory):
    reason = why_not_here()
    if reason:
        pytest.skip(f"the steps of the Dockerfile were not run: {reason}")
    folder = tmp_path_factory.mktemp("image")
    try:
        yield build(steps, folder, root, context_files(root, repository_files))
    finally:
        shutil.rmtree(folder)  # a gigabyte, which pytest would keep


def _last(steps, name):
    return [step.text for step in steps if step.name == name][-1]


def test_the_python_is_one_that_the_package_takes(steps, project):
    for step in steps:
        if step.name == "FROM":
            version = re.match(r"python:(\d+\.\d+)-slim\b", step.text)[1]
            classifier = f"Programming Language :: Python :: {version}"
            assert classifier in project["project"]["classifiers"]


def test_it_runs_the_command_line_as_a_user_who_is_not_root(steps, project):
    (command,) = project["project"]["scripts"]
    assert json.loads(_last(steps, "ENTRYPOINT")) == [command]
    assert (
        int(_last(steps, "USER")) > 0
    )  # a number: a pod can check that it is not root


def test_the_extras_exist(steps, project):
    install = next(s.text for s in steps if "pip install" in s.text)
    extras = re.search(r'"/src\[([\w,]+)\]"', install)[1].split(",")
    assert set(extras) <= set(project["project"]["optional-dependencies"])


def test_the_build_gets_what_the_wheel_needs_and_little_else(root, repository_files):
    files = {str(path) for path in context_files(root, repository_files)}
    assert {"pyproject.toml", "README.md", "LICENSE", "constraints.txt"} <= files
    for path in repository_files:
        name = path.relative_to(root).as_posix()
        needed = name.endswith(".py") or "/data/" in name or "/weights/" in name
        left_out = name.startswith(("tests/", "docs/", "benchmarks/"))
        if needed or left_out:
            assert (name in files) is not left_out, name
    assert not [name for name in files if name.startswith(".")]


@pytest.mark.slow
def test_the_steps_lead_to_a_package_that_runs(image):
    packages = {path.name for path in image.upper.glob("opt/*/lib/*/site-packages/*")}
    assert "tfimpute_tracks" in packages
    assert not [name for name in packages if name.startswith("nvidia")]
    assert not (image.upper / "src").exists()  # only of the first stage
    image.call([*image.entrypoint, "scan", "--tf", "CTCF", "--cell", "K562"])
    track = image.upper / "data/tracks-out/CTCF.K562.bw"
    assert track.stat().st_size > 5e4
    assert track.stat().st_uid == 10001
    assert list(image.upper.glob("cache/numba/**/*.nbc"))


@pytest.mark.slow
def test_any_other_user_may_run_it_read_only(image, steps):
    region = ["-r", "chr20:48,590,001-48,610,000", "-o", "other"]
    scan = [*image.entrypoint, "scan", "--tf", "MAX", "--cell", "GM12891", *region]
    volumes = [_last(steps, "VOLUME"), _last(steps, "WORKDIR")]
    image.call(["sh", "-c", "! touch /opt/probe"], volumes=volumes)
    image.call(scan, user="4321:4321", volumes=volumes)
    assert (image.upper / "data/other/MAX.GM12891.bw").stat().st_uid == 4321
