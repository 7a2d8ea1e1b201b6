"""`evidence train` from a data set and tracks to weights that a scan goes by."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tfimpute_tracks.dataset import write_dataset
from tfimpute_tracks.evidence import PeakDatabase, Peaks, Track, write_evidence
from tfimpute_tracks.genome import Region
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.evidence_weights import read_evidence_weights
from tfimpute_tracks.models.expectation import expression
from toys import make_dataset, write_model


def _tracks(path, dataset):
    """Give every pair a peak on each site that it binds."""
    sizes = dict(zip(dataset.chroms, dataset.chrom_sizes, strict=True))
    centers = dataset.start + dataset.seq_len // 2
    labels = dataset.labels(np.arange(dataset.n_sites))
    peaks = {}
    for number, chrom in enumerate(dataset.chroms):
        site, track = np.nonzero((labels == 1) & (dataset.chrom_id == number)[:, None])
        start = np.maximum(centers[site] - 40, 0)
        order = np.lexsort((track, start))
        ends = np.minimum(centers[site] + 40, sizes[chrom])
        peaks[chrom] = Peaks(start[order], ends[order], track[order].astype(np.uint16))
    tracks = tuple(Track(pair, "", 9, "sha256:0") for pair in dataset.pairs)
    regions = tuple(Region(chrom, 0, size) for chrom, size in sizes.items())
    measured = np.ones((len(tracks), len(sizes)), bool)
    write_evidence(path, PeakDatabase(tracks, sizes, regions, measured, peaks))
    return path


def _arguments(tmp_path, dataset):
    """Give the arguments of a small run; the model was trained on the base pairs."""
    write_dataset(tmp_path / "data.h5", dataset)
    card = {
        "hold_out": {"scheme": "chromosomes", "test": ["chr20"], "valid": ["chr22"]},
        "pairs": [
            {"tf": pair.tf, "cell": pair.cell, "trained": role == "base"}
            for pair, role in zip(dataset.pairs, dataset.roles, strict=True)
        ],
    }
    model = write_model(tmp_path / "toy.safetensors", card=card)
    return [
        *("evidence", "train", "--data", tmp_path / "data.h5", "-p", 1),
        *("--evidence", _tracks(tmp_path / "e.h5", dataset), "-m", model),
        *("-o", tmp_path / "run", "--epochs", 30),
    ]


@pytest.fixture
def arguments(tmp_path):
    return _arguments(tmp_path, make_dataset(n_sites=1500))


def test_tracks_of_other_pairs_add_to_the_sequence(arguments, run, tmp_path):
    code, out, err = run(*arguments)
    assert code == 0, err
    weights = tmp_path / "run" / "toy.safetensors"
    assert str(weights) in out.splitlines()[-1]
    card = json.loads((tmp_path / "run" / "toy.evidence.json").read_text())
    # The weights of sequence are drawn at random; a TF binds the same sites everywhere.
    assert card["metrics"]["test3"]["auroc"] > 0.95
    history = card["history"]
    assert set(history) == {"summary", "trained", "held_out"}
    assert history["trained"][-1]["loss"] < 0.7 * history["trained"][0]["loss"]
    assert card["data"]["sites"]["held_out"] > 300
    trained = {(p["tf"], p["cell"]): p["trained"] for p in card["pairs"]}
    assert sum(trained.values()) == 9  # of 12, the base pairs
    model = load_model(weights, tmp_path / "e.h5")
    assert model.digests["evidence_weights"] == card["weights"]
    line = model.threshold(model.vocabulary.pair("MAX:K562"))
    assert 0 < line < 1


def test_weights_are_scored_and_compared_by_tracks_of_trained_pairs(
    arguments, run, tmp_path
):
    assert run(*arguments)[0] == 0
    data, weights = tmp_path / "data.h5", tmp_path / "run" / "toy.safetensors"
    given = ["--data", data, "-m", weights, "-e", tmp_path / "e.h5", "-p", 1]
    code, _, err = run(
        *("evaluate", *given, "-o", tmp_path / "judged", "--bootstrap", 0)
    )
    assert code == 0, err
    assert "without those of 3 held-out pairs" in err
    told = json.loads((tmp_path / "judged" / "metrics.json").read_text())
    assert told["means"]["test3"]["auroc"] > 0.95
    assert told["basis"] == "sequence and 9 measured tracks of e.h5"
    code, _, err = run(
        *("compare", *given, "-o", tmp_path / "compared", "--predictors", "model")
    )
    assert code == 0, err
    told = json.loads((tmp_path / "compared" / "metrics.json").read_text())
    assert told["predictors"][0]["auroc"] > 0.95


@pytest.mark.parametrize("n_held_out", [1, 2])
def test_a_statistic_of_too_few_held_out_pairs_is_missing(run, tmp_path, n_held_out):
    dataset = make_dataset(n_sites=1500)
    held_out = [i for i, role in enumerate(dataset.roles) if role == "valid2"]
    roles = ["base"] * len(dataset.roles)  # ten and more, so that AUROCs are expected
    for i in held_out[:n_held_out]:
        roles[i] = "valid2"
    arguments = _arguments(tmp_path, replace(dataset, roles=tuple(roles)))
    arguments[-1] = 1
    code, _, err = run(*arguments)
    assert code == 0, err
    card = json.loads((tmp_path / "run" / "toy.evidence.json").read_text())
    check = card["expected"]["auroc"]["check"]["valid2"]
    assert (check["pairs"], check["spearman"], check["p"]) == (n_held_out, None, None)
    assert check["mean_error"] >= 0


def test_a_card_says_what_to_expect_with_fewer_tracks(arguments, run, tmp_path):
    arguments[-1] = 5
    table = tmp_path / "rna.tsv"
    table.write_text("tf\tK562\tHepG2\nMAX\t0\t15\n")
    code, _, err = run(*arguments, "--expression", table)
    assert code == 0, err
    card = json.loads((tmp_path / "run" / "toy.evidence.json").read_text())
    model = load_model(tmp_path / "run" / "toy.safetensors", tmp_path / "e.h5")
    for metric in ("auroc", "average_precision"):
        section = card["expected"][metric]
        assert set(section["check"]) >= {"left_out", "test3", "valid2"}
        for cell in model.cells:
            pair = model.vocabulary.pair(("MAX", cell))
            low, high = model.expected_interval(pair, metric) or (0, 1)
            assert 0 <= low <= high <= 1
    for rows in card["by_tracks"].values():
        assert rows[0]["tracks"] == "0"
        assert all(0 <= row["auroc"] <= 1 and row["pairs"] > 0 for row in rows)
    found = [expression(card, model.cells, "MAX", cell) for cell in model.cells]
    assert sorted(value for value in found if value is not None) == [0, 4]
    weights = tmp_path / "run" / "toy.safetensors"
    # Of a model whose held-out pairs are trained on, the reference says what to expect.
    code, _, err = run(
        *(*arguments, "--recalibrate", "--reference-card", weights),
        *("--expression", table),
    )
    assert code == 0, err
    again = json.loads((tmp_path / "run" / "toy.evidence.json").read_text())
    for metric, section in card["expected"].items():
        rows = again["expected"][metric].pop("rows")
        assert rows.keys() == section.pop("rows").keys()
    assert again["expected"] == card["expected"]
    assert again["by_tracks"] == card["by_tracks"]


def test_a_card_is_made_anew_without_training(arguments, run, tmp_path):
    arguments[-1] = 2
    assert run(*arguments)[0] == 0
    weights = tmp_path / "run" / "toy.evidence.safetensors"
    card = tmp_path / "run" / "toy.evidence.json"
    before = weights.read_bytes(), json.loads(card.read_text())
    card.write_text(json.dumps(before[1] | {"fdr": {}}))
    code, _, err = run(*arguments, "--recalibrate")
    assert code == 0, err
    assert weights.read_bytes() == before[0]
    assert json.loads(card.read_text())["fdr"] == before[1]["fdr"]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(arguments, run, tmp_path):
    arguments[-1] = 1
    digests = []
    for _ in range(2):
        code, _, err = run(*arguments, "--overwrite", "--seed", 3)
        assert code == 0, err
        card = json.loads((tmp_path / "run" / "toy.evidence.json").read_text())
        digests.append(card["weights"])
    assert digests[0] == digests[1]


def test_a_trained_summary_is_used_again(arguments, run, tmp_path):
    arguments[-1] = 1
    assert run(*arguments)[0] == 0
    first = tmp_path / "run" / "toy.safetensors"
    arguments[arguments.index("-o") + 1] = tmp_path / "again"
    code, _, err = run(*arguments, "--seed", 4, "--summary", first)
    assert code == 0, err
    one, other = (
        read_evidence_weights(tmp_path / name / "toy.evidence.safetensors")
        for name in ("run", "again")
    )
    for name, values in one.weights.items():
        if name.startswith("summary."):
            np.testing.assert_array_equal(other.weights[name], values)
    assert (other.weights["tf_query"] != one.weights["tf_query"]).any()
    assert other.card["summary_of"] == one.digest
    assert "summary" not in other.card["history"]
    code, _, err = run(*arguments, "--overwrite", "--summary", "default")
    assert code == 2
    assert "has other TFs, cell lines or sizes" in err
    card = tmp_path / "run" / "toy.evidence.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"evidence": "sha256:0"}))
    code, _, err = run(*arguments, "--overwrite", "--summary", first)
    assert code == 2
    assert "was trained with other tracks" in err


def test_what_is_there_is_not_replaced_unasked(arguments, run, tmp_path):
    arguments[-1] = 1
    assert run(*arguments)[0] == 0
    code, _, err = run(*arguments)
    assert code == 2
    assert "--overwrite" in err


def test_sites_that_all_trained_the_model_are_refused(arguments, run, tmp_path):
    card = {"hold_out": {"scheme": "chromosomes", "test": ["chr20"], "valid": []}}
    write_model(tmp_path / "toy.safetensors", card=card)
    code, _, err = run(*arguments)
    assert code == 2
    assert "was trained on every site" in err


def test_tracks_of_elsewhere_are_refused(arguments, run, tmp_path):
    sizes = {"chr5": 1000}
    tracks = (Track(make_dataset().pairs[0], "", 1, "sha256:0"),)
    peaks = Peaks(np.array([5]), np.array([9]), np.zeros(1, np.uint16))
    regions = (Region("chr5", 0, 1000),)
    measured = np.ones((1, 1), bool)
    contents = PeakDatabase(tracks, sizes, regions, measured, {"chr5": peaks})
    write_evidence(tmp_path / "e.h5", contents)
    code, _, err = run(*arguments)
    assert code == 2
    assert "has no data for" in err


def test_tracks_of_another_genome_than_the_data_set_s_are_refused(
    arguments, run, tmp_path
):
    arguments[-1] = 1
    assert run(*arguments)[0] == 0
    dataset = make_dataset(n_sites=1500)
    longer = replace(dataset, chrom_sizes=tuple(n + 1 for n in dataset.chrom_sizes))
    _tracks(tmp_path / "e.h5", longer)
    weights = tmp_path / "run" / "toy.safetensors"
    judged = ["--data", tmp_path / "data.h5", "-m", weights, "-e", tmp_path / "e.h5"]
    for arguments_of in (
        [*arguments, "--overwrite"],
        ["evaluate", *judged, "-o", tmp_path / "judged"],
    ):
        code, _, err = run(*arguments_of)
        assert code == 2
        assert "are of another genome than" in err


def test_a_sequence_network_learns_from_a_model_with_evidence(arguments, run, tmp_path):
    arguments[-1] = 2
    assert run(*arguments)[0] == 0
    sizes = "seq_len=60,filter_length=8,n_filters=16,pool=20,n_units=2,embedding_size=4"
    again = [
        *("train", "--data", tmp_path / "data.h5", "-o", tmp_path / "own", "-p", 1),
        *("--network", sizes, "--epochs", 1, "--recipe", "teacher_pairs=2"),
        *("--teacher", tmp_path / "run" / "toy.safetensors"),
    ]
    for wrong, why in (
        (("--evidence", "none"), "teacher toy reads no evidence here"),
        (("--evidence", tmp_path / "e.h5", "--epochs", 0), "0 epochs learn nothing"),
    ):
        code, _, err = run(*again, *wrong)
        assert code == 2
        assert why in err
    code, _, err = run(*again[:-2], "--evidence", tmp_path / "e.h5")
    assert code == 2
    assert "add --teacher" in err
    assert not (tmp_path / "own" / "model.safetensors").exists()
    code, _, err = run(*again, "--evidence", tmp_path / "e.h5")
    assert code == 0, err
    # 3 held-out pairs of 12: their tracks say what the run must not learn.
    assert "teacher toy, with 9 tracks" in err
    card = json.loads((tmp_path / "own" / "model.json").read_text())
    assert card["teacher"]["model"] == "toy"
    assert card["recipe"]["teacher_pairs"] == 2
    assert f"--teacher {tmp_path / 'run' / 'toy.safetensors'}" in card["reproduce"]
    assert f"--evidence {tmp_path / 'e.h5'}" in card["reproduce"]
    assert not list((tmp_path / "own").glob("*teacher*"))
    code, _, err = run(*again, "--evidence", tmp_path / "e.h5", "--resume")
    assert code == 0, err  # nothing is left to learn
    more = ("--evidence", tmp_path / "e.h5", "--resume", "--seed", 1)
    code, _, err = run(*again, *more)
    assert code == 2
    assert "belongs to another run" in err
    assert not list((tmp_path / "own").glob("*teacher*"))
    again[again.index("-o") + 1] = tmp_path / "other"
    code, _, err = run(*again, "--evidence", tmp_path / "e.h5", "--roles", "test3")
    assert code == 0, err
    assert "toy was trained on 9 held-out pairs" in " ".join(err.split())
