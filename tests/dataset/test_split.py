"""The verb: a table in, a table with roles and a summary out."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from tfimpute_tracks.commands.split import split
from tfimpute_tracks.dataset import read_pairs_table
from tfimpute_tracks.errors import InputFileError, UsageError


@pytest.fixture
def table(tmp_path):
    rows = ["tf\tcell\tbed\tpeaks\treplicate"]
    for i in range(5):
        for j in range(4):
            bed = tmp_path / f"{i}.{j}.bed"
            bed.write_text(f"chr1\t{i}\t{j + 10}\n")
            rows += [f"TF{i}\tcell{j}\t{bed.name}\t1\t{n}" for n in (1, 2)]
    path = tmp_path / "pairs.tsv"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def run(table, tmp_path):
    app = typer.Typer()
    app.command()(split)

    def run(*more, path=table):
        out = tmp_path / "new" / "split.tsv"
        return CliRunner().invoke(app, [str(path), "-o", str(out), *map(str, more)])

    return run


def test_writes_a_table_that_prepare_reads(run, tmp_path):
    done = run("--valid", 3)
    assert done.exit_code == 0, done.output
    out = tmp_path / "new" / "split.tsv"
    assert done.stdout.splitlines()[-1] == str(out)
    found = read_pairs_table(out)
    roles = {role: found.roles.count(role) for role in set(found.roles)}
    assert roles == {"base": 5, "valid2": 3, "test3": 12, "test2": 5}
    assert "left out: 15 replicates of held-out pairs: TF" in done.stderr


def test_json_reports_all_of_it(run, table):
    summary = json.loads(run("--valid", 2, "--held-out", 6, "--json").stdout)
    assert summary["rows"] == {"base": 14, "test2": 14, "test3": 4, "valid2": 2}
    assert (summary["required_in_base"], summary["can_be_held_out"]) == (5, 15)
    assert len(summary["dropped_replicates"]) == 6
    assert summary["leaks"]["same_peaks"] == []


def test_equal_peak_files_are_warned_of(run, table):
    for bed in table.parent.glob("*.bed"):
        bed.write_text("chr1\t0\t9\n")
    done = run("--valid", 1)
    assert "test pairs have the peak file of a training pair" in done.stderr


def test_an_existing_table_is_kept(run):
    assert run("--valid", 1).exit_code == 0
    assert isinstance(run("--valid", 1).exception, UsageError)
    assert run("--valid", 1, "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--valid", 16), "only 15 of 20 pairs can be held out"),
        (("--valid", 5, "--held-out", 4), "no more validation than held-out"),
        (("--valid", -1), None),
        (("--seed", -1), None),
    ],
)
def test_a_wrong_value_is_refused(run, tmp_path, options, message):
    done = run(*options)
    if message is None:
        assert done.exit_code == 2
    else:
        assert isinstance(done.exception, UsageError)
        assert message in str(done.exception)
    assert not (tmp_path / "new" / "split.tsv").exists()


def test_a_table_that_is_none_is_refused(run, tmp_path):
    assert isinstance(run(path=tmp_path / "none.tsv").exception, InputFileError)
