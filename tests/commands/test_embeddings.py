"""`embeddings` from the command line."""

import csv
import json

import pytest


@pytest.mark.slow
def test_motif_families_stand_together_in_the_shipped_model(run, tmp_path):
    code, out, err = run("embeddings", "-o", tmp_path, "--permutations", 500, "--json")
    assert code == 0, err
    tests = json.loads(out)["tests"]
    assert "families" in tests
    for told in tests.values():
        assert told["fraction"] > 2.5 * told["expected"]
        assert told["p"] < 0.01
    with (tmp_path / "tf-neighbors.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 165 * 3
    near = {row["neighbor"] for row in rows if row["name"] == "CTCF"}
    assert near & {"RAD21", "SMC3", "CTCFL"}
    for name in (
        "tf-dendrogram.svg",
        "cell-dendrogram.svg",
        "tf-projection.svg",
        "cell-projection.svg",
        "cell-neighbors.tsv",
    ):
        assert (tmp_path / name).stat().st_size > 1000


def test_a_place_that_cannot_be_written_to_is_reported(run, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = run("embeddings", "-o", tmp_path / "file")
    assert code == 2
    assert "file" in err
