"""`card` completes the card of a freshly trained model, from peaks to every pair.

The whole way takes a minute and is slow; what it refuses is tested with a quick model.
"""

import json
import shutil

import numpy as np
import pytest

from tfimpute_tracks.cli import main
from tfimpute_tracks.dataset import HoldOut, open_dataset, write_dataset
from tfimpute_tracks.models import load_model
from tfimpute_tracks.training import Recipe, TrainingJob, export_run, train_model
from tfimpute_tracks.training.card import SECTIONS
from toys import CONFIG, make_dataset, write_fasta

SIZES = "seq_len=60,filter_length=8,n_filters=32,pool=20,n_units=4,embedding_size=6"
RECIPE = "filter_std=0.3,filter_learning_rate=0.02,ema_decay=0.9"
TFS, CELLS = "ABCDEF", "uvwxyz"
UNMEASURED = {("A", "z"), ("F", "u"), ("D", "w")}
N_SITES = {"chr1": 2500, "chr20": 500, "chr22": 500}
STEP = 120  # bp between sites


def _main(*arguments):
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in arguments])
    assert stop.value.code == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A genome with a motif per TF, peaks of 33 pairs, and two trained models."""
    folder = tmp_path_factory.mktemp("card")
    rng = np.random.default_rng(3)
    motifs = ["".join(rng.choice(list("ACGT"), 7)) for _ in TFS]
    letters, peaks, sites = {}, {}, []
    for chrom, n in N_SITES.items():
        text = rng.choice(list("ACGT"), n * STEP)
        for site in range(n):
            start = site * STEP + 30
            sites.append(f"{chrom}\t{start}\t{start + 60}\n")
            tf = rng.integers(2 * len(TFS))
            if tf >= len(TFS):
                continue
            text[start + 20 : start + 27] = list(motifs[tf])
            for cell in CELLS:
                # Cell lines differ in how many of the motifs are bound.
                if rng.random() < 0.7 + 0.05 * CELLS.index(cell):
                    row = f"{chrom}\t{start - 20}\t{start + 80}\n"
                    peaks.setdefault((TFS[tf], cell), []).append(row)
        letters[chrom] = "".join(text)
    write_fasta(folder / "toy.fa", letters)
    (folder / "sites.bed").write_text("".join(sites))
    rows = []
    for tf, cell in sorted(set(peaks) - UNMEASURED):
        (folder / f"{tf}.{cell}.bed").write_text("".join(peaks[tf, cell]))
        rows.append(f"{tf}\t{cell}\t{tf}.{cell}.bed\n")
    (folder / "measured.tsv").write_text("tf\tcell\tbed\n" + "".join(rows))
    table = ("--pairs-table", folder / "pairs.tsv")
    options = ("--valid", 6, "--held-out", 16, "--seed", 1)
    _main("split", folder / "measured.tsv", "-o", table[1], *options)
    _main(
        *("prepare", "-g", folder / "toy.fa", *table, "-o", folder / "data.h5"),
        *("--candidate-sites", folder / "sites.bed", "--seq-len", 60),
    )
    train = (
        *("train", "--data", folder / "data.h5", "-p", 2, "--network", SIZES),
        *("--recipe", RECIPE, "--epochs", 8, "--batch-size", 64),
    )
    _main(*train, "-o", folder / "held-out", "--learning-rate", 0.02)
    roles = ("--roles", "base,valid2,test3")
    _main(*train, "-o", folder / "all", "--learning-rate", 0.02, *roles)
    return folder


def _card(folder, model, *more):
    """Complete a card; return it, and the model that reads it."""
    out = folder / f"{model}-card.json"
    _main(
        *("card", folder / model / "model.safetensors", "--data", folder / "data.h5"),
        *("-o", out, "-p", 2, *more),
    )
    weights = folder / f"{model}-copy" / "model.safetensors"
    weights.parent.mkdir(exist_ok=True)
    shutil.copyfile(folder / model / "model.safetensors", weights)
    shutil.copyfile(out, weights.with_suffix(".json"))
    return json.loads(out.read_text()), load_model(weights)


def _genome(folder):
    return ("-g", folder / "toy.fa", "--pairs-table", folder / "pairs.tsv")


@pytest.fixture(scope="module")
def completed(folder):
    """The card of the model that was trained on all pairs, by the held-out one."""
    held_out = folder / "held-out" / "model.safetensors"
    more = ("--held-out-model", held_out, *_genome(folder), "--seeds", 2, "--epochs", 2)
    return _card(folder, "all", *more)


@pytest.mark.slow
def test_every_pair_has_an_expected_auroc_with_an_interval(completed):
    card, model = completed
    assert set(SECTIONS) <= {"genome", *card, *card["fdr"]}
    assert card["expected"]["auroc"]["n_pairs"] >= 10
    assert card["expected"]["auroc"]["check"]["test3"]["pairs"] == 10
    for name in UNMEASURED:
        pair = model.vocabulary.pair(":".join(name))
        low, high = model.expected_interval(pair)
        assert 0.5 < low <= model.expected(pair) <= high <= 1
    measured = model.vocabulary.pair("B:v")
    assert model.expected_interval(measured) is None


@pytest.mark.slow
def test_unmeasured_pairs_have_thresholds_that_keep_their_fdr(folder, completed):
    card, model = completed
    imputed = card["fdr"]["imputed"]
    data = open_dataset(folder / "data.h5")
    assert imputed["pairs"] == sum(r in ("valid2", "test3") for r in data.roles)
    assert set(imputed["levels_reached"]) == set(TFS)
    assert imputed["shifts"]["0.5"] is not None
    assert imputed["test"]["0.5"]["mean"] < 0.65
    pairs = [model.vocabulary.pair(":".join(name)) for name in UNMEASURED]
    found = [model.fdr_thresholds(pair) for pair in pairs]
    assert any(value is not None for levels in found for value in levels.values())
    for levels, pair in zip(found, pairs, strict=True):
        if levels[0.5] is not None:
            own = model.score_threshold(pair)
            odds = own / (1 - own) * np.exp(imputed["shifts"]["0.5"])
            raised = model.calibration(pair).probability(odds / (1 + odds))
            assert levels[0.5] == pytest.approx(raised)


@pytest.mark.slow
def test_probabilities_are_calibrated_with_pairs_of_the_reference(completed):
    card, model = completed
    section = card["calibration"]
    assert section["pairs"] == 6
    assert section["error"]["calibrated"] < section["error"]["score"]
    slope, _ = model.calibration(model.vocabulary.pair("A:z"))
    assert slope == section["slope"]


@pytest.mark.slow
def test_peaks_are_compared_with_measured_ones_along_the_chromosome(folder, completed):
    card, _ = completed
    assert card["fdr"]["genome"]["chrom"] == "chr20"
    calling = [entry for entry in card["pairs"] if entry["genome"]["peaks"]]
    assert card["fdr"]["genome"]["peak_fdr"]["pairs"] == len(calling) > 20
    assert card["fdr"]["imputed"]["genome"]["tiles"]["0.5"]["pairs"] > 0
    for entry in card["pairs"]:
        assert 0 < entry["genome"]["bound_tiles"] < 0.2
        assert entry["genome"]["peak_recall"] >= 0
    found = [entry["genome"]["peak_recall"] for entry in calling]
    assert np.mean(found) > 0.2


@pytest.mark.slow
def test_a_held_out_model_is_its_own_reference(folder):
    """What `train` wrote stays, and the sections are those of the same pairs."""
    before = json.loads((folder / "held-out" / "model.json").read_text())
    card, _ = _card(folder, "held-out", "--sections", "calibration,fdr")
    assert card["calibration"] == before["calibration"]
    imputed = card["fdr"].pop("imputed")
    assert card == before
    all_pairs, _ = _card(
        folder,
        "all",
        *("--sections", "fdr"),
        *("--held-out-model", folder / "held-out" / "model.safetensors"),
    )
    for name in ("shifts", "pairs", "pairs_reaching", "test"):
        assert all_pairs["fdr"]["imputed"][name] == imputed[name]


@pytest.fixture
def quick(tmp_path):
    """Weights after one epoch on 12 pairs, of which 3 were held out; and the data."""
    dataset = make_dataset()
    write_dataset(tmp_path / "data.h5", dataset)
    recipe = Recipe(epochs=1, batch_size=128)
    run = train_model(
        dataset, CONFIG, recipe, TrainingJob(tmp_path), lambda _: None, lambda _: None
    )
    facts = {"hold_out": HoldOut().to_dict()}
    export_run(tmp_path / "toy.safetensors", run, dataset, facts, lambda _: None)
    return tmp_path / "toy.safetensors", tmp_path / "data.h5"


def test_the_card_is_replaced_in_place_and_the_weights_stay(quick, run):
    weights, data = quick
    card = weights.with_suffix(".json")
    before = weights.read_bytes(), json.loads(card.read_text())
    card.write_text(json.dumps(before[1] | {"calibration": {}}))
    code, out, err = run(
        *("card", weights, "--data", data, "--sections", "calibration"),
        *("-p", 1, "--json"),
    )
    assert code == 0, err
    assert json.loads(out)["file"] == str(card)
    # A held-out model is its own reference, as when it was trained.
    assert json.loads(card.read_text()) == before[1]
    assert weights.read_bytes() == before[0]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            ("--sections", "fdr"),
            "3 pairs of the data set, and thresholds of unmeasured",
        ),
        (("--sections", "expected", "--epochs", 1, "--seeds", 2), "too few pairs"),
        (("--sections", "genome"), "use --fasta and --pairs-table"),
        (("--sections", "reach"), "unknown section reach; use some of"),
        (("--fasta", "x.fa"), "--fasta and --pairs-table are needed"),
        (("--seeds", 1), "'--seeds'"),
        (("--epochs", 0), "'--epochs'"),
        (("--evidence", "x.h5"), "has no evidence weights"),
    ],
)
def test_wrong_requests_end_with_two_and_a_line(quick, run, more, message):
    weights, data = quick
    before = weights.with_suffix(".json").read_bytes()
    code, _, err = run("card", weights, "--data", data, "-p", 1, *more)
    assert code == 2
    assert message in err
    assert weights.with_suffix(".json").read_bytes() == before


def test_a_chromosome_and_pairs_must_be_there(quick, tmp_path, run):
    weights, data = quick
    fasta = write_fasta(tmp_path / "toy.fa", {"chr1": "ACGT" * 50})
    table = tmp_path / "pairs.tsv"
    (tmp_path / "a.bed").write_text("chr1\t10\t20\n")
    pairs = open_dataset(data).pairs
    rows = [f"{pair.tf}\t{pair.cell}\ta.bed\n" for pair in pairs]
    start = ("card", weights, "--data", data, "-p", 1, "-g", fasta)
    for n, message in (
        (12, "no chromosome chr20; use one of chr1"),
        (11, "no row for 1"),
    ):
        table.write_text("tf\tcell\tbed\n" + "".join(rows[:n]))
        code, _, err = run(*start, "--pairs-table", table)
        assert code == 2
        assert message in err


def test_a_model_without_a_card_is_refused(quick, run):
    weights, data = quick
    weights.with_suffix(".json").unlink()
    code, _, err = run("card", weights, "--data", data, "-p", 1)
    assert code == 2
    assert "has no card of `tfimpute-tracks train`" in err
