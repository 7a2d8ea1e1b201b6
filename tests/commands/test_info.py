"""`info pairs`: what is known of pairs, with thresholds or without."""

import json

import pytest

from toys import write_model

ENTRY = {
    "tf": "CTCF",
    "cell": "GM12878",
    "trained": True,
    "training_sites": 9,
    "test_auroc": 0.9,
    "fdr_thresholds": {"0.1": None, "0.5": 0.999612},
}


@pytest.mark.parametrize("fdr", [{"sites": {"0.1": {}, "0.5": {}}}, {}])
def test_every_pair_has_a_row_whatever_the_card_reports(run, tmp_path, fdr):
    """As `train` leaves a card: own thresholds, none for imputed pairs."""
    weights = write_model(
        tmp_path / "toy.safetensors",
        card={"pairs": [ENTRY] if fdr else [], "fdr": fdr},
    )
    code, out, err = run("info", "pairs", "-m", weights)
    assert code == 0, err
    assert out.splitlines()[-1] == "12 pairs"
    assert ("0.999612" in out) == bool(fdr)
    code, out, _ = run("info", "pairs", "-m", weights, "--json")
    assert code == 0
    first, second = json.loads(out)[:2]
    assert first.get("fdr_0.5") == (0.999612 if fdr else None)
    assert second.get("fdr_0.5") is None
    assert list(first) == list(second)


def test_pairs_are_listed_for_predictions_with_evidence_or_without(run):
    def listed(*options):
        code, out, err = run("info", "pairs", "--tf", "MAX", "--json", *options)
        assert code == 0, err
        return json.loads(out), err

    with_evidence, err = listed()
    assert "with evidence" in err
    alone, err = listed("-e", "none")
    assert "from sequence only" in err
    means = [
        sum(row["expected_auroc"] for row in rows) / len(rows)
        for rows in (with_evidence, alone)
    ]
    assert means[0] > means[1] + 0.02
    for row, other in zip(with_evidence, alone, strict=True):
        assert row["training_sites"] == other["training_sites"]


def test_models_are_listed_with_their_accuracy_in_both_ways(run):
    code, out, err = run("info", "models", "--json")
    assert code == 0, err
    for row in json.loads(out):
        assert row["auroc_trained_with_evidence"] > row["auroc_trained"]
