"""The verb: flags in, a data set and a summary out."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from tfimpute_tracks.commands.prepare import prepare
from tfimpute_tracks.dataset.store import open_dataset
from tfimpute_tracks.errors import InputFileError, UsageError


@pytest.fixture
def run(toy):
    app = typer.Typer()
    app.command()(prepare)

    def run(*more, candidates=toy.candidates):
        return CliRunner().invoke(
            app,
            [
                *("-g", str(toy.fasta)),
                *("--pairs-table", str(toy.pairs_table)),
                *(("--candidate-sites", str(candidates)) if candidates else ()),
                *("-o", str(toy.folder / "new" / "data.h5")),
                *more,
            ],
            catch_exceptions=True,
        )

    return run


def test_writes_a_data_set_and_a_table(run, toy):
    done = run("--seq-len", "120")
    assert done.exit_code == 0, done.output
    path = toy.folder / "new" / "data.h5"
    assert open_dataset(path).seq_len == 120
    assert "positive sites" in done.stdout
    assert done.stdout.splitlines()[-1] == str(path)


def test_json_has_the_counts(run):
    summary = json.loads(run("--json").stdout)
    assert summary["n_sites"] == 5
    assert summary["n_positive"] == 2
    assert summary["dropped"]["duplicated"] == 0
    assert summary["peak_memory_gb"] > 0


def test_a_minimum_of_known_bases(run):
    summary = json.loads(run("--min-known", "1", "--json").stdout)
    # Two of the five sites reach over an end of their chromosome.
    assert summary["n_sites"] == 3
    assert summary["dropped"]["too few known bases"] == 2


def test_an_existing_file_is_kept(run):
    assert run().exit_code == 0
    refused = run()
    assert isinstance(refused.exception, UsageError)
    assert "--overwrite" in str(refused.exception)
    assert run("--overwrite").exit_code == 0


def test_options_are_in_the_file(run, toy):
    (toy.folder / "ctcf.bed").write_text(
        "chr1\t1000\t1100\t.\t0\t.\t7\t-1\t2\t50\nchr1\t2000\t2100\t.\t0\t.\t8\t-1\t2\t50\n"
    )
    arguments = ("--negatives", "shuffle", "--top", "1", "--seed", "3")
    refused = run(*arguments, candidates=None)
    assert "max.bed (3 columns of 10)" in str(refused.exception)
    done = run(*arguments, "--allow-unranked", "--json", candidates=None)
    summary = json.loads(done.stdout)
    assert summary["details"] == {"unranked": ["MAX:K562"]}
    dataset = open_dataset(toy.folder / "new" / "data.h5")
    assert dataset.counts()[0].tolist() == [2, 1]
    assert dataset.parameters["options"] == {
        "negatives": "shuffle",
        "top": 1,
        "alternate": False,
        "allow_unranked": True,
        "seed": 3,
    }
    again = run(*arguments, "--allow-unranked", "--overwrite", candidates=None)
    assert "unranked" in again.stdout


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--negatives", "random"), 2),
        (("--top", "0"), 2),
        (("--seed", "-1"), 2),
        (("--min-known", "1.1"), 2),
        (("--min-known", "-0.1"), 2),
        (("--alternate",), 1),
        (("--allow-unranked",), 1),
    ],
)
def test_a_wrong_value_is_refused(run, toy, options, code):
    # 2 is the parser's word, 1 an exception that the command line makes a 2 of.
    done = run(*options)
    assert done.exit_code == code
    assert code == 2 or isinstance(done.exception, UsageError)
    assert not (toy.folder / "new" / "data.h5").exists()


def test_missing_candidate_sites_are_refused(run):
    assert isinstance(run(candidates="shuffle").exception, InputFileError)
