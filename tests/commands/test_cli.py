"""The command line as a user meets it: arguments, exit codes, one line of error."""

import json

import pytest

from tfimpute_tracks.dataset import write_dataset
from toys import make_dataset, random_letters, write_fasta, write_model


@pytest.fixture
def toy(tmp_path, rng):
    model = write_model(tmp_path / "toy.safetensors")
    letters = {"chr1": random_letters(rng, 3000), "chr20": random_letters(rng, 2000)}
    fasta = write_fasta(tmp_path / "toy.fa", letters)
    return {"-m": model, "-g": fasta, "-o": tmp_path / "out", "-p": 1}


def _flat(options, **changes):
    return [x for item in (options | changes).items() for x in item]


def test_help_lists_every_verb(run):
    code, out, _ = run("--help")
    assert code == 0
    for verb in ("scan", "prepare", "train", "evaluate", "info", "selftest"):
        assert verb in out


def test_nothing_typed_shows_the_help(run):
    assert run()[0] == 0


def test_version(run):
    code, out, _ = run("--version")
    assert code == 0
    first, models, evidence = out.splitlines()
    assert first.startswith("tfimpute-tracks ")
    assert {"default", "deep"} <= set(models.split(": ")[1].split(", "))
    assert evidence == "evidence: encode-hg19"


def test_a_shell_completes_verbs_and_options(monkeypatch, capsys):
    """Completion asks by the environment, before any verb is typed."""
    from tfimpute_tracks.cli import main

    monkeypatch.setenv("_TFIMPUTE_TRACKS_COMPLETE", "complete_bash")
    for words, count, expected in (
        ("tfimpute-tracks sca", 1, "scan"),
        ("tfimpute-tracks scan --cel", 2, "--cell"),
    ):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(count))
        with pytest.raises(SystemExit):
            main([])
        assert expected in capsys.readouterr().out.split()


def test_scan_writes_the_four_files_and_names_them_last(run, toy):
    code, out, err = run("scan", "--tf", "ctcf", "--cell", "k562", *_flat(toy))
    assert code == 0, err
    files = out.splitlines()[-1].split()
    assert [f.rsplit("CTCF.K562.")[1] for f in files] == [
        "bw",
        "narrowPeak",
        "bb",
        "receipt.json",
    ]
    receipt = json.loads((toy["-o"] / "CTCF.K562.receipt.json").read_text())
    assert receipt["record"]["pair"] == ["CTCF", "K562"]


def test_a_browser_is_sent_to_a_peak_not_to_n(run, toy, tmp_path):
    fasta = tmp_path / "n.fa"
    fasta.write_text(">chrN\n" + "N" * 3000 + "\n" + toy["-g"].read_text())
    options = {**toy, "-g": fasta}
    ends = "--tf", "CTCF", "--cell", "K562", "--threshold", "0"
    code, out, err = run("scan", *ends, *_flat(options))
    assert code == 0, err
    assert "go to chrN" not in out
    code, out, err = run("scan", *ends, *_flat(options), "-r", "chr1:1-900")
    assert "go to chr1:1-900" in out


def test_scan_takes_several_pairs_chromosomes_and_underscores(run, toy, tmp_path):
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("tf\tcell\nCTCF\tK562\nMAX\tHepG2\nCTCF\tK562\n")
    code, out, err = run(
        "scan",
        "--pairs",
        pairs,
        "--chroms",
        "1",
        "chr20",
        "--no_progress",
        "--json",
        *_flat(toy),
    )
    assert code == 0, err
    result = json.loads(out)
    assert [entry["pair"] for entry in result["pairs"]] == ["CTCF:K562", "MAX:HepG2"]
    assert all(entry["state"] == "written" for entry in result["pairs"])


def test_dry_run_writes_nothing(run, toy):
    code, out, _ = run(
        "scan", "--pairs", "CTCF:K562;MAX:K562", "--dry-run", *_flat(toy)
    )
    assert code == 0
    assert "would write 2 tracks" in out
    assert list(toy["-o"].iterdir()) == []


def test_a_fasta_of_another_build_is_warned_of(run, toy):
    _, _, err = run("-q", "scan", "--tf", "MAX", "--cell", "K562", *_flat(toy))
    assert "warning: " in err
    assert "looks like another assembly than toy1" in err
    assert err.count("assembly") == 1


def _receipt(toy):
    return json.loads((toy["-o"] / "MAX.K562.receipt.json").read_text())["record"]


def test_a_labeled_assembly_is_reported_without_a_warning(run, toy):
    task = "scan", "--tf", "MAX", "--cell", "K562", "--assembly", "mine"
    code, out, err = run(*task, *_flat(toy))
    assert code == 0, err
    assert f"IGV: choose genome {toy['-g']}, File" in out  # it knows no other
    assert "is mine, the model toy was trained on toy1" in err
    warnings = [line for line in err.splitlines() if line.startswith("warning: ")]
    assert all("has no calibration" in line for line in warnings)
    assert _receipt(toy)["build"] == "mine"


@pytest.mark.parametrize(
    ("chrom", "size", "name", "message"),
    [
        (
            "chr21",
            46_709_983,
            "hg38",
            "real.fa is hg38, the model default was trained on",
        ),
        (
            "chr19",
            61_431_566,
            "mm10",
            "warning: {} is mm10, a mouse genome, and the model",
        ),
    ],
)
def test_common_assemblies_are_recognized(
    run, toy, tmp_path, chrom, size, name, message
):
    fasta = tmp_path / "real.fa"
    fasta.write_text(f">{chrom}\n{'ACGT' * 500}{'N' * (size - 2000)}\n")
    options = _flat(toy, **{"-g": fasta, "-m": "default", "-r": f"{chrom}:1-2000"})
    code, out, err = run("-v", "scan", "--tf", "MAX", "--cell", "K562", *options)
    assert code == 0, err
    assert f"IGV: choose genome {name}, File" in out
    assert message.format(fasta) in err
    assert f"encode-hg19 is not of real.fa ({name})" in err
    assert ("evidence lift" in err) == (name == "hg38")
    assert err.count("warning: ") == (name == "mm10")
    assert "looks like" not in err
    assert _receipt(toy)["build"] == name


WRONG = {
    "did you mean CTCF": ["--tf", "CTFC", "--cell", "K562"],
    "did you mean K562": ["--tf", "CTCF", "--cell", "K652"],
    "--cell is missing": ["--tf", "CTCF"],
    "not both": ["--tf", "CTCF", "--cell", "K562", "--pairs", "MAX:K562"],
    "not of the form TF:CELL": ["--pairs", "CTCF"],
    "ends outside of chr20, which has 2,000 bp": [
        "--pairs",
        "CTCF:K562",
        "-r",
        "chr20:1-2001",
    ],
    "chr7": ["--pairs", "CTCF:K562", "--chroms", "chr7"],
    "no such file": ["--pairs", "CTCF:K562", "-r", "nowhere.bed"],
    "no device 'cuda:7'": ["--pairs", "CTCF:K562", "-d", "cuda:7"],
    "unknown device 'tpu'": ["--pairs", "CTCF:K562", "-d", "tpu"],
    "--threads 'many'": ["--pairs", "CTCF:K562", "-p", "many"],
    "white space": ["--pairs", "CTCF:K562", "--assembly", "hg 19"],
    "chr1 has 3,000 bp, expected 249,250,621 in hg19": [
        *("--pairs", "CTCF:K562", "--assembly", "hg19"),
    ],
    "unknown model": ["--pairs", "CTCF:K562", "-m", "nonesuch"],
    "cannot read weights": ["--pairs", "CTCF:K562", "-m", "nowhere.safetensors"],
    "no such option": ["--pairs", "CTCF:K562", "--nonesuch"],
    "Invalid value for '--threshold'": ["--pairs", "CTCF:K562", "--threshold", "1.5"],
    "no tile of 60 bp fits": ["--pairs", "CTCF:K562", "-r", "chr20:1-10"],
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_usage_is_one_line_and_exit_code_2(run, toy, message):
    code, out, err = run("scan", *_flat(toy), *WRONG[message])
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert code == 2, (out, err)
    assert len(errors) == 1
    assert message.lower() in errors[0].lower()
    assert "Traceback" not in err
    assert not toy["-o"].exists() or not list(toy["-o"].iterdir())


def test_an_unwritable_folder_is_found_before_any_work(run, toy, tmp_path):
    (tmp_path / "file").write_text("")
    toy["-o"] = tmp_path / "file" / "out"
    code, _, err = run("scan", "--pairs", "CTCF:K562", *_flat(toy))
    assert code == 2
    assert str(tmp_path / "file") in err


@pytest.mark.parametrize("value", [["-o", ""], ["--pairs="]])
def test_an_empty_value_is_refused(run, toy, value):
    code, _, err = run("scan", *_flat(toy), "--pairs", "CTCF:K562", *value)
    assert code == 2
    assert f"{value[0].rstrip('=')}: its value is empty" in err


def test_more_threads_than_cpus_are_warned_of(run, toy):
    options = _flat(toy, **{"-p": 100_000})
    code, _, err = run("scan", "--pairs", "CTCF:K562", *options, "--dry-run")
    assert code == 0, err
    assert "warning: --threads 100000: using " in err


def test_debug_shows_the_traceback(run, toy):
    code, _, err = run("scan", "--tf", "CTFC", "--cell", "K562", "--debug", *_flat(toy))
    assert code == 2
    assert "Traceback" in err


def test_train_evaluate_and_scan_with_what_came_out(run, toy, tmp_path):
    data = tmp_path / "data.h5"
    write_dataset(data, make_dataset())
    sizes = "seq_len=60,filter_length=8,n_filters=12,pool=20,n_units=2,embedding_size=4"
    folder = tmp_path / "run"
    train = [
        "train",
        "--data",
        data,
        "-o",
        folder,
        "--network",
        sizes,
        "--epochs",
        2,
        "-p",
        1,
        "--assembly",
        "mine",
    ]
    code, out, err = run(*train)
    assert code == 0, err
    assert "test3: AUROC" in out
    assert "x the paper's" in err
    for name in (
        "model.safetensors",
        "model.json",
        "log.jsonl",
        "curves.png",
        "curves.svg",
    ):
        assert (folder / name).stat().st_size > 0

    code, _, err = run(*train)
    assert code == 2
    assert "add --resume" in err

    killed = folder / ".curves.svg.12-ab.tmp"
    killed.write_text("half")
    for name in ("log.jsonl", "curves.png"):
        (folder / name).unlink()
        (folder / name).mkdir()
        code, out, err = run(*train, "--resume")
        assert code == 0, err
        assert err.count("warning: log and curves are incomplete") == 1
        assert "model.safetensors" in out.splitlines()[-1]
        (folder / name).rmdir()
    assert not killed.exists()

    weights = folder / "model.safetensors"
    code, out, err = run(
        "evaluate",
        "--data",
        data,
        "-m",
        weights,
        "-o",
        tmp_path / "ev",
        "--json",
        "-p",
        1,
    )
    assert code == 0, err
    card = json.loads((folder / "model.json").read_text())
    means = json.loads(out)["means"]
    assert means["test3"]["auroc"] == pytest.approx(card["metrics"]["test3"]["auroc"])
    assert (tmp_path / "ev" / "per_pair.tsv").read_text().count("\n") == 13

    code, _, err = run("scan", "--pairs", "MAX:HepG2", *_flat(toy, **{"-m": weights}))
    assert code == 0, err
    assert "looks like another assembly than mine" in err


def test_evaluate_refuses_roles_and_sites_that_are_not_there(run, toy, tmp_path):
    write_dataset(tmp_path / "data.h5", make_dataset())
    base = [
        "evaluate",
        "--data",
        tmp_path / "data.h5",
        "-m",
        toy["-m"],
        "-o",
        tmp_path / "ev",
    ]
    for wrong, message in (
        ("--pair-set", "unknown role 'x'"),
        ("--site-set", "--site-set"),
    ):
        code, _, err = run(*base, wrong, "x")
        assert code == 2
        assert message in err


def test_info_reports_what_is_known(run, toy):
    code, out, _ = run("info", "pairs", "-m", toy["-m"], "--tf", "ctcf", "--json")
    assert code == 0
    pairs = json.loads(out)
    assert [pair["cell"] for pair in pairs] == ["GM12878", "HepG2", "H1-hESC", "K562"]
    assert {pair["status"] for pair in pairs} == {"imputed"}
    code, out, _ = run("info", "tfs", "-m", toy["-m"])
    assert code == 0
    assert "EP300" in out
    code, _, err = run("info", "nothing")
    assert code == 2
    assert "'nothing' is not one of" in err


def test_selftest_finds_the_engines_equal_and_says_when_not(run, toy):
    code, out, err = run("selftest", "-m", toy["-m"], "--json")
    assert code == 0, err
    engines = {record["engine"] for record in json.loads(out.rpartition("]")[0] + "]")}
    assert engines >= {"cpu exact", "cpu fast"}
    code, _, err = run("selftest", "-m", toy["-m"], "--tolerance", 1e-12)
    assert code == 1
    assert "engine cpu exact differs by" in err


def test_the_cache_serves_the_second_pair_and_reports_its_size(run, toy, tmp_path):
    place = ["--cache-dir", tmp_path / "cache"]
    code, _, err = run("scan", "--tf", "CTCF", "--cell", "K562", *_flat(toy), *place)
    assert code == 0, err
    assert "from the cache" not in err
    code, _, err = run("scan", "--tf", "MAX", "--cell", "K562", *_flat(toy), *place)
    assert code == 0, err
    assert "1 block of tiles from the cache" in err
    assert "contains 1 block" in run("cache", *place)[1]
    code, out, _ = run("cache", "prune", "--cache-limit", "1e-6", *place, "--json")
    assert code == 0
    assert json.loads(out)["files"] >= 1
    assert run("cache", "clear", *place)[0] == 0
    assert json.loads(run("cache", "info", *place, "--json")[1])["files"] == 0


def test_no_cache_leaves_none(run, toy, tmp_path):
    place = ["--cache-dir", tmp_path / "cache", "--no-cache"]
    assert run("scan", "--tf", "MAX", "--cell", "K562", *_flat(toy), *place)[0] == 0
    assert not (tmp_path / "cache" / "features").exists()


def test_an_unknown_cache_action_is_named(run):
    code, _, err = run("cache", "shrink")
    assert code == 2
    assert "'shrink'" in err


@pytest.mark.parametrize("verb", ["scan", "cache"])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--cache-limit", "inf"),
        ("--cache-limit", "nan"),
        ("--cache-limit", "-1"),
        ("--cache-dir", "{file}"),
    ],
)
def test_a_cache_that_cannot_be_is_refused_in_a_line(run, toy, verb, option, value):
    value = value.format(file=toy["-g"])
    pair = ["--tf", "MAX", "--cell", "K562", *_flat(toy)] if verb == "scan" else []
    code, _, err = run(verb, *pair, option, value)
    assert code == 2
    assert option in err
    assert err.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in err
