"""The examples of docs/cluster: they parse, and give what the page shows."""

import ast
import gc
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tfimpute_tracks.genome import open_bundled
from tfimpute_tracks.kernels.encode import decode
from toys import write_fasta

FOLDER = "docs/cluster"


@pytest.fixture
def work(tmp_path):
    """Make a folder with a small ``hg19.fa``, of which each chromosome is a shard."""
    with open_bundled() as genome:
        known = decode(genome.codes("chr20", 48_590_000, 48_595_000))
    chroms = dict.fromkeys(["chr20", "chr21"], known + "N" * 1_600_000)
    write_fasta(tmp_path / "hg19.fa", chroms)
    return tmp_path


def run_in(folder, words, **settings):
    """Run a program as a user whose PATH has our command line."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "HOME": str(folder)} | settings
    done = subprocess.run(
        words, cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


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


@pytest.mark.slow
def test_the_job_array_makes_a_store(request, work):
    script = request.config.rootpath / FOLDER / "impute.sbatch"
    slurm = {"SLURM_ARRAY_TASK_COUNT": "2", "SLURM_CPUS_PER_TASK": "2"}
    for task in ("2", "1"):  # in any order
        run_in(work, ["bash", script], SLURM_ARRAY_TASK_ID=task, **slurm)
        shards = sorted(path.name[7:12] for path in work.glob("store/shards/*"))
        assert shards == {"2": ["chr21"], "1": ["chr20", "chr21"]}[task]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("snakemake"), reason="no snakemake")
def test_the_snakefile_leads_to_a_catalogue_and_tracks(request, work):
    rules = request.config.rootpath / FOLDER / "Snakefile"
    (work / "pairs.tsv").write_text("tf\tcell\nCTCF\tK562\nMAX\tK562\n")
    settings = ["fasta=hg19.fa", "parts=2", "select=--cell K562"]
    call = ["snakemake", "-s", rules, "--cores", "2", "--config", *settings]
    run_in(work, call)
    assert len(list(work.glob("store/shards/*"))) == 2
    assert (work / "tracks" / "MAX.K562.bw").exists()
    assert "CTCF\tK562" in (work / "catalogue" / "catalogue.tsv").read_text()
    (work / "tracks" / "MAX.K562.bw").unlink()
    run_in(work, call)  # nothing is out of date, so nothing runs
    assert not (work / "tracks" / "MAX.K562.bw").exists()


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
