"""The shipped weights on real sequence and real peaks: what the README promises."""

import json
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pybigtools
import pytest

from tfimpute_tracks.genome import bundled_region, open_bundled, read_bed
from tfimpute_tracks.models import load_model, pretrained_models
from tfimpute_tracks.tracks import run_selfcheck, scan_region
from tfimpute_tracks.vocabulary import Pair


def _command(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "tfimpute_tracks", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", sorted(pretrained_models()))
def test_shipped_models_are_whole_and_know_every_pair(name):
    path = pretrained_models()[name]
    assert path.stat().st_size < 4 << 20
    model = load_model(name)
    assert len(model.tfs) * len(model.cells) == 15_015
    assert len(model.measured_pairs) == 524
    assert model.checkpoint.genome["chrom_sizes"]["chr20"] == 63_025_520
    thresholds = model.checkpoint.weights["thresholds"]
    assert ((thresholds > 0) & (thresholds < 1)).all()
    roles = {
        entry["role"] for entry in model.measured_pairs.values() if not entry["trained"]
    }
    kept = name.endswith("held-out")
    assert roles == ({"valid2", "test3"} if kept else set())
    assert model.expected(Pair("GATA1", "HepG2")) is not None
    assert model.calibration(Pair("GATA1", "HepG2")) is not None
    assert model.fdr_thresholds(Pair("CTCF", "K562"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["default", "deep"])
def test_every_engine_agrees_with_the_plain_network(name):
    for record in run_selfcheck(load_model(name)):
        assert record.difference <= record.tolerance, record


def test_ctcf_in_k562_scores_high_where_it_was_found(shared_data):
    """chr20 trained nothing: the ranking of tiles is a prediction."""
    region = bundled_region()
    starts, scores = scan_region(
        load_model("held-out"), open_bundled(), *region, ["CTCF:K562"]
    )
    peaks = read_bed(shared_data / "hg19" / "peaks" / "CTCF.K562.bed.gz")
    peaks = peaks[(peaks["chrom"] == "chr20") & (peaks["end"] > region.start)]
    centers = starts + 100
    bound = np.zeros(len(starts), dtype=bool)
    for start, end in zip(peaks["start"], peaks["end"], strict=True):
        bound |= (centers >= start) & (centers < end)
    top = np.argsort(-scores[:, 0])[:100]
    assert bound[top].mean() > 30 * bound.mean()


def test_the_readme_s_command_writes_tracks_of_the_bundled_region(tmp_path):
    out = _command("scan", "--tf", "CTCF", "--cell", "K562", "-o", tmp_path)
    assert str(tmp_path / "CTCF.K562.bw") in out.splitlines()[-1]
    region = bundled_region()
    with pybigtools.open(str(tmp_path / "CTCF.K562.bw")) as file:
        assert file.chroms() == {"chr20": 63_025_520}
        records = list(file.records("chr20"))
    # Tiles that reach out of the stretch by half hold enough letters for a score.
    assert records[0][0] <= region.start
    assert records[-1][1] >= region.end
    assert all(a[1] == b[0] for a, b in pairwise(records))
    peaks = (tmp_path / "CTCF.K562.narrowPeak").read_text().splitlines()[1:]
    assert 20 < len(peaks) < 3000


@pytest.mark.slow
def test_held_out_pairs_on_the_held_out_chromosome(shared_data, tmp_path):
    """From FASTA and BED files to the figure, as the model card tells."""
    hg19 = shared_data / "hg19"
    data = tmp_path / "data.h5"
    _command(
        *("prepare", "-g", hg19 / "hg19.partial.fa.gz"),
        *(
            "--pairs-table",
            hg19 / "pairs.tsv",
            "--candidate-sites",
            hg19 / "dhs.bed.gz",
        ),
        *("-o", data),
    )
    _command(
        *("evaluate", "--data", data, "-m", "held-out", "--pair-set", "base,test3"),
        *("-o", tmp_path / "ev"),
    )
    means = json.loads((tmp_path / "ev" / "metrics.json").read_text())["means"]
    assert means["test3"]["auroc"] > 0.83
    assert means["test3"]["auroc"] > means["test3"]["tf_mean_auroc"] + 0.005
    table = pd.read_csv(tmp_path / "ev" / "per_pair.tsv", sep="\t")
    assert len(table) == 507
    card = {(e["tf"], e["cell"]): e for e in load_model("held-out").card["pairs"]}
    for row in table.dropna(subset=["auroc"]).itertuples():
        told = card[row.tf, row.cell]["test_auroc"]
        assert row.auroc == pytest.approx(told, abs=2e-4)


@pytest.mark.slow
def test_context_helps_on_the_held_out_chromosome(shared_data, tmp_path):
    hg19, means = shared_data / "hg19", []
    for length in (920, 200):
        data = tmp_path / f"{length}.h5"
        _command(
            *("prepare", "-g", hg19 / "hg19.partial.fa.gz", "-o", data),
            *("--pairs-table", hg19 / "pairs.tsv", "--seq-len", length),
            *("--candidate-sites", hg19 / "dhs.bed.gz", "--min-known", 0.9),
        )
        _command(
            *("evaluate", "--data", data, "-m", "deep-held-out", "--pair-set", "test3"),
            *("--max-sites", 10_000, "--permutations", 0, "-o", tmp_path / str(length)),
        )
        told = json.loads((tmp_path / str(length) / "metrics.json").read_text())
        means.append(told["means"]["test3"]["auroc"])
    assert means[0] > 0.88
    assert means[0] > means[1] + 0.01


@pytest.mark.slow
def test_a_whole_chromosome_is_covered_where_it_has_sequence(shared_data, tmp_path):
    fasta = shared_data / "hg19" / "hg19.partial.fa.gz"
    _command(
        *("scan", "--pairs", "CTCF:K562;MAX:HepG2", "-g", fasta, "--chroms", "20"),
        *("-o", tmp_path),
    )
    for pair in ("CTCF.K562", "MAX.HepG2"):
        with pybigtools.open(str(tmp_path / f"{pair}.bw")) as file:
            assert file.chroms()["chr20"] == 63_025_520
            records = np.array(list(file.records("chr20")))
        covered = (records[:, 1] - records[:, 0]).sum()
        # 59.5 Mb of chr20 are not N.
        assert 59.4e6 < covered < 59.6e6
        assert records[:, 2].min() >= 0
        assert records[:, 2].max() <= 1
