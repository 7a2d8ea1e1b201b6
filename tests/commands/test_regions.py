"""`--chroms primary`, patterns, `--min-contig`, genes and .2bit files, on the command line."""

import json

import pytest

from toys import write_gapped_genome, write_model
from two_bit_files import two_bit_bytes

ONE = "1 pair at chr20:48,807,300-48,807,400, with a predicted peak"


@pytest.fixture
def toy(tmp_path):
    """Give common arguments, and the folder of a FASTA, a .2bit file and genes."""
    model = write_model(tmp_path / "toy.safetensors")
    _, sequence = write_gapped_genome(tmp_path)
    (tmp_path / "toy.2bit").write_bytes(two_bit_bytes(sequence))
    (tmp_path / "genes.bed").write_text("chr1\t2000\t2100\tMYGENE\n")
    return ["--tf", "CTCF", "--cell", "K562", "-m", model, "-e", "none"]


def _scan(run, toy, tmp_path, *more):
    out = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
    code, stdout, err = run("scan", *toy, "-o", out, "--no-cache", "--json", *more)
    return code, stdout, err, out


def test_a_two_bit_file_gives_the_tracks_of_the_fasta(run, toy, tmp_path):
    tracks = []
    for name in ("toy.fa", "toy.2bit"):
        code, _, err, out = _scan(run, toy, tmp_path, "-g", tmp_path / name)
        assert code == 0, err
        tracks.append((out / "CTCF.K562.bw").read_bytes())
    assert tracks[0] == tracks[1]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--chroms", "chr?"], "using 1 of 2 chromosomes: chr1"),
        (["--min-contig", "1000"], "using 1 of 2 chromosomes: chr1"),
        (["--chroms", "primary", "--min-contig", "1000"], "using 1 of 2"),
        (["-r", "mygene", "--genes", "genes.bed"], "using chr1:1-4000"),
    ],
)
def test_what_is_chosen_is_said(run, toy, tmp_path, monkeypatch, more, said):
    monkeypatch.chdir(tmp_path)
    code, _, err, _ = _scan(run, toy, tmp_path, "-g", "toy.fa", *more)
    assert code == 0, err
    assert said in " ".join(err.split())


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--chroms", "chr3*"], "no chromosome matches 'chr3*'; known: chr1"),
        (["--min-contig", "5000"], "--min-contig 5,000 leaves no chromosome"),
        (
            ["-r", "chr1", "--min-contig", "9"],
            "--min-contig concerns whole chromosomes",
        ),
        (["-r", "MYGEN", "--genes", "genes.bed"], "did you mean MYGENE?"),
        (["-r", "MYGENE"], "for a gene, add --genes FILE"),
    ],
)
def test_what_matches_nothing_ends_with_two_and_a_line(
    run, toy, tmp_path, monkeypatch, more, message
):
    monkeypatch.chdir(tmp_path)
    code, _, err, out = _scan(run, toy, tmp_path, "-g", "toy.fa", *more)
    assert code == 2
    assert message in err
    assert err.count("error: ") == 1
    assert not out.exists()


def test_a_gene_of_the_bundled_region_needs_no_file(run):
    code, out, err = run("query", "CEBPB", "--cell", "K562", "--tf", "MAX", "--json")
    assert code == 0, err
    assert "CEBPB is at chr20:48,8" in err or "CEBPB is at chr20:488" in err
    assert [record["tf"] for record in json.loads(out)] == ["MAX"]


@pytest.mark.parametrize(
    ("arguments", "ending"),
    [
        (["chr20:48,807,300-48,807,400", "--tf", "CTCF", "--cell", "K562"], ONE),
        (
            ["CEBPB", "--cell", "K562", "--top", 3],
            "the most probable 3 pairs of 165 at",
        ),
        (["CEBPB", "--cell", "K562", "--top", 0], "165 pairs at chr20:48,802,376-"),
        (
            ["chr20:48,990,000-48,990,100", "--tf", "CTCF"],
            "; none has a predicted peak",
        ),
    ],
)
def test_a_query_is_summed_up_in_a_line(run, arguments, ending):
    code, out, err = run("query", *arguments)
    assert code == 0, err
    assert ending in out.splitlines()[-1]
