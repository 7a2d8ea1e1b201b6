"""Training, evaluating and evidence in Python make what the verbs make."""

import json
from functools import partial

import numpy as np
import pandas as pd
import pytest

import tfimpute_tracks
from tfimpute_tracks.dataset import write_dataset
from tfimpute_tracks.errors import TracksError
from toys import make_dataset

SIZES = {
    "seq_len": 60,
    "filter_length": 8,
    "n_filters": 16,
    "pool": 20,
    "n_units": 2,
    "embedding_size": 4,
}


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_dataset(tmp_path / "data.h5", make_dataset())


def test_training_makes_the_weights_of_the_verb(run, tmp_path):
    model = tfimpute_tracks.train("data.h5", "run", network=SIZES, epochs=1, threads=1)
    text = ",".join(f"{name}={value}" for name, value in SIZES.items())
    options = ["--network", text, "--epochs", 1, "-p", 1]
    run("train", "--data", "data.h5", "-o", "other/run", *options)
    ours, theirs = (tmp_path / p / "model.safetensors" for p in ("run", "other/run"))
    assert ours.read_bytes() == theirs.read_bytes()
    assert (
        model.card["reproduce"]
        == json.loads(theirs.with_suffix(".json").read_text())["reproduce"]
    )


def test_what_a_teacher_needs_is_checked():
    train = partial(tfimpute_tracks.train, "data.h5", "run", network=SIZES, epochs=1)
    for wrong, why in (
        ({"evidence": "e.h5"}, "add --teacher"),
        ({"teacher": 7}, "teacher 7; use a path"),
        ({"teacher": "default", "epochs": 0}, "0 epochs learn nothing"),
        ({"teacher": "default", "evidence": "none"}, "reads no evidence here"),
        (
            {"teacher": "default", "evidence": "encode-hg19"},
            "are of another genome than the data set",
        ),
    ):
        with pytest.raises(TracksError, match=why):
            train(**wrong)


def test_evaluating_gives_the_metrics_of_the_verb(run, weights, tmp_path):
    options = {"bootstrap": 20, "permutations": 2, "roles": ["base", "test3"]}
    ours = tfimpute_tracks.evaluate("data.h5", weights, **options)
    flags = ["--bootstrap", 20, "--permutations", 2, "--pair-set", "base,test3"]
    run("evaluate", "--data", "data.h5", "-m", weights, *flags, "-o", "o")
    theirs = json.loads((tmp_path / "o" / "metrics.json").read_text())
    assert json.loads(json.dumps(ours)) == theirs


def test_embeddings_are_those_of_the_file(run, weights, model, tmp_path):
    table = tfimpute_tracks.embeddings(model)
    assert table.equals(tfimpute_tracks.embeddings(weights))
    run("embeddings", "-m", weights, "-o", "o", "--permutations", 100)
    written = pd.read_csv(tmp_path / "o" / "embeddings.tsv", sep="\t")
    assert list(written) == list(table)
    assert written.name.tolist() == table.name.tolist()
    numbers = written.iloc[:, 2:].to_numpy(np.float32)
    np.testing.assert_array_equal(numbers, table.iloc[:, 2:].to_numpy())
    rows = model.core.checkpoint.embedding("cell")
    cells = table[table.kind == "cell line"].set_index("name")
    np.testing.assert_array_equal(cells.loc["K562"].iloc[1:], rows[3])


@pytest.fixture
def peaks(tmp_path):
    (tmp_path / "a.bed").write_text("chr20\t48599500\t48599700\n")
    (tmp_path / "o.bed").write_text("chr20\t48599000\t48599900\n")
    text = "tf\tcell\tbed\trole\nCTCF\tK562\ta.bed\tbase\n"
    (tmp_path / "pairs.tsv").write_text(text)
    (tmp_path / "open.tsv").write_text("cell\tbed\nK562\to.bed\n")


@pytest.mark.usefixtures("peaks")
def test_evidence_is_that_of_the_verb_and_is_used(run):
    ours = tfimpute_tracks.build_evidence(
        "pairs.tsv", "ours.h5", accessibility="open.tsv"
    )
    tables = ["--pairs-table", "pairs.tsv", "--accessibility", "open.tsv"]
    run("evidence", "build", *tables, "-o", "theirs.h5")
    assert ours.digest == tfimpute_tracks.open_evidence("theirs.h5").digest
    region = ("chr20", 48_599_000, 48_600_000)
    scans = [
        tfimpute_tracks.load_model(evidence=evidence).scan(None, region, "MAX:K562")
        for evidence in (ours, "ours.h5", "none")
    ]
    assert scans[0].array.identical(scans[1].array)
    assert not scans[0].array.equals(scans[2].array)


@pytest.mark.usefixtures("peaks")
@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda t: t.build_evidence(None, "x.h5"), "no peaks"),
        (lambda t: t.build_evidence("pairs.tsv", "a.bed"), "a.bed exists"),
        (lambda t: t.build_evidence("nowhere.tsv", "x.h5"), "nowhere.tsv"),
        (lambda t: t.open_evidence("nowhere.h5"), "nowhere.h5: no such file"),
        (lambda t: t.train("nowhere.h5", "run"), "nowhere.h5"),
        (lambda t: t.train("data.h5", "run", network={"nope": 1}), "nope=1"),
        (lambda t: t.train("data.h5", "run", network="n_filters=3"), "a dictionary"),
        (lambda t: t.train("data.h5", "run", preset="nope"), "unknown preset 'nope'"),
        (lambda t: t.train("data.h5", "run", threads=0), "threads"),
        (lambda t: t.evaluate("nowhere.h5"), "nowhere.h5"),
        (lambda t: t.evaluate("data.h5"), "sequences of 60 bp"),
        (lambda t: t.extend("g.fa", "x.safetensors"), "nothing to add"),
        (lambda t: t.extend("g.fa", "x.txt", pairs_table="pairs.tsv"), "x.txt"),
        (lambda t: t.embeddings("nope"), "unknown model 'nope'"),
    ],
)
def test_wrong_values_are_named(call, says):
    with pytest.raises(TracksError) as error:
        call(tfimpute_tracks)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
