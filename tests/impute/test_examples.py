"""The examples of docs/cluster: they parse, and give what the page shows."""

import ast
import gc
import importlib.util
import re
import shutil
import subprocess

import pytest

FOLDER = "docs/cluster"


@pytest.fixture
def options(request):
    """Every option of `impute`, `export` and `catalogue`."""
    from typer.main import get_command

    from tfimpute_tracks.cli import make_app
    from tfimpute_tracks.commands.verbs import VERBS

    commands = get_command(make_app(VERBS)).commands
    return {
        verb: {o for p in commands[verb].params for o in p.opts}
        for verb in ("impute", "export", "catalogue")
    }


@pytest.mark.parametrize("name", ["impute.sbatch", "Snakefile"])
def test_scripts_use_options_that_exist(request, options, name):
    text = (request.config.rootpath / FOLDER / name).read_text()
    text = re.sub(r"[\"\\]\s*\n\s*\"?", " ", text)
    commands = re.findall(r"tfimpute-tracks (\w+)([^\n]*)", text)
    assert commands
    for verb, rest in commands:
        used = set(re.findall(r"(?<=\s)--?[a-z][a-z-]*", rest)) - {"--no-progress"}
        assert used <= options[verb], (verb, used - options[verb])


def test_the_job_array_is_valid_shell(request):
    path = request.config.rootpath / FOLDER / "impute.sbatch"
    done = subprocess.run(
        [shutil.which("bash"), "-n", path], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_slurm_job_is_rendered_as_the_page_shows(request):
    path = request.config.rootpath / FOLDER / "slurm.py"
    spec = importlib.util.spec_from_file_location("slurm", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (request.config.rootpath / "docs" / "cluster.md").read_text()
    shown = re.search(r"```sh\n(#SBATCH.*?)```", page, re.DOTALL)[1]
    with module.slurm_cluster() as cluster:
        script = cluster.job_script()
    for line in shown.splitlines():
        if line.startswith(("#SBATCH", "export")):
            assert line in script.splitlines()
    for word in re.findall(r"--[a-z-]+ [\w.]+", shown.partition("python -m")[2]):
        if "NAME" not in word:
            assert word in script
    with module.slurm_cluster(gpu=True) as cluster:
        assert "#SBATCH --gres=gpu:1" in cluster.job_script()
    del cluster
    gc.collect()  # what Dask leaves open, or a later test would be blamed for it


def test_the_gpu_example_parses(request):
    ast.parse((request.config.rootpath / FOLDER / "gpus.py").read_text())
