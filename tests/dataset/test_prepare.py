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

    def run(*more, background=toy.background):
        return CliRunner().invoke(
            app,
            [
                *("-g", str(toy.fasta)),
                *("--pairs-table", str(toy.pairs_table)),
                *("--background", str(background)),
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


def test_json_holds_the_figures(run):
    summary = json.loads(run("--json").stdout)
    assert summary["n_sites"] == 5
    assert summary["n_positive"] == 2
    assert summary["dropped"]["duplicated"] == 0
    assert summary["peak_memory_gb"] > 0


def test_an_existing_file_is_kept(run):
    assert run().exit_code == 0
    refused = run()
    assert isinstance(refused.exception, UsageError)
    assert "--overwrite" in str(refused.exception)
    assert run("--overwrite").exit_code == 0


def test_a_background_that_is_no_file_is_refused(run):
    assert isinstance(run(background="shuffle").exception, InputFileError)
