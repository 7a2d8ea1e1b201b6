"""Every command and snippet in the documents runs, on small stand-ins for their files.

Each page has a folder of its own with the same files, so pages do not depend on each
other. Commands run in the order of the page: one may read what an earlier one wrote.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import h5py
import numpy as np
import pytest
from dask.distributed import LocalCluster
from stored import probabilities

from doc_commands import doc_commands
from doc_stand_ins import write_stand_ins
from tfimpute_tracks.cli import main
from tfimpute_tracks.dataset import open_dataset
from tfimpute_tracks.genome import open_genome
from tfimpute_tracks.impute.store import Store

NOT_RUN = {
    "card held-out --data data.h5 -g hg19.fa --pairs-table pairs.tsv --evidence "
    "encode-hg19 --sections genome -o card.json": "needs the peaks of all 513 pairs",
}
ON_A_CLUSTER = "impute --engine dask --scheduler tcp://10.0.0.1:8786"
# What is added to a command that would take minutes otherwise.
REGION = "-r chr20:48,590,001-48,610,000"
FEW = "--n-background 20"
ONE_CONTROL = "--control-cells GM12878"
SHORTER = {
    "impute --missing -g hg19.fa --chroms chr20 -o store": "--dry-run",
    "impute --missing -g hg19.fa -o store": REGION,
    "impute --missing -g hg19.fa -o store --engine dask": REGION,
    ON_A_CLUSTER: f"--cell K562 {REGION} -o dask-store",
    "compare --data data.h5 -m held-out --training-sequences 1000 -o comparison-out "
    "--predictors model,tf-mean,tfimpute,average-activity,motif,deepbind,deepsea,"
    "deepsea-mean,gkm-svm": "--training-sequences 20",
    "impute --missing -g hg38.fa --evidence mine.h5 -o store": (
        "-r chr20:49,973,464-49,993,463"
    ),
    "variants patients.vcf.gz --cell HepG2 -g hg19.fa -m deep -o effects": FEW,
    "variants snps.tsv --all --min-delta 0.1 -g hg19.fa --format parquet": FEW,
    "motifs -g hg19.fa -r accessible.bed -o motifs": "-m run/model.safetensors",
    "extend --pairs-table mine.tsv -g hg19.fa -o mine.safetensors": (
        "-m run/model.safetensors --candidate-sites dhs.bed"
    ),
    "enhancers elements.fa --cell K562 --activities activities.tsv -m deep": ONE_CONTROL,
    "enhancers k562/k562.bed -g hg19.fa.gz --cell K562 --activities "
    "k562/k562.activities.tsv -m deep --mask-flanks": ONE_CONTROL,
}
# What pages start from. These commands are not run again on the pages that show them.
MADE = (
    "prepare -g hg19.fa --pairs-table pairs.tsv --candidate-sites dhs.bed -o data.h5",
    "train --data data.h5 -o run",
    "evidence build --pairs-table pairs.tsv -g hg19.fa -o evidence.h5",
    (
        "evidence lift encode-hg19 --chain hg19ToHg38.over.chain.gz -g hg38.fa "
        "-o hg38.evidence.h5"
    ),
    "scan --tf CTCF --cell K562",
    "impute --cell K562 -g hg19.fa --chroms chr20 -o store",
)
NAMES = {"FOLDER": "tracks-out", "STORE": "store"}  # as the text calls them
# What these have in common with other pages runs there.
OVERVIEWS = ("README.md", "index.md", "start.md")

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = {
    path.name: [
        [NAMES.get(word, word) for word in words] for words in doc_commands(path)
    ]
    for path in PAGES
    if path.name != "verbs.md"  # is made from the help
}
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def _serve(words):
    """Start a server, ask it, and stop it; return the error if one of these fails."""
    with subprocess.Popen(
        [sys.executable, "-m", "tfimpute_tracks", *words, "--port", "0", "--no-cache"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        address = server.stdout.readline().strip()
        if address:
            urllib.request.urlopen(f"{address}api/about", timeout=60).close()
        server.send_signal(signal.SIGINT)
        _, err = server.communicate(timeout=60)
    failed = server.returncode or not address
    return f"{' '.join(words)}: {err[-500:]}" if failed else None


def _run_on_cluster(words):
    """Run a command with a scheduler of this machine in place of the one it names."""
    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        own = cluster.scheduler_address
        return _run([own if word.startswith("tcp:") else word for word in words])


def _run(words):
    """Run a command as the command line does; return the error if it fails."""
    out, err = StringIO(), StringIO()
    with (
        pytest.raises(SystemExit) as stop,
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        main(words)
    code, command = stop.value.code, " ".join(words)
    return f"{command}: exit code {code}: {err.getvalue()[-500:]}" if code else None


@pytest.fixture(scope="module")
def one_cpu():
    """Use one CPU: threads that wait for each other take time from other processes."""
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cpus)})
    yield
    os.sched_setaffinity(0, cpus)


@pytest.fixture(scope="module")
def stand_ins(one_cpu, tmp_path_factory):
    folder = write_stand_ins(tmp_path_factory.mktemp("stand-ins"))
    with chdir(folder):
        for command in MADE:
            error = _run(command.split())
            assert not error, error
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def here(stand_ins, tmp_path, monkeypatch):
    """Enter a folder with all files; those of its folders are copies."""
    for path in stand_ins.iterdir():
        if path.is_dir():
            shutil.copytree(path, tmp_path / path.name)
        else:
            (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def test_what_is_not_run_is_still_on_a_page():
    shown = {" ".join(words) for page in COMMANDS.values() for words in page}
    gone = [command for command in [*NOT_RUN, *SHORTER] if command not in shown]
    assert not gone, f"no page has {gone}"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of other packages
@pytest.mark.usefixtures("here", "fresh_settings")
@pytest.mark.parametrize("page", [name for name, found in COMMANDS.items() if found])
def test_commands_run(page, monkeypatch):
    elsewhere = [
        words
        for name, found in COMMANDS.items()
        for words in found
        if page in OVERVIEWS and name not in OVERVIEWS
    ]
    errors = []
    for words in COMMANDS[page]:
        command = " ".join(words)
        if command in (*NOT_RUN, *MADE) or words in elsewhere:
            continue
        if "-o" in words:  # the page makes what others start from
            made = words[words.index("-o") + 1]
            if not any(word.startswith(f"{made}/") for word in words):
                _remove(Path(made))
        with Path("patients.vcf").open() as piped:
            monkeypatch.setattr("sys.stdin", piped)
            shorter = [*words, *SHORTER.get(command, "").split()]
            run = {"browse": _serve, ON_A_CLUSTER: _run_on_cluster}
            errors.append(run.get(command, run.get(words[0], _run))(shorter))
    assert not any(errors), "\n".join(filter(None, errors))


def _codes_of_a_shard():
    """Give the codes of the shard with the most scores, as they are in the file."""

    def n_scores(path):
        with h5py.File(path) as file:
            return (~file["missing"][:]).sum()

    path = max(Path("store/shards").glob("*.h5"), key=n_scores)
    with h5py.File(path) as file:
        n_known = np.flatnonzero(~file["missing"][:])
        column = n_known[0] // 2048
        return {"codes": file["codes"][:], "i": 0, "j": column, "shard": path.name}


def _are_codes_of_the_store(names):
    """Compare with the library: probabilities by the formula of the page."""
    store = Store(Path("store"))
    t, pair = store.plan.thresholds[0], store.plan.pairs[0]
    line = np.log(t / (1 - t))
    low = min(-11, line - 4)
    step = (max(7, line + 4) - low) / 254
    line_code = 1 + round((line - low) / step)
    log_odds = line + (names["chunk"][0].astype(float) - line_code + 0.5) * step
    block = list(probabilities(store, pair))[int(names["shard"].split(".")[0])]
    values = block.values[2048 * names["j"] :][:2048]
    known = ~np.isnan(values)
    assert known.sum() > 50
    np.testing.assert_allclose(
        values[known], 1 / (1 + np.exp(-log_odds[known])), atol=1e-3
    )


def _labeled_sites():
    """Give the data set of the pages, and scores of two methods."""
    dataset, rng = open_dataset("data.h5"), np.random.default_rng(0)
    labels = dataset.labels(np.arange(dataset.n_sites))
    a, b = rng.random((2, *labels.shape))
    return {"dataset": dataset, "rows": slice(None), "labels": labels, "a": a, "b": b}


def _is_an_interval_of_draws(names):
    assert names["ours"].shape == (500, len(names["dataset"].pairs))


def _finds_peaks(names):
    assert set(names["peaks"].tf) <= {"CTCF", "RAD21", "MAX"}
    assert len(names["peaks"])


def _writes_files(names):
    assert len(names["files"]) == 9
    assert all(file.path.exists() for file in names["files"])


def _reads_evidence(names):
    assert names["model"].evidence is not None


# What the snippets of a page start from, and what must hold afterwards. Those of api.md
# run in tests/api/test_page.py.
SNIPPETS = {
    "README.md": (dict, _finds_peaks),
    "bulk-store.md": (_codes_of_a_shard, _are_codes_of_the_store),
    "downloads.md": (dict, _writes_files),
    "evaluation.md": (_labeled_sites, _is_an_interval_of_draws),
    "evidence.md": (lambda: {"genome": open_genome("hg19.fa")}, _reads_evidence),
}


def test_every_page_with_snippets_is_run():
    pages = {path.name for path in PAGES if BLOCK.search(path.read_text("utf-8"))}
    assert pages == {*SNIPPETS, "api.md"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of other packages
@pytest.mark.usefixtures("here", "fresh_settings", "zstd_filter")
@pytest.mark.parametrize("page", SNIPPETS)
def test_snippets_run(page):
    (path,) = (path for path in PAGES if path.name == page)
    start, check = SNIPPETS[page]
    names = start()
    for block in BLOCK.findall(path.read_text("utf-8")):
        exec(block, names)
    check(names)
