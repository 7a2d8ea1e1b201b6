"""`motifs` and `explain` from the command line."""

import csv
import gzip
import json

import pytest

from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.pretrained import pretrained_models
from toys import make_model, random_letters, write_fasta

SITE = "chr20:48,802,901-48,803,000"  # of CTCF


def read(path):
    with path.open() as file:
        lines = [line for line in file if not line.startswith("# ")]
    return list(csv.DictReader(lines, delimiter="\t"))


def test_a_site_of_ctcf_is_explained_by_ctcf(run, tmp_path):
    code, out, err = run(
        *("explain", "--tf", "CTCF", "--cell", "K562", "-r", SITE, "-o", tmp_path),
        "--json",
    )
    assert code == 0, err
    told = json.loads(out)
    (tile,) = told["tiles"]
    rows = read(tmp_path / "CTCF.K562.motifs.tsv")
    assert rows[0]["name"] == "CTCF"
    parts = sum(float(row["contribution"]) for row in rows)
    assert tile["baseline"] + parts == pytest.approx(tile["logit"], abs=1)
    assert abs(tile["residual"]) < 1e-3
    lines = (tmp_path / "CTCF.K562.motifs.bed").read_text().splitlines()
    places = [tuple(map(int, line.split("\t")[1:3])) for line in lines]
    assert places == sorted(places)
    assert all(48_802_800 < start < end < 48_803_200 for start, end in places)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--tf", "CTCF", "--cell", "K562", "-r", "chr20:1-500"), "use -g FASTA"),
        (("--tf", "CTCF", "--cell", "K562", "-r", "chr99:1-500"), "chr99"),
        (("--tf", "CTCF", "-r", SITE), "--cell is missing"),
        (
            (
                "--tf",
                "CTCF",
                "--cell",
                "K562",
                "-r",
                SITE,
                "--filter-names",
                "none.tsv",
            ),
            "no such file",
        ),
    ],
)
def test_what_cannot_be_explained_is_reported(run, tmp_path, arguments, word):
    code, _, err = run("explain", *arguments, "-o", tmp_path)
    assert code in (1, 2)
    assert word in err
    assert not list(tmp_path.glob("*.bed"))


def test_motifs_of_a_model_name_what_explain_shows(run, tmp_path, rng):
    pytest.importorskip("memelite", reason="extra `motifs` not installed")
    pytest.importorskip("pyjaspar", reason="extra `motifs` not installed")
    make_model(tmp_path)
    weights = tmp_path / "toy.safetensors"
    fasta = write_fasta(tmp_path / "toy.fa", {"chr1": random_letters(rng, 5000)})
    code, out, err = run("motifs", "-m", weights, "-g", fasta, "-o", tmp_path / "out")
    assert code == 0, err
    assert "11 of 11 filters" in out
    table = read(tmp_path / "out" / "filters.tsv")
    assert len(table) == 11
    assert all(int(row["hits"]) > 0 for row in table)
    for kind, names in (("tf", 3), ("cell", 4)):
        rows = read(tmp_path / "out" / f"{kind}-filters.tsv")
        assert len({row["name"] for row in rows}) == names
    for name in ("filters.meme", "filters.jaspar"):
        assert (tmp_path / "out" / name).read_text().count("filter0") >= 11
    arguments = ("--tf", "MAX", "--cell", "K562", "-m", weights, "-g", fasta)
    code, _, err = run(
        *("explain", *arguments, "-r", "chr1:500-900", "-o", tmp_path / "ex"),
        *("--filter-names", tmp_path / "out" / "filters.tsv"),
    )
    assert code == 0, err
    named = {row["filter"]: row["symbols"] or row["filter"] for row in table}
    for row in read(tmp_path / "ex" / "MAX.K562.motifs.tsv"):
        assert row["name"] == named[row["filter"]]
    code, _, err = run(
        *(
            "explain",
            "--tf",
            "CTCF",
            "--cell",
            "K562",
            "-r",
            SITE,
            "-o",
            tmp_path / "ex",
        ),
        *("--filter-names", tmp_path / "out" / "filters.tsv"),
    )
    assert code == 2
    assert "not the filters" in err


@pytest.mark.slow
def test_shipped_names_are_those_that_motifs_finds(run, tmp_path, shared_data):
    pytest.importorskip("memelite", reason="extra `motifs` not installed")
    model = load_model("default")
    sites = tmp_path / "sites.bed"
    with gzip.open(shared_data / "hg19" / "dhs.bed.gz", "rt") as file:
        sites.write_text("".join(line for line in file if line.startswith("chr20\t")))
    fasta = shared_data / "hg19" / "hg19.partial.fa.gz"
    code, _, err = run("motifs", "-g", fasta, "-r", sites, "-o", tmp_path / "out")
    assert code == 0, err
    found = (tmp_path / "out" / "filters.tsv").read_text()
    shipped = pretrained_models()[model.name].with_name("default.motifs.tsv")
    ours, theirs = read(tmp_path / "out" / "filters.tsv"), read(shipped)
    assert found.splitlines()[0] == shipped.read_text().splitlines()[0]
    for column in ("filter", "hits", "consensus", "symbols", "first", "last"):
        assert [row[column] for row in ours] == [row[column] for row in theirs]
