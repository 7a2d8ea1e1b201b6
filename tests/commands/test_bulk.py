"""`impute`, `export`, `query`, `catalogue` and `hub` as a user types them."""

import json
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from tfimpute_tracks.impute.estimate import Estimate
from toys import DEEP, random_letters, write_fasta, write_model


@pytest.fixture
def toy(tmp_path, rng):
    card = {"pairs": [_measured("CTCF", "K562"), _measured("MAX", "HepG2")]}
    letters = {"chr1": random_letters(rng, 3000), "chr20": random_letters(rng, 2000)}
    return [
        *("-m", write_model(tmp_path / "toy.safetensors", card=card)),
        *("-g", write_fasta(tmp_path / "toy.fa", letters), "-o", tmp_path / "store"),
        *("--stride", 20, "--workers", 1, "--tiles-per-shard", 150),
    ]


def _measured(tf, cell):
    return {"tf": tf, "cell": cell, "role": "base", "trained": True, "test_auroc": 0.8}


def test_from_all_missing_pairs_to_tracks_table_and_hub(run, toy, tmp_path):
    store, tracks = tmp_path / "store", tmp_path / "tracks"
    code, out, err = run("impute", "--missing", *toy)
    assert code == 0, err
    assert "10 pairs (10 imputed), 0.00 Mb with sequence" in err
    assert out.splitlines()[-1] == str(store)
    code, out, err = run("impute", "--missing", *toy)
    assert code == 0
    assert "0 shards made, 2 kept" in out

    code, out, _ = run("query", store, "chr1:1,001-1,100", "--top", 3)
    assert code == 0
    assert len(out.splitlines()) == 5
    code, out, _ = run("query", store, "chr1:1001-1100", "--json", "--tf", "max")
    assert {record["tf"] for record in json.loads(out)} == {"MAX"}
    assert {record["expected_auroc"] for record in json.loads(out)} == {0.8}
    for of_a_computation in (toy[:4], ["--evidence", "none"]):
        code, _, err = run("query", store, "chr1:1001-1100", *of_a_computation)
        assert code == 2
        assert "--fasta, --model, --cache-dir and --evidence none do not apply" in err
    code, _, err = run("query", store)
    assert code == 2
    assert "is a folder, and no region was named" in err
    code, out, err = run(
        "query", "chr1:1001-1100", "--cell", "k562", "--json", *toy[:4]
    )
    assert code == 0, err
    found = json.loads(out)
    assert {record["cell"] for record in found} == {"K562"}
    assert [r["probability"] for r in found] == sorted(
        (r["probability"] for r in found), reverse=True
    )
    code, _, err = run("query", store, "chr1:1-100", "chr1:1-100")
    assert (code, "3 arguments" in err) == (2, True)

    pairs = "CTCF:HepG2;MAX:K562"
    code, out, err = run("export", store, "--pairs", pairs, "-o", tracks)
    assert code == 0, err
    assert (tracks / "CTCF.HepG2.bw").exists()
    code, out, _ = run("export", store, "--pairs", pairs, "-o", tracks, "--json")
    assert {p["state"] for p in json.loads(out)["pairs"]} == {
        "reused from an earlier run"
    }
    # The store may come after the chromosomes.
    named = ["--tf", "CTCF", "--cell", "HepG2", "-o", tmp_path / "one"]
    code, out, err = run("export", *named, "--chroms", "chr20", "1", store)
    assert code == 0, err
    code, out, err = run(
        *("export", store, "--tf", "CTCF", "--cell", "HepG2", "-o", tmp_path / "more"),
        *("--format", "bedgraph,parquet", "-r", "chr1:500-900"),
    )
    assert code == 0, err
    lines = (tmp_path / "more" / "CTCF.HepG2.bedGraph").read_text().splitlines()
    assert int(lines[0].split()[1]) <= 499 < int(lines[0].split()[2])
    assert int(lines[-1].split()[1]) < 900 <= int(lines[-1].split()[2])

    code, out, err = run(
        "catalogue", store, "-o", tmp_path / "c", "--tracks", tracks, "--no-projection"
    )
    assert code == 0, err
    rows = (tmp_path / "c" / "catalogue.tsv").read_text().splitlines()
    assert len(rows) == 11
    assert sum("sha256:" in row for row in rows) == 2
    code, out, err = run("hub", tracks, "--assembly", "toy1")
    assert code == 0, err
    assert (tracks / "hub.txt").exists()


def test_tiles_lie_as_in_a_scan_by_default(run, toy, tmp_path):
    """Windows of 10 positions: tiles 100 bp apart, and so are their neighbors."""
    config = replace(DEEP, context_tiles=1)
    weights = write_model(tmp_path / "deep.safetensors", config=config)
    place = toy.index("--stride")
    for stride, told in (([], "every 100 bp"), (["--stride", 40], "2 times the work")):
        given = [*toy[:place], *stride, *toy[place + 2 :], "-m", weights]
        code, _, err = run("impute", "--missing", *given, "--dry-run")
        assert code == 0, err
        assert told in err
        assert ("times the work" in err) == bool(stride)


def test_a_dry_run_writes_nothing_and_reports_the_costs(run, toy, tmp_path):
    code, out, _ = run("impute", "--all", "--dry-run", "--json", *toy)
    assert code == 0
    cost = json.loads(out)
    assert cost["n_shards"] == 2
    assert cost["seconds"] > 0
    assert cost["n_bytes"] > 0
    assert not (tmp_path / "store").exists()


def test_a_long_run_asks_first(run, toy, monkeypatch, tmp_path):
    monkeypatch.setattr(Estimate, "is_large", lambda self: True)
    code, _, err = run("impute", "--all", *toy)
    assert code == 2
    assert "use --yes" in err
    assert not (tmp_path / "store").exists()
    assert run("impute", "--all", "--yes", *toy)[0] == 0


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ([], "no pairs; use --missing"),
        (["--missing", "--all"], "--missing or --all"),
        (["--missing", "--pairs", "CTCF:K562"], "--pairs, or --missing"),
        (["--pairs", "CTCF:Nowhere"], "Nowhere"),
        (["--all", "--part", "5/4"], "--part '5/4'"),
        (
            ["--all", "--sparse", "--keep-below-threshold", "99"],
            "threshold 99.0; use 0 to 10",
        ),
        (["--all", "--scheduler", "tcp://x:1"], "--engine dask"),
        (["--all", "--keep-below-threshold", "1"], "applies only with --sparse"),
        (["--all", "--device", "tpu"], "unknown device"),
        (["--all", "-r", "chr9:1-100"], "chr9"),
    ],
)
def test_wrong_requests_are_one_line_and_exit_code_2(run, toy, typed, said):
    code, out, err = run("impute", *typed, *toy)
    assert code == 2
    assert said in err
    assert err.rstrip().splitlines()[-1].startswith("error: ")
    assert out == ""


def test_repeated_pairs_are_imputed_once(run, toy, tmp_path):
    table = tmp_path / "pairs.tsv"
    table.write_text("tf\tcell\nCTCF\tK562\nctcf\tK-562\nMAX\tK562\n")
    code, _, err = run("impute", "--pairs", table, *toy)
    assert code == 0, err
    assert "2 pairs" in err


def test_a_list_of_pairs_may_be_longer_than_a_file_s_name(run, toy):
    code, _, err = run("impute", "--pairs", ";".join(["CTCF:K562"] * 2000), *toy)
    assert code == 0, err
    assert "1 pair (" in err


def test_stores_and_tracks_stay_apart(run, toy, tmp_path):
    store, tracks = tmp_path / "store", tmp_path / "tracks"
    one = "--tf", "CTCF", "--cell", "K562"
    assert run("impute", *one, *toy)[0] == 0
    scan = "scan", *one, *toy[:4], "--stride", 20, "--no-cache", "--format", "bed"
    for folder in (store, store / "sub"):
        for command in (
            (*scan, "-o", folder),
            ("export", store, *one, "-o", folder),
            ("catalogue", store, "-o", folder),
            ("plot", *one, *toy[:4], "-r", "chr1:1-900", "-o", folder / "a.png"),
        ):
            code, _, err = run(*command)
            assert (code, "a bulk store; use another folder" in err) == (2, True)
    assert sorted(path.name for path in store.iterdir())[-2:] == [
        "status.json",
        "store.json",
    ]
    code, _, err = run(*scan, "-o", tracks)
    assert code == 0, err
    code, _, err = run("impute", *one, *toy, "-o", tracks)
    assert (code, "tracks contains tracks, such as those of" in err) == (2, True)


def test_a_store_that_is_none_and_a_place_outside_are_refused(run, toy, tmp_path):
    code, _, err = run("query", tmp_path, "chr1:1-100")
    assert (code, "not a bulk store" in err) == (2, True)
    assert run("impute", "--tf", "CTCF", *toy)[0] == 0
    store = tmp_path / "store"
    code, _, err = run("query", store, "chr7:1-100")
    assert (code, "unknown chromosome chr7; known: chr1, chr20;" in err) == (2, True)
    code, _, err = run("export", store, "--tf", "MAX", "--cell", "K562")
    assert code == 2
    assert "MAX" in err
    code, _, err = run("export", store, "--all", "--tf", "CTCF")
    assert (code, "use --all, or" in err) == (2, True)
    code, _, err = run("catalogue", store, "--tracks", tmp_path / "nowhere")
    assert (code, "is not a folder" in err) == (2, True)
    code, _, err = run("export", store, "--all", "--format", "wiggle")
    assert "--format 'wiggle'" in err


def test_a_failed_shard_is_exit_code_1_and_named(run, toy, tmp_path):
    assert run("impute", "--all", *toy)[0] == 0
    store = tmp_path / "store"
    shards = sorted((store / "shards").iterdir())
    shards[0].unlink()
    shards[0].mkdir()  # nothing can be renamed to it
    (shards[0] / "in the way").touch()
    code, _, err = run("impute", "--all", *toy)
    assert code == 1
    assert "error: " in err
    assert shards[1].is_file()


def test_a_store_of_the_sequence_says_why_it_has_no_evidence(run, tmp_path):
    where = ["-r", "chr20:48,700,001-48,705,000", "--tf", "MAX", "--cell", "K562"]
    store = tmp_path / "store"
    assert run("impute", *where, "--evidence", "none", "-o", store)[0] == 0
    for arguments in (
        ["query", store, "chr20:48,701,000-48,701,200"],
        ["export", store, "--all", "-o", tmp_path / "tracks"],
    ):
        code, _, err = run(*arguments)
        assert code == 0, err
        assert "was imputed from sequence only. Evidence cannot be added" in err


@pytest.mark.slow
def test_a_scheduler_ends_a_run_of_one_shard(tmp_path):
    """It sends SIGTERM; nothing half written stays."""
    store = tmp_path / "store"
    words = ("impute", "--all", "-e", "none", "-r", "chr20:47500001-48500000")
    command = [sys.executable, "-m", "tfimpute_tracks", *words, "-o", str(store)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        status = store / "status.json"
        while not status.exists() and process.poll() is None:
            time.sleep(0.05)
        process.terminate()
        _, err = process.communicate()
    assert process.returncode == 130, err
    assert "interrupted; run the same command" in err
    assert json.loads(status.read_text())["state"] == "stopped"
    assert not list((store / "shards").iterdir())
