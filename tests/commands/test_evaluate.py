"""`evaluate` as a user meets it: its files, its lines, and what it refuses."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tfimpute_tracks.dataset import HoldOut, PairLists, write_dataset
from toys import AROUND, make_dataset, random_letters, write_fasta, write_model


@pytest.fixture
def toy(tmp_path, rng):
    """Give the options of a run: a data set of several blocks, and random weights."""
    dataset = make_dataset()
    write_dataset(tmp_path / "data.h5", replace(dataset, start=dataset.start * 1000))
    model = write_model(tmp_path / "toy.safetensors")
    return {
        "--data": tmp_path / "data.h5",
        "-m": model,
        "-o": tmp_path / "out",
        "-p": 1,
        "--bootstrap": 20,
        "--permutations": 2,
    }


@pytest.fixture
def bins(tmp_path, rng):
    """Give the options that bins need."""
    letters = {"chr1": random_letters(rng, 300), "chr20": random_letters(rng, 4000)}
    rows = ["tf\tcell\trole\tbed"]
    dataset = make_dataset()
    for i, (pair, role) in enumerate(zip(dataset.pairs, dataset.roles, strict=True)):
        starts = np.sort(rng.integers(0, 3900, 8))
        bed = tmp_path / f"{i}.bed"
        bed.write_text("".join(f"chr20\t{s}\t{s + 40}\n" for s in starts))
        rows.append(f"{pair.tf}\t{pair.cell}\t{role}\t{bed.name}")
    table = tmp_path / "pairs.tsv"
    table.write_text("\n".join(rows) + "\n")
    return {
        "--genome-bins": "100,300",
        "-g": write_fasta(tmp_path / "toy.fa", letters),
        "--pairs-table": table,
    }


def _flat(options):
    return [x for item in options.items() for x in item]


def _no_constant(name):
    raise AssertionError(f"{name} is not JSON")


def test_it_writes_a_page_tables_and_json_that_agree(run, toy):
    code, out, err = run("evaluate", *_flat(toy))
    assert code == 0, err
    files = out.splitlines()[-1].split()
    names = [file.rpartition("/")[2] for file in files]
    assert names == [
        "report.html",
        "metrics.json",
        "per_pair.tsv",
        "per_tf.tsv",
        "thresholds.tsv",
    ]
    text = (toy["-o"] / "metrics.json").read_text()
    metrics = json.loads(text, parse_constant=_no_constant)
    pairs = pd.read_csv(toy["-o"] / "per_pair.tsv", sep="\t")
    assert len(pairs) == 12
    for role, told in metrics["means"].items():
        mean = pairs.loc[pairs["role"] == role, "auroc"].mean()
        assert told["auroc"] == pytest.approx(mean, abs=1e-4)
        row = next(line for line in out.splitlines() if line.startswith(role))
        assert f"{told['auroc']:.3f}" in row
        assert told["auroc_interval"]["resamples"] == 20
        assert told["controls"]["tf"]["permutations"] == 2
    assert metrics["settings"]["seed"] == 0
    assert metrics["leaks"]["n_overlapping"] == 0
    n_trained = (pairs["role"] == "base").sum()
    assert len(metrics["leaks"]["pairs_trained_on"]) == n_trained
    assert f"test and training: {n_trained} test pairs were trained on" in err
    page = (toy["-o"] / "report.html").read_text()
    assert "Label-permutation controls" in page
    assert all(pair in page for pair in ("CTCF", "H1-hESC"))
    assert ">nan<" not in page.lower()
    assert "base pairs are used" in err  # the toy has no card


def test_the_same_command_gives_the_same_files(run, toy, tmp_path):
    for folder in ("a", "b"):
        assert run("evaluate", *_flat(toy | {"-o": tmp_path / folder}))[0] == 0
    for name in ("report.html", "metrics.json", "per_pair.tsv", "per_tf.tsv"):
        assert (tmp_path / "a" / name).read_bytes() == (
            tmp_path / "b" / name
        ).read_bytes()


def test_a_sample_of_sites_is_reported(run, toy, tmp_path):
    tables = {}
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        given = toy | {"-o": tmp_path / name, "--max-sites": 50, "--seed": seed}
        code, out, err = run("evaluate", *_flat(given))
        assert code == 0, err
        metrics = json.loads((tmp_path / name / "metrics.json").read_text())
        n_test = metrics["sites"]["available"]
        assert metrics["sites"] == {"set": "test", "evaluated": 50, "available": n_test}
        assert n_test > 200
        assert metrics["leaks"]["n_test_sites"] == 50
        title = f"50 sites drawn of {n_test} of the test chromosomes"
        assert title in " ".join(out.split())
        assert title in (tmp_path / name / "report.html").read_text()
        tables[name] = (tmp_path / name / "per_pair.tsv").read_text()
    assert tables["a"] == tables["b"] != tables["c"]


def test_sites_made_for_pairs_have_no_average_activity(run, toy, tmp_path):
    dataset = make_dataset()
    labels = dataset.labels(np.arange(900))
    parts = {
        "default_label": np.full(900, -1, dtype=np.int8),
        "negative": PairLists.from_entries(
            *np.nonzero((labels == 0) & (EVERY % 12 == 1)), 900
        ),
        "positive": PairLists.from_entries(
            *np.nonzero((labels == 1) & (EVERY % 12 == 1)), 900
        ),
        "ignored": PairLists.from_entries(*np.nonzero(labels < -1), 900),
    }
    write_dataset(tmp_path / "data.h5", replace(dataset, **parts))
    code, out, err = run("evaluate", *_flat(toy))
    assert code == 0, err
    text = (toy["-o"] / "metrics.json").read_text()
    told = json.loads(text, parse_constant=_no_constant)["means"]
    for role in ("base", "valid2", "test3"):
        assert told[role]["pairs"] > 0
        assert told[role]["average_activity_auroc"] is None
        assert len(told[role]["without_average_activity"]) == told[role]["pairs"]
    assert "nan" not in out.lower()
    assert ">nan<" not in (toy["-o"] / "report.html").read_text().lower()


def test_more_sites_than_there_are_is_all_of_them(run, toy, tmp_path):
    for name, most in (("a", 0), ("b", 10**6)):
        given = toy | {"-o": tmp_path / name, "--max-sites": most}
        assert run("evaluate", *_flat(given))[0] == 0
    files = [tmp_path / name / "metrics.json" for name in ("a", "b")]
    assert files[0].read_bytes() == files[1].read_bytes()


def _figures(run, given):
    code, _, err = run("evaluate", *_flat(given))
    assert code == 0, err
    metrics = json.loads((given["-o"] / "metrics.json").read_text())
    tables = [
        (given["-o"] / name).read_text() for name in ("per_pair.tsv", "per_tf.tsv")
    ]
    return metrics["means"], tables, " ".join(err.split())


@pytest.mark.parametrize(("around", "read"), [(False, 60), (True, 220)])
@pytest.mark.parametrize("more", [1, 30])
def test_longer_sequences_are_read_in_the_middle(
    run, toy, tmp_path, around, read, more
):
    if around:
        toy["-m"] = write_model(tmp_path / "around.safetensors", config=AROUND)
    long = make_dataset(seq_len=read + more)
    first = (read + more) // 2 - read // 2
    cut = replace(long, codes=long.codes[:, first : first + read])
    found = []
    for name, dataset in (("long", long), ("cut", cut)):
        write_dataset(tmp_path / f"{name}.h5", dataset)
        given = toy | {"--data": tmp_path / f"{name}.h5", "-o": tmp_path / name}
        found.append(_figures(run, given))
        assert "sites are scored without context" not in found[-1][2]
    assert found[0][:2] == found[1][:2]


def test_what_a_data_set_lacks_about_a_site_is_reported(run, toy, tmp_path):
    toy["-m"] = write_model(tmp_path / "around.safetensors", config=AROUND)
    whole, found = make_dataset(seq_len=220), {}
    for n in (60, 219, 220):
        first = 110 - n // 2
        data = replace(whole, codes=whole.codes[:, first : first + n])
        write_dataset(tmp_path / f"{n}.h5", data)
        given = toy | {"--data": tmp_path / f"{n}.h5", "-o": tmp_path / str(n)}
        found[n] = _figures(run, given)
    told = (
        "uses 220 bp around a site as context, and the sequences of the data set have "
        "{} bp: sites are scored without context; use `prepare --seq-len 220`"
    )
    assert told.format(60) in found[60][2]
    assert told.format(219) in found[219][2]
    assert "scored without context" not in found[220][2]
    assert found[60][:2] == found[219][:2] != found[220][:2]


# A site of each dozen says something of a pair.
EVERY = np.arange(900)[:, None] + np.arange(12)

SIZES = "seq_len=60,filter_length=8,n_filters=16,pool=20,n_units=2,embedding_size=4"


@pytest.fixture
def trained(run, toy, tmp_path):
    """Give a model that learned 85 % of the places, drawn by seed 3, and its data."""
    code, _, err = run(
        *("train", "--data", toy["--data"], "-o", tmp_path / "run", "--network", SIZES),
        *("--epochs", 1, "-p", 1, "--hold-out", "random", "--seed", 3),
    )
    assert code == 0, err
    return toy | {"-m": tmp_path / "run" / "model.safetensors"}


def test_randomly_held_out_sites_are_evaluated(run, trained):
    card = json.loads(trained["-m"].with_suffix(".json").read_text())
    assert card["hold_out"]["seed"] == 3
    assert "--seed 3" in card["reproduce"]
    assert "--hold-out random" in card["reproduce"]
    sites = card["data"]["sites"]
    assert sites == {"train": 765, "valid": 45, "test": 90}
    code, out, err = run(
        "evaluate", *_flat(trained | {"--hold-out": "random", "--seed": 3})
    )
    assert code == 0, err
    metrics = json.loads((trained["-o"] / "metrics.json").read_text())
    assert metrics["hold_out"] == card["hold_out"]
    assert metrics["sites"] == {"set": "test", "evaluated": 90, "available": 90}
    leaks = metrics["leaks"]
    assert (leaks["n_trained_on"], leaks["caveat"]) == (0, None)
    assert leaks["n_train_sites"] == 765
    assert "was trained on 90" not in err
    assert (
        "the test part of a random split (10% test, 5% validation, seed 3)"
        in " ".join(out.split())
    )
    for role, told in card["metrics"].items():
        assert metrics["means"][role]["auroc"] == pytest.approx(told["auroc"], abs=2e-3)


@pytest.mark.parametrize(
    "other",
    [
        {"--hold-out": "random", "--seed": 4},
        {"--hold-out": "chromosomes"},
        {"--hold-out": "random", "--seed": 3, "--site-set": "train"},
    ],
)
def test_sites_that_trained_are_counted_whatever_is_asked_for(run, trained, other):
    code, _, err = run("evaluate", *_flat(trained | other))
    assert code == 0, err
    metrics = json.loads((trained["-o"] / "metrics.json").read_text())
    dataset = make_dataset()
    train = HoldOut("random", seed=3).split(dataset).train
    kept = HoldOut(other["--hold-out"], seed=other.get("--seed", 0)).split(dataset)
    rows = getattr(kept, other.get("--site-set", "test"))
    n_trained = len(np.intersect1d(rows, train))
    assert metrics["leaks"]["n_trained_on"] == n_trained > 0
    assert metrics["leaks"]["n_same_sequence"] >= n_trained
    told = f"was trained on {n_trained} of {len(rows)} evaluated sites"
    # Who asks for training sites gets them: that is no mistake.
    assert (told in " ".join(err.split())) == ("--site-set" not in other)
    advice = "use --hold-out random --seed 3"
    assert (advice in " ".join(err.split())) == ("--site-set" not in other)


def test_bins_are_evaluated_on_whole_chromosomes(run, toy, bins):
    code, out, err = run("evaluate", *_flat(toy | bins | {"--pair-set": "base,test3"}))
    assert code == 0, err
    metrics = json.loads((toy["-o"] / "metrics.json").read_text())
    assert [told["width"] for told in metrics["bins"]] == [100, 300]
    assert [told["bins"] for told in metrics["bins"]] == [40, 13]
    table = pd.read_csv(toy["-o"] / "bins_100.tsv", sep="\t")
    assert len(table) == 10
    mean = table.loc[table["role"] == "base", "auroc"].mean()
    assert metrics["bins"][0]["means"]["base"]["auroc"] == pytest.approx(mean, abs=1e-4)
    assert "40 bins of 100 bp along chr20" in out
    assert "13 bins of 300 bp along chr20" in out
    assert "bins_100.tsv" in out.splitlines()[-1]
    assert "Bins of 300 bp along chr20" in (toy["-o"] / "report.html").read_text()


def test_a_pair_without_positives_is_named(run, toy, bins, tmp_path):
    dataset = make_dataset()
    labels = dataset.labels(np.arange(dataset.n_sites))
    keep = np.flatnonzero((dataset.chrom_id != 1) | (labels[:, 0] != 1))
    write_dataset(tmp_path / "data.h5", _some_sites(dataset, keep))
    (tmp_path / "5.bed").write_text("chr1\t10\t50\n")
    code, out, err = run("evaluate", *_flat(toy | bins))
    assert code == 0, err
    assert "base: no bound site, in no mean: CTCF:GM12878" in err
    assert "bins of 100 bp, base: no bound bin, in no mean: EP300:HepG2" in err
    # CTCF has one valid2 pair, and EP300 the other: a mean is left.
    code, out, err = run("evaluate", *_flat(toy | {"--pair-set": "base"}))
    assert "nan" not in out.lower()


def test_a_role_of_one_class_shows_dashes(run, toy, tmp_path):
    dataset = make_dataset()
    labels = dataset.labels(np.arange(dataset.n_sites))
    keep = np.flatnonzero((dataset.chrom_id != 1) | (labels[:, 9] != 1))
    write_dataset(tmp_path / "data.h5", _some_sites(dataset, keep))
    code, out, err = run("evaluate", *_flat(toy | {"--pair-set": "test3"}))
    assert code == 0, err
    assert "test3: no bound site, in no mean: MAX:HepG2" in err
    row = next(line for line in out.splitlines() if line.startswith("test3"))
    assert row.split()[1:3] == ["0", "-"]
    assert "nan" not in out.lower()
    text = (toy["-o"] / "metrics.json").read_text()
    told = json.loads(text, parse_constant=_no_constant)["means"]["test3"]
    assert told["auroc"] is None
    assert told["unscored"] == ["MAX:HepG2"]


def _some_sites(dataset, keep):
    from toys import _lists

    parts = {}
    for name in ("positive", "ignored"):
        lists = getattr(dataset, name)
        parts[name] = _lists(
            [lists.entries(np.array([row]))[1].tolist() for row in keep]
        )
    return replace(
        dataset,
        codes=dataset.codes[keep],
        chrom_id=dataset.chrom_id[keep],
        start=dataset.start[keep],
        **parts,
    )


WRONG = {
    "'wide' is not a width": {"--genome-bins": "wide"},
    "'' is not a width": {"--genome-bins": "300,"},
    "a bin of 0 bp": {"--genome-bins": "0"},
    "--genome-bins needs --fasta": {"-g": None},
    "--genome-bins needs --pairs-table": {"--pairs-table": None},
    "unknown chromosome chr20": {"-g": "other.fa"},
    "short.tsv lacks 1 of the evaluated pairs, such as ctcf:gm12878": {
        "--pairs-table": "short.tsv"
    },
    "no such file": {"-g": "nowhere.fa"},
    "cannot read the pairs table": {"--pairs-table": "nowhere.tsv"},
    "unknown model 'nonesuch'": {"-m": "nonesuch"},
    "sequences of 50 bp and the network reads 60": {"--data": "other.h5"},
    "nowhere.h5: no such file": {"--data": "nowhere.h5"},
    "unknown role 'x'": {"--pair-set": "x"},
    "--site-set 'x'": {"--site-set": "x"},
    "'x' is not one of": {"--hold-out": "x"},
    "--genome-bins evaluates whole chromosomes": {"--hold-out": "random"},
    "the data set has no folds": {
        "--hold-out": "alternating-peaks",
        "--genome-bins": None,
    },
    "have no effect with --hold-out random": {
        "--hold-out": "random",
        "--genome-bins": None,
        "--test-chroms": "chr1",
    },
    "invalid value for '--max-sites'": {"--max-sites": -1},
    "invalid value for '--bootstrap'": {"--bootstrap": -1},
    "invalid value for '--permutations'": {"--permutations": -1},
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_usage_is_one_line_before_any_work(run, toy, bins, tmp_path, message):
    write_fasta(tmp_path / "other.fa", {"chr1": "ACGT" * 30})
    write_dataset(tmp_path / "other.h5", make_dataset(seq_len=50))
    lines = bins["--pairs-table"].read_text().splitlines()
    assert lines.pop(1).startswith("CTCF\tGM12878")
    (tmp_path / "short.tsv").write_text("\n".join(lines) + "\n")
    given = toy | bins
    for name, value in WRONG[message].items():
        is_file = isinstance(value, str) and value.endswith((".fa", ".h5", ".tsv"))
        given[name] = tmp_path / value if is_file else value
        if value is None:
            del given[name]
    code, out, err = run("evaluate", *_flat(given))
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert code == 2, (out, err)
    assert len(errors) == 1
    assert message in errors[0].lower() or message in errors[0]
    assert not toy["-o"].exists() or not list(toy["-o"].iterdir())
