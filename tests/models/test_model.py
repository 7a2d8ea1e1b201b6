"""Names in, probabilities out; what a user can get wrong on the way."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from evidence_toys import give_tracks
from tfimpute_tracks.dataset import HoldOut
from tfimpute_tracks.errors import InputFileError, UnknownNameError, UsageError
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.checkpoint import read_checkpoint, write_checkpoint
from tfimpute_tracks.models.expectation import expression
from tfimpute_tracks.vocabulary import Pair, Vocabulary
from toys import CALIBRATED, CONFIG, VOCABULARY, make_model, write_model


def test_text_and_codes_mean_the_same(tmp_path):
    model = make_model(tmp_path)
    text = "ACGTN" * 12
    codes = np.array([[0, 1, 2, 3, 4] * 12], np.uint8)
    np.testing.assert_array_equal(
        model.predict([text, text.lower()], ["CTCF:K562"])[:1],
        model.predict(codes, [("ctcf", "k562")]),
    )


def test_the_answer_has_a_row_per_sequence_and_a_column_per_pair(tmp_path):
    model = make_model(tmp_path)
    result = model.predict(["A" * 60] * 3, ["CTCF:K562", "MAX:H1"])
    assert result.shape == (3, 2)
    assert result.dtype == np.float32
    assert model.predict([], ["CTCF:K562"]).shape == (0, 1)


def test_a_sequence_of_another_length_is_named(tmp_path):
    with pytest.raises(UsageError, match="sequence 1 has 59 bp; the model toy"):
        make_model(tmp_path).predict(["A" * 60, "A" * 59], ["CTCF:K562"])


def test_unknown_names_come_with_near_ones(tmp_path):
    model = make_model(tmp_path)
    with pytest.raises(
        UnknownNameError, match=r"unknown TF 'CTFC'; did you mean CTCF\?"
    ):
        model.predict(["A" * 60], ["CTFC:K562"])
    with pytest.raises(
        UnknownNameError, match="unknown cell line 'K652'; did you mean K562"
    ):
        model.predict(["A" * 60], ["CTCF:K652"])
    with pytest.raises(UsageError, match="not of the form TF:CELL"):
        model.predict(["A" * 60], ["CTCF"])


def test_aliases_and_case_and_punctuation():
    names = Vocabulary(["EP300", "HA-E2F1"], ["HeLa-S3", "SK-N-SH", "SK-N-SH_RA"])
    assert names.pair("p300:hela") == Pair("EP300", "HeLa-S3")
    assert names.tf("hae2f1") == "HA-E2F1"
    assert names.cell("sknsh") == "SK-N-SH"
    assert names.cell("sk-n-sh_ra") == "SK-N-SH_RA"


def test_names_that_repeat_are_refused():
    with pytest.raises(UsageError, match="duplicate TF names: MAX"):
        Vocabulary(["MAX", "MYC", "MAX"], ["K562"])


def test_weights_survive_the_disk(tmp_path):
    path = write_model(tmp_path / "toy.safetensors", card={"pairs": []})
    checkpoint = read_checkpoint(path)
    assert checkpoint.config == CONFIG
    assert checkpoint.genome["build"] == "toy1"
    assert checkpoint.card["weights"] == checkpoint.digest


def test_the_same_weights_have_the_same_digest(tmp_path):
    # safetensors writes its header in an order of its own each time.
    files = [write_model(tmp_path / f"{i}.safetensors").read_bytes() for i in range(8)]
    assert len(set(files)) == 1


def _broken(path, content):
    path.write_bytes(content)
    return path


def test_files_that_are_not_weights_are_refused(tmp_path):
    good = write_model(tmp_path / "good.safetensors").read_bytes()
    cases = {
        "cannot read weights": tmp_path / "missing.safetensors",
        "is not a weights file": _broken(tmp_path / "a.safetensors", b""),
        "not a weights file of": _broken(tmp_path / "b.safetensors", b"\x80\x04K" * 50),
        "are damaged": _broken(tmp_path / "c.safetensors", good[:-100]),
        "format version '9'": _broken(
            tmp_path / "d.safetensors",
            good.replace(b'"format-version": "1"', b'"format-version": "9"'),
        ),
        "of format 'tfimpute-other'": _broken(
            tmp_path / "e.safetensors",
            good.replace(b"tfimpute-weights", b"tfimpute-other  ").replace(
                b'"tfimpute-other  "', b'"tfimpute-other"  '
            ),
        ),
    }
    for message, path in cases.items():
        with pytest.raises(InputFileError, match=message):
            read_checkpoint(path)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    path = write_model(tmp_path / "toy.safetensors")
    content = path.read_bytes()
    path.write_bytes(content[:-4] + np.float32(np.nan).tobytes())
    with pytest.raises(InputFileError, match="not finite"):
        read_checkpoint(path)


def test_a_card_of_other_weights_is_refused(tmp_path):
    write_model(tmp_path / "a.safetensors", seed=1, card={})
    write_model(tmp_path / "b.safetensors", seed=2, card={})
    (tmp_path / "a.json").replace(tmp_path / "b.json")
    with pytest.raises(InputFileError, match="is of other weights"):
        load_model(tmp_path / "b.safetensors")


def test_models_of_the_same_weights_are_equal(tmp_path, rng):
    model, other = (make_model(tmp_path, seed=seed) for seed in (1, 2))
    again = replace(make_model(tmp_path, seed=1), name="renamed")
    assert model == again
    assert model.checkpoint == again.checkpoint
    assert model != other
    assert model.checkpoint != other.checkpoint
    assert model != model.name
    assert len({model, again, other}) == 2
    assert len({model.checkpoint, again.checkpoint, other.checkpoint}) == 2
    measured = give_tracks(model, tmp_path, rng)
    assert measured != model
    assert measured == replace(measured, name="renamed")
    assert repr(model)  # without the arrays
    assert len(repr(model)) < 1000


def test_an_array_of_another_shape_is_refused(tmp_path):
    path = write_model(tmp_path / "toy.safetensors")
    checkpoint = read_checkpoint(path)
    for name, array in checkpoint.weights.items():
        wrong = {**checkpoint.weights, name: array[..., :1]}
        missing = {n: a for n, a in checkpoint.weights.items() if n != name}
        for arrays, what in ((wrong, "has shape"), (missing, "is missing")):
            if np.shape(arrays.get(name)) == np.shape(array):
                continue
            write_checkpoint(path, CONFIG, VOCABULARY, arrays, {})
            with pytest.raises(InputFileError, match=f"array '{name}' {what}"):
                read_checkpoint(path)


def test_an_unknown_model_lists_the_bundled_ones():
    with pytest.raises(UnknownNameError, match="unknown model 'defualt'; bundled are"):
        load_model("defualt")


def test_the_status_of_a_pair_says_whether_it_is_measured(tmp_path):
    card = {
        "pairs": [
            {"tf": "CTCF", "cell": "K562", "trained": True},
            {"tf": "MAX", "cell": "HepG2", "trained": False},
        ]
    }
    model = make_model(tmp_path, card=card)
    assert model.status(Pair("CTCF", "K562")) == "measured"
    assert model.status(Pair("MAX", "HepG2")) == "imputed"
    assert model.status(Pair("MAX", "K562")) == "imputed"
    assert [p for p in model.vocabulary.all_pairs() if model.is_trained(p)] == [
        Pair("CTCF", "K562")
    ]


@pytest.mark.parametrize(
    ("held_out", "description"),
    [
        (HoldOut(), "the test chromosome chr20"),
        (HoldOut(test_chroms=("chr3", "chr20")), "the test chromosomes chr3, chr20"),
        (HoldOut("random"), "randomly held-out sites, neighbors of training"),
        (HoldOut("alternating-peaks"), "the test peaks of alternating peaks"),
    ],
)
def test_a_card_describes_its_test_sites(tmp_path, held_out, description):
    model = make_model(tmp_path, card={"hold_out": held_out.to_dict()})
    assert model.test_sites.startswith(description)


def test_a_card_without_a_hold_out_is_of_test_chromosomes(tmp_path):
    assert make_model(tmp_path).test_sites == "a test chromosome"
    assert load_model("default").test_sites == "the test chromosome chr20"


def _card(**imputed):
    entry = {"tf": "CTCF", "cell": "K562", "trained": True}
    entry["fdr_thresholds"] = {"0.1": None, "0.5": 0.8}
    return {
        "pairs": [entry],
        "fdr": {"sites": {"0.1": {}, "0.5": {}}, "imputed": imputed or None},
    }


def test_a_measured_pair_has_its_own_thresholds(tmp_path):
    card = _card(shifts={"0.1": 2.0, "0.5": 1.0}, levels_reached={"CTCF": "2222"})
    model = make_model(tmp_path, card=card)
    assert model.fdr_thresholds(Pair("CTCF", "K562")) == {0.1: None, 0.5: 0.8}


def test_thresholds_of_an_imputed_pair_are_its_default_plus_a_shift(tmp_path):
    shifts = {"0.1": 2.0, "0.5": np.log(3)}
    model = make_model(
        tmp_path, card=_card(shifts=shifts, levels_reached={"MAX": "0120"})
    )
    found = [model.fdr_thresholds(Pair("MAX", cell)) for cell in model.cells]
    assert found[0] == found[3] == {0.1: None, 0.5: None}
    # The threshold is 0.75: odds of 3, three times as high.
    assert found[1] == {0.1: None, 0.5: pytest.approx(0.9)}
    assert found[2][0.1] > found[2][0.5] == pytest.approx(0.9)


def test_without_shifts_an_imputed_pair_has_no_fdr_threshold(tmp_path):
    model = make_model(tmp_path, card=_card())
    assert model.fdr_thresholds(Pair("MAX", "K562")) == {0.1: None, 0.5: None}
    without = make_model(tmp_path, card={"pairs": []})
    assert without.fdr_thresholds(Pair("MAX", "K562")) == {}


def test_what_to_expect_of_a_pair_comes_from_the_card(tmp_path):
    card = {
        "pairs": [
            {"tf": "CTCF", "cell": "K562", "trained": True, "test_auroc": 0.93},
            {"tf": "CTCF", "cell": "HepG2", "trained": True, "test_auroc": None},
        ],
        "expected": {
            "auroc": {
                "scale": "linear",
                "margin": 0.1,
                "rows": {"CTCF": "871 902 850 990"},
            },
            "average_precision": {
                "scale": "odds",
                "margin": np.log(3),
                "rows": {"CTCF": "500 250 750 500"},
            },
        },
        "expression": {"CTCF": "4.5 - 0.0 6.1"},
    }
    model = make_model(tmp_path, card=card)
    measured = Pair("CTCF", "K562")
    assert model.expected(measured) == 0.93
    assert model.expected_interval(measured) is None
    # In the order of the cell lines: GM12878, HepG2, H1-hESC, K562.
    assert model.expected(Pair("CTCF", "GM12878")) == 0.871
    assert model.expected_interval(Pair("CTCF", "GM12878")) == (0.771, 0.971)
    # Trained, but without an AUROC.
    assert model.expected_interval(Pair("CTCF", "HepG2")) == (0.802, 1.0)
    assert model.expected(Pair("MAX", "K562")) is None
    assert model.expected_interval(Pair("MAX", "K562")) is None
    # Odds of a third, and three times as high.
    precision = [
        model.expected_interval(Pair("CTCF", cell), "average_precision")
        for cell in ("GM12878", "H1-hESC")
    ]
    assert precision == [(0.25, 0.75), (0.5, 0.9)]
    assert model.expected(Pair("CTCF", "H1-hESC"), "average_precision") == 0.75
    found = [expression(card, model.cells, "CTCF", cell) for cell in model.cells]
    assert found == [4.5, None, 0, 6.1]
    assert expression(card, model.cells, "MAX", "K562") is None


def test_a_calibration_uses_the_pair_s_own_fraction_of_bound_sites(tmp_path):
    model = make_model(tmp_path, card=CALIBRATED)
    for pair, fraction in (
        (Pair("CTCF", "K562"), 0.3),
        (Pair("CTCF", "HepG2"), 0.2),
        (Pair("MAX", "K562"), 0.1),
    ):
        slope, offset = model.calibration(pair)
        assert slope == 0.7
        assert offset == pytest.approx(-0.5 + np.log(fraction / (1 - fraction)))
    (tmp_path / "other").mkdir()
    other = make_model(tmp_path / "other")
    assert model.is_calibrated
    assert not other.is_calibrated
    assert other.calibration(Pair("CTCF", "K562")) == (1.0, 0.0)


def test_a_probability_is_the_calibrated_score(tmp_path, rng):
    model = make_model(tmp_path, card=CALIBRATED)
    pairs, codes = model.vocabulary.all_pairs(), rng.integers(0, 4, (50, 60))
    score = model.predict(codes.astype(np.uint8), pairs, calibrated=False)
    slopes, offsets = np.array([model.calibration(pair) for pair in pairs]).T
    expected = expit(slopes * logit(score.astype(float)) + offsets)
    found = model.predict(codes.astype(np.uint8), pairs)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    for i, pair in enumerate(pairs):
        call = score[:, i] >= model.score_threshold(pair)
        np.testing.assert_array_equal(found[:, i] >= model.threshold(pair), call)


def test_thresholds_are_probabilities(tmp_path):
    card = CALIBRATED | {"fdr": _card()["fdr"]}
    card["pairs"] = [card["pairs"][0] | _card()["pairs"][0], *card["pairs"][1:]]
    model, pair = make_model(tmp_path, card=card), Pair("CTCF", "K562")
    slope, offset = model.calibration(pair)
    assert model.threshold(pair) == pytest.approx(expit(slope * logit(0.75) + offset))
    (none, half) = model.fdr_thresholds(pair).values()
    assert none is None
    assert half == pytest.approx(expit(slope * logit(0.8) + offset))
