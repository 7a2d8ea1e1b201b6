"""Names of files that are no UTF-8, and names that the locale cannot write."""

import os
import subprocess
import sys

import pytest

from fasta_files import write_fasta as write_packed_fasta
from toys import random_letters, write_fasta, write_model

NAMES = {"latin-1": b"caf\xe9", "utf-8": "café-ü".encode()}


def _run(*arguments, **environment):
    """Run a command: exit code, stdout and stderr as bytes."""
    done = subprocess.run(
        [sys.executable, "-m", "tfimpute_tracks", *arguments],
        env=os.environ | environment,
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(params=NAMES)
def folder(request, tmp_path, rng):
    """A folder of that name, with a model and a genome."""
    folder = tmp_path / os.fsdecode(NAMES[request.param])
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    write_model(tmp_path / "toy.safetensors").rename(folder / "toy.safetensors")
    text = f">chr1\n{random_letters(rng, 9000)}\n"
    write_fasta(folder / "g.fa", {"chr1": text.split()[1]})
    write_packed_fasta(tmp_path / "b.fa", text, "bgzip").rename(folder / "b.fa.gz")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fasta", "locale"), [("g.fa", {"LC_ALL": "C"}), ("b.fa.gz", {})], ids=["C", "here"]
)
def test_every_file_may_be_in_a_folder_of_any_name(folder, fasta, locale):
    scan = ("scan", "-g", folder / fasta, "-m", folder / "toy.safetensors")
    options = ("--threshold", "0.1", "-o", folder / "out", "--tf", "CTCF", "-p", "1")
    formats = "--format", "bigwig,bed,bigbed,bedgraph,parquet"
    code, out, err = _run(*scan, *options, *formats, "--cell", "K562", **locale)
    assert code == 0, err
    assert os.fsencode(folder / "out" / "CTCF.K562.bw") in out
    for verb, name in (("report", "r.html"), ("plot", "p.svg")):
        more = ("-r", "chr1:1000-5000") if verb == "plot" else ()
        made = folder / name
        code, out, err = _run(verb, folder / "out", "-o", made, *more, **locale)
        assert code == 0, err
        assert made.exists()


def test_a_name_is_printed_as_it_was_typed(folder):
    missing = os.fsencode(folder / "none.safetensors")
    code, _, err = _run("info", "pairs", "-m", missing, PYTHONUTF8="1")
    assert code == 2
    assert missing in err
